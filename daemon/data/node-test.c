#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/str.h"
#include "data/node.h"

static const Node *real(Arena *arena, double value)
{
    Node *node = arena_alloc(arena, sizeof(*node));
    node->type = NODE_DOUBLE;
    node->number = value;
    return node;
}

/* A map of `n` members k0, k1, … with their number as value, from the last one if `backwards`. */
static const Node *numbered(Arena *arena, int n, bool backwards)
{
    NodeBuilder *b = node_builder_new(arena, NODE_MAP, (Mark){0});
    for (int i = 0; i < n; i++) {
        int k = backwards ? n - 1 - i : i;
        node_builder_add(b, arena_printf(arena, "k%d", k), (Mark){1, 1}, node_int(arena, k));
    }
    return node_builder_end(b);
}

static const Node *pair(Arena *arena, const Node *first, const Node *second)
{
    NodeBuilder *b = node_builder_new(arena, NODE_LIST, (Mark){0});
    node_builder_add(b, NULL, (Mark){0}, first);
    node_builder_add(b, NULL, (Mark){0}, second);
    return node_builder_end(b);
}

static void finds_members_by_name(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *map = numbered(arena, 3, false);
    assert_int_equal(node_get(map, "k1")->integer, 1);
    assert_string_equal(node_entry(map, "k2")->key, "k2");
    assert_null(node_get(map, "K1"));
}

static void finds_nothing_in_what_is_no_map(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    assert_null(node_get(NULL, "a"));
    assert_null(node_get(node_null(), "a"));
    assert_null(node_get(pair(arena, node_null(), node_null()), "a"));
}

static void gives_text_of_strings_alone(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    NodeBuilder *b = node_builder_new(arena, NODE_MAP, (Mark){0});
    node_builder_add(b, "text", (Mark){0}, node_string(arena, "x"));
    node_builder_add(b, "number", (Mark){0}, node_int(arena, 1));
    const Node *map = node_builder_end(b);
    assert_string_equal(node_get_text(map, "text"), "x");
    assert_null(node_get_text(map, "number"));
    assert_null(node_get_text(map, "absent"));
}

static void copies_the_text_of_strings(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    char text[] = "abc";
    const Node *node = node_string(arena, text);
    text[0] = 'x';
    assert_string_equal(node->text, "abc");
    assert_int_equal(node_string(arena, NULL)->type, NODE_NULL);
}

static void maps_equal_without_regard_to_order(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    assert_true(node_equal(numbered(arena, 5, false), numbered(arena, 5, true)));
    assert_true(node_equal(numbered(arena, 500, false), numbered(arena, 500, true)));
    assert_false(node_equal(numbered(arena, 5, false), numbered(arena, 4, true)));
}

static void maps_with_other_values_differ(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *maps[2];
    for (int i = 0; i < 2; i++) {
        NodeBuilder *b = node_builder_new(arena, NODE_MAP, (Mark){0});
        node_builder_add(b, "a", (Mark){0}, node_int(arena, i));
        maps[i] = node_builder_end(b);
    }
    assert_false(node_equal(maps[0], maps[1]));
}

static void lists_equal_in_order_alone(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *one = node_int(arena, 1), *two = node_int(arena, 2);
    assert_true(node_equal(pair(arena, one, two), pair(arena, one, two)));
    assert_false(node_equal(pair(arena, one, two), pair(arena, two, one)));
}

static void integers_equal_doubles_of_the_same_value(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    assert_true(node_equal(node_int(arena, 1), real(arena, 1.0)));
    assert_true(node_equal(real(arena, -3.0), node_int(arena, -3)));
    assert_false(node_equal(node_int(arena, 1), real(arena, 1.5)));
    assert_false(node_equal(node_int(arena, INT64_MAX), real(arena, 0x1p63)));
    assert_false(node_equal(node_int(arena, (INT64_C(1) << 53) + 1), real(arena, 0x1p53)));
}

static void scalars_of_other_types_differ(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    assert_false(node_equal(node_string(arena, "1"), node_int(arena, 1)));
    assert_false(node_equal(node_bool(true), node_bool(false)));
    assert_false(node_equal(node_null(), node_bool(false)));
    assert_true(node_equal(node_string(arena, "a"), node_string(arena, "a")));
}

static void no_node_equals_null(void **state)
{
    (void)state;
    assert_true(node_equal(NULL, NULL));
    assert_true(node_equal(NULL, node_null()));
    assert_false(node_equal(node_bool(false), NULL));
}

static void builder_finds_what_was_added(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    NodeBuilder *b = node_builder_new(arena, NODE_MAP, (Mark){0});
    assert_null(node_builder_find(b, "k0"));
    for (int i = 0; i < 1000; i++) {
        const char *key = arena_printf(arena, "k%d", i);
        assert_null(node_builder_find(b, key));
        node_builder_add(b, key, (Mark){(uint32_t)i + 1, 1}, node_int(arena, i));
        assert_int_equal(node_builder_find(b, key)->mark.line, i + 1);
        assert_non_null(node_builder_find(b, "k0"));
    }
    const Node *map = node_builder_end(b);
    assert_int_equal(map->n, 1000);
    assert_string_equal(map->entries[999].key, "k999");
}

static void builder_keeps_the_order_and_the_place(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    NodeBuilder *b = node_builder_new(arena, NODE_LIST, (Mark){7, 3});
    for (int i = 0; i < 100; i++)
        node_builder_add(b, NULL, (Mark){0}, node_int(arena, i));
    const Node *list = node_builder_end(b);
    assert_int_equal(list->mark.line, 7);
    assert_int_equal(list->n, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(list->items[i]->integer, i);
}

static void builder_may_be_given_up(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(node_builder_freep) NodeBuilder *b = node_builder_new(arena, NODE_MAP, (Mark){0});
    for (int i = 0; i < 40; i++)
        node_builder_add(b, arena_printf(arena, "%d", i), (Mark){0}, node_null());
    node_builder_free(NULL);
}

static void sorts_entries_by_bytes(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    NodeBuilder *b = node_builder_new(arena, NODE_MAP, (Mark){0});
    const char *const keys[] = {"b", "\xc3\xa9", "B", "a"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        node_builder_add(b, keys[i], (Mark){0}, node_null());
    CLEANUP(freep) const NodeEntry **sorted = node_sorted_entries(node_builder_end(b));
    assert_string_equal(sorted[0]->key, "B");
    assert_string_equal(sorted[1]->key, "a");
    assert_string_equal(sorted[3]->key, "\xc3\xa9");
}

static void names_types_for_messages(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    assert_string_equal(node_type_name(NULL), "nothing");
    assert_string_equal(node_type_name(node_int(arena, 1)), "a number");
    assert_string_equal(node_type_name(numbered(arena, 1, false)), "a map");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_members_by_name),
        cmocka_unit_test(finds_nothing_in_what_is_no_map),
        cmocka_unit_test(gives_text_of_strings_alone),
        cmocka_unit_test(copies_the_text_of_strings),
        cmocka_unit_test(maps_equal_without_regard_to_order),
        cmocka_unit_test(maps_with_other_values_differ),
        cmocka_unit_test(lists_equal_in_order_alone),
        cmocka_unit_test(integers_equal_doubles_of_the_same_value),
        cmocka_unit_test(scalars_of_other_types_differ),
        cmocka_unit_test(no_node_equals_null),
        cmocka_unit_test(builder_finds_what_was_added),
        cmocka_unit_test(builder_keeps_the_order_and_the_place),
        cmocka_unit_test(builder_may_be_given_up),
        cmocka_unit_test(sorts_entries_by_bytes),
        cmocka_unit_test(names_types_for_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
