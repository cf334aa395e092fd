#include "config.h"

#include "keeper.h"

#include <inttypes.h>
#include <signal.h>
#include <systemd/sd-event.h>

#include "base/file.h"
#include "base/str.h"
#include "control/notify.h"
#include "control/reload.h"
#include "control/runtime.h"
#include "control/watch.h"
#include "desired/load.h"
#include "record/journal.h"
#include "record/report.h"
#include "record/status.h"
#include "round.h"

/* Specs that were read so shortly ago are not read again. */
#define LOAD_AGAIN (USEC_PER_SEC / 2)

#define STATUS_FILE "status.json"
#define METRICS_FILE "metrics.prom"

typedef struct Keeper Keeper;

/* The accounts at one endpoint, which go round together and at their own pace: a slow cloud holds up no other. */
typedef struct Lane {
    Keeper *keeper;
    VEC(AccountSlot *) slots;
    char *endpoint; /* NULL: an account that could not be opened, by itself */
    Round *round;
    Specs *specs;     /* that the round began with */
    usec_t started;   /* of the round, monotonic */
    usec_t next_look; /* wall: when the round found that something will be due; 0: nothing will */
    uint64_t rounds;
    sd_event_source *timer;
    sd_event_source *round_over; /* ends a round from outside its own callbacks */
    bool look_again;             /* asked for while a round was under way */
    ReportTotals totals;         /* of the last round */
} Lane;

/* One configuration with what hangs on it. It is replaced as a whole. */
typedef struct Outfit {
    Config *config;
    Accounts *accounts;
    Lane **lanes;
    size_t n_lanes;
} Outfit;

struct Keeper {
    const KeeperOptions *options;
    const Log *log;
    sd_event *loop;
    Http *http;
    Outfit outfit, next_outfit; /* the second waits until no round is under way */
    Watch *watch;               /* of the specs; NULL: they are looked at before each round alone */
    Specs *specs;               /* the last good set, or NULL */
    usec_t specs_read;          /* when the files were last looked at, monotonic */
    char *specs_problem;        /* why the files on disk are not it; NULL: they are */
    Status *status;
    StatusHead newest; /* of which only the newest round is kept here */
    char *runtime;     /* the folder for status.json and metrics.prom; NULL: there is none */
    bool untold;       /* the last time it could not be written, which is said once */
    int claim;         /* of it; -1: none */
    Memory *memory;
    News *news;
    Fold *fold;
    Reloads reloads;
    bool stopping;
};

static void lane_free(Lane *lane)
{
    round_free(lane->round);
    specs_free(lane->specs);
    sd_event_source_disable_unref(lane->timer);
    sd_event_source_disable_unref(lane->round_over);
    VEC_DONE(&lane->slots);
    free(lane->endpoint);
    free(lane);
}

static void outfit_done(Outfit *o)
{
    for (size_t i = 0; i < o->n_lanes; i++)
        lane_free(o->lanes[i]);
    free(TAKE(o->lanes));
    o->n_lanes = 0;
    accounts_free(TAKE(o->accounts));
    config_free(TAKE(o->config));
}

static void remove_status(const Keeper *k)
{
    static const char *const files[] = {STATUS_FILE, METRICS_FILE};
    for (size_t i = 0; i < ARRAY_SIZE(files) && k->runtime; i++) {
        CLEANUP(freep) char *path = xasprintf("%s/%s", k->runtime, files[i]);
        unlink(path); /* nobody answers for it any more */
    }
}

static void keeper_done(Keeper *k)
{
    watch_free(k->watch);
    outfit_done(&k->outfit);
    outfit_done(&k->next_outfit);
    specs_free(k->specs);
    free(k->specs_problem);
    status_free(k->status);
    remove_status(k);
    free(k->runtime);
    free(k->reloads.folder);
    closep(&k->claim);
    memory_free(k->memory);
    news_free(k->news);
    fold_free(k->fold);
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

/* Enough to know whether what the memory learnt still holds: the documents' words. */
static bool same_specs(const Specs *a, const Specs *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const Spec *x = &a->items[i], *y = &b->items[i];
        if (x->kind != y->kind || !streq(x->name, y->name) || !node_equal(x->want, y->want) ||
            x->observe != y->observe || x->exact_tags != y->exact_tags || !node_equal(x->ignore, y->ignore) ||
            x->suspended_until != y->suspended_until)
            return false;
    }
    return true;
}

