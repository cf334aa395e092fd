#include "config.h"

#include <stdio.h>

#include "base/str.h"
#include "base/vec.h"
#include "schedule/due.h"

#include "../../tests/unit/zone.h"

/* A schedule of one volume, and the backups that it has. */
typedef struct Scene {
    Calendar *calendar;
    DueRule rule;
    VEC(Made) made;
    Arena *arena;
} Scene;

static Scene scene_in(const Zone *zone, const char *calendar)
{
    Scene s = {.arena = arena_new()};
    assert_int_equal(calendar_parse(calendar, &s.calendar, NULL), 0);
    s.rule = (DueRule){
        .calendar = s.calendar, .zone = zone, .catch_up = 12 * USEC_PER_HOUR, .since = at("2026-11-01T00:00:00Z")};
    return s;
}

/* Every day at 02:00, made up for until 14:00; in force since the 1st. */
static Scene nightly(void)
{
    return scene_in(zone_utc(), "*-*-* 02:00:00");
}

static void scene_done(Scene *s)
{
    calendar_free(s->calendar);
    VEC_DONE(&s->made);
    arena_free(s->arena);
}

/* One of the nightly slots. */
static usec_t night(unsigned day)
{
    return at("2026-11-01T02:00:00Z") + (day - 1) * USEC_PER_DAY;
}

static void add_born(Scene *s, usec_t slot, BackupState state, usec_t born)
{
    const char *id = arena_printf(s->arena, "id%zu", s->made.n);
    *VEC_ADD(&s->made) = (Made){.id = id, .slot = slot, .born = born, .state = (uint8_t)state};
}

/* Made at its slot. */
static void add(Scene *s, usec_t slot, BackupState state)
{
    add_born(s, slot, state, slot);
}

static Due decide(const Scene *s, usec_t now)
{
    return due_decide(&s->rule, now, s->made.items, s->made.n);
}

static const char *const state_names[] = {
    [DUE_NOTHING] = "nothing",   [DUE_NOW] = "now",         [DUE_RESTS] = "rests",
    [DUE_GIVEN_UP] = "given up", [DUE_DELETED] = "deleted",
};

static void add_time(Str *out, const char *before, usec_t time)
{
    char text[RFC3339_SIZE];
    str_addf(out, "%s%s", before, format_rfc3339(time, text));
}

/* "now 2 of 2026-11-20T02:00:00Z; next 2026-11-21T02:00:00Z; missed 1, 2026-11-19T02:00:00Z to 2026-11-19T02:00:00Z":
 * what is 0 is left out. */
static const char *shown(const Scene *s, usec_t now)
{
    CLEANUP(str_done) Str out = {0};
    Due due = decide(s, now);
    str_add(&out, state_names[due.state]);
    if (due.attempt)
        str_addf(&out, " %u", due.attempt);
    if (due.slot)
        add_time(&out, " of ", due.slot);
    if (due.next)
        add_time(&out, "; next ", due.next);
    if (due.retry)
        add_time(&out, "; retry ", due.retry);
    if (due.missed) {
        str_addf(&out, "; missed %u, ", due.missed);
        add_time(&out, "", due.missed_first);
        add_time(&out, " to ", due.missed_last);
    }
    return arena_strndup(s->arena, str_get(&out), out.len);
}

#define assert_shown(s, now, expected) assert_string_equal(shown(s, now), expected)

#define OF_20 " of 2026-11-20T02:00:00Z"
#define NEXT_20 "; next 2026-11-20T02:00:00Z"
#define NEXT_21 "; next 2026-11-21T02:00:00Z"

/* A scene in which nothing before the 20th was missed. */
static Scene only_the_20th(void)
{
    Scene s = nightly();
    add(&s, night(19), BACKUP_GOOD);
    return s;
}

static void a_slot_is_due_from_its_instant_on(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    assert_shown(&s, night(20) - 1, "nothing of 2026-11-19T02:00:00Z" NEXT_20);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21);
    assert_shown(&s, night(20) + 5 * USEC_PER_HOUR, "now 1" OF_20 NEXT_21);
}

static void it_is_made_up_for_until_catch_up_is_over(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    usec_t end = night(20) + s.rule.catch_up;
    assert_shown(&s, end, "now 1" OF_20 NEXT_21);
    assert_shown(&s, end + 1, "nothing" OF_20 NEXT_21 "; missed 1, 2026-11-20T02:00:00Z to 2026-11-20T02:00:00Z");
    s.rule.catch_up = 0;
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21);
    assert_int_equal(decide(&s, night(20) + 1).state, DUE_NOTHING);
}

static void catch_up_may_reach_beyond_the_next_slot(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    s.rule.catch_up = 30 * USEC_PER_DAY;
    assert_shown(&s, night(21) - 1, "now 1" OF_20 NEXT_21);
    /* Only the newest is made. */
    assert_shown(&s, night(21),
                 "now 1 of 2026-11-21T02:00:00Z; next 2026-11-22T02:00:00Z; "
                 "missed 1, 2026-11-20T02:00:00Z to 2026-11-20T02:00:00Z");
}

