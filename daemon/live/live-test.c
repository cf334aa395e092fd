#include "config.h"

#include "../../tests/unit/helper.h"

static const char image[] =
    "{\"id\":\"ocid1.image.a\",\"compartmentId\":\"ocid1.compartment.a\",\"lifecycleState\":\"AVAILABLE\","
    "\"displayName\":\"ol9.golden-1\",\"operatingSystem\":\"Oracle Linux\",\"operatingSystemVersion\":\"9\","
    "\"freeformTags\":{\"team\":\"base\",\"tier\":\"\"},\"definedTags\":{\"Ops\":{\"CostCenter\":\"42\"},\"Odd\":{"
    "\"n\":7}}}";

static bool matches(const char *conditions, const char *object)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(freep)
    char *spec =
        xasprintf("account: prod, displayName: x, selector: {compartmentId: ocid1.compartment.a, %s}", conditions);
    CLEANUP(freep) char *text = document("a", spec, "");
    CLEANUP(specs_freep) Specs *specs = specs_of(text);
    const Node *node = NULL;
    assert_int_equal(json_read(arena, object, strlen(object), &node, NULL), 0);
    return selector_matches(&oci_image, specs->items[0].selector, node);
}

static void no_condition_takes_all_that_can_be_written(void **state)
{
    (void)state;
    assert_true(matches("", image));
    assert_false(matches("", "{\"compartmentId\":\"ocid1.compartment.a\",\"lifecycleState\":\"DISABLED\"}"));
    assert_false(matches("", "{\"compartmentId\":\"ocid1.compartment.a\",\"lifecycleState\":null}"));
    assert_false(matches("", "{\"compartmentId\":\"ocid1.compartment.a\"}"));
}

static void a_named_state_is_the_one_that_is_taken(void **state)
{
    (void)state;
    static const char disabled[] = "{\"compartmentId\":\"ocid1.compartment.a\",\"lifecycleState\":\"DISABLED\"}";
    assert_true(matches("lifecycleState: disabled", disabled));
    assert_true(matches("lifecycleState: DISABLED", disabled));
    assert_false(matches("lifecycleState: AVAILABLE", disabled));
    assert_false(matches("lifecycleState: DISABLED", image));
}

static void the_compartment_must_be_the_one_asked_for(void **state)
{
    (void)state;
    assert_false(matches("", "{\"compartmentId\":\"ocid1.compartment.b\",\"lifecycleState\":\"AVAILABLE\"}"));
    assert_false(matches("", "{\"compartmentId\":null,\"lifecycleState\":\"AVAILABLE\"}"));
}

static void a_display_name_is_a_pattern_across_dots(void **state)
{
    (void)state;
    assert_true(matches("displayName: \"ol9*\"", image));
    assert_true(matches("displayName: \"*-?\"", image));
    assert_true(matches("displayName: ol9.golden-1", image));
    assert_false(matches("displayName: \"OL9*\"", image));
    assert_false(matches("displayName: \"golden\"", image));
}

static void other_texts_are_exact(void **state)
{
    (void)state;
    assert_true(matches("operatingSystem: Oracle Linux, operatingSystemVersion: 9", image));
    assert_false(matches("operatingSystem: oracle linux", image));
    assert_false(matches("operatingSystem: \"Oracle*\"", image));
    assert_false(matches("operatingSystemVersion: \"*\"", image));
}

static void all_conditions_must_hold(void **state)
{
    (void)state;
    assert_true(matches("displayName: \"ol9*\", operatingSystemVersion: 9, freeformTags: {team: base}", image));
    assert_false(matches("displayName: \"ol9*\", operatingSystemVersion: 8, freeformTags: {team: base}", image));
    assert_false(matches("displayName: \"ol9*\", operatingSystemVersion: 9, freeformTags: {team: web}", image));
}

static void tags_match_by_key_and_value(void **state)
{
    (void)state;
    assert_true(matches("freeformTags: {team: base, tier: \"\"}", image));
    assert_true(matches("freeformTags: {}", image));
    assert_false(matches("freeformTags: {team: Base}", image));
    assert_false(matches("freeformTags: {Team: base}", image));
    assert_false(matches("freeformTags: {cost: base}", image));
    assert_false(matches("freeformTags: {team: \"b*\"}", image));
}

static void a_star_is_any_value_of_a_tag_that_is_there(void **state)
{
    (void)state;
    assert_true(matches("freeformTags: {team: \"*\", tier: \"*\"}", image));
    assert_true(matches("definedTags: {Odd: {n: \"*\"}}", image));
    assert_false(matches("freeformTags: {cost: \"*\"}", image));
}

static void defined_tags_match_without_regard_to_case_of_keys(void **state)
{
    (void)state;
    assert_true(matches("definedTags: {ops: {costcenter: \"42\"}}", image));
    assert_true(matches("definedTags: {OPS: {CostCenter: \"*\"}}", image));
    assert_false(matches("definedTags: {Ops: {CostCenter: \"43\"}}", image));
    assert_false(matches("definedTags: {Fin: {CostCenter: \"42\"}}", image));
    assert_false(matches("definedTags: {Ops: {CostCenter: \"42\", Team: \"*\"}}", image));
}

