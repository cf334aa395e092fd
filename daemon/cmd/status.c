/* imagekeeper status: what the daemon told after its last rounds. */
#include "config.h"

#include <stdio.h>

#include "base/file.h"
#include "cmd/command.h"
#include "control/runtime.h"
#include "data/json-read.h"
#include "record/status.h"

#define STATUS_SIZE_MAX ((size_t)256 * 1024 * 1024)
#define STALE_INTERVALS 3

/* status.json as it was read. */
typedef struct Telling {
    Arena *arena;
    char *folder, *text;
    size_t size;
    const Node *top;
} Telling;

static void telling_done(Telling *t)
{
    arena_free(t->arena);
    free(t->folder);
    free(t->text);
}

static int read_status(const CommandOptions *options, Telling *t)
{
    CLEANUP(error_freep) Error *err = NULL;
    t->folder = runtime_folder(options->instance);
    CLEANUP(freep) char *path = xasprintf("%s/" STATUS_FILE, t->folder);
    t->arena = arena_new();
    if (access(path, F_OK) < 0) {
        command_error("there is no %s: imagekeeperd is not running, or has no folder to write to (see --instance)",
                      path);
        return -1;
    }
    if (file_read(path, STATUS_SIZE_MAX, &t->text, &t->size, &err) < 0 ||
        json_read(t->arena, t->text, t->size, &t->top, &err) < 0) {
        command_error("%s: %s", path, err->message);
        return -1;
    }
    return 0;
}

static usec_t time_of(const Node *map, const char *key)
{
    usec_t when;
    const char *text = node_get_text(map, key);
    return text && parse_rfc3339(text, &when) == 0 ? when : 0;
}

/* Why what is told may not be so any more, or NULL. The caller frees it. */
static char *doubt(const Telling *t)
{
    const Node *interval = node_get(t->top, "intervalSeconds");
    usec_t told = time_of(t->top, "time"), now = clock_wall();
    double seconds = interval && interval->type == NODE_INT      ? (double)interval->integer
                     : interval && interval->type == NODE_DOUBLE ? interval->number
                                                                 : 0;
    if (!runtime_is_claimed(t->folder))
        return xasprintf("imagekeeperd is not running; this is what it told last, at %s",
                         node_get_text(t->top, "time"));
    if (told + (usec_t)(seconds * STALE_INTERVALS * USEC_PER_SEC) < now)
        return xasprintf("this is older than %d intervals: imagekeeperd told it at %s, and nothing since",
                         STALE_INTERVALS, node_get_text(t->top, "time"));
    return NULL;
}

static bool is_state(const Node *object, ObjectState state)
{
    return streq_null(node_get_text(object, "state"), object_state_name(state));
}

static bool is_error(const Node *object)
{
    return is_state(object, STATE_FAILED) || is_state(object, STATE_NOT_CONVERGING) ||
           is_state(object, STATE_ACCESS_UNCERTAIN);
}

static bool is_well(const Node *object)
{
    return is_state(object, STATE_IN_SYNC) || is_state(object, STATE_SUSPENDED);
}

static uint32_t list_size(const Node *list)
{
    return list && list->type == NODE_LIST ? list->n : 0;
}

/* By health, so that a check can use it. */
static int judge(const Telling *t)
{
    const Node *objects = node_get(t->top, "objects"), *accounts = node_get(t->top, "accounts");
    int status = node_get_text(t->top, "problem") ? EXIT_ERROR : EXIT_IN_SYNC;
    for (uint32_t i = 0; i < list_size(accounts); i++)
        if (!streq_null(node_get_text(accounts->items[i], "state"), "ok"))
            status = EXIT_ERROR;
    for (uint32_t i = 0; i < list_size(objects) && status != EXIT_ERROR; i++) {
        if (is_error(objects->items[i]))
            status = EXIT_ERROR;
        else if (!is_well(objects->items[i]))
            status = EXIT_DIFFERENCES;
    }
    return status;
}

static void show_text(const Node *node, const char *key, const char *before, Str *out)
{
    const char *text = node_get_text(node, key);
    CLEANUP(freep) char *printable = str_printable(text, 1000);
    if (printable)
        str_addf(out, "%s%s", before, printable);
}

static void show_head(const Telling *t, Str *out)
{
    const Node *objects = node_get(t->top, "objects"), *accounts = node_get(t->top, "accounts");
    uint32_t n = 0;
    for (uint32_t i = 0; i < list_size(objects); i++)
        n += is_state(objects->items[i], STATE_IN_SYNC);
    str_addf(out, "%u of %u objects in sync", n, list_size(objects));
    show_text(node_get(t->top, "round"), "started", ", last round at ", out);
    show_text(t->top, "revision", ", revision ", out);
    show_text(t->top, "mode", ", mode ", out);
    show_text(t->top, "problem", "\nthe last good specs are in force: ", out);
    str_addc(out, '\n');
    for (uint32_t i = 0; i < list_size(accounts); i++) {
        const Node *a = accounts->items[i];
        show_text(a, "name", "account ", out);
        show_text(a, "state", "  ", out);
        show_text(a, "lastCompleteLook", "  last complete look at ", out);
        show_text(a, "error", "  ", out);
        str_addc(out, '\n');
    }
}

static void show_object(const Node *o, Str *out)
{
    const Node *line = node_get(o, "line");
    show_text(o, "state", "", out);
    show_text(o, "kind", "  ", out);
    show_text(o, "name", " ", out);
    show_text(o, "account", "  ", out);
    show_text(o, "target", "  ", out);
    show_text(o, "since", "  since ", out);
    show_text(o, "file", "  ", out);
    if (line && line->type == NODE_INT)
        str_addf(out, ":%lld", (long long)line->integer);
    show_text(o, "reason", "\n    ", out);
    show_text(o, "nextTry", "\n    next try at ", out);
    str_addc(out, '\n');
}

static int run(const CommandOptions *options)
{
    CLEANUP(telling_done) Telling t = {0};
    CLEANUP(str_done) Str out = {0};
    if (read_status(options, &t) < 0)
        return EXIT_ERROR;
    CLEANUP(freep) char *doubted = doubt(&t);
    const Node *objects = node_get(t.top, "objects");
    if (options->json) {
        str_addn(&out, t.text, t.size);
    } else {
        show_head(&t, &out);
        for (uint32_t i = 0; i < list_size(objects); i++)
            if (!options->failed || !is_well(objects->items[i]))
                show_object(objects->items[i], &out);
    }
    if (doubted)
        command_error("%s", doubted);
    return command_print(&out) < 0 || doubted ? EXIT_ERROR : judge(&t);
}

const Command command_status = {
    .name = "status",
    .summary = "the daemon's last round, object by object",
    .help =
        "Shows what imagekeeperd told after its last rounds: each object with its state, since when and why it is so,\n"
        "and where it is declared; each account with its last complete look.\n"
        "Exit status: 0 when all is in sync (or suspended), 1 when something failed, the specs on disk are broken, or\n"
        "the daemon does not run, 2 when there are differences, or changes wait or are held.\n",
    .accepts = "coFI",
    .run = run,
};
