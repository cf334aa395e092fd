#include "config.h"

#include "../../tests/unit/helper.h"

#include <strings.h>

#include "attr/oci-backup.h"
#include "plan/diff.h"

#define NOW (1000 * USEC_PER_SEC)

typedef struct Case {
    Arena *arena;
    Specs *specs;
    Live *live;
    Deltas deltas, ignored;
} Case;

static void case_done(Case *c)
{
    VEC_DONE(&c->deltas);
    VEC_DONE(&c->ignored);
    specs_free(c->specs);
    arena_free(c->arena);
}

static Case compare(const char *want, const char *reconcile, const char *live)
{
    Case c = {.arena = arena_new(), .specs = spec_of(want, reconcile)};
    c.live = live_of(c.arena, live);
    diff_object(&c.specs->items[0], c.live, NOW, c.arena, &c.deltas, &c.ignored);
    return c;
}

/* "path: from -> to" of each, one a line. */
static char *shown(const Deltas *deltas, bool rules)
{
    Str out = {0};
    for (size_t i = 0; i < deltas->n; i++) {
        const Delta *d = &deltas->items[i];
        str_addf(&out, "%s: ", d->path);
        json_write_node(&out, d->from);
        str_add(&out, " -> ");
        json_write_node(&out, d->to);
        str_addf(&out, rules ? " (%s)\n" : "\n", d->rule);
    }
    return str_take(&out);
}

static void assert_deltas(const char *want, const char *reconcile, const char *live, const char *expected)
{
    CLEANUP(case_done) Case c = compare(want, reconcile, live);
    CLEANUP(freep) char *text = shown(&c.deltas, false);
    assert_string_equal(text, expected);
}

static void assert_ignored(const char *want, const char *reconcile, const char *live, const char *expected)
{
    CLEANUP(case_done) Case c = compare(want, reconcile, live);
    CLEANUP(freep) char *text = shown(&c.ignored, true);
    assert_int_equal(c.deltas.n, 0);
    assert_string_equal(text, expected);
}

static void assert_body(const char *want, const char *reconcile, const char *live, const char *expected)
{
    CLEANUP(case_done) Case c = compare(want, reconcile, live);
    assert_json(diff_apply(c.live, &c.deltas, c.arena), expected);
}

static void an_equal_object_has_no_differences(void **state)
{
    (void)state;
    assert_deltas(
        "displayName: a, operatingSystemVersion: 9, freeformTags: {t: x, gone: null}, definedTags: {Ops: {C: 42, D: "
        "~}}",
        "",
        "\"displayName\":\"a\",\"operatingSystemVersion\":\"9\",\"freeformTags\":{\"t\":\"x\",\"other\":\"y\"},"
        "\"definedTags\":{\"Ops\":{\"C\":\"42\"},\"Fin\":{\"E\":\"1\"}}",
        "");
}

static void a_changed_text_is_one_difference(void **state)
{
    (void)state;
    assert_deltas("displayName: b", "", "\"displayName\":\"a\"", "displayName: \"a\" -> \"b\"\n");
    assert_deltas("displayName: b", "", "\"displayName\":null", "displayName: null -> \"b\"\n");
    assert_deltas("displayName: b", "", "", "displayName: null -> \"b\"\n");
}

static void what_is_not_declared_is_not_looked_at(void **state)
{
    (void)state;
    static const char live[] = "\"displayName\":\"a\",\"operatingSystem\":\"x\",\"freeformTags\":{\"t\":\"x\"},"
                               "\"definedTags\":{\"A\":{\"b\":\"c\"}}";
    assert_deltas("displayName: a", "", live, "");
    assert_deltas("displayName: a", "tags: exact", live, "");
}

static void only_the_body_of_what_differs_is_written(void **state)
{
    (void)state;
    assert_body("displayName: b, operatingSystem: x", "",
                "\"displayName\":\"a\",\"operatingSystem\":\"x\",\"freeformTags\":{\"t\":\"x\"}",
                "{\"displayName\":\"b\"}");
}

static void tags_are_merged_into_the_live_ones(void **state)
{
    (void)state;
    static const char live[] = "\"freeformTags\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}";
    assert_deltas("freeformTags: {b: 9, d: 4, c: null}", "", live,
                  "freeformTags.b: \"2\" -> \"9\"\nfreeformTags.d: null -> \"4\"\nfreeformTags.c: \"3\" -> null\n");
    assert_body("freeformTags: {b: 9, d: 4, c: null}", "", live,
                "{\"freeformTags\":{\"a\":\"1\",\"b\":\"9\",\"d\":\"4\"}}");
}

static void an_empty_tag_is_not_an_absent_one(void **state)
{
    (void)state;
    assert_deltas("freeformTags: {a: \"\"}", "", "\"freeformTags\":{}", "freeformTags.a: null -> \"\"\n");
    assert_deltas("freeformTags: {a: null}", "", "\"freeformTags\":{\"a\":\"\"}", "freeformTags.a: \"\" -> null\n");
    assert_deltas("freeformTags: {a: \"\"}", "", "\"freeformTags\":{\"a\":\"\"}", "");
}

static void the_last_tag_can_be_taken_away(void **state)
{
    (void)state;
    assert_body("freeformTags: {a: null}", "", "\"freeformTags\":{\"a\":\"1\"}", "{\"freeformTags\":{}}");
    assert_body("definedTags: {Ops: {a: null}}", "", "\"definedTags\":{\"Ops\":{\"a\":\"1\"},\"Fin\":{\"b\":\"2\"}}",
                "{\"definedTags\":{\"Fin\":{\"b\":\"2\"}}}");
}

static void tags_that_are_absent_or_null_are_empty(void **state)
{
    (void)state;
    assert_body("freeformTags: {a: 1}", "", "", "{\"freeformTags\":{\"a\":\"1\"}}");
    assert_body("definedTags: {Ops: {a: 1}}", "", "\"definedTags\":null", "{\"definedTags\":{\"Ops\":{\"a\":\"1\"}}}");
    assert_deltas("freeformTags: {a: null}", "", "\"freeformTags\":null", "");
}

