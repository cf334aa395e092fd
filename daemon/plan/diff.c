#include "config.h"

#include "plan/diff.h"

#include "base/str.h"
#include "data/json-write.h"

typedef struct Differ {
    const Spec *spec;
    const Live *live;
    Arena *arena;
    Deltas *deltas, *ignored;
    const char *suspended; /* the rule, when the document is */
    const Field *field;
    Mark field_mark;
} Differ;

static bool is_absent(const Node *node)
{
    return !node || node->type == NODE_NULL;
}

static bool has_text(const Node *node, const char *expected)
{
    CLEANUP(str_done) Str text = {0};
    json_write_node(&text, node);
    return streq(str_get(&text), expected);
}

/* A number or a boolean may come back as text, and the other way round; what counts is their text. */
static bool same_value(const Node *want, const Node *have)
{
    if (is_absent(want) || is_absent(have))
        return is_absent(want) && is_absent(have);
    if (want->type == have->type || want->type >= NODE_LIST || have->type >= NODE_LIST)
        return node_equal(want, have);
    if (want->type == NODE_STRING)
        return has_text(have, want->text);
    return have->type == NODE_STRING ? has_text(want, have->text) : node_equal(want, have);
}

/* Does an absent value mean what is wanted? */
static bool absence_means(const Field *field, const Node *want, const Node *have)
{
    return field->absent && is_absent(have) && want->type == NODE_STRING && streq(want->text, field->absent);
}

/* What bears copies of another object's tags has keys that nobody gave it. Where that object cannot be read, any may be
 * one. */
static const char *copied_by(const Differ *d, const char *const steps[2])
{
    const Live *source = d->live->source;
    if (!d->live->kind->source)
        return NULL;
    if (!source)
        return "perhaps copied from its volume, which could not be read";
    bool fold = d->field->type == FIELD_TAG_NAMESPACES;
    const NodeEntry *e = node_entry_fold(node_get(source->object, field_wire(d->field)), steps[0], fold);
    if (e && steps[1])
        e = node_entry_fold(e->value, steps[1], fold);
    return e ? "copied from its volume" : NULL;
}

/* `undeclared`: only `exact` would take it away. */
static const char *passed_over_by(const Differ *d, const char *path, const char *const steps[2], bool undeclared)
{
    const char *pattern = spec_ignores(d->spec, d->field, path);
    if (d->field->cloud_writes && glob_match(d->field->cloud_writes, path, true, true))
        return "written by the cloud";
    if (undeclared && field_reserves(d->field, steps[0]))
        return "imagekeeper's own";
    const char *copied = undeclared ? copied_by(d, steps) : NULL;
    if (copied)
        return copied;
    if (pattern)
        return arena_printf(d->arena, "ignore: %s", pattern);
    return d->suspended;
}

static void add_delta(Differ *d, const char *const steps[2], const char *shown[2], const Node *from, const Node *to,
                      Mark mark, bool undeclared)
{
    if (same_value(to, from) || absence_means(d->field, to ? to : node_null(), from))
        return;
    Delta delta = {
        .field = d->field, .from = is_absent(from) ? NULL : from, .to = is_absent(to) ? NULL : to, .mark = mark};
    delta.path = d->field->name;
    for (size_t i = 0; i < 2 && steps[i]; i++) {
        delta.steps[i] = steps[i];
        delta.path = arena_printf(d->arena, "%s.%s", delta.path, shown[i]);
    }
    delta.rule = passed_over_by(d, delta.path, steps, undeclared);
    if (!delta.rule)
        *VEC_ADD(d->deltas) = delta;
    else if (d->ignored)
        *VEC_ADD(d->ignored) = delta;
}

/* One map of tags, or of attributes without rows: `space` is its namespace as the live object writes it, or NULL for
 * free-form tags. */
static void diff_tags(Differ *d, const char *space, const char *shown_space, const Node *want, const Node *have)
{
    bool fold = space != NULL;
    for (uint32_t i = 0; want && i < want->n; i++) {
        const NodeEntry *w = &want->entries[i], *h = node_entry_fold(have, w->key, fold);
        const char *key = h ? h->key : w->key;
        const char *steps[2] = {fold ? space : key, fold ? key : NULL},
                   *shown[2] = {fold ? shown_space : w->key, w->key};
        add_delta(d, steps, shown, h ? h->value : NULL, w->value, w->mark, false);
    }
    for (uint32_t i = 0; spec_is_exact(d->spec, d->field) && have && have->type == NODE_MAP && i < have->n; i++) {
        const NodeEntry *h = &have->entries[i];
        const char *steps[2] = {fold ? space : h->key, fold ? h->key : NULL},
                   *shown[2] = {fold ? space : h->key, h->key};
        if (!node_entry_fold(want, h->key, fold))
            add_delta(d, steps, shown, h->value, NULL, d->field_mark, true);
    }
}

