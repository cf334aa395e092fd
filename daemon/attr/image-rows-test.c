/* What documents of images may say: the rules that only these rows have. */
#include "config.h"

#include "../../tests/unit/helper.h"

#include "data/yaml-read.h"

/* What `spec: {account: a, …}` is read into, as JSON, or its messages, one a line. The caller frees it. */
static char *result_of(const Kind *kind, const char *want)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(freep) char *yaml = xasprintf("{account: a, %s}", want);
    const Node *documents = yaml_read(arena, "f", yaml, strlen(yaml), problems);
    if (problems_count(problems))
        fail_msg("%s", problems_first(problems));
    const FieldReader reader = {arena, "f", problems};
    const Node *typed = fields_read(&reader, kind->fields, documents->items[0], "spec");
    assert_int_equal(!typed, problems_errors(problems) > 0);
    Str out = {0};
    if (typed)
        json_write_node(&out, typed);
    else
        problems_format(problems, false, &out);
    return str_take(&out);
}

/* `members` are those besides the account, which comes first. */
static void assert_reads(const Kind *kind, const char *want, const char *members)
{
    CLEANUP(freep) char *result = result_of(kind, want), *expected = xasprintf("{%s}", members);
    assert_string_equal(result, expected);
}

static void assert_good(const Kind *kind, const char *want)
{
    CLEANUP(freep) char *result = result_of(kind, want);
    if (*result != '{')
        fail_msg("%s: %s", want, result);
}

/* The only message. */
static void assert_says(const Kind *kind, const char *want, const char *message)
{
    CLEANUP(freep) char *result = result_of(kind, want), *expected = xasprintf(" error: %s\n", message);
    const char *error = strstr(result, " error: ");
    if (!error)
        fail_msg("%s was read: %s", want, result);
    size_t n = strcspn(error, "\n") + 1;
    if (strncmp(error, expected, n) != 0 || strlen(expected) != n || strstr(error + n, " error: "))
        fail_msg("%s\n, not%s", result, expected);
}

#define NO_UUID " is no UUID in lower case, such as 33ad552d-1149-471c-8190-ff6776174a00"

static void an_image_id_is_a_uuid_in_lower_case(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const Kind *kind = i ? &glance_image : &ims_image;
        assert_good(kind, "imageId: 33ad552d-1149-471c-8190-ff6776174a00");
        static const char *const bad[] = {"33AD552D-1149-471c-8190-ff6776174a00",
                                          "33ad552d-1149-471c-8190-ff6776174a0",
                                          "33ad552d11149-471c-8190-ff6776174a00",
                                          "33ad552d-1149-471c-8190-ff6776174ag0",
                                          "33ad552d-1149-471c-8190-ff6776-74a00",
                                          "ocid1.image.oc1.phx.aaaa",
                                          "x"};
        for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
            CLEANUP(freep) char *want = xasprintf("imageId: \"%s\"", bad[k]);
            CLEANUP(freep) char *message = xasprintf("imageId: \"%s\"" NO_UUID, bad[k]);
            assert_says(kind, want, message);
        }
        assert_says(kind, "imageId: 33ad552d-1149-471c-8190-ff6776174a000",
                    "imageId must have at most 36 characters; this has 37");
    }
}

static void a_name_takes_few_characters(void **state)
{
    (void)state;
    assert_good(&ims_image, "name: Az09-._ x");
    assert_good(&ims_image, "name: 镜像-1");
    assert_good(&ims_image, "name: -");
    assert_says(&ims_image, "name: \" x\"", "name: a space stands at its beginning or end");
    assert_says(&ims_image, "name: \"x \"", "name: a space stands at its beginning or end");
    assert_says(&ims_image, "name: \" \"", "name: a space stands at its beginning or end");
    assert_says(&ims_image, "name: a/b", "name: takes letters, digits, -, ., _ and spaces; this has \"/\"");
    assert_says(&ims_image, "name: \"a@b\"", "name: takes letters, digits, -, ., _ and spaces; this has \"@\"");
    assert_says(&ims_image, "name: \"a[b\"", "name: takes letters, digits, -, ., _ and spaces; this has \"[\"");
    assert_says(&ims_image, "name: \"a`b\"", "name: takes letters, digits, -, ., _ and spaces; this has \"`\"");
    assert_says(&ims_image, "name: \"a{b\"", "name: takes letters, digits, -, ., _ and spaces; this has \"{\"");
    assert_good(&glance_image, "name: \" a/b \"");
}

