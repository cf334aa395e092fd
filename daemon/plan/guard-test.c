#include "config.h"

#include "../../tests/unit/stage.h"

#include "plan/guard.h"

static void as_many_changes_as_allowed_pass(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(5);
    guard_plan(w.plan, w.snapshot, &(GuardOptions){.max_changes = 5, .config_file = "c", .account = "prod"});
    assert_int_equal(plan_count(w.plan, OUTCOME_PLANNED), 5);
}

static void one_more_holds_all_of_them(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(6);
    guard_plan(w.plan, w.snapshot, &(GuardOptions){.max_changes = 5, .config_file = "c.yaml", .account = "prod"});
    assert_int_equal(plan_count(w.plan, OUTCOME_HELD), 6);
    assert_string_equal(w.plan->changes.items[5].reason,
                        "6 changes in one round are more than limits.maxChanges: 5 in c.yaml allows");
}

static void observed_changes_do_not_count(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(6);
    w.plan->changes.items[0].outcome = OUTCOME_OBSERVED;
    guard_plan(w.plan, w.snapshot, &(GuardOptions){.max_changes = 5, .config_file = "c", .account = "prod"});
    assert_int_equal(plan_count(w.plan, OUTCOME_PLANNED), 5);
    assert_int_equal(plan_count(w.plan, OUTCOME_OBSERVED), 1);
}

static void guard_after(size_t before, World *w)
{
    CLEANUP(memory_freep) Memory *memory = memory_new();
    CLEANUP(world_done) World earlier = drifted(before);
    memory_learn(memory, earlier.plan, earlier.snapshot, "prod", 1, 1);
    guard_plan(w->plan, w->snapshot,
               &(GuardOptions){.max_changes = 1000, .config_file = "c", .account = "prod", .memory = memory, .now = 2});
}

static void a_selector_may_match_twice_as_many_and_ten_more(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(20), more = drifted(21);
    guard_after(5, &w);
    assert_int_equal(plan_count(w.plan, OUTCOME_PLANNED), 20);
    guard_after(5, &more);
    assert_int_equal(plan_count(more.plan, OUTCOME_HELD), 21);
    assert_non_null(strstr(more.plan->changes.items[0].reason, "matches 21 objects, 5 in the round before"));
}

static void what_failed_is_left_alone_for_a_while(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    CLEANUP(world_done) World w = drifted(2), next = drifted(2);
    change_set(w.plan, &w.plan->changes.items[0], OUTCOME_FAILED, "refused");
    memory_learn(memory, w.plan, w.snapshot, "prod", 10 * USEC_PER_SEC, 5 * USEC_PER_SEC);
    GuardOptions options = {.max_changes = 9,
                            .config_file = "c",
                            .account = "prod",
                            .memory = memory,
                            .now = 15 * USEC_PER_SEC - 1,
                            .wall = USEC_PER_HOUR};
    guard_plan(next.plan, next.snapshot, &options);
    assert_int_equal(next.plan->changes.items[0].outcome, OUTCOME_HELD);
    assert_string_equal(next.plan->changes.items[0].reason, "refused; next try at 1970-01-01T01:00:00Z");
    assert_int_equal(next.plan->changes.items[1].outcome, OUTCOME_PLANNED);
    CLEANUP(world_done) World later = drifted(2);
    options.now++;
    guard_plan(later.plan, later.snapshot, &options);
    assert_int_equal(plan_count(later.plan, OUTCOME_PLANNED), 2);
}

