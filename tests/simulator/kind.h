/* The resource types of the APIs, one table row each: model, defaults, list parameters, writable members. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "reply.h"

#define KIND_FILTERS 3

enum kind_id {
    KIND_IMAGE,
    KIND_BOOT_VOLUME,
    KIND_VOLUME,
    KIND_BOOT_VOLUME_BACKUP,
    KIND_VOLUME_BACKUP,
    KIND_CLOUD_IMAGE,
    KIND_GLANCE_IMAGE,
    KIND_COUNT,
};

/* A property of the model and its default, as JSON; NULL: it depends on the sequence number. */
struct field {
    const char *name;
    const char *json;
};

/* A query parameter of the list. */
struct parameter {
    const char *name;
    bool repeated; /* the same with every page */
    bool filter;   /* the items' property of the same name must have this value */
};

/* A property that a request body may have. */
struct member {
    const char *name;
    bool (*check)(const cJSON *value, size_t limit, struct reply *reply);
    size_t limit;
    bool required;
};

/* What the properties are called that every kind has. */
struct keys {
    const char *name, *state, *created, *compartment;
    const char *updated; /* the time of the last change; NULL when the model does not tell it */
};

/* All arrays end with a row without a name. */
struct kind {
    enum kind_id id;
    const char *name;       /* "bootVolume" */
    const char *collection; /* the last part of the list's path, "bootVolumes" */
    const char *type;       /* in OCIDs, "bootvolume" */
    struct keys keys;
    const char *const *states;
    const char *dead; /* the state that a deletion by hand ends in */
    const struct field *fields;
    const struct parameter *parameters;
    const struct member *updatable, *creatable; /* NULL: the operation does not exist */
    const char *filters[KIND_FILTERS];          /* properties beside the common ones that a list can filter by */
    const char *source;                         /* the property that names the source volume; it is filters[0] */
    enum kind_id source_kind;
};

const struct kind *kind_at(enum kind_id id);
/* NULL when there is none. */
const struct kind *kind_of_collection(const char *collection, size_t length);
bool kind_has_state(const struct kind *kind, const char *state);
/* A full resource out of a partial one. Content depends on the partial one and the sequence number alone. */
cJSON *kind_complete(const struct kind *kind, const cJSON *partial, unsigned long sequence);
/* The checks of a request body that need no resource: members, types, lengths. Fills `reply` when false. */
bool kind_check_body(const struct member *members, const cJSON *body, struct reply *reply);
/* For control: NULL when a partial resource may be stored, else why not (static text). */
const char *kind_check_partial(const cJSON *partial);
