/*
 * The neutral tree between bytes and meaning: what YAML and JSON are read into, and what JSON is written from.
 * Nodes live in an arena and do not change once they are built, so that they can be shared.
 *
 * A scalar of YAML is always a NODE_STRING: the row that reads it decides what it means, never YAML's guessing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/map.h"

/* Doubles below it in size are within int64_t. */
#define TWO_TO_63 9223372036854775808.0

/* A place in a file, counted from 1; {0, 0}: none. */
typedef struct Mark {
    uint32_t line, column;
} Mark;

typedef enum __attribute__((packed)) NodeType {
    NODE_NULL,
    NODE_BOOL,
    NODE_INT,
    NODE_DOUBLE,
    NODE_STRING,
    NODE_LIST,
    NODE_MAP,
} NodeType;

typedef struct Node Node;

typedef struct NodeEntry {
    const char *key;
    Mark mark; /* of the key */
    const Node *value;
} NodeEntry;

struct Node { /* 24 bytes: there are hundreds of thousands */
    NodeType type;
    bool plain; /* a YAML scalar without quotes or tag (but !!null): the only one that can mean null */
    uint32_t n; /* items or entries */
    Mark mark;
    union {
        bool boolean;
        int64_t integer;
        double number;
        const char *text; /* NUL-terminated UTF-8 without NULs inside */
        const Node *const *items;
        const NodeEntry *entries; /* in the order of the source, merged ones (`<<`) last; each key once */
    };
};

/* Copies the text; NULL gives a null. */
const Node *node_string(Arena *arena, const char *text);
const Node *node_int(Arena *arena, int64_t value);
const Node *node_null(void);
const Node *node_bool(bool value);

/* The value of `key` in a map, or NULL. `map` may be NULL or of another type, which has no members. */
const Node *node_get(const Node *map, const char *key);
const NodeEntry *node_entry(const Node *map, const char *key);
/* The same for keys that compare without regard to ASCII case where `fold` says so. */
const NodeEntry *node_entry_fold(const Node *map, const char *key, bool fold);
/* The text of a string member, or NULL. */
const char *node_get_text(const Node *map, const char *key);

/* The entries of a map in the order of their keys' bytes. The caller frees the array. */
const NodeEntry **node_sorted_entries(const Node *map);

/* Equal values, whatever their marks; maps without regard to order, 1 and 1.0 alike. NULL equals NODE_NULL. */
bool node_equal(const Node *a, const Node *b);

/* A copy in `arena` that shares nothing with the original. Short texts, of which the same few come again and again, are
 * kept once for all copies made with the same `texts`: text → itself, empty at first. NULL gives NULL. */
const Node *node_copy(Arena *arena, Map *texts, const Node *node);
const char *node_copy_text(Arena *arena, Map *texts, const char *text);

/* "a list", "a map", "a number" …: for messages. */
const char *node_type_name(const Node *node);

/* A map or list that is still being put together. Ends in a Node of the arena. */
typedef struct NodeBuilder NodeBuilder;
NodeBuilder *node_builder_new(Arena *arena, NodeType type, Mark mark);
void node_builder_free(NodeBuilder *builder);
DEFINE_CLEANUP(NodeBuilder, node_builder_free)
/* For a list `key` is NULL. Keys and values must live in the arena or longer. */
void node_builder_add(NodeBuilder *builder, const char *key, Mark key_mark, const Node *value);
/* The entry added so far under `key`, or NULL; fast for maps of any size. Good until the next one is added. */
const NodeEntry *node_builder_find(const NodeBuilder *builder, const char *key);
/* Ends and frees the builder. */
const Node *node_builder_end(NodeBuilder *builder);
