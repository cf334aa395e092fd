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
    return selector_matches(&oci_image, specs->items[0].selector, NULL, node);
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
    return live_from_text(&(LiveReader){.kind = &oci_image}, text, strlen(text), "e1", arena, &live, err) < 0 ? NULL
                                                                                                              : live;
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
    assert_int_equal(live_from_item(&(LiveReader){.kind = &oci_image}, json_page_next(page, NULL), arena, &item, NULL),
                     0);
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

/* --- images of Glance's protocol --- */

/* A document with this selector, and the image that it is held against. */
static bool image_matches(const Kind *kind, const char *conditions, const char *object)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(freep) char *spec = xasprintf("name: x, selector: {%s}", *conditions ? conditions : "name: \"*\"");
    CLEANUP(freep) char *text = image_document(kind, "a", spec, "");
    CLEANUP(specs_freep) Specs *specs = specs_of(text);
    const Node *node = NULL;
    assert_int_equal(json_read(arena, object, strlen(object), &node, NULL), 0);
    return selector_matches(kind, specs->items[0].selector, NULL, node);
}

static const char glance[] =
    "{\"id\":\"" IMAGE_UUID
    "\",\"owner\":\"p\",\"status\":\"active\",\"name\":\"ol9.golden-1\",\"visibility\":\"shared\","
    "\"protected\":false,\"os_hidden\":true,\"min_ram\":2048,\"min_disk\":0,\"tags\":[\"base\",\"nightly\"],"
    "\"os_distro\":\"ol\",\"size\":77,\"virtual_size\":null,\"stores\":[\"a\"],\"odd\":{\"a\":\"b\"},\"flag\":true,"
    "\"part\":1.5,\"empty\":\"\"}";

static void conditions_have_types(void **state)
{
    (void)state;
    assert_true(image_matches(&glance_image, "protected: false, os_hidden: true, min_ram: 2048, min_disk: 0", glance));
    assert_false(image_matches(&glance_image, "protected: true", glance));
    assert_false(image_matches(&glance_image, "os_hidden: false", glance));
    assert_false(image_matches(&glance_image, "min_ram: 2047", glance));
    assert_false(image_matches(&glance_image, "min_disk: 0", "{\"status\":\"active\"}"));
    assert_false(image_matches(&glance_image, "protected: false", "{\"status\":\"active\",\"protected\":null}"));
}

static void words_and_names_of_images_match(void **state)
{
    (void)state;
    assert_true(image_matches(&glance_image, "name: \"ol9*\", visibility: shared, owner: p", glance));
    assert_false(image_matches(&glance_image, "name: \"OL9*\"", glance));
    assert_false(image_matches(&glance_image, "visibility: private", glance));
    assert_false(image_matches(&glance_image, "owner: q", glance));
    assert_true(image_matches(&ims_image, "visibility: shared, name: \"*\"", glance));
    assert_false(image_matches(&ims_image, "__os_type: Linux", glance));
    static const char ims[] = "{\"status\":\"active\",\"__os_type\":\"Linux\",\"__platform\":\"Ubuntu\","
                              "\"__os_version\":\"Ubuntu 24.04\"}";
    assert_true(image_matches(&ims_image, "__os_type: Linux, __platform: Ubuntu, __os_version: Ubuntu 24.04", ims));
    assert_false(image_matches(&ims_image, "__platform: ubuntu", ims));
    assert_false(image_matches(&ims_image, "__platform: \"Ub*\"", ims));
}

static void every_tag_must_be_there(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const Kind *kind = i ? &ims_image : &glance_image;
        assert_true(image_matches(kind, "tags: [nightly]", glance));
        assert_true(image_matches(kind, "tags: [nightly, base]", glance));
        assert_true(image_matches(kind, "tags: []", glance));
        assert_false(image_matches(kind, "tags: [nightly, web]", glance));
        assert_false(image_matches(kind, "tags: [Base]", glance));
        assert_false(image_matches(kind, "tags: [\"*\"]", glance));
        assert_false(image_matches(kind, "tags: [base]", "{\"status\":\"active\"}"));
        assert_false(image_matches(kind, "tags: [base]", "{\"status\":\"active\",\"tags\":null}"));
        assert_false(image_matches(kind, "tags: [base]", "{\"status\":\"active\",\"tags\":{\"base\":\"base\"}}"));
        assert_true(image_matches(kind, "tags: [base]", "{\"status\":\"active\",\"tags\":[7,\"base\"]}"));
    }
}

