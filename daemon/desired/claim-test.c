#include "config.h"

#include "../../tests/unit/helper.h"

#include "desired/claim.h"

static void assert_overlap_of(const char *first, const char *second, const char *expected)
{
    CLEANUP(freep) char *text = xasprintf("%s%s", first, second);
    CLEANUP(specs_freep) Specs *specs = specs_of(text);
    CLEANUP(arena_freep) Arena *arena = arena_new();
    Mark x = {0}, y = {0}, other_x = {0}, other_y = {0};
    const char *one = claim_overlap(arena, &specs->items[0], &specs->items[1], &x, &y);
    const char *other = claim_overlap(arena, &specs->items[1], &specs->items[0], &other_y, &other_x);
    assert_int_equal(!one, !other);
    if (!one != !expected || (one && !streq(one, expected)))
        fail_msg("%s and %s: %s", first, second, one ? one : "no overlap");
    assert_memory_equal(&x, &other_x, sizeof(x));
    assert_memory_equal(&y, &other_y, sizeof(y));
    if (one)
        assert_true(x.line && y.line > x.line);
}

/* Both documents are about one image, through selectors, so that loading lets them pass. */
static void assert_overlap(const char *a, const char *more_a, const char *b, const char *more_b, const char *expected)
{
    CLEANUP(freep) char *spec_a = xasprintf("account: prod, selector: {compartmentId: ocid1.c}, %s", a);
    CLEANUP(freep) char *spec_b = xasprintf("account: lab, selector: {compartmentId: ocid1.c}, %s", b);
    CLEANUP(freep) char *first = document("a", spec_a, more_a), *second = document("b", spec_b, more_b);
    assert_overlap_of(first, second, expected);
}

/* The same of two documents about an image of Glance's protocol. */
static void assert_image_overlap(const Kind *kind, const char *a, const char *more_a, const char *b, const char *more_b,
                                 const char *expected)
{
    CLEANUP(freep)
    char *spec_a = xasprintf("selector: {name: \"*\"}, %s", a),
         *spec_b = xasprintf("selector: {name: \"*\"}, %s", b);
    CLEANUP(freep)
    char *first = image_document(kind, "a", spec_a, more_a), *second = image_document(kind, "b", spec_b, more_b);
    assert_overlap_of(first, second, expected);
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

static void sets_overlap_item_by_item(void **state)
{
    (void)state;
    assert_image_overlap(&glance_image, "tags: [x, y]", "", "tags: [z, y]", "", "tags.y");
    assert_image_overlap(&glance_image, "tags: [x]", "", "tags: [X, y]", "", NULL);
    assert_image_overlap(&glance_image, "tags: [x]", "", "tags: []", "", NULL);
    assert_image_overlap(&glance_image, "tags: [x]", "reconcile: {ignore: [tags.x]}\n", "tags: [x]", "", NULL);
}

static void an_exact_set_claims_all_items(void **state)
{
    (void)state;
    assert_image_overlap(&glance_image, "tags: [x]", EXACT, "tags: [y]", "", "tags.y");
    assert_image_overlap(&glance_image, "tags: [y]", "", "tags: []", EXACT, "tags.y");
    assert_image_overlap(&glance_image, "tags: []", EXACT, "tags: []", EXACT, "tags");
    assert_image_overlap(&glance_image, "tags: [x]", EXACT, "tags: []", "", NULL);
    assert_image_overlap(&glance_image, "tags: [x]", EXACT, "name: n", "", NULL);
    assert_image_overlap(&glance_image, "name: n", EXACT, "tags: [x]", "", NULL);
    assert_image_overlap(&glance_image, "tags: [x]", "reconcile: {tags: exact, ignore: [\"tags.y*\"]}\n", "tags: [y1]",
                         "", NULL);
}

static void attributes_without_rows_overlap_by_name(void **state)
{
    (void)state;
    assert_image_overlap(&ims_image, "extra: {x: 1, y: 1}", "", "extra: {z: 1, y: null}", "", "extra.y");
    assert_image_overlap(&glance_image, "properties: {x: 1}", "", "properties: {x: 1}", "", "properties.x");
    assert_image_overlap(&glance_image, "properties: {x: 1}", "", "properties: {X: 1}", "", NULL);
    assert_image_overlap(&ims_image, "extra: {x: 1}", "", "extra: {y: 1}", "", NULL);
    assert_image_overlap(&ims_image, "extra: {x: 1}", "", "name: n", "", NULL);
}

static void exact_claims_no_attributes_without_rows(void **state)
{
    (void)state;
    assert_image_overlap(&glance_image, "properties: {x: 1}", EXACT, "properties: {y: 1}", "", NULL);
    assert_image_overlap(&glance_image, "properties: {x: 1}", EXACT, "properties: {y: 1}", EXACT, NULL);
    assert_image_overlap(&glance_image, "properties: {x: 1}", EXACT, "properties: {x: 2}", EXACT, "properties.x");
}

static void attributes_of_images_overlap_though_the_value_is_null(void **state)
{
    (void)state;
    assert_image_overlap(&ims_image, "__description: a", "", "__description: null", "", "__description");
    assert_image_overlap(&ims_image, "min_ram: 1", "", "max_ram: 1", "", NULL);
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
        cmocka_unit_test(sets_overlap_item_by_item),
        cmocka_unit_test(an_exact_set_claims_all_items),
        cmocka_unit_test(attributes_without_rows_overlap_by_name),
        cmocka_unit_test(exact_claims_no_attributes_without_rows),
        cmocka_unit_test(attributes_of_images_overlap_though_the_value_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
