#include "config.h"

#include "../../tests/unit/world.h"

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
    assert_string_equal(w.plan->changes.items[5].reason, "6 changes in one round are more than limits.maxChanges: 5 in c.yaml allows");
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
    guard_plan(w->plan, w->snapshot, &(GuardOptions){.max_changes = 1000, .config_file = "c", .account = "prod", .memory = memory, .now = 2});
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
    GuardOptions options = {.max_changes = 9, .config_file = "c", .account = "prod", .memory = memory,
                            .now = 15 * USEC_PER_SEC - 1, .wall = USEC_PER_HOUR};
    guard_plan(next.plan, next.snapshot, &options);
    assert_int_equal(next.plan->changes.items[0].outcome, OUTCOME_HELD);
    assert_string_equal(next.plan->changes.items[0].reason, "refused; next try at 1970-01-01T01:00:00Z");
    assert_int_equal(next.plan->changes.items[1].outcome, OUTCOME_PLANNED);
    CLEANUP(world_done) World later = drifted(2);
    options.now++;
    guard_plan(later.plan, later.snapshot, &options);
    assert_int_equal(plan_count(later.plan, OUTCOME_PLANNED), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_changes_as_allowed_pass),
        cmocka_unit_test(one_more_holds_all_of_them),
        cmocka_unit_test(observed_changes_do_not_count),
        cmocka_unit_test(a_selector_may_match_twice_as_many_and_ten_more),
        cmocka_unit_test(what_failed_is_left_alone_for_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
