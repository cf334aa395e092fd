#include "config.h"

#include "../../tests/unit/stage.h"

#include "plan/memory.h"

/* One round in which the only change had that outcome; returns when it is tried again. */
static usec_t round_with(Memory *memory, Outcome outcome, usec_t now, usec_t interval)
{
    CLEANUP(world_done) World w = drifted(1);
    change_set(w.plan, w.plan->changes.items, outcome, "why");
    memory_learn(memory, w.plan, w.snapshot, "prod", now, interval);
    return memory_rest(memory, w.plan->changes.items).until;
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
    CLEANUP(world_done) World w = drifted(1);
    assert_int_equal(memory_rest(memory, w.plan->changes.items).hold, HOLD_UNCONVERGED);
    round_with(memory, OUTCOME_FAILED, 100, USEC_PER_MINUTE);
    assert_int_equal(memory_rest(memory, w.plan->changes.items).hold, HOLD_PAUSE);
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
    size_t n;
    round_with(memory, OUTCOME_FAILED, 100, USEC_PER_MINUTE);
    memory_forget(memory);
    assert_int_equal(memory_rest(memory, w.plan->changes.items).until, 0);
    assert_false(memory_matches(memory, w.specs->items, &n));
}

/* A round of a schedule whose first change had that outcome; what becomes of it in the world is up to the caller. */
static void learn_first(Memory *memory, const World *w, Outcome outcome, usec_t now)
{
    change_set(w->plan, w->plan->changes.items, outcome, "why");
    memory_learn(memory, w->plan, w->snapshot, "prod", now, USEC_PER_MINUTE);
}

static usec_t next_of(const Memory *memory, const World *w, const char **ret_reason)
{
    Rest rest = memory_rest(memory, w->plan->changes.items);
    if (ret_reason)
        *ret_reason = rest.reason;
    return rest.until;
}

