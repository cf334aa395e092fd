#include "config.h"

#include "../../tests/unit/helper.h"

#include "attr/field.h"
#include "base/clock.h"
#include "data/yaml-read.h"

static const char *const colours[] = {"red", "green", "blue", NULL};
static const Field inner_fields[] = {
    {"until", .type = FIELD_TIME, .flags = FIELD_REQUIRED, .doc = "when it ends"},
    {"count", .type = FIELD_INT, .min = 0, .max = 9, .doc = "how many"},
    {0},
};
static const Field fields[] = {
    {"text", .type = FIELD_TEXT, .min = 2, .max = 4, .doc = "a text"},
    {"free", .type = FIELD_TEXT, .doc = "any text"},
    {"id", .type = FIELD_TEXT, .min = 1, .max = 20, .prefix = "ocid1.", .doc = "an id"},
    {"colour", .type = FIELD_ENUM, .values = colours, .doc = "a colour"},
    {"shade", .type = FIELD_ENUM, .flags = FIELD_FOLD, .values = colours, .doc = "a colour, in any case"},
    {"flag", .type = FIELD_BOOL, .doc = "yes or no"},
    {"number", .type = FIELD_INT, .min = -5, .max = 10, .doc = "a number"},
    {"wait", .type = FIELD_DURATION, .min = USEC_PER_SEC, .max = USEC_PER_HOUR, .doc = "a time span"},
    {"at", .type = FIELD_TIME, .doc = "a time"},
    {"tags", .type = FIELD_TAGS, .doc = "tags"},
    {"loose", .type = FIELD_TAGS, .flags = FIELD_NULLABLE, .doc = "tags that may have to be absent"},
    {"spaces", .type = FIELD_TAG_NAMESPACES, .flags = FIELD_NULLABLE, .doc = "defined tags"},
    {"removable", .type = FIELD_TEXT, .flags = FIELD_NULLABLE, .min = 1, .max = 4,
     .doc = "a text that may have to be absent"},
    {"list", .type = FIELD_TEXT_LIST, .min = 1, .max = 3, .doc = "texts"},
    {"map", .type = FIELD_MAP, .members = inner_fields, .doc = "a map"},
    {"maps", .type = FIELD_MAP_LIST, .members = inner_fields, .doc = "maps"},
    {"any", .type = FIELD_MAP, .doc = "any map"},
    {0},
};
static const Field strict_fields[] = {
    {"name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 5, .doc = "what it is called"},
    {"size", .type = FIELD_INT, .flags = FIELD_REQUIRED, .min = 1, .max = 5, .doc = "how large it is"},
    {0},
};

/* What was read, as JSON, or the messages, one a line. */
static char *result_of(const Field *table, const char *yaml)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(problems_freep) Problems *problems = problems_new();
    const Node *documents = yaml_read(arena, "f", yaml, strlen(yaml), problems);
    assert_int_equal(problems_count(problems), 0);
    const FieldReader reader = {arena, "f", problems};
    const Node *typed = fields_read(&reader, table, documents->items[0], "it");
    assert_int_equal(!typed, problems_errors(problems) > 0);
    Str out = {0};
    if (typed)
        json_write_node(&out, typed);
    else
        problems_format(problems, false, &out);
    return str_take(&out);
}

static void assert_reads(const char *yaml, const char *json)
{
    CLEANUP(freep) char *result = result_of(fields, yaml);
    assert_string_equal(result, json);
}

/* The only message. */
static void assert_says(const char *yaml, const char *message)
{
    CLEANUP(freep) char *result = result_of(fields, yaml), *expected = xasprintf(" error: %s\n", message);
    const char *error = strstr(result, " error: ");
    if (!error)
        fail_msg("%s was read: %s", yaml, result);
    assert_string_equal(error, expected);
}

static void texts_stay_as_they_are_written(void **state)
{
    (void)state;
    assert_reads("text: 010", "{\"text\":\"010\"}");
    assert_reads("text: yes", "{\"text\":\"yes\"}");
    assert_reads("text: 1e3", "{\"text\":\"1e3\"}");
    assert_reads("text: \"null\"", "{\"text\":\"null\"}");
    assert_reads("text: '~~'", "{\"text\":\"~~\"}");
}

static void lengths_count_characters_not_bytes(void **state)
{
    (void)state;
    assert_reads("text: \xc3\xa4\xf0\x9f\x9a\x80\xe6\x97\xa5\xc3\xa4",
                 "{\"text\":\"\xc3\xa4\xf0\x9f\x9a\x80\xe6\x97\xa5\xc3\xa4\"}");
    assert_says("text: \xc3\xa4", "text must have at least 2 characters; this has 1");
    assert_says("text: abcde", "text must have at most 4 characters; this has 5");
}

