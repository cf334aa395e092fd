#include "config.h"

#include "../../tests/unit/helper.h"

#define HEAD "apiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: a}\n"
#define GOOD HEAD "spec: {account: prod, imageId: ocid1.image.a, displayName: x}\n"

static void a_document_becomes_a_spec(void **state)
{
    (void)state;
    CLEANUP(specs_freep)
    Specs *specs = specs_of("# a comment\n" GOOD "reconcile: {mode: observe, tags: exact, ignore: [displayName],\n"
                            "  suspend: {until: 1970-01-01T00:00:07Z, reason: moving}}\n");
    const Spec *s = specs->items;
    assert_int_equal(specs->n, 1);
    assert_ptr_equal(s->kind, &oci_image);
    assert_string_equal(s->name, "a");
    assert_string_equal(s->file, "a.yaml");
    assert_int_equal(s->mark.line, 2);
    assert_string_equal(s->account, "prod");
    assert_string_equal(s->target, "ocid1.image.a");
    assert_null(s->selector);
    assert_true(s->observe && s->exact_tags);
    assert_int_equal(s->suspended_until, 7000000);
    assert_string_equal(s->suspend_reason, "moving");
}

static void files_come_in_the_order_of_their_names(void **state)
{
    (void)state;
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(specs_freep) Specs *specs = NULL;
    char *folder = folder_make();
    static const char *const names[] = {"b.yaml", "a/z.yml", "c.yaml", "B.yaml"}, *const order[] = {"B.yaml", "a/z.yml",
                                                                                                    "b.yaml", "c.yaml"};
    for (size_t i = 0; i < 4; i++) {
        CLEANUP(freep) char *file = xasprintf("specs/%s", names[i]), *name = xasprintf("n%zu", i);
        CLEANUP(freep) char *spec = xasprintf("account: prod, imageId: ocid1.image.%zu, displayName: x", i);
        CLEANUP(freep) char *text = document(name, spec, "");
        file_write(folder, file, text);
    }
    file_write(folder, "specs/note.txt", "[");
    file_write(folder, "specs/.x.yaml", "[");
    assert_int_equal(folder_load(folder, problems, &specs, NULL), 0);
    folder_remove(folder);
    assert_int_equal(specs->n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(specs->items[i].file, order[i]);
        assert_int_equal(specs->items[i].index, i);
    }
}

static void one_problem_anywhere_and_there_is_no_set(void **state)
{
    (void)state;
    assert_first_problem(GOOD
                         "---\n"
                         "apiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: b}\nspec: {account: prod}\n",
                         "9:7: OciImage needs imageId, or a selector: which objects it is about");
}

static void unknown_kinds_and_accounts_are_told(void **state)
{
    (void)state;
    assert_first_problem("apiVersion: imagekeeper/v1\nkind: OciImag\nmetadata: {name: a}\nspec: {}\n",
                         "2:7: unknown kind \"OciImag\"; did you mean \"OciImage\"?");
    CLEANUP(freep) char *first = first_problem_of(HEAD "spec: {account: prd, imageId: ocid1.image.a}\n");
    assert_non_null(strstr(first, "4:17: no account \"prd\" in "));
    assert_non_null(strstr(first, "; did you mean \"prod\"?"));
}

static void the_same_name_twice_is_told(void **state)
{
    (void)state;
    CLEANUP(freep)
    char *first = first_problem_of(GOOD "---\n" HEAD "spec: {account: prod, imageId: ocid1.image.b, displayName: x}\n");
    assert_true(starts_with(first, "6:1: OciImage \"a\" is already declared at "));
    assert_non_null(strstr(first, "specs/a.yaml:1: "));
}

static void a_claim_of_another_document_is_told(void **state)
{
    (void)state;
    CLEANUP(freep) char *text = document("b", "account: lab, imageId: ocid1.image.a, displayName: y", "");
    CLEANUP(freep) char *both = xasprintf(GOOD "%s", text), *first = first_problem_of(both);
    assert_true(starts_with(first, "9:46: displayName of ocid1.image.a is also claimed by OciImage \"a\" at "));
}