static void the_delay_moves_all_of_it(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    s.rule.delay = 15 * USEC_PER_MINUTE;
    assert_shown(&s, night(20) + s.rule.delay - 1, "nothing of 2026-11-19T02:00:00Z; next 2026-11-20T02:15:00Z");
    assert_shown(&s, night(20) + s.rule.delay, "now 1" OF_20 "; next 2026-11-21T02:15:00Z");
    assert_shown(&s, night(20) + s.rule.delay + s.rule.catch_up, "now 1" OF_20 "; next 2026-11-21T02:15:00Z");
    assert_int_equal(decide(&s, night(20) + s.rule.delay + s.rule.catch_up + 1).state, DUE_NOTHING);
    /* Longer than from one slot to the next. */
    s.rule.delay = 40 * USEC_PER_HOUR;
    assert_int_equal(decide(&s, night(20) + 40 * USEC_PER_HOUR - 1).slot, night(19));
    assert_shown(&s, night(20) + 40 * USEC_PER_HOUR, "now 1" OF_20 "; next 2026-11-22T18:00:00Z");
    /* Longer than time has been. */
    assert_int_equal(due_decide(&s.rule, 1, NULL, 0).state, DUE_NOTHING);
}

static void slots_count_from_since_on(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = nightly();
    s.rule.since = night(20);
    assert_shown(&s, night(20) - 1, "nothing" NEXT_20);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21);
    s.rule.since = night(20) + 1;
    assert_shown(&s, night(20), "nothing" NEXT_21);
    assert_shown(&s, night(21) - 1, "nothing" NEXT_21);
    assert_shown(&s, night(21), "now 1 of 2026-11-21T02:00:00Z; next 2026-11-22T02:00:00Z");
    /* It is the slot that counts, not when it is made. */
    s.rule.delay = USEC_PER_HOUR;
    assert_shown(&s, night(20) + USEC_PER_HOUR, "nothing; next 2026-11-21T03:00:00Z");
}

static void a_since_to_come_waits_for_its_slot(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = nightly();
    s.rule.since = night(25);
    assert_shown(&s, night(20), "nothing; next 2026-11-25T02:00:00Z");
    s.rule.since = night(25) + 1;
    assert_shown(&s, night(20), "nothing; next 2026-11-26T02:00:00Z");
    s.rule.since = night(20) + 2;
    assert_shown(&s, night(20) + 1, "nothing" NEXT_21);
}

static void what_ends_has_no_next(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = scene_in(zone_utc(), "2026-11-20 02:00:00");
    assert_shown(&s, night(20) - 1, "nothing" NEXT_20);
    assert_shown(&s, night(20), "now 1" OF_20);
    add(&s, night(20), BACKUP_FAULTY);
    assert_shown(&s, night(20), "rests 1" OF_20 "; retry 2026-11-20T02:05:00Z");
    CLEANUP(scene_done) Scene never = scene_in(zone_utc(), "*-02-30 00:00:00");
    assert_shown(&never, night(20), "nothing");
}

static void what_is_there_or_on_its_way_is_done(void **state)
{
    (void)state;
    static const BackupState live[] = {BACKUP_GOOD, BACKUP_UNFINISHED, BACKUP_UNSURE};
    for (size_t i = 0; i < ARRAY_SIZE(live); i++) {
        CLEANUP(scene_done) Scene s = only_the_20th();
        add(&s, night(20), live[i]);
        assert_true(backup_counts(live[i]));
        assert_shown(&s, night(20) + 1, "nothing" OF_20 NEXT_21);
        /* Whatever else became of it. */
        add_born(&s, night(20), BACKUP_FAULTY, night(20) + USEC_PER_HOUR);
        add_born(&s, night(20), BACKUP_GONE, night(20) - USEC_PER_HOUR);
        assert_shown(&s, night(20) + 2 * USEC_PER_HOUR, "nothing" OF_20 NEXT_21);
    }
}

static void backups_of_other_slots_do_not_count(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    add(&s, night(20) + 1, BACKUP_GOOD);
    add(&s, night(20) - 1, BACKUP_FAULTY);
    add(&s, night(21), BACKUP_GOOD);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21);
}

static void a_faulty_one_is_made_again_after_a_pause(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    usec_t again = night(20) + 6 * USEC_PER_MINUTE;
    add_born(&s, night(20), BACKUP_FAULTY, night(20) + USEC_PER_MINUTE);
    assert_false(backup_counts(BACKUP_FAULTY));
    assert_shown(&s, again - 1, "rests 1" OF_20 NEXT_21 "; retry 2026-11-20T02:06:00Z");
    assert_shown(&s, again, "now 2" OF_20 NEXT_21);
}

static void the_second_pause_is_longer(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    add(&s, night(20), BACKUP_FAULTY);
    add_born(&s, night(20), BACKUP_FAULTY, night(20) + 5 * USEC_PER_MINUTE);
    assert_shown(&s, night(20) + 35 * USEC_PER_MINUTE - 1, "rests 2" OF_20 NEXT_21 "; retry 2026-11-20T02:35:00Z");
    assert_shown(&s, night(20) + 35 * USEC_PER_MINUTE, "now 3" OF_20 NEXT_21);
}

