#include "config.h"

#include "record/status-text.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/utf8.h"
#include "record/status.h"

#define STALE_INTERVALS 3

/* Of objects, or of accounts. */
static const Node *list_of(const Node *status, const char *key)
{
    static const Node none = {.type = NODE_LIST};
    const Node *list = node_get(status, key);
    return list && list->type == NODE_LIST ? list : &none;
}

static usec_t time_of(const Node *map, const char *key)
{
    usec_t when;
    const char *text = node_get_text(map, key);
    return text && parse_rfc3339(text, &when) == 0 ? when : 0;
}

static double seconds_of(const Node *map, const char *key)
{
    const Node *n = node_get(map, key);
    return !n ? 0 : n->type == NODE_INT ? (double)n->integer : n->type == NODE_DOUBLE ? n->number : 0;
}

/* --- health --- */

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

bool status_is_seen(const Node *status)
{
    return node_get_text(node_get(status, "round"), "started") != NULL;
}

Health status_health(const Node *status)
{
    const Node *objects = list_of(status, "objects"), *accounts = list_of(status, "accounts");
    Health health = status_is_seen(status) ? HEALTH_IN_SYNC : HEALTH_DIFFERENCES;
    if (node_get_text(status, "problem") || node_get_text(status, "refusedConfiguration"))
        health = HEALTH_ERRORS;
    for (uint32_t i = 0; i < accounts->n; i++)
        if (!streq_null(node_get_text(accounts->items[i], "state"), "ok"))
            health = HEALTH_ERRORS;
    for (uint32_t i = 0; i < objects->n && health != HEALTH_ERRORS; i++) {
        if (is_error(objects->items[i]))
            health = HEALTH_ERRORS;
        else if (!is_well(objects->items[i]))
            health = HEALTH_DIFFERENCES;
    }
    return health;
}

char *status_doubt(const Node *status, bool running, usec_t now)
{
    const char *text = node_get_text(status, "time");
    CLEANUP(freep) char *when = str_printable(text ? text : "no time", 100);
    usec_t interval = (usec_t)(seconds_of(status, "intervalSeconds") * USEC_PER_SEC);
    if (!running)
        return xasprintf(
            "imagekeeperd is not running (systemctl status imagekeeperd may say why); this is what it told "
            "last, at %s",
            when);
    if (time_of(status, "time") + STALE_INTERVALS * interval < now)
        return xasprintf("this is older than %d intervals: imagekeeperd told it at %s, and nothing since",
                         STALE_INTERVALS, when);
    return NULL;
}

/* --- words --- */

static void show_text(const Node *node, const char *key, const char *before, Str *out)
{
    const char *text = node_get_text(node, key);
    CLEANUP(freep) char *printable = str_printable(text, 1000);
    if (printable)
        str_addf(out, "%s%s", before, printable);
}

static void show_account(const Node *a, Str *out)
{
    double difference = seconds_of(a, "clockDifferenceSeconds");
    show_text(a, "name", "account ", out);
    show_text(a, "state", "  ", out);
    show_text(a, "lastCompleteLook", "  last complete look at ", out);
    if (difference != 0)
        str_addf(out, "  its clock is %.0f s %s this machine's", difference < 0 ? -difference : difference,
                 difference < 0 ? "behind" : "ahead of");
    show_text(a, "error", "  ", out);
    str_addc(out, '\n');
}

static bool is_enforced(const Node *status)
{
    const Node *in_force = node_get(status, "enforced");
    return !in_force || in_force->type != NODE_BOOL || in_force->boolean;
}

