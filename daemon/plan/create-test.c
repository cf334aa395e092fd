#include "config.h"

#include "../../tests/unit/world.h"

#include "attr/oci-backup.h"
#include "plan/create.h"

static Live *live_from(const Kind *kind, Arena *arena, const char *id, const char *state, const char *more)
{
    CLEANUP(freep)
    char *text =
        xasprintf("{\"id\":\"%s\",\"compartmentId\":\"ocid1.c\",\"lifecycleState\":\"%s\"%s}", id, state, more);
    Live *live = NULL;
    assert_int_equal(live_from_text(&(LiveReader){.kind = kind}, text, strlen(text), "e", arena, &live, NULL), 0);
    return live;
}

/* A document whose backups so far are in these states; ends with NULL. */
static World planned(const char *want, const char *reconcile, const char *volume_state, const char *const *states)
{
    CLEANUP(freep)
    char *yaml = xasprintf("apiVersion: imagekeeper/v1\nkind: OciBootVolumeBackup\nmetadata: {name: once}\n"
                           "spec: {account: prod, bootVolumeId: ocid1.v%s}\nreconcile: {%s}\n",
                           want, reconcile);
    World w = {.specs = specs_of(yaml), .snapshot = snapshot_new(1)};
    Observed *observed = &w.snapshot->of[0];
    observed->volume = live_from(&oci_boot_volume, w.snapshot->arena, "ocid1.v", volume_state, "");
    for (size_t i = 0; states[i]; i++) {
        CLEANUP(freep) char *id = xasprintf("ocid1.b%zu", i);
        *VEC_ADD(&observed->objects) = live_from(&oci_boot_volume_backup, w.snapshot->arena, id, states[i],
                                                 ",\"displayName\":\"n\",\"bootVolumeId\":\"ocid1.v\"");
    }
    w.plan = plan_make(w.specs, w.snapshot, &(PlanOptions){.now = USEC_PER_DAY});
    return w;
}

#define STATES(...) ((const char *const[]){__VA_ARGS__, NULL})
static const char *const none[] = {NULL};

/* The attempt that is planned; 0: none. */
static unsigned attempt_after(const char *const *states)
{
    CLEANUP(world_done) World w = planned("", "", "AVAILABLE", states);
    assert_true(w.plan->changes.n <= 1);
    return w.plan->changes.n ? w.plan->changes.items[0].attempt : 0;
}

static void what_is_not_there_is_made(void **state)
{
    (void)state;
    assert_int_equal(attempt_after(none), 1);
}

static void what_is_there_is_not_made(void **state)
{
    (void)state;
    assert_int_equal(attempt_after(STATES("AVAILABLE")), 0);
    assert_int_equal(attempt_after(STATES("REQUEST_RECEIVED")), 0);
    assert_int_equal(attempt_after(STATES("CREATING")), 0);
    assert_int_equal(attempt_after(STATES("TERMINATED", "FAULTY", "CREATING")), 0);
    /* A state that we do not know is none of the dead ones. */
    assert_int_equal(attempt_after(STATES("RESTORING")), 0);
}

static void dead_ones_count_the_attempts(void **state)
{
    (void)state;
    assert_int_equal(attempt_after(STATES("TERMINATED")), 2);
    assert_int_equal(attempt_after(STATES("TERMINATING", "FAULTY")), 3);
    assert_int_equal(attempt_after(STATES("TERMINATED", "TERMINATED", "TERMINATED")), 4);
}

static void three_faulty_ones_are_enough(void **state)
{
    (void)state;
    assert_int_equal(attempt_after(STATES("FAULTY", "FAULTY")), 3);
    CLEANUP(world_done) World w = planned("", "", "AVAILABLE", STATES("FAULTY", "FAULTY", "FAULTY"));
    assert_int_equal(w.plan->changes.n, 0);
    assert_int_equal(w.plan->failures.n, 1);
}

