#include "config.h"

#include "../../tests/unit/stage.h"

#include "plan/agenda.h"
#include "plan/create.h"
#include "plan/scheduled.h"

#define SLOT_20 "2026-11-20T02:00:00Z"
#define SLOT_19 "2026-11-19T02:00:00Z"
#define SLOT_18 "2026-11-18T02:00:00Z"
#define SLOT_17 "2026-11-17T02:00:00Z"

static void assert_next_look(const World *w, const char *time)
{
    assert_int_equal(w->plan->next_look, at(time));
}

/* A stage on which everything up to the 19th was made. */
static World one_due(const char *want, Series **ret)
{
    World w = stage_with(want, ret);
    made_add(&w, *ret, SLOT_19, BACKUP_GOOD);
    return w;
}

/* --- what is made --- */

static void what_is_due_is_made(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = one_due(NIGHTLY, &series);
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "create planned " STAGE_VOLUME " (slot " SLOT_20 ")\n");
    assert_notes(&w, "");
    const Change *c = w.plan->changes.items;
    assert_ptr_equal(c->series, series);
    assert_int_equal(c->slot, at(SLOT_20));
    assert_int_equal(c->attempt, 1);
    assert_int_equal(w.plan->objects, 1);
    assert_int_equal(w.plan->in_sync, 0);
    assert_next_look(&w, "2026-11-21T02:00:00Z");
}

static void what_was_made_is_in_sync(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = one_due(NIGHTLY, &series);
    made_add(&w, series, SLOT_20, BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "");
    assert_int_equal(w.plan->objects, 1);
    assert_int_equal(w.plan->in_sync, 1);
    assert_int_equal(w.plan->failures.n, 0);
}

static void each_volume_has_its_own(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = one_due(NIGHTLY ", randomizedDelay: 1s", &series);
    made_add(&w, series, SLOT_20, BACKUP_UNFINISHED);
    volume_add(&w, "ocid1.bootvolume.w", "AVAILABLE", "");
    volume_add(&w, "ocid1.bootvolume.young", "AVAILABLE", ",\"timeCreated\":\"2026-11-20T02:00:00.001Z\"");
    plan_at(&w, STAGE_NOW);
    assert_int_equal(w.plan->changes.n, 1);
    assert_string_equal(w.plan->changes.items[0].target, "ocid1.bootvolume.w");
    assert_int_equal(w.plan->objects, 3);
    assert_int_equal(w.plan->in_sync, 2);
}

static void the_delay_is_the_volumes_own(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = stage(NIGHTLY ", randomizedDelay: 3h, catchUp: 1h");
    static const char *const ids[] = {"ocid1.bootvolume.v", "ocid1.bootvolume.w"};
    usec_t delays[2];
    for (size_t i = 0; i < 2; i++) {
        delays[i] = slot_delay("nightly", ids[i], 3 * USEC_PER_HOUR);
        made_add(&w, volume_add(&w, ids[i], "AVAILABLE", ""), SLOT_19, BACKUP_GOOD);
    }
    assert_true(delays[0] != delays[1] && delays[0] > 0 && delays[1] > 0);
    for (size_t i = 0; i < 2; i++) {
        usec_t due = at(SLOT_20) + delays[i];
        const struct {
            usec_t now;
            bool makes;
        } rows[] = {{due - 1, false}, {due, true}, {due + USEC_PER_HOUR, true}, {due + USEC_PER_HOUR + 1, false}};
        for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
            bool makes = false;
            plan_in(&w, rows[k].now, (PlanOptions){0});
            for (size_t j = 0; j < w.plan->changes.n; j++)
                makes |= streq(w.plan->changes.items[j].target, ids[i]);
            assert_int_equal(makes, rows[k].makes);
        }
    }
}

static const char *body_of(const World *w)
{
    CLEANUP(str_done) Str text = {0};
    const Change *c = w->plan->changes.items;
    assert_int_equal(c->action, ACTION_CREATE);
    json_write_node(&text, creation_values(c, w->plan->arena));
    return arena_strndup(w->plan->arena, str_get(&text), text.len);
}

static void the_request_says_what_is_declared_and_whose_it_is(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done)
    World w =
        one_due(NIGHTLY ", type: FULL, displayName: \"{schedule} {volume} {volumeId} {slot} {slot:%d.%m. %H} {{}}\", "
                        "freeformTags: {a: 1, gone: null}, definedTags: {Ops: {C: 2}}, keep: {last: 1}, prune: true",
                &series);
    plan_at(&w, STAGE_NOW);
    static const char expected[] =
        "{\"bootVolumeId\":\"" STAGE_VOLUME "\",\"definedTags\":{\"Ops\":{\"C\":\"2\"}},"
        "\"displayName\":\"nightly db " STAGE_VOLUME " 20261120T020000Z 20.11. 02 {}\","
        "\"freeformTags\":{\"a\":\"1\",\"imagekeeper\":\"nightly@2026-11-20T02:00:00Z\"},\"type\":\"FULL\"}";
    assert_string_equal(body_of(&w), expected);
    /* And nothing that depends on now. */
    plan_at(&w, "2026-11-20T13:59:59Z");
    assert_string_equal(body_of(&w), expected);
}

static void what_is_not_declared_is_left_to_the_cloud(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = one_due(NIGHTLY, &series);
    plan_at(&w, STAGE_NOW);
    assert_string_equal(body_of(&w), "{\"bootVolumeId\":\"" STAGE_VOLUME
                                     "\",\"freeformTags\":{\"imagekeeper\":\"nightly@2026-11-20T02:00:00Z\"}}");
}

static void a_volume_without_a_name_is_called_by_its_id(void **state)
{
    (void)state;
    CLEANUP(world_done)
    World w = stage_since(NIGHTLY ", displayName: \"of {volume}\"", "ignore: [freeformTags]", "2026-11-20T00:00:00Z");
    volume_add(&w, "ocid1.bootvolume.w", "AVAILABLE", ",\"displayName\":null");
    plan_at(&w, STAGE_NOW);
    assert_non_null(strstr(body_of(&w), "\"displayName\":\"of ocid1.bootvolume.w\""));
}

static void a_long_name_is_cut_to_what_the_api_takes(void **state)
{
    (void)state;
    CLEANUP(str_done) Str name = {0};
    for (unsigned i = 0; i < DISPLAY_NAME_MAX; i++)
        str_add(&name, "ä");
    CLEANUP(freep) char *member = xasprintf(",\"displayName\":\"%s\"", str_get(&name));
    CLEANUP(world_done) World w = stage_since(NIGHTLY ", displayName: \"{volume}-{slot}\"", "", "2026-11-20T00:00:00Z");
    volume_add(&w, STAGE_VOLUME, "AVAILABLE", member);
    plan_at(&w, STAGE_NOW);
    const Delta *delta = w.plan->changes.items[0].deltas.items;
    assert_string_equal(delta->path, "displayName");
    assert_string_equal(delta->to->text, str_get(&name));
}

static void a_slot_in_a_name_is_that_of_the_zone(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    CLEANUP(world_done)
    World w = stage_since(NIGHTLY ", displayName: \"{slot} {slot:%Y-%m-%d %H:%M}\"", "", "2026-11-20T00:00:00Z");
    ((Timetable *)w.specs->items[0].timetable)->zone = berlin;
    volume_add(&w, STAGE_VOLUME, "AVAILABLE", "");
    plan_at(&w, STAGE_NOW);
    assert_non_null(strstr(body_of(&w), "\"displayName\":\"20261120T010000Z 2026-11-20 02:00\""));
}

