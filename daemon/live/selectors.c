#include "config.h"

#include "live/selectors.h"

#include "base/map.h"
#include "base/str.h"

struct Selectors {
    SpecList all;
    Map *by_tag;     /* one free-form tag that they ask for: "key\nvalue" → SpecList */
    SpecList others; /* they ask for none, or for any value of it */
    Arena *arena;    /* of the keys */
};

Selectors *selectors_new(void)
{
    Selectors *s = xcalloc(1, sizeof(*s));
    s->by_tag = map_new();
    s->arena = arena_new();
    return s;
}

void selectors_free(Selectors *s)
{
    if (!s)
        return;
    size_t position = 0;
    for (SpecList *list = map_next(s->by_tag, &position, NULL); list; list = map_next(s->by_tag, &position, NULL)) {
        VEC_DONE(list);
        free(list);
    }
    map_free(s->by_tag);
    VEC_DONE(&s->all);
    VEC_DONE(&s->others);
    arena_free(s->arena);
    free(s);
}

const SpecList *selectors_all(const Selectors *s)
{
    return &s->all;
}

/* A tag without which the selector takes nothing, or NULL. */
static const char *needed_tag(const Node *selector, Arena *arena)
{
    const Node *tags = node_get(selector, "freeformTags");
    for (uint32_t i = 0; tags && i < tags->n; i++)
        if (!streq(tags->entries[i].value->text, SELECTOR_ANY))
            return arena_printf(arena, "%s\n%s", tags->entries[i].key, tags->entries[i].value->text);
    return NULL;
}

void selectors_add(Selectors *s, const Spec *spec, const Node *selector)
{
    const char *tag = needed_tag(selector, s->arena);
    SpecList *same = tag ? map_get(s->by_tag, tag) : &s->others;
    if (!same) {
        same = xcalloc(1, sizeof(*same));
        map_put(s->by_tag, tag, same);
    }
    *VEC_ADD(same) = spec;
    *VEC_ADD(&s->all) = spec;
}

static void add_list(SpecList *out, const SpecList *list)
{
    for (size_t i = 0; list && i < list->n; i++)
        *VEC_ADD(out) = list->items[i];
}

void selectors_for(const Selectors *s, const Node *object, SpecList *out)
{
    const Node *tags = map_size(s->by_tag) > 0 ? node_get(object, "freeformTags") : NULL;
    CLEANUP(str_done) Str key = {0};
    for (uint32_t i = 0; tags && tags->type == NODE_MAP && i < tags->n; i++) {
        const NodeEntry *tag = &tags->entries[i];
        if (tag->value->type != NODE_STRING)
            continue;
        str_clear(&key);
        str_add(&key, tag->key);
        str_addc(&key, '\n');
        str_add(&key, tag->value->text);
        add_list(out, map_get(s->by_tag, str_get(&key)));
    }
    add_list(out, &s->others);
}