static void nothing_is_made_of_a_volume_that_is_gone(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = planned("", "", "TERMINATING", none);
    assert_int_equal(w.plan->changes.n, 0);
    assert_int_equal(w.plan->failures.n, 1);
}

static void its_backup_is_kept_though_the_volume_is_gone(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = planned(", displayName: m", "", "TERMINATED", STATES("AVAILABLE"));
    assert_int_equal(w.plan->failures.n, 0);
    assert_int_equal(w.plan->changes.n, 1);
    assert_int_equal(w.plan->changes.items[0].action, ACTION_UPDATE);
}

static void nothing_is_made_while_suspended(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = planned("", "suspend: {until: 2999-01-01T00:00:00Z, reason: x}", "AVAILABLE", none);
    assert_int_equal(w.plan->changes.n, 0);
}

static void the_request_says_what_is_declared_and_whose_it_is(void **state)
{
    (void)state;
    CLEANUP(world_done)
    World w = planned(", type: FULL, displayName: d, freeformTags: {a: 1, gone: null}, definedTags: {Ops: {C: 2}}",
                      "ignore: [definedTags.Ops.C]", "AVAILABLE", none);
    const Change *c = &w.plan->changes.items[0];
    assert_string_equal(c->target, "ocid1.v");
    assert_json(creation_values(c, w.plan->arena),
                "{\"bootVolumeId\":\"ocid1.v\",\"displayName\":\"d\","
                "\"freeformTags\":{\"a\":\"1\",\"imagekeeper\":\"once\"},\"type\":\"FULL\"}");
}

static char *name_of(const char *want, const char *const *states)
{
    CLEANUP(world_done) World w = planned(want, "", "AVAILABLE", states);
    Str name = {0};
    creation_name(&w.plan->changes.items[0], &name);
    return str_take(&name);
}

static void its_name_depends_on_document_volume_and_attempt_alone(void **state)
{
    (void)state;
    CLEANUP(freep) char *a = name_of("", none), *edited = name_of(", displayName: other, type: FULL", none);
    CLEANUP(freep) char *second = name_of("", STATES("FAULTY"));
    assert_string_equal(a, "create\nOciBootVolumeBackup\nonce\nocid1.v\n1");
    assert_string_equal(edited, a);
    assert_string_equal(second, "create\nOciBootVolumeBackup\nonce\nocid1.v\n2");
}

static void only_what_bears_the_tag_and_is_of_the_volume_is_it(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = planned("", "", "AVAILABLE", none);
    const Change *c = &w.plan->changes.items[0];
    static const struct {
        const char *more;
        bool good;
    } rows[] = {
        {",\"bootVolumeId\":\"ocid1.v\",\"freeformTags\":{\"imagekeeper\":\"once\",\"x\":\"y\"}", true},
        {",\"bootVolumeId\":\"ocid1.v\",\"freeformTags\":{\"imagekeeper\":\"twice\"}", false},
        {",\"bootVolumeId\":\"ocid1.w\",\"freeformTags\":{\"imagekeeper\":\"once\"}", false},
        {",\"bootVolumeId\":\"ocid1.v\"", false},
        {"", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(
            creation_is_met(c, live_from(&oci_boot_volume_backup, w.plan->arena, "ocid1.b", "CREATING", rows[i].more)),
            rows[i].good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_there_is_made),
        cmocka_unit_test(what_is_there_is_not_made),
        cmocka_unit_test(dead_ones_count_the_attempts),
        cmocka_unit_test(three_faulty_ones_are_enough),
        cmocka_unit_test(nothing_is_made_of_a_volume_that_is_gone),
        cmocka_unit_test(its_backup_is_kept_though_the_volume_is_gone),
        cmocka_unit_test(nothing_is_made_while_suspended),
        cmocka_unit_test(the_request_says_what_is_declared_and_whose_it_is),
        cmocka_unit_test(its_name_depends_on_document_volume_and_attempt_alone),
        cmocka_unit_test(only_what_bears_the_tag_and_is_of_the_volume_is_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
