#include "config.h"

#include "../../tests/unit/helper.h"

#include "cloud/json-patch.h"

static const Node *node_of(Arena *arena, const char *json)
{
    const Node *node = NULL;
    assert_int_equal(json_read(arena, json, strlen(json), &node, NULL), 0);
    return node;
}

static void assert_patch(const char *live, const char *values, const char *remove_value, const char *expected)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(str_done) Str out = {0};
    json_patch_add(node_of(arena, live), node_of(arena, values), &(JsonPatchRules){.remove_value = remove_value}, &out);
    assert_string_equal(str_get(&out), expected);
}

static void what_is_there_is_replaced(void **state)
{
    (void)state;
    assert_patch("{\"name\":\"a\"}", "{\"name\":\"b\"}", NULL,
                 "[{\"op\":\"replace\",\"path\":\"/name\",\"value\":\"b\"}]");
    assert_patch("{\"name\":\"\"}", "{\"name\":\"b\"}", NULL,
                 "[{\"op\":\"replace\",\"path\":\"/name\",\"value\":\"b\"}]");
    assert_patch("{\"protected\":false,\"min_ram\":0}", "{\"protected\":true,\"min_ram\":1}", NULL,
                 "[{\"op\":\"replace\",\"path\":\"/protected\",\"value\":true},"
                 "{\"op\":\"replace\",\"path\":\"/min_ram\",\"value\":1}]");
    assert_patch("{\"tags\":{}}", "{\"tags\":[]}", NULL, "[{\"op\":\"replace\",\"path\":\"/tags\",\"value\":[]}]");
}

static void what_is_not_there_is_added(void **state)
{
    (void)state;
    assert_patch("{}", "{\"a\":\"1\"}", NULL, "[{\"op\":\"add\",\"path\":\"/a\",\"value\":\"1\"}]");
    assert_patch("{\"a\":null}", "{\"a\":\"1\"}", NULL, "[{\"op\":\"add\",\"path\":\"/a\",\"value\":\"1\"}]");
    assert_patch("{\"A\":\"1\"}", "{\"a\":\"1\"}", NULL, "[{\"op\":\"add\",\"path\":\"/a\",\"value\":\"1\"}]");
}

static void what_becomes_null_is_removed(void **state)
{
    (void)state;
    assert_patch("{\"a\":\"1\"}", "{\"a\":null}", NULL, "[{\"op\":\"remove\",\"path\":\"/a\"}]");
}

static void a_removal_has_a_value_only_where_one_is_given(void **state)
{
    (void)state;
    assert_patch(
        "{\"a\":\"1\",\"b\":\"2\"}", "{\"a\":null,\"b\":\"3\",\"c\":\"4\"}", "",
        "[{\"op\":\"remove\",\"path\":\"/a\",\"value\":\"\"},{\"op\":\"replace\",\"path\":\"/b\",\"value\":\"3\"},"
        "{\"op\":\"add\",\"path\":\"/c\",\"value\":\"4\"}]");
    assert_patch("{\"a\":\"1\"}", "{\"a\":null}", "x", "[{\"op\":\"remove\",\"path\":\"/a\",\"value\":\"x\"}]");
}

static void names_are_escaped_in_pointers(void **state)
{
    (void)state;
    assert_patch(
        "{\"a/b~c\":\"1\"}", "{\"a/b~c\":\"2\",\"~1\":\"3\",\"//\":\"4\"}", NULL,
        "[{\"op\":\"replace\",\"path\":\"/a~1b~0c\",\"value\":\"2\"},"
        "{\"op\":\"add\",\"path\":\"/~01\",\"value\":\"3\"},{\"op\":\"add\",\"path\":\"/~1~1\",\"value\":\"4\"}]");
    assert_patch("{}", "{\"q\\\"\\\\\":\"\\n\"}", NULL, "[{\"op\":\"add\",\"path\":\"/q\\\"\\\\\",\"value\":\"\\n\"}]");
}

static void operations_come_in_the_order_of_the_values(void **state)
{
    (void)state;
    assert_patch("{\"a\":\"1\",\"z\":\"1\"}", "{\"z\":\"2\",\"m\":\"2\",\"a\":null}", NULL,
                 "[{\"op\":\"remove\",\"path\":\"/a\"},{\"op\":\"replace\",\"path\":\"/z\",\"value\":\"2\"},"
                 "{\"op\":\"add\",\"path\":\"/m\",\"value\":\"2\"}]");
}

static void nothing_to_set_is_an_empty_patch(void **state)
{
    (void)state;
    assert_patch("{\"a\":\"1\"}", "{}", "", "[]");
}

static void an_empty_text_may_be_an_absent_one(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(str_done) Str out = {0};
    json_patch_add(node_of(arena, "{\"a\":\"\",\"b\":\"1\",\"c\":0}"),
                   node_of(arena, "{\"a\":\"2\",\"b\":\"2\",\"c\":2}"), &(JsonPatchRules){.empty_is_absent = true},
                   &out);
    assert_string_equal(str_get(&out), "[{\"op\":\"add\",\"path\":\"/a\",\"value\":\"2\"},"
                                       "{\"op\":\"replace\",\"path\":\"/b\",\"value\":\"2\"},"
                                       "{\"op\":\"replace\",\"path\":\"/c\",\"value\":2}]");
}

static void what_goes_makes_room_first(void **state)
{
    (void)state;
    assert_patch("{\"b\":\"1\"}", "{\"a\":\"2\",\"b\":null}", NULL,
                 "[{\"op\":\"remove\",\"path\":\"/b\"},{\"op\":\"add\",\"path\":\"/a\",\"value\":\"2\"}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_replaced),
        cmocka_unit_test(what_is_not_there_is_added),
        cmocka_unit_test(what_becomes_null_is_removed),
        cmocka_unit_test(a_removal_has_a_value_only_where_one_is_given),
        cmocka_unit_test(names_are_escaped_in_pointers),
        cmocka_unit_test(operations_come_in_the_order_of_the_values),
        cmocka_unit_test(an_empty_text_may_be_an_absent_one),
        cmocka_unit_test(what_goes_makes_room_first),
        cmocka_unit_test(nothing_to_set_is_an_empty_patch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