/* The name that the retry token is made of. */
static const char *name_of(const World *w)
{
    CLEANUP(str_done) Str name = {0};
    creation_name(w->plan->changes.items, &name);
    return arena_strndup(w->plan->arena, str_get(&name), name.len);
}

static void its_name_depends_on_schedule_volume_slot_and_attempt_alone(void **state)
{
    (void)state;
    Series *a, *b;
    CLEANUP(world_done) World w = one_due(NIGHTLY, &a);
    static const char first[] =
        "create\nOciBootVolumeBackupSchedule\nnightly@2026-11-20T02:00:00Z\n" STAGE_VOLUME "\n1";
    plan_at(&w, STAGE_NOW);
    assert_string_equal(name_of(&w), first);
    CLEANUP(world_done)
    World edited =
        stage_since("cron: \"0 2 * * *\", displayName: \"{slot}\", type: FULL, freeformTags: {a: 1}, catchUp: 3d, "
                    "randomizedDelay: 3h, keep: {last: 1}, prune: true",
                    "ignore: [definedTags]", SLOT_18);
    b = volume_add(&edited, STAGE_VOLUME, "PROVISIONING", ",\"displayName\":\"renamed\"");
    made_add(&edited, b, SLOT_18, BACKUP_FAULTY);
    plan_with(&edited, "2026-11-20T11:00:00Z", (PlanOptions){.observe = true, .hints = true});
    assert_string_equal(name_of(&edited), first);
    made_add(&w, a, SLOT_20, BACKUP_FAULTY);
    plan_at(&w, STAGE_NOW);
    assert_string_equal(name_of(&w),
                        "create\nOciBootVolumeBackupSchedule\nnightly@2026-11-20T02:00:00Z\n" STAGE_VOLUME "\n2");
    plan_at(&w, "2026-11-21T12:00:00Z");
    assert_string_equal(name_of(&w),
                        "create\nOciBootVolumeBackupSchedule\nnightly@2026-11-21T02:00:00Z\n" STAGE_VOLUME "\n1");
}

static void one_waits_while_another_of_its_volume_is_being_made(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = stage_with(NIGHTLY, &series);
    made_add(&w, series, SLOT_19, BACKUP_UNFINISHED);
    made_add(&w, volume_add(&w, "ocid1.bootvolume.w", "AVAILABLE", ""), SLOT_19, BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "create held " STAGE_VOLUME " (slot " SLOT_20 "); ocid1.b0 of slot " SLOT_19
                       " is still being made; this one waits its turn\n"
                       "create planned ocid1.bootvolume.w (slot " SLOT_20 ")\n");
    assert_int_equal(w.plan->changes.items[0].hold, HOLD_STATE);
    plan_with(&w, STAGE_NOW, (PlanOptions){.observe = true});
    assert_int_equal(plan_count(w.plan, OUTCOME_OBSERVED), 2);
    series->made.items[0].state = BACKUP_UNSURE;
    plan_at(&w, STAGE_NOW);
    assert_int_equal(plan_count(w.plan, OUTCOME_PLANNED), 2);
}

static void a_volume_that_is_unsure_waits(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = one_due(NIGHTLY, &series);
    ((Live *)series->volume)->unsure = true;
    plan_at(&w, STAGE_NOW);
    assert_int_equal(w.plan->changes.items[0].hold, HOLD_UNSURE);
}

static void a_faulty_one_is_told_of_and_made_again(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = stage_with(NIGHTLY, &series);
    made_add(&w, series, SLOT_19, BACKUP_FAULTY);
    made_add(&w, series, SLOT_20, BACKUP_FAULTY);
    plan_at(&w, "2026-11-20T02:04:59Z");
    assert_changes(&w, "");
    assert_notes(&w, "faulty " STAGE_VOLUME ": ocid1.b1 of slot " SLOT_20
                     " is FAULTY; it is made again at 2026-11-20T02:05:00Z\n");
    assert_int_equal(w.plan->notes.items[0].slot, at(SLOT_20));
    assert_string_equal(w.plan->notes.items[0].object, "ocid1.b1");
    assert_next_look(&w, "2026-11-20T02:05:00Z");
    plan_at(&w, "2026-11-20T02:05:00Z");
    assert_changes(&w, "create planned " STAGE_VOLUME " (slot " SLOT_20 ", attempt 2 of 3)\n");
    assert_notes(&w, "faulty " STAGE_VOLUME ": ocid1.b1 of slot " SLOT_20 " is FAULTY; it is made again now\n");
    assert_int_equal(w.plan->changes.items[0].attempt, 2);
    /* Of one that is settled nothing is told any more. */
    made_add(&w, series, SLOT_20, BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "");
    assert_notes(&w, "");
}

static void what_is_given_up_is_an_error(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = one_due(NIGHTLY, &series);
    made_add(&w, series, SLOT_20, BACKUP_FAULTY)->born = at("2026-11-20T13:58:00Z");
    plan_at(&w, "2026-11-20T13:59:00Z");
    assert_changes(&w, "");
    assert_notes(&w, "");
    assert_int_equal(w.plan->failures.n, 1);
    assert_string_equal(w.plan->failures.items[0].error->message,
                        "slot " SLOT_20 ": 1 attempt became FAULTY, and no more are made of it: "
                        "find out why (ocid1.b1); the next slot will be tried");
    assert_string_equal(w.plan->failures.items[0].target, STAGE_VOLUME);
    assert_int_equal(w.plan->failures.items[0].error->kind, ERROR_REJECTED);
    assert_int_equal(w.plan->in_sync, 0);
    for (unsigned i = 0; i < 2; i++)
        made_add(&w, series, SLOT_20, BACKUP_FAULTY);
    plan_at(&w, STAGE_NOW);
    assert_non_null(strstr(w.plan->failures.items[0].error->message, ": 3 attempts became FAULTY, "));
    plan_at(&w, "2026-11-21T02:00:00Z");
    assert_int_equal(w.plan->failures.n, 0);
    assert_changes(&w, "create planned " STAGE_VOLUME " (slot 2026-11-21T02:00:00Z)\n");
}

static void what_a_hand_deleted_is_told_of_and_not_made_again(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = one_due(NIGHTLY, &series);
    made_add(&w, series, SLOT_20, BACKUP_GONE);
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "");
    assert_notes(&w, "deleted " STAGE_VOLUME ": the backup of slot " SLOT_20 " was deleted; it is not made again\n");
    assert_int_equal(w.plan->notes.items[0].slot, at(SLOT_20));
    assert_int_equal(w.plan->failures.n, 0);
    assert_int_equal(w.plan->in_sync, 1);
}

static void an_attempt_that_the_next_slot_overtakes_is_given_up(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = stage_since("onCalendar: hourly", "", "2026-11-20T11:30:00Z");
    Series *series = volume_add(&w, STAGE_VOLUME, "AVAILABLE", "");
    made_add(&w, series, "2026-11-20T12:00:00Z", BACKUP_FAULTY)->born = at("2026-11-20T12:57:00Z");
    plan_at(&w, "2026-11-20T12:58:00Z");
    assert_notes(&w, "");
    assert_int_equal(w.plan->failures.n, 1);
    assert_next_look(&w, "2026-11-20T13:00:00Z");
}

