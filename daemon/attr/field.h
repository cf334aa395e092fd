/*
 * One row for one field. Everything that can be written in a spec or in the configuration is a Field of some table, and
 * everything that is done with it is driven by its row: reading and checking, comparing, writing, and its
 * documentation. A new attribute is a new row.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/node.h"
#include "data/problem.h"

typedef enum FieldType {
    FIELD_TEXT,           /* any scalar, verbatim: 9 is "9" and yes is "yes" */
    FIELD_ENUM,           /* one of `values` */
    FIELD_BOOL,           /* true or false */
    FIELD_INT,            /* decimal */
    FIELD_DURATION,       /* 90s, 5m, 1h30m; microseconds in the node */
    FIELD_TIME,           /* RFC 3339; microseconds since 1970 in the node */
    FIELD_TAGS,           /* map of key: text; with FIELD_NULLABLE also key: null */
    FIELD_TAG_NAMESPACES, /* map of namespace: FIELD_TAGS, names without regard to case */
    FIELD_TEXT_LIST,
    FIELD_TEXT_SET, /* a list of different texts whose order does not matter; in the node a map of each to itself */
    FIELD_FREE,     /* map of name: text, of attributes without rows, which stand among the object's own members; with
                       FIELD_NULLABLE also name: null */
    FIELD_MAP,      /* a map whose rows are `members` */
    FIELD_MAP_LIST, /* a list of maps */
    FIELD_TYPE_MAX,
} FieldType;

typedef enum FieldFlags {
    FIELD_REQUIRED = 1 << 0,
    FIELD_NULLABLE = 1 << 1,  /* null: must be absent */
    FIELD_ATTRIBUTE = 1 << 2, /* of the live object: compared and written */
    FIELD_TARGET = 1 << 3,    /* names the live object */
    FIELD_CONTAINER = 1 << 4, /* a condition that says which list to read */
    FIELD_GLOB = 1 << 5,      /* a condition that is a pattern */
    FIELD_STATE = 1 << 6,     /* the condition on the object's state; unless it is given only writable ones match */
    FIELD_FOLD = 1 << 7,      /* compared without regard to case */
    FIELD_SOURCE = 1 << 8,    /* names what the object is to be made of, instead of an object that is there */
    FIELD_CREATE = 1 << 9,    /* said when it is made, and never changed */
    FIELD_AS_TEXT = 1 << 10,  /* a number that the API shows as a number and wants written as text */
    /* Of the configuration: */
    FIELD_PATH = 1 << 11,       /* a relative one belongs to the configuration's folder */
    FIELD_CREDENTIAL = 1 << 12, /* likewise, but a bare name is a systemd credential */
    FIELD_ENDPOINT = 1 << 13,   /* a URL without a path */
} FieldFlags;

typedef struct Field Field;
struct Field {
    const char *name; /* in the spec; NULL ends a table */
    const char *wire; /* in the API; NULL: the same */
    FieldType type;
    unsigned flags;
    int64_t min, max;   /* of the number, the duration (microseconds) or the length in characters; max 0: no limit */
    const char *prefix; /* the text begins with this ("ocid1."); NULL: anything */
    const char *const *values; /* of an enum, ends with NULL */
    const Field *members;      /* of a map; NULL: it takes anything */
    const char *cloud_writes;  /* pattern of the paths that the cloud itself writes: never drift; NULL: none */
    const char *absent;        /* what it means when the object does not have it; NULL: nothing */
    int (*check)(const char *text, Error **err);      /* of a text, besides all that; NULL: nothing more */
    int (*check_name)(const char *name, Error **err); /* of an attribute without a row: may it be called so? */
    const char *const *reserved; /* keys of a tag map that are ours: never declared, never removed; NULL: none */
    const char *doc;             /* one line of help */
};

/* Is its value a map whose entries are attributes of their own? */
static inline bool field_is_map(const Field *field)
{
    return field->type == FIELD_TAGS || field->type == FIELD_TAG_NAMESPACES || field->type == FIELD_TEXT_SET ||
           field->type == FIELD_FREE;
}

/* Is it a map of tags, of which `exact` says that no others may be there? */
static inline bool field_holds_tags(const Field *field)
{
    return field_is_map(field) && field->type != FIELD_FREE;
}

static inline const char *field_wire(const Field *field)
{
    return field->wire ? field->wire : field->name;
}

/* Where what is read comes from and where problems go. */
typedef struct FieldReader {
    Arena *arena;
    const char *file;
    Problems *problems;
} FieldReader;

/* Checks `node` against a table: unknown keys (with the nearest known name), missing ones, wrong types, limits. Returns
 * a map with the same keys and typed values, in the reader's arena, or NULL after a problem. `what` names the map in
 * messages. */
const Node *fields_read(const FieldReader *reader, const Field *fields, const Node *node, const char *what);

/* Is it a key of a tag map that imagekeeper itself writes? */
bool field_reserves(const Field *field, const char *key);
/* Is it a scalar that means null, which only one without quotes can? */
bool scalar_is_null(const Node *node);
/* The row of that name, or NULL. */
const Field *field_find(const Field *fields, const char *name);
/* What to say after an unknown word: the name that was meant, or all that there are. `names` ends with NULL; the caller
 * frees. */
char *names_hint(const char *word, const char *const *names) __attribute__((returns_nonnull));
/* "text", "a duration such as 5m", … */
const char *field_type_name(const Field *field);