static void show_head(const Node *status, Str *out)
{
    const Node *objects = list_of(status, "objects"), *accounts = list_of(status, "accounts");
    uint32_t n = 0;
    for (uint32_t i = 0; i < objects->n; i++)
        n += is_state(objects->items[i], STATE_IN_SYNC);
    if (status_is_seen(status))
        str_addf(out, "%u of %u objects in sync", n, objects->n);
    else
        str_add(out, "no round is over yet");
    show_text(node_get(status, "round"), "started", ", last round at ", out);
    show_text(status, "revision", ", revision ", out);
    show_text(status, "mode", ", mode ", out);
    show_text(status, "problem",
              is_enforced(status) ? "\nthe last good specs are in force: " : "\nnothing is enforced: ", out);
    show_text(status, "refusedConfiguration",
              "\nthe configuration on disk was refused, the old one is in force: ", out);
    str_addc(out, '\n');
    for (uint32_t i = 0; i < accounts->n; i++)
        show_account(accounts->items[i], out);
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

static void show_objects(const Node *status, bool well, Str *out)
{
    const Node *objects = list_of(status, "objects");
    for (uint32_t i = 0; i < objects->n; i++)
        if (is_well(objects->items[i]) == well)
            show_object(objects->items[i], out);
}

void status_show(const Node *status, bool failed, Str *out)
{
    const Node *objects = list_of(status, "objects");
    show_head(status, out);
    for (uint32_t i = 0; i < objects->n; i++)
        if (!failed || !is_well(objects->items[i]))
            show_object(objects->items[i], out);
}

/* Bytes of as many characters as that, of one line. */
static size_t cut(const char *line, size_t size, size_t columns)
{
    size_t at = 0;
    for (size_t i = 0; i < columns && at < size; i++)
        at += utf8_step(line + at, size - at);
    return at;
}

/* The first lines of a text. The last row says how many there are no rows for. */
static void fit(const Str *text, size_t rows, size_t columns, Str *out)
{
    size_t lines = 0, row = 0;
    for (size_t i = 0; i < text->len; i++)
        lines += text->data[i] == '\n';
    size_t shown = lines <= rows || rows == 0 ? lines : rows - 1;
    for (const char *line = str_get(text); row < shown; row++) {
        size_t size = strcspn(line, "\n");
        str_addn(out, line, cut(line, size, columns));
        str_addc(out, '\n');
        line += size + 1;
    }
    if (shown < lines)
        str_addf(out, "(%zu more lines)\n", lines - shown);
}

void status_show_screen(const Node *status, bool failed, size_t rows, size_t columns, Str *out)
{
    CLEANUP(str_done) Str all = {0};
    show_head(status, &all);
    show_objects(status, false, &all);
    if (!failed)
        show_objects(status, true, &all);
    fit(&all, rows, columns, out);
}

/* --- what has changed --- */

static const char *key_with(const Node *o, const char *target, Arena *arena)
{
    static const char *const members[] = {"kind", "name", "account"};
    const char *texts[ARRAY_SIZE(members)];
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const char *text = node_get_text(o, members[i]);
        texts[i] = text ? text : "";
    }
    return arena_printf(arena, "%s\n%s\n%s\n%s", texts[0], texts[1], texts[2], target ? target : "");
}

static const char *key_of(const Node *o, Arena *arena)
{
    return key_with(o, node_get_text(o, "target"), arena);
}

static bool is_same(const Node *a, const Node *b)
{
    return streq_null(node_get_text(a, "state"), node_get_text(b, "state")) &&
           streq_null(node_get_text(a, "reason"), node_get_text(b, "reason"));
}

static void show_gone(const Node *before, const Map *still, bool failed, Arena *arena, Str *out)
{
    const Node *objects = list_of(before, "objects");
    for (uint32_t i = 0; i < objects->n; i++) {
        const Node *o = objects->items[i];
        /* Without a target the document itself is told of: what it selects could not be listed. */
        if (!node_get_text(o, "target") || map_get(still, key_of(o, arena)) ||
            map_get(still, key_with(o, NULL, arena)) || (failed && is_well(o)))
            continue;
        show_text(o, "kind", "no longer told of  ", out);
        show_text(o, "name", " ", out);
        show_text(o, "account", "  ", out);
        show_text(o, "target", "  ", out);
        str_addc(out, '\n');
    }
}

void status_show_changes(const Node *before, const Node *status, bool failed, Str *out)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(map_freep) Map *old = map_new(), *now = map_new();
    const Node *was = list_of(before, "objects"), *objects = list_of(status, "objects");
    for (uint32_t i = 0; i < was->n; i++)
        map_put(old, key_of(was->items[i], arena), (void *)was->items[i]);
    for (uint32_t i = 0; i < objects->n; i++) {
        const char *key = key_of(objects->items[i], arena);
        const Node *o = objects->items[i], *b = map_get(old, key);
        map_put(now, key, (void *)o);
        if ((!b || !is_same(b, o)) && !(failed && is_well(o) && (!b || is_well(b))))
            show_object(o, out);
    }
    show_gone(before, now, failed, arena, out);
}