static void the_newest_faulty_one_is_told_of(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = one_due(NIGHTLY, &series);
    made_add(&w, series, SLOT_20, BACKUP_FAULTY);
    made_add(&w, series, SLOT_20, BACKUP_FAULTY)->born = at("2026-11-20T02:06:00Z");
    plan_at(&w, "2026-11-20T02:07:00Z");
    assert_notes(&w, "faulty " STAGE_VOLUME ": ocid1.b2 of slot " SLOT_20
                     " is FAULTY; it is made again at 2026-11-20T02:36:00Z\n");
    assert_string_equal(w.plan->notes.items[0].object, "ocid1.b2");
}

static void missed_slots_are_told_of(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = stage_with(NIGHTLY, &series);
    made_add(&w, series, SLOT_18, BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    assert_notes(&w, "missed " STAGE_VOLUME ": slot " SLOT_19 " was missed\n");
    assert_int_equal(w.plan->notes.items[0].slot, at(SLOT_19));
    plan_at(&w, "2026-11-20T14:00:01Z");
    assert_changes(&w, "");
    assert_notes(&w, "missed " STAGE_VOLUME ": 2 slots were missed, from " SLOT_19 " to " SLOT_20 "\n");
    assert_int_equal(w.plan->notes.items[0].slot, at(SLOT_20));
    assert_int_equal(w.plan->failures.n, 0);
    assert_int_equal(w.plan->in_sync, 1);
}

static void very_many_missed_slots_are_not_counted(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = stage_with("onCalendar: \"*:*:*\"", &series);
    plan_at(&w, STAGE_NOW);
    assert_notes(&w, "missed " STAGE_VOLUME
                     ": at least 100 slots were missed, from 2026-11-20T11:58:20Z to 2026-11-20T11:59:59Z\n");
}

static void nothing_is_made_of_a_volume_that_is_gone(void **state)
{
    (void)state;
    static const char *const gone[] = {"TERMINATING", "TERMINATED"};
    for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
        CLEANUP(world_done) World w = stage(NIGHTLY ", keep: {last: 1}, prune: true");
        Series *series = volume_add(&w, STAGE_VOLUME, gone[i], "");
        marked_add(&w, series, SLOT_17, BACKUP_GOOD, SLOT_18);
        marked_add(&w, series, SLOT_18, BACKUP_GOOD, SLOT_18);
        plan_at(&w, STAGE_NOW);
        assert_changes(&w, "");
        assert_int_equal(w.plan->failures.n, 1);
        CLEANUP(freep)
        char *expected = xasprintf("the boot volume is %s: no backups can be made of it, and those that are there are "
                                   "left alone; remove the document, or "
                                   "name another one",
                                   gone[i]);
        assert_string_equal(w.plan->failures.items[0].error->message, expected);
        assert_int_equal(w.plan->in_sync, 0);
    }
}

static void a_look_that_failed_decides_nothing(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = one_due(NIGHTLY, &series);
    error_set(&w.snapshot->of[0].error, ERROR_TIMEOUT, "too slow");
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "");
    assert_int_equal(w.plan->failures.n, 1);
    assert_int_equal(w.plan->next_look, 0);
    /* Its slot may be due: that is found out before a long interval is over. */
    scheduled_look_again(w.plan);
    assert_int_equal(w.plan->next_look, at(STAGE_NOW) + SLOT_RETRY);
}

static void a_slot_that_was_not_made_is_looked_at_again_soon(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = one_due(NIGHTLY, &series);
    static const Outcome again[] = {OUTCOME_FAILED, OUTCOME_HELD}, not [] = {OUTCOME_DONE, OUTCOME_OBSERVED};
    for (size_t i = 0; i < ARRAY_SIZE(again); i++) {
        plan_at(&w, STAGE_NOW);
        assert_int_equal(w.plan->changes.n, 1);
        change_set(w.plan, &w.plan->changes.items[0], again[i], "x");
        scheduled_look_again(w.plan);
        assert_int_equal(w.plan->next_look, at(STAGE_NOW) + SLOT_RETRY);
    }
    for (size_t i = 0; i < ARRAY_SIZE(not ); i++) {
        plan_at(&w, STAGE_NOW);
        change_set(w.plan, &w.plan->changes.items[0], not [i], NULL);
        scheduled_look_again(w.plan);
        assert_next_look(&w, "2026-11-21T02:00:00Z");
    }
}

static void another_accounts_schedule_is_not_ours(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = one_due(NIGHTLY, &series);
    plan_with(&w, STAGE_NOW, (PlanOptions){.account = "lab"});
    assert_changes(&w, "");
    assert_int_equal(w.plan->declared, 0);
    plan_with(&w, STAGE_NOW, (PlanOptions){.account = "prod"});
    assert_int_equal(w.plan->changes.n, 1);
}

static void a_suspended_one_does_nothing(void **state)
{
    (void)state;
    CLEANUP(world_done)
    World w = stage_since(NIGHTLY ", keep: {last: 1}, prune: true",
                          "suspend: {until: 2026-11-20T12:00:00.000001Z, reason: x}", "2026-11-01T00:00:00Z");
    Series *series = volume_add(&w, STAGE_VOLUME, "AVAILABLE", "");
    marked_add(&w, series, SLOT_17, BACKUP_GOOD, SLOT_18);
    made_add(&w, series, SLOT_18, BACKUP_GOOD);
    plan_with(&w, STAGE_NOW, (PlanOptions){.hints = true});
    assert_changes(&w, "");
    assert_notes(&w, "");
    assert_int_equal(w.plan->next_look, at(STAGE_NOW) + 1);
    /* When it is over, what was due within it is not made up for. */
    plan_at(&w, "2026-11-20T12:00:01Z");
    assert_changes(&w, "delete planned ocid1.b0 (slot " SLOT_17 ", expired)\n");
    assert_next_look(&w, "2026-11-21T02:00:00Z");
}

static void a_slot_at_the_end_of_a_pause_counts(void **state)
{
    (void)state;
    CLEANUP(world_done)
    World w = stage_since(NIGHTLY, "suspend: {until: " SLOT_20 ", reason: x}", "2026-11-01T00:00:00Z");
    volume_add(&w, STAGE_VOLUME, "AVAILABLE", "");
    plan_at(&w, SLOT_20);
    assert_changes(&w, "create planned " STAGE_VOLUME " (slot " SLOT_20 ")\n");
    assert_notes(&w, "");
}

static void what_is_observed_is_not_done(void **state)
{
    (void)state;
    CLEANUP(world_done)
    World w = stage_since(NIGHTLY ", keep: {last: 1}, prune: true", "mode: observe", "2026-11-01T00:00:00Z");
    Series *series = volume_add(&w, STAGE_VOLUME, "AVAILABLE", "");
    marked_add(&w, series, SLOT_17, BACKUP_GOOD, SLOT_18);
    made_add(&w, series, SLOT_18, BACKUP_GOOD);
    made_add(&w, series, SLOT_19, BACKUP_GOOD);
    plan_with(&w, STAGE_NOW, (PlanOptions){.clock_trouble = "the clock is wrong"});
    assert_changes(&w, "create observed " STAGE_VOLUME " (slot " SLOT_20 ")\n"
                       "delete observed ocid1.b0 (slot " SLOT_17 ", expired)\n"
                       "update observed ocid1.b1 (slot " SLOT_18 ", expired) freeformTags." PRUNE_TAG
                       ": null > \"2026-11-21T12:00:00Z\"\n");
    assert_int_equal(w.plan->in_sync, 0);
}

