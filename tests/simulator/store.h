/* The resources in memory: JSON text ready to be sent, etags, versions, compartments, what lists show of them. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kind.h"
#include "shelf.h"
#include "table.h"
#include "tags.h"

/* The content of a resource at some time. */
struct view {
    char *json;
    size_t json_length;
    char *name, *created;
    const char *compartment; /* NULL for a platform image; this and the following belong to the store */
    const char *state;
    const char *filters[KIND_FILTERS]; /* values of the kind's filters, NULL when absent */
};

/* Earlier content, kept while lists lag behind. */
struct past {
    struct view view;
    int64_t until;
    struct past *next; /* the one after it in time */
};

struct resource {
    const struct kind *kind;
    unsigned long sequence; /* unique, in order of creation */
    char *id;
    struct view now;
    struct past *past; /* the oldest first */
    char etag[40];
    char *token;          /* the retry token it was created with */
    int64_t born;         /* when it was created through the API, else 0 */
    int64_t deleted;      /* when its deletion was accepted, else 0 */
    int64_t gone;         /* when it vanished, else 0; it is kept for control to show */
    unsigned long ticket; /* of the timer that is valid */
    unsigned version;
    unsigned updates; /* changes through the API */
    bool hidden;      /* neither listed nor readable */
    bool unreadable;  /* listed, but not readable */
    bool doomed;      /* to become FAULTY */
};

struct compartment {
    bool hidden;
};

/* The backups of one volume. */
struct group {
    struct resource **members;
    size_t count, room;
};

struct store {
    struct table resources;    /* id → struct resource */
    struct table compartments; /* OCID → struct compartment */
    struct table groups;       /* id of the source → struct group */
    struct table names;        /* text → its one copy */
    struct shelf shelves[KIND_COUNT];
    unsigned long last_sequence;
    unsigned long changes; /* of all resources; etags are made from it */
    int64_t list_lag;      /* lists show what was so long ago */
    int64_t get_lag;       /* a created resource cannot be read for so long */
};

void store_free(struct store *store);
struct resource *store_find(const struct store *store, const char *id);
/* What a caller of the API may see; NULL when absent, gone, of another kind, hidden or in a hidden compartment. */
struct resource *store_visible(const struct store *store, const struct kind *kind, const char *id);
/* What a list shows of a resource, NULL for nothing. */
const struct view *store_listed(const struct store *store, struct resource *resource, int64_t now);
struct compartment *store_compartment(struct store *store, const char *id);
/* The backups of a volume; may be NULL. */
const struct group *store_group(const struct store *store, const char *source);
/* Creates or replaces a resource; `partial` must have an id. */
struct resource *store_put(struct store *store, struct tags *tags, const struct kind *kind, const cJSON *partial);
/* Creates one with its whole JSON text, which it takes over; for great numbers. */
void store_put_text(struct store *store, const struct kind *kind, const char *id, const struct view *view);
/* Gives a resource another content and the time of the change, where its model tells that. */
void store_replace(struct store *store, struct tags *tags, struct resource *resource, cJSON *json, int64_t when);
/* Merges members at the top level and gives a new etag, as of a moment. */
void store_change(struct store *store, struct tags *tags, struct resource *resource, const cJSON *changes,
                  int64_t when);
/* Removes members at the top level that an array names, the id aside. */
void store_strip(struct store *store, struct tags *tags, struct resource *resource, const cJSON *names, int64_t when);
void store_purge(struct resource *resource, int64_t when);
/* The one copy of a text; NULL of NULL. */
const char *store_name(struct store *store, const char *text);
