#include "config.h"

#include "../../tests/unit/world.h"

#include "plan/plan.h"

static World world_of(const char *yaml)
{
    World w = {.specs = specs_of(yaml)};
    w.snapshot = snapshot_new(w.specs->n);
    return w;
}

static Live *see(World *w, size_t spec, const char *members)
{
    Live *live = live_of(w->snapshot->arena, members);
    *VEC_ADD(&w->snapshot->of[spec].objects) = live;
    return live;
}

static Plan *make(World *w, PlanOptions options)
{
    plan_free(w->plan);
    w->plan = plan_make(w->specs, w->snapshot, &options);
    return w->plan;
}

#define NAMED(name, id, want)                                                                                          \
    "---\napiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: " name "}\nspec: {account: prod, imageId: " id  \
    ", " want "}\n"
#define SELECTED(name, want)                                                                                           \
    "---\napiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: " name "}\n"                                    \
    "spec: {account: prod, selector: {compartmentId: ocid1.compartment.a}, " want "}\n"

static void an_object_in_sync_needs_no_change(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = world_of(NAMED("a", "ocid1.image.a", "displayName: x"));
    see(&w, 0, "\"displayName\":\"x\"");
    const Plan *plan = make(&w, (PlanOptions){.now = 1});
    assert_int_equal(plan->changes.n + plan->failures.n, 0);
    assert_int_equal(plan->declared, 1);
    assert_int_equal(plan->objects, 1);
    assert_int_equal(plan->in_sync, 1);
}

static void a_difference_is_planned(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = world_of(NAMED("a", "ocid1.image.a", "displayName: x"));
    const Live *live = see(&w, 0, "\"displayName\":\"y\"");
    const Plan *plan = make(&w, (PlanOptions){.now = 1});
    assert_int_equal(plan_count(plan, OUTCOME_PLANNED), 1);
    assert_ptr_equal(plan->changes.items[0].live, live);
    assert_null(plan->changes.items[0].reason);
    assert_int_equal(plan->in_sync, 0);
}

static void observing_reports_and_plans_nothing(void **state)
{
    (void)state;
    CLEANUP(world_done)
    World w = world_of(NAMED("a", "ocid1.image.a", "displayName: x")
                           NAMED("b", "ocid1.image.b", "displayName: x") "reconcile: {mode: observe}\n");
    see(&w, 0, "\"displayName\":\"y\"");
    see(&w, 1, "\"displayName\":\"y\",\"id\":\"ocid1.image.b\"");
    const Plan *plan = make(&w, (PlanOptions){.now = 1});
    assert_int_equal(plan->changes.items[0].outcome, OUTCOME_PLANNED);
    assert_int_equal(plan->changes.items[1].outcome, OUTCOME_OBSERVED);
    plan = make(&w, (PlanOptions){.now = 1, .observe = true});
    assert_int_equal(plan_count(plan, OUTCOME_OBSERVED), 2);
}

static void an_object_that_cannot_be_written_now_is_held(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = world_of(NAMED("a", "ocid1.image.a", "displayName: x"));
    see(&w, 0, "\"displayName\":\"y\",\"lifecycleState\":\"EXPORTING\"");
    const Plan *plan = make(&w, (PlanOptions){.now = 1});
    assert_int_equal(plan->changes.items[0].outcome, OUTCOME_HELD);
    assert_string_equal(plan->changes.items[0].reason,
                        "the image is EXPORTING; it can be changed when it is AVAILABLE");
}

static void an_object_that_a_list_showed_twice_differently_is_held(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = world_of(SELECTED("a", "displayName: x"));
    see(&w, 0, "\"displayName\":\"y\"")->unsure = true;
    const Plan *plan = make(&w, (PlanOptions){.now = 1});
    assert_int_equal(plan->changes.items[0].outcome, OUTCOME_HELD);
    assert_non_null(strstr(plan->changes.items[0].reason, "changed while the list was read"));
}

static void a_deleted_object_is_a_failure_and_no_change(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = world_of(NAMED("a", "ocid1.image.a", "displayName: x"));
    see(&w, 0, "\"displayName\":\"y\",\"lifecycleState\":\"DELETED\"");
    const Plan *plan = make(&w, (PlanOptions){.now = 1});
    assert_int_equal(plan->changes.n, 0);
    assert_int_equal(plan->failures.items[0].error->kind, ERROR_NOT_FOUND);
    assert_int_equal(plan->objects, 1);
    assert_int_equal(plan->in_sync, 0);
}