static void exact_takes_away_what_is_not_declared(void **state)
{
    (void)state;
    static const char live[] = "\"freeformTags\":{\"a\":\"1\",\"b\":\"2\"}";
    assert_deltas("freeformTags: {a: 1}", "tags: exact", live, "freeformTags.b: \"2\" -> null\n");
    assert_deltas("freeformTags: {}", "tags: exact", live,
                  "freeformTags.a: \"1\" -> null\nfreeformTags.b: \"2\" -> null\n");
    assert_deltas("freeformTags: {}", "tags: merge", live, "");
}

static void exact_holds_for_namespaces_too(void **state)
{
    (void)state;
    assert_deltas("definedTags: {ops: {A: 1}}", "tags: exact",
                  "\"definedTags\":{\"Ops\":{\"a\":\"1\",\"B\":\"2\"},\"Fin\":{\"C\":\"3\"}}",
                  "definedTags.Ops.B: \"2\" -> null\ndefinedTags.Fin.C: \"3\" -> null\n");
}

static void exact_never_takes_away_what_the_cloud_writes(void **state)
{
    (void)state;
    assert_ignored("definedTags: {}", "tags: exact", "\"definedTags\":{\"Oracle-Tags\":{\"CreatedBy\":\"x\"}}",
                   "definedTags.Oracle-Tags.CreatedBy: \"x\" -> null (written by the cloud)\n");
    assert_ignored("definedTags: {}", "tags: exact", "\"definedTags\":{\"oracle-TAGS\":{\"CreatedBy\":\"x\"}}",
                   "definedTags.oracle-TAGS.CreatedBy: \"x\" -> null (written by the cloud)\n");
}

static void what_the_cloud_writes_is_no_drift_though_declared(void **state)
{
    (void)state;
    assert_ignored("definedTags: {Oracle-Tags: {CreatedBy: me}}", "",
                   "\"definedTags\":{\"Oracle-Tags\":{\"CreatedBy\":\"x\"}}",
                   "definedTags.Oracle-Tags.CreatedBy: \"x\" -> \"me\" (written by the cloud)\n");
}

static void a_body_keeps_what_the_cloud_writes(void **state)
{
    (void)state;
    assert_body("definedTags: {}", "tags: exact",
                "\"definedTags\":{\"Oracle-Tags\":{\"CreatedBy\":\"x\"},\"Ops\":{\"a\":\"1\"}}",
                "{\"definedTags\":{\"Oracle-Tags\":{\"CreatedBy\":\"x\"}}}");
}

/* A backup and the volume that it was made of; `volume` NULL: that could not be read. */
static Case compare_backup(const char *want, const char *backup, const char *volume)
{
    CLEANUP(freep)
    char *yaml = xasprintf("apiVersion: imagekeeper/v1\nkind: OciBootVolumeBackup\nmetadata: {name: a}\n"
                           "spec: {account: prod, bootVolumeBackupId: ocid1.backup.a, %s}\n"
                           "reconcile: {tags: exact}\n",
                           want);
    CLEANUP(freep)
    char *json = xasprintf("{\"id\":\"ocid1.backup.a\",\"lifecycleState\":\"AVAILABLE\","
                           "\"bootVolumeId\":\"ocid1.volume.a\",%s}",
                           backup);
    CLEANUP(freep)
    char *source = xasprintf("{\"id\":\"ocid1.volume.a\",\"lifecycleState\":\"AVAILABLE\",%s}", volume ? volume : "");
    Case c = {.arena = arena_new(), .specs = specs_of(yaml)};
    Live *behind = NULL;
    assert_int_equal(
        live_from_text(&(LiveReader){.kind = &oci_boot_volume_backup}, json, strlen(json), "e", c.arena, &c.live, NULL),
        0);
    assert_string_equal(c.live->source_id, "ocid1.volume.a");
    if (volume)
        assert_int_equal(live_from_text(&(LiveReader){.kind = &oci_boot_volume}, source, strlen(source), NULL, c.arena,
                                        &behind, NULL),
                         0);
    c.live->source = behind;
    diff_object(&c.specs->items[0], c.live, NOW, c.arena, &c.deltas, &c.ignored);
    return c;
}

static void assert_backup(const char *want, const char *backup, const char *volume, const char *deltas,
                          const char *ignored)
{
    CLEANUP(case_done) Case c = compare_backup(want, backup, volume);
    CLEANUP(freep) char *left = shown(&c.deltas, false), *passed = shown(&c.ignored, true);
    assert_string_equal(left, deltas);
    assert_string_equal(passed, ignored);
}

static void what_was_copied_from_the_volume_is_no_drift(void **state)
{
    (void)state;
    assert_backup("freeformTags: {a: 1}", "\"freeformTags\":{\"a\":\"1\",\"os\":\"ol9\",\"stray\":\"x\"}",
                  "\"freeformTags\":{\"os\":\"ol9\"}", "freeformTags.stray: \"x\" -> null\n",
                  "freeformTags.os: \"ol9\" -> null (copied from its volume)\n");
    /* The volume's tag may have changed since: the backup's is still a copy. */
    assert_backup("definedTags: {}", "\"definedTags\":{\"Ops\":{\"A\":\"1\",\"B\":\"2\"}}",
                  "\"definedTags\":{\"ops\":{\"a\":\"9\"}}", "definedTags.Ops.B: \"2\" -> null\n",
                  "definedTags.Ops.A: \"1\" -> null (copied from its volume)\n");
}

