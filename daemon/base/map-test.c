#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/map.h"
#include "base/str.h"

#define KEYS 5000

static void gives_back_what_was_put(void **state)
{
    (void)state;
    CLEANUP(map_freep) Map *map = map_new();
    int a, b;
    assert_null(map_get(map, "a"));
    assert_null(map_put(map, "a", &a));
    assert_null(map_put(map, "", &b));
    assert_ptr_equal(map_get(map, "a"), &a);
    assert_ptr_equal(map_get(map, ""), &b);
    assert_int_equal(map_size(map), 2);
}

static void putting_again_replaces_value_and_key(void **state)
{
    (void)state;
    CLEANUP(map_freep) Map *map = map_new();
    char *first = xstrdup("a");
    int a, b;
    map_put(map, first, &a);
    assert_ptr_equal(map_put(map, "a", &b), &a);
    free(first);
    assert_ptr_equal(map_get(map, "a"), &b);
    assert_int_equal(map_size(map), 1);
}

static void removing_gives_the_value_once(void **state)
{
    (void)state;
    CLEANUP(map_freep) Map *map = map_new();
    int a;
    map_put(map, "a", &a);
    assert_ptr_equal(map_remove(map, "a"), &a);
    assert_null(map_remove(map, "a"));
    assert_null(map_get(map, "a"));
    assert_int_equal(map_size(map), 0);
    assert_null(map_put(map, "a", &a));
    assert_ptr_equal(map_get(map, "a"), &a);
}

static void a_removed_key_is_not_looked_at_again(void **state)
{
    (void)state;
    CLEANUP(map_freep) Map *map = map_new();
    int a;
    for (int i = 0; i < KEYS; i++) {
        char *key = xasprintf("%d", i);
        map_put(map, key, &a);
        assert_ptr_equal(map_remove(map, key), &a);
        free(key);
    }
    assert_int_equal(map_size(map), 0);
    assert_null(map_get(map, ""));
    assert_null(map_remove(map, ""));
    map_put(map, "", &a);
    assert_ptr_equal(map_get(map, ""), &a);
}

static void behaves_as_an_array_of_flags_does(void **state)
{
    (void)state;
    CLEANUP(map_freep) Map *map = map_new();
    CLEANUP(arena_freep) Arena *arena = arena_new();
    char *keys[KEYS];
    bool in[KEYS] = {0};
    size_t size = 0;
    uint64_t seed = 1;
    for (int i = 0; i < KEYS; i++)
        keys[i] = arena_printf(arena, "ocid1.image.oc1.phx.%d", i);
    for (int step = 0; step < 300000; step++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        size_t i = (seed >> 33) % KEYS;
        /* More goes in than out at first, and the other way round later. */
        bool put = (seed >> 20) % 10 < (step < 150000 ? 7U : 3U);
        void *before = put ? map_put(map, keys[i], &keys[i]) : map_remove(map, keys[i]);
        assert_ptr_equal(before, in[i] ? &keys[i] : NULL);
        size += put && !in[i];
        size -= !put && in[i];
        in[i] = put;
    }
    assert_int_equal(map_size(map), size);
    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(map_get(map, keys[i]), in[i] ? &keys[i] : NULL);
    size_t position = 0, n = 0;
    const char *key;
    for (char **each = map_next(map, &position, &key); each; each = map_next(map, &position, &key), n++) {
        assert_string_equal(*each, key);
        assert_true(in[each - keys]);
        in[each - keys] = false;
    }
    assert_int_equal(n, size);
}

static void goes_through_an_empty_map(void **state)
{
    (void)state;
    CLEANUP(map_freep) Map *map = map_new();
    size_t position = 0;
    assert_null(map_next(map, &position, NULL));
    assert_null(map_next(map, &position, NULL));
    map_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_put),           cmocka_unit_test(putting_again_replaces_value_and_key),
        cmocka_unit_test(removing_gives_the_value_once),     cmocka_unit_test(a_removed_key_is_not_looked_at_again),
        cmocka_unit_test(behaves_as_an_array_of_flags_does), cmocka_unit_test(goes_through_an_empty_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
