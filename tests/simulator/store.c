/* The images in memory: JSON text ready to be sent, etags, versions, compartments and list orders. */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "image.h"
#include "json.h"
#include "text.h"

static void forget_orders(struct store *store)
{
    memset(store->order_valid, 0, sizeof(store->order_valid));
}

static void image_release(struct image *image)
{
    free(image->id);
    free(image->compartment);
    free(image->name);
    free(image->system);
    free(image->system_version);
    free(image->state);
    free(image->created);
    free(image->json);
}

static void image_free(void *image)
{
    image_release(image);
    free(image);
}

void store_free(struct store *store)
{
    table_clear(&store->images, image_free);
    table_clear(&store->compartments, free);
    free(store->all);
    for (size_t i = 0; i < ORDER_COUNT; i++) {
        free(store->orders[i]);
    }
    *store = (struct store){0};
}

struct image *store_find(const struct store *store, const char *id)
{
    return table_get(&store->images, id);
}

bool store_image_hidden(const struct store *store, const struct image *image)
{
    const struct compartment *compartment =
        image->compartment == NULL ? NULL : table_get(&store->compartments, image->compartment);

    return image->hidden || (compartment != NULL && compartment->hidden);
}

struct image *store_visible(const struct store *store, const char *id)
{
    struct image *image = store_find(store, id);

    return image == NULL || image->unreadable || store_image_hidden(store, image) ? NULL : image;
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

static char *copy_string(const cJSON *object, const char *name)
{
    const char *value = json_string(object, name);

    return value == NULL ? NULL : xstrdup(value);
}

static char *copy_or_empty(const cJSON *object, const char *name)
{
    const char *value = json_string(object, name);

    return xstrdup(value == NULL ? "" : value);
}

/* Takes over the whole content of an image, in the tag registry's case, under a new etag. */
static void fill(struct store *store, struct tags *tags, struct image *image, cJSON *json)
{
    char hex[2 * DIGEST_SIZE + 1];
    const cJSON *defined = json_member(json, "definedTags");

    if (cJSON_IsObject(defined)) {
        cJSON_ReplaceItemInObjectCaseSensitive(json, "definedTags", tags_canonical(tags, defined));
    }
    image_release(image);
    image->id = copy_string(json, "id");
    image->compartment = copy_string(json, "compartmentId");
    image->name = copy_or_empty(json, "displayName");
    image->system = copy_or_empty(json, "operatingSystem");
    image->system_version = copy_or_empty(json, "operatingSystemVersion");
    image->state = copy_or_empty(json, "lifecycleState");
    image->created = copy_or_empty(json, "timeCreated");
    image->json = json_print(json);
    image->json_length = strlen(image->json);
    image->version++;
    char *seed = xprintf("%s %lu", image->id, ++store->changes);
    digest_hex(seed, strlen(seed), hex);
    free(seed);
    snprintf(image->etag, sizeof(image->etag), "%.32s--gzip", hex);
    if (image->compartment != NULL) {
        store_compartment(store, image->compartment);
    }
    forget_orders(store);
}

struct image *store_put(struct store *store, struct tags *tags, const cJSON *partial)
{
    struct image *image = store_find(store, json_string(partial, "id"));

    if (image == NULL) {
        image = xcalloc(1, sizeof(*image));
        image->sequence = ++store->last_sequence;
        table_put(&store->images, json_string(partial, "id"), image);
        store->all = xrealloc(store->all, store->count + 1, sizeof(struct image *));
        store->all[store->count++] = image;
    }
    cJSON *json = image_complete(partial, image->sequence);
    fill(store, tags, image, json);
    cJSON_Delete(json);
    return image;
}

void store_change(struct store *store, struct tags *tags, struct image *image, const cJSON *changes)
{
    cJSON *json = cJSON_Parse(image->json);

    json_merge(json, changes);
    cJSON_ReplaceItemInObjectCaseSensitive(json, "id", cJSON_CreateString(image->id));
    fill(store, tags, image, json);
    cJSON_Delete(json);
}

void store_purge(struct store *store, struct image *image)
{
    size_t at = 0;

    while (store->all[at] != image) {
        at++;
    }
    memmove(store->all + at, store->all + at + 1, (store->count - at - 1) * sizeof(struct image *));
    store->count--;
    table_remove(&store->images, image->id);
    image_free(image);
    forget_orders(store);
}

static int by_creation(const void *left, const void *right)
{
    const struct image *one = *(struct image *const *)left, *other = *(struct image *const *)right;
    int platform = (one->compartment != NULL) - (other->compartment != NULL);

    return platform != 0 ? platform : (one->sequence > other->sequence) - (one->sequence < other->sequence);
}

static int by_key(const void *left, const void *right, bool name, bool descending)
{
    const struct image *one = *(struct image *const *)left, *other = *(struct image *const *)right;
    int platform = (one->compartment != NULL) - (other->compartment != NULL);
    int key = name ? strcmp(one->name, other->name) : strcmp(one->created, other->created);

    if (platform != 0) {
        return platform;
    }
    if (key == 0) {
        return by_creation(left, right);
    }
    return descending ? -key : key;
}

static int by_time_asc(const void *left, const void *right)
{
    return by_key(left, right, false, false);
}

static int by_time_desc(const void *left, const void *right)
{
    return by_key(left, right, false, true);
}

static int by_name_asc(const void *left, const void *right)
{
    return by_key(left, right, true, false);
}

static int by_name_desc(const void *left, const void *right)
{
    return by_key(left, right, true, true);
}

struct image **store_ordered(struct store *store, enum store_order order)
{
    static int (*const compare[ORDER_COUNT])(const void *, const void *) = {
        by_creation, by_time_asc, by_time_desc, by_name_asc, by_name_desc,
    };

    if (!store->order_valid[order]) {
        store->orders[order] = xrealloc(store->orders[order], store->count, sizeof(struct image *));
        if (store->count > 0) {
            memcpy(store->orders[order], store->all, store->count * sizeof(struct image *));
            qsort(store->orders[order], store->count, sizeof(struct image *), compare[order]);
        }
        store->order_valid[order] = true;
    }
    return store->orders[order];
}