static void a_declared_tag_is_kept_though_the_volume_has_it_too(void **state)
{
    (void)state;
    assert_backup("freeformTags: {os: ol10, gone: null}", "\"freeformTags\":{\"os\":\"ol9\",\"gone\":\"1\"}",
                  "\"freeformTags\":{\"os\":\"ol9\",\"gone\":\"1\"}",
                  "freeformTags.os: \"ol9\" -> \"ol10\"\nfreeformTags.gone: \"1\" -> null\n", "");
}

static void nothing_is_taken_away_when_the_volume_could_not_be_read(void **state)
{
    (void)state;
    assert_backup("freeformTags: {a: 1}", "\"freeformTags\":{\"stray\":\"x\"}", NULL, "freeformTags.a: null -> \"1\"\n",
                  "freeformTags.stray: \"x\" -> null (perhaps copied from its volume, which could not be read)\n");
}

static void exact_never_takes_away_what_says_whose_a_backup_is(void **state)
{
    (void)state;
    assert_backup("freeformTags: {}",
                  "\"freeformTags\":{\"imagekeeper\":\"s@t\",\"imagekeeper-prune-after\":\"never\"}",
                  "\"freeformTags\":{}", "",
                  "freeformTags.imagekeeper: \"s@t\" -> null (imagekeeper's own)\n"
                  "freeformTags.imagekeeper-prune-after: \"never\" -> null (imagekeeper's own)\n");
}

static void defined_tags_compare_without_regard_to_case(void **state)
{
    (void)state;
    static const char live[] = "\"definedTags\":{\"Ops\":{\"CostCenter\":\"42\"}}";
    assert_deltas("definedTags: {OPS: {costcenter: 42}}", "", live, "");
    assert_deltas("definedTags: {OPS: {costcenter: null}}", "", live, "definedTags.OPS.costcenter: \"42\" -> null\n");
    assert_deltas("definedTags: {OPS: {costcenter: 42}}", "tags: exact", live, "");
}

static void a_body_writes_keys_as_the_live_object_does(void **state)
{
    (void)state;
    static const char live[] = "\"definedTags\":{\"Ops\":{\"CostCenter\":\"42\",\"x\":\"1\"}}";
    assert_body("definedTags: {OPS: {costcenter: 43, New: 1}}", "", live,
                "{\"definedTags\":{\"Ops\":{\"CostCenter\":\"43\",\"New\":\"1\",\"x\":\"1\"}}}");
    assert_body("definedTags: {OPS: {costcenter: null}}", "", live, "{\"definedTags\":{\"Ops\":{\"x\":\"1\"}}}");
}

static void free_form_keys_and_all_values_mind_case(void **state)
{
    (void)state;
    assert_deltas("freeformTags: {Team: base}", "", "\"freeformTags\":{\"team\":\"base\"}",
                  "freeformTags.Team: null -> \"base\"\n");
    assert_deltas("definedTags: {Ops: {a: X}}", "", "\"definedTags\":{\"Ops\":{\"a\":\"x\"}}",
                  "definedTags.Ops.a: \"x\" -> \"X\"\n");
}

static void a_value_that_is_no_text_counts_as_its_text(void **state)
{
    (void)state;
    static const char live[] = "\"definedTags\":{\"Ops\":{\"n\":42,\"b\":true,\"l\":[\"x\"]}}";
    assert_deltas("definedTags: {Ops: {n: 42, b: true}}", "", live, "");
    assert_deltas("definedTags: {Ops: {n: 42.0}}", "", live, "definedTags.Ops.n: 42 -> \"42.0\"\n");
    assert_deltas("definedTags: {Ops: {l: x}}", "", live, "definedTags.Ops.l: [\"x\"] -> \"x\"\n");
}

static void ignored_paths_are_passed_over_with_their_rule(void **state)
{
    (void)state;
    assert_ignored("displayName: b", "ignore: [displayName]", "\"displayName\":\"a\"",
                   "displayName: \"a\" -> \"b\" (ignore: displayName)\n");
    assert_ignored("freeformTags: {a: 1}", "ignore: [freeformTags]", "",
                   "freeformTags.a: null -> \"1\" (ignore: freeformTags)\n");
    assert_ignored("definedTags: {cost: {X: 1}}", "ignore: [\"definedTags.Cost.*\"]", "",
                   "definedTags.cost.X: null -> \"1\" (ignore: definedTags.Cost.*)\n");
    assert_ignored("freeformTags: {}", "tags: exact, ignore: [\"freeformTags.x*\"]", "\"freeformTags\":{\"xy\":\"1\"}",
                   "freeformTags.xy: \"1\" -> null (ignore: freeformTags.x*)\n");
    assert_deltas("freeformTags: {a: 1}", "ignore: [\"freeformTags.b\"]", "", "freeformTags.a: null -> \"1\"\n");
    assert_deltas("freeformTags: {Ab: 1}", "ignore: [\"freeformTags.a*\"]", "", "freeformTags.Ab: null -> \"1\"\n");
}

static void ignored_paths_are_not_written_either(void **state)
{
    (void)state;
    assert_body("freeformTags: {a: 1, b: 2}", "ignore: [freeformTags.b]", "\"freeformTags\":{\"b\":\"9\"}",
                "{\"freeformTags\":{\"a\":\"1\",\"b\":\"9\"}}");
}

static void a_suspended_document_has_no_differences(void **state)
{
    (void)state;
    assert_ignored("displayName: b", "suspend: {until: 1970-01-01T00:16:41Z, reason: moving}", "\"displayName\":\"a\"",
                   "displayName: \"a\" -> \"b\" (suspended until 1970-01-01T00:16:41Z: moving)\n");
}

static void a_pause_ends_by_itself(void **state)
{
    (void)state;
    assert_deltas("displayName: b", "suspend: {until: 1970-01-01T00:16:40Z, reason: moving}", "\"displayName\":\"a\"",
                  "displayName: \"a\" -> \"b\"\n");
}