static void each_slot_and_attempt_has_its_own_pauses(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    Series *series;
    CLEANUP(world_done) World w = stage_with(NIGHTLY, &series);
    made_add(&w, series, "2026-11-19T02:00:00Z", BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    learn_first(memory, &w, OUTCOME_FAILED, 100);
    assert_int_equal(next_of(memory, &w, NULL), 100 + USEC_PER_MINUTE);
    /* The same one later, another slot, another attempt, another volume. */
    plan_at(&w, "2026-11-20T13:00:00Z");
    assert_int_equal(next_of(memory, &w, NULL), 100 + USEC_PER_MINUTE);
    plan_at(&w, "2026-11-21T02:00:00Z");
    assert_int_equal(next_of(memory, &w, NULL), 0);
    made_add(&w, series, "2026-11-20T02:00:00Z", BACKUP_FAULTY);
    plan_at(&w, STAGE_NOW);
    assert_int_equal(next_of(memory, &w, NULL), 0);
    CLEANUP(world_done) World other = stage(NIGHTLY);
    volume_add(&other, "ocid1.bootvolume.w", "AVAILABLE", "");
    plan_at(&other, STAGE_NOW);
    assert_int_equal(next_of(memory, &other, NULL), 0);
}

static void what_was_made_and_is_not_shown_yet_waits(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    Series *series;
    const char *reason;
    CLEANUP(world_done) World w = stage_with(NIGHTLY, &series);
    plan_at(&w, STAGE_NOW);
    usec_t before = 0;
    for (unsigned i = 0; i < 3; i++) {
        plan_at(&w, STAGE_NOW);
        learn_first(memory, &w, OUTCOME_DONE, 100);
        usec_t pause = next_of(memory, &w, &reason) - 100;
        assert_true(pause >= 10 * USEC_PER_MINUTE && pause > before);
        assert_string_equal(reason, "it was made a moment ago, and no list shows it yet");
        assert_int_equal(memory_rest(memory, w.plan->changes.items).hold, HOLD_MADE);
        before = pause;
    }
    assert_false(memory_was_made(memory, w.plan->changes.items));
}

static void that_it_was_made_before_is_remembered_of_this_slot_alone(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    Series *series;
    CLEANUP(world_done) World w = stage_with(NIGHTLY, &series);
    made_add(&w, series, "2026-11-19T02:00:00Z", BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    assert_false(memory_was_made(memory, w.plan->changes.items));
    w.plan->changes.items[0].made_before = true;
    learn_first(memory, &w, OUTCOME_DONE, 100);
    plan_at(&w, STAGE_NOW);
    assert_true(memory_was_made(memory, w.plan->changes.items));
    plan_at(&w, "2026-11-21T02:00:00Z");
    assert_false(memory_was_made(memory, w.plan->changes.items));
    /* A look that shows it in sync forgets it; one that failed does not. */
    plan_at(&w, STAGE_NOW);
    CLEANUP(world_done) World failed = stage(NIGHTLY);
    error_set(&failed.snapshot->of[0].error, ERROR_TIMEOUT, "x");
    plan_at(&failed, STAGE_NOW);
    memory_learn(memory, failed.plan, failed.snapshot, "prod", 200, USEC_PER_MINUTE);
    memory_learn(memory, failed.plan, failed.snapshot, "prod", 200, USEC_PER_MINUTE);
    assert_true(memory_was_made(memory, w.plan->changes.items));
    CLEANUP(world_done) World in_sync = stage(NIGHTLY);
    plan_at(&in_sync, STAGE_NOW);
    memory_learn(memory, in_sync.plan, in_sync.snapshot, "prod", 300, USEC_PER_MINUTE);
    assert_false(memory_was_made(memory, w.plan->changes.items));
}

static void a_mark_and_a_deletion_are_of_the_backup(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    Series *series;
    CLEANUP(world_done) World w = stage_with(NIGHTLY ", keep: {last: 1}, prune: true", &series);
    made_add(&w, series, "2026-11-19T02:00:00Z", BACKUP_GOOD);
    made_add(&w, series, "2026-11-20T02:00:00Z", BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    learn_first(memory, &w, OUTCOME_FAILED, 100);
    Made *made = &series->made.items[0];
    made->mark = PRUNE_MARK_AT;
    made->prune_after = at(STAGE_NOW);
    plan_at(&w, STAGE_NOW);
    assert_int_equal(w.plan->changes.items[0].action, ACTION_DELETE);
    assert_int_equal(next_of(memory, &w, NULL), 100 + USEC_PER_MINUTE);
    assert_false(memory_was_made(memory, w.plan->changes.items));
}

static void a_new_configuration_tries_what_rests(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    Series *series;
    CLEANUP(world_done) World w = stage_with(NIGHTLY, &series);
    plan_at(&w, STAGE_NOW);
    learn_first(memory, &w, OUTCOME_FAILED, 100);
    memory_try_all(memory);
    assert_int_equal(next_of(memory, &w, NULL), 0);
}

static void a_mark_that_is_undone_again_and_again_does_not_converge(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    Series *series;
    CLEANUP(world_done) World w = stage_with(NIGHTLY ", keep: {last: 1}, prune: true", &series);
    made_add(&w, series, "2026-11-19T02:00:00Z", BACKUP_GOOD);
    made_add(&w, series, "2026-11-20T02:00:00Z", BACKUP_GOOD);
    for (unsigned i = 0; i < 3; i++) {
        plan_in(&w, at(STAGE_NOW) + i * USEC_PER_MINUTE, (PlanOptions){0});
        assert_int_equal(next_of(memory, &w, NULL), 0);
        learn_first(memory, &w, OUTCOME_DONE, 100);
    }
    assert_true(next_of(memory, &w, NULL) >= 100 + USEC_PER_MINUTE);
}

static void a_slot_that_failed_rests_no_longer_each_time(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    Series *series;
    CLEANUP(world_done) World w = stage_with(NIGHTLY, &series);
    for (unsigned i = 0; i < 5; i++) {
        plan_at(&w, STAGE_NOW);
        learn_first(memory, &w, OUTCOME_FAILED, 100);
        assert_int_equal(next_of(memory, &w, NULL), 100 + USEC_PER_MINUTE);
    }
    /* Nor as long as a long interval: after catchUp it would be too late. */
    plan_at(&w, STAGE_NOW);
    change_set(w.plan, &w.plan->changes.items[0], OUTCOME_FAILED, "x");
    memory_learn(memory, w.plan, w.snapshot, "prod", 100, USEC_PER_DAY);
    assert_int_equal(next_of(memory, &w, NULL), 100 + SLOT_RETRY);
}

/* One round in which the only change was held because others are at work on the object; is that enough at `now`? */
static bool round_busy(Memory *memory, usec_t now)
{
    CLEANUP(world_done) World w = drifted(1);
    change_hold(w.plan, w.plan->changes.items, HOLD_BUSY, "others write it");
    memory_learn(memory, w.plan, w.snapshot, "prod", now, USEC_PER_SEC);
    return memory_is_out_of_patience(memory, w.plan->changes.items, now);
}

static bool is_out_of_patience(const Memory *memory, usec_t now)
{
    CLEANUP(world_done) World w = drifted(1);
    return memory_is_out_of_patience(memory, w.plan->changes.items, now);
}

#define BEGIN (7 * USEC_PER_SEC)

static void patience_with_others_ends_after_a_minute(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    assert_false(is_out_of_patience(memory, BEGIN));
    assert_false(round_busy(memory, BEGIN));
    assert_false(round_busy(memory, BEGIN + 30 * USEC_PER_SEC));
    assert_false(round_busy(memory, BEGIN + USEC_PER_MINUTE - 1));
    assert_true(round_busy(memory, BEGIN + USEC_PER_MINUTE));
    assert_true(round_busy(memory, BEGIN + USEC_PER_HOUR));
    assert_true(is_out_of_patience(memory, BEGIN + USEC_PER_HOUR));
}

static void being_busy_is_no_pause(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    CLEANUP(world_done) World w = drifted(1);
    round_busy(memory, BEGIN);
    round_busy(memory, BEGIN + USEC_PER_MINUTE);
    assert_int_equal(memory_rest(memory, w.plan->changes.items).until, 0);
}

static void what_was_written_is_waited_for_anew(void **state)
{
    (void)state;
    static const Outcome ends[] = {OUTCOME_DONE, OUTCOME_FAILED};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        CLEANUP(memory_freep) Memory *memory = memory_new();
        round_busy(memory, BEGIN);
        round_with(memory, ends[i], BEGIN + USEC_PER_MINUTE, USEC_PER_SEC);
        assert_false(is_out_of_patience(memory, BEGIN + 2 * USEC_PER_MINUTE));
        assert_false(round_busy(memory, BEGIN + 2 * USEC_PER_MINUTE));
        assert_true(round_busy(memory, BEGIN + 3 * USEC_PER_MINUTE));
    }
}

static void what_is_in_sync_is_waited_for_anew(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    round_busy(memory, BEGIN);
    round_in_sync(memory);
    assert_false(is_out_of_patience(memory, BEGIN + USEC_PER_MINUTE));
    assert_false(round_busy(memory, BEGIN + USEC_PER_MINUTE));
}

static void what_is_held_for_another_reason_is_waited_for_anew(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    CLEANUP(world_done) World w = drifted(1);
    round_busy(memory, BEGIN);
    change_hold(w.plan, w.plan->changes.items, HOLD_STATE, "x");
    memory_learn(memory, w.plan, w.snapshot, "prod", BEGIN + 1, USEC_PER_SEC);
    assert_false(round_busy(memory, BEGIN + USEC_PER_MINUTE));
}

static void a_look_that_failed_ends_no_patience(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    CLEANUP(world_done) World unread = drifted(0);
    round_busy(memory, BEGIN);
    plan_fail(unread.plan, unread.specs->items, NULL, NULL);
    memory_learn(memory, unread.plan, unread.snapshot, "prod", BEGIN + 1, USEC_PER_SEC);
    assert_true(round_busy(memory, BEGIN + USEC_PER_MINUTE));
}

static void patience_is_had_with_each_object_by_itself(void **state)
{
    (void)state;
    CLEANUP(memory_freep) Memory *memory = memory_new();
    CLEANUP(world_done) World w = drifted(2);
    change_hold(w.plan, &w.plan->changes.items[1], HOLD_BUSY, "x");
    memory_learn(memory, w.plan, w.snapshot, "prod", BEGIN, USEC_PER_SEC);
    assert_false(memory_is_out_of_patience(memory, &w.plan->changes.items[0], BEGIN + USEC_PER_HOUR));
    assert_true(memory_is_out_of_patience(memory, &w.plan->changes.items[1], BEGIN + USEC_PER_HOUR));
    memory_forget(memory);
    assert_false(memory_is_out_of_patience(memory, &w.plan->changes.items[1], BEGIN + USEC_PER_HOUR));
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
        cmocka_unit_test(each_slot_and_attempt_has_its_own_pauses),
        cmocka_unit_test(what_was_made_and_is_not_shown_yet_waits),
        cmocka_unit_test(that_it_was_made_before_is_remembered_of_this_slot_alone),
        cmocka_unit_test(a_mark_and_a_deletion_are_of_the_backup),
        cmocka_unit_test(a_new_configuration_tries_what_rests),
        cmocka_unit_test(a_mark_that_is_undone_again_and_again_does_not_converge),
        cmocka_unit_test(a_slot_that_failed_rests_no_longer_each_time),
        cmocka_unit_test(patience_with_others_ends_after_a_minute),
        cmocka_unit_test(being_busy_is_no_pause),
        cmocka_unit_test(what_was_written_is_waited_for_anew),
        cmocka_unit_test(what_is_in_sync_is_waited_for_anew),
        cmocka_unit_test(what_is_held_for_another_reason_is_waited_for_anew),
        cmocka_unit_test(a_look_that_failed_ends_no_patience),
        cmocka_unit_test(patience_is_had_with_each_object_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
