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

/* What somebody tries by hand who may not is between the two of them: nothing has failed. */
static int show_failure(const Log *log, const SyncResult *result, const Error *error)
{
    LogField revision = {entry_field_name(ENTRY_REVISION), *result->commit ? result->commit : NULL};
    bool news = !result->directory || failure_is_news(result->directory, error->message, clock_wall());
    if (news && (log->under_journal || !result->denied))
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

static int run(const CommandOptions *options)
{
    CLEANUP(config_freep) Config *config = NULL;
    CLEANUP(log_done) Log log = log_open(LOG_TARGET_JOURNAL);
    if (command_load(options, &config, NULL) < 0)
        return EXIT_ERROR;
    if (!config->sync) {
        command_error("%s does not say where specs are fetched from: set `sync`", config->file);
        return EXIT_ERROR;
    }
    return sync_and_tell(&log, config->sync);
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
