/* A hash table from text to pointers; it owns copies of the keys, not the values. */
#pragma once

#include <stddef.h>

struct table_entry {
    char *key;
    void *value;
    struct table_entry *next;
};

struct table {
    struct table_entry **slots;
    size_t slot_count;
    size_t count;
};

void *table_get(const struct table *table, const char *key);
/* Puts or replaces; the value must not be NULL. */
void table_put(struct table *table, const char *key, void *value);
/* Takes the entry out and returns its value, NULL when there is none. */
void *table_remove(struct table *table, const char *key);
/* Empties the table; `destroy` may be NULL. */
void table_clear(struct table *table, void (*destroy)(void *value));