/* `n` backups whose time has come, one to be marked and one that is due. */
static World swept(size_t n)
{
    Series *series;
    World w = stage_with(NIGHTLY ", keep: {last: 1}, prune: true", &series);
    for (size_t i = 0; i < n; i++)
        marked_add(&w, series, "2026-11-10T02:00:00Z", BACKUP_GOOD, "2026-11-12T00:00:00Z");
    made_add(&w, series, "2026-11-18T02:00:00Z", BACKUP_GOOD);
    made_add(&w, series, "2026-11-19T02:00:00Z", BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    assert_int_equal(plan_count(w.plan, OUTCOME_PLANNED), n + 2);
    return w;
}

static void as_many_deletions_as_allowed_pass(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = swept(3);
    guard_plan(w.plan, w.snapshot,
               &(GuardOptions){.max_changes = 5, .max_deletes = 3, .config_file = "c", .account = "prod"});
    assert_int_equal(plan_count(w.plan, OUTCOME_PLANNED), 5);
}

static void a_larger_sweep_is_held_whole(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = swept(4);
    guard_plan(w.plan, w.snapshot,
               &(GuardOptions){.max_changes = 5, .max_deletes = 3, .config_file = "c.yaml", .account = "prod"});
    assert_int_equal(plan_count(w.plan, OUTCOME_HELD), 4);
    /* What is held does not count among the changes. */
    assert_int_equal(plan_count(w.plan, OUTCOME_PLANNED), 2);
    for (size_t i = 0; i < w.plan->changes.n; i++) {
        const Change *c = &w.plan->changes.items[i];
        assert_int_equal(c->outcome == OUTCOME_HELD, c->action == ACTION_DELETE);
        assert_int_equal(c->hold, c->action == ACTION_DELETE ? HOLD_LIMIT : HOLD_NONE);
        if (c->reason)
            assert_string_equal(c->reason,
                                "4 deletions in one round are more than limits.maxDeletes: 3 in c.yaml allows");
    }
}

static void deletions_that_are_not_done_do_not_count(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = swept(4);
    change_hold(w.plan, &w.plan->changes.items[2], HOLD_PAUSE, "x");
    assert_int_equal(w.plan->changes.items[2].action, ACTION_DELETE);
    guard_plan(w.plan, w.snapshot,
               &(GuardOptions){.max_changes = 5, .max_deletes = 3, .config_file = "c", .account = "prod"});
    assert_int_equal(plan_count(w.plan, OUTCOME_PLANNED), 5);
    assert_int_equal(w.plan->changes.items[2].hold, HOLD_PAUSE);
}

static void none_may_be_allowed(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = swept(1);
    guard_plan(w.plan, w.snapshot, &(GuardOptions){.max_changes = 5, .config_file = "c", .account = "prod"});
    assert_int_equal(plan_count(w.plan, OUTCOME_HELD), 1);
}

/* A slot of which the cloud said in an earlier round that it was made. */
static Memory *that_was_made(void)
{
    Memory *memory = memory_new();
    CLEANUP(world_done) World w = swept(0);
    w.plan->changes.items[0].made_before = true;
    change_set(w.plan, w.plan->changes.items, OUTCOME_DONE, MADE_BEFORE);
    memory_learn(memory, w.plan, w.snapshot, "prod", 1, 1);
    return memory;
}

static void what_the_cloud_says_was_made_is_not_asked_for_again(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = that_was_made();
    CLEANUP(world_done) World w = swept(0);
    GuardOptions options = {
        .max_changes = 5, .max_deletes = 3, .config_file = "c", .account = "prod", .memory = memory, .now = 2};
    guard_plan(w.plan, w.snapshot, &options);
    const Change *c = w.plan->changes.items;
    assert_int_equal(c->outcome, OUTCOME_DONE);
    assert_true(c->made_before);
    assert_string_equal(c->reason, MADE_BEFORE);
    assert_int_equal(w.plan->changes.items[1].outcome, OUTCOME_PLANNED);
    /* But what is only observed, or another slot, has nothing to do with it. */
    plan_with(&w, STAGE_NOW, (PlanOptions){.observe = true});
    guard_plan(w.plan, w.snapshot, &options);
    assert_int_equal(w.plan->changes.items[0].outcome, OUTCOME_OBSERVED);
    plan_at(&w, "2026-11-21T12:00:00Z");
    guard_plan(w.plan, w.snapshot, &options);
    assert_int_equal(w.plan->changes.items[0].outcome, OUTCOME_PLANNED);
}

/* Marks on old backups must not cost tonight's. */
static void what_retention_wants_is_held_first(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = swept(4);
    guard_plan(w.plan, w.snapshot,
               &(GuardOptions){.max_changes = 5, .max_deletes = 9, .config_file = "c.yaml", .account = "prod"});
    assert_int_equal(w.plan->changes.items[0].action, ACTION_CREATE);
    assert_int_equal(w.plan->changes.items[0].outcome, OUTCOME_PLANNED);
    assert_int_equal(plan_count(w.plan, OUTCOME_HELD), 5);
    for (size_t i = 1; i < 6; i++)
        assert_string_equal(w.plan->changes.items[i].reason,
                            "6 changes in one round are more than limits.maxChanges: 5 in c.yaml allows");
    /* Unless that is not enough. */
    CLEANUP(world_done) World many = swept(1);
    guard_plan(many.plan, many.snapshot, &(GuardOptions){.max_deletes = 9, .config_file = "c.yaml", .account = "prod"});
    assert_int_equal(plan_count(many.plan, OUTCOME_HELD), 3);
    assert_string_equal(many.plan->changes.items[0].reason,
                        "3 changes in one round are more than limits.maxChanges: 0 in c.yaml allows");
}

static void what_others_never_leave_in_peace_is_written_at_last(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    CLEANUP(world_done) World w = drifted(2), early = drifted(2), late = drifted(2), forgetful = drifted(2);
    GuardOptions options = {.max_changes = 9, .config_file = "c", .account = "prod", .memory = memory};
    change_hold(w.plan, w.plan->changes.items, HOLD_BUSY, "x");
    memory_learn(memory, w.plan, w.snapshot, "prod", 10 * USEC_PER_SEC, USEC_PER_SEC);
    options.now = 70 * USEC_PER_SEC - 1;
    guard_plan(early.plan, early.snapshot, &options);
    assert_false(early.plan->changes.items[0].insist);
    options.now++;
    guard_plan(late.plan, late.snapshot, &options);
    assert_true(late.plan->changes.items[0].insist);
    assert_false(late.plan->changes.items[1].insist);
    assert_int_equal(plan_count(late.plan, OUTCOME_PLANNED), 2);
    options.memory = NULL;
    guard_plan(forgetful.plan, forgetful.snapshot, &options);
    assert_false(forgetful.plan->changes.items[0].insist);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_changes_as_allowed_pass),
        cmocka_unit_test(one_more_holds_all_of_them),
        cmocka_unit_test(observed_changes_do_not_count),
        cmocka_unit_test(a_selector_may_match_twice_as_many_and_ten_more),
        cmocka_unit_test(what_failed_is_left_alone_for_a_while),
        cmocka_unit_test(as_many_deletions_as_allowed_pass),
        cmocka_unit_test(a_larger_sweep_is_held_whole),
        cmocka_unit_test(deletions_that_are_not_done_do_not_count),
        cmocka_unit_test(none_may_be_allowed),
        cmocka_unit_test(what_the_cloud_says_was_made_is_not_asked_for_again),
        cmocka_unit_test(what_retention_wants_is_held_first),
        cmocka_unit_test(what_others_never_leave_in_peace_is_written_at_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