static void a_difference_knows_its_place_in_the_spec(void **state)
{
    (void)state;
    CLEANUP(specs_freep)
    Specs *specs = specs_of("apiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: a}\n"
                            "spec:\n  account: prod\n  imageId: ocid1.image.a\n  displayName: b\n"
                            "  freeformTags:\n    x: 1\nreconcile: {tags: exact}\n");
    CLEANUP(arena_freep) Arena *arena = arena_new();
    Deltas deltas = {0};
    diff_object(specs->items, live_of(arena, "\"freeformTags\":{\"y\":\"2\"}"), NOW, arena, &deltas, NULL);
    static const Mark marks[] = {{7, 3}, {9, 5}, {8, 3}}; /* what exact takes away stands where the map does */
    assert_int_equal(deltas.n, ARRAY_SIZE(marks));
    for (size_t i = 0; i < deltas.n; i++)
        assert_memory_equal(&deltas.items[i].mark, &marks[i], sizeof(Mark));
    VEC_DONE(&deltas);
}

static void equal_differences_are_told_from_others(void **state)
{
    (void)state;
    CLEANUP(case_done) Case a = compare("displayName: b, freeformTags: {x: 1}", "", "\"displayName\":\"a\"");
    CLEANUP(case_done) Case same = compare("displayName: b, freeformTags: {x: 1}", "", "\"displayName\":\"a\"");
    CLEANUP(case_done) Case from = compare("displayName: b, freeformTags: {x: 1}", "", "\"displayName\":\"c\"");
    CLEANUP(case_done) Case to = compare("displayName: b, freeformTags: {x: 2}", "", "\"displayName\":\"a\"");
    CLEANUP(case_done) Case fewer = compare("displayName: b", "", "\"displayName\":\"a\"");
    assert_true(deltas_equal(&a.deltas, &same.deltas));
    assert_false(deltas_equal(&a.deltas, &from.deltas));
    assert_false(deltas_equal(&a.deltas, &to.deltas));
    assert_false(deltas_equal(&a.deltas, &fewer.deltas));
}

/* --- images of Glance's protocol --- */

static Case compare_image(const Kind *kind, const char *want, const char *reconcile, const char *live)
{
    Case c = {.arena = arena_new(), .specs = image_spec_of(kind, want, reconcile)};
    c.live = image_of(c.specs, c.arena, live);
    diff_object(&c.specs->items[0], c.live, NOW, c.arena, &c.deltas, &c.ignored);
    return c;
}

/* `body` NULL: nothing is to be written. */
static void assert_image(const Kind *kind, const char *want, const char *reconcile, const char *live,
                         const char *deltas, const char *body)
{
    CLEANUP(case_done) Case c = compare_image(kind, want, reconcile, live);
    CLEANUP(freep) char *text = shown(&c.deltas, false);
    assert_string_equal(text, deltas);
    assert_json(diff_apply(c.live, &c.deltas, c.arena), body ? body : "{}");
}

static void assert_glance(const char *want, const char *live, const char *deltas, const char *body)
{
    assert_image(&glance_image, want, "", live, deltas, body);
}

static void assert_ims(const char *want, const char *live, const char *deltas, const char *body)
{
    assert_image(&ims_image, want, "", live, deltas, body);
}

static void a_set_is_merged_into_the_live_one(void **state)
{
    (void)state;
    assert_glance("tags: [a, b]", "\"tags\":[\"x\",\"b\"]", "tags.a: null -> \"a\"\n",
                  "{\"tags\":[\"b\",\"x\",\"a\"]}");
    assert_glance("tags: [a, b]", "\"tags\":[]", "tags.a: null -> \"a\"\ntags.b: null -> \"b\"\n",
                  "{\"tags\":[\"a\",\"b\"]}");
    assert_glance("tags: [a]", "\"tags\":null", "tags.a: null -> \"a\"\n", "{\"tags\":[\"a\"]}");
    assert_glance("tags: [a]", "", "tags.a: null -> \"a\"\n", "{\"tags\":[\"a\"]}");
}

static void the_order_of_a_set_does_not_matter(void **state)
{
    (void)state;
    assert_glance("tags: [a, b]", "\"tags\":[\"b\",\"a\",\"b\"]", "", NULL);
    assert_image(&glance_image, "tags: [a, b]", "tags: exact", "\"tags\":[\"b\",\"a\"]", "", NULL);
    assert_glance("tags: [A]", "\"tags\":[\"a\"]", "tags.A: null -> \"A\"\n", "{\"tags\":[\"a\",\"A\"]}");
}

static void an_exact_set_holds_no_others(void **state)
{
    (void)state;
    assert_image(&glance_image, "tags: [a]", "tags: exact", "\"tags\":[\"x\",\"a\",\"y.z\"]",
                 "tags.x: \"x\" -> null\ntags.y.z: \"y.z\" -> null\n", "{\"tags\":[\"a\"]}");
    assert_image(&glance_image, "tags: [a]", "tags: exact", "\"tags\":[\"x\"]",
                 "tags.a: null -> \"a\"\ntags.x: \"x\" -> null\n", "{\"tags\":[\"a\"]}");
}

static void an_empty_set_only_means_something_when_it_is_exact(void **state)
{
    (void)state;
    assert_glance("tags: []", "\"tags\":[\"x\"]", "", NULL);
    assert_image(&glance_image, "tags: []", "tags: exact", "\"tags\":[\"x\"]", "tags.x: \"x\" -> null\n",
                 "{\"tags\":[]}");
    assert_image(&glance_image, "tags: []", "tags: exact", "\"tags\":[]", "", NULL);
    assert_image(&glance_image, "name: n", "tags: exact", "\"name\":\"n\",\"tags\":[\"x\"]", "", NULL);
}

static void items_of_a_set_can_be_ignored(void **state)
{
    (void)state;
    assert_image(&glance_image, "tags: [a, mine]", "tags: exact, ignore: [\"tags.a*\", tags.x]",
                 "\"tags\":[\"x\",\"ab\",\"y\"]", "tags.mine: null -> \"mine\"\ntags.y: \"y\" -> null\n",
                 "{\"tags\":[\"ab\",\"x\",\"mine\"]}");
}