static void every_earlier_claim_on_an_object_is_compared(void **state)
{
    (void)state;
    CLEANUP(freep) char *text = document("b", "account: prod, imageId: ocid1.image.a, operatingSystem: y", "");
    CLEANUP(freep) char *third = document("c", "account: prod, imageId: ocid1.image.a, displayName: y", "");
    CLEANUP(freep) char *all = xasprintf(GOOD "%s%s", text, third), *first = first_problem_of(all);
    assert_true(starts_with(first, "14:47: displayName of ocid1.image.a is also claimed by OciImage \"a\" at "));
}

static void nothing_declared_is_only_a_warning(void **state)
{
    (void)state;
    CLEANUP(specs_freep) Specs *specs = specs_of(HEAD "spec: {account: prod, imageId: ocid1.image.a}\n");
    assert_int_equal(specs->n, 1);
}

static void empty_files_are_no_documents(void **state)
{
    (void)state;
    CLEANUP(specs_freep) Specs *specs = specs_of("---\n# nothing\n---\n");
    assert_int_equal(specs->n, 0);
}

static void ignore_must_fit_an_attribute(void **state)
{
    (void)state;
    assert_first_problem(
        GOOD "reconcile: {ignore: [account]}\n",
        "5:22: ignore: \"account\" fits no attribute of OciImage; known: displayName, operatingSystem, "
        "operatingSystemVersion, freeformTags, definedTags");
    CLEANUP(specs_freep) Specs *specs = specs_of(GOOD "reconcile: {ignore: [\"**\", \"*Tags.x\", freeformTags.a.b]}\n");
    assert_int_equal(specs->items[0].ignore->n, 3);
}

/* Of an image of Glance's protocol; its fifth line is `spec: {account: …, ` and what is given. */
static void assert_image_problem(const Kind *kind, const char *spec, const char *more, const char *expected)
{
    CLEANUP(freep) char *text = image_document(kind, "a", spec, more);
    assert_first_problem(text, expected);
}

static void attributes_that_exclude_each_other_are_told(void **state)
{
    (void)state;
    assert_image_problem(
        &ims_image, "selector: {name: \"*\"}, __support_xen: \"true\", __support_xen_gpu_type: M60_vGPU", "",
        "5:67: __support_xen_gpu_type and __support_xen cannot stand together on one image: keep one of them");
    static const char *const others[] = {"__support_kvm_gpu_type: V100", "__support_xen_hana: \"true\"",
                                         "__support_kvm_infiniband: \"true\""};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        CLEANUP(freep) char *spec = xasprintf("selector: {name: \"*\"}, __support_xen: \"true\", %s", others[i]);
        CLEANUP(freep) char *text = image_document(&ims_image, "a", spec, ""), *first = first_problem_of(text);
        assert_non_null(strstr(first, " and __support_xen cannot stand together on one image"));
    }
}

static void what_must_be_absent_excludes_nothing(void **state)
{
    (void)state;
    CLEANUP(freep)
    char *one = image_document(&ims_image, "a",
                               "selector: {name: \"*\"}, __support_xen: null, __support_xen_gpu_type: M60_vGPU", "");
    CLEANUP(freep)
    char *other =
        image_document(&ims_image, "a", "selector: {name: \"*\"}, __support_xen: \"true\", __support_xen_hana: ~", "");
    CLEANUP(freep)
    char *third = image_document(
        &ims_image, "a", "selector: {name: \"*\"}, __support_xen_hana: \"true\", __support_xen_gpu_type: M60", "");
    CLEANUP(specs_freep) Specs *a = specs_of(one), *b = specs_of(other), *c = specs_of(third);
    assert_int_equal(a->n + b->n + c->n, 3);
}

static void a_rule_on_tags_needs_a_kind_that_keeps_some(void **state)
{
    (void)state;
    assert_image_problem(&ims_image, "selector: {name: \"*\"}, name: n", "reconcile: {tags: exact}\n",
                         "6:19: ImsImage keeps no tags: leave this out");
    assert_image_problem(&ims_image, "selector: {name: \"*\"}, name: n", "reconcile: {mode: observe, tags: merge}\n",
                         "6:34: ImsImage keeps no tags: leave this out");
    CLEANUP(freep)
    char *text = image_document(&glance_image, "a", "selector: {name: \"*\"}, name: n", "reconcile: {tags: exact}\n");
    CLEANUP(specs_freep) Specs *specs = specs_of(text);
    assert_true(specs->items[0].exact_tags);
}