static const char *specs_path(const Keeper *k, const Config *config)
{
    return k->options->specs ? k->options->specs : config->specs;
}

/* NULL: they cannot be used, and `err` says why. */
static Specs *read_specs(const Keeper *k, const Config *config, Problems *problems, Error **err)
{
    const char *path = specs_path(k, config);
    Specs *specs = NULL;
    if (!path)
        error_set(err, ERROR_SPEC, "%s does not say where the specs are", config->file);
    else
        specs_load(path, config, problems, &specs, err);
    return specs;
}

/* Returns whether it is another set than the one before. */
static bool take_specs(Keeper *k, Specs *specs, const Problems *problems)
{
    bool changed = !k->specs || !same_specs(k->specs, specs);
    if (changed || k->specs_problem) {
        say_problems(k, problems);
        event_log(k->log, EVENT_SPECS_LOADED, NULL, 0, "specs loaded: %zu documents from %s%s%s", specs->n,
                  specs_path(k, k->outfit.config), specs->revision ? ", revision " : "",
                  specs->revision ? specs->revision : "");
    }
    if (changed)
        memory_forget(k->memory);
    specs_free(k->specs);
    k->specs = specs;
    free(TAKE(k->specs_problem));
    return changed;
}

static void refuse_specs(Keeper *k, const Error *error, const Problems *problems)
{
    if (streq_null(k->specs_problem, error->message))
        return;
    say_problems(k, problems);
    event_log(k->log, EVENT_SPECS_REJECTED, NULL, 0, "specs rejected: %s; %s", error->message,
              k->specs ? "the last good set stays in force" : "nothing is enforced until they are mended");
    free(k->specs_problem);
    k->specs_problem = xstrdup(error->message);
}

/* All or nothing: a broken set leaves the last good one in force, and is said once. Lanes that begin together share one
 * load. Returns whether another set is in force now. */
static bool load_specs(Keeper *k)
{
    usec_t now = clock_monotonic();
    if (k->specs_read && now < k->specs_read + LOAD_AGAIN)
        return false;
    k->specs_read = now;
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(error_freep) Error *err = NULL;
    Specs *specs = read_specs(k, k->outfit.config, problems, &err);
    if (specs)
        return take_specs(k, specs, problems);
    refuse_specs(k, err, problems);
    return false;
}

static int on_time(sd_event_source *source, uint64_t now, void *userdata);
static int on_round_over(sd_event_source *source, void *userdata);

static Lane *lane_add(Keeper *k, Outfit *o, const char *endpoint)
{
    Lane *lane = xcalloc(1, sizeof(*lane));
    lane->keeper = k;
    lane->endpoint = xstrdup(endpoint);
    sd_event_add_time(k->loop, &lane->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_time, lane);
    sd_event_add_defer(k->loop, &lane->round_over, on_round_over, lane);
    sd_event_source_set_enabled(lane->timer, SD_EVENT_OFF);
    sd_event_source_set_enabled(lane->round_over, SD_EVENT_OFF);
    o->lanes[o->n_lanes++] = lane;
    return lane;
}

static Lane *lane_of(Keeper *k, Outfit *o, const AccountSlot *slot)
{
    const char *endpoint = slot->account ? slot->account->credential->endpoint : NULL;
    for (size_t i = 0; i < o->n_lanes && endpoint; i++)
        if (streq_null(o->lanes[i]->endpoint, endpoint))
            return o->lanes[i];
    return lane_add(k, o, endpoint);
}