static void a_platform_image_is_a_failure_and_no_change(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = world_of(NAMED("a", "ocid1.image.a", "displayName: x"));
    see(&w, 0, "\"displayName\":\"x\",\"compartmentId\":null");
    const Plan *plan = make(&w, (PlanOptions){.now = 1});
    assert_int_equal(plan->changes.n, 0);
    assert_int_equal(plan->failures.items[0].error->kind, ERROR_REJECTED);
    assert_int_equal(plan->in_sync, 0);
}

static void what_could_not_be_read_is_a_failure_and_delays_no_other(void **state)
{
    (void)state;
    CLEANUP(world_done)
    World w = world_of(NAMED("a", "ocid1.image.a", "displayName: x") NAMED("b", "ocid1.image.b", "displayName: x"));
    error_set(&w.snapshot->of[0].error, ERROR_TIMEOUT, "no answer");
    see(&w, 1, "\"displayName\":\"y\",\"id\":\"ocid1.image.b\"");
    const Plan *plan = make(&w, (PlanOptions){.now = 1});
    assert_int_equal(plan->failures.n, 1);
    assert_string_equal(plan->failures.items[0].error->message, "no answer");
    assert_string_equal(plan->failures.items[0].target, "ocid1.image.a");
    assert_int_equal(plan_count(plan, OUTCOME_PLANNED), 1);
}

static void an_object_that_two_documents_claim_is_left_alone(void **state)
{
    (void)state;
    CLEANUP(world_done)
    World w = world_of(NAMED("a", "ocid1.image.a", "displayName: x") SELECTED("b", "displayName: y")
                           NAMED("c", "ocid1.image.c", "displayName: z"));
    see(&w, 0, "\"displayName\":\"old\"");
    see(&w, 1, "\"displayName\":\"old\"");
    see(&w, 1, "\"displayName\":\"old\",\"id\":\"ocid1.image.d\"");
    see(&w, 2, "\"displayName\":\"old\",\"id\":\"ocid1.image.c\"");
    const Plan *plan = make(&w, (PlanOptions){.now = 1});
    assert_int_equal(plan->failures.n, 2);
    for (size_t i = 0; i < 2; i++) {
        const char *message = plan->failures.items[i].error->message;
        assert_int_equal(plan->failures.items[i].error->kind, ERROR_SPEC);
        assert_non_null(strstr(message, "a.yaml:5:47"));
        assert_non_null(strstr(message, "a.yaml:10:"));
    }
    assert_int_equal(plan->changes.n, 1);
    assert_string_equal(plan->changes.items[0].spec->name, "c");
    assert_int_equal(plan->objects, 3);
    assert_int_equal(plan->in_sync, 0);
}

static void two_documents_may_share_an_object(void **state)
{
    (void)state;
    CLEANUP(world_done)
    World w = world_of(NAMED("a", "ocid1.image.a", "displayName: x") SELECTED("b", "freeformTags: {t: 1}"));
    see(&w, 0, "\"displayName\":\"old\"");
    see(&w, 1, "\"displayName\":\"old\"");
    const Plan *plan = make(&w, (PlanOptions){.now = 1});
    assert_int_equal(plan->failures.n, 0);
    assert_int_equal(plan->changes.n, 2);
    assert_int_equal(plan->objects, 1);
    assert_int_equal(plan->in_sync, 0);
}

static void a_selector_that_matches_nothing_is_no_failure(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = world_of(SELECTED("a", "displayName: x"));
    const Plan *plan = make(&w, (PlanOptions){.now = 1});
    assert_int_equal(plan->changes.n + plan->failures.n + plan->objects, 0);
    assert_int_equal(plan->declared, 1);
}

static void a_suspended_document_is_in_sync_until_then(void **state)
{
    (void)state;
    CLEANUP(world_done)
    World w = world_of(NAMED("a", "ocid1.image.a",
                             "displayName: x") "reconcile: {suspend: {until: 1970-01-01T00:00:10Z, reason: moving}}\n");
    see(&w, 0, "\"displayName\":\"old\"");
    const Plan *plan = make(&w, (PlanOptions){.now = 10 * USEC_PER_SEC - 1});
    assert_int_equal(plan->changes.n, 0);
    assert_int_equal(plan->in_sync, 1);
    assert_int_equal(plan->ignored.n, 1);
    plan = make(&w, (PlanOptions){.now = 10 * USEC_PER_SEC});
    assert_int_equal(plan->changes.n, 1);
}