static void a_clock_that_cannot_be_trusted_holds_all(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = stage_with(NIGHTLY ", keep: {last: 1}, prune: true", &series);
    marked_add(&w, series, SLOT_17, BACKUP_GOOD, SLOT_18);
    made_add(&w, series, SLOT_18, BACKUP_GOOD);
    marked_add(&w, series, SLOT_19, BACKUP_GOOD, SLOT_20);
    plan_with(&w, STAGE_NOW, (PlanOptions){.clock_trouble = "the clock is wrong"});
    assert_changes(&w, "create held " STAGE_VOLUME " (slot " SLOT_20
                       "); the clock is wrong; nothing is made or deleted by this clock\n"
                       "delete held ocid1.b0 (slot " SLOT_17
                       ", expired); the clock is wrong; nothing is made or deleted by this clock\n"
                       "update held ocid1.b1 (slot " SLOT_18 ", expired) freeformTags." PRUNE_TAG
                       ": null > \"2026-11-21T12:00:00Z\""
                       "; the clock is wrong; nothing is made or deleted by this clock\n"
                       "update held ocid1.b2 (slot " SLOT_19 ", newest good, last 1/1) freeformTags." PRUNE_TAG
                       ": \"2026-11-20T02:00:00Z\" > null"
                       "; the clock is wrong; nothing is made or deleted by this clock\n");
    for (size_t i = 0; i < w.plan->changes.n; i++)
        assert_int_equal(w.plan->changes.items[i].hold, HOLD_CLOCK);
}

static void documents_without_a_calendar_need_no_clock(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(1);
    plan_with(&w, STAGE_NOW, (PlanOptions){.clock_trouble = "the clock is wrong"});
    assert_int_equal(plan_count(w.plan, OUTCOME_PLANNED), 1);
}

/* --- what stays and goes --- */

/* Four good backups, up to the newest slot. */
static World four(const char *want, Series **ret)
{
    World w = stage_with(want, ret);
    made_add(&w, *ret, SLOT_17, BACKUP_GOOD);
    made_add(&w, *ret, SLOT_18, BACKUP_GOOD);
    made_add(&w, *ret, SLOT_19, BACKUP_GOOD);
    made_add(&w, *ret, SLOT_20, BACKUP_GOOD);
    return w;
}

static void set_mark(Series *series, size_t i, PruneMark mark, const char *time)
{
    series->made.items[i].mark = (uint8_t)mark;
    series->made.items[i].prune_after = time ? at(time) : 0;
}

static void what_goes_is_marked_with_its_end(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 3}, prune: true, grace: 36h", &series);
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "update planned ocid1.b0 (slot " SLOT_17 ", expired) freeformTags." PRUNE_TAG
                       ": null > \"2026-11-22T00:00:00Z\"\n");
    const Change *c = w.plan->changes.items;
    assert_ptr_equal(c->series, series);
    assert_int_equal(c->slot, at(SLOT_17));
    assert_int_equal(c->deltas.items[0].mark.line, 4);
    assert_string_equal(c->deltas.items[0].steps[0], PRUNE_TAG);
    assert_string_equal(c->deltas.items[0].field->name, "freeformTags");
    assert_json(c->live->object, "{\"freeformTags\":{\"imagekeeper\":\"nightly@" SLOT_17 "\"}}");
    assert_ptr_equal(c->live->kind, &oci_boot_volume_backup);
    assert_string_equal(c->live->state, "AVAILABLE");
    assert_string_equal(c->live->source_id, STAGE_VOLUME);
    assert_false(c->is_hint);
    assert_int_equal(w.plan->in_sync, 0);
    assert_next_look(&w, "2026-11-21T02:00:00Z");
}

static void a_mark_waits_for_its_time(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 3}, prune: true", &series);
    set_mark(series, 0, PRUNE_MARK_AT, "2026-11-20T18:00:00Z");
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "");
    assert_int_equal(w.plan->in_sync, 1);
    assert_next_look(&w, "2026-11-20T18:00:00Z");
    plan_at(&w, "2026-11-20T18:00:00Z");
    assert_changes(&w, "delete planned ocid1.b0 (slot " SLOT_17 ", expired)\n");
    assert_json(w.plan->changes.items[0].live->object, "{\"freeformTags\":{\"imagekeeper\":\"nightly@" SLOT_17
                                                       "\",\"imagekeeper-prune-after\":\"2026-11-20T18:00:00Z\"}}");
    assert_int_equal(w.plan->in_sync, 0);
}

static void what_stays_bears_no_mark(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 3}, prune: true", &series);
    for (size_t i = 0; i < 4; i++)
        set_mark(series, i, PRUNE_MARK_AT, "2026-11-20T18:00:00Z");
    set_mark(series, 2, PRUNE_MARK_NEVER, NULL);
    set_mark(series, 3, PRUNE_MARK_UNREADABLE, NULL);
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "update planned ocid1.b1 (slot " SLOT_18 ", last 3/3) freeformTags." PRUNE_TAG
                       ": \"2026-11-20T18:00:00Z\" > null\n");
}

static void a_faulty_one_goes_too(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 9}, prune: true", &series);
    series->made.items[1].state = BACKUP_FAULTY;
    series->made.items[2].state = BACKUP_GONE;
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "update planned ocid1.b1 (slot " SLOT_18 ", faulty) freeformTags." PRUNE_TAG
                       ": null > \"2026-11-21T12:00:00Z\"\n");
    assert_string_equal(w.plan->changes.items[0].live->state, "FAULTY");
    /* Not while its slot may be tried again. */
    series->made.items[1].state = BACKUP_GOOD;
    made_add(&w, series, SLOT_20, BACKUP_FAULTY);
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "");
}

static void without_prune_marks_are_taken_off(void **state)
{
    (void)state;
    static const char *const wants[] = {NIGHTLY ", keep: {last: 1}", NIGHTLY ", keep: {last: 1}, prune: false",
                                        NIGHTLY};
    for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
        Series *series;
        CLEANUP(world_done) World w = four(wants[i], &series);
        set_mark(series, 0, PRUNE_MARK_AT, "2026-11-20T08:00:00Z");
        set_mark(series, 1, PRUNE_MARK_AT, "2026-11-20T18:00:00Z");
        set_mark(series, 2, PRUNE_MARK_NEVER, NULL);
        set_mark(series, 3, PRUNE_MARK_AT, "2026-11-20T18:00:00Z");
        plan_at(&w, STAGE_NOW);
        static const char *const reasons[] = {"expired", "expired", "no keep is declared"};
        CLEANUP(freep)
        char *expected = xasprintf("update planned ocid1.b0 (slot " SLOT_17 ", %s) freeformTags." PRUNE_TAG
                                   ": \"2026-11-20T08:00:00Z\" > null\n"
                                   "update planned ocid1.b1 (slot " SLOT_18 ", %s) freeformTags." PRUNE_TAG
                                   ": \"2026-11-20T18:00:00Z\" > null\n"
                                   "update planned ocid1.b3 (slot " SLOT_20 ", %s) freeformTags." PRUNE_TAG
                                   ": \"2026-11-20T18:00:00Z\" > null\n",
                                   reasons[i], reasons[i], i < 2 ? "newest good, last 1/1" : reasons[i]);
        assert_changes(&w, expected);
        /* The place in the spec that wants it: keep, or the document. */
        assert_int_equal(w.plan->changes.items[0].deltas.items[0].mark.line, i < 2 ? 4 : 1);
        assert_int_equal(w.plan->in_sync, 0);
    }
}