/* A configuration is not taken with specs that it cannot be used with. They are read again when it is in force. */
static int check_specs(const Keeper *k, const Config *config, Error **err)
{
    CLEANUP(problems_freep) Problems *problems = problems_new();
    Specs *specs = read_specs(k, config, problems, err);
    if (!specs) {
        say_problems(k, problems);
        return -1;
    }
    specs_free(specs);
    return 0;
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
    ret->lanes = xcalloc(ret->accounts->n, sizeof(ret->lanes[0]));
    for (size_t i = 0; i < ret->accounts->n; i++) {
        AccountSlot *slot = ret->accounts->slots[i];
        account_slot_open(slot, k->http, k->loop);
        *VEC_ADD(&lane_of(k, ret, slot)->slots) = slot;
    }
    return 0;
}

/* --- rounds --- */

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdU;
    return x ^ (x >> 33);
}

static uint64_t mix_text(uint64_t h, const char *text)
{
    for (; *text; text++)
        h = mix(h + (unsigned char)*text);
    return h;
}

/* Up to 10 % later, by a number that depends on the host, the account and the round: they spread, and the same one does
 * the same again. */
static usec_t next_interval(const Lane *lane)
{
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    uint64_t h = mix_text(mix_text(lane->rounds, host), lane->slots.items[0]->config->name);
    usec_t interval = lane->keeper->outfit.config->interval;
    return interval + mix(h) % (interval / 10 + 1);
}

/* In words, before the first round and without specs to go by. */
static char *idle_text(const Keeper *k)
{
    if (k->specs)
        return xstrdup("Specs are loaded, looking");
    return xasprintf("Nothing is enforced: %s", k->specs_problem ? k->specs_problem : "no specs yet");
}

static void tell_status(const Keeper *k)
{
    if (!k->specs) {
        CLEANUP(freep) char *idle = idle_text(k);
        notify_status(idle);
        return;
    }
    CLEANUP(str_done) Str text = {0};
    ReportTotals t = {0};
    for (size_t i = 0; i < k->outfit.n_lanes; i++)
        report_totals_add(&t, &k->outfit.lanes[i]->totals);
    str_addf(&text, "%zu of %zu objects in sync", t.in_sync, t.objects);
    if (t.differences)
        str_addf(&text, ", %zu differences", t.differences);
    if (t.errors)
        str_addf(&text, ", %zu errors", t.errors);
    if (k->specs_problem)
        str_addf(&text, "; the last good specs are in force: %s", k->specs_problem);
    notify_status(str_get(&text));
}

/* --- status.json --- */

static int put_file(const Keeper *k, const char *name, const Str *text, Error **err)
{
    CLEANUP(freep) char *path = xasprintf("%s/%s", k->runtime, name);
    return file_replace(path, 0644, str_get(text), text->len, err);
}

static void write_status(Keeper *k)
{
    CLEANUP(str_done) Str json = {0}, metrics = {0};
    CLEANUP(error_freep) Error *err = NULL;
    StatusHead head = k->newest;
    head.now = clock_wall();
    head.interval = k->outfit.config->interval;
    head.revision = k->specs ? k->specs->revision : NULL;
    head.problem = k->specs_problem;
    head.observe = k->outfit.config->observe;
    if (!k->runtime)
        return;
    status_json(k->status, &head, &json);
    status_metrics(k->status, &head, &metrics);
    bool failed = put_file(k, STATUS_FILE, &json, &err) < 0 || put_file(k, METRICS_FILE, &metrics, &err) < 0;
    if (failed && !k->untold)
        log_send(k->log, LOG_WARNING, err->message, NULL, 0);
    k->untold = failed;
}

/* A daemon without a folder to write to does without: everything else goes on. */
static void find_runtime(Keeper *k)
{
    CLEANUP(freep) char *folder = runtime_folder(NULL);
    CLEANUP(error_freep) Error *err = NULL;
    if (access(folder, F_OK) < 0)
        return;
    if (runtime_claim(folder, &k->claim, &err) < 0) {
        CLEANUP(freep) char *text = xasprintf("%s; `imagekeeper status` will not tell of this one", err->message);
        log_send(k->log, LOG_WARNING, text, NULL, 0);
        return;
    }
    k->reloads.folder = xstrdup(folder);
    k->runtime = TAKE(folder);
}

