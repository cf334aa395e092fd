#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "data/json-read.h"
#include "data/json-write.h"

static void assert_written(const Node *node, const char *expected)
{
    CLEANUP(str_done) Str out = {0};
    json_write_node(&out, node);
    assert_string_equal(str_get(&out), expected);
}

static void assert_text(const char *text, const char *expected)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    assert_written(node_string(arena, text), expected);
}

static void assert_double(double value, const char *expected)
{
    const Node node = {.type = NODE_DOUBLE, .number = value};
    assert_written(&node, expected);
}

/* What is written for `text` once it was read. */
static void assert_canonical(const char *text, const char *expected)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *node = NULL;
    assert_int_equal(json_read(arena, text, strlen(text), &node, NULL), 0);
    assert_written(node, expected);
}

static void sorts_keys_by_bytes(void **state)
{
    (void)state;
    assert_canonical("{\"b\":1, \"\xc3\xa9\":2, \"B\":3, \"a\":{\"z\":1,\"y\":2}}",
                     "{\"B\":3,\"a\":{\"y\":2,\"z\":1},\"b\":1,\"\xc3\xa9\":2}");
}

static void writes_nested_values_without_space(void **state)
{
    (void)state;
    assert_canonical("[ 1 , [ ] , { } , [ null , true , false ] ]", "[1,[],{},[null,true,false]]");
}

static void writes_no_node_as_null(void **state)
{
    (void)state;
    assert_written(NULL, "null");
}

static void escapes_as_little_as_can_be(void **state)
{
    (void)state;
    assert_text("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
    assert_text("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
    assert_text("\x01\x1f\x7f", "\"\\u0001\\u001F\x7f\"");
}

static void keeps_utf8_as_it_is(void **state)
{
    (void)state;
    assert_text("\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\"");
}

static void replaces_bytes_that_are_not_utf8(void **state)
{
    (void)state;
    assert_text("a\xff"
                "b\xc3",
                "\"a\xef\xbf\xbd"
                "b\xef\xbf\xbd\"");
    assert_text("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void writes_integers_exactly(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    assert_written(node_int(arena, INT64_MAX), "9223372036854775807");
    assert_written(node_int(arena, INT64_MIN), "-9223372036854775808");
    assert_written(node_int(arena, 9007199254740991), "9007199254740991");
}

static void writes_doubles_with_the_fewest_digits(void **state)
{
    (void)state;
    assert_double(0.1, "0.1");
    assert_double(0.1 + 0.2, "0.30000000000000004");
    assert_double(1e300, "1e+300");
    assert_double(-1.5e-7, "-1.5e-07");
}

static void writes_whole_doubles_like_integers(void **state)
{
    (void)state;
    assert_double(1.0, "1");
    assert_double(100.0, "100");
    assert_double(-0.0, "0");
}

static void writes_what_is_no_number_as_null(void **state)
{
    (void)state;
    assert_double(INFINITY, "null");
    assert_double(NAN, "null");
}

static void minds_no_locale(void **state)
{
    (void)state;
    /* Which of them a machine has is not known; without any this shows nothing. */
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8"))
        setlocale(LC_NUMERIC, "fr_FR.UTF-8");
    assert_double(0.5, "0.5");
    assert_non_null(setlocale(LC_NUMERIC, "C"));
}

static void same_value_gives_same_bytes(void **state)
{
    (void)state;
    assert_canonical("{\"a\":1.0,\"b\":\"\\u00e9\"}", "{\"a\":1,\"b\":\"\xc3\xa9\"}");
    assert_canonical("{\"b\":\"\xc3\xa9\", \"a\":1}", "{\"a\":1,\"b\":\"\xc3\xa9\"}");
}

static void writer_puts_commas_between_values(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(str_done) Str out = {0};
    JsonWriter w = {.out = &out};
    json_begin_object(&w, NULL);
    json_text(&w, "name", "x");
    json_text(&w, "none", NULL);
    json_begin_array(&w, "list");
    json_integer(&w, NULL, -5);
    json_begin_object(&w, NULL);
    json_end_object(&w);
    json_boolean(&w, NULL, true);
    json_end_array(&w);
    json_real(&w, "seconds", 1.25, 1);
    json_node(&w, "node", node_int(arena, 7));
    json_boolean(&w, "no", false);
    json_end_object(&w);
    assert_string_equal(str_get(&out), "{\"name\":\"x\",\"none\":null,\"list\":[-5,{},true],\"seconds\":1.2,\"node\":7,"
                                       "\"no\":false}");
}

static void writer_escapes_keys(void **state)
{
    (void)state;
    CLEANUP(str_done) Str out = {0};
    JsonWriter w = {.out = &out};
    json_begin_object(&w, NULL);
    json_integer(&w, "a\"\n", 1);
    json_end_object(&w);
    assert_string_equal(str_get(&out), "{\"a\\\"\\n\":1}");
}

static void writer_has_no_infinite_reals(void **state)
{
    (void)state;
    CLEANUP(str_done) Str out = {0};
    JsonWriter w = {.out = &out};
    json_real(&w, NULL, INFINITY, 3);
    assert_string_equal(str_get(&out), "null");
}

static void a_terminal_gets_escapes_that_mean_the_same(void **state)
{
    (void)state;
    CLEANUP(freep)
    char *text =
        json_for_terminal("{\"a\xc2\x9b\":\"\x7f\xe2\x80\xae\xef\xbb\xbf \xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xa9\\n\"}");
    assert_string_equal(text, "{\"a\\u009B\":\"\\u007F\\u202E\\uFEFF \xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xa9\\n\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_keys_by_bytes),
        cmocka_unit_test(writes_nested_values_without_space),
        cmocka_unit_test(writes_no_node_as_null),
        cmocka_unit_test(escapes_as_little_as_can_be),
        cmocka_unit_test(keeps_utf8_as_it_is),
        cmocka_unit_test(replaces_bytes_that_are_not_utf8),
        cmocka_unit_test(writes_integers_exactly),
        cmocka_unit_test(writes_doubles_with_the_fewest_digits),
        cmocka_unit_test(writes_whole_doubles_like_integers),
        cmocka_unit_test(writes_what_is_no_number_as_null),
        cmocka_unit_test(minds_no_locale),
        cmocka_unit_test(same_value_gives_same_bytes),
        cmocka_unit_test(writer_puts_commas_between_values),
        cmocka_unit_test(writer_escapes_keys),
        cmocka_unit_test(writer_has_no_infinite_reals),
        cmocka_unit_test(a_terminal_gets_escapes_that_mean_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