static void it_is_twice_as_long_as_the_one_before(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    add(&s, night(20), BACKUP_FAULTY);
    add_born(&s, night(20), BACKUP_FAULTY, night(20) + USEC_PER_HOUR);
    assert_shown(&s, night(20) + 3 * USEC_PER_HOUR - 1, "rests 2" OF_20 NEXT_21 "; retry 2026-11-20T05:00:00Z");
    assert_shown(&s, night(20) + 3 * USEC_PER_HOUR, "now 3" OF_20 NEXT_21);
    s.made.items[2].born = night(20) + 15 * USEC_PER_MINUTE;
    assert_shown(&s, night(20) + USEC_PER_MINUTE, "rests 2" OF_20 NEXT_21 "; retry 2026-11-20T02:45:00Z");
    s.made.items[2].born++;
    assert_int_equal(decide(&s, night(20)).retry, night(20) + 45 * USEC_PER_MINUTE + 3);
}

static void three_failures_are_enough(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    for (unsigned i = 0; i < 4; i++)
        add_born(&s, night(20), BACKUP_FAULTY, night(20) + i * USEC_PER_HOUR);
    s.made.n = 4;
    assert_shown(&s, night(20) + 11 * USEC_PER_HOUR, "given up 3" OF_20 NEXT_21);
    assert_shown(&s, night(20) + 20 * USEC_PER_HOUR, "given up 3" OF_20 NEXT_21);
    s.made.n = 5;
    assert_shown(&s, night(20) + 11 * USEC_PER_HOUR, "given up 4" OF_20 NEXT_21);
    /* The next slot begins anew. */
    assert_shown(&s, night(21), "now 1 of 2026-11-21T02:00:00Z; next 2026-11-22T02:00:00Z");
}

static void an_attempt_that_would_come_after_catch_up_is_none(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    s.rule.catch_up = USEC_PER_HOUR;
    add_born(&s, night(20), BACKUP_FAULTY, night(20) + 55 * USEC_PER_MINUTE);
    assert_shown(&s, night(20) + 56 * USEC_PER_MINUTE, "rests 1" OF_20 NEXT_21 "; retry 2026-11-20T03:00:00Z");
    assert_shown(&s, night(20) + USEC_PER_HOUR, "now 2" OF_20 NEXT_21);
    assert_shown(&s, night(20) + USEC_PER_HOUR + 1, "given up 1" OF_20 NEXT_21);
    s.made.items[1].born++;
    assert_shown(&s, night(20) + 56 * USEC_PER_MINUTE, "given up 1" OF_20 NEXT_21);
}

static void an_attempt_that_the_next_slot_overtakes_is_none(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = scene_in(zone_utc(), "*:0/10");
    s.rule.since = night(20);
    s.rule.delay = USEC_PER_MINUTE;
    add_born(&s, night(20), BACKUP_FAULTY, night(20) + 6 * USEC_PER_MINUTE - 1);
    assert_int_equal(decide(&s, night(20) + 7 * USEC_PER_MINUTE).retry, night(20) + 11 * USEC_PER_MINUTE - 1);
    assert_shown(&s, night(20) + 11 * USEC_PER_MINUTE - 2,
                 "rests 1" OF_20 "; next 2026-11-20T02:11:00Z; retry 2026-11-20T02:10:59Z");
    assert_shown(&s, night(20) + 11 * USEC_PER_MINUTE - 1, "now 2" OF_20 "; next 2026-11-20T02:11:00Z");
    s.made.items[0].born++;
    assert_shown(&s, night(20) + 7 * USEC_PER_MINUTE, "given up 1" OF_20 "; next 2026-11-20T02:11:00Z");
    assert_shown(&s, night(20) + 11 * USEC_PER_MINUTE, "now 1 of 2026-11-20T02:10:00Z; next 2026-11-20T02:21:00Z");
}

static void the_newest_that_failed_is_named(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    assert_null(decide(&s, night(20)).failed);
    add_born(&s, night(20), BACKUP_FAULTY, night(20) + USEC_PER_MINUTE);
    add(&s, night(20), BACKUP_FAULTY);
    for (unsigned minutes = 1; minutes < 24 * 60; minutes += 11)
        assert_string_equal(decide(&s, night(20) + minutes * USEC_PER_MINUTE).failed, "id1");
    add(&s, night(20), BACKUP_GOOD);
    assert_null(decide(&s, night(20) + USEC_PER_HOUR).failed);
    s.made.items[3].state = BACKUP_GONE;
    s.made.items[3].born = night(20) + USEC_PER_HOUR;
    assert_null(decide(&s, night(20) + USEC_PER_HOUR).failed);
}