static void what_is_not_finished_keeps_its_mark(void **state)
{
    (void)state;
    static const char *const wants[] = {NIGHTLY ", keep: {last: 1}, prune: true", NIGHTLY ", keep: {last: 1}", NIGHTLY};
    for (size_t i = 0; i < ARRAY_SIZE(wants); i++) {
        Series *series;
        CLEANUP(world_done) World w = stage_with(wants[i], &series);
        marked_add(&w, series, SLOT_18, BACKUP_UNFINISHED, SLOT_19);
        marked_add(&w, series, SLOT_18, BACKUP_UNSURE, SLOT_19);
        marked_add(&w, series, SLOT_18, BACKUP_GONE, SLOT_19);
        made_add(&w, series, SLOT_20, BACKUP_GOOD);
        plan_at(&w, STAGE_NOW);
        assert_changes(&w, "");
    }
}

static void without_prune_nothing_goes(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 3}", &series);
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "");
    assert_int_equal(w.plan->in_sync, 1);
}

static void who_asks_is_told_what_would_go(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 3}", &series);
    plan_with(&w, STAGE_NOW, (PlanOptions){.hints = true, .clock_trouble = "the clock is wrong"});
    assert_changes(&w, "delete observed ocid1.b0 (slot " SLOT_17 ", expired; it stays, as prune is not true)\n");
    assert_true(w.plan->changes.items[0].is_hint);
    assert_int_equal(w.plan->changes.items[0].slot, at(SLOT_17));
    /* It is no difference. */
    assert_int_equal(w.plan->in_sync, 1);
    assert_int_equal(w.plan->objects, 1);
    /* Nor is it told where things go. */
    CLEANUP(world_done) World prunes = four(NIGHTLY ", keep: {last: 3}, prune: true", &series);
    plan_with(&prunes, STAGE_NOW, (PlanOptions){.hints = true});
    assert_int_equal(prunes.plan->changes.n, 1);
    assert_false(prunes.plan->changes.items[0].is_hint);
}

static void a_marked_one_that_would_go_is_told_of_and_unmarked(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 3}", &series);
    set_mark(series, 0, PRUNE_MARK_AT, "2026-11-20T08:00:00Z");
    plan_with(&w, STAGE_NOW, (PlanOptions){.hints = true});
    assert_changes(&w, "delete observed ocid1.b0 (slot " SLOT_17 ", expired; it stays, as prune is not true)\n"
                       "update planned ocid1.b0 (slot " SLOT_17 ", expired) freeformTags." PRUNE_TAG
                       ": \"2026-11-20T08:00:00Z\" > null\n");
    assert_int_equal(w.plan->in_sync, 0);
}

static void one_volume_that_differs_is_not_all_of_them(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 3}, prune: true", &series);
    Series *other = volume_add(&w, "ocid1.bootvolume.w", "AVAILABLE", "");
    made_add(&w, other, SLOT_20, BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    assert_int_equal(w.plan->changes.n, 1);
    assert_int_equal(w.plan->objects, 2);
    assert_int_equal(w.plan->in_sync, 1);
}

/* --- when to look again --- */

static void what_is_on_its_way_is_looked_after(void **state)
{
    (void)state;
    static const struct {
        const char *now;
        usec_t pause;
    } rows[] = {
        {"2026-11-20T02:00:01Z", 5 * USEC_PER_SEC},  {"2026-11-20T02:00:50Z", 5 * USEC_PER_SEC},
        {"2026-11-20T02:01:40Z", 10 * USEC_PER_SEC}, {"2026-11-20T12:00:00Z", USEC_PER_HOUR},
        {"2026-11-20T01:59:00Z", 5 * USEC_PER_SEC}, /* the cloud's clock is ahead */
    };
    Series *series;
    CLEANUP(world_done) World w = one_due("onCalendar: monthly", &series);
    Made *made = made_add(&w, series, SLOT_20, BACKUP_UNFINISHED);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        plan_at(&w, rows[i].now);
        assert_int_equal(w.plan->next_look - w.plan->now, rows[i].pause);
    }
    made->born = 0;
    plan_at(&w, STAGE_NOW);
    assert_int_equal(w.plan->next_look - w.plan->now, 5 * USEC_PER_SEC);
    made->state = BACKUP_UNSURE;
    plan_at(&w, STAGE_NOW);
    assert_next_look(&w, "2026-12-01T00:00:00Z");
}

static void the_earliest_of_all_is_when_to_look(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 1}, prune: true", &series);
    set_mark(series, 0, PRUNE_MARK_AT, "2026-11-20T19:00:00Z");
    set_mark(series, 1, PRUNE_MARK_AT, "2026-11-20T18:00:00Z");
    set_mark(series, 2, PRUNE_MARK_AT, "2026-11-21T18:00:00Z");
    plan_at(&w, STAGE_NOW);
    assert_next_look(&w, "2026-11-20T18:00:00Z");
}

static void volumes_of_the_past_are_told_of(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY, &series);
    Stray one = {.volume = "ocid1.bootvolume.x", .n = 1, .newest = at(SLOT_17)},
          two = {.volume = "ocid1.bootvolume.y", .n = 2, .newest = at(SLOT_18)};
    *VEC_ADD(&w.snapshot->of[0].strays) = &one;
    *VEC_ADD(&w.snapshot->of[0].strays) = &two;
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "");
    assert_notes(&w, "vanished ocid1.bootvolume.x: the volume is gone, or the selector does not take it any more; 1 "
                     "backup of it, the newest of slot " SLOT_17 ", is left alone\n"
                     "vanished ocid1.bootvolume.y: the volume is gone, or the selector does not take it any more; 2 "
                     "backups of it, the newest of slot " SLOT_18 ", are left alone\n");
    assert_int_equal(w.plan->notes.items[1].slot, at(SLOT_18));
    assert_int_equal(w.plan->in_sync, 1);
}

#define LIMITED(n, max)                                                                                                \
    "limit " STAGE_VOLUME ": the schedules without randomizedDelay take " n " volumes, and limits.maxChanges is " max  \
    ": slots that come due in one round would all be held; raise the limit\n"

static void more_volumes_than_may_change_at_once_are_told_of(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY, &series);
    volume_add(&w, "ocid1.bootvolume.w", "AVAILABLE", ",\"timeCreated\":\"2026-11-20T03:00:00Z\"");
    plan_with(&w, STAGE_NOW, (PlanOptions){.max_changes = 2});
    assert_notes(&w, "");
    plan_with(&w, STAGE_NOW, (PlanOptions){.max_changes = 1, .account = "prod"});
    assert_notes(&w, LIMITED("2", "1"));
    assert_int_equal(w.plan->in_sync, 2);
    plan_with(&w, STAGE_NOW, (PlanOptions){.max_changes = 1, .account = "lab"});
    assert_notes(&w, "");
    plan_at(&w, STAGE_NOW);
    assert_notes(&w, "");
    /* What spreads itself does not come at once. */
    CLEANUP(world_done) World spread = four(NIGHTLY ", randomizedDelay: 1s", &series);
    volume_add(&spread, "ocid1.bootvolume.w", "AVAILABLE", ",\"timeCreated\":\"2026-11-20T03:00:00Z\"");
    plan_with(&spread, STAGE_NOW, (PlanOptions){.max_changes = 1});
    assert_notes(&spread, "");
}

