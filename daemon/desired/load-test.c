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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