static void arm(Lane *lane, usec_t when)
{
    sd_event_source_set_time(lane->timer, when);
    sd_event_source_set_enabled(lane->timer, SD_EVENT_ONESHOT);
}

static void look_now(Lane *lane)
{
    if (lane->round)
        lane->look_again = true;
    else
        arm(lane, clock_monotonic());
}

static bool is_idle(const Keeper *k)
{
    for (size_t i = 0; i < k->outfit.n_lanes; i++)
        if (k->outfit.lanes[i]->round)
            return false;
    return true;
}

static void stop_rounds(Keeper *k)
{
    for (size_t i = 0; i < k->outfit.n_lanes; i++)
        if (k->outfit.lanes[i]->round)
            round_stop(k->outfit.lanes[i]->round);
}

static void look_everywhere(Keeper *k)
{
    for (size_t i = 0; i < k->outfit.n_lanes; i++)
        look_now(k->outfit.lanes[i]);
}

/* --- the specs' files --- */

static void on_specs_changed(void *userdata)
{
    Keeper *k = userdata;
    if (k->stopping || k->next_outfit.config)
        return;
    k->specs_read = 0;
    if (load_specs(k)) {
        status_keep(k->status, k->specs);
        look_everywhere(k);
        return;
    }
    tell_status(k);
    write_status(k);
}

/* Without a watch they are looked at before each round all the same. */
static void watch_specs(Keeper *k)
{
    CLEANUP(error_freep) Error *err = NULL;
    watch_free(TAKE(k->watch));
    const char *path = specs_path(k, k->outfit.config);
    if (!path || watch_new(k->loop, path, on_specs_changed, k, &k->watch, &err) == 0)
        return;
    CLEANUP(freep) char *text = xasprintf("%s; changes are found at each round alone", err->message);
    log_send(k->log, LOG_WARNING, text, NULL, 0);
}

/* Nothing is under way any more: what waited for that can happen. The lanes of the old configuration are gone
 * afterwards. */
static int settle(Keeper *k)
{
    if (k->stopping)
        return sd_event_exit(k->loop, 0);
    outfit_done(&k->outfit);
    k->outfit = k->next_outfit;
    k->next_outfit = (Outfit){0};
    memory_try_all(k->memory);
    status_keep(k->status, k->specs);
    watch_specs(k);
    look_everywhere(k);
    return 0;
}

/* When a slot comes due or a backup is to be looked after, a round begins before the interval is over; but rounds take
 * a tenth of the time at most, however much comes due. */
static usec_t next_round(const Lane *lane)
{
    usec_t now = clock_monotonic(), wall = clock_wall(), took = now - lane->started;
    usec_t by_interval = lane->started + next_interval(lane), due = by_interval;
    if (lane->next_look)
        due = now + (lane->next_look > wall ? lane->next_look - wall : 0);
    if (due < now + 9 * took)
        due = now + 9 * took;
    return due < by_interval ? due : by_interval;
}

static int on_round_over(sd_event_source *source, void *userdata)
{
    (void)source;
    Lane *lane = userdata;
    Keeper *k = lane->keeper;
    bool stopped = k->stopping || k->next_outfit.config;
    Report report = {.specs = lane->specs};
    report.results = round_results(lane->round, &report.n);
    lane->next_look = 0;
    for (size_t i = 0; i < report.n; i++) {
        usec_t next = report.results[i].plan->next_look;
        journal_account(k->log, k->fold, &report.results[i], stopped, clock_monotonic());
        if (!stopped)
            status_take(k->status, &report.results[i], lane->specs, round_snapshot(lane->round), clock_wall());
        lane->next_look = next && (!lane->next_look || next < lane->next_look) ? next : lane->next_look;
    }
    lane->totals = report_totals(&report);
    k->newest.round_took = clock_monotonic() - lane->started;
    k->newest.round_started = clock_wall() - k->newest.round_took;
    k->newest.round_requests = lane->totals.requests;
    round_free(TAKE(lane->round));
    specs_free(TAKE(lane->specs));
    if (stopped)
        return is_idle(k) ? settle(k) : 0;
    tell_status(k);
    write_status(k);
    if (lane->look_again)
        look_now(lane);
    else
        arm(lane, next_round(lane));
    return 0;
}

