#include "config.h"

#include "live/sources.h"

#include "base/map.h"

struct Sources {
    VEC(const char *) ids;
    VEC(const Spec *) schedules;
    Map *by_id;   /* id → its Spec, once started */
    Map *by_name; /* of a schedule, likewise */
    Arena *arena;
    Specs wanted; /* a document of our own making for each: what the look is driven by */
    Snapshot *found;
    Observer *observer;
};

Sources *sources_new(void)
{
    Sources *s = xcalloc(1, sizeof(*s));
    s->by_id = map_new();
    s->by_name = map_new();
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
    VEC_DONE(&s->schedules);
    map_free(s->by_id);
    map_free(s->by_name);
    arena_free(s->arena);
    free(s);
}

void sources_want(Sources *s, const char *id)
{
    if (!map_put(s->by_id, id, s))
        *VEC_ADD(&s->ids) = id;
}

void sources_want_of(Sources *s, const Spec *schedule)
{
    *VEC_ADD(&s->schedules) = schedule;
}

bool sources_is_empty(const Sources *s)
{
    return s->ids.n == 0 && s->schedules.n == 0;
}

void sources_start(Sources *s, Account *account, const Kind *kind, sd_event *loop, observe_done_fn done, void *userdata)
{
    size_t n = s->ids.n + s->schedules.n;
    Spec *specs = arena_calloc(s->arena, n, sizeof(Spec));
    for (size_t i = 0; i < s->ids.n; i++) {
        const char *id = s->ids.items[i];
        specs[i] = (Spec){.name = id, .target = id};
        map_put(s->by_id, id, &specs[i]);
    }
    for (size_t i = 0; i < s->schedules.n; i++) {
        const Spec *schedule = s->schedules.items[i];
        specs[s->ids.n + i] =
            (Spec){.name = schedule->name, .target = schedule->target, .selector = schedule->selector};
        map_put(s->by_name, schedule->name, &specs[s->ids.n + i]);
    }
    for (size_t i = 0; i < n; i++) {
        specs[i].index = i;
        specs[i].kind = kind->source_kind;
        specs[i].account = account->name;
    }
    s->wanted = (Specs){.items = specs, .n = n};
    s->found = snapshot_new(n);
    s->observer = observe_start(account, kind->source_kind, &s->wanted, s->found, NULL, loop, done, userdata);
}

const Live *sources_find(const Sources *s, const char *id, const Error **ret_error)
{
    const Spec *spec = s->found ? map_get(s->by_id, id) : NULL;
    const Observed *observed = spec ? &s->found->of[spec->index] : NULL;
    if (ret_error)
        *ret_error = observed ? observed->error : NULL;
    return observed && observed->objects.n ? observed->objects.items[0] : NULL;
}

const Observed *sources_of(const Sources *s, const Spec *schedule)
{
    const Spec *spec = map_get(s->by_name, schedule->name);
    return &s->found->of[spec->index];
}
