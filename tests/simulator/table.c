/* A hash table from text to pointers; it owns copies of the keys, not the values. */
#include "table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static size_t slot_of(const char *key, size_t slot_count)
{
    uint64_t hash = 14695981039346656037u;

    for (; *key != '\0'; key++) {
        hash = (hash ^ (unsigned char)*key) * 1099511628211u;
    }
    return (size_t)(hash % slot_count);
}

static struct table_entry **find(const struct table *table, const char *key)
{
    struct table_entry **at = &table->slots[slot_of(key, table->slot_count)];

    while (*at != NULL && strcmp((*at)->key, key) != 0) {
        at = &(*at)->next;
    }
    return at;
}

static void grow(struct table *table)
{
    size_t old_count = table->slot_count;
    struct table_entry **old = table->slots;

    table->slot_count = old_count == 0 ? 64 : old_count * 2;
    table->slots = xcalloc(table->slot_count, sizeof(*table->slots));
    for (size_t i = 0; i < old_count; i++) {
        struct table_entry *next;
        for (struct table_entry *entry = old[i]; entry != NULL; entry = next) {
            struct table_entry **slot = &table->slots[slot_of(entry->key, table->slot_count)];
            next = entry->next;
            entry->next = *slot;
            *slot = entry;
        }
    }
    free(old);
}

void *table_get(const struct table *table, const char *key)
{
    if (table->slot_count == 0) {
        return NULL;
    }
    struct table_entry *entry = *find(table, key);
    return entry == NULL ? NULL : entry->value;
}

void table_put(struct table *table, const char *key, void *value)
{
    if (table->count >= table->slot_count) {
        grow(table);
    }
    struct table_entry **at = find(table, key);
    if (*at == NULL) {
        *at = xcalloc(1, sizeof(**at));
        (*at)->key = xstrdup(key);
        table->count++;
    }
    (*at)->value = value;
}

void *table_remove(struct table *table, const char *key)
{
    if (table->slot_count == 0) {
        return NULL;
    }
    struct table_entry **at = find(table, key);
    struct table_entry *entry = *at;
    if (entry == NULL) {
        return NULL;
    }
    void *value = entry->value;
    *at = entry->next;
    free(entry->key);
    free(entry);
    table->count--;
    return value;
}

void table_clear(struct table *table, void (*destroy)(void *value))
{
    for (size_t i = 0; i < table->slot_count; i++) {
        struct table_entry *next;
        for (struct table_entry *entry = table->slots[i]; entry != NULL; entry = next) {
            next = entry->next;
            if (destroy != NULL) {
                destroy(entry->value);
            }
            free(entry->key);
            free(entry);
        }
    }
    free(table->slots);
    *table = (struct table){0};
}
