#include "config.h"

#include "live/harvest.h"

#include "base/map.h"
#include "base/str.h"
#include "schedule/slot.h"

struct Harvest {
    const Kind *kind;
    const Specs *specs;
    const char *account;
    Snapshot *snapshot;
    Map *by_volume; /* id → Series, the first of its chain */
    Map *by_name;   /* of a schedule, of whatever account → Spec */
    Map *strays;    /* schedule, volume → Stray */
    Arena *arena;   /* of keys */
};

static bool is_ours(const Harvest *h, const Spec *spec)
{
    return spec->kind->makes == h->kind && streq(spec->account, h->account);
}

Harvest *harvest_new(const Kind *kind, const Specs *specs, const char *account, Snapshot *snapshot)
{
    Harvest *h = xcalloc(1, sizeof(*h));
    *h = (Harvest){kind, specs, account, snapshot, map_new(), map_new(), map_new(), arena_new()};
    for (size_t i = 0; i < specs->n; i++)
        if (specs->items[i].kind->makes == kind)
            map_put(h->by_name, specs->items[i].name, (void *)&specs->items[i]);
    return h;
}

void harvest_free(Harvest *h)
{
    if (!h)
        return;
    map_free(h->by_volume);
    map_free(h->by_name);
    map_free(h->strays);
    arena_free(h->arena);
    free(h);
}

void harvest_add(Harvest *h, const Spec *schedule, const Live *volume)
{
    Observed *observed = &h->snapshot->of[schedule->index];
    Series *series = arena_alloc(h->snapshot->arena, sizeof(*series));
    *series = (Series){.spec = schedule, .volume = volume};
    series->next = map_put(h->by_volume, volume->id, series);
    *VEC_ADD(&observed->objects) = volume;
    *VEC_ADD(&observed->series) = series;
}

void harvest_each_list(const Harvest *h, void (*want)(void *userdata, const char *container, const char *volume),
                       void *userdata)
{
    for (size_t i = 0; i < h->specs->n; i++) {
        const Spec *spec = &h->specs->items[i];
        const Observed *observed = &h->snapshot->of[i];
        if (!is_ours(h, spec) || observed->error)
            continue;
        /* Also backups of a volume that the selector does not take any more are to be seen, and nobody's, for who asks.
         */
        if (h->snapshot->wants_orphans && observed->series.n > 0)
            want(userdata, observed->series.items[0]->volume->container, NULL);
        else if (spec->selector)
            want(userdata, selector_container(spec->kind, spec->selector), NULL);
        else
            for (size_t k = 0; k < observed->series.n; k++)
                want(userdata, observed->series.items[k]->volume->container, observed->series.items[k]->volume->id);
    }
}

/* --- taking --- */

static PruneMark read_mark(const char *text, usec_t *ret)
{
    if (!text)
        return PRUNE_MARK_NONE;
    if (streq(text, PRUNE_NEVER))
        return PRUNE_MARK_NEVER;
    return parse_rfc3339(text, ret) < 0 ? PRUNE_MARK_UNREADABLE : PRUNE_MARK_AT;
}

static int read_made(const Harvest *h, const JsonItem *item, usec_t slot, Made *ret, Error **err)
{
    const char *id = json_item_text(item, h->kind->id), *state = json_item_text(item, h->kind->state);
    if (!state)
        return error_set(err, ERROR_PROTOCOL, "the answer does not say the %s of %s", h->kind->state, id);
    *ret = (Made){
        .id = arena_strdup(h->snapshot->arena, id), .slot = slot, .state = (uint8_t)backup_state(h->kind, state)};
    ret->mark = (uint8_t)read_mark(json_item_text_in(item, "freeformTags", PRUNE_TAG), &ret->prune_after);
    ret->born = item_born(h->kind, item);
    return 0;
}

static void add_stray(Harvest *h, const Spec *spec, const char *volume, const JsonItem *item, usec_t slot)
{
    const char *state = json_item_text(item, h->kind->state);
    if (!is_ours(h, spec) || h->snapshot->of[spec->index].error || !state ||
        backup_state(h->kind, state) == BACKUP_GONE)
        return;
    CLEANUP(freep) char *key = xasprintf("%s\n%s", volume, spec->name);
    Stray *stray = map_get(h->strays, key);
    if (!stray) {
        stray = arena_alloc(h->snapshot->arena, sizeof(*stray));
        *stray = (Stray){.volume = arena_strdup(h->snapshot->arena, volume)};
        map_put(h->strays, arena_strdup(h->arena, key), stray);
        *VEC_ADD(&h->snapshot->of[spec->index].strays) = stray;
    }
    stray->n++;
    stray->newest = slot > stray->newest ? slot : stray->newest;
}

static void add_orphan(Harvest *h, const JsonItem *item, const char *schedule)
{
    Arena *arena = h->snapshot->arena;
    const char *state = json_item_text(item, h->kind->state);
    if (h->snapshot->wants_orphans && state && backup_state(h->kind, state) != BACKUP_GONE)
        *VEC_ADD(&h->snapshot->orphans) =
            (Orphan){arena_strdup(arena, schedule), arena_strdup(arena, json_item_text(item, h->kind->id))};
}