static void several_schedules_share_a_volume(void **state)
{
    (void)state;
    static const char yaml[] = "apiVersion: imagekeeper/v1\nkind: OciBootVolumeBackupSchedule\nmetadata: {name: a}\n"
                               "spec: {account: prod, bootVolumeId: " STAGE_VOLUME
                               ", onCalendar: daily, displayName: x, freeformTags: {t: 1}}\n---\n"
                               "apiVersion: imagekeeper/v1\nkind: OciBootVolumeBackupSchedule\nmetadata: {name: b}\n"
                               "spec: {account: prod, bootVolumeId: " STAGE_VOLUME
                               ", onCalendar: daily, displayName: y, freeformTags: {t: 2}}\n";
    CLEANUP(world_done) World one = stage(NIGHTLY);
    Series *series = volume_add(&one, STAGE_VOLUME, "AVAILABLE", "");
    CLEANUP(world_done) World w = {.specs = specs_of(yaml), .snapshot = snapshot_new(2)};
    Series of[2];
    for (size_t i = 0; i < 2; i++) {
        ((Timetable *)w.specs->items[i].timetable)->written = at(SLOT_19);
        of[i] = (Series){.spec = &w.specs->items[i], .volume = series->volume};
        *VEC_ADD(&w.snapshot->of[i].objects) = series->volume;
        *VEC_ADD(&w.snapshot->of[i].series) = &of[i];
    }
    plan_at(&w, STAGE_NOW);
    assert_int_equal(w.plan->failures.n, 0);
    assert_changes(&w, "create planned " STAGE_VOLUME
                       " (slot 2026-11-20T00:00:00Z) displayName: null > \"x\" freeformTags.t: null > \"1\"\n"
                       "create planned " STAGE_VOLUME
                       " (slot 2026-11-20T00:00:00Z) displayName: null > \"y\" freeformTags.t: null > \"2\"\n");
    assert_int_equal(w.plan->objects, 1);
    /* All of them count when they come at once. */
    plan_with(&w, "2026-11-19T03:00:00Z", (PlanOptions){.max_changes = 1});
    assert_notes(&w, LIMITED("2", "1"));
}

/* --- since when --- */

static usec_t in_force(const World *w, const char *now)
{
    return schedule_in_force(&w->specs->items[0], &w->snapshot->of[0], at(now));
}

static void the_time_of_its_file_shows_that_it_was_in_force(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = stage_since(NIGHTLY, "", "2026-11-20T01:00:00Z");
    Series *series = volume_add(&w, STAGE_VOLUME, "AVAILABLE", "");
    assert_int_equal(in_force(&w, STAGE_NOW), at("2026-11-20T01:00:00Z"));
    made_add(&w, series, SLOT_20, BACKUP_GOOD); /* later shows nothing */
    assert_int_equal(in_force(&w, STAGE_NOW), at("2026-11-20T01:00:00Z"));
}

static void so_does_the_earliest_backup_of_its_calendar(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = stage_since(NIGHTLY, "", "2026-11-20T11:00:00Z");
    Series *series = volume_add(&w, STAGE_VOLUME, "AVAILABLE", "");
    Series *other = volume_add(&w, "ocid1.bootvolume.w", "AVAILABLE", "");
    made_add(&w, series, SLOT_19, BACKUP_GOOD);
    made_add(&w, series, "2026-11-18T02:00:01Z", BACKUP_GOOD); /* of another calendar */
    assert_int_equal(in_force(&w, STAGE_NOW), at(SLOT_19));
    made_add(&w, other, SLOT_18, BACKUP_GONE);
    assert_int_equal(in_force(&w, STAGE_NOW), at(SLOT_18));
    made_add(&w, other, SLOT_20, BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "create planned " STAGE_VOLUME " (slot " SLOT_20 ")\n");
}

static void earlier_backups_show_what_was_missed_before_the_file_was_written(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = stage_since("onCalendar: hourly", "", "2026-11-20T11:30:00Z");
    made_add(&w, volume_add(&w, STAGE_VOLUME, "AVAILABLE", ""), "2026-11-20T09:00:00Z", BACKUP_GOOD);
    plan_at(&w, "2026-11-20T12:40:00Z");
    assert_changes(&w, "create planned " STAGE_VOLUME " (slot 2026-11-20T12:00:00Z)\n");
    assert_notes(&w,
                 "missed " STAGE_VOLUME ": 2 slots were missed, from 2026-11-20T10:00:00Z to 2026-11-20T11:00:00Z\n");
}

/* Since when such a volume is among the schedule's nobody knows. */
static void of_a_volume_without_backups_only_the_file_shows_what_was_missed(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = stage_since(NIGHTLY, "", "2026-11-20T11:00:00Z");
    made_add(&w, volume_add(&w, STAGE_VOLUME, "AVAILABLE", ""), SLOT_17, BACKUP_GOOD);
    volume_add(&w, "ocid1.bootvolume.w", "AVAILABLE", "");
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "create planned " STAGE_VOLUME " (slot " SLOT_20
                       ")\ncreate planned ocid1.bootvolume.w (slot " SLOT_20 ")\n");
    assert_notes(&w, "missed " STAGE_VOLUME ": 2 slots were missed, from " SLOT_18 " to " SLOT_19 "\n");
}

static void a_new_schedule_never_fires_for_the_past(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = stage_since(NIGHTLY, "", "2026-11-20T02:00:00.000001Z");
    Series *series = volume_add(&w, STAGE_VOLUME, "AVAILABLE", "");
    made_add(&w, series, "2026-11-18T02:00:01Z", BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "");
    assert_notes(&w, "");
    ((Timetable *)w.specs->items[0].timetable)->written = at(SLOT_20);
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "create planned " STAGE_VOLUME " (slot " SLOT_20 ")\n");
    assert_notes(&w, "");
}

static void a_volume_counts_from_its_making(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = stage(NIGHTLY);
    volume_add(&w, "ocid1.bootvolume.old", "AVAILABLE", ",\"timeCreated\":\"2026-11-20T02:00:00Z\"");
    volume_add(&w, "ocid1.bootvolume.new", "AVAILABLE", ",\"timeCreated\":\"2026-11-20T02:00:00.000001Z\"");
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "create planned ocid1.bootvolume.old (slot " SLOT_20 ")\n");
    assert_notes(&w, "");
}

static void long_in_force_by_its_file_needs_no_other_evidence(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = stage_since(NIGHTLY ", catchUp: 12h, randomizedDelay: 1h", "", SLOT_18);
    Series *series = volume_add(&w, STAGE_VOLUME, "AVAILABLE", "");
    made_add(&w, series, SLOT_19, BACKUP_GOOD);
    assert_int_equal(in_force(&w, STAGE_NOW), at(SLOT_18));
    /* At the very start of time there is no horizon. */
    assert_int_equal(in_force(&w, "1970-01-01T00:00:00Z"), at(SLOT_18));
}

/* --- right before the write --- */

/* The backup as it is now: its tags, state and volume. */
static Live *now_is(const World *w, const char *tags, const char *backup_state, const char *volume)
{
    CLEANUP(freep)
    char *text = xasprintf(
        "{\"id\":\"ocid1.b0\",\"compartmentId\":\"ocid1.c\",\"lifecycleState\":\"%s\",\"bootVolumeId\":\"%s\","
        "\"freeformTags\":{%s}}",
        backup_state, volume, tags);
    Live *live = NULL;
    assert_int_equal(live_from_text(&(LiveReader){.kind = &oci_boot_volume_backup}, text, strlen(text), "e", w->plan->arena, &live, NULL), 0);
    return live;
}

#define MINE "\"imagekeeper\":\"nightly@2026-11-17T02:00:00Z\""
#define MARKED(time) ",\"imagekeeper-prune-after\":\"" time "\""
#define PAST "2026-11-20T08:00:00Z"

