#include "config.h"

#include "../../tests/unit/world.h"

#include "plan/memory.h"

/* One round in which the only change had that outcome; returns when it is tried again. */
static usec_t round_with(Memory *memory, Outcome outcome, usec_t now, usec_t interval)
{
    CLEANUP(world_done) World w = drifted(1);
    const char *reason = NULL;
    change_set(w.plan, w.plan->changes.items, outcome, "why");
    memory_learn(memory, w.plan, w.snapshot, "prod", now, interval);
    return memory_next_try(memory, w.plan->changes.items, &reason);
}

static void round_in_sync(Memory *memory)
{
    CLEANUP(world_done) World w = drifted(0);
    memory_learn(memory, w.plan, w.snapshot, "prod", 1, 1);
}

static void pauses_grow_to_an_hour(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    usec_t before = 0;
    for (int i = 0; i < 40; i++) {
        usec_t pause = round_with(memory, OUTCOME_FAILED, 100, USEC_PER_MINUTE) - 100;
        assert_int_equal(pause, i < 6 ? USEC_PER_MINUTE << i : USEC_PER_HOUR);
        assert_true(pause >= before);
        before = pause;
    }
}

static void an_interval_longer_than_an_hour_is_the_pause(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    for (int i = 0; i < 3; i++)
        assert_int_equal(round_with(memory, OUTCOME_FAILED, 0, 3 * USEC_PER_HOUR), 3 * USEC_PER_HOUR);
}

static void success_ends_the_pauses(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    round_with(memory, OUTCOME_FAILED, 100, USEC_PER_MINUTE);
    round_with(memory, OUTCOME_FAILED, 100, USEC_PER_MINUTE);
    assert_int_equal(round_with(memory, OUTCOME_DONE, 100, USEC_PER_MINUTE), 0);
    assert_int_equal(round_with(memory, OUTCOME_FAILED, 100, USEC_PER_MINUTE), 100 + USEC_PER_MINUTE);
}

static void the_same_write_three_times_does_not_converge(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    assert_int_equal(round_with(memory, OUTCOME_DONE, 100, USEC_PER_MINUTE), 0);
    assert_int_equal(round_with(memory, OUTCOME_DONE, 100, USEC_PER_MINUTE), 0);
    usec_t third = round_with(memory, OUTCOME_DONE, 100, USEC_PER_MINUTE);
    assert_true(third >= 100 + USEC_PER_MINUTE);
    assert_true(round_with(memory, OUTCOME_DONE, 100, USEC_PER_MINUTE) > third);
}

static void a_look_in_sync_between_forgets(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    for (int i = 0; i < 6; i++) {
        assert_int_equal(round_with(memory, OUTCOME_DONE, 100, USEC_PER_MINUTE), 0);
        round_in_sync(memory);
    }
}

static void being_held_neither_ends_nor_begins_a_pause(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    assert_int_equal(round_with(memory, OUTCOME_HELD, 100, USEC_PER_MINUTE), 0);
    usec_t next = round_with(memory, OUTCOME_FAILED, 100, USEC_PER_MINUTE);
    assert_int_equal(round_with(memory, OUTCOME_HELD, 200, USEC_PER_MINUTE), next);
}

static void counts_matches_unless_held_or_unread(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    CLEANUP(world_done) World w = drifted(3), held = drifted(5), unread = drifted(0);
    size_t n = 99;
    assert_false(memory_matches(memory, w.specs->items, &n));
    memory_learn(memory, w.plan, w.snapshot, "lab", 1, 1); /* another account's round */
    assert_false(memory_matches(memory, w.specs->items, &n));
    memory_learn(memory, w.plan, w.snapshot, "prod", 1, 1);
    assert_true(memory_matches(memory, w.specs->items, &n));
    assert_int_equal(n, 3);
    change_hold(held.plan, held.plan->changes.items, HOLD_GROWTH, "x");
    memory_learn(memory, held.plan, held.snapshot, "prod", 1, 1);
    error_set(&unread.snapshot->of[0].error, ERROR_TIMEOUT, "x");
    memory_learn(memory, unread.plan, unread.snapshot, "prod", 1, 1);
    memory_matches(memory, w.specs->items, &n);
    assert_int_equal(n, 3);
}

static void forgetting_forgets_all(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    CLEANUP(world_done) World w = drifted(1);
    const char *reason = NULL;
    size_t n;
    round_with(memory, OUTCOME_FAILED, 100, USEC_PER_MINUTE);
    memory_forget(memory);
    assert_int_equal(memory_next_try(memory, w.plan->changes.items, &reason), 0);
    assert_false(memory_matches(memory, w.specs->items, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_grow_to_an_hour),
        cmocka_unit_test(an_interval_longer_than_an_hour_is_the_pause),
        cmocka_unit_test(success_ends_the_pauses),
        cmocka_unit_test(the_same_write_three_times_does_not_converge),
        cmocka_unit_test(a_look_in_sync_between_forgets),
        cmocka_unit_test(being_held_neither_ends_nor_begins_a_pause),
        cmocka_unit_test(counts_matches_unless_held_or_unread),
        cmocka_unit_test(forgetting_forgets_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
