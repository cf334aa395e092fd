#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/json-write.h"
#include "data/yaml-read.h"

#define FILE_NAME "f.yaml"

static char *shown(const char *text, size_t size, bool problems_only)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(problems_freep) Problems *problems = problems_new();
    Str out = {0};
    problems_add_source(problems, FILE_NAME, text, size);
    const Node *documents = yaml_read(arena, FILE_NAME, text, size, problems);
    problems_forget_source(problems, FILE_NAME);
    problems_format(problems, false, &out);
    if (!problems_only && problems_count(problems) == 0)
        json_write_node(&out, documents);
    return str_take(&out);
}

/* The documents as JSON, or the problems. */
static void assert_read(const char *text, const char *expected)
{
    CLEANUP(freep) char *out = shown(text, strlen(text), false);
    assert_string_equal(out, expected);
}

/* The problems as people see them. */
static void assert_problem(const char *text, const char *expected)
{
    CLEANUP(freep) char *out = shown(text, strlen(text), true);
    assert_string_equal(out, expected);
}

static void assert_first(const char *text, const char *expected)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(problems_freep) Problems *problems = problems_new();
    yaml_read(arena, FILE_NAME, text, strlen(text), problems);
    const char *first = problems_first(problems);
    assert_non_null(first);
    assert_string_equal(first, expected);
}

static const Node *read_well(Arena *arena, const char *text)
{
    CLEANUP(problems_freep) Problems *problems = problems_new();
    const Node *documents = yaml_read(arena, FILE_NAME, text, strlen(text), problems);
    assert_null(problems_first(problems));
    return documents;
}

static void reads_all_documents(void **state)
{
    (void)state;
    assert_read("a: 1\n---\n- b\n- {c: [d]}\n--- e\n", "[{\"a\":\"1\"},[\"b\",{\"c\":[\"d\"]}],\"e\"]");
}

static void skips_documents_without_content(void **state)
{
    (void)state;
    assert_read("", "[]");
    assert_read("# nothing\n", "[]");
    assert_read("---\n---\n# c\n---\na: 1\n...\n---\n", "[{\"a\":\"1\"}]");
}

static void reads_every_scalar_as_text(void **state)
{
    (void)state;
    assert_read("[yes, 010, ~, 1e3, 0x10, 2026-12-01]", "[[\"yes\",\"010\",\"~\",\"1e3\",\"0x10\",\"2026-12-01\"]]");
}

static void tells_plain_scalars_from_others(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *list = read_well(arena, "[null, 'null', \"null\", !!str null, !!null null, ]")->items[0];
    const bool plain[] = {true, false, false, false, true};
    assert_int_equal(list->n, ARRAY_SIZE(plain));
    for (uint32_t i = 0; i < list->n; i++)
        assert_int_equal(list->items[i]->plain, plain[i]);
}

static void an_absent_value_is_a_plain_empty_text(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *value = node_get(read_well(arena, "a:\n")->items[0], "a");
    assert_true(value->plain);
    assert_string_equal(value->text, "");
}

static void marks_keys_and_values(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *map = read_well(arena, "# c\na: 1\n\xc3\xa9\xc3\xa9: {b:   2}\n")->items[0];
    const NodeEntry *inner = node_entry(map->entries[1].value, "b");
    assert_int_equal(map->mark.line, 2);
    assert_int_equal(map->mark.column, 1);
    assert_int_equal(map->entries[0].value->mark.column, 4);
    assert_int_equal(inner->mark.line, 3);
    assert_int_equal(inner->mark.column, 6);
    assert_int_equal(inner->value->mark.column, 11);
}

static void reads_behind_a_byte_order_mark(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *map = read_well(arena, "\xef\xbb\xbf"
                                       "a: 1\n")
                          ->items[0];
    assert_string_equal(map->entries[0].key, "a");
    assert_int_equal(map->entries[0].mark.column, 1);
}

static void aliases_share_the_node(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *map = read_well(arena, "a: &x {b: 1}\nc: *x\n")->items[0];
    assert_ptr_equal(node_get(map, "a"), node_get(map, "c"));
}

static void an_anchor_may_be_given_again(void **state)
{
    (void)state;
    assert_read("[&x 1, *x, &x 2, *x]", "[[\"1\",\"1\",\"2\",\"2\"]]");
}

static void an_alias_may_be_a_key(void **state)
{
    (void)state;
    assert_read("- &k a\n- {*k : 1}\n", "[[\"a\",{\"a\":\"1\"}]]");
}

