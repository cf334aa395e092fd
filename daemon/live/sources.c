#include "config.h"

#include "live/sources.h"

#include "base/map.h"
#include "base/str.h"

struct Sources {
    Arena *arena;
    VEC(Live *) objects;
    Map *by_id;                /* id of a source → its Spec */
    Specs wanted;              /* one for each source: what the look is driven by */
    Snapshot *found;
    Observer *observer;
    observe_done_fn done;
    void *userdata;
};

static bool needs_sources(const Spec *spec, const Kind *kind, const char *account)
{
    return spec->kind == kind && kind->source && spec->exact_tags && streq(spec->account, account);
}

static void collect(Sources *s, const Observed *observed)
{
    for (size_t i = 0; i < observed->objects.n; i++)
        if (observed->objects.items[i]->source_id)
            *VEC_ADD(&s->objects) = (Live *)observed->objects.items[i];
}

/* A document of our own making for each source. */
static void want_each(Sources *s, const Kind *kind, const char *account)
{
    Spec *specs = arena_calloc(s->arena, s->objects.n, sizeof(Spec));
    for (size_t i = 0; i < s->objects.n; i++) {
        const char *id = s->objects.items[i]->source_id;
        Spec *spec = &specs[s->wanted.n];
        if (map_get(s->by_id, id))
            continue;
        *spec = (Spec){.index = s->wanted.n++, .kind = kind->source_kind, .name = id, .account = account, .target = id};
        map_put(s->by_id, id, spec);
    }
    s->wanted.items = specs;
}

static void observed(void *userdata)
{
    Sources *s = userdata;
    for (size_t i = 0; i < s->objects.n; i++) {
        Live *live = s->objects.items[i];
        const Spec *spec = map_get(s->by_id, live->source_id);
        const Observed *found = &s->found->of[spec->index];
        live->source = found->objects.n ? found->objects.items[0] : NULL;
    }
    s->done(s->userdata);
}

Sources *sources_start(Account *account, const Kind *kind, const Specs *specs, Snapshot *snapshot, sd_event *loop,
                       observe_done_fn done, void *userdata)
{
    CLEANUP(sources_freep) Sources *s = xcalloc(1, sizeof(*s));
    *s = (Sources){.arena = arena_new(), .by_id = map_new(), .done = done, .userdata = userdata};
    for (size_t i = 0; i < specs->n; i++)
        if (needs_sources(&specs->items[i], kind, account->name))
            collect(s, &snapshot->of[i]);
    if (s->objects.n == 0)
        return NULL;
    want_each(s, kind, account->name);
    s->found = snapshot_new(s->wanted.n);
    s->observer = observe_start(account, kind->source_kind, &s->wanted, s->found, loop, observed, s);
    return TAKE(s);
}

void sources_free(Sources *s)
{
    if (!s)
        return;
    observe_free(s->observer);
    snapshot_free(s->found);
    VEC_DONE(&s->objects);
    map_free(s->by_id);
    arena_free(s->arena);
    free(s);
}