static void an_empty_text_is_written_with_quotes(void **state)
{
    (void)state;
    assert_reads("free: \"\"", "{\"free\":\"\"}");
    assert_says("free:", "free has no value; write \"\" for an empty text");
    assert_says("text:", "text has no value: write one, or leave it out");
    assert_says("text: \"\"", "text must not be empty");
}

static void a_text_is_no_list_and_no_map(void **state)
{
    (void)state;
    assert_says("text: [ab]", "text must be a single value, not a list");
    assert_says("text: {a: b}", "text must be a single value, not a map");
}

static void a_prefix_is_asked_for(void **state)
{
    (void)state;
    assert_reads("id: ocid1.image", "{\"id\":\"ocid1.image\"}");
    assert_says("id: image", "id must begin with \"ocid1.\", as this does not: \"image\"");
}

static void an_enum_is_one_of_its_words(void **state)
{
    (void)state;
    assert_reads("colour: red", "{\"colour\":\"red\"}");
    assert_reads("shade: RED", "{\"shade\":\"RED\"}");
    assert_says("colour: RED", "colour must be red, green or blue, not \"RED\"");
    assert_says("colour:", "colour has no value: write one, or leave it out");
}

static void true_and_false_are_written_so(void **state)
{
    (void)state;
    assert_reads("flag: true", "{\"flag\":true}");
    assert_reads("flag: false", "{\"flag\":false}");
    assert_says("flag: yes", "flag must be true or false, not \"yes\"");
    assert_says("flag: True", "flag must be true or false, not \"True\"");
}

static void numbers_are_whole_and_within_limits(void **state)
{
    (void)state;
    assert_reads("number: -5", "{\"number\":-5}");
    assert_reads("number: 010", "{\"number\":10}");
    assert_says("number: 11", "number must be -5 to 10, not 11");
    assert_says("number: -6", "number must be -5 to 10, not -6");
    assert_says("number: 99999999999999999999", "number must be -5 to 10, not 99999999999999999999");
    static const char *const bad[] = {"1.0", "1e0", "0x1", "+1", "--1", "1 2", "one", "\" 1\"", "\"\"", "\"-\""};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(freep) char *yaml = xasprintf("number: %s", bad[i]), *result = result_of(fields, yaml);
        assert_non_null(strstr(result, "number must be a whole number, not "));
    }
}

static void durations_have_units_and_limits(void **state)
{
    (void)state;
    assert_reads("wait: 1s", "{\"wait\":1000000}");
    assert_reads("wait: 60m", "{\"wait\":3600000000}");
    assert_says("wait: 5", "wait must be a duration such as 90s, 5m or 1h30m, not \"5\"");
    assert_says("wait: 999ms", "wait must be at least 1s, not 999ms");
    assert_says("wait: 61m", "wait must be at most 1h, not 61m");
}

static void times_are_rfc_3339(void **state)
{
    (void)state;
    assert_reads("at: 1970-01-01T01:00:01+01:00", "{\"at\":1000000}");
    assert_says("at: 2026-12-01", "at must be a time such as 2026-12-01T00:00:00Z, not \"2026-12-01\"");
}

static void tags_are_keys_with_texts(void **state)
{
    (void)state;
    assert_reads("tags: {a: 1, b: \"\", \"c:d/e\": \"null\"}",
                 "{\"tags\":{\"a\":\"1\",\"b\":\"\",\"c:d/e\":\"null\"}}");
    assert_reads("tags: {}", "{\"tags\":{}}");
    assert_says("tags: {a: [b]}", "tags.a must be a single value, not a list");
    assert_says("tags: {a: }", "tags.a has no value; write \"\" for an empty one");
    assert_says("loose: {a: }", "loose.a has no value; write \"\" for an empty one, or null if the key must be absent");
    assert_says("tags: x", "tags must be a map, not a string");
    assert_says("tags:", "tags has no value; it must be a map");
}

static void null_in_tags_is_only_where_a_key_can_be_absent(void **state)
{
    (void)state;
    assert_reads("loose: {a: null, b: ~, c: NULL, d: \"null\"}",
                 "{\"loose\":{\"a\":null,\"b\":null,\"c\":null,\"d\":\"null\"}}");
    assert_reads("spaces: {A: {b: ~}}", "{\"spaces\":{\"A\":{\"b\":null}}}");
    assert_says("tags: {a: null}", "tags.a cannot be null here: write a value");
}