static void one_account_is_planned_without_the_others(void **state)
{
    (void)state;
    CLEANUP(world_done)
    World w = world_of(NAMED("a", "ocid1.image.a",
                             "displayName: x") "---\napiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: b}\n"
                                               "spec: {account: lab, imageId: ocid1.image.b, displayName: x}\n");
    see(&w, 0, "\"displayName\":\"old\"");
    see(&w, 1, "\"displayName\":\"old\",\"id\":\"ocid1.image.b\"");
    const Plan *plan = make(&w, (PlanOptions){.now = 1, .account = "lab"});
    assert_int_equal(plan->declared, 1);
    assert_int_equal(plan->changes.n, 1);
    assert_string_equal(plan->changes.items[0].spec->name, "b");
}

static char *text_of(const Plan *plan)
{
    Str out = {0};
    for (size_t i = 0; i < plan->changes.n; i++) {
        const Change *c = &plan->changes.items[i];
        str_addf(&out, "%s %s %s %s\n", c->spec->name, c->live->id, outcome_name(c->outcome), action_name(c->action));
        for (size_t k = 0; k < c->deltas.n; k++) {
            str_addf(&out, "  %s ", c->deltas.items[k].path);
            json_write_node(&out, c->deltas.items[k].from);
            json_write_node(&out, c->deltas.items[k].to);
            str_addc(&out, '\n');
        }
    }
    for (size_t i = 0; i < plan->failures.n; i++)
        str_addf(&out, "%s: %s\n", plan->failures.items[i].spec->name, plan->failures.items[i].error->message);
    str_addf(&out, "%zu %zu %zu", plan->declared, plan->objects, plan->in_sync);
    return str_take(&out);
}

static void the_same_input_gives_the_same_plan(void **state)
{
    (void)state;
    CLEANUP(str_done) Str yaml = {0};
    for (int i = 0; i < 40; i++)
        str_addf(
            &yaml,
            "---\napiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: n%d}\nspec: {account: prod, imageId: "
            "ocid1.image.%d, freeformTags: {a: 1, b: 2, c: null}}\nreconcile: {tags: exact}\n",
            i, i % 30);
    CLEANUP(freep) char *reason = NULL;
    CLEANUP(freep) char *first = NULL;
    CLEANUP(str_done) Str own = {0};
    for (int i = 0; i < 30; i++)
        str_addf(
            &own,
            "---\napiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: n%d}\nspec: {account: prod, imageId: "
            "ocid1.image.%d, freeformTags: {a: 1, b: 2, c: null}}\nreconcile: {tags: exact}\n",
            i, i);
    reason = first_problem_of(str_get(&yaml)); /* ten of them are claimed twice */
    for (int turn = 0; turn < 3; turn++) {
        CLEANUP(world_done) World w = world_of(str_get(&own));
        for (size_t i = 0; i < w.specs->n; i++) {
            CLEANUP(freep)
            char *members =
                xasprintf("\"id\":\"ocid1.image.%zu\",\"freeformTags\":{\"x%zu\":\"1\",\"c\":\"2\"}", i, i % 7);
            see(&w, i, members);
        }
        CLEANUP(freep) char *text = text_of(make(&w, (PlanOptions){.now = 1}));
        if (first)
            assert_string_equal(text, first);
        else
            first = xstrdup(text);
    }
    assert_non_null(strstr(first, "n29 ocid1.image.29 planned update\n"));
}

static void all_outcomes_and_actions_have_names(void **state)
{
    (void)state;
    for (int i = 0; i < OUTCOME_MAX; i++)
        assert_non_null(outcome_name((Outcome)i));
    for (int i = 0; i < ACTION_MAX; i++)
        assert_non_null(action_name((Action)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_in_sync_needs_no_change),
        cmocka_unit_test(a_difference_is_planned),
        cmocka_unit_test(observing_reports_and_plans_nothing),
        cmocka_unit_test(an_object_that_cannot_be_written_now_is_held),
        cmocka_unit_test(an_object_that_a_list_showed_twice_differently_is_held),
        cmocka_unit_test(a_deleted_object_is_a_failure_and_no_change),
        cmocka_unit_test(a_platform_image_is_a_failure_and_no_change),
        cmocka_unit_test(what_could_not_be_read_is_a_failure_and_delays_no_other),
        cmocka_unit_test(an_object_that_two_documents_claim_is_left_alone),
        cmocka_unit_test(two_documents_may_share_an_object),
        cmocka_unit_test(a_selector_that_matches_nothing_is_no_failure),
        cmocka_unit_test(a_suspended_document_is_in_sync_until_then),
        cmocka_unit_test(one_account_is_planned_without_the_others),
        cmocka_unit_test(the_same_input_gives_the_same_plan),
        cmocka_unit_test(all_outcomes_and_actions_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