static void an_account_must_be_of_the_kinds_type(void **state)
{
    (void)state;
    assert_first_problem("apiVersion: imagekeeper/v1\nkind: ImsImage\nmetadata: {name: a}\nspec: {account: os, "
                         "selector: {name: \"*\"}, name: n}\n",
                         "4:17: account \"os\" is of type openstack; ImsImage needs one of type ims");
    assert_first_problem("apiVersion: imagekeeper/v1\nkind: GlanceImage\nmetadata: {name: a}\nspec: {account: prod, "
                         "selector: {name: \"*\"}, name: n}\n",
                         "4:17: account \"prod\" is of type oci; GlanceImage needs one of type openstack");
}

static void an_image_is_named_or_selected(void **state)
{
    (void)state;
    assert_image_problem(&glance_image, "name: n", "",
                         "5:7: GlanceImage needs imageId, or a selector: which objects it is about");
    assert_image_problem(&ims_image, "imageId: " IMAGE_UUID ", selector: {name: \"*\"}, name: n", "",
                         "5:68: imageId and selector cannot stand together: keep one of them");
    CLEANUP(specs_freep) Specs *specs = image_spec_of(&ims_image, "name: n, extra: {a: 1}", "");
    assert_string_equal(specs->items[0].target, IMAGE_UUID);
}

static void ignore_may_name_attributes_without_rows(void **state)
{
    (void)state;
    CLEANUP(specs_freep)
    Specs *specs = image_spec_of(&ims_image, "extra: {a: 1}", "ignore: [extra.a, \"__support_*\"]");
    assert_int_equal(specs->items[0].ignore->n, 2);
    CLEANUP(freep)
    char *text =
        image_document(&ims_image, "a", "selector: {name: \"*\"}, extra: {a: 1}", "reconcile: {ignore: [a]}\n");
    CLEANUP(freep) char *first = first_problem_of(text);
    assert_true(starts_with(first, "6:22: ignore: \"a\" fits no attribute of ImsImage"));
}

static void an_item_of_a_set_claimed_twice_is_told(void **state)
{
    (void)state;
    CLEANUP(freep)
    char *a = image_document(&glance_image, "a", "imageId: " IMAGE_UUID ", tags: [x, y], properties: {p: 1}", "");
    CLEANUP(freep) char *b = image_document(&glance_image, "b", "imageId: " IMAGE_UUID ", tags: [y]", "");
    CLEANUP(freep) char *c = image_document(&glance_image, "b", "imageId: " IMAGE_UUID ", properties: {p: null}", "");
    CLEANUP(freep) char *tags = xasprintf("%s%s", a, b), *properties = xasprintf("%s%s", a, c);
    CLEANUP(freep) char *first = first_problem_of(tags), *second = first_problem_of(properties);
    assert_true(starts_with(first, "10:75: tags.y of " IMAGE_UUID " is also claimed by GlanceImage \"a\" at "));
    assert_true(starts_with(second, "10:81: properties.p of " IMAGE_UUID " is also claimed by GlanceImage \"a\" at "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_becomes_a_spec),
        cmocka_unit_test(files_come_in_the_order_of_their_names),
        cmocka_unit_test(one_problem_anywhere_and_there_is_no_set),
        cmocka_unit_test(unknown_kinds_and_accounts_are_told),
        cmocka_unit_test(the_same_name_twice_is_told),
        cmocka_unit_test(a_claim_of_another_document_is_told),
        cmocka_unit_test(every_earlier_claim_on_an_object_is_compared),
        cmocka_unit_test(nothing_declared_is_only_a_warning),
        cmocka_unit_test(empty_files_are_no_documents),
        cmocka_unit_test(ignore_must_fit_an_attribute),
        cmocka_unit_test(attributes_that_exclude_each_other_are_told),
        cmocka_unit_test(what_must_be_absent_excludes_nothing),
        cmocka_unit_test(a_rule_on_tags_needs_a_kind_that_keeps_some),
        cmocka_unit_test(an_account_must_be_of_the_kinds_type),
        cmocka_unit_test(an_image_is_named_or_selected),
        cmocka_unit_test(ignore_may_name_attributes_without_rows),
        cmocka_unit_test(an_item_of_a_set_claimed_twice_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