static void a_description_is_one_line_without_angles(void **state)
{
    (void)state;
    assert_good(&ims_image, "__description: \"Golden image (2026), 100 % & more\"");
    assert_says(&ims_image, "__description: a<b", "__description: must be without < and >");
    assert_says(&ims_image, "__description: \"a>b\"", "__description: must be without < and >");
    assert_says(&ims_image, "__description: \"a\\nb\"", "__description: must be one line");
    assert_says(&ims_image, "__description: \"a\\rb\"", "__description: must be one line");
    assert_says(&ims_image, "__description: \"\"", "__description must not be empty");
    assert_reads(&ims_image, "__description: null", "\"__description\":null,\"account\":\"a\"");
}

static void lengths_are_counted_in_characters(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        unsigned max;
    } rows[] = {{"name", 128}, {"__description", 1024}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(str_done) Str text = {0};
        str_addf(&text, "%s: ", rows[i].key);
        for (unsigned k = 0; k < rows[i].max; k++)
            str_add(&text, "ä");
        assert_good(&ims_image, str_get(&text));
        str_addc(&text, 'x');
        CLEANUP(freep)
        char *message =
            xasprintf("%s must have at most %u characters; this has %u", rows[i].key, rows[i].max, rows[i].max + 1);
        assert_says(&ims_image, str_get(&text), message);
    }
}

static void attributes_of_ims_are_texts_and_those_of_glance_are_typed(void **state)
{
    (void)state;
    assert_reads(&ims_image, "min_ram: 2048, max_ram: null, __support_xen: true, hw_vif_multiqueue_enabled: false",
                 "\"__support_xen\":\"true\",\"account\":\"a\",\"hw_vif_multiqueue_enabled\":\"false\",\"max_ram\":"
                 "null,\"min_ram\":2048");
    assert_reads(
        &glance_image, "min_ram: 2048, protected: true, os_hidden: false, tags: [b, a]",
        "\"account\":\"a\",\"min_ram\":2048,\"os_hidden\":false,\"protected\":true,\"tags\":{\"a\":\"a\",\"b\":\"b\"}");
    assert_says(&ims_image, "__support_xen: false",
                "__support_xen must be true, or null if it must be absent, not \"false\"");
    assert_says(&ims_image, "hw_firmware_type: efi",
                "hw_firmware_type must be bios or uefi, or null if it must be absent, not \"efi\"");
    assert_says(&glance_image, "protected: yes", "protected must be true or false, not \"yes\"");
    assert_says(&glance_image, "name: null", "name cannot be null: leave it out if nothing is to be said about it");
}

static void attributes_of_ones_own_are_texts_or_null(void **state)
{
    (void)state;
    assert_reads(&ims_image, "extra: {hw_b: 1, a_c: null, d: \"null\", e: true}",
                 "\"account\":\"a\",\"extra\":{\"a_c\":null,\"d\":\"null\",\"e\":\"true\",\"hw_b\":\"1\"}");
    assert_reads(&glance_image, "properties: {A.b: \"\", c/d~e: x}",
                 "\"account\":\"a\",\"properties\":{\"A.b\":\"\",\"c/d~e\":\"x\"}");
    assert_says(&ims_image, "extra: {a: \"\"}", "extra.a must not be empty");
    assert_says(&ims_image, "extra: null",
                "extra cannot be null: leave it out, or name the keys that must be absent, as in {key: null}");
    assert_says(&glance_image, "selector: {properties: {a: null}}", "properties.a cannot be null here: write a value");
}

static void what_has_a_row_is_written_there(void **state)
{
    (void)state;
    assert_says(&ims_image, "extra: {min_ram: 1}", "extra: \"min_ram\" has a key of its own in spec: write it there");
    assert_says(&ims_image, "extra: {__support_xen: 1}",
                "extra: \"__support_xen\" has a key of its own in spec: write it there");
    assert_says(&glance_image, "properties: {tags: 1}",
                "properties: \"tags\" has a key of its own in spec: write it there");
    assert_good(&ims_image, "extra: {selector: x, account: y, os_hidden: z}"); /* those are no attributes of it */
}

