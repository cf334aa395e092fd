#include "config.h"

#include "base/map.h"

#include <stdint.h>

#include "base/str.h"

typedef struct Slot {
    const char *key; /* NULL: free */
    void *value;     /* NULL with a key: taken out, search goes on behind it */
    uint64_t hash;
} Slot;

struct Map {
    Slot *slots;
    size_t size; /* a power of two */
    size_t used; /* slots with a key */
    size_t live; /* of those, with a value */
};

/* Eight bytes at a time: ids are long, and differ in their last few. The shift brings down what a product only carries
 * up. */
static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ (h >> 32);
}

static uint64_t hash_string(const char *s)
{
    size_t n = strlen(s);
    uint64_t h = n, word;
    for (; n >= sizeof(word); s += sizeof(word), n -= sizeof(word)) {
        memcpy(&word, s, sizeof(word));
        h = mix(h, word);
    }
    word = 0;
    memcpy(&word, s, n);
    return mix(mix(h, word), 0);
}

Map *map_new(void)
{
    Map *map = xcalloc(1, sizeof(*map));
    map->size = 16;
    map->slots = xcalloc(map->size, sizeof(Slot));
    return map;
}

void map_free(Map *map)
{
    if (!map)
        return;
    free(map->slots);
    free(map);
}

static Slot *find(const Map *map, const char *key, uint64_t hash)
{
    size_t i = hash & (map->size - 1);
    while (map->slots[i].key && (map->slots[i].hash != hash || !streq(map->slots[i].key, key)))
        i = (i + 1) & (map->size - 1);
    return &map->slots[i];
}

static void grow(Map *map)
{
    Map bigger = {.size = map->live * 2 >= map->size ? map->size * 2 : map->size};
    bigger.slots = xcalloc(bigger.size, sizeof(Slot));
    for (size_t i = 0; i < map->size; i++)
        if (map->slots[i].key && map->slots[i].value) {
            *find(&bigger, map->slots[i].key, map->slots[i].hash) = map->slots[i];
            bigger.used++;
        }
    bigger.live = bigger.used;
    free(map->slots);
    *map = bigger;
}

void *map_get(const Map *map, const char *key)
{
    return find(map, key, hash_string(key))->value;
}

void *map_put(Map *map, const char *key, void *value)
{
    if ((map->used + 1) * 4 > map->size * 3)
        grow(map);
    uint64_t hash = hash_string(key);
    Slot *slot = find(map, key, hash);
    void *before = slot->value;
    map->used += !slot->key;
    map->live += !before;
    *slot = (Slot){.key = key, .value = value, .hash = hash};
    return before;
}

void *map_remove(Map *map, const char *key)
{
    Slot *slot = find(map, key, hash_string(key));
    void *before = slot->value;
    /* The key may not outlive this call, so the slot keeps a constant in its place. */
    if (slot->key) {
        slot->key = "";
        slot->hash = ~hash_string("");
        slot->value = NULL;
    }
    map->live -= before != NULL;
    return before;
}

size_t map_size(const Map *map)
{
    return map->live;
}

void *map_next(const Map *map, size_t *position, const char **ret_key)
{
    for (; *position < map->size; (*position)++) {
        const Slot *slot = &map->slots[*position];
        if (slot->key && slot->value) {
            if (ret_key)
                *ret_key = slot->key;
            (*position)++;
            return slot->value;
        }
    }
    return NULL;
}
