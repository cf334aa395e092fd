/* imagekeeper status: what the daemon told after its last rounds. */
#include "config.h"

#include "cmd/status.h"

#include <unistd.h>

#include "base/file.h"
#include "control/runtime.h"
#include "data/json-read.h"
#include "record/status-text.h"
#include "record/status.h"

#define STATUS_SIZE_MAX ((size_t)256 * 1024 * 1024)

void status_file_done(StatusFile *f)
{
    arena_free(TAKE(f->arena));
    free(TAKE(f->folder));
    free(TAKE(f->text));
}

char *status_file_path(const CommandOptions *options)
{
    CLEANUP(freep) char *folder = runtime_folder(options->instance);
    return xasprintf("%s/" STATUS_FILE, folder);
}

static int fill(StatusFile *f, const char *path, Error **err)
{
    CLEANUP(error_freep) Error *e = NULL;
    if (access(path, F_OK) < 0)
        return error_set(err, ERROR_LOCAL,
                         "there is no %s: imagekeeperd is not running, or has no folder to write to (see --instance)",
                         path);
    if (file_read(path, STATUS_SIZE_MAX, &f->text, &f->size, err) < 0)
        return -1;
    if (json_read(f->arena, f->text, f->size, &f->top, &e) < 0)
        return error_set(err, ERROR_LOCAL, "%s: %s", path, e->message);
    return 0;
}

int status_file_read(const CommandOptions *options, StatusFile *ret, Error **err)
{
    CLEANUP(freep) char *path = status_file_path(options);
    StatusFile f = {.folder = runtime_folder(options->instance), .arena = arena_new()};
    if (fill(&f, path, err) < 0) {
        status_file_done(&f);
        return -1;
    }
    *ret = f;
    return 0;
}

char *status_file_doubt(const StatusFile *f)
{
    return status_doubt(f->top, runtime_is_claimed(f->folder), clock_wall());
}

int status_file_judge(const StatusFile *f)
{
    static const int statuses[] = {
        [HEALTH_IN_SYNC] = EXIT_IN_SYNC, [HEALTH_DIFFERENCES] = EXIT_DIFFERENCES, [HEALTH_ERRORS] = EXIT_ERROR};
    return statuses[status_health(f->top)];
}

static int run(const CommandOptions *options)
{
    CLEANUP(status_file_done) StatusFile f = {0};
    CLEANUP(error_freep) Error *err = NULL;
    CLEANUP(str_done) Str out = {0};
    if (options->watch)
        return status_watch(options);
    if (status_file_read(options, &f, &err) < 0) {
        command_error("%s", err->message);
        return EXIT_ERROR;
    }
    CLEANUP(freep) char *doubt = status_file_doubt(&f);
    if (options->json)
        str_addn(&out, f.text, f.size);
    else
        status_show(f.top, options->failed, &out);
    if (doubt)
        command_error("%s", doubt);
    return command_print(&out) < 0 || doubt ? EXIT_ERROR : status_file_judge(&f);
}

const Command command_status = {
    .name = "status",
    .summary = "the daemon's last round, object by object",
    .help =
        "Shows what imagekeeperd told after its last rounds: each object with its state, since when and why it is so,\n"
        "and where it is declared; each account with its last complete look. With --watch it goes on until Ctrl-C: a\n"
        "terminal shows it anew after each round, what needs attention first; elsewhere there is a line for each "
        "object\n"
        "whose state changes, and with -o json an object for each time that it is told.\n"
        "Exit status: 0 when all is in sync (or suspended), 1 when something failed, the specs on disk are broken, a\n"
        "reload was refused, or the daemon does not run, 2 when there are differences, or changes wait or are held.\n",
    .accepts = "coFIw",
    .run = run,
};
