/* The resources in memory: JSON text ready to be sent, etags, versions, compartments, what lists show of them. */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "digest.h"
#include "json.h"
#include "text.h"

static void view_release(struct view *view)
{
    free(view->json);
    free(view->name);
    free(view->created);
}

static void forget_past(struct resource *resource, int64_t before)
{
    while (resource->past != NULL && resource->past->until <= before) {
        struct past *past = resource->past;
        resource->past = past->next;
        view_release(&past->view);
        free(past);
    }
}

static void resource_free(void *memory)
{
    struct resource *resource = memory;

    forget_past(resource, INT64_MAX);
    view_release(&resource->now);
    free(resource->id);
    free(resource->token);
    free(resource);
}

static void group_free(void *memory)
{
    struct group *group = memory;

    free(group->members);
    free(group);
}

void store_free(struct store *store)
{
    table_clear(&store->resources, resource_free);
    table_clear(&store->compartments, free);
    table_clear(&store->groups, group_free);
    table_clear(&store->names, free);
    for (size_t i = 0; i < KIND_COUNT; i++) {
        shelf_free(&store->shelves[i]);
    }
    *store = (struct store){0};
}

const char *store_name(struct store *store, const char *text)
{
    char *name = text == NULL ? NULL : table_get(&store->names, text);

    if (text != NULL && name == NULL) {
        name = xstrdup(text);
        table_put(&store->names, text, name);
    }
    return name;
}

struct resource *store_find(const struct store *store, const char *id)
{
    return table_get(&store->resources, id);
}

static bool in_hidden_compartment(const struct store *store, const struct resource *resource)
{
    const struct compartment *compartment =
        resource->now.compartment == NULL ? NULL : table_get(&store->compartments, resource->now.compartment);

    return compartment != NULL && compartment->hidden;
}

struct resource *store_visible(const struct store *store, const struct kind *kind, const char *id)
{
    struct resource *resource = store_find(store, id);
    bool young = resource != NULL && resource->born != 0 && clock_now() - resource->born < store->get_lag;

    return resource == NULL || resource->kind != kind || resource->gone != 0 || young || resource->hidden ||
                   resource->unreadable || in_hidden_compartment(store, resource)
               ? NULL
               : resource;
}

const struct view *store_listed(const struct store *store, struct resource *resource, int64_t now)
{
    int64_t seen = now - store->list_lag;

    if (resource->hidden || (resource->gone != 0 && resource->gone <= seen) || resource->born > seen) {
        return NULL;
    }
    forget_past(resource, seen);
    return resource->past != NULL ? &resource->past->view : &resource->now;
}

struct compartment *store_compartment(struct store *store, const char *id)
{
    struct compartment *compartment = table_get(&store->compartments, id);

    if (compartment == NULL) {
        compartment = xcalloc(1, sizeof(*compartment));
        table_put(&store->compartments, id, compartment);
    }
    return compartment;
}

const struct group *store_group(const struct store *store, const char *source)
{
    return table_get(&store->groups, source);
}

static void group_add(struct store *store, struct resource *resource, const char *source)
{
    struct group *group = table_get(&store->groups, source);

    if (group == NULL) {
        group = xcalloc(1, sizeof(*group));
        table_put(&store->groups, source, group);
    }
    if (group->count == group->room) {
        group->room = group->room == 0 ? 8 : group->room * 2;
        group->members = xrealloc(group->members, group->room, sizeof(struct resource *));
    }
    group->members[group->count++] = resource;
}

static void group_remove(struct store *store, struct resource *resource, const char *source)
{
    struct group *group = table_get(&store->groups, source);
    size_t at = 0;

    while (group->members[at] != resource) {
        at++;
    }
    memmove(group->members + at, group->members + at + 1, (group->count - at - 1) * sizeof(struct resource *));
    group->count--;
}

static void regroup(struct store *store, struct resource *resource, const char *before, const char *after)
{
    if (resource->kind->source == NULL || before == after) {
        return;
    }
    if (before != NULL) {
        group_remove(store, resource, before);
    }
    if (after != NULL) {
        group_add(store, resource, after);
    }
}

static char *copy_or_empty(const cJSON *object, const char *name)
{
    const char *value = json_string(object, name);

    return xstrdup(value == NULL ? "" : value);
}

static struct view make_view(struct store *store, const struct kind *kind, const cJSON *json)
{
    const char *state = json_string(json, kind->keys.state);
    struct view view = {
        .json = json_print(json),
        .name = copy_or_empty(json, kind->keys.name),
        .created = copy_or_empty(json, kind->keys.created),
        .compartment = store_name(store, json_string(json, kind->keys.compartment)),
        .state = store_name(store, state == NULL ? "" : state),
    };

    view.json_length = strlen(view.json);
    for (size_t i = 0; i < KIND_FILTERS && kind->filters[i] != NULL; i++) {
        view.filters[i] = store_name(store, json_string(json, kind->filters[i]));
    }
    return view;
}

