#include "config.h"

#include "plan/create.h"

#include "base/str.h"
#include "schedule/slot.h"

static bool is_faulty(const Live *backup)
{
    return backup_state(backup->kind, backup->state) == BACKUP_FAULTY;
}

bool backup_is_live(const Live *backup)
{
    return backup_counts(backup_state(backup->kind, backup->state));
}

unsigned creation_attempt(const Observed *observed)
{
    unsigned n = 1;
    for (size_t i = 0; i < observed->objects.n; i++)
        n += !backup_is_live(observed->objects.items[i]);
    return n;
}

unsigned creation_faults(const Observed *observed)
{
    unsigned n = 0;
    for (size_t i = 0; i < observed->objects.n; i++)
        n += is_faulty(observed->objects.items[i]);
    return n;
}

/* What the backup is known by: the value of its identity tag. */
static void add_identity(const Change *change, Str *out)
{
    if (change->series)
        slot_add_tag(out, change->spec->name, change->slot);
    else
        str_add(out, change->spec->name);
}

void creation_name(const Change *change, Str *out)
{
    const Spec *spec = change->spec;
    CLEANUP(str_done) Str identity = {0};
    add_identity(change, &identity);
    str_addf(out, "create\n%s\n%s\n%s\n%u", spec->kind->name, str_get(&identity), change->target, change->attempt);
}

/* The declared tags, and the one by which the backup is known again. */
static const Node *with_identity(const Node *tags, const Change *change, Arena *arena)
{
    NodeBuilder *b = node_builder_new(arena, NODE_MAP, (Mark){0});
    for (uint32_t i = 0; tags && tags->type == NODE_MAP && i < tags->n; i++)
        node_builder_add(b, tags->entries[i].key, (Mark){0}, tags->entries[i].value);
    CLEANUP(str_done) Str identity = {0};
    add_identity(change, &identity);
    node_builder_add(b, IDENTITY_TAG, (Mark){0}, node_string(arena, str_get(&identity)));
    return node_builder_end(b);
}

const Node *creation_values(const Change *change, Arena *arena)
{
    const Spec *spec = change->spec;
    const Node *declared = diff_apply(change->live, &change->deltas, arena);
    NodeBuilder *b = node_builder_new(arena, NODE_MAP, (Mark){0});
    node_builder_add(b, change->live->kind->source, (Mark){0}, node_string(arena, change->target));
    for (const Field *f = spec->kind->fields; f->name; f++) {
        const Node *value = node_get(spec->want, f->name);
        if (f->flags & FIELD_CREATE && value)
            node_builder_add(b, field_wire(f), (Mark){0}, value);
    }
    for (uint32_t i = 0; i < declared->n; i++)
        if (!streq(declared->entries[i].key, "freeformTags"))
            node_builder_add(b, declared->entries[i].key, (Mark){0}, declared->entries[i].value);
    node_builder_add(b, "freeformTags", (Mark){0}, with_identity(node_get(declared, "freeformTags"), change, arena));
    return node_builder_end(b);
}

bool creation_is_met(const Change *change, const Live *answer)
{
    CLEANUP(str_done) Str identity = {0};
    add_identity(change, &identity);
    const char *tag = node_get_text(node_get(answer->object, "freeformTags"), IDENTITY_TAG);
    return streq_null(answer->source_id, change->target) && streq_null(tag, str_get(&identity));
}