static void anchors_end_with_their_document(void **state)
{
    (void)state;
    assert_problem("a: &x 1\n---\nb: *x\n",
                   "f.yaml:3:4: error: the alias *x has no anchor &x before it in this document\n"
                   "    3 | b: *x\n      |    ^\n");
}

static void merges_a_map(void **state)
{
    (void)state;
    assert_read("- &m {a: 1, b: 2}\n- {<<: *m, c: 3}\n",
                "[[{\"a\":\"1\",\"b\":\"2\"},{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}]]");
}

static void explicit_keys_win_over_merged_ones(void **state)
{
    (void)state;
    assert_read("{a: 1, <<: {a: 2, b: 2}, b: 3}", "[{\"a\":\"1\",\"b\":\"3\"}]");
}

static void the_first_of_several_merged_maps_wins(void **state)
{
    (void)state;
    assert_read("<<: [{a: 1}, {a: 2, b: 2}]", "[{\"a\":\"1\",\"b\":\"2\"}]");
}

static void merged_maps_carry_on_what_they_merged(void **state)
{
    (void)state;
    assert_read("[&a {x: 1}, &b {<<: *a, y: 2}, {<<: *b}]",
                "[[{\"x\":\"1\"},{\"x\":\"1\",\"y\":\"2\"},{\"x\":\"1\",\"y\":\"2\"}]]");
}

static void merged_entries_keep_their_place(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *map = read_well(arena, "x: &m\n  a: 1\ny: {<<: *m}\n")->items[0];
    assert_int_equal(node_entry(node_get(map, "y"), "a")->mark.line, 2);
}

static void quoted_merge_is_an_ordinary_key(void **state)
{
    (void)state;
    assert_read("{\"<<\": 1, <<: {a: 2}}", "[{\"<<\":\"1\",\"a\":\"2\"}]");
}

static void refuses_to_merge_what_is_no_map(void **state)
{
    (void)state;
    assert_problem("<<: 1\n", "f.yaml:1:5: error: \"<<\" takes a map or a list of maps, not a string\n"
                              "    1 | <<: 1\n      |     ^\n");
    assert_first("<<: [1]\n", "f.yaml:1:5: \"<<\" takes a map or a list of maps, not a list of other things");
}

static void refuses_a_second_merge(void **state)
{
    (void)state;
    assert_first("<<: {a: 1}\n<<: {b: 1}\n", "f.yaml:2:1: duplicate key \"<<\" (first on line 1, column 1)");
}

static void refuses_duplicate_keys(void **state)
{
    (void)state;
    assert_problem("a: 1\nb: 2\n'a': 3\n", "f.yaml:3:1: error: duplicate key \"a\" (first on line 1, column 1)\n"
                                           "    3 | 'a': 3\n      | ^\n");
}

static void refuses_duplicate_keys_of_large_maps(void **state)
{
    (void)state;
    CLEANUP(str_done) Str text = {0};
    for (int i = 0; i < 1000; i++)
        str_addf(&text, "k%d: 1\n", i);
    str_add(&text, "k500: 1\n");
    assert_first(str_get(&text), "f.yaml:1001:1: duplicate key \"k500\" (first on line 501, column 1)");
}

static void reads_on_after_a_document_with_a_problem(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(problems_freep) Problems *problems = problems_new();
    const char *text = "a: 1\na: 2\n---\nb: 1\n---\nc: !x 1\n---\nd: 1\n";
    const Node *documents = yaml_read(arena, FILE_NAME, text, strlen(text), problems);
    assert_int_equal(problems_errors(problems), 2);
    assert_int_equal(documents->n, 2);
    assert_string_equal(documents->items[1]->entries[0].key, "d");
}

static void keeps_what_stood_before_a_syntax_error(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(problems_freep) Problems *problems = problems_new();
    const char *text = "a: 1\n---\nb: 1\nb: 2\n---\n]\n---\nc: 1\n";
    const Node *documents = yaml_read(arena, FILE_NAME, text, strlen(text), problems);
    assert_int_equal(problems_errors(problems), 2);
    assert_int_equal(documents->n, 1);
}

static void refuses_keys_that_are_no_scalars(void **state)
{
    (void)state;
    assert_problem("{a: 1, [b]: 2}", "f.yaml:1:8: error: a key must be a string, not a list\n"
                                     "    1 | {a: 1, [b]: 2}\n      |        ^\n");
    assert_first("? {b: 1}\n: 2\n", "f.yaml:1:3: a key must be a string, not a map");
}

