#include "config.h"

#include "live/sources.h"

#include "base/map.h"

struct Sources {
    VEC(const char *) ids;
    Map *by_id;     /* id → its Spec, once started */
    Arena *arena;
    Specs wanted;   /* a document of our own making for each: what the look is driven by */
    Snapshot *found;
    Observer *observer;
};

Sources *sources_new(void)
{
    Sources *s = xcalloc(1, sizeof(*s));
    s->by_id = map_new();
    s->arena = arena_new();
    return s;
}

void sources_free(Sources *s)
{
    if (!s)
        return;
    observe_free(s->observer);
    snapshot_free(s->found);
    VEC_DONE(&s->ids);
    map_free(s->by_id);
    arena_free(s->arena);
    free(s);
}

void sources_want(Sources *s, const char *id)
{
    if (!map_put(s->by_id, id, s))
        *VEC_ADD(&s->ids) = id;
}

bool sources_is_empty(const Sources *s)
{
    return s->ids.n == 0;
}

void sources_start(Sources *s, Account *account, const Kind *kind, sd_event *loop, observe_done_fn done, void *userdata)
{
    Spec *specs = arena_calloc(s->arena, s->ids.n, sizeof(Spec));
    for (size_t i = 0; i < s->ids.n; i++) {
        const char *id = s->ids.items[i];
        specs[i] = (Spec){.index = i, .kind = kind->source_kind, .name = id, .account = account->name, .target = id};
        map_put(s->by_id, id, &specs[i]);
    }
    s->wanted = (Specs){.items = specs, .n = s->ids.n};
    s->found = snapshot_new(s->ids.n);
    s->observer = observe_start(account, kind->source_kind, &s->wanted, s->found, loop, done, userdata);
}

const Live *sources_find(const Sources *s, const char *id, const Error **ret_error)
{
    const Spec *spec = s->found ? map_get(s->by_id, id) : NULL;
    const Observed *observed = spec ? &s->found->of[spec->index] : NULL;
    if (ret_error)
        *ret_error = observed ? observed->error : NULL;
    return observed && observed->objects.n ? observed->objects.items[0] : NULL;
}
