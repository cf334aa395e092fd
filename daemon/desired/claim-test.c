#include "config.h"

#include "../../tests/unit/helper.h"

#include "desired/claim.h"

/* Both documents are about one image, through selectors, so that loading lets them pass. */
static void assert_overlap(const char *a, const char *more_a, const char *b, const char *more_b, const char *expected)
{
    CLEANUP(freep) char *spec_a = xasprintf("account: prod, selector: {compartmentId: ocid1.c}, %s", a);
    CLEANUP(freep) char *spec_b = xasprintf("account: lab, selector: {compartmentId: ocid1.c}, %s", b);
    CLEANUP(freep) char *first = document("a", spec_a, more_a), *second = document("b", spec_b, more_b);
    CLEANUP(freep) char *text = xasprintf("%s%s", first, second);
    CLEANUP(specs_freep) Specs *specs = specs_of(text);
    CLEANUP(arena_freep) Arena *arena = arena_new();
    Mark x, y;
    const char *one = claim_overlap(arena, &specs->items[0], &specs->items[1], &x, &y);
    const char *other = claim_overlap(arena, &specs->items[1], &specs->items[0], &y, &x);
    assert_int_equal(!one, !other);
    if (!one != !expected || (one && !streq(one, expected)))
        fail_msg("%s and %s: %s", a, b, one ? one : "no overlap");
}

#define EXACT "reconcile: {tags: exact}\n"

static void different_attributes_do_not_overlap(void **state)
{
    (void)state;
    assert_overlap("displayName: x", "", "operatingSystem: x", "", NULL);
    assert_overlap("freeformTags: {a: 1}", "", "definedTags: {a: {b: 1}}", "", NULL);
}

static void the_same_attribute_overlaps_though_the_value_is_the_same(void **state)
{
    (void)state;
    assert_overlap("displayName: x", "", "displayName: x", "", "displayName");
}

static void tag_maps_overlap_key_by_key(void **state)
{
    (void)state;
    assert_overlap("freeformTags: {a: 1, b: 2}", "", "freeformTags: {c: 1, b: null}", "", "freeformTags.b");
    assert_overlap("freeformTags: {a: 1}", "", "freeformTags: {A: 1}", "", NULL);
    assert_overlap("freeformTags: {a: 1}", "", "freeformTags: {}", "", NULL);
}

static void defined_tags_overlap_without_regard_to_case(void **state)
{
    (void)state;
    assert_overlap("definedTags: {Ops: {a: 1}}", "", "definedTags: {ops: {A: 2}}", "", "definedTags.Ops.a");
    assert_overlap("definedTags: {Ops: {a: 1}}", "", "definedTags: {Ops: {b: 1}, Fin: {a: 1}}", "", NULL);
}

static void exact_claims_the_whole_map(void **state)
{
    (void)state;
    assert_overlap("freeformTags: {a: 1}", EXACT, "freeformTags: {b: 1}", "", "freeformTags.b");
    assert_overlap("freeformTags: {b: 1}", "", "freeformTags: {}", EXACT, "freeformTags.b");
    assert_overlap("freeformTags: {a: 1}", EXACT, "freeformTags: {b: 1}", EXACT, "freeformTags");
    assert_overlap("definedTags: {}", EXACT, "definedTags: {Ops: {b: 1}}", "", "definedTags.Ops.b");
    assert_overlap("freeformTags: {a: 1}", EXACT, "freeformTags: {}", "", NULL);
    assert_overlap("freeformTags: {a: 1}", "reconcile: {tags: exact, ignore: [freeformTags.b]}\n",
                   "freeformTags: {b: 1}", "", NULL);
    assert_overlap("freeformTags: {a: 1}", EXACT, "displayName: x", "", NULL);
}

static void what_one_of_them_ignores_it_does_not_claim(void **state)
{
    (void)state;
    assert_overlap("displayName: x", "", "displayName: y", "reconcile: {ignore: [displayName]}\n", NULL);
    assert_overlap("freeformTags: {a: 1, b: 1}", "reconcile: {ignore: [freeformTags.a]}\n", "freeformTags: {a: 2}", "",
                   NULL);
    assert_overlap("freeformTags: {a: 1, b: 1}", "reconcile: {ignore: [freeformTags.a]}\n",
                   "freeformTags: {a: 2, b: 2}", "", "freeformTags.b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(different_attributes_do_not_overlap),
        cmocka_unit_test(the_same_attribute_overlaps_though_the_value_is_the_same),
        cmocka_unit_test(tag_maps_overlap_key_by_key),
        cmocka_unit_test(defined_tags_overlap_without_regard_to_case),
        cmocka_unit_test(exact_claims_the_whole_map),
        cmocka_unit_test(what_one_of_them_ignores_it_does_not_claim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
