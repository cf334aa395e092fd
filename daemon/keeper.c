#include "config.h"

#include "keeper.h"

#include <inttypes.h>
#include <signal.h>
#include <systemd/sd-event.h>

#include "base/str.h"
#include "control/notify.h"
#include "desired/load.h"
#include "record/journal.h"
#include "record/report.h"
#include "round.h"

/* One configuration with what hangs on it. It is replaced as a whole. */
typedef struct Outfit {
    Config *config;
    Accounts *accounts;
} Outfit;

typedef struct Keeper {
    const KeeperOptions *options;
    const Log *log;
    sd_event *loop;
    Http *http;
    Outfit outfit, next_outfit; /* the second waits for the end of a round */
    Specs *specs;               /* the last good set, or NULL */
    char *specs_problem;        /* why the files on disk are not it; NULL: they are */
    Memory *memory;
    Fold *fold;
    Round *round;
    usec_t round_started;       /* monotonic */
    uint64_t rounds;
    sd_event_source *timer;
    sd_event_source *round_over; /* ends a round from outside its own callbacks */
    bool look_again;            /* asked for while a round was under way */
    bool stopping;
} Keeper;

static void outfit_done(Outfit *o)
{
    accounts_free(TAKE(o->accounts));
    config_free(TAKE(o->config));
}

static void keeper_done(Keeper *k)
{
    round_free(k->round);
    outfit_done(&k->outfit);
    outfit_done(&k->next_outfit);
    specs_free(k->specs);
    free(k->specs_problem);
    memory_free(k->memory);
    fold_free(k->fold);
    sd_event_source_disable_unref(k->timer);
    sd_event_source_disable_unref(k->round_over);
    http_free(k->http);
    sd_event_unref(k->loop);
}

/* --- load --- */

static void say_problems(const Keeper *k, const Problems *problems)
{
    CLEANUP(str_done) Str text = {0};
    problems_format(problems, k->log->colour && !k->log->under_journal, &text);
    if (text.len)
        log_send(k->log, problems_errors(problems) ? LOG_ERR : LOG_WARNING, str_strip(text.data), NULL, 0);
}

static bool same_specs(const Specs *a, const Specs *b);

/* All or nothing: a broken set leaves the last good one in force, and is said once. */
static void load_specs(Keeper *k)
{
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(error_freep) Error *err = NULL;
    const Config *config = k->outfit.config;
    const char *path = k->options->specs ? k->options->specs : config->specs;
    Specs *specs = NULL;
    if (!path)
        error_set(&err, ERROR_SPEC, "%s does not say where the specs are", config->file);
    else
        specs_load(path, config, problems, &specs, &err);
    if (specs) {
        bool changed = !k->specs || !same_specs(k->specs, specs);
        if (changed || k->specs_problem) {
            say_problems(k, problems);
            event_log(k->log, EVENT_SPECS_LOADED, NULL, 0, "specs loaded: %zu documents from %s%s%s", specs->n, path,
                      specs->revision ? ", revision " : "", specs->revision ? specs->revision : "");
        }
        if (changed)
            memory_forget(k->memory);
        specs_free(k->specs);
        k->specs = specs;
        free(TAKE(k->specs_problem));
        return;
    }
    if (streq_null(k->specs_problem, err->message))
        return;
    say_problems(k, problems);
    event_log(k->log, EVENT_SPECS_REJECTED, NULL, 0, "specs rejected: %s; %s", err->message,
              k->specs ? "the last good set stays in force" : "nothing is enforced until they are mended");
    free(k->specs_problem);
    k->specs_problem = xstrdup(err->message);
}

/* Enough to know whether what the memory learnt still holds: the documents' words. */
static bool same_specs(const Specs *a, const Specs *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const Spec *x = &a->items[i], *y = &b->items[i];
        if (x->kind != y->kind || !streq(x->name, y->name) || !node_equal(x->want, y->want) || x->observe != y->observe ||
            x->exact_tags != y->exact_tags || !node_equal(x->ignore, y->ignore) || x->suspended_until != y->suspended_until)
            return false;
    }
    return true;
}

static int load_outfit(Keeper *k, Outfit *ret, Error **err)
{
    CLEANUP(problems_freep) Problems *problems = problems_new();
    Config *config = NULL;
    int r = config_load(k->options->config_file, problems, &config, err);
    say_problems(k, problems);
    if (r < 0)
        return -1;
    *ret = (Outfit){.config = config, .accounts = accounts_new(config)};
    return 0;
}

/* --- rounds --- */

static void arm(Keeper *k, usec_t when);

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdU;
    return x ^ (x >> 33);
}

/* Up to 10 % later, by a number that depends on the configuration's path, the host and the round: hosts spread, and the same
 * host does the same again. */
static usec_t next_interval(const Keeper *k)
{
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    uint64_t h = k->rounds;
    for (const char *p = host; *p; p++)
        h = mix(h + (unsigned char)*p);
    for (const char *p = k->options->config_file; *p; p++)
        h = mix(h + (unsigned char)*p);
    usec_t interval = k->outfit.config->interval;
    return interval + mix(h) % (interval / 10 + 1);
}

/* In words, before the first round and without specs to go by. */
static char *idle_text(const Keeper *k)
{
    if (k->specs)
        return xstrdup("Specs are loaded, looking");
    return xasprintf("Nothing is enforced: %s", k->specs_problem ? k->specs_problem : "no specs yet");
}

