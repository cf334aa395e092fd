#include "config.h"

#include "cmd/once.h"

#include <signal.h>
#include <stdio.h>

#include "base/str.h"
#include "record/journal.h"

struct Once {
    sd_event *loop;
    Http *http;
    Accounts *accounts;
    Round *round;
    Log log;
    const Specs *specs;
    bool stopping;
};

void once_free(Once *o)
{
    if (!o)
        return;
    log_finish(&o->log);
    round_free(o->round);
    accounts_free(o->accounts);
    http_free(o->http);
    sd_event_unref(o->loop);
    log_done(&o->log);
    free(o);
}

static void on_changed(void *userdata, const Op *op)
{
    const Once *o = userdata;
    journal_change(&o->log, op, o->specs->revision);
}

static void on_done(void *userdata)
{
    const Once *o = userdata;
    sd_event_exit(o->loop, 0);
}

/* The first one ends it in good order; a second one at once. */
static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    Once *o = userdata;
    if (o->stopping)
        _exit(128 + (int)info->ssi_signo);
    o->stopping = true;
    command_error("interrupted: writes that are on their way are finished, none is begun");
    if (o->round)
        round_stop(o->round);
    return 0;
}

static int set_up(Once *o, Error **err)
{
    int r = sd_event_default(&o->loop);
    if (r < 0)
        return error_set_errno(err, ERROR_LOCAL, -r, "the event loop cannot be made");
    static const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        if (sd_event_add_signal(o->loop, NULL, signals[i] | SD_EVENT_SIGNAL_PROCMASK, on_stop, o) < 0)
            return error_set(err, ERROR_LOCAL, "signals cannot be watched");
    return http_new(o->loop, &o->http, err);
}

int once_go(const RoundOptions *options, Once **ret)
{
    CLEANUP(once_freep) Once *once = xcalloc(1, sizeof(*once));
    CLEANUP(error_freep) Error *err = NULL;
    *once = (Once){.log = log_open(LOG_TARGET_JOURNAL), .specs = options->specs};
    if (set_up(once, &err) < 0) {
        command_error("%s", err->message);
        return -1;
    }
    once->accounts = accounts_new(options->config);
    RoundOptions round = *options;
    round.slots = once->accounts->slots;
    round.n_slots = once->accounts->n;
    round.http = once->http;
    RoundHandlers handlers = {.changed = on_changed, .done = on_done, .userdata = once};
    once->round = round_start(once->loop, &round, &handlers);
    int r = sd_event_loop(once->loop);
    if (r < 0) {
        command_error("the event loop failed: %s", strerror(-r));
        return -1;
    }
    *ret = TAKE(once);
    return 0;
}

const Round *once_round(const Once *once)
{
    return once->round;
}

ReportStyle once_style(const CommandOptions *options, const Config *config, char **ret_folder)
{
    const char *path = command_specs_path(options, config);
    size_t n = strlen(path);
    const char *dot = strrchr(path, '.');
    bool is_file = dot && (streq(dot, ".yaml") || streq(dot, ".yml"));
    *ret_folder = is_file ? NULL : xstrndup(path, n > 1 && path[n - 1] == '/' ? n - 1 : n);
    return (ReportStyle){
        .colour = command_wants_colour(STDOUT_FILENO),
        .show_ignored = options->show_ignored,
        .specs_path = *ret_folder,
    };
}

static int print(const CommandOptions *options, const Config *config, const Report *report)
{
    CLEANUP(str_done) Str out = {0}, errors = {0};
    CLEANUP(freep) char *folder = NULL;
    ReportStyle style = once_style(options, config, &folder);
    if (options->json)
        report_json(report, options->show_ignored, &out);
    else
        report_text(report, &style, &out, &errors);
    int r = command_print(&out);
    fputs(str_get(&errors), stderr);
    return r;
}

static size_t count_deletions(const Plan *plan)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->changes.n; i++)
        n += plan->changes.items[i].action == ACTION_DELETE && plan->changes.items[i].outcome == OUTCOME_PLANNED;
    return n;
}

static void warn_of_avalanche(const Config *config, const Report *report)
{
    for (size_t i = 0; i < report->n; i++) {
        size_t n = plan_count(report->results[i].plan, OUTCOME_PLANNED);
        if ((int64_t)n > config->max_changes)
            fprintf(stderr,
                    "imagekeeper: warning: account %s: %zu changes are more than limits.maxChanges in %s allows; apply "
                    "would hold all of them\n",
                    report->results[i].slot->config->name, n, config->file);
        size_t deletions = count_deletions(report->results[i].plan);
        if ((int64_t)deletions > config->max_deletes)
            fprintf(
                stderr,
                "imagekeeper: warning: account %s: %zu deletions are more than limits.maxDeletes in %s allows; apply "
                "would hold all of them\n",
                report->results[i].slot->config->name, deletions, config->file);
    }
}

/* Every change of a saved plan ends as done or as held; one of an account that is there no longer could be neither. */
static bool check_saved(const SavedPlan *saved, const Config *config)
{
    for (size_t i = 0; saved && saved_plan_account(saved, i); i++)
        if (!config_account(config, saved_plan_account(saved, i))) {
            command_error("the saved plan is about account \"%s\", which %s does not have: nothing was done",
                          saved_plan_account(saved, i), config->file);
            return false;
        }
    return true;
}

static int exit_status(const ReportTotals *totals)
{
    if (totals->errors > 0)
        return EXIT_ERROR;
    return totals->differences > 0 ? EXIT_DIFFERENCES : EXIT_IN_SYNC;
}

/* Each of its rounds is the first, and says all that is the matter. */
static void tell_journal(const Once *o, const Report *report)
{
    CLEANUP(fold_freep) Fold *fold = fold_new();
    for (size_t i = 0; i < report->n; i++)
        journal_account(&o->log, fold, &report->results[i], o->stopping, clock_monotonic());
}

int once_run(const CommandOptions *options, bool plan_only, const SavedPlan *saved)
{
    CLEANUP(config_freep) Config *config = NULL;
    CLEANUP(specs_freep) Specs *specs = NULL;
    if (command_load(options, &config, &specs) < 0 || !check_saved(saved, config))
        return EXIT_ERROR;
    CLEANUP(once_freep) Once *once = NULL;
    RoundOptions round = {.config = config, .specs = specs, .plan_only = plan_only, .saved = saved};
    if (once_go(&round, &once) < 0)
        return EXIT_ERROR;
    Report report = {.specs = specs};
    report.results = round_results(once->round, &report.n);
    ReportTotals totals = report_totals(&report);
    if (plan_only)
        warn_of_avalanche(config, &report);
    else
        tell_journal(once, &report);
    if (print(options, config, &report) < 0)
        return EXIT_ERROR;
    return exit_status(&totals);
}