static void an_unknown_birth_is_taken_for_the_slots(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    s.rule.delay = USEC_PER_MINUTE;
    add_born(&s, night(20), BACKUP_FAULTY, 0);
    assert_shown(&s, night(20) + 2 * USEC_PER_MINUTE,
                 "rests 1" OF_20 "; next 2026-11-21T02:01:00Z; retry 2026-11-20T02:06:00Z");
    add_born(&s, night(20), BACKUP_FAULTY, 0);
    assert_shown(&s, night(20) + 2 * USEC_PER_MINUTE,
                 "rests 2" OF_20 "; next 2026-11-21T02:01:00Z; retry 2026-11-20T02:31:00Z");
    s.made.items[2].born = night(20) + USEC_PER_HOUR;
    assert_shown(&s, night(20) + USEC_PER_HOUR,
                 "rests 2" OF_20 "; next 2026-11-21T02:01:00Z; retry 2026-11-20T03:30:00Z");
}

/* The newest of the dead ones says whether there was a good one. */
static void one_that_a_hand_deleted_is_not_made_again(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    add(&s, night(20), BACKUP_GONE);
    assert_false(backup_counts(BACKUP_GONE));
    assert_shown(&s, night(20) + USEC_PER_HOUR, "deleted 1" OF_20 NEXT_21);
    assert_shown(&s, night(21) - 1, "deleted 1" OF_20 NEXT_21);
    s.made.items[0].state = BACKUP_GONE;
    assert_shown(&s, night(20) + USEC_PER_HOUR, "deleted 1" OF_20 NEXT_21);
    add_born(&s, night(20), BACKUP_FAULTY, night(20) - USEC_PER_MINUTE);
    assert_shown(&s, night(20) + USEC_PER_HOUR, "deleted 2" OF_20 NEXT_21);
}

static void a_faulty_one_after_it_is_made_again(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = only_the_20th();
    add(&s, night(20), BACKUP_GONE);
    add_born(&s, night(20), BACKUP_FAULTY, night(20) + USEC_PER_MINUTE);
    assert_shown(&s, night(20) + USEC_PER_MINUTE, "rests 2" OF_20 NEXT_21 "; retry 2026-11-20T02:31:00Z");
    assert_shown(&s, night(20) + USEC_PER_HOUR, "now 3" OF_20 NEXT_21);
    add_born(&s, night(20), BACKUP_GONE, night(20) - USEC_PER_MINUTE);
    assert_shown(&s, night(20) + USEC_PER_HOUR, "given up 3" OF_20 NEXT_21);
}

static void ids_decide_between_equal_births(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = nightly();
    add(&s, night(20), BACKUP_FAULTY);
    add(&s, night(20), BACKUP_GONE);
    assert_int_equal(decide(&s, night(20) + USEC_PER_HOUR).state, DUE_DELETED);
    s.made.items[0].id = "z";
    assert_int_equal(decide(&s, night(20) + USEC_PER_HOUR).state, DUE_NOW);
}

static void missed_slots_reach_back_to_the_newest_backup(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = nightly();
    add(&s, night(10), BACKUP_GOOD);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21 "; missed 9, 2026-11-11T02:00:00Z to 2026-11-19T02:00:00Z");
    assert_shown(&s, night(21) - 1,
                 "nothing" OF_20 NEXT_21 "; missed 10, 2026-11-11T02:00:00Z to 2026-11-20T02:00:00Z");
    /* Whatever became of it. */
    add(&s, night(15), BACKUP_FAULTY);
    add(&s, night(17), BACKUP_GONE);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21 "; missed 2, 2026-11-18T02:00:00Z to 2026-11-19T02:00:00Z");
    add(&s, night(20), BACKUP_UNFINISHED);
    assert_shown(&s, night(20) + 1, "nothing" OF_20 NEXT_21);
    s.made.items[3].state = BACKUP_FAULTY;
    assert_shown(&s, night(20) + USEC_PER_HOUR, "now 2" OF_20 NEXT_21);
    assert_shown(&s, night(21) - 1, "given up 1" OF_20 NEXT_21);
}

static void none_was_missed_before_since(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = nightly();
    s.rule.since = night(17);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21 "; missed 3, 2026-11-17T02:00:00Z to 2026-11-19T02:00:00Z");
    s.rule.since++;
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21 "; missed 2, 2026-11-18T02:00:00Z to 2026-11-19T02:00:00Z");
    s.rule.since = night(20);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21);
}

/* A backup by this calendar shows that the schedule was in force, whatever else is known; a pause counts all the same.
 */
static void of_a_volume_with_backups_all_since_the_newest_was_missed(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = nightly();
    s.rule.since = night(19);
    add(&s, night(16), BACKUP_GOOD);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21 "; missed 3, 2026-11-17T02:00:00Z to 2026-11-19T02:00:00Z");
    s.rule.resumed = night(18);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21 "; missed 2, 2026-11-18T02:00:00Z to 2026-11-19T02:00:00Z");
    /* One by another calendar shows nothing. */
    s.rule.resumed = 0;
    s.made.items[0].slot++;
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21 "; missed 1, 2026-11-19T02:00:00Z to 2026-11-19T02:00:00Z");
}