static void tag_keys_follow_the_rule_of_the_api(void **state)
{
    (void)state;
    char key[102] = "";
    memset(key, 'k', 100);
    CLEANUP(freep) char *longest = xasprintf("tags: {%s: x}", key), *read = result_of(fields, longest);
    assert_non_null(strstr(read, key));
    assert_int_equal(read[0], '{');
    key[100] = 'k';
    CLEANUP(freep) char *longer = xasprintf("tags: {%s: x}", key), *refused = result_of(fields, longer);
    assert_non_null(strstr(refused, "cannot name a tag"));
    static const char *const bad[] = {"a.b", "a b", "\"a\\tb\"", "\xc3\xa4", "\"\\x7f\"", "\".\""};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(freep) char *tags = xasprintf("tags: {%s: x}", bad[i]), *spaces = xasprintf("spaces: {%s: {}}", bad[i]);
        CLEANUP(freep) char *in_tags = result_of(fields, tags), *in_spaces = result_of(fields, spaces);
        assert_non_null(strstr(in_tags, "cannot name a tag"));
        assert_non_null(strstr(in_spaces, "cannot name a tag"));
    }
}

static void tag_values_have_at_most_256_characters(void **state)
{
    (void)state;
    Str text = {0};
    for (int i = 0; i < 256; i++)
        str_add(&text, "\xc3\xa4");
    CLEANUP(freep) char *value = str_take(&text);
    CLEANUP(freep) char *longest = xasprintf("tags: {a: %s}", value), *longer = xasprintf("tags: {a: %sx}", value);
    CLEANUP(freep) char *read = result_of(fields, longest);
    assert_int_equal(read[0], '{');
    CLEANUP(freep) char *refused = result_of(fields, longer);
    assert_non_null(strstr(refused, "tags.a must have at most 256 characters; this has 257"));
}

static void keys_of_defined_tags_differ_in_more_than_case(void **state)
{
    (void)state;
    assert_reads("tags: {a: 1, A: 2}", "{\"tags\":{\"A\":\"2\",\"a\":\"1\"}}");
    assert_says("spaces: {X: {a: 1, A: 2}}",
                "spaces.X: \"a\" and \"A\" are the same key to the API, which ignores case");
    assert_says("spaces: {X: {}, x: {}}", "spaces: \"X\" and \"x\" are the same key to the API, which ignores case");
}

static void namespaces_hold_maps(void **state)
{
    (void)state;
    assert_reads("spaces: {A: {b: c}, D: {}}", "{\"spaces\":{\"A\":{\"b\":\"c\"},\"D\":{}}}");
    assert_says("spaces: {A: b}", "spaces.A must be a map, not a string");
    assert_says("spaces: {A: null}", "spaces.A cannot be null: name its keys, as in {key: null}");
}

static void lists_of_texts_are_checked_text_by_text(void **state)
{
    (void)state;
    assert_reads("list: [a, bcd]", "{\"list\":[\"a\",\"bcd\"]}");
    assert_reads("list: []", "{\"list\":[]}");
    assert_says("list: a", "list must be a list, not a string");
    assert_says("list: [a, bcde]", "list must have at most 3 characters; this has 4");
}

static void maps_are_read_by_their_members(void **state)
{
    (void)state;
    assert_reads("map: {until: 1970-01-01T00:00:00Z, count: 3}", "{\"map\":{\"count\":3,\"until\":0}}");
    assert_reads("maps: [{until: 1970-01-01T00:00:00Z}, {until: 1970-01-01T00:00:01Z}]",
                 "{\"maps\":[{\"until\":0},{\"until\":1000000}]}");
    assert_says("map: {}", "map needs \"until\": when it ends");
    assert_says("maps: [{until: 1970-01-01T00:00:00Z}, x]", "maps must be a map, not a string");
    assert_says("maps: {}", "maps must be a list, not a map");
}

static void a_map_without_known_members_takes_anything(void **state)
{
    (void)state;
    assert_reads("any: {a: [b, {c: d}]}", "{\"any\":{\"a\":[\"b\",{\"c\":\"d\"}]}}");
    assert_says("any: [a]", "any must be a map, not a list");
}

static void null_is_only_where_something_can_be_absent(void **state)
{
    (void)state;
    assert_reads("removable: null", "{\"removable\":null}");
    assert_reads("removable: ~", "{\"removable\":null}");
    assert_reads("removable: \"null\"", "{\"removable\":\"null\"}");
    assert_says("text: null", "text cannot be null: leave it out if nothing is to be said about it");
    assert_says("map: ~", "map cannot be null: leave it out if nothing is to be said about it");
    assert_says("loose: null",
                "loose cannot be null: leave it out, or name the keys that must be absent, as in {key: null}");
}

