#include "config.h"

#include "keeper/keeper.h"

#include <signal.h>

#include "control/notify.h"
#include "control/reload.h"
#include "control/watch.h"
#include "keeper/outfit.h"
#include "keeper/telling.h"
#include "record/journal.h"

typedef struct Keeper {
    const KeeperOptions *options;
    const Log *log;
    sd_event *loop;
    Http *http;
    Memory *memory;
    News *news;
    Fold *fold;
    LaneHandlers handlers;
    Outfit outfit, next_outfit; /* the second waits until no round is under way */
    SpecsInForce specs;
    Watch *watch; /* of the specs; NULL: they are looked at before each round alone */
    Telling telling;
    Reloads reloads;
    bool stopping;
} Keeper;

static void keeper_done(Keeper *k)
{
    watch_free(k->watch);
    outfit_done(&k->outfit);
    outfit_done(&k->next_outfit);
    in_force_done(&k->specs);
    telling_done(&k->telling);
    memory_free(k->memory);
    news_free(k->news);
    fold_free(k->fold);
    http_free(k->http);
    sd_event_unref(k->loop);
}

/* No round begins any more in the outfit that there is, and those under way are to end. */
static bool is_ending(const Keeper *k)
{
    return k->stopping || k->next_outfit.config;
}

static void tell(Keeper *k)
{
    telling_notify(&k->telling, &k->specs);
    telling_write(&k->telling, k->outfit.config, &k->specs);
}

/* --- specs --- */

/* True: another set is in force, by which everything is looked at anew. */
static bool load_specs(Keeper *k)
{
    if (!in_force_load(&k->specs, k->outfit.config))
        return false;
    memory_forget(k->memory);
    status_keep(k->telling.status, k->specs.specs);
    outfit_look(&k->outfit);
    return true;
}

static void on_specs_changed(void *userdata)
{
    Keeper *k = userdata;
    if (is_ending(k))
        return;
    k->specs.read = 0;
    if (!load_specs(k))
        tell(k);
}

/* Without a watch they are looked at before each round all the same. */
static void watch_specs(Keeper *k)
{
    CLEANUP(error_freep) Error *err = NULL;
    watch_free(TAKE(k->watch));
    const char *path = in_force_path(&k->specs, k->outfit.config);
    if (!path || watch_new(k->loop, path, on_specs_changed, k, &k->watch, &err) == 0)
        return;
    CLEANUP(freep) char *text = xasprintf("%s; changes are found at each round alone", err->message);
    log_send(k->log, LOG_WARNING, text, NULL, 0);
}

/* --- rounds --- */

/* Nothing is under way any more: what waited for that can happen. The lanes of the old configuration are gone
 * afterwards. */
static void settle(Keeper *k)
{
    if (k->stopping) {
        sd_event_exit(k->loop, 0);
        return;
    }
    outfit_done(&k->outfit);
    k->outfit = k->next_outfit;
    k->next_outfit = (Outfit){0};
    memory_try_all(k->memory);
    status_keep(k->telling.status, k->specs.specs);
    watch_specs(k);
    outfit_look(&k->outfit);
}

static bool on_begin(void *userdata, Lane *lane, Specs **ret)
{
    Keeper *k = userdata;
    if (is_ending(k) || load_specs(k))
        return false;
    outfit_open(&k->outfit, lane);
    if (!k->specs.specs)
        tell(k);
    *ret = k->specs.specs;
    return true;
}

static void on_changed(void *userdata, const Specs *specs, const Op *op)
{
    const Keeper *k = userdata;
    journal_change(k->log, op, specs->revision);
}

static void on_seen(void *userdata, const Report *report, const Snapshot *snapshot, usec_t took)
{
    Keeper *k = userdata;
    for (size_t i = 0; i < report->n; i++) {
        journal_account(k->log, k->fold, &report->results[i], is_ending(k), clock_monotonic());
        if (!is_ending(k))
            status_take(k->telling.status, &report->results[i], report->specs, snapshot, clock_wall());
    }
    telling_round(&k->telling, took, report_totals(report).requests);
}

static bool on_over(void *userdata)
{
    Keeper *k = userdata;
    if (!is_ending(k)) {
        tell(k);
        return true;
    }
    if (outfit_is_idle(&k->outfit))
        settle(k);
    return false;
}

/* --- configuration --- */

static int load_config(const Keeper *k, Config **ret, Error **err)
{
    CLEANUP(problems_freep) Problems *problems = problems_new();
    int r = config_load(k->options->config_file, problems, ret, err);
    log_problems(k->log, problems);
    return r;
}

static void wear(Keeper *k, Config *config, Outfit *ret)
{
    RoundOptions round = {.http = k->http, .memory = k->memory, .news = k->news};
    outfit_new(config, k->loop, &round, &k->handlers, ret);
}

static void begin_reload(Keeper *k)
{
    CLEANUP(error_freep) Error *err = NULL;
    notify_reloading();
    if (reload_begin(&k->reloads, &err) < 0)
        log_send(k->log, LOG_WARNING, err->message, NULL, 0);
}

