/* A hash map from strings to pointers. Keys are borrowed: whoever puts one keeps it alive and unchanged. */
#pragma once

#include <stddef.h>

#include "base/alloc.h"

typedef struct Map Map;

Map *map_new(void) __attribute__((returns_nonnull));
void map_free(Map *map);
DEFINE_CLEANUP(Map, map_free)

/* NULL when there is none. */
void *map_get(const Map *map, const char *key);
/* Puts or replaces; returns what was there before, or NULL. `value` must not be NULL. */
void *map_put(Map *map, const char *key, void *value);
/* Takes it out; returns what was there, or NULL. */
void *map_remove(Map *map, const char *key);
size_t map_size(const Map *map);

/* Goes through all entries in no particular order: start with *position = 0; NULL at the end. */
void *map_next(const Map *map, size_t *position, const char **ret_key);