static void attributes_without_rows_are_added_changed_and_removed(void **state)
{
    (void)state;
    assert_glance("properties: {new: 1, old: 2, same: 3, gone: null, never: null, blank: \"\"}",
                  "\"old\":\"0\",\"same\":\"3\",\"gone\":\"4\",\"other\":\"5\"",
                  "properties.new: null -> \"1\"\nproperties.old: \"0\" -> \"2\"\nproperties.gone: \"4\" -> null\n"
                  "properties.blank: null -> \"\"\n",
                  "{\"blank\":\"\",\"gone\":null,\"new\":\"1\",\"old\":\"2\"}");
    assert_ims("extra: {a: x, b: null}", "\"a\":null,\"b\":null", "extra.a: null -> \"x\"\n", "{\"a\":\"x\"}");
}

static void names_without_rows_mind_case(void **state)
{
    (void)state;
    assert_glance("properties: {Team: x}", "\"team\":\"x\"", "properties.Team: null -> \"x\"\n", "{\"Team\":\"x\"}");
}

static void a_dot_in_a_name_is_part_of_it(void **state)
{
    (void)state;
    assert_glance("properties: {a.b: x}", "\"a.b\":\"y\"", "properties.a.b: \"y\" -> \"x\"\n", "{\"a.b\":\"x\"}");
}

static void attributes_without_rows_are_never_exact(void **state)
{
    (void)state;
    assert_image(&glance_image, "properties: {a: 1}, tags: [t]", "tags: exact",
                 "\"a\":\"1\",\"b\":\"2\",\"tags\":[\"t\"]", "", NULL);
    assert_image(&glance_image, "properties: {}", "tags: exact", "\"b\":\"2\"", "", NULL);
}

static void an_attribute_without_a_row_can_be_ignored(void **state)
{
    (void)state;
    assert_image(&glance_image, "properties: {a: 1, b: 2}", "ignore: [properties.a]", "\"a\":\"0\",\"b\":\"0\"",
                 "properties.b: \"0\" -> \"2\"\n", "{\"b\":\"2\"}");
}

static void an_absent_attribute_may_mean_a_value(void **state)
{
    (void)state;
    assert_ims("hw_firmware_type: bios, __is_config_init: false", "", "", NULL);
    assert_ims("hw_firmware_type: bios", "\"hw_firmware_type\":null", "", NULL);
    assert_ims("hw_firmware_type: uefi", "", "hw_firmware_type: null -> \"uefi\"\n", "{\"hw_firmware_type\":\"uefi\"}");
    assert_ims("hw_firmware_type: bios", "\"hw_firmware_type\":\"uefi\"", "hw_firmware_type: \"uefi\" -> \"bios\"\n",
               "{\"hw_firmware_type\":\"bios\"}");
    assert_ims("__support_fc_inject: false", "", "__support_fc_inject: null -> \"false\"\n",
               "{\"__support_fc_inject\":\"false\"}");
}

static void null_takes_an_attribute_away(void **state)
{
    (void)state;
    assert_ims("hw_firmware_type: null", "\"hw_firmware_type\":\"bios\"", "hw_firmware_type: \"bios\" -> null\n",
               "{\"hw_firmware_type\":null}");
    assert_ims("__description: null, __support_xen: null, max_ram: null",
               "\"__description\":\"x\",\"__support_xen\":\"true\",\"max_ram\":\"1\"",
               "__description: \"x\" -> null\nmax_ram: \"1\" -> null\n__support_xen: \"true\" -> null\n",
               "{\"__description\":null,\"__support_xen\":null,\"max_ram\":null}");
    assert_ims("__description: null, hw_firmware_type: ~", "\"__description\":null", "", NULL);
}

static void numbers_are_compared_with_texts(void **state)
{
    (void)state;
    assert_ims("min_ram: 2048", "\"min_ram\":2048", "", NULL);
    assert_ims("min_ram: 2048", "\"min_ram\":\"2048\"", "", NULL);
    assert_ims("min_ram: 02048", "\"min_ram\":\"2048\"", "", NULL);
    assert_glance("min_ram: 2048", "\"min_ram\":\"2048\"", "", NULL);
    assert_glance("min_ram: 0", "\"min_ram\":0", "", NULL);
    assert_glance("min_ram: 0", "", "min_ram: null -> 0\n", "{\"min_ram\":0}");
    assert_ims("extra: {n: 5, b: \"true\"}", "\"n\":5,\"b\":true", "", NULL);
    assert_ims("extra: {n: 5}", "\"n\":5.5", "extra.n: 5.5 -> \"5\"\n", "{\"n\":\"5\"}");
    assert_ims("hw_vif_multiqueue_enabled: \"true\"", "\"hw_vif_multiqueue_enabled\":true", "", NULL);
    assert_glance("protected: true", "\"protected\":\"true\"", "", NULL);
}

static void a_number_is_written_as_the_api_wants_it(void **state)
{
    (void)state;
    assert_ims("min_ram: 2048, max_ram: 4096", "\"min_ram\":1024", "min_ram: 1024 -> 2048\nmax_ram: null -> 4096\n",
               "{\"max_ram\":\"4096\",\"min_ram\":\"2048\"}");
    assert_glance("min_ram: 2048, min_disk: 1, protected: true, os_hidden: false",
                  "\"min_ram\":\"1024\",\"min_disk\":0,\"protected\":false,\"os_hidden\":true",
                  "protected: false -> true\nos_hidden: true -> false\nmin_ram: \"1024\" -> 2048\nmin_disk: 0 -> 1\n",
                  "{\"min_disk\":1,\"min_ram\":2048,\"os_hidden\":false,\"protected\":true}");
}

