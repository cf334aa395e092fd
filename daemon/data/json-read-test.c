#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "data/json-read.h"

static const Node *read_well(Arena *arena, const char *text)
{
    const Node *node = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    int r = json_read(arena, text, strlen(text), &node, &err);
    if (r < 0)
        fail_msg("%s: %s", text, err->message);
    return node;
}

static void assert_refused_bytes(const char *text, size_t size, const char *message)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(error_freep) Error *err = NULL;
    const Node *node = NULL;
    assert_int_equal(json_read(arena, text, size, &node, &err), -1);
    assert_null(node);
    assert_int_equal(err->kind, ERROR_PROTOCOL);
    assert_string_equal(err->message, message);
}

static void assert_refused(const char *text, const char *message)
{
    assert_refused_bytes(text, strlen(text), message);
}

static JsonPage *page_of(const char *text, const char *member)
{
    JsonPage *page = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (json_page_parse(text, strlen(text), member, &page, &err) < 0)
        fail_msg("%s: %s", text, err->message);
    return page;
}

static const char *page_text(const JsonPage *page, const char *key)
{
    const char *text = "?";
    assert_int_equal(json_page_text(page, key, &text, NULL), 0);
    return text;
}

static void assert_page_refused(const char *text, const char *member, const char *message)
{
    JsonPage *page = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    assert_int_equal(json_page_parse(text, strlen(text), member, &page, &err), -1);
    assert_null(page);
    assert_string_equal(err->message, message);
}

static void reads_every_type(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *map =
        read_well(arena, " {\"n\":null,\"t\":true,\"i\":-5,\"d\":0.5,\"s\":\"x\",\"l\":[1],\"m\":{}} \r\n");
    assert_int_equal(map->n, 7);
    assert_int_equal(node_get(map, "n")->type, NODE_NULL);
    assert_true(node_get(map, "t")->boolean);
    assert_int_equal(node_get(map, "i")->integer, -5);
    assert_true(node_get(map, "d")->number == 0.5);
    assert_string_equal(node_get_text(map, "s"), "x");
    assert_int_equal(node_get(map, "l")->items[0]->integer, 1);
    assert_int_equal(node_get(map, "m")->type, NODE_MAP);
}

static void needs_no_nul_at_the_end(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *node = NULL;
    CLEANUP(freep) char *text = xmalloc(3); /* the sanitizer sees a read beyond it */
    memcpy(text, "[12", 3);
    assert_int_equal(json_read(arena, text, 3, &node, NULL), -1);
    memcpy(text, "125", 3);
    assert_int_equal(json_read(arena, text, 3, &node, NULL), 0);
    assert_int_equal(node->integer, 125);
}

static void decodes_escapes(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    assert_string_equal(read_well(arena, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\ude00\"")->text,
                        "\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80");
}

static void minds_the_case_of_names(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *map = read_well(arena, "{\"Status\":1,\"status\":2}");
    assert_int_equal(node_get(map, "status")->integer, 2);
}

static void refuses_duplicate_keys(void **state)
{
    (void)state;
    assert_refused("{\"a\":1,\"b\":2,\"a\":3}", "duplicate key 'a'");
    assert_refused("[{\"tags\":{\"x\":1,\"\\u0078\":2}}]", "duplicate key 'x' in 'tags'");
}

static void refuses_trailing_bytes(void **state)
{
    (void)state;
    assert_refused("{} x", "invalid JSON at byte 3: bytes behind the end, near '{} x'");
    assert_refused("[1][2]", "invalid JSON at byte 3: bytes behind the end, near '[1][2]'");
}

static void refuses_nothing(void **state)
{
    (void)state;
    assert_refused("", "invalid JSON: empty");
    assert_refused("  ", "invalid JSON at byte 1: syntax error, near '  '");
}

static void refuses_nuls(void **state)
{
    (void)state;
    assert_refused("\"a\\u0000b\"", "invalid JSON at byte 2: \\u0000 in a string, near '\"a\\u0000b\"'");
    assert_refused_bytes("\"a\0b\"", 5, "invalid JSON at byte 2: control character in a string, near '\"a?b\"'");
    assert_refused_bytes("1\0", 2, "invalid JSON at byte 1: unexpected character, near '1?'");
}

static void refuses_control_characters(void **state)
{
    (void)state;
    assert_refused("\"a\nb\"", "invalid JSON at byte 2: control character in a string, near '\"a?b\"'");
    assert_refused("[\x01]", "invalid JSON at byte 1: unexpected character, near '[?]'");
}