/* Systemd hears of it first, so that the unit is active again when `systemctl reload` returns. */
static void end_reload(const Keeper *k, const char *status, const char *refusal)
{
    CLEANUP(error_freep) Error *err = NULL;
    notify_ready(status);
    if (reload_end(&k->reloads, refusal, &err) < 0)
        log_send(k->log, LOG_WARNING, err->message, NULL, 0);
}

static void refuse_reload(Keeper *k, const Error *error)
{
    CLEANUP(freep) char *status = xasprintf("Reload refused: %s", error->message);
    event_log(k->log, EVENT_RELOAD_REFUSED, NULL, 0, "reload refused, the old configuration stays in force: %s",
              error->message);
    telling_reloaded(&k->telling, error->message);
    telling_write(&k->telling, k->outfit.config, &k->specs);
    end_reload(k, status, error->message);
}

/* --- signals --- */

/* The new configuration is taken whole, with specs that are whole, or not at all; the specs are read again when it is
 * in force. Rounds under way give up their looks and finish the writes that are on their way, with what they began
 * with. */
static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    Keeper *k = userdata;
    CLEANUP(error_freep) Error *err = NULL;
    CLEANUP(config_freep) Config *config = NULL;
    if (k->stopping)
        return 0;
    begin_reload(k);
    if (load_config(k, &config, &err) < 0 || in_force_check(&k->specs, config, &err) < 0) {
        refuse_reload(k, err);
        return 0;
    }
    bool pending = k->next_outfit.config != NULL;
    outfit_done(&k->next_outfit);
    wear(k, TAKE(config), &k->next_outfit);
    k->specs.read = 0;
    telling_reloaded(&k->telling, NULL);
    event_log(k->log, EVENT_RELOADED, NULL, 0, "configuration reloaded from %s", k->next_outfit.config->file);
    end_reload(k, "Configuration reloaded", NULL);
    if (outfit_is_idle(&k->outfit))
        settle(k);
    else if (!pending)
        outfit_stop(&k->outfit);
    return 0;
}

static int on_look(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    Keeper *k = userdata;
    k->specs.read = 0;
    if (!k->stopping)
        outfit_look(&k->outfit);
    return 0;
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    Keeper *k = userdata;
    if (k->stopping)
        return 0;
    k->stopping = true;
    notify_stopping();
    event_log(k->log, EVENT_STOPPING, NULL, 0, "stopping: writes that are on their way are finished, none is begun");
    if (outfit_is_idle(&k->outfit))
        settle(k);
    else if (!k->next_outfit.config)
        outfit_stop(&k->outfit);
    return 0;
}

static int add_signals(Keeper *k)
{
    static const struct {
        int number;
        sd_event_signal_handler_t handler;
    } signals[] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}, {SIGUSR1, on_look}};
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        if (sd_event_add_signal(k->loop, NULL, signals[i].number | SD_EVENT_SIGNAL_PROCMASK, signals[i].handler, k) < 0)
            return -1;
    return 0;
}

/* --- start --- */

static int set_up(Keeper *k, Error **err)
{
    int r = sd_event_default(&k->loop);
    if (r < 0)
        return error_set_errno(err, ERROR_LOCAL, -r, "the event loop cannot be made");
    if (add_signals(k) < 0)
        return error_set(err, ERROR_LOCAL, "signals cannot be watched");
    sd_event_set_watchdog(k->loop, true);
    k->memory = memory_new();
    k->news = news_new();
    k->fold = fold_new();
    k->specs = (SpecsInForce){.log = k->log, .path = k->options->specs};
    k->handlers =
        (LaneHandlers){.begin = on_begin, .changed = on_changed, .seen = on_seen, .over = on_over, .userdata = k};
    return http_new(k->loop, &k->http, err);
}

static int start(Keeper *k, Error **err)
{
    Config *config = NULL;
    if (set_up(k, err) < 0 || load_config(k, &config, err) < 0)
        return -1;
    wear(k, config, &k->outfit);
    event_log(k->log, EVENT_STARTED, NULL, 0, "imagekeeperd " PACKAGE_VERSION " started with %s",
              k->options->config_file);
    telling_begin(&k->telling, k->log);
    reload_open(&k->reloads, k->telling.folder);
    watch_specs(k);
    load_specs(k);
    telling_write(&k->telling, config, &k->specs);
    outfit_look(&k->outfit);
    return 0;
}

int keeper_run(const KeeperOptions *options, const Log *log)
{
    CLEANUP(keeper_done) Keeper k = {.options = options, .log = log, .telling.claim = -1};
    CLEANUP(error_freep) Error *err = NULL;
    if (start(&k, &err) < 0) {
        log_send(log, LOG_ERR, err->message, NULL, 0);
        return -1;
    }
    CLEANUP(freep) char *status = telling_idle(&k.specs);
    notify_ready(status);
    return sd_event_loop(k.loop) < 0 ? -1 : 0;
}
