#include "config.h"

#include "../../tests/unit/helper.h"

static void assert_ignores(const char *patterns, FieldType type, const char *path, const char *expected)
{
    CLEANUP(freep) char *reconcile = xasprintf("ignore: [%s]", patterns);
    CLEANUP(specs_freep) Specs *specs = spec_of("displayName: x", reconcile);
    const char *rule = spec_ignores(&specs->items[0], &(Field){.name = "x", .type = type}, path);
    assert_true(streq_null(rule, expected));
}

static void a_pattern_fits_its_path_and_what_lies_under_it(void **state)
{
    (void)state;
    assert_ignores("freeformTags", FIELD_TAGS, "freeformTags", "freeformTags");
    assert_ignores("freeformTags", FIELD_TAGS, "freeformTags.a", "freeformTags");
    assert_ignores("definedTags.Cost", FIELD_TAG_NAMESPACES, "definedTags.Cost.x", "definedTags.Cost");
    assert_ignores("freeformTags.a", FIELD_TAGS, "freeformTags", NULL);
    assert_ignores("freeformTags.a", FIELD_TAGS, "freeformTags.ab", NULL);
    assert_ignores("\"*\"", FIELD_TAGS, "freeformTags.a", "*");
}

static void the_first_pattern_that_fits_is_the_rule(void **state)
{
    (void)state;
    assert_ignores("displayName, \"free*\", \"**\"", FIELD_TAGS, "freeformTags.a", "free*");
}

static void defined_tags_alone_are_folded(void **state)
{
    (void)state;
    assert_ignores("definedTags.cost.X", FIELD_TAG_NAMESPACES, "definedTags.COST.x", "definedTags.cost.X");
    assert_ignores("freeformTags.A", FIELD_TAGS, "freeformTags.a", NULL);
}

static void without_patterns_nothing_is_ignored(void **state)
{
    (void)state;
    assert_ignores("", FIELD_TEXT, "displayName", NULL);
    CLEANUP(specs_freep) Specs *specs = spec_of("displayName: x", "");
    assert_null(spec_ignores(&specs->items[0], &(Field){.name = "displayName"}, "displayName"));
}

static void a_suspended_document_is_so_until_then(void **state)
{
    (void)state;
    const Spec spec = {.suspended_until = 10}, never = {0};
    assert_true(spec_is_suspended(&spec, 9));
    assert_false(spec_is_suspended(&spec, 10));
    assert_false(spec_is_suspended(&never, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_fits_its_path_and_what_lies_under_it),
        cmocka_unit_test(the_first_pattern_that_fits_is_the_rule),
        cmocka_unit_test(defined_tags_alone_are_folded),
        cmocka_unit_test(without_patterns_nothing_is_ignored),
        cmocka_unit_test(a_suspended_document_is_so_until_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