/* Why the only change of the plan does not hold; NULL: it does. */
static const char *why_not(const World *w, const char *tags, const char *backup_state, const char *volume)
{
    const char *why = "unset";
    const Change *c = w->plan->changes.items;
    assert_int_equal(w->plan->changes.n, 1);
    bool holds = retention_holds(c, now_is(w, tags, backup_state, volume), &why);
    assert_int_equal(holds, !why);
    return why;
}

#define ANOTHER "it bears another tag or is of another volume than the list showed"
#define STATE "it is in another state than the list showed"
#define UNMARKED "somebody has changed or taken away its mark imagekeeper-prune-after"

static void what_was_planned_holds_for_the_same_backup_alone(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World marks = four(NIGHTLY ", keep: {last: 3}, prune: true", &series);
    plan_at(&marks, STAGE_NOW);
    CLEANUP(world_done) World deletes = four(NIGHTLY ", keep: {last: 3}, prune: true", &series);
    set_mark(series, 0, PRUNE_MARK_AT, PAST);
    plan_at(&deletes, STAGE_NOW);
    const World *both[] = {&marks, &deletes};
    for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
        const char *mark = i ? MINE MARKED(PAST) : MINE;
        assert_null(why_not(both[i], mark, "AVAILABLE", STAGE_VOLUME));
        assert_string_equal(why_not(both[i], i ? "\"x\":\"y\"" MARKED(PAST) : "", "AVAILABLE", STAGE_VOLUME), ANOTHER);
        assert_string_equal(why_not(both[i], "\"imagekeeper\":\"nightly@2026-11-18T02:00:00Z\"" MARKED(PAST),
                                    "AVAILABLE", STAGE_VOLUME),
                            ANOTHER);
        assert_string_equal(why_not(both[i], "\"imagekeeper\":\"nightly\"" MARKED(PAST), "AVAILABLE", STAGE_VOLUME),
                            ANOTHER);
        assert_string_equal(why_not(both[i], mark, "AVAILABLE", "ocid1.bootvolume.w"), ANOTHER);
        assert_string_equal(why_not(both[i], mark, "TERMINATING", STAGE_VOLUME), STATE);
        assert_string_equal(why_not(both[i], mark, "TERMINATED", STAGE_VOLUME), STATE);
        assert_string_equal(why_not(both[i], mark, "FAULTY", STAGE_VOLUME), STATE);
        assert_string_equal(why_not(both[i], mark, "CREATING", STAGE_VOLUME), STATE);
    }
}

/* The newest good one, without which nothing is deleted. */
static void a_deletion_names_the_backup_that_stays(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 2}, prune: true", &series);
    set_mark(series, 0, PRUNE_MARK_AT, PAST);
    set_mark(series, 1, PRUNE_MARK_AT, PAST);
    series->made.items[3].state = BACKUP_UNFINISHED;
    series->made.items[0].state = BACKUP_FAULTY;
    made_add(&w, series, "2026-11-16T02:00:00Z", BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    assert_changes(&w, "delete planned ocid1.b0 (slot " SLOT_17 ", faulty)\n"
                       "update planned ocid1.b1 (slot " SLOT_18 ", last 2/2) freeformTags." PRUNE_TAG ": \"" PAST
                       "\" > null\n"
                       "update planned ocid1.b4 (slot 2026-11-16T02:00:00Z, expired) freeformTags." PRUNE_TAG
                       ": null > \"2026-11-21T12:00:00Z\"\n");
    const Change *c = w.plan->changes.items;
    assert_string_equal(c->newest->id, "ocid1.b2");
    assert_ptr_equal(c->newest->kind, &oci_boot_volume_backup);
    assert_null(w.plan->changes.items[1].newest);
    static const char newest[] = "\"imagekeeper\":\"nightly@2026-11-19T02:00:00Z\"";
    assert_true(newest_holds(c, now_is(&w, newest, "AVAILABLE", STAGE_VOLUME)));
    assert_true(newest_holds(
        c, now_is(&w, "\"imagekeeper\":\"nightly@2026-11-19T02:00:00Z\",\"imagekeeper-prune-after\":\"never\"",
                  "AVAILABLE", STAGE_VOLUME)));
    static const char *const states[] = {"CREATING", "FAULTY", "TERMINATING", "TERMINATED"};
    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        assert_false(newest_holds(c, now_is(&w, newest, states[i], STAGE_VOLUME)));
    assert_false(newest_holds(c, now_is(&w, newest, "AVAILABLE", "ocid1.bootvolume.w")));
    assert_false(newest_holds(c, now_is(&w, MINE, "AVAILABLE", STAGE_VOLUME)));
    assert_false(newest_holds(c, now_is(&w, "", "AVAILABLE", STAGE_VOLUME)));
}

static void a_faulty_one_must_still_be_faulty(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 9}, prune: true", &series);
    series->made.items[0].state = BACKUP_FAULTY;
    plan_at(&w, STAGE_NOW);
    assert_null(why_not(&w, MINE, "FAULTY", STAGE_VOLUME));
    assert_string_equal(why_not(&w, MINE, "AVAILABLE", STAGE_VOLUME), STATE);
}

static void what_is_to_be_deleted_bears_the_mark_that_was_seen(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 3}, prune: true", &series);
    set_mark(series, 0, PRUNE_MARK_AT, PAST);
    plan_at(&w, STAGE_NOW);
    /* The same time in another form. */
    assert_null(why_not(&w, MINE MARKED("2026-11-20T09:00:00.0+01:00"), "AVAILABLE", STAGE_VOLUME));
    assert_string_equal(why_not(&w, MINE, "AVAILABLE", STAGE_VOLUME), UNMARKED);
    assert_string_equal(why_not(&w, MINE MARKED("2026-11-20T08:00:01Z"), "AVAILABLE", STAGE_VOLUME), UNMARKED);
    assert_string_equal(why_not(&w, MINE MARKED("2026-11-20T07:59:59Z"), "AVAILABLE", STAGE_VOLUME), UNMARKED);
    assert_string_equal(why_not(&w, MINE MARKED("never"), "AVAILABLE", STAGE_VOLUME), UNMARKED);
    assert_string_equal(why_not(&w, MINE MARKED("later"), "AVAILABLE", STAGE_VOLUME), UNMARKED);
    assert_string_equal(why_not(&w, MINE MARKED(""), "AVAILABLE", STAGE_VOLUME), UNMARKED);
}

static const char *still_to_write(const World *w, const char *tags)
{
    CLEANUP(str_done) Str out = {0};
    Deltas deltas = {0};
    retention_diff(w->plan->changes.items, now_is(w, tags, "AVAILABLE", STAGE_VOLUME), w->plan->arena, &deltas);
    for (size_t i = 0; i < deltas.n; i++) {
        str_addf(&out, "%s: ", deltas.items[i].path);
        json_write_node(&out, deltas.items[i].from ? deltas.items[i].from : node_null());
        str_add(&out, " > ");
        json_write_node(&out, deltas.items[i].to ? deltas.items[i].to : node_null());
    }
    VEC_DONE(&deltas);
    return arena_strndup(w->plan->arena, str_get(&out), out.len);
}

