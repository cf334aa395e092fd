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
    Observer *observer; /* of the objects */
    Sources *copied;    /* what the objects were made of */
};

static bool is_ours(const Look *look, const Spec *spec)
{
    return spec->kind == look->kind && streq(spec->account, look->account->name);
}

/* --- the volumes behind the objects --- */

static bool needs_source(const Look *look, const Spec *spec)
{
    return look->kind->source && spec->exact_tags && is_ours(look, spec);
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
    look->observer = observe_start(look->account, look->kind, look->specs, look->snapshot, look->loop, on_objects, look);
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

static void place(const Look *look, const Spec *spec)
{
    Observed *observed = &look->snapshot->of[spec->index];
    const Error *error = NULL;
    const Live *volume = sources_find(look->to_copy, spec->source, &error);
    if (volume && volume->container) {
        observed->selector = identity_selector(look->snapshot->arena, spec, volume);
        observed->volume = volume;
    } else if (error) {
        observed->error = error_copy(error);
        error_wrap(&observed->error, "the %s", look->kind->source_kind->noun);
    } else {
        error_set(&observed->error, ERROR_PROTOCOL, "the answer does not say the %s of %s", look->kind->container, spec->source);
    }
}

static void on_to_copy(void *userdata)
{
    Look *look = userdata;
    for (size_t i = 0; i < look->specs->n; i++)
        if (is_ours(look, &look->specs->items[i]) && look->specs->items[i].source)
            place(look, &look->specs->items[i]);
    observe(look);
}

Look *look_start(Account *account, const Kind *kind, const Specs *specs, Snapshot *snapshot, sd_event *loop,
                 observe_done_fn done, void *userdata)
{
    Look *look = xcalloc(1, sizeof(*look));
    *look = (Look){account, kind, specs, snapshot, loop, done, userdata, sources_new(), NULL, NULL};
    for (size_t i = 0; i < specs->n; i++)
        if (is_ours(look, &specs->items[i]) && specs->items[i].source)
            sources_want(look->to_copy, specs->items[i].source);
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
    sources_free(look->to_copy);
    free(look);
}