static void unknown_keys_are_told_with_the_nearest_name(void **state)
{
    (void)state;
    assert_says("colur: red", "unknown key \"colur\" in it; did you mean \"colour\"?");
    assert_says("map: {until: 1970-01-01T00:00:00Z, something: 1}",
                "unknown key \"something\" in map; known: until, count");
}

static void missing_keys_are_told_with_what_they_are(void **state)
{
    (void)state;
    CLEANUP(freep) char *result = result_of(strict_fields, "{}");
    assert_string_equal(result, "f:1:1: error: it needs \"name\": what it is called\n"
                                "f:1:1: error: it needs \"size\": how large it is\n");
    CLEANUP(freep) char *null = result_of(strict_fields, "{name: null, size: 1}");
    assert_string_equal(null, "f:1:8: error: name cannot be null\n");
}

static void every_problem_is_told(void **state)
{
    (void)state;
    CLEANUP(freep)
    char *result = result_of(fields, "text: a\ncolour: pink\nflag: no\nmap: {count: 10, x: y}\nnope: 1\n");
    size_t n = 0;
    for (const char *p = strstr(result, "error:"); p; p = strstr(p + 1, "error:"))
        n++;
    assert_int_equal(n, 7);
}

static void marks_and_order_of_keys_are_kept(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(problems_freep) Problems *problems = problems_new();
    static const char yaml[] = "number: 1\nloose:\n  b: null\n  a: x\n";
    const Node *written = yaml_read(arena, "f", yaml, strlen(yaml), problems)->items[0];
    const Node *typed = fields_read(&(FieldReader){arena, "f", problems}, fields, written, "it");
    assert_non_null(typed);
    for (uint32_t i = 0; i < written->n; i++) {
        assert_string_equal(typed->entries[i].key, written->entries[i].key);
        assert_memory_equal(&typed->entries[i].mark, &written->entries[i].mark, sizeof(Mark));
    }
    const NodeEntry *b = node_entry(node_get(typed, "loose"), "b");
    assert_int_equal(b->mark.line, 3);
    assert_int_equal(b->mark.column, 3);
}

static void what_needs_no_change_is_not_copied(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(problems_freep) Problems *problems = problems_new();
    static const char yaml[] = "text: ab\ntags: {a: b}\n";
    const Node *written = yaml_read(arena, "f", yaml, strlen(yaml), problems)->items[0];
    assert_ptr_equal(fields_read(&(FieldReader){arena, "f", problems}, fields, written, "it"), written);
}

static void every_type_has_a_name(void **state)
{
    (void)state;
    for (int type = 0; type < FIELD_TYPE_MAX; type++)
        assert_non_null(field_type_name(&(Field){.name = "x", .type = (FieldType)type}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_stay_as_they_are_written),
        cmocka_unit_test(lengths_count_characters_not_bytes),
        cmocka_unit_test(an_empty_text_is_written_with_quotes),
        cmocka_unit_test(a_text_is_no_list_and_no_map),
        cmocka_unit_test(a_prefix_is_asked_for),
        cmocka_unit_test(an_enum_is_one_of_its_words),
        cmocka_unit_test(true_and_false_are_written_so),
        cmocka_unit_test(numbers_are_whole_and_within_limits),
        cmocka_unit_test(durations_have_units_and_limits),
        cmocka_unit_test(times_are_rfc_3339),
        cmocka_unit_test(tags_are_keys_with_texts),
        cmocka_unit_test(null_in_tags_is_only_where_a_key_can_be_absent),
        cmocka_unit_test(tag_keys_follow_the_rule_of_the_api),
        cmocka_unit_test(tag_values_have_at_most_256_characters),
        cmocka_unit_test(keys_of_defined_tags_differ_in_more_than_case),
        cmocka_unit_test(namespaces_hold_maps),
        cmocka_unit_test(lists_of_texts_are_checked_text_by_text),
        cmocka_unit_test(maps_are_read_by_their_members),
        cmocka_unit_test(a_map_without_known_members_takes_anything),
        cmocka_unit_test(null_is_only_where_something_can_be_absent),
        cmocka_unit_test(unknown_keys_are_told_with_the_nearest_name),
        cmocka_unit_test(missing_keys_are_told_with_what_they_are),
        cmocka_unit_test(every_problem_is_told),
        cmocka_unit_test(marks_and_order_of_keys_are_kept),
        cmocka_unit_test(what_needs_no_change_is_not_copied),
        cmocka_unit_test(every_type_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
