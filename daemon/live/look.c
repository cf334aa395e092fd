#include "config.h"

#include "live/look.h"

#include "base/str.h"
#include "schedule/slot.h"

struct Look {
    Account *account;
    const Kind *kind;
    const Specs *specs;
    Snapshot *snapshot;
    sd_event *loop;
    observe_done_fn done;
    void *userdata;
    Sources *to_copy;   /* what is to be made is made of them */
    Harvest *harvest;   /* of schedules; NULL: there are none */
    Observer *observer; /* of the objects */
    Sources *copied;    /* what the objects were made of */
};

static bool is_ours(const Look *look, const Spec *spec)
{
    return kind_of_objects(spec->kind) == look->kind && streq(spec->account, look->account->name);
}

static bool is_schedule(const Spec *spec)
{
    return spec->kind->makes != NULL;
}

/* --- the volumes behind the objects --- */

static bool needs_source(const Look *look, const Spec *spec)
{
    return look->kind->source && spec->exact_tags && is_ours(look, spec) && !is_schedule(spec);
}

static void link_sources(const Look *look)
{
    for (size_t i = 0; i < look->specs->n; i++) {
        const Observed *observed = &look->snapshot->of[i];
        for (size_t k = 0; k < observed->objects.n && needs_source(look, &look->specs->items[i]); k++) {
            Live *live = (Live *)observed->objects.items[k];
            if (live->source_id)
                live->source = observed->volume ? observed->volume : sources_find(look->copied, live->source_id, NULL);
        }
    }
}

static void on_copied(void *userdata)
{
    const Look *look = userdata;
    link_sources(look);
    look->done(look->userdata);
}

static void on_objects(void *userdata)
{
    Look *look = userdata;
    if (look->harvest)
        harvest_end(look->harvest);
    look->copied = sources_new();
    for (size_t i = 0; i < look->specs->n; i++) {
        const Observed *observed = &look->snapshot->of[i];
        for (size_t k = 0; k < observed->objects.n && needs_source(look, &look->specs->items[i]); k++)
            if (observed->objects.items[k]->source_id && !observed->volume)
                sources_want(look->copied, observed->objects.items[k]->source_id);
    }
    if (sources_is_empty(look->copied))
        on_copied(look);
    else
        sources_start(look->copied, look->account, look->kind, look->loop, on_copied, look);
}

/* --- the objects --- */

static void observe(Look *look)
{
    look->observer = observe_start(look->account, look->kind, look->specs, look->snapshot, look->harvest, look->loop,
                                   on_objects, look);
}

/* What bears the document's identity tag, in whatever state: of the dead ones the number counts. */
static const Node *identity_selector(Arena *arena, const Spec *spec, const Live *volume)
{
    NodeBuilder *tags = node_builder_new(arena, NODE_MAP, (Mark){0}), *b = node_builder_new(arena, NODE_MAP, (Mark){0});
    node_builder_add(tags, IDENTITY_TAG, (Mark){0}, node_string(arena, spec->name));
    node_builder_add(b, spec->kind->container, (Mark){0}, node_string(arena, volume->container));
    node_builder_add(b, spec->kind->source, (Mark){0}, node_string(arena, spec->source));
    node_builder_add(b, spec->kind->state, (Mark){0}, node_string(arena, SELECTOR_ANY));
    node_builder_add(b, "freeformTags", (Mark){0}, node_builder_end(tags));
    return node_builder_end(b);
}

/* The volume (NULL) was found, or not. False: the document cannot be looked at, and says why. */
static bool check_volume(const Look *look, Observed *observed, const Live *volume, const Error *error)
{
    if (volume && volume->container)
        return true;
    if (observed->error)
        return false;
    if (volume) {
        error_set(&observed->error, ERROR_PROTOCOL, "the answer does not say the %s of %s", look->kind->container,
                  volume->id);
    } else {
        observed->error = error_copy(error);
        error_wrap(&observed->error, "the %s", look->kind->source_kind->noun);
    }
    return false;
}

static void place(const Look *look, const Spec *spec)
{
    Observed *observed = &look->snapshot->of[spec->index];
    const Error *error = NULL;
    const Live *volume = sources_find(look->to_copy, spec->source, &error);
    if (!check_volume(look, observed, volume, error))
        return;
    observed->selector = identity_selector(look->snapshot->arena, spec, volume);
    observed->volume = volume;
}

static void place_schedule(const Look *look, const Spec *spec)
{
    Observed *observed = &look->snapshot->of[spec->index];
    const Observed *volumes = sources_of(look->to_copy, spec);
    if (volumes->error)
        check_volume(look, observed, NULL, volumes->error);
    for (size_t i = 0; i < volumes->objects.n; i++)
        if (check_volume(look, observed, volumes->objects.items[i], NULL))
            harvest_add(look->harvest, spec, volumes->objects.items[i]);
}

static void on_to_copy(void *userdata)
{
    Look *look = userdata;
    for (size_t i = 0; i < look->specs->n; i++) {
        const Spec *spec = &look->specs->items[i];
        if (is_ours(look, spec) && is_schedule(spec))
            place_schedule(look, spec);
        else if (is_ours(look, spec) && spec->source)
            place(look, spec);
    }
    observe(look);
}

static void want_volume(Look *look, const Spec *spec)
{
    if (spec->source)
        sources_want(look->to_copy, spec->source);
    if (!is_schedule(spec))
        return;
    sources_want_of(look->to_copy, spec);
    if (!look->harvest)
        look->harvest = harvest_new(look->kind, look->specs, look->account->name, look->snapshot);
}

Look *look_start(Account *account, const Kind *kind, const Specs *specs, Snapshot *snapshot, sd_event *loop,
                 observe_done_fn done, void *userdata)
{
    Look *look = xcalloc(1, sizeof(*look));
    *look = (Look){.account = account, .kind = kind, .specs = specs, .snapshot = snapshot, .loop = loop, .done = done};
    look->userdata = userdata;
    look->to_copy = sources_new();
    for (size_t i = 0; i < specs->n; i++)
        if (is_ours(look, &specs->items[i]))
            want_volume(look, &specs->items[i]);
    if (sources_is_empty(look->to_copy))
        observe(look);
    else
        sources_start(look->to_copy, account, kind, loop, on_to_copy, look);
    return look;
}

void look_free(Look *look)
{
    if (!look)
        return;
    sources_free(look->copied);
    observe_free(look->observer);
    harvest_free(look->harvest);
    sources_free(look->to_copy);
    free(look);
}