static void what_the_cloud_writes_is_nobodys_own(void **state)
{
    (void)state;
    static const char *const ims[] = {"id",           "tags",
                                      "min_disk",     "enterprise_project_id",
                                      "__platform",   "__system_support_market",
                                      "__support_kvm"},
                             *const glance[] = {"id", "owner", "stores", "os_hash_algo", "deleted_at"};
    for (size_t i = 0; i < ARRAY_SIZE(ims); i++) {
        CLEANUP(freep) char *want = xasprintf("extra: {%s: x}", ims[i]);
        CLEANUP(freep) char *message = xasprintf("extra: \"%s\" is the cloud's own and cannot be changed", ims[i]);
        assert_says(&ims_image, want, message);
    }
    for (size_t i = 0; i < ARRAY_SIZE(glance); i++) {
        CLEANUP(freep) char *want = xasprintf("properties: {%s: x}", glance[i]);
        CLEANUP(freep)
        char *message = xasprintf("properties: \"%s\" is the cloud's own and cannot be changed", glance[i]);
        assert_says(&glance_image, want, message);
    }
    assert_says(&glance_image, "properties: {os_glance_x: 1}",
                "properties: \"os_glance_x\" is Glance's own, as all names that begin with os_glance");
    assert_good(&glance_image, "properties: {os_glanc: 1, x_os_glance: 1, __platform: x}");
    assert_good(&ims_image, "extra: {os_glance_x: 1}");
}

#define NO_NAME " cannot name an attribute: that takes 1 to 255 printable ASCII characters, without spaces"

static void a_name_of_ones_own_is_printable(void **state)
{
    (void)state;
    char longest[256] = {0};
    memset(longest, 'x', sizeof(longest) - 1);
    for (unsigned i = 0; i < 2; i++) {
        const Kind *kind = i ? &glance_image : &ims_image;
        const char *const field = i ? "properties" : "extra";
        CLEANUP(freep)
        char *good = xasprintf("%s: {%s: 1, \"!}\": 1}", field, longest), *long_name = xasprintf("%sx", longest);
        assert_good(kind, good);
        const char *const bad[] = {"a b", "ä", long_name};
        for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
            CLEANUP(freep) char *want = xasprintf("%s: {\"%s\": 1}", field, bad[k]);
            CLEANUP(freep) char *message = xasprintf("%s: \"%s\"" NO_NAME, field, bad[k]);
            assert_says(kind, want, message);
        }
    }
}

static void names_of_ims_have_no_upper_case_and_no_slashes(void **state)
{
    (void)state;
    static const char *const bad[] = {"Ab", "aZ", "a/b", "a~b"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(freep) char *want = xasprintf("extra: {%s: 1}", bad[i]);
        CLEANUP(freep)
        char *message =
            xasprintf("extra: \"%s\" cannot name an attribute: that takes no upper-case letters, / or ~", bad[i]);
        assert_says(&ims_image, want, message);
    }
}

static void a_condition_may_name_any_member(void **state)
{
    (void)state;
    assert_good(&ims_image, "selector: {extra: {id: x, min_ram: \"*\", __platform: x, Ab: 1, os_glance: 1}}");
    assert_good(&glance_image, "selector: {properties: {id: x, os_glance_x: 1, size: 7}}");
    assert_says(&ims_image, "selector: {extra: {\"a\\x7fb\": 1}}", "extra: \"a?b\"" NO_NAME);
    assert_says(&ims_image, "selector: {extra: {a b: 1}}", "extra: \"a b\"" NO_NAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_id_is_a_uuid_in_lower_case),
        cmocka_unit_test(a_name_takes_few_characters),
        cmocka_unit_test(a_description_is_one_line_without_angles),
        cmocka_unit_test(lengths_are_counted_in_characters),
        cmocka_unit_test(attributes_of_ims_are_texts_and_those_of_glance_are_typed),
        cmocka_unit_test(attributes_of_ones_own_are_texts_or_null),
        cmocka_unit_test(what_has_a_row_is_written_there),
        cmocka_unit_test(what_the_cloud_writes_is_nobodys_own),
        cmocka_unit_test(a_name_of_ones_own_is_printable),
        cmocka_unit_test(names_of_ims_have_no_upper_case_and_no_slashes),
        cmocka_unit_test(a_condition_may_name_any_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