static void plain_attributes_of_images_are_compared_too(void **state)
{
    (void)state;
    assert_glance("name: b, visibility: private", "\"name\":null,\"visibility\":\"private\"", "name: null -> \"b\"\n",
                  "{\"name\":\"b\"}");
    assert_ims("name: b, __description: two words", "\"name\":\"a\",\"__description\":\"two words\"",
               "name: \"a\" -> \"b\"\n", "{\"name\":\"b\"}");
}

/* The image as the API shows it after the update. */
static Live *patched(const Case *c, const char *members)
{
    CLEANUP(freep) char *text = xasprintf("{%s,\"id\":\"" IMAGE_UUID "\",\"status\":\"active\"}", members);
    const Node *body = diff_apply(c->live, &c->deltas, c->arena), *before = NULL;
    const Spec *spec = c->specs->items;
    assert_int_equal(json_read(c->arena, text, strlen(text), &before, NULL), 0);
    NodeBuilder *b = node_builder_new(c->arena, NODE_MAP, (Mark){0});
    for (uint32_t i = 0; i < before->n; i++)
        if (!node_entry(body, before->entries[i].key))
            node_builder_add(b, before->entries[i].key, (Mark){0}, before->entries[i].value);
    for (uint32_t i = 0; i < body->n; i++)
        if (body->entries[i].value->type != NODE_NULL)
            node_builder_add(b, body->entries[i].key, (Mark){0}, body->entries[i].value);
    LiveReader reader = {.kind = spec->kind, .free_names = live_free_names(&spec, 1, c->arena)};
    Live *live = NULL;
    assert_int_equal(live_from_node(&reader, node_builder_end(b), NULL, c->arena, &live, NULL), 0);
    return live;
}

/* A member with one of the values, as JSON or YAML; or nothing. */
static void add_choice(Str *out, uint64_t *seed, const char *name, const char *const *choices, unsigned n)
{
    unsigned i = random_below(seed, n + 1);
    if (i < n)
        str_addf(out, ",\"%s\": %s", name, choices[i]);
}

static void add_items(Str *out, uint64_t *seed, bool live)
{
    static const char *const items[] = {"a", "A", "b.c", "d"};
    unsigned chosen = random_below(seed, 16), first = random_below(seed, 4);
    str_add(out, ",\"tags\": [");
    bool comma = false;
    for (unsigned i = 0; i < 4; i++)
        if (chosen >> i & 1) {
            str_addf(out, "%s\"%s\"", comma ? ", " : "", items[(i + first) % 4]);
            comma = true;
        }
    if (live && comma && !random_below(seed, 3)) /* twice */
        str_addf(out, ", \"%s\"", items[first]);
    str_addc(out, ']');
}

static Case generate_image(const Kind *kind, uint64_t *seed, Str *live)
{
    static const char *const
        texts[] = {"\"1\"", "\"2\"", "\"true\"", "null", "\"\""},
        *const numbers[] = {"1", "2", "1024"}, *const shown_numbers[] = {"1", "\"2\"", "null", "1024", "\"1024\""},
        *const bools[] = {"true", "false"}, *const odd[] = {"\"1\"", "1", "true", "null", "\"\"", "2.5"},
        *const firmware[] = {"bios", "uefi", "null"}, *const shown_firmware[] = {"\"bios\"", "\"uefi\"", "null"},
        *const names[] = {"p", "q", "r", "s"};
    CLEANUP(str_done) Str want = {0}, reconcile = {0};
    bool ims = kind == &ims_image;
    str_add(&want, "\"name\": n");
    str_addf(live, "\"name\":\"n%s\"", random_below(seed, 2) ? "" : "1");
    add_choice(&want, seed, "min_ram", numbers, 3);
    add_choice(live, seed, "min_ram", shown_numbers, 5);
    if (ims) {
        add_choice(&want, seed, "hw_firmware_type", firmware, 3);
        add_choice(live, seed, "hw_firmware_type", shown_firmware, 3);
        add_choice(&want, seed, "max_ram", numbers, 3);
        add_choice(live, seed, "max_ram", shown_numbers, 5);
    } else {
        add_choice(&want, seed, "protected", bools, 2);
        add_choice(live, seed, "protected", bools, 2);
        if (random_below(seed, 4))
            add_items(&want, seed, false);
        if (random_below(seed, 4))
            add_items(live, seed, true);
    }
    str_addf(&want, ", %s: {\"z\": \"1\"", ims ? "extra" : "properties");
    for (unsigned i = 0; i < 4; i++) {
        add_choice(&want, seed, names[i], texts, ims ? 4 : 5);
        add_choice(live, seed, names[i], odd, 6);
    }
    str_addc(&want, '}');
    if (!ims)
        str_addf(&reconcile, "tags: %s", random_below(seed, 2) ? "exact" : "merge");
    if (!random_below(seed, 3))
        str_addf(&reconcile, "%signore: [\"%s\"]", ims ? "" : ", ", ims ? "extra.p" : "*.a*");
    return compare_image(kind, str_get(&want), str_get(&reconcile), str_get(live));
}

static void applying_the_differences_of_an_image_leaves_none(void **state)
{
    (void)state;
    uint64_t seed = 4;
    size_t n = 0;
    for (int i = 0; i < 1500; i++) {
        CLEANUP(str_done) Str members = {0};
        CLEANUP(case_done) Case c = generate_image(i % 2 ? &ims_image : &glance_image, &seed, &members);
        CLEANUP(freep) char *before = shown(&c.ignored, true);
        Deltas again = {0}, ignored = {0};
        diff_object(c.specs->items, patched(&c, str_get(&members)), NOW, c.arena, &again, &ignored);
        CLEANUP(freep) char *left = shown(&again, false), *after = shown(&ignored, true);
        n += c.deltas.n;
        VEC_DONE(&again);
        VEC_DONE(&ignored);
        if (*left)
            fail_msg("%s of %s", left, str_get(&members));
        assert_string_equal(after, before);
    }
    assert_true(n > 1500);
}