static void an_object_without_tags_meets_no_condition_on_them(void **state)
{
    (void)state;
    static const char bare[] =
        "{\"compartmentId\":\"ocid1.compartment.a\",\"lifecycleState\":\"AVAILABLE\",\"freeformTags\":null}";
    assert_false(matches("freeformTags: {team: \"*\"}", bare));
    assert_false(matches("definedTags: {Ops: {a: \"*\"}}", bare));
    assert_false(matches("displayName: \"*\"", bare));
}

static void the_selector_knows_its_container(void **state)
{
    (void)state;
    CLEANUP(freep)
    char *text = document("a", "account: prod, displayName: x, selector: {compartmentId: ocid1.tenancy.x}", "");
    CLEANUP(specs_freep) Specs *specs = specs_of(text);
    assert_string_equal(selector_container(&oci_image, specs->items[0].selector), "ocid1.tenancy.x");
}

static Live *parse(Arena *arena, const char *text, Error **err)
{
    Live *live = NULL;
    return live_from_text(&(LiveReader){.kind = &oci_image}, text, strlen(text), "e1", arena, &live, err) < 0 ? NULL : live;
}

static void keeps_only_what_the_table_names(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Live *live = parse(arena,
                             "{\"id\":\"i\",\"compartmentId\":\"c\",\"lifecycleState\":\"AVAILABLE\",\"sizeInMBs\":7,"
                             "\"displayName\":\"d\",\"launchOptions\":{\"a\":1}}",
                             NULL);
    assert_json(live->object,
                "{\"compartmentId\":\"c\",\"displayName\":\"d\",\"id\":\"i\",\"lifecycleState\":\"AVAILABLE\"}");
    assert_string_equal(live->id, "i");
    assert_string_equal(live->etag, "e1");
}

static void a_list_item_and_a_single_read_give_the_same(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(freep) char *list = xasprintf("[%s]", image);
    CLEANUP(json_page_freep) JsonPage *page = NULL;
    Live *item = NULL;
    assert_int_equal(json_page_parse(list, strlen(list), NULL, &page, NULL), 0);
    assert_int_equal(live_from_item(&(LiveReader){.kind = &oci_image}, json_page_next(page, NULL), arena, &item, NULL), 0);
    assert_true(node_equal(item->object, parse(arena, image, NULL)->object));
    assert_null(item->etag);
}

static void an_answer_that_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "[]",
                                      "7",
                                      "{}",
                                      "{\"id\":\"i\"}",
                                      "{\"id\":\"\",\"lifecycleState\":\"AVAILABLE\"}",
                                      "{\"id\":7,\"lifecycleState\":\"AVAILABLE\"}",
                                      "{\"id\":\"i\",\"lifecycleState\":7}",
                                      "{\"id\":\"i\",\"lifecycleState\":\"AVAILABLE\",\"compartmentId\":[]}",
                                      "{\"id\":\"i\",\"lifecycleState\":\"AVAILABLE\"",
                                      "{\"id\":\"i\",\"lifecycleState\":\"AVAILABLE\",\"id\":\"j\"}"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(error_freep) Error *err = NULL;
        if (parse(arena, bad[i], &err))
            fail_msg("%s was accepted", bad[i]);
        assert_int_equal(err->kind, ERROR_PROTOCOL);
    }
}

static void what_state_and_compartment_mean(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Live *good = live_of(arena, ""), *odd = live_of(arena, "\"lifecycleState\":\"available\"");
    const Live *busy = live_of(arena, "\"lifecycleState\":\"EXPORTING\""),
               *gone = live_of(arena, "\"lifecycleState\":\"DELETED\"");
    const Live *platform = live_of(arena, "\"compartmentId\":null");
    assert_true(live_is_writable(good) && !live_is_gone(good) && !good->foreign);
    assert_true(live_is_writable(odd));
    assert_true(!live_is_writable(busy) && !live_is_gone(busy));
    assert_true(!live_is_writable(gone) && live_is_gone(gone));
    assert_true(platform->foreign);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_condition_takes_all_that_can_be_written),
        cmocka_unit_test(a_named_state_is_the_one_that_is_taken),
        cmocka_unit_test(the_compartment_must_be_the_one_asked_for),
        cmocka_unit_test(a_display_name_is_a_pattern_across_dots),
        cmocka_unit_test(other_texts_are_exact),
        cmocka_unit_test(all_conditions_must_hold),
        cmocka_unit_test(tags_match_by_key_and_value),
        cmocka_unit_test(a_star_is_any_value_of_a_tag_that_is_there),
        cmocka_unit_test(defined_tags_match_without_regard_to_case_of_keys),
        cmocka_unit_test(an_object_without_tags_meets_no_condition_on_them),
        cmocka_unit_test(the_selector_knows_its_container),
        cmocka_unit_test(keeps_only_what_the_table_names),
        cmocka_unit_test(a_list_item_and_a_single_read_give_the_same),
        cmocka_unit_test(an_answer_that_is_no_object_is_refused),
        cmocka_unit_test(what_state_and_compartment_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