/* Of a volume without any backup it is not known since when it is among the schedule's. */
static void of_a_volume_without_backups_none_was_missed_before_the_file_was_written(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = nightly();
    s.rule.written = night(18);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21 "; missed 2, 2026-11-18T02:00:00Z to 2026-11-19T02:00:00Z");
    s.rule.written++;
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21 "; missed 1, 2026-11-19T02:00:00Z to 2026-11-19T02:00:00Z");
    s.rule.written = night(20) + 1;
    assert_shown(&s, night(20) + 1, "now 1" OF_20 NEXT_21);
    add(&s, night(28), BACKUP_GOOD);
    assert_shown(&s, night(20) + 1, "now 1" OF_20 NEXT_21);
    /* But `since` holds, too. */
    s.rule.since = night(19);
    s.rule.written = night(10);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21 "; missed 1, 2026-11-19T02:00:00Z to 2026-11-19T02:00:00Z");
    s.rule.written = night(20);
    add(&s, night(10), BACKUP_GONE);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21 "; missed 9, 2026-11-11T02:00:00Z to 2026-11-19T02:00:00Z");
}

static void a_backup_between_two_slots_ends_it_too(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = nightly();
    add(&s, night(18) + 1, BACKUP_GOOD);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21 "; missed 1, 2026-11-19T02:00:00Z to 2026-11-19T02:00:00Z");
}

/* Of a clock that was wrong. */
static void one_of_the_future_hides_none_that_was_missed(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = nightly();
    add(&s, night(17), BACKUP_GOOD);
    add(&s, night(28), BACKUP_GOOD);
    assert_shown(&s, night(20), "now 1" OF_20 NEXT_21 "; missed 2, 2026-11-18T02:00:00Z to 2026-11-19T02:00:00Z");
    assert_shown(&s, night(21) - 1, "nothing" OF_20 NEXT_21 "; missed 3, 2026-11-18T02:00:00Z to 2026-11-20T02:00:00Z");
}

static void no_more_than_so_many_are_counted(void **state)
{
    (void)state;
    CLEANUP(scene_done) Scene s = scene_in(zone_utc(), "*:*:*");
    s.rule.since = night(19);
    Due due = decide(&s, night(20));
    assert_int_equal(due.state, DUE_NOW);
    assert_int_equal(due.missed, MISSED_MAX);
    assert_int_equal(due.missed_last, night(20) - USEC_PER_SEC);
    assert_int_equal(due.missed_first, night(20) - MISSED_MAX * USEC_PER_SEC);
    s.rule.since = night(20) - MISSED_MAX * USEC_PER_SEC;
    assert_int_equal(decide(&s, night(20)).missed, MISSED_MAX);
    s.rule.since++;
    assert_int_equal(decide(&s, night(20)).missed, MISSED_MAX - 1);
}

static void a_slot_in_the_gap_is_made_after_it(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    CLEANUP(scene_done) Scene s = scene_in(berlin, "*-*-* 02:15,45:00");
    usec_t gap = at("2026-03-29T01:00:00Z");
    s.rule.since = at("2026-03-29T00:00:00Z");
    assert_shown(&s, gap - 1, "nothing; next 2026-03-29T01:00:00Z");
    assert_shown(&s, gap, "now 1 of 2026-03-29T01:00:00Z; next 2026-03-30T00:15:00Z");
    add(&s, gap, BACKUP_GOOD);
    assert_shown(&s, gap + USEC_PER_HOUR, "nothing of 2026-03-29T01:00:00Z; next 2026-03-30T00:15:00Z");
}

static void a_slot_in_the_repeated_hour_is_made_once(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    CLEANUP(scene_done) Scene s = scene_in(berlin, "*-*-* 02:30:00");
    usec_t first = at("2026-10-25T00:30:00Z");
    s.rule.since = at("2026-10-24T12:00:00Z");
    assert_shown(&s, first, "now 1 of 2026-10-25T00:30:00Z; next 2026-10-26T01:30:00Z");
    assert_shown(&s, first + USEC_PER_HOUR, "now 1 of 2026-10-25T00:30:00Z; next 2026-10-26T01:30:00Z");
    add(&s, first, BACKUP_GOOD);
    assert_shown(&s, first + USEC_PER_HOUR, "nothing of 2026-10-25T00:30:00Z; next 2026-10-26T01:30:00Z");
}

/* --- histories --- */

/*
 * A service at random: it looks now and then, and makes what is due; what it makes becomes good or FAULTY after a
 * while, and some of it is deleted by hand. Each history has a seed of its own, which a failure prints. Every decision
 * is compared with that of a model that knows all slots beforehand.
 */
#define HISTORIES 100000
#define LOOKS 12
#define SLOTS_MAX 4000
#define COURSES 6

/* All slots of one calendar, from some way before a history to some way after it. */
typedef struct Course {
    Calendar *calendar;
    const Zone *zone;
    usec_t slots[SLOTS_MAX];
    size_t n;
    usec_t stride; /* roughly between two of them */
} Course;

