#include "config.h"

#include "data/node.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "base/str.h"

#define SHARED_TEXT_MAX 32     /* bytes */
#define SHARED_TEXTS_MAX 10000 /* so that texts that are all different do not cost a map */
#define INLINE_ENTRIES 16      /* most maps fit; a larger one gets memory of its own and an index */

struct NodeBuilder {
    Arena *arena;
    NodeType type;
    Mark mark;
    size_t n, size;
    NodeEntry *entries; /* `fixed`, or allocated */
    Map *index;         /* key to position + 1; NULL while a look at each entry is cheaper */
    NodeEntry fixed[INLINE_ENTRIES];
};

const Node *node_string(Arena *arena, const char *text)
{
    if (!text)
        return node_null();
    Node *node = arena_alloc(arena, sizeof(*node));
    node->type = NODE_STRING;
    node->text = arena_strdup(arena, text);
    return node;
}

const Node *node_int(Arena *arena, int64_t value)
{
    Node *node = arena_alloc(arena, sizeof(*node));
    node->type = NODE_INT;
    node->integer = value;
    return node;
}

const Node *node_null(void)
{
    static const Node node = {.type = NODE_NULL};
    return &node;
}

const Node *node_bool(bool value)
{
    static const Node yes = {.type = NODE_BOOL, .boolean = true}, no = {.type = NODE_BOOL, .boolean = false};
    return value ? &yes : &no;
}

static const NodeEntry *find_entry(const NodeEntry *entries, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (streq(entries[i].key, key))
            return &entries[i];
    return NULL;
}

const NodeEntry *node_entry(const Node *map, const char *key)
{
    return map && map->type == NODE_MAP ? find_entry(map->entries, map->n, key) : NULL;
}

const NodeEntry *node_entry_fold(const Node *map, const char *key, bool fold)
{
    if (!fold)
        return node_entry(map, key);
    for (uint32_t i = 0; map && map->type == NODE_MAP && i < map->n; i++)
        if (strcasecmp(map->entries[i].key, key) == 0)
            return &map->entries[i];
    return NULL;
}

const Node *node_get(const Node *map, const char *key)
{
    const NodeEntry *entry = node_entry(map, key);
    return entry ? entry->value : NULL;
}

const char *node_get_text(const Node *map, const char *key)
{
    const Node *value = node_get(map, key);
    return value && value->type == NODE_STRING ? value->text : NULL;
}

static int compare_keys(const void *a, const void *b)
{
    const NodeEntry *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

const NodeEntry **node_sorted_entries(const Node *map)
{
    const NodeEntry **sorted = xmalloc(map->n * sizeof(const NodeEntry *));
    for (uint32_t i = 0; i < map->n; i++)
        sorted[i] = &map->entries[i];
    qsort(sorted, map->n, sizeof(const NodeEntry *), compare_keys);
    return sorted;
}

static bool same_keys(const Node *a, const Node *b)
{
    for (uint32_t i = 0; i < a->n; i++)
        if (!streq(a->entries[i].key, b->entries[i].key))
            return false;
    return true;
}

static bool equal_maps(const Node *a, const Node *b)
{
    if (a->n != b->n)
        return false;
    if (same_keys(a, b)) {
        for (uint32_t i = 0; i < a->n; i++)
            if (!node_equal(a->entries[i].value, b->entries[i].value))
                return false;
        return true;
    }
    CLEANUP(freep) const NodeEntry **x = node_sorted_entries(a);
    CLEANUP(freep) const NodeEntry **y = node_sorted_entries(b);
    for (uint32_t i = 0; i < a->n; i++)
        if (!streq(x[i]->key, y[i]->key) || !node_equal(x[i]->value, y[i]->value))
            return false;
    return true;
}

static bool equal_lists(const Node *a, const Node *b)
{
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (!node_equal(a->items[i], b->items[i]))
            return false;
    return true;
}

/* Exact: a large integer does not equal the double that it would be rounded to. */
static bool equal_mixed(int64_t integer, double number)
{
    return fabs(number) < TWO_TO_63 && (double)(int64_t)number == number && (int64_t)number == integer;
}

/* Recursion is as deep as the nodes, which the readers keep to 64. */
bool node_equal(const Node *a, const Node *b)
{
    a = a ? a : node_null();
    b = b ? b : node_null();
    if (a == b)
        return true;
    if (a->type == NODE_INT && b->type == NODE_DOUBLE)
        return equal_mixed(a->integer, b->number);
    if (a->type == NODE_DOUBLE && b->type == NODE_INT)
        return equal_mixed(b->integer, a->number);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case NODE_NULL:
        return true;
    case NODE_BOOL:
        return a->boolean == b->boolean;
    case NODE_INT:
        return a->integer == b->integer;
    case NODE_DOUBLE:
        return a->number == b->number;
    case NODE_STRING:
        return streq(a->text, b->text);
    case NODE_LIST:
        return equal_lists(a, b);
    case NODE_MAP:
        return equal_maps(a, b);
    }
    return false;
}