/* Generated input: few keys and values, so that they often meet. */
static const char *const spaces[] = {"Ops", "ops", "Fin", "FIN", "Oracle-Tags"};
static const char *const keys[] = {"a", "A", "b", "Cost", "cost"};
static const char *const values[] = {"1", "2", "", "null"};
static const char *const rules[] = {"freeformTags.a", "definedTags.ops.*", "definedTags.**", "displayName", "*"};

static bool taken(const char *const *names, const bool *used, size_t i, bool fold)
{
    for (size_t k = 0; k < 5; k++)
        if (used[k] && (fold ? strcasecmp(names[k], names[i]) == 0 : k == i))
            return true;
    return false;
}

static void add_map(Str *out, uint64_t *seed, bool live, bool fold)
{
    bool used[5] = {0}, comma = false;
    str_addc(out, '{');
    for (unsigned n = random_below(seed, 4); n > 0; n--) {
        size_t i = random_below(seed, 5);
        if (taken(keys, used, i, fold))
            continue;
        used[i] = true;
        const char *value = values[random_below(seed, live ? 3 : 4)];
        str_addf(out, streq(value, "null") ? "%s\"%s\": %s" : "%s\"%s\": \"%s\"", comma ? ", " : "", keys[i], value);
        comma = true;
    }
    str_addc(out, '}');
}

static void add_spaces(Str *out, uint64_t *seed, bool live)
{
    bool used[5] = {0}, comma = false;
    str_addc(out, '{');
    for (unsigned n = random_below(seed, 4); n > 0; n--) {
        size_t i = random_below(seed, 5);
        if (taken(spaces, used, i, true))
            continue;
        used[i] = true;
        str_addf(out, "%s\"%s\": ", comma ? ", " : "", spaces[i]);
        add_map(out, seed, live, true);
        comma = true;
    }
    str_addc(out, '}');
}

static Case generate(uint64_t *seed)
{
    CLEANUP(str_done) Str want = {0}, live = {0}, reconcile = {0};
    str_addf(&live, "\"displayName\": \"n%u\"", random_below(seed, 2));
    str_addf(&want, "operatingSystemVersion: 9");
    if (random_below(seed, 2))
        str_addf(&want, ", displayName: n%u", random_below(seed, 2));
    if (random_below(seed, 4)) {
        str_add(&want, ", freeformTags: ");
        add_map(&want, seed, false, false);
    }
    if (random_below(seed, 4)) {
        str_add(&want, ", definedTags: ");
        add_spaces(&want, seed, false);
    }
    if (random_below(seed, 6)) {
        str_add(&live, ", \"freeformTags\": ");
        add_map(&live, seed, true, false);
    }
    if (random_below(seed, 6)) {
        str_add(&live, ", \"definedTags\": ");
        add_spaces(&live, seed, true);
    }
    str_addf(&reconcile, "tags: %s", random_below(seed, 2) ? "exact" : "merge");
    if (!random_below(seed, 3))
        str_addf(&reconcile, ", ignore: [\"%s\"]", rules[random_below(seed, ARRAY_SIZE(rules))]);
    return compare(str_get(&want), str_get(&reconcile), str_get(&live));
}

/* The live object as the API shows it after the update. */
static Live *updated(const Case *c)
{
    const Node *body = diff_apply(c->live, &c->deltas, c->arena);
    NodeBuilder *b = node_builder_new(c->arena, NODE_MAP, (Mark){0});
    for (uint32_t i = 0; i < c->live->object->n; i++) {
        const NodeEntry *e = &c->live->object->entries[i];
        if (!node_entry(body, e->key))
            node_builder_add(b, e->key, e->mark, e->value);
    }
    for (uint32_t i = 0; i < body->n; i++)
        node_builder_add(b, body->entries[i].key, (Mark){0}, body->entries[i].value);
    Live *live = arena_alloc(c->arena, sizeof(*live));
    *live = *c->live;
    live->object = node_builder_end(b);
    return live;
}

static void applying_the_differences_leaves_none(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 1500; i++) {
        CLEANUP(case_done) Case c = generate(&seed);
        CLEANUP(freep) char *before = shown(&c.ignored, true);
        Deltas again = {0}, ignored = {0};
        diff_object(c.specs->items, updated(&c), NOW, c.arena, &again, &ignored);
        CLEANUP(freep) char *left = shown(&again, false), *after = shown(&ignored, true);
        VEC_DONE(&again);
        VEC_DONE(&ignored);
        assert_string_equal(left, "");
        assert_string_equal(after, before); /* what was passed over was not touched */
    }
}

static const NodeEntry *find_key(const Node *map, const char *key, bool fold)
{
    for (uint32_t i = 0; map && map->type == NODE_MAP && i < map->n; i++)
        if (fold ? strcasecmp(map->entries[i].key, key) == 0 : streq(map->entries[i].key, key))
            return &map->entries[i];
    return NULL;
}

static void assert_undeclared_kept(const Node *want, const Node *before, const Node *after, bool fold)
{
    for (uint32_t i = 0; before && before->type == NODE_MAP && i < before->n; i++) {
        const NodeEntry *e = &before->entries[i], *w = find_key(want, e->key, fold),
                        *now = find_key(after, e->key, false);
        if (w && w->value->type == NODE_MAP)
            assert_undeclared_kept(w->value, e->value, now ? now->value : NULL, fold);
        else if (!w && !(e->value->type == NODE_MAP && e->value->n == 0))
            assert_true(now && node_equal(now->value, e->value));
    }
}