static char *status_text(const Keeper *k, const ReportTotals *t)
{
    Str text = {0};
    str_addf(&text, "%zu of %zu objects in sync", t->in_sync, t->objects);
    if (t->differences)
        str_addf(&text, ", %zu differences", t->differences);
    if (t->errors)
        str_addf(&text, ", %zu errors", t->errors);
    if (k->specs_problem)
        str_addf(&text, "; the last good specs are in force: %s", k->specs_problem);
    return str_take(&text);
}

static void begin_round(Keeper *k);

static int on_round_over(sd_event_source *source, void *userdata)
{
    (void)source;
    Keeper *k = userdata;
    Report report = {.specs = k->specs};
    report.results = round_results(k->round, &report.n);
    ReportTotals totals = report_totals(&report);
    if (!k->stopping) {
        journal_round(k->log, k->fold, k->specs, report.results, report.n, clock_wall());
        CLEANUP(freep) char *status = status_text(k, &totals);
        notify_status(status);
    }
    k->round = (round_free(k->round), NULL);
    if (k->stopping)
        return sd_event_exit(k->loop, 0);
    if (k->next_outfit.config) {
        outfit_done(&k->outfit);
        k->outfit = k->next_outfit;
        k->next_outfit = (Outfit){0};
    }
    if (k->look_again)
        begin_round(k);
    else
        arm(k, k->round_started + next_interval(k));
    return 0;
}

static void on_round_done(void *userdata)
{
    Keeper *k = userdata;
    sd_event_source_set_enabled(k->round_over, SD_EVENT_ONESHOT);
}

static void on_changed(void *userdata, const Op *op)
{
    const Keeper *k = userdata;
    journal_change(k->log, op, k->specs->revision);
}

static void begin_round(Keeper *k)
{
    k->look_again = false;
    k->rounds++;
    k->round_started = clock_monotonic();
    load_specs(k);
    if (!k->specs) {
        CLEANUP(freep) char *status = idle_text(k);
        notify_status(status);
        arm(k, k->round_started + next_interval(k));
        return;
    }
    accounts_open(k->outfit.accounts, k->http, k->loop, k->specs);
    RoundOptions options = {
        .config = k->outfit.config,
        .specs = k->specs,
        .accounts = k->outfit.accounts,
        .memory = k->memory,
    };
    RoundHandlers handlers = {.changed = on_changed, .done = on_round_done, .userdata = k};
    k->round = round_start(k->loop, &options, &handlers);
}

static int on_time(sd_event_source *source, uint64_t now, void *userdata)
{
    (void)source;
    (void)now;
    begin_round(userdata);
    return 0;
}

static void arm(Keeper *k, usec_t when)
{
    sd_event_source_set_time(k->timer, when);
    sd_event_source_set_enabled(k->timer, SD_EVENT_ONESHOT);
}

static void look_now(Keeper *k)
{
    if (k->round)
        k->look_again = true;
    else
        arm(k, clock_monotonic());
}

/* --- signals --- */

/* The new configuration is taken whole or not at all; a round under way ends with what it began with. */
static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    Keeper *k = userdata;
    CLEANUP(error_freep) Error *err = NULL;
    Outfit outfit;
    if (k->stopping)
        return 0;
    notify_reloading();
    if (load_outfit(k, &outfit, &err) < 0) {
        event_log(k->log, EVENT_RELOAD_REFUSED, NULL, 0, "reload refused, the old configuration stays in force: %s", err->message);
        CLEANUP(freep) char *status = xasprintf("Reload refused: %s", err->message);
        notify_ready(status);
        return 0;
    }
    Outfit *place = k->round ? &k->next_outfit : &k->outfit;
    outfit_done(place);
    *place = outfit;
    event_log(k->log, EVENT_RELOADED, NULL, 0, "configuration reloaded from %s", outfit.config->file);
    notify_ready("Configuration reloaded");
    look_now(k);
    return 0;
}

static int on_look(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    Keeper *k = userdata;
    if (!k->stopping)
        look_now(k);
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
    if (!k->round)
        return sd_event_exit(k->loop, 0);
    round_stop(k->round);
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
    if (add_signals(k) < 0 || sd_event_add_time(k->loop, &k->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_time, k) < 0 ||
        sd_event_add_defer(k->loop, &k->round_over, on_round_over, k) < 0)
        return error_set(err, ERROR_LOCAL, "the event loop cannot be set up");
    sd_event_source_set_enabled(k->timer, SD_EVENT_OFF);
    sd_event_source_set_enabled(k->round_over, SD_EVENT_OFF);
    sd_event_set_watchdog(k->loop, true);
    k->memory = memory_new();
    k->fold = fold_new();
    return http_new(k->loop, &k->http, err);
}

int keeper_run(const KeeperOptions *options, const Log *log)
{
    CLEANUP(keeper_done) Keeper k = {.options = options, .log = log};
    CLEANUP(error_freep) Error *err = NULL;
    if (set_up(&k, &err) < 0 || load_outfit(&k, &k.outfit, &err) < 0) {
        log_send(log, LOG_ERR, err->message, NULL, 0);
        return -1;
    }
    event_log(log, EVENT_STARTED, NULL, 0, "imagekeeperd " PACKAGE_VERSION " started with %s", options->config_file);
    load_specs(&k);
    CLEANUP(freep) char *status = idle_text(&k);
    notify_ready(status);
    arm(&k, clock_monotonic());
    return sd_event_loop(k.loop) < 0 ? -1 : 0;
}