static void a_mark_is_written_where_none_is_yet(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 3}, prune: true", &series);
    plan_at(&w, STAGE_NOW);
    assert_string_equal(still_to_write(&w, MINE), "freeformTags." PRUNE_TAG ": null > \"2026-11-21T12:00:00Z\"");
    /* One that another daemon has set meanwhile, or a person, keeps its time. */
    static const char *const times[] = {MINE MARKED("2026-11-21T13:00:00+01:00"), MINE MARKED(PAST),
                                        MINE MARKED("2027-01-01T00:00:00Z")};
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        assert_null(why_not(&w, times[i], "AVAILABLE", STAGE_VOLUME));
        assert_string_equal(still_to_write(&w, times[i]), "");
    }
    static const char *const hands[] = {MINE MARKED("never"), MINE MARKED("later"), MINE MARKED("")};
    for (size_t i = 0; i < ARRAY_SIZE(hands); i++)
        assert_string_equal(why_not(&w, hands[i], "AVAILABLE", STAGE_VOLUME), UNMARKED);
}

static void a_mark_is_taken_off_where_it_is_still_there(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 4}, prune: true", &series);
    set_mark(series, 0, PRUNE_MARK_AT, PAST);
    plan_at(&w, STAGE_NOW);
    assert_null(why_not(&w, MINE MARKED(PAST), "AVAILABLE", STAGE_VOLUME));
    assert_string_equal(still_to_write(&w, MINE MARKED(PAST)), "freeformTags." PRUNE_TAG ": \"" PAST "\" > null");
    assert_null(why_not(&w, MINE MARKED("2026-11-20T09:00:00+01:00"), "AVAILABLE", STAGE_VOLUME));
    assert_string_equal(still_to_write(&w, MINE MARKED("2026-11-20T09:00:00+01:00")),
                        "freeformTags." PRUNE_TAG ": \"2026-11-20T09:00:00+01:00\" > null");
    assert_null(why_not(&w, MINE, "AVAILABLE", STAGE_VOLUME));
    assert_string_equal(still_to_write(&w, MINE), "");
    static const char *const hands[] = {MINE MARKED("never"), MINE MARKED("later"),
                                        MINE MARKED("2026-12-20T08:00:00Z")};
    for (size_t i = 0; i < ARRAY_SIZE(hands); i++)
        assert_string_equal(why_not(&w, hands[i], "AVAILABLE", STAGE_VOLUME), UNMARKED);
}

static void missed_slots_are_told_of_however_old_the_file_is(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = stage_since(NIGHTLY, "", SLOT_18);
    made_add(&w, volume_add(&w, STAGE_VOLUME, "AVAILABLE", ""), "2026-11-15T02:00:00Z", BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    assert_notes(&w, "missed " STAGE_VOLUME ": 4 slots were missed, from 2026-11-16T02:00:00Z to " SLOT_19 "\n");
}

static void a_mark_with_a_fraction_of_a_second_is_a_mark(void **state)
{
    (void)state;
    Series *series;
    CLEANUP(world_done) World w = four(NIGHTLY ", keep: {last: 3}, prune: true", &series);
    set_mark(series, 0, PRUNE_MARK_AT, "2026-11-20T08:00:00.5Z");
    plan_at(&w, STAGE_NOW);
    assert_null(why_not(&w, MINE MARKED("2026-11-20T08:00:00.5Z"), "AVAILABLE", STAGE_VOLUME));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_is_made),
        cmocka_unit_test(what_was_made_is_in_sync),
        cmocka_unit_test(each_volume_has_its_own),
        cmocka_unit_test(the_request_says_what_is_declared_and_whose_it_is),
        cmocka_unit_test(what_is_not_declared_is_left_to_the_cloud),
        cmocka_unit_test(a_volume_without_a_name_is_called_by_its_id),
        cmocka_unit_test(a_long_name_is_cut_to_what_the_api_takes),
        cmocka_unit_test(its_name_depends_on_schedule_volume_slot_and_attempt_alone),
        cmocka_unit_test(one_waits_while_another_of_its_volume_is_being_made),
        cmocka_unit_test(a_volume_that_is_unsure_waits),
        cmocka_unit_test(a_faulty_one_is_told_of_and_made_again),
        cmocka_unit_test(what_is_given_up_is_an_error),
        cmocka_unit_test(what_a_hand_deleted_is_told_of_and_not_made_again),
        cmocka_unit_test(an_attempt_that_the_next_slot_overtakes_is_given_up),
        cmocka_unit_test(the_newest_faulty_one_is_told_of),
        cmocka_unit_test(missed_slots_are_told_of),
        cmocka_unit_test(very_many_missed_slots_are_not_counted),
        cmocka_unit_test(nothing_is_made_of_a_volume_that_is_gone),
        cmocka_unit_test(a_look_that_failed_decides_nothing),
        cmocka_unit_test(a_slot_that_was_not_made_is_looked_at_again_soon),
        cmocka_unit_test(another_accounts_schedule_is_not_ours),
        cmocka_unit_test(a_suspended_one_does_nothing),
        cmocka_unit_test(a_slot_at_the_end_of_a_pause_counts),
        cmocka_unit_test(what_is_observed_is_not_done),
        cmocka_unit_test(a_clock_that_cannot_be_trusted_holds_all),
        cmocka_unit_test(documents_without_a_calendar_need_no_clock),
        cmocka_unit_test(what_goes_is_marked_with_its_end),
        cmocka_unit_test(a_mark_waits_for_its_time),
        cmocka_unit_test(what_stays_bears_no_mark),
        cmocka_unit_test(a_faulty_one_goes_too),
        cmocka_unit_test(without_prune_marks_are_taken_off),
        cmocka_unit_test(what_is_not_finished_keeps_its_mark),
        cmocka_unit_test(without_prune_nothing_goes),
        cmocka_unit_test(who_asks_is_told_what_would_go),
        cmocka_unit_test(a_marked_one_that_would_go_is_told_of_and_unmarked),
        cmocka_unit_test(one_volume_that_differs_is_not_all_of_them),
        cmocka_unit_test(what_is_on_its_way_is_looked_after),
        cmocka_unit_test(the_earliest_of_all_is_when_to_look),
        cmocka_unit_test(volumes_of_the_past_are_told_of),
        cmocka_unit_test(more_volumes_than_may_change_at_once_are_told_of),
        cmocka_unit_test(several_schedules_share_a_volume),
        cmocka_unit_test(the_time_of_its_file_shows_that_it_was_in_force),
        cmocka_unit_test(so_does_the_earliest_backup_of_its_calendar),
        cmocka_unit_test(earlier_backups_show_what_was_missed_before_the_file_was_written),
        cmocka_unit_test(of_a_volume_without_backups_only_the_file_shows_what_was_missed),
        cmocka_unit_test(a_new_schedule_never_fires_for_the_past),
        cmocka_unit_test(a_volume_counts_from_its_making),
        cmocka_unit_test(long_in_force_by_its_file_needs_no_other_evidence),
        cmocka_unit_test(what_was_planned_holds_for_the_same_backup_alone),
        cmocka_unit_test(a_deletion_names_the_backup_that_stays),
        cmocka_unit_test(a_faulty_one_must_still_be_faulty),
        cmocka_unit_test(what_is_to_be_deleted_bears_the_mark_that_was_seen),
        cmocka_unit_test(a_mark_is_written_where_none_is_yet),
        cmocka_unit_test(a_mark_is_taken_off_where_it_is_still_there),
        cmocka_unit_test(the_delay_is_the_volumes_own),
        cmocka_unit_test(a_slot_in_a_name_is_that_of_the_zone),
        cmocka_unit_test(missed_slots_are_told_of_however_old_the_file_is),
        cmocka_unit_test(a_mark_with_a_fraction_of_a_second_is_a_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