static void other_attributes_are_the_objects_own_members(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const Kind *kind = i ? &ims_image : &glance_image;
        const char *const free = i ? "extra" : "properties";
        static const struct {
            const char *conditions;
            bool good;
        } cases[] = {{"os_distro: ol", true},
                     {"os_distro: OL", false},
                     {"OS_distro: ol", false},
                     {"os_distro: \"*\"", true},
                     {"os_distro: \"o*\"", false},
                     {"no_such: \"*\"", false},
                     {"size: 77", true},
                     {"size: \"77\"", true},
                     {"size: 78", false},
                     {"size: \"*\"", true},
                     {"virtual_size: \"*\"", false},
                     {"virtual_size: \"null\"", false},
                     {"flag: \"true\"", true},
                     {"flag: \"false\"", false},
                     {"part: \"1.5\"", true},
                     {"stores: \"*\"", true},
                     {"stores: a", false},
                     {"odd: \"*\"", true},
                     {"odd: a", false},
                     {"stores: '[\"a\"]'", false},
                     {"os_distro: ol, size: 77", true},
                     {"os_distro: ol, size: 7", false},
                     {"empty: \"*\"", true}};
        for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
            CLEANUP(freep) char *conditions = xasprintf("%s: {%s}", free, cases[k].conditions);
            if (image_matches(kind, conditions, glance) != cases[k].good)
                fail_msg("%s: %s", kind->name, conditions);
        }
    }
}

static void an_image_must_be_one_that_can_be_written(void **state)
{
    (void)state;
    static const char off[] = "{\"name\":\"n\",\"status\":\"deactivated\"}",
                      queued[] = "{\"name\":\"n\",\"status\":\"queued\"}";
    assert_true(image_matches(&glance_image, "", glance));
    assert_true(image_matches(&glance_image, "", off));
    assert_false(image_matches(&glance_image, "", queued));
    assert_false(image_matches(&ims_image, "", off));
    assert_true(image_matches(&glance_image, "status: deactivated", off));
    assert_true(image_matches(&ims_image, "status: Queued", queued));
    assert_false(image_matches(&glance_image, "status: active", off));
}

static void an_own_project_may_be_named(void **state)
{
    (void)state;
    CLEANUP(freep) char *text = image_document(&glance_image, "a", "name: x, selector: {owner: q}", "");
    CLEANUP(freep) char *none = image_document(&ims_image, "a", "name: x, selector: {name: \"*\"}", "");
    CLEANUP(specs_freep) Specs *specs = specs_of(text), *without = specs_of(none);
    assert_string_equal(selector_container(&glance_image, specs->items[0].selector), "q");
    assert_null(selector_container(&ims_image, without->items[0].selector));
}

static Live *read_image(const LiveReader *reader, Arena *arena, const char *text, Error **err)
{
    Live *live = NULL;
    return live_from_text(reader, text, strlen(text), NULL, arena, &live, err) < 0 ? NULL : live;
}

#define IMAGE(members) "{\"id\":\"i\",\"status\":\"active\"" members "}"

static void assert_kept(const LiveReader *reader, const char *text, const char *expected)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(error_freep) Error *err = NULL;
    const Live *live = read_image(reader, arena, text, &err);
    if (!live)
        fail_msg("%s", err->message);
    assert_json(live->object, expected);
    /* The same from a list. */
    CLEANUP(freep) char *list = xasprintf("{\"images\":[%s]}", text);
    CLEANUP(json_page_freep) JsonPage *page = NULL;
    Live *item = NULL;
    assert_int_equal(json_page_parse(list, strlen(list), "images", &page, NULL), 0);
    assert_int_equal(live_from_item(reader, json_page_next(page, NULL), arena, &item, NULL), 0);
    assert_json(item->object, expected);
}