static void on_round_done(void *userdata)
{
    Lane *lane = userdata;
    sd_event_source_set_enabled(lane->round_over, SD_EVENT_ONESHOT);
}

static void on_changed(void *userdata, const Op *op)
{
    const Lane *lane = userdata;
    journal_change(lane->keeper->log, op, lane->specs->revision);
}

static int on_time(sd_event_source *source, uint64_t now, void *userdata)
{
    (void)source;
    (void)now;
    Lane *lane = userdata;
    Keeper *k = lane->keeper;
    if (k->stopping || k->next_outfit.config)
        return 0;
    lane->look_again = false;
    lane->rounds++;
    lane->started = clock_monotonic();
    load_specs(k);
    if (!k->specs) {
        tell_status(k);
        arm(lane, lane->started + next_interval(lane));
        return 0;
    }
    lane->specs = specs_ref(k->specs);
    RoundOptions options = {
        .config = k->outfit.config,
        .specs = lane->specs,
        .slots = lane->slots.items,
        .n_slots = lane->slots.n,
        .http = k->http,
        .memory = k->memory,
        .news = k->news,
    };
    RoundHandlers handlers = {.changed = on_changed, .done = on_round_done, .userdata = lane};
    lane->round = round_start(k->loop, &options, &handlers);
    return 0;
}

/* --- signals --- */

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

/* The new configuration is taken whole, with specs that are whole, or not at all. Rounds under way give up their looks
 * and finish the writes that are on their way, with what they began with. */
static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    Keeper *k = userdata;
    CLEANUP(error_freep) Error *err = NULL;
    Outfit outfit = {0};
    if (k->stopping)
        return 0;
    begin_reload(k);
    if (load_outfit(k, &outfit, &err) < 0 || check_specs(k, outfit.config, &err) < 0) {
        outfit_done(&outfit);
        event_log(k->log, EVENT_RELOAD_REFUSED, NULL, 0, "reload refused, the old configuration stays in force: %s",
                  err->message);
        CLEANUP(freep) char *status = xasprintf("Reload refused: %s", err->message);
        end_reload(k, status, err->message);
        return 0;
    }
    bool pending = k->next_outfit.config != NULL;
    outfit_done(&k->next_outfit);
    k->next_outfit = outfit;
    k->specs_read = 0;
    event_log(k->log, EVENT_RELOADED, NULL, 0, "configuration reloaded from %s", outfit.config->file);
    end_reload(k, "Configuration reloaded", NULL);
    if (is_idle(k))
        return settle(k);
    if (!pending)
        stop_rounds(k);
    return 0;
}

static int on_look(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    Keeper *k = userdata;
    k->specs_read = 0;
    if (!k->stopping)
        look_everywhere(k);
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
    if (is_idle(k))
        return settle(k);
    if (!k->next_outfit.config)
        stop_rounds(k);
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
    k->status = status_new();
    k->memory = memory_new();
    k->news = news_new();
    k->fold = fold_new();
    return http_new(k->loop, &k->http, err);
}

int keeper_run(const KeeperOptions *options, const Log *log)
{
    CLEANUP(keeper_done) Keeper k = {.options = options, .log = log, .claim = -1};
    CLEANUP(error_freep) Error *err = NULL;
    if (set_up(&k, &err) < 0 || load_outfit(&k, &k.outfit, &err) < 0) {
        log_send(log, LOG_ERR, err->message, NULL, 0);
        return -1;
    }
    event_log(log, EVENT_STARTED, NULL, 0, "imagekeeperd " PACKAGE_VERSION " started with %s", options->config_file);
    find_runtime(&k);
    watch_specs(&k);
    load_specs(&k);
    write_status(&k);
    CLEANUP(freep) char *status = idle_text(&k);
    notify_ready(status);
    look_everywhere(&k);
    return sd_event_loop(k.loop) < 0 ? -1 : 0;
}