const char *node_type_name(const Node *node)
{
    static const char *const names[] = {
        [NODE_NULL] = "null",       [NODE_BOOL] = "true or false", [NODE_INT] = "a number", [NODE_DOUBLE] = "a number",
        [NODE_STRING] = "a string", [NODE_LIST] = "a list",        [NODE_MAP] = "a map",
    };
    return node ? names[node->type] : "nothing";
}

const char *node_copy_text(Arena *arena, Map *texts, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    if (size > SHARED_TEXT_MAX)
        return arena_strdup(arena, text);
    const char *shared = text ? map_get(texts, text) : NULL;
    if (shared || !text)
        return shared;
    char *copy = arena_strdup(arena, text);
    if (map_size(texts) < SHARED_TEXTS_MAX)
        map_put(texts, copy, copy);
    return copy;
}

/* Recursion is as deep as the nodes, which the readers keep to 64. */
const Node *node_copy(Arena *arena, Map *texts, const Node *node)
{
    if (!node)
        return NULL;
    Node *copy = arena_alloc(arena, sizeof(*copy));
    *copy = *node;
    if (node->type == NODE_STRING) {
        copy->text = node_copy_text(arena, texts, node->text);
    } else if (node->type == NODE_LIST) {
        const Node **items = arena_calloc(arena, node->n, sizeof(*items));
        for (uint32_t i = 0; i < node->n; i++)
            items[i] = node_copy(arena, texts, node->items[i]);
        copy->items = items;
    } else if (node->type == NODE_MAP) {
        NodeEntry *entries = arena_calloc(arena, node->n, sizeof(*entries));
        for (uint32_t i = 0; i < node->n; i++) {
            const NodeEntry *e = &node->entries[i];
            entries[i] = (NodeEntry){
                .key = node_copy_text(arena, texts, e->key),
                .mark = e->mark,
                .value = node_copy(arena, texts, e->value),
            };
        }
        copy->entries = entries;
    }
    return copy;
}

NodeBuilder *node_builder_new(Arena *arena, NodeType type, Mark mark)
{
    assert(type == NODE_LIST || type == NODE_MAP);
    NodeBuilder *b = xmalloc(sizeof(*b)); /* not zeroed: there is one for each list and map */
    b->arena = arena;
    b->type = type;
    b->mark = mark;
    b->n = 0;
    b->size = INLINE_ENTRIES;
    b->entries = b->fixed;
    b->index = NULL;
    return b;
}

void node_builder_free(NodeBuilder *builder)
{
    if (!builder)
        return;
    map_free(builder->index);
    if (builder->entries != builder->fixed)
        free(builder->entries);
    free(builder);
}

static void index_entry(NodeBuilder *b, size_t i)
{
    map_put(b->index, b->entries[i].key, (void *)(uintptr_t)(i + 1));
}

static void grow(NodeBuilder *b)
{
    bool first = b->entries == b->fixed;
    b->size *= 2;
    b->entries = xrealloc(first ? NULL : b->entries, b->size * sizeof(NodeEntry));
    if (!first)
        return;
    memcpy(b->entries, b->fixed, sizeof(b->fixed));
    if (b->type != NODE_MAP)
        return;
    b->index = map_new();
    for (size_t i = 0; i < b->n; i++)
        index_entry(b, i);
}

void node_builder_add(NodeBuilder *builder, const char *key, Mark key_mark, const Node *value)
{
    assert((builder->type == NODE_MAP) == (key != NULL));
    assert(builder->n < UINT32_MAX);
    if (builder->n == builder->size)
        grow(builder);
    builder->entries[builder->n] = (NodeEntry){.key = key, .mark = key_mark, .value = value};
    if (builder->index)
        index_entry(builder, builder->n);
    builder->n++;
}

const NodeEntry *node_builder_find(const NodeBuilder *builder, const char *key)
{
    if (builder->type != NODE_MAP)
        return NULL;
    if (!builder->index)
        return find_entry(builder->entries, builder->n, key);
    uintptr_t position = (uintptr_t)map_get(builder->index, key);
    return position ? &builder->entries[position - 1] : NULL;
}

const Node *node_builder_end(NodeBuilder *builder)
{
    CLEANUP(node_builder_freep) NodeBuilder *b = builder;
    Node *node = arena_alloc(b->arena, sizeof(*node));
    node->type = b->type;
    node->mark = b->mark;
    node->n = (uint32_t)b->n;
    if (b->type == NODE_MAP) {
        NodeEntry *entries = arena_calloc(b->arena, b->n, sizeof(*entries));
        memcpy(entries, b->entries, b->n * sizeof(*entries));
        node->entries = entries;
    } else {
        const Node **items = arena_calloc(b->arena, b->n, sizeof(*items));
        for (size_t i = 0; i < b->n; i++)
            items[i] = b->entries[i].value;
        node->items = items;
    }
    return node;
}
