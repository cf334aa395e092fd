/* imagekeeper sync: the specs from a Git repository. */
#include "config.h"

#include "sync/sync.h"

#include <stdio.h>

#include "base/str.h"
#include "cmd/command.h"

static int show(const SyncConfig *c, const SyncResult *result)
{
    CLEANUP(str_done) Str text = {0};
    if (result->n_submodules)
        fprintf(stderr, "imagekeeper: warning: submodules are never fetched: left out %s%s\n", result->submodule,
                result->n_submodules > 1 ? " and others" : "");
    if (result->warning)
        fprintf(stderr, "imagekeeper: warning: %s\n", result->warning);
    str_addf(&text, "current: %s (%zu %s) from %s %s%s\n", result->commit, result->n_files,
             result->n_files == 1 ? "file" : "files", c->repository, c->ref, result->news ? "" : ", nothing new");
    return command_print(&text) < 0 ? EXIT_ERROR : EXIT_IN_SYNC;
}

static int run(const CommandOptions *options)
{
    CLEANUP(config_freep) Config *config = NULL;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(error_freep) Error *err = NULL;
    SyncResult result;
    if (command_load(options, &config, NULL) < 0)
        return EXIT_ERROR;
    if (!config->sync) {
        command_error("%s does not say where specs are fetched from: set `sync`", config->file);
        return EXIT_ERROR;
    }
    if (sync_run(config->sync, arena, &result, &err) < 0) {
        command_error("%s", err->message);
        return EXIT_ERROR;
    }
    return show(config->sync, &result);
}

const Command command_sync = {
    .name = "sync",
    .summary = "fetch the specs from a Git repository",
    .help = "Fetches what `sync` in the configuration names, exports the specs of its commit to a new directory, and\n"
            "flips the link `current` to it, which `specs` points to. A commit whose signature is not the one that is\n"
            "asked for, or that does not descend from the last one, is refused, and what is current stays.\n"
            "Exit status: 0 the commit is current, 1 an error.\n",
    .accepts = "c",
    .run = run,
};