static void diff_namespaces(Differ *d, const Node *want, const Node *have)
{
    for (uint32_t i = 0; i < want->n; i++) {
        const NodeEntry *w = &want->entries[i], *h = node_entry_fold(have, w->key, true);
        diff_tags(d, h ? h->key : w->key, w->key, w->value, h ? h->value : NULL);
    }
    for (uint32_t i = 0; d->spec->exact_tags && have && have->type == NODE_MAP && i < have->n; i++)
        if (!node_entry_fold(want, have->entries[i].key, true))
            diff_tags(d, have->entries[i].key, have->entries[i].key, NULL, have->entries[i].value);
}

static void diff_field(Differ *d, const NodeEntry *want)
{
    const Node *have = node_get(d->live->object, field_wire(d->field));
    const char *none[2] = {NULL, NULL};
    d->field_mark = want->mark;
    if (d->field->type == FIELD_FREE)
        diff_tags(d, NULL, NULL, want->value, d->live->object);
    else if (d->field->type == FIELD_TAGS || d->field->type == FIELD_TEXT_SET)
        diff_tags(d, NULL, NULL, want->value, have);
    else if (d->field->type == FIELD_TAG_NAMESPACES)
        diff_namespaces(d, want->value, have);
    else
        add_delta(d, none, none, have, want->value, want->mark, false);
}

void diff_object(const Spec *spec, const Live *live, usec_t now, Arena *arena, Deltas *deltas, Deltas *ignored)
{
    Differ d = {.spec = spec, .live = live, .arena = arena, .deltas = deltas, .ignored = ignored};
    char until[RFC3339_SIZE];
    if (spec_is_suspended(spec, now))
        d.suspended = arena_printf(arena, "suspended until %s: %s", format_rfc3339(spec->suspended_until, until),
                                   spec->suspend_reason);
    for (d.field = spec->kind->fields; d.field->name; d.field++) {
        const NodeEntry *want = d.field->flags & FIELD_ATTRIBUTE ? node_entry(spec->want, d.field->name) : NULL;
        if (want)
            diff_field(&d, want);
    }
}

/* A copy of `map` (NULL: empty) in which the key path has another value; NULL takes it away. A map left empty goes too,
 * but for the outermost. */
static const Node *with_value(const Node *map, const char *const *steps, size_t n, const Node *value, Arena *arena)
{
    NodeBuilder *b = node_builder_new(arena, NODE_MAP, (Mark){0});
    const Node *new_value = value;
    if (n > 1) {
        new_value = with_value(node_get(map, steps[0]), steps + 1, n - 1, value, arena);
        if (new_value->n == 0)
            new_value = NULL;
    }
    bool placed = !new_value;
    for (uint32_t i = 0; map && map->type == NODE_MAP && i < map->n; i++) {
        const NodeEntry *e = &map->entries[i];
        bool here = streq(e->key, steps[0]);
        if (!here || new_value)
            node_builder_add(b, e->key, e->mark, here ? new_value : e->value);
        placed = placed || here;
    }
    if (!placed)
        node_builder_add(b, steps[0], (Mark){0}, new_value);
    return node_builder_end(b);
}

/* As the API takes it. */
static const Node *on_the_wire(const Field *field, const Node *value, Arena *arena)
{
    CLEANUP(str_done) Str text = {0};
    if (is_absent(value))
        return node_null();
    if (field->flags & FIELD_AS_TEXT && value->type != NODE_STRING) {
        json_write_node(&text, value);
        return node_string(arena, str_get(&text));
    }
    if (field->type != FIELD_TEXT_SET)
        return value;
    NodeBuilder *b = node_builder_new(arena, NODE_LIST, (Mark){0});
    for (uint32_t i = 0; i < value->n; i++)
        node_builder_add(b, NULL, (Mark){0}, value->entries[i].value);
    return node_builder_end(b);
}

const Node *diff_apply(const Live *live, const Deltas *deltas, Arena *arena)
{
    NodeBuilder *b = node_builder_new(arena, NODE_MAP, (Mark){0});
    for (size_t i = 0; i < deltas->n;) {
        const Field *field = deltas->items[i].field;
        const Node *value = node_get(live->object, field_wire(field));
        /* The differences of one field stand together. */
        for (; i < deltas->n && deltas->items[i].field == field; i++) {
            const Delta *d = &deltas->items[i];
            size_t n = d->steps[1] ? 2 : d->steps[0] ? 1 : 0;
            if (field->type == FIELD_FREE)
                node_builder_add(b, d->steps[0], (Mark){0}, on_the_wire(field, d->to, arena));
            else
                value = n ? with_value(value, d->steps, n, d->to, arena) : d->to;
        }
        if (field->type != FIELD_FREE)
            node_builder_add(b, field_wire(field), (Mark){0}, on_the_wire(field, value, arena));
    }
    return node_builder_end(b);
}

bool deltas_equal(const Deltas *a, const Deltas *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const Delta *x = &a->items[i], *y = &b->items[i];
        if (!streq(x->path, y->path) || !same_value(x->from, y->from) || !same_value(x->to, y->to))
            return false;
    }
    return true;
}