typedef struct History {
    uint64_t random;
    unsigned seed;
    const Course *course;
    DueRule rule;
    usec_t now;
    Made made[LOOKS * 2];
    unsigned attempts[LOOKS * 2]; /* of each of them */
    usec_t done[LOOKS * 2];       /* when it becomes what it will be: */
    BackupState fates[LOOKS * 2];
    bool was_good[LOOKS * 2];
    char ids[LOOKS * 2][8];
    size_t n;
    usec_t missed_until; /* slots up to it that have no backup get none any more */
} History;

#define CHECK(h, condition)                                                                                            \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fail_msg("history of seed %u: not %s", (h)->seed, #condition);                                             \
    } while (0)

/* The same numbers on every run (splitmix64). */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned random_below(uint64_t *state, unsigned n)
{
    return (unsigned)(random_next(state) >> 32) % n;
}

static usec_t random_span(History *h, usec_t max)
{
    return max ? random_next(&h->random) % max : 0;
}

static void fill_course(Course *c, const char *text, const Zone *zone, const char *from, unsigned days)
{
    usec_t slot = at(from), end = slot + days * USEC_PER_DAY;
    *c = (Course){.zone = zone};
    assert_int_equal(calendar_parse(text, &c->calendar, NULL), 0);
    while (calendar_next(c->calendar, zone, slot, &slot) && slot < end) {
        assert_true(c->n < SLOTS_MAX);
        c->slots[c->n++] = slot;
    }
    c->stride = (c->slots[c->n - 1] - c->slots[0]) / (c->n - 1);
}

static size_t random_slot(History *h)
{
    size_t quarter = h->course->n / 4;
    return quarter + random_below(&h->random, (unsigned)(h->course->n - 2 * quarter));
}

static void random_history(History *h, unsigned seed, const Course *course)
{
    *h = (History){.random = seed, .seed = seed, .course = course};
    size_t first = random_slot(h);
    usec_t stride = course->stride;
    const usec_t delays[] = {0, 0, random_span(h, 15 * USEC_PER_MINUTE), random_span(h, 3 * stride)};
    const usec_t catch_ups[] = {12 * USEC_PER_HOUR, USEC_PER_SEC, random_span(h, 3 * stride), 5 * USEC_PER_MINUTE};
    h->rule = (DueRule){.calendar = course->calendar, .zone = course->zone, .since = course->slots[first]};
    h->rule.delay = delays[random_below(&h->random, ARRAY_SIZE(delays))];
    h->rule.catch_up = catch_ups[random_below(&h->random, ARRAY_SIZE(catch_ups))];
    unsigned how = random_below(&h->random, 4);
    h->rule.since += how < 2 ? how : random_span(h, stride);
    h->rule.written = h->rule.since + random_span(h, 3 * stride);
    h->now = h->rule.since + h->rule.delay - random_span(h, stride);
}

/* What the model finds of one slot. */
typedef struct Tale {
    bool live;
    unsigned dead;
    const Made *last, *before;
} Tale;

static bool born_after(const Made *a, const Made *b)
{
    return !b || a->born > b->born || (a->born == b->born && strcmp(a->id, b->id) > 0);
}

static Tale tale_of(const History *h, usec_t slot)
{
    Tale t = {0};
    for (size_t i = 0; i < h->n; i++) {
        const Made *m = &h->made[i];
        if (m->slot != slot)
            continue;
        bool dead = m->state == BACKUP_FAULTY || m->state == BACKUP_GONE;
        t.live |= !dead;
        t.dead += dead;
        if (dead && born_after(m, t.last))
            t.last = m;
    }
    for (size_t i = 0; i < h->n; i++)
        if (h->made[i].slot == slot && t.last && &h->made[i] != t.last && born_after(&h->made[i], t.before))
            t.before = &h->made[i];
    return t;
}

static bool has_any(const History *h, usec_t slot)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->made[i].slot == slot)
            return true;
    return false;
}

static usec_t model_again(const Tale *t)
{
    usec_t pause = t->dead == 1 ? 5 * USEC_PER_MINUTE : 30 * USEC_PER_MINUTE;
    if (t->before && 2 * (t->last->born - t->before->born) > pause)
        pause = 2 * (t->last->born - t->before->born);
    return t->last->born + pause;
}

static Due model_of_slot(const History *h, usec_t slot, usec_t next)
{
    Due due = {.slot = slot, .next = next};
    usec_t from = slot + h->rule.delay, end = from + h->rule.catch_up;
    Tale t = tale_of(h, slot);
    if (t.live)
        return due;
    due.attempt = t.dead;
    if (t.last && t.last->state == BACKUP_GONE) {
        due.state = DUE_DELETED;
        return due;
    }
    due.failed = t.last ? t.last->id : NULL;
    if (t.last && t.dead < ATTEMPTS_MAX)
        from = model_again(&t);
    bool over = from > end || h->now > end || t.dead >= ATTEMPTS_MAX || (t.dead && from >= next);
    if (over && t.dead) {
        due.state = DUE_GIVEN_UP;
    } else if (!over && h->now < from) {
        due.state = DUE_RESTS;
        due.retry = from;
    } else if (!over) {
        due.state = DUE_NOW;
        due.attempt++;
    }
    return due;
}

