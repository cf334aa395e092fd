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

#define DECLARED "displayName: x, freeformTags: {a: b}"
#define HANDLED "tags: exact, ignore: [displayName]"
#define SUSPENDED HANDLED ", suspend: {until: 2999-01-01T00:00:00Z, reason: "

static bool equal(Specs *a, Specs *b)
{
    bool same = specs_equal(a, b) && specs_equal(b, a);
    specs_free(a);
    specs_free(b);
    return same;
}

static void sets_are_equal_that_declare_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *reconcile;
    } others[] = {
        {"displayName: y, freeformTags: {a: b}", HANDLED},
        {"displayName: x, freeformTags: {a: null}", HANDLED},
        {DECLARED, "ignore: [displayName]"},
        {DECLARED, "tags: exact"},
        {DECLARED, "tags: exact, ignore: [operatingSystem]"},
        {DECLARED, HANDLED ", mode: observe"},
        {DECLARED, SUSPENDED "r}"},
    };
    assert_true(equal(spec_of(DECLARED, HANDLED), spec_of("displayName: \"x\",\n    freeformTags: {a: b}", HANDLED)));
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_false(equal(spec_of(DECLARED, HANDLED), spec_of(others[i].spec, others[i].reconcile)));
    assert_false(equal(spec_of(DECLARED, SUSPENDED "r}"), spec_of(DECLARED, SUSPENDED "s}")));
    assert_false(equal(spec_of(DECLARED, HANDLED), specs_of("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_fits_its_path_and_what_lies_under_it),
        cmocka_unit_test(the_first_pattern_that_fits_is_the_rule),
        cmocka_unit_test(defined_tags_alone_are_folded),
        cmocka_unit_test(without_patterns_nothing_is_ignored),
        cmocka_unit_test(a_suspended_document_is_so_until_then),
        cmocka_unit_test(sets_are_equal_that_declare_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