static void a_set_is_kept_as_a_map_of_its_texts(void **state)
{
    (void)state;
    const LiveReader reader = {.kind = &glance_image};
    assert_kept(&reader, IMAGE(",\"tags\":[\"b\",\"a\"]"),
                "{\"id\":\"i\",\"status\":\"active\",\"tags\":{\"a\":\"a\",\"b\":\"b\"}}");
    assert_kept(&reader, IMAGE(",\"tags\":[\"b\",\"a\",\"b\",\"b\"]"),
                "{\"id\":\"i\",\"status\":\"active\",\"tags\":{\"a\":\"a\",\"b\":\"b\"}}");
    assert_kept(&reader, IMAGE(",\"tags\":[]"), "{\"id\":\"i\",\"status\":\"active\",\"tags\":{}}");
    assert_kept(&reader, IMAGE(",\"tags\":null"), "{\"id\":\"i\",\"status\":\"active\",\"tags\":{}}");
    assert_kept(&reader, IMAGE(""), "{\"id\":\"i\",\"status\":\"active\",\"tags\":{}}");
}

static void a_set_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"{}", "\"a\"", "7", "[7]", "[\"a\",null]", "[[\"a\"]]", "true"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(arena_freep) Arena *arena = arena_new();
        CLEANUP(error_freep) Error *err = NULL;
        CLEANUP(freep) char *text = xasprintf(IMAGE(",\"tags\":%s"), bad[i]);
        if (read_image(&(LiveReader){.kind = &glance_image}, arena, text, &err))
            fail_msg("%s was accepted", text);
        assert_int_equal(err->kind, ERROR_PROTOCOL);
        assert_string_equal(err->message, "tags is not a list of texts");
    }
}

static void attributes_without_rows_are_kept_where_they_are_asked_for(void **state)
{
    (void)state;
    static const char *const names[] = {"b", "a", "none", "name", NULL}, *const nothing[] = {NULL};
    static const char text[] = IMAGE(",\"a\":\"1\",\"b\":7,\"c\":\"3\",\"name\":\"n\"");
    static const char bare[] = "{\"id\":\"i\",\"name\":\"n\",\"status\":\"active\"}";
    assert_kept(&(LiveReader){.kind = &ims_image, .free_names = names}, text,
                "{\"a\":\"1\",\"b\":7,\"id\":\"i\",\"name\":\"n\",\"status\":\"active\"}");
    assert_kept(&(LiveReader){.kind = &ims_image, .free_names = nothing}, text, bare);
    assert_kept(&(LiveReader){.kind = &ims_image}, text, bare);
}

/* "a b" of `kind`. */
static void assert_free_names(const Specs *specs, const Kind *kind, const char *expected)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(str_done) Str out = {0};
    for (const char *const *n = free_names_of(specs, kind, arena); n && *n; n++)
        str_addf(&out, "%s%s", out.len ? " " : "", *n);
    assert_string_equal(str_get(&out), expected);
}

static void the_names_are_those_that_documents_of_the_kind_declare(void **state)
{
    (void)state;
    CLEANUP(freep)
    char *a = image_document(&glance_image, "a", "selector: {name: \"*\"}, properties: {x: 1, y: null}", "");
    CLEANUP(freep)
    char *b = image_document(&glance_image, "b", "selector: {properties: {s: 1}}, properties: {z: 1}", "");
    CLEANUP(freep) char *c = image_document(&glance_image, "c", "selector: {name: \"*\"}, name: n", "");
    CLEANUP(freep) char *d = image_document(&ims_image, "d", "selector: {name: \"*\"}, extra: {w: 1, x: 1}", "");
    CLEANUP(freep)
    char *e = image_document(&glance_image, "e", "selector: {name: \"*\"}, properties: {y: 2, v: 1}", "");
    CLEANUP(freep) char *o = document("o", "account: prod, imageId: ocid1.image.a, displayName: x", "");
    CLEANUP(freep) char *all = xasprintf("%s%s%s%s%s%s", a, b, c, d, e, o);
    CLEANUP(specs_freep) Specs *specs = specs_of(all);
    assert_free_names(specs, &glance_image, "x y z v");
    assert_free_names(specs, &ims_image, "w x");
    assert_free_names(specs, &oci_image, "");
}

