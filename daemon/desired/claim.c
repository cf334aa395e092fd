#include "config.h"

#include "desired/claim.h"

#include "base/str.h"

typedef struct Overlap {
    Arena *arena;
    const Spec *a, *b;
    const Field *field;
    Mark mark_a, mark_b;
} Overlap;

static const char *claimed_by_both(Overlap *o, const char *path, Mark a, Mark b)
{
    if (spec_ignores(o->a, o->field, path) || spec_ignores(o->b, o->field, path))
        return NULL;
    o->mark_a = a;
    o->mark_b = b;
    return arena_strdup(o->arena, path);
}

static const char *overlap_tags(Overlap *o, const char *path, const Node *a, const Node *b, bool fold)
{
    for (uint32_t i = 0; i < a->n; i++) {
        const NodeEntry *ea = &a->entries[i], *eb = node_entry_fold(b, ea->key, fold);
        if (!eb)
            continue;
        CLEANUP(freep) char *below = xasprintf("%s.%s", path, ea->key);
        const char *found = ea->value->type == NODE_MAP ? overlap_tags(o, below, ea->value, eb->value, fold)
                                                        : claimed_by_both(o, below, ea->mark, eb->mark);
        if (found)
            return found;
    }
    return NULL;
}

/* The first key that one of them names and that the other claims because its `exact` claims them all. */
static const char *overlap_exact(Overlap *o, const char *path, const Node *named, bool named_by_a, Mark exact_mark)
{
    for (uint32_t i = 0; i < named->n; i++) {
        const NodeEntry *e = &named->entries[i];
        CLEANUP(freep) char *below = xasprintf("%s.%s", path, e->key);
        const char *found = e->value->type == NODE_MAP ? overlap_exact(o, below, e->value, named_by_a, exact_mark)
                                                       : claimed_by_both(o, below, named_by_a ? e->mark : exact_mark,
                                                                         named_by_a ? exact_mark : e->mark);
        if (found)
            return found;
    }
    return NULL;
}

static const char *overlap_field(Overlap *o, const NodeEntry *a, const NodeEntry *b)
{
    bool exact_a = spec_is_exact(o->a, o->field), exact_b = spec_is_exact(o->b, o->field);
    if (exact_a != exact_b)
        return overlap_exact(o, o->field->name, exact_a ? b->value : a->value, !exact_a, exact_a ? a->mark : b->mark);
    if (field_is_map(o->field) && !exact_a)
        return overlap_tags(o, o->field->name, a->value, b->value, o->field->type == FIELD_TAG_NAMESPACES);
    return claimed_by_both(o, o->field->name, a->mark, b->mark);
}

const char *claim_overlap(Arena *arena, const Spec *a, const Spec *b, Mark *ret_a, Mark *ret_b)
{
    Overlap o = {.arena = arena, .a = a, .b = b};
    /* Several schedules of one volume make backups of their own. */
    if (a->kind != b->kind || a->kind->makes)
        return NULL;
    for (o.field = a->kind->fields; o.field->name; o.field++) {
        const NodeEntry *ea = node_entry(a->want, o.field->name), *eb = node_entry(b->want, o.field->name);
        if (!(o.field->flags & FIELD_ATTRIBUTE) || !ea || !eb)
            continue;
        const char *path = overlap_field(&o, ea, eb);
        if (path) {
            *ret_a = o.mark_a;
            *ret_b = o.mark_b;
            return path;
        }
    }
    return NULL;
}
