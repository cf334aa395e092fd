/* imagekeeper sync: the specs from a Git repository. */
#include "config.h"

#include "sync/sync.h"

#include <stdio.h>

#include "base/log.h"
#include "base/str.h"
#include "cmd/command.h"
#include "record/event.h"
#include "sync/failure.h"

/* In the journal, and on stderr where that is another place. */
static void warn(const Log *log, const char *message)
{
    log_send(log, LOG_WARNING, message, NULL, 0);
    if (!log->under_journal)
        fprintf(stderr, "imagekeeper: warning: %s\n", message);
}

static int show(const Log *log, const SyncConfig *c, const SyncResult *result)
{
    CLEANUP(str_done) Str text = {0};
    LogField revision = {entry_field_name(ENTRY_REVISION), result->commit};
    const char *files = result->n_files == 1 ? "file" : "files";
    failure_is_over(result->directory);
    if (result->news)
        event_log(log, EVENT_SPECS_FETCHED, &revision, 1, "specs fetched: commit %s (%zu %s) from %s %s",
                  result->commit, result->n_files, files, c->repository, c->ref);
    if (result->n_submodules) {
        CLEANUP(freep)
        char *left_out = xasprintf("submodules are never fetched: left out %s%s", result->submodule,
                                   result->n_submodules > 1 ? " and others" : "");
        warn(log, left_out);
    }
    if (result->warning)
        warn(log, result->warning);
    str_addf(&text, "current: %s (%zu %s) from %s %s%s\n", result->commit, result->n_files, files, c->repository,
             c->ref, result->news ? "" : ", nothing new");
    return command_print(&text) < 0 ? EXIT_ERROR : EXIT_IN_SYNC;
}

/* Where it is remembered what was said last: the folder of `sync`, or as long as that is not known the unit's. */
static bool is_news(const SyncResult *result, const char *message)
{
    const char *state = getenv("STATE_DIRECTORY");
    if (result && result->directory)
        return failure_is_news(result->directory, message, clock_wall());
    CLEANUP(freep) char *first = state && *state ? xstrndup(state, strcspn(state, ":")) : NULL;
    return !first || failure_is_news(first, message, clock_wall());
}

/* What somebody tries by hand who may not is between the two of them: nothing has failed. */
static int show_failure(const Log *log, const SyncResult *result, const Error *error)
{
    LogField revision = {entry_field_name(ENTRY_REVISION), *result->commit ? result->commit : NULL};
    if ((log->under_journal || !result->denied) && is_news(result, error->message))
        event_log(log, error->kind == ERROR_REJECTED ? EVENT_SYNC_REFUSED : EVENT_SYNC_FAILED, &revision, 1,
                  "no specs fetched: %s", error->message);
    if (!log->under_journal)
        command_error("%s", error->message);
    return EXIT_ERROR;
}

static int sync_and_tell(const Log *log, const SyncConfig *config)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(error_freep) Error *err = NULL;
    SyncResult result;
    int status =
        sync_run(config, arena, &result, &err) < 0 ? show_failure(log, &result, err) : show(log, config, &result);
    if (err || result.news)
        log_finish(log);
    return status;
}

/* As command_load, but what is wrong is one entry, with each line of it. */
static int load_under_journal(const CommandOptions *options, const Log *log, Config **ret)
{
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(error_freep) Error *err = NULL;
    CLEANUP(str_done) Str text = {0};
    if (config_load(options->config_file, problems, ret, &err) == 0)
        return 0;
    str_add(&text, err->message);
    if (problems_count(problems)) {
        str_add(&text, "\n");
        problems_format(problems, false, &text);
    }
    if (is_news(NULL, str_get(&text)))
        event_log(log, EVENT_SYNC_FAILED, NULL, 0, "no specs fetched: %s", str_strip(text.data));
    log_finish(log);
    return -1;
}

static int refuse_without_sync(const Log *log, const char *file)
{
    CLEANUP(error_freep) Error *err = NULL;
    SyncResult nothing_tried = {.denied = true};
    error_set(&err, ERROR_SPEC, "%s does not say where specs are fetched from: set `sync`", file);
    show_failure(log, &nothing_tried, err);
    log_finish(log);
    return EXIT_ERROR;
}

static int run(const CommandOptions *options)
{
    CLEANUP(config_freep) Config *config = NULL;
    CLEANUP(log_done) Log log = log_open(LOG_TARGET_JOURNAL);
    if ((log.under_journal ? load_under_journal(options, &log, &config) : command_load(options, &config, NULL)) < 0)
        return EXIT_ERROR;
    return config->sync ? sync_and_tell(&log, config->sync) : refuse_without_sync(&log, config->file);
}

const Command command_sync = {
    .name = "sync",
    .summary = "fetch the specs from a Git repository",
    .help = "Fetches what `sync` in the configuration names, exports the specs of its commit to a new directory, and\n"
            "flips the link `current` to it, which `specs` points to. A commit whose signature is not the one that is\n"
            "asked for, or that does not descend from the last one, is refused, and what is current stays.\n"
            "The journal gets what is new; a failure that lasts is said there once an hour, and here each time.\n"
            "Exit status: 0 the commit is current, 1 an error.\n",
    .accepts = "c",
    .run = run,
};
