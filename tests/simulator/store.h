/* The images in memory: JSON text ready to be sent, etags, versions, compartments and list orders. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "table.h"
#include "tags.h"

struct image {
    unsigned long sequence; /* unique, in order of creation */
    char *id;
    char *compartment; /* NULL for a platform image */
    char *name, *system, *system_version, *state, *created;
    char *json;
    size_t json_length;
    char etag[48];
    unsigned long version;
    unsigned long updates; /* changes through the API */
    bool hidden;           /* neither listed nor readable */
    bool unreadable;       /* listed, but not readable */
};

enum store_order {
    ORDER_CREATION,
    ORDER_TIME_ASC,
    ORDER_TIME_DESC,
    ORDER_NAME_ASC,
    ORDER_NAME_DESC,
    ORDER_COUNT,
};

struct compartment {
    bool hidden;
};

struct store {
    struct table images;       /* id → struct image */
    struct table compartments; /* OCID → struct compartment */
    struct image **all;
    size_t count;
    unsigned long last_sequence;
    unsigned long changes; /* of all images; etags are made from it */
    struct image **orders[ORDER_COUNT];
    bool order_valid[ORDER_COUNT];
};

void store_free(struct store *store);
struct image *store_find(const struct store *store, const char *id);
/* What a caller of the API may see; NULL when absent, hidden or in a hidden compartment. */
struct image *store_visible(const struct store *store, const char *id);
bool store_image_hidden(const struct store *store, const struct image *image);
struct compartment *store_compartment(struct store *store, const char *id);
/* Creates or replaces an image; `partial` must have an id. */
struct image *store_put(struct store *store, struct tags *tags, const cJSON *partial);
/* Merges members at the top level and gives a new etag. */
void store_change(struct store *store, struct tags *tags, struct image *image, const cJSON *changes);
void store_purge(struct store *store, struct image *image);
/* All images, platform images first. Valid until the next change. */
struct image **store_ordered(struct store *store, enum store_order order);