static void refuses_empty_and_overlong_keys(void **state)
{
    (void)state;
    CLEANUP(str_done) Str text = {0};
    assert_first("'': 1\n", "f.yaml:1:1: a key must not be empty");
    str_addf(&text, "? %01024d\n: 1\n", 0);
    CLEANUP(freep) char *well = shown(text.data, text.len, true);
    assert_string_equal(well, "");
    str_clear(&text);
    str_addf(&text, "? %01025d\n: 1\n", 0);
    assert_first(text.data, "f.yaml:1:3: a key must not be longer than 1024 bytes");
}

static void refuses_a_nul_in_a_text(void **state)
{
    (void)state;
    assert_problem("a: \"x\\0y\"\n", "f.yaml:1:4: error: a NUL character must not stand in a text\n"
                                     "    1 | a: \"x\\0y\"\n      |    ^\n");
}

static void refuses_raw_control_characters(void **state)
{
    (void)state;
    assert_problem("a: b\nc: \x01\n", "f.yaml:2:4: error: control characters are not allowed; the rest was not read\n"
                                      "    2 | c: ?\n      |    ^\n");
    CLEANUP(freep) char *nul = shown("a: \0", 4, true);
    assert_non_null(strstr(nul, "f.yaml:1:4: error: control characters are not allowed"));
}

static void refuses_what_is_not_utf8(void **state)
{
    (void)state;
    assert_problem("a: \xff\n", "f.yaml:1:4: error: the text is not UTF-8; the rest was not read\n"
                                "    1 | a: ?\n      |    ^\n");
    assert_first("\xff\xfe"
                 "a",
                 "f.yaml:1:1: the text is not UTF-8; the rest was not read");
}

static void takes_core_tags_where_they_fit(void **state)
{
    (void)state;
    assert_read("!!map {a: !!seq [!!str 1, !!int 2, !!float 3, !!bool true, !!null ~, ! x]}",
                "[{\"a\":[\"1\",\"2\",\"3\",\"true\",\"~\",\"x\"]}]");
}

static void refuses_other_tags(void **state)
{
    (void)state;
    assert_problem("a: !foo x\n",
                   "f.yaml:1:4: error: the tag !foo cannot be used on a scalar; only !!str, !!int, !!float, "
                   "!!bool, !!null can\n    1 | a: !foo x\n      |    ^\n");
    assert_first("a: !<x:y> []", "f.yaml:1:4: the tag !<x:y> cannot be used on a list; only !!seq can");
    assert_first("a: !!str {b: 1}", "f.yaml:1:4: the tag !!str cannot be used on a map; only !!map can");
}

static void refuses_an_alias_inside_its_own_anchor(void **state)
{
    (void)state;
    assert_problem("&x {b: *x}\n", "f.yaml:1:8: error: the alias *x stands inside what its own anchor names\n"
                                   "    1 | &x {b: *x}\n      |        ^\n");
    assert_first("&x {<<: *x}\n", "f.yaml:1:9: the alias *x stands inside what its own anchor names");
}

static void refuses_alias_bombs(void **state)
{
    (void)state;
    assert_first("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                 "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e]\n",
                 "f.yaml:6:5: the aliases of this file stand for more than 100000 values; the rest was not read");
}

static void counts_what_is_merged_as_aliased(void **state)
{
    (void)state;
    CLEANUP(str_done) Str text = {0};
    str_add(&text, "a: &a {");
    for (int i = 0; i < 999; i++)
        str_addf(&text, "k%d: x, ", i);
    str_add(&text, "}\nb:\n");
    for (int i = 0; i < 60; i++)
        str_add(&text, "- {<<: *a}\n");
    assert_first(text.data,
                 "f.yaml:53:8: the aliases of this file stand for more than 100000 values; the rest was not read");
}

static void refuses_deep_nesting(void **state)
{
    (void)state;
    char text[140];
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    text[128] = 0;
    assert_problem(text, "");
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    text[130] = 0;
    assert_first(text, "f.yaml:1:65: lists and maps are nested deeper than 64; the rest was not read");
}

static void refuses_deep_nesting_by_aliases(void **state)
{
    (void)state;
    assert_first("a: &a [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\nb: &b [[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]\n"
                 "c: &c [[[[[[[[[[[[[[[[[[[[*b]]]]]]]]]]]]]]]]]]]]\nd: [[[[*c]]]]\n",
                 "f.yaml:4:8: the alias *c nests lists and maps deeper than 64; the rest was not read");
}