static void keys_that_are_not_declared_are_never_touched(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int i = 0; i < 1500; i++) {
        CLEANUP(case_done) Case c = generate(&seed);
        const Spec *spec = c.specs->items;
        const Node *body = diff_apply(c.live, &c.deltas, c.arena), *after = updated(&c)->object;
        for (uint32_t k = 0; k < body->n; k++)
            assert_non_null(node_get(spec->want, body->entries[k].key));
        if (spec->exact_tags)
            continue;
        static const char *const maps[] = {"freeformTags", "definedTags"};
        for (size_t k = 0; k < 2; k++)
            assert_undeclared_kept(node_get(spec->want, maps[k]), node_get(c.live->object, maps[k]),
                                   node_get(after, maps[k]), k == 1);
    }
}

static void everything_declared_is_there_afterwards(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 1500; i++) {
        CLEANUP(case_done) Case c = generate(&seed);
        if (c.ignored.n)
            continue;
        const Node *after = node_get(updated(&c)->object, "freeformTags");
        const Node *want = node_get(c.specs->items->want, "freeformTags");
        for (uint32_t k = 0; want && k < want->n; k++)
            assert_true(node_equal(node_get(after, want->entries[k].key), want->entries[k].value));
        for (uint32_t k = 0; c.specs->items->exact_tags && want && after && k < after->n; k++)
            assert_non_null(node_get(want, after->entries[k].key));
    }
}

static void the_order_of_live_keys_changes_no_difference(void **state)
{
    (void)state;
    static const char want[] = "freeformTags: {c: 1, a: 2}, definedTags: {Ops: {x: 1, y: 2}}";
    assert_deltas(
        want, "",
        "\"freeformTags\":{\"a\":\"0\",\"c\":\"0\"},\"definedTags\":{\"Fin\":{},\"Ops\":{\"x\":\"0\",\"y\":\"0\"}}",
        "freeformTags.c: \"0\" -> \"1\"\nfreeformTags.a: \"0\" -> \"2\"\n"
        "definedTags.Ops.x: \"0\" -> \"1\"\ndefinedTags.Ops.y: \"0\" -> \"2\"\n");
    assert_deltas(
        want, "",
        "\"definedTags\":{\"Ops\":{\"y\":\"0\",\"x\":\"0\"},\"Fin\":{}},\"freeformTags\":{\"c\":\"0\",\"a\":\"0\"}",
        "freeformTags.c: \"0\" -> \"1\"\nfreeformTags.a: \"0\" -> \"2\"\n"
        "definedTags.Ops.x: \"0\" -> \"1\"\ndefinedTags.Ops.y: \"0\" -> \"2\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_equal_object_has_no_differences),
        cmocka_unit_test(a_changed_text_is_one_difference),
        cmocka_unit_test(what_is_not_declared_is_not_looked_at),
        cmocka_unit_test(only_the_body_of_what_differs_is_written),
        cmocka_unit_test(tags_are_merged_into_the_live_ones),
        cmocka_unit_test(an_empty_tag_is_not_an_absent_one),
        cmocka_unit_test(the_last_tag_can_be_taken_away),
        cmocka_unit_test(tags_that_are_absent_or_null_are_empty),
        cmocka_unit_test(exact_takes_away_what_is_not_declared),
        cmocka_unit_test(exact_holds_for_namespaces_too),
        cmocka_unit_test(exact_never_takes_away_what_the_cloud_writes),
        cmocka_unit_test(what_the_cloud_writes_is_no_drift_though_declared),
        cmocka_unit_test(a_body_keeps_what_the_cloud_writes),
        cmocka_unit_test(what_was_copied_from_the_volume_is_no_drift),
        cmocka_unit_test(a_declared_tag_is_kept_though_the_volume_has_it_too),
        cmocka_unit_test(nothing_is_taken_away_when_the_volume_could_not_be_read),
        cmocka_unit_test(exact_never_takes_away_what_says_whose_a_backup_is),
        cmocka_unit_test(defined_tags_compare_without_regard_to_case),
        cmocka_unit_test(a_body_writes_keys_as_the_live_object_does),
        cmocka_unit_test(free_form_keys_and_all_values_mind_case),
        cmocka_unit_test(a_value_that_is_no_text_counts_as_its_text),
        cmocka_unit_test(ignored_paths_are_passed_over_with_their_rule),
        cmocka_unit_test(ignored_paths_are_not_written_either),
        cmocka_unit_test(a_suspended_document_has_no_differences),
        cmocka_unit_test(a_pause_ends_by_itself),
        cmocka_unit_test(a_difference_knows_its_place_in_the_spec),
        cmocka_unit_test(equal_differences_are_told_from_others),
        cmocka_unit_test(applying_the_differences_leaves_none),
        cmocka_unit_test(keys_that_are_not_declared_are_never_touched),
        cmocka_unit_test(everything_declared_is_there_afterwards),
        cmocka_unit_test(the_order_of_live_keys_changes_no_difference),
        cmocka_unit_test(a_set_is_merged_into_the_live_one),
        cmocka_unit_test(the_order_of_a_set_does_not_matter),
        cmocka_unit_test(an_exact_set_holds_no_others),
        cmocka_unit_test(an_empty_set_only_means_something_when_it_is_exact),
        cmocka_unit_test(items_of_a_set_can_be_ignored),
        cmocka_unit_test(attributes_without_rows_are_added_changed_and_removed),
        cmocka_unit_test(names_without_rows_mind_case),
        cmocka_unit_test(a_dot_in_a_name_is_part_of_it),
        cmocka_unit_test(attributes_without_rows_are_never_exact),
        cmocka_unit_test(an_attribute_without_a_row_can_be_ignored),
        cmocka_unit_test(an_absent_attribute_may_mean_a_value),
        cmocka_unit_test(null_takes_an_attribute_away),
        cmocka_unit_test(numbers_are_compared_with_texts),
        cmocka_unit_test(a_number_is_written_as_the_api_wants_it),
        cmocka_unit_test(plain_attributes_of_images_are_compared_too),
        cmocka_unit_test(applying_the_differences_of_an_image_leaves_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