static void when_it_was_last_written_is_known(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const LiveReader reader = {.kind = &ims_image};
    const Live *live =
        read_image(&reader, arena,
                   IMAGE(",\"updated_at\":\"1970-01-01T00:00:07Z\",\"created_at\":\"1970-01-01T00:00:03Z\""), NULL);
    assert_int_equal(live->updated, 7 * USEC_PER_SEC);
    assert_int_equal(live->born, 3 * USEC_PER_SEC);
    assert_int_equal(read_image(&reader, arena, IMAGE(""), NULL)->updated, 0);
    assert_int_equal(read_image(&reader, arena, IMAGE(",\"updated_at\":\"yesterday\""), NULL)->updated, 0);
    assert_int_equal(read_image(&reader, arena, IMAGE(",\"updated_at\":7"), NULL)->updated, 0);
    assert_int_equal(
        read_image(&(LiveReader){.kind = &oci_image}, arena,
                   "{\"id\":\"i\",\"lifecycleState\":\"AVAILABLE\",\"updated_at\":\"1970-01-01T00:00:07Z\"}", NULL)
            ->updated,
        0);
}

static void an_image_of_another_project_is_foreign(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    static const char own[] = IMAGE(",\"owner\":\"p\""), other[] = IMAGE(",\"owner\":\"q\""), none[] = IMAGE("");
    const LiveReader ims = {.kind = &ims_image, .home = "p"}, homeless = {.kind = &ims_image},
                     shared = {.kind = &glance_image, .home = "p"};
    assert_false(read_image(&ims, arena, own, NULL)->foreign);
    assert_true(read_image(&ims, arena, other, NULL)->foreign);
    assert_true(read_image(&ims, arena, none, NULL)->foreign);
    assert_false(read_image(&homeless, arena, other, NULL)->foreign);
    assert_false(read_image(&shared, arena, other, NULL)->foreign); /* an administrator may write it */
}

static void a_single_read_may_answer_with_a_list_of_one(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(error_freep) Error *none = NULL;
    const LiveReader reader = {.kind = &ims_image, .page_member = "images"};
    assert_string_equal(read_image(&reader, arena, "{\"images\":[" IMAGE("") "]}", NULL)->id, "i");
    assert_null(read_image(&reader, arena, "{\"images\":[]}", &none));
    assert_int_equal(none->kind, ERROR_NOT_FOUND);
    static const char *const bad[] = {"{\"images\":[" IMAGE("") "," IMAGE("") "]}",
                                      "{\"images\":" IMAGE("") "}",
                                      "{\"images\":null}",
                                      "{\"images\":[7]}",
                                      "{\"images\":[null]}",
                                      "{\"images\":[{}]}",
                                      IMAGE(""),
                                      "[" IMAGE("") "]",
                                      "{}"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(error_freep) Error *err = NULL;
        if (read_image(&reader, arena, bad[i], &err))
            fail_msg("%s was accepted", bad[i]);
        assert_int_equal(err->kind, ERROR_PROTOCOL);
    }
    CLEANUP(error_freep) Error *number = NULL;
    assert_null(read_image(&reader, arena, "{\"images\":[7]}", &number));
    assert_string_equal(number->message, "the answer is a number, not image");
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
        cmocka_unit_test(conditions_have_types),
        cmocka_unit_test(words_and_names_of_images_match),
        cmocka_unit_test(every_tag_must_be_there),
        cmocka_unit_test(other_attributes_are_the_objects_own_members),
        cmocka_unit_test(an_image_must_be_one_that_can_be_written),
        cmocka_unit_test(an_own_project_may_be_named),
        cmocka_unit_test(a_set_is_kept_as_a_map_of_its_texts),
        cmocka_unit_test(a_set_that_is_none_is_refused),
        cmocka_unit_test(attributes_without_rows_are_kept_where_they_are_asked_for),
        cmocka_unit_test(the_names_are_those_that_documents_of_the_kind_declare),
        cmocka_unit_test(when_it_was_last_written_is_known),
        cmocka_unit_test(an_image_of_another_project_is_foreign),
        cmocka_unit_test(a_single_read_may_answer_with_a_list_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