int harvest_take(Harvest *h, const JsonItem *item, Error **err)
{
    const char *tag = json_item_text_in(item, "freeformTags", IDENTITY_TAG),
               *volume = json_item_text(item, h->kind->source);
    size_t size;
    usec_t slot;
    if (!tag || !volume || !slot_read_tag(tag, &size, &slot))
        return 0;
    if (!id_is_sane(volume) || !id_is_sane(json_item_text(item, h->kind->id)))
        return error_set(err, ERROR_PROTOCOL, "the answer holds a %s with an id that can be none", h->kind->noun);
    for (Series *s = map_get(h->by_volume, volume); s; s = s->next)
        if (strncmp(s->spec->name, tag, size) == 0 && !s->spec->name[size]) {
            Made made;
            if (read_made(h, item, slot, &made, err) < 0)
                return -1;
            *VEC_ADD(&s->made) = made;
            return 0;
        }
    CLEANUP(freep) char *name = xstrndup(tag, size);
    const Spec *spec = map_get(h->by_name, name);
    if (spec)
        add_stray(h, spec, volume, item, slot);
    else
        add_orphan(h, item, name);
    return 0;
}

/* --- the end --- */

static void drop(Observed *observed)
{
    for (size_t i = 0; i < observed->series.n; i++)
        VEC_DONE(&observed->series.items[i]->made);
    VEC_DONE(&observed->series);
    VEC_DONE(&observed->strays);
    VEC_DONE(&observed->objects);
}

static bool is_there(const Observed *observed, const Spec *spec, const char *container, const char *volume)
{
    if (spec->selector && !volume && streq(selector_container(spec->kind, spec->selector), container))
        return true;
    for (size_t i = 0; i < observed->series.n; i++) {
        const Live *v = observed->series.items[i]->volume;
        if (streq(v->container, container) && (!volume || streq(v->id, volume)))
            return true;
    }
    return false;
}

void harvest_fail(Harvest *h, const char *container, const char *volume, const Error *error)
{
    for (size_t i = 0; i < h->specs->n; i++) {
        Observed *observed = &h->snapshot->of[i];
        if (!is_ours(h, &h->specs->items[i]) || observed->error ||
            !is_there(observed, &h->specs->items[i], container, volume))
            continue;
        observed->error = error_copy(error);
    }
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const Made *)a)->id, ((const Made *)b)->id);
}

static void merge(Series *s)
{
    size_t kept = 0;
    if (s->made.n < 2)
        return;
    qsort(s->made.items, s->made.n, sizeof(Made), by_id);
    for (size_t i = 1; i < s->made.n; i++) {
        Made *last = &s->made.items[kept], *m = &s->made.items[i];
        if (!streq(last->id, m->id))
            s->made.items[++kept] = *m;
        else if (last->slot != m->slot || last->state != m->state || last->mark != m->mark ||
                 last->prune_after != m->prune_after)
            last->state = BACKUP_UNSURE;
    }
    s->made.n = kept + 1;
}

static int by_orphan_id(const void *a, const void *b)
{
    return strcmp(((const Orphan *)a)->id, ((const Orphan *)b)->id);
}

static void merge_orphans(Snapshot *snapshot)
{
    Orphan *items = snapshot->orphans.items;
    size_t kept = 0;
    if (snapshot->orphans.n < 2)
        return;
    qsort(items, snapshot->orphans.n, sizeof(Orphan), by_orphan_id);
    for (size_t i = 1; i < snapshot->orphans.n; i++)
        if (!streq(items[kept].id, items[i].id))
            items[++kept] = items[i];
    snapshot->orphans.n = kept + 1;
}

static const Made *find_unfinished(const Series *chain)
{
    for (const Series *s = chain; s; s = s->next)
        for (size_t i = 0; i < s->made.n; i++)
            if (s->made.items[i].state == BACKUP_UNFINISHED)
                return &s->made.items[i];
    return NULL;
}

static void share_unfinished(const Harvest *h)
{
    size_t position = 0;
    for (Series *chain = map_next(h->by_volume, &position, NULL); chain;
         chain = map_next(h->by_volume, &position, NULL)) {
        const Made *unfinished = find_unfinished(chain);
        for (Series *s = chain; s; s = s->next)
            s->unfinished = unfinished;
    }
}

void harvest_end(Harvest *h)
{
    for (size_t i = 0; i < h->specs->n; i++) {
        Observed *observed = &h->snapshot->of[i];
        if (!is_ours(h, &h->specs->items[i]))
            continue;
        if (observed->error)
            drop(observed);
        for (size_t k = 0; k < observed->series.n; k++)
            merge(observed->series.items[k]);
    }
    share_unfinished(h);
    merge_orphans(h->snapshot);
}
