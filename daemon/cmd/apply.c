/* imagekeeper apply: one round; with --plan exactly a saved one. */
#include "config.h"

#include "base/file.h"
#include "cmd/once.h"

static int load_saved(const char *file, SavedPlan **ret, Error **err)
{
    CLEANUP(freep) char *text = NULL;
    size_t size;
    if (file_read(file, SAVED_PLAN_MAX, &text, &size, err) < 0)
        return -1;
    return saved_plan_parse(text, size, file, ret, err);
}

static int run(const CommandOptions *options)
{
    CLEANUP(saved_plan_freep) SavedPlan *saved = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (options->saved_plan && load_saved(options->saved_plan, &saved, &err) < 0) {
        command_error("%s", err->message);
        return EXIT_ERROR;
    }
    return once_run(options, false, saved);
}

const Command command_apply = {
    .name = "apply",
    .summary = "make the changes, once",
    .help = "Goes through one round: what differs is changed, under the guard of etags and limits.\n"
            "The journal is told what was done, what failed and what is held (imagekeeper history).\n"
            "With --plan exactly what a saved `imagekeeper plan -o json` says, refusing what has changed since.\n"
            "Exit status: 0 done, 1 an error, 2 something is held or only observed.\n",
    .accepts = "csoip",
    .run = run,
};