static void refuses_what_is_not_utf8(void **state)
{
    (void)state;
    const char *const bad[] = {"\"12345678\xff\"", "\"12345678\xc0\x80\"", "\"12345678\xed\xa0\x80\"",
                               "\"12345678\xf4\x90\x80\x80\"", "\"12345678\xe2\x82"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(error_freep) Error *err = NULL;
        const Node *node = NULL;
        assert_int_equal(json_read(arena, bad[i], strlen(bad[i]), &node, &err), -1);
        assert_true(starts_with(err->message, "invalid JSON at byte 9: invalid UTF-8"));
    }
}

static void refuses_broken_escapes(void **state)
{
    (void)state;
    assert_refused("\"\\q\"", "invalid JSON at byte 1: unknown escape, near '\"\\q\"'");
    assert_refused("\"\\u12g4\"", "invalid JSON at byte 1: \\u without four hexadecimal digits, near '\"\\u12g4\"'");
    assert_refused("\"\\", "invalid JSON at byte 1: unknown escape, near '\"\\'");
    assert_refused("\"\\ud800\"", "invalid JSON at byte 1: syntax error, near '\"\\ud800\"'");
}

static void refuses_unended_texts(void **state)
{
    (void)state;
    assert_refused("[\"abc", "invalid JSON at byte 5: unended string, near '[\"abc'");
    assert_refused("[1,", "invalid JSON at byte 2: syntax error, near '[1,'");
}

static void refuses_trailing_commas(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *node = NULL;
    assert_int_equal(json_read(arena, "[1,]", 4, &node, NULL), -1);
    assert_int_equal(json_read(arena, "{\"a\":1,}", 8, &node, NULL), -1);
}

static void refuses_malformed_numbers(void **state)
{
    (void)state;
    const char *const bad[] = {"007", "1.", "-", "-a", "1e", "1e+", "1.2.3", "1+1", "-01", "0x10", "+1", ".5"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        const Node *node = NULL;
        if (json_read(arena, bad[i], strlen(bad[i]), &node, NULL) == 0)
            fail_msg("%s was read", bad[i]);
    }
    assert_refused("[007]", "invalid JSON at byte 1: malformed number, near '[007]'");
}

static void keeps_integers_below_2_53_exact(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *list = read_well(arena, "[9007199254740991,-9007199254740991,1.0,5e9,-0]");
    const int64_t expected[] = {9007199254740991, -9007199254740991, 1, 5000000000, 0};
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        assert_int_equal(list->items[i]->type, NODE_INT);
        assert_true(list->items[i]->integer == expected[i]);
    }
}

static void refuses_numbers_that_would_change(void **state)
{
    (void)state;
    assert_refused("{\"size\":9007199254740993}", "integer of 2^53 or more, which would be changed in 'size'");
    assert_refused("-9007199254740992", "integer of 2^53 or more, which would be changed");
    assert_refused("[1e999]", "number out of range");
}

static void refuses_deep_nesting(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    char text[131];
    const Node *node = NULL;
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    assert_int_equal(json_read(arena, text + 1, 128, &node, NULL), 0);
    CLEANUP(error_freep) Error *err = NULL;
    assert_int_equal(json_read(arena, text, 130, &node, &err), -1);
    assert_true(starts_with(err->message, "invalid JSON at byte 64: nesting deeper than 64"));
}

static void shows_little_of_the_text(void **state)
{
    (void)state;
    assert_refused("[\"0123456789012345678901234567890123456789\", \x01 \"0123456789012345678901234567890123456789\"]",
                   "invalid JSON at byte 45: unexpected character, near '34567890123456789\", ? \"01234567890123456'");
    CLEANUP(str_done) Str text = {0};
    str_addf(&text, "{\"%0500d\":1,\"%0500d\":2}", 0, 0);
    assert_refused(text.data, "duplicate key '0000000000000000000000000000000000000000'");
}

static void goes_through_the_items_of_a_page(void **state)
{
    (void)state;
    CLEANUP(json_page_freep)
    JsonPage *page = page_of("{\"images\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"next\":\"/v2?m=b\"}", "images");
    const JsonItem *item = json_page_next(page, NULL);
    assert_string_equal(json_item_text(item, "id"), "a");
    item = json_page_next(page, item);
    assert_string_equal(json_item_text(item, "id"), "b");
    assert_null(json_page_next(page, item));
    assert_string_equal(page_text(page, "next"), "/v2?m=b");
    assert_null(page_text(page, "Next"));
    assert_int_equal(json_page_text(page, "images", &(const char *){NULL}, NULL), -1);
}

static void a_page_may_be_a_bare_list(void **state)
{
    (void)state;
    CLEANUP(json_page_freep) JsonPage *page = page_of("[{\"id\":\"a\"}, 5]", NULL);
    const JsonItem *item = json_page_next(page, NULL);
    assert_string_equal(json_item_text(item, "id"), "a");
    assert_null(json_item_text(json_page_next(page, item), "id"));
    assert_null(page_text(page, "next"));
}