static void keep_past(const struct store *store, struct resource *resource, int64_t when)
{
    struct past **end = &resource->past;

    if (store->list_lag == 0 || resource->version == 0) {
        view_release(&resource->now);
        return;
    }
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = xcalloc(1, sizeof(**end));
    (*end)->view = resource->now;
    (*end)->until = when;
}

static void make_etag(struct store *store, struct resource *resource)
{
    char hex[2 * DIGEST_SIZE + 1];
    char *seed = xprintf("%s %lu", resource->id, ++store->changes);

    digest_hex(seed, strlen(seed), hex);
    free(seed);
    snprintf(resource->etag, sizeof(resource->etag), "%.32s--gzip", hex);
}

/* Gives a resource its content, under a new etag. */
static void fill(struct store *store, struct resource *resource, const struct view *view, int64_t when)
{
    struct shelf *shelf = &store->shelves[resource->kind->id];
    struct view before = resource->now;
    bool fresh = resource->version == 0;
    bool moved = fresh || strcmp(before.name, view->name) != 0 || strcmp(before.created, view->created) != 0 ||
                 (before.compartment == NULL) != (view->compartment == NULL);

    if (moved && !fresh) {
        shelf_take_out(shelf, resource);
    }
    regroup(store, resource, before.filters[0], view->filters[0]);
    keep_past(store, resource, when);
    resource->now = *view;
    resource->version++;
    make_etag(store, resource);
    if (moved) {
        shelf_put_back(shelf, resource);
    }
    if (view->compartment != NULL) {
        store_compartment(store, view->compartment);
    }
}

/* Takes over the whole content of a resource, in the tag registry's case. */
static void fill_json(struct store *store, struct tags *tags, struct resource *resource, cJSON *json, int64_t when)
{
    const cJSON *defined = json_member(json, "definedTags");

    if (cJSON_IsObject(defined)) {
        cJSON_ReplaceItemInObjectCaseSensitive(json, "definedTags", tags_canonical(tags, defined));
    }
    struct view view = make_view(store, resource->kind, json);
    fill(store, resource, &view, when);
}

static struct resource *add(struct store *store, const struct kind *kind, const char *id)
{
    struct resource *resource = xcalloc(1, sizeof(*resource));

    resource->kind = kind;
    resource->sequence = ++store->last_sequence;
    resource->id = xstrdup(id);
    table_put(&store->resources, id, resource);
    shelf_add(&store->shelves[kind->id], resource);
    return resource;
}

struct resource *store_put(struct store *store, struct tags *tags, const struct kind *kind, const cJSON *partial)
{
    struct resource *resource = store_find(store, json_string(partial, "id"));

    if (resource == NULL) {
        resource = add(store, kind, json_string(partial, "id"));
    }
    resource->gone = resource->deleted = 0;
    cJSON *json = kind_complete(resource->kind, partial, resource->sequence);
    fill_json(store, tags, resource, json, clock_now());
    cJSON_Delete(json);
    return resource;
}

void store_put_text(struct store *store, const struct kind *kind, const char *id, const struct view *view)
{
    fill(store, add(store, kind, id), view, 0);
}

void store_replace(struct store *store, struct tags *tags, struct resource *resource, cJSON *json, int64_t when)
{
    const char *updated = resource->kind->keys.updated;
    char time[CLOCK_TEXT];

    if (updated != NULL) {
        clock_rfc3339_seconds(when, time);
        cJSON_ReplaceItemInObjectCaseSensitive(json, updated, cJSON_CreateString(time));
    }
    fill_json(store, tags, resource, json, when);
}

void store_change(struct store *store, struct tags *tags, struct resource *resource, const cJSON *changes, int64_t when)
{
    cJSON *json = cJSON_Parse(resource->now.json);
    const char *updated = resource->kind->keys.updated;

    json_merge(json, changes);
    cJSON_ReplaceItemInObjectCaseSensitive(json, "id", cJSON_CreateString(resource->id));
    if (updated == NULL || json_member(changes, updated) != NULL) {
        fill_json(store, tags, resource, json, when);
    } else {
        store_replace(store, tags, resource, json, when);
    }
    cJSON_Delete(json);
}

void store_strip(struct store *store, struct tags *tags, struct resource *resource, const cJSON *names, int64_t when)
{
    cJSON *json = cJSON_Parse(resource->now.json);
    const cJSON *name;

    cJSON_ArrayForEach(name, names)
    {
        if (cJSON_IsString(name) && strcmp(name->valuestring, "id") != 0) {
            cJSON_DeleteItemFromObjectCaseSensitive(json, name->valuestring);
        }
    }
    store_replace(store, tags, resource, json, when);
    cJSON_Delete(json);
}

void store_purge(struct resource *resource, int64_t when)
{
    resource->gone = when;
    resource->ticket++;
}