static size_t slots_until(const Course *c, usec_t time)
{
    size_t low = 0, high = c->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c->slots[middle] <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static Due model(const History *h)
{
    const Course *c = h->course;
    size_t past = slots_until(c, h->now - h->rule.delay), next = past;
    while (next < c->n && c->slots[next] < h->rule.since)
        next++;
    CHECK(h, past > 0 && next < c->n);
    usec_t next_time = c->slots[next] + h->rule.delay;
    if (c->slots[past - 1] < h->rule.since)
        return (Due){.next = next_time};
    Due due = model_of_slot(h, c->slots[past - 1], next_time);
    size_t newest = past - (due.state == DUE_NOW);
    usec_t since = h->n == 0 && h->rule.written > h->rule.since ? h->rule.written : h->rule.since;
    for (size_t i = newest; i > 0 && c->slots[i - 1] >= since && !has_any(h, c->slots[past - 1]); i--) {
        if (has_any(h, c->slots[i - 1]) || due.missed == MISSED_MAX)
            break;
        if (!due.missed++)
            due.missed_last = c->slots[i - 1];
        due.missed_first = c->slots[i - 1];
    }
    return due;
}

static bool same_due(const Due *a, const Due *b)
{
    return a->state == b->state && a->slot == b->slot && a->attempt == b->attempt && a->next == b->next &&
           a->retry == b->retry && a->failed == b->failed && a->missed == b->missed &&
           a->missed_first == b->missed_first && a->missed_last == b->missed_last;
}

static void check_order(History *h, const Due *due)
{
    Made other[ARRAY_SIZE(h->made)];
    memcpy(other, h->made, sizeof(other));
    for (size_t i = h->n; i > 1; i--) {
        size_t j = random_below(&h->random, (unsigned)i);
        Made swapped = other[i - 1];
        other[i - 1] = other[j];
        other[j] = swapped;
    }
    Due again = due_decide(&h->rule, h->now, other, h->n);
    CHECK(h, same_due(&again, due));
}

/* What comes first: the next slot, or the next attempt. */
static usec_t first_of(const Due *due)
{
    return due->retry ? due->retry : due->next;
}

/* Unless something is due now, nothing becomes due before that, and something then does. */
static void check_next(const History *h, const Due *due)
{
    if (due->state == DUE_NOW)
        return;
    CHECK(h, first_of(due) > h->now && first_of(due) <= due->next);
    CHECK(h, due_decide(&h->rule, first_of(due) - 1, h->made, h->n).state != DUE_NOW);
    CHECK(h, due_decide(&h->rule, first_of(due), h->made, h->n).state == DUE_NOW);
}

static void make(History *h, const Due *due)
{
    static const usec_t durations[] = {0, USEC_PER_SEC, 10 * USEC_PER_MINUTE, 3 * USEC_PER_HOUR};
    usec_t from = due->slot + h->rule.delay;
    CHECK(h, h->n < ARRAY_SIZE(h->made));
    CHECK(h, due->slot >= h->rule.since && due->slot > h->missed_until);
    CHECK(h, h->now >= from && h->now <= from + h->rule.catch_up);
    for (size_t i = 0; i < h->n; i++)
        CHECK(h, h->made[i].slot != due->slot || h->attempts[i] != due->attempt);
    snprintf(h->ids[h->n], sizeof(h->ids[0]), "%u", random_below(&h->random, 1000000));
    h->made[h->n] = (Made){.id = h->ids[h->n], .slot = due->slot, .born = h->now, .state = BACKUP_UNFINISHED};
    h->attempts[h->n] = due->attempt;
    h->done[h->n] = h->now + durations[random_below(&h->random, ARRAY_SIZE(durations))];
    h->fates[h->n] = random_below(&h->random, 5) < 3 ? BACKUP_FAULTY : BACKUP_GOOD;
    h->n++;
}

/* Time goes on: to just before, at or after what is due next, or by some other span. */
static void go_on(History *h, const Due *due)
{
    static const usec_t spans[] = {USEC_PER_SEC, 3 * USEC_PER_MINUTE, USEC_PER_HOUR};
    unsigned how = random_below(&h->random, 10);
    usec_t then = h->now + random_span(h, spans[how % ARRAY_SIZE(spans)]);
    if (how < 4)
        then = first_of(due) + how - 1;
    else if (how == 4)
        then = h->now + random_span(h, 3 * h->course->stride);
    else if (how == 5 && due->slot)
        then = due->slot + h->rule.delay + h->rule.catch_up + random_below(&h->random, 2);
    h->now = then > h->now ? then : h->now + 1;
    for (size_t i = 0; i < h->n; i++) {
        if (h->made[i].state == BACKUP_UNFINISHED && h->done[i] <= h->now) {
            h->made[i].state = h->fates[i];
            h->was_good[i] = h->fates[i] == BACKUP_GOOD;
        }
        if (random_below(&h->random, 20) == 0) /* by hand; an unfinished one goes as well */
            h->made[i].state = BACKUP_GONE;
    }
}

static void check_end(const History *h)
{
    for (size_t i = 0; i < h->n; i++) {
        unsigned good = 0, all = 0;
        for (size_t k = 0; k < h->n; k++)
            if (h->made[k].slot == h->made[i].slot) {
                good += h->was_good[k];
                all++;
                CHECK(h, k == i || h->attempts[k] != h->attempts[i]);
            }
        CHECK(h, good <= 1 && all <= ATTEMPTS_MAX);
        CHECK(h, calendar_has(h->course->calendar, h->course->zone, h->made[i].slot));
    }
}

static void live_through(History *h)
{
    for (unsigned look = 0; look < LOOKS && h->now < h->course->slots[h->course->n - 1] - 8 * h->course->stride;
         look++) {
        Due due = due_decide(&h->rule, h->now, h->made, h->n), expected = model(h);
        CHECK(h, same_due(&due, &expected));
        check_order(h, &due);
        check_next(h, &due);
        if (due.missed)
            h->missed_until = due.missed_last;
        if (due.state == DUE_NOW)
            make(h, &due);
        go_on(h, &due);
    }
    check_end(h);
}

static void any_history_makes_each_slot_once(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    CLEANUP(zone_freep) Zone *lord_howe = zone_of_rule(LORD_HOWE);
    CLEANUP(freep) Course *courses = xcalloc(COURSES, sizeof(Course));
    fill_course(&courses[0], "*-*-* 02:30:00", berlin, "2026-01-01T00:00:00Z", 365);
    fill_course(&courses[1], "*-*-* *:0/15:00", berlin, "2026-10-10T00:00:00Z", 30);
    fill_course(&courses[2], "*-*-* *:0/15:00", lord_howe, "2026-09-20T00:00:00Z", 30);
    fill_course(&courses[3], "Sun *-*-* 01:45:00", lord_howe, "2020-01-01T00:00:00Z", 3650);
    fill_course(&courses[4], "*-*-* *:*:00/30", zone_utc(), "2026-11-20T00:00:00Z", 1);
    fill_course(&courses[5], "*-*-* 01..03:00/30:00", berlin, "2026-01-01T00:00:00Z", 365);
    unsigned made = 0;
    for (unsigned seed = 0; seed < HISTORIES; seed++) {
        History h;
        random_history(&h, seed, &courses[seed % COURSES]);
        live_through(&h);
        made += h.n > 0;
    }
    assert_true(made > HISTORIES / 2);
    for (size_t i = 0; i < COURSES; i++)
        calendar_free(courses[i].calendar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_is_due_from_its_instant_on),
        cmocka_unit_test(it_is_made_up_for_until_catch_up_is_over),
        cmocka_unit_test(catch_up_may_reach_beyond_the_next_slot),
        cmocka_unit_test(the_delay_moves_all_of_it),
        cmocka_unit_test(slots_count_from_since_on),
        cmocka_unit_test(a_since_to_come_waits_for_its_slot),
        cmocka_unit_test(what_ends_has_no_next),
        cmocka_unit_test(what_is_there_or_on_its_way_is_done),
        cmocka_unit_test(backups_of_other_slots_do_not_count),
        cmocka_unit_test(a_faulty_one_is_made_again_after_a_pause),
        cmocka_unit_test(the_second_pause_is_longer),
        cmocka_unit_test(it_is_twice_as_long_as_the_one_before),
        cmocka_unit_test(three_failures_are_enough),
        cmocka_unit_test(an_attempt_that_would_come_after_catch_up_is_none),
        cmocka_unit_test(an_attempt_that_the_next_slot_overtakes_is_none),
        cmocka_unit_test(the_newest_that_failed_is_named),
        cmocka_unit_test(an_unknown_birth_is_taken_for_the_slots),
        cmocka_unit_test(one_that_a_hand_deleted_is_not_made_again),
        cmocka_unit_test(a_faulty_one_after_it_is_made_again),
        cmocka_unit_test(ids_decide_between_equal_births),
        cmocka_unit_test(missed_slots_reach_back_to_the_newest_backup),
        cmocka_unit_test(none_was_missed_before_since),
        cmocka_unit_test(of_a_volume_with_backups_all_since_the_newest_was_missed),
        cmocka_unit_test(of_a_volume_without_backups_none_was_missed_before_the_file_was_written),
        cmocka_unit_test(a_backup_between_two_slots_ends_it_too),
        cmocka_unit_test(one_of_the_future_hides_none_that_was_missed),
        cmocka_unit_test(no_more_than_so_many_are_counted),
        cmocka_unit_test(a_slot_in_the_gap_is_made_after_it),
        cmocka_unit_test(a_slot_in_the_repeated_hour_is_made_once),
        cmocka_unit_test(any_history_makes_each_slot_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