static void a_page_may_be_empty(void **state)
{
    (void)state;
    CLEANUP(json_page_freep) JsonPage *page = page_of("[]", NULL);
    assert_null(json_page_next(page, NULL));
    json_page_free(NULL);
}

static void refuses_pages_of_another_form(void **state)
{
    (void)state;
    assert_page_refused("[]", "images", "not an object with \"images\"");
    assert_page_refused("{\"Images\":[]}", "images", "\"images\" is missing");
    assert_page_refused("{\"images\":{}}", "images", "images is not a list");
    assert_page_refused("{}", NULL, "the answer is not a list");
    assert_page_refused("{\"images\":[],\"images\":[]}", "images", "duplicate key 'images'");
    assert_page_refused("[] []", NULL, "invalid JSON at byte 3: bytes behind the end, near '[] []'");
}

static void item_text_is_of_strings_alone(void **state)
{
    (void)state;
    CLEANUP(json_page_freep) JsonPage *page = page_of("[{\"a\":1,\"b\":null,\"Id\":\"x\"}]", NULL);
    const JsonItem *item = json_page_next(page, NULL);
    assert_null(json_item_text(item, "a"));
    assert_null(json_item_text(item, "b"));
    assert_null(json_item_text(item, "id"));
}

static void gives_members_as_nodes(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(json_page_freep) JsonPage *page = page_of("[{\"tags\":{\"a\":\"b\"},\"Tags\":1}]", NULL);
    const JsonItem *item = json_page_next(page, NULL);
    const Node *node = NULL;
    assert_int_equal(json_item_node(item, "tags", arena, &node, NULL), 0);
    assert_string_equal(node_get_text(node, "a"), "b");
    assert_int_equal(json_item_node(item, "absent", arena, &node, NULL), 0);
    assert_null(node);
    assert_int_equal(json_item_whole(item, arena, &node, NULL), 0);
    assert_int_equal(node->n, 2);
}

static void nodes_outlive_their_page(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *node = NULL;
    JsonPage *page = page_of("[{\"name\":\"x\"}]", NULL);
    assert_int_equal(json_item_whole(json_page_next(page, NULL), arena, &node, NULL), 0);
    json_page_free(page);
    assert_string_equal(node_get_text(node, "name"), "x");
}

static void checks_members_when_they_become_nodes(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(error_freep) Error *twice = NULL;
    CLEANUP(error_freep) Error *large = NULL;
    const Node *node = NULL;
    CLEANUP(json_page_freep) JsonPage *page = page_of("[{\"a\":1,\"b\":1e300,\"a\":2,\"c\":3}]", NULL);
    const JsonItem *item = json_page_next(page, NULL);
    assert_int_equal(json_item_node(item, "c", arena, &node, NULL), 0);
    assert_int_equal(json_item_node(item, "a", arena, &node, &twice), -1);
    assert_string_equal(twice->message, "duplicate key 'a'");
    assert_int_equal(json_item_node(item, "b", arena, &node, &large), -1);
    assert_string_equal(large->message, "integer of 2^53 or more, which would be changed in 'b'");
    assert_int_equal(json_item_whole(item, arena, &node, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type),
        cmocka_unit_test(needs_no_nul_at_the_end),
        cmocka_unit_test(decodes_escapes),
        cmocka_unit_test(minds_the_case_of_names),
        cmocka_unit_test(refuses_duplicate_keys),
        cmocka_unit_test(refuses_trailing_bytes),
        cmocka_unit_test(refuses_nothing),
        cmocka_unit_test(refuses_nuls),
        cmocka_unit_test(refuses_control_characters),
        cmocka_unit_test(refuses_what_is_not_utf8),
        cmocka_unit_test(refuses_broken_escapes),
        cmocka_unit_test(refuses_unended_texts),
        cmocka_unit_test(refuses_trailing_commas),
        cmocka_unit_test(refuses_malformed_numbers),
        cmocka_unit_test(keeps_integers_below_2_53_exact),
        cmocka_unit_test(refuses_numbers_that_would_change),
        cmocka_unit_test(refuses_deep_nesting),
        cmocka_unit_test(shows_little_of_the_text),
        cmocka_unit_test(goes_through_the_items_of_a_page),
        cmocka_unit_test(a_page_may_be_a_bare_list),
        cmocka_unit_test(a_page_may_be_empty),
        cmocka_unit_test(refuses_pages_of_another_form),
        cmocka_unit_test(item_text_is_of_strings_alone),
        cmocka_unit_test(gives_members_as_nodes),
        cmocka_unit_test(nodes_outlive_their_page),
        cmocka_unit_test(checks_members_when_they_become_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