static void refuses_large_files(void **state)
{
    (void)state;
    size_t size = YAML_SIZE_MAX + 1;
    CLEANUP(freep) char *text = xcalloc(size, 1);
    memset(text, ' ', size);
    CLEANUP(freep) char *well = shown(text, size - 1, true);
    assert_string_equal(well, "");
    CLEANUP(freep) char *out = shown(text, size, true);
    assert_string_equal(out, "f.yaml: error: the file is larger than 4 MiB\n");
}

static void refuses_many_tag_directives(void **state)
{
    (void)state;
    CLEANUP(str_done) Str text = {0};
    for (int i = 0; i < 65; i++)
        str_addf(&text, "%%TAG !a%d! x\n", i);
    str_add(&text, "--- a\n");
    assert_first(text.data, "f.yaml: the file has more than 64 %TAG directives");
}

static void explains_tabs(void **state)
{
    (void)state;
    assert_problem("a:\n\tb: c\n",
                   "f.yaml:2:1: error: found character that cannot start any token, while scanning for the "
                   "next token; YAML is indented with spaces, never with tabs\n"
                   "    2 | \tb: c\n      | ^\n");
}

static void explains_characters_that_need_quotes(void **state)
{
    (void)state;
    assert_problem("a: @x\n",
                   "f.yaml:1:4: error: found character that cannot start any token, while scanning for the next "
                   "token; put quotes around a text that begins with it\n"
                   "    1 | a: @x\n      |    ^\n");
    assert_first("a: b: c\n",
                 "f.yaml:1:5: mapping values are not allowed in this context; is the indentation right, or does "
                 "a text with \": \" in it need quotes?");
}

static void says_where_the_broken_thing_began(void **state)
{
    (void)state;
    assert_problem("a: [1, 2\nb: 3\n",
                   "f.yaml:2:2: error: did not find expected ',' or ']', while parsing a flow sequence "
                   "that began on line 1\n"
                   "    2 | b: 3\n      |  ^\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_documents),
        cmocka_unit_test(skips_documents_without_content),
        cmocka_unit_test(reads_every_scalar_as_text),
        cmocka_unit_test(tells_plain_scalars_from_others),
        cmocka_unit_test(an_absent_value_is_a_plain_empty_text),
        cmocka_unit_test(marks_keys_and_values),
        cmocka_unit_test(reads_behind_a_byte_order_mark),
        cmocka_unit_test(aliases_share_the_node),
        cmocka_unit_test(an_anchor_may_be_given_again),
        cmocka_unit_test(an_alias_may_be_a_key),
        cmocka_unit_test(anchors_end_with_their_document),
        cmocka_unit_test(merges_a_map),
        cmocka_unit_test(explicit_keys_win_over_merged_ones),
        cmocka_unit_test(the_first_of_several_merged_maps_wins),
        cmocka_unit_test(merged_maps_carry_on_what_they_merged),
        cmocka_unit_test(merged_entries_keep_their_place),
        cmocka_unit_test(quoted_merge_is_an_ordinary_key),
        cmocka_unit_test(refuses_to_merge_what_is_no_map),
        cmocka_unit_test(refuses_a_second_merge),
        cmocka_unit_test(refuses_duplicate_keys),
        cmocka_unit_test(refuses_duplicate_keys_of_large_maps),
        cmocka_unit_test(reads_on_after_a_document_with_a_problem),
        cmocka_unit_test(keeps_what_stood_before_a_syntax_error),
        cmocka_unit_test(refuses_keys_that_are_no_scalars),
        cmocka_unit_test(refuses_empty_and_overlong_keys),
        cmocka_unit_test(refuses_a_nul_in_a_text),
        cmocka_unit_test(refuses_raw_control_characters),
        cmocka_unit_test(refuses_what_is_not_utf8),
        cmocka_unit_test(takes_core_tags_where_they_fit),
        cmocka_unit_test(refuses_other_tags),
        cmocka_unit_test(refuses_an_alias_inside_its_own_anchor),
        cmocka_unit_test(refuses_alias_bombs),
        cmocka_unit_test(counts_what_is_merged_as_aliased),
        cmocka_unit_test(refuses_deep_nesting),
        cmocka_unit_test(refuses_deep_nesting_by_aliases),
        cmocka_unit_test(refuses_large_files),
        cmocka_unit_test(refuses_many_tag_directives),
        cmocka_unit_test(explains_tabs),
        cmocka_unit_test(explains_characters_that_need_quotes),
        cmocka_unit_test(says_where_the_broken_thing_began),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
