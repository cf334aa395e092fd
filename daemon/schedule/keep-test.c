#include "config.h"

#include <stdio.h>

#include "base/str.h"
#include "base/vec.h"
#include "schedule/keep.h"

#include "../../tests/unit/zone.h"

#define NOW "2026-11-22T12:00:00Z"

/* Backups, and what is decided on them. */
typedef struct Shelf {
    VEC(KeepItem) items;
    Arena *arena;
    KeepRule rule;
} Shelf;

static Shelf shelf(void)
{
    KeepRule rule = {.zone = zone_utc(), .grace = USEC_PER_DAY, .settled_before = at("2026-11-20T00:00:00Z")};
    return (Shelf){.arena = arena_new(), .rule = rule};
}

static void shelf_done(Shelf *s)
{
    VEC_DONE(&s->items);
    arena_free(s->arena);
}

static KeepItem *add(Shelf *s, const char *slot, BackupState state)
{
    const char *id = arena_printf(s->arena, "id%zu", s->items.n);
    *VEC_ADD(&s->items) = (KeepItem){.id = id, .slot = at(slot), .state = state};
    return &s->items.items[s->items.n - 1];
}

static void add_marked(Shelf *s, const char *slot, BackupState state, PruneMark mark, const char *prune_after)
{
    KeepItem *item = add(s, slot, state);
    item->mark = mark;
    item->prune_after = prune_after ? at(prune_after) : 0;
}

static void decide(Shelf *s)
{
    keep_decide(&s->rule, at(NOW), s->items.items, s->items.n, s->arena);
}

/* "keep newest good, last 1/1", "go expired: mark": one line for an item. */
static const char *shown(Shelf *s, size_t i)
{
    static const char *const steps[KEEP_STEP_MAX] = {"", ": mark", ": unmark", ": wait", ": delete"};
    const KeepItem *item = &s->items.items[i];
    return arena_printf(s->arena, "%s %s%s", item->keep ? "keep" : "go", item->reasons, steps[item->step]);
}

#define assert_shown(s, i, expected) assert_string_equal(shown(s, i), expected)

static void classes_have_names(void **state)
{
    (void)state;
    static const char *const names[] = {"last", "hourly", "daily", "weekly", "monthly", "yearly"};
    assert_int_equal(ARRAY_SIZE(names), KEEP_CLASS_MAX);
    for (KeepClass class = 0; class < KEEP_CLASS_MAX; class ++)
        assert_string_equal(keep_class_name(class), names[class]);
}

static void nothing_is_decided_on_nothing(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    decide(&s);
    keep_decide(NULL, 0, NULL, 0, s.arena);
}

static void last_counts_backups(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    s.rule.count[KEEP_LAST] = 3;
    add(&s, "2026-11-19T00:00:00Z", BACKUP_GOOD);
    add(&s, "2026-11-22T00:00:00Z", BACKUP_GOOD);
    add(&s, "2026-11-22T00:00:00Z", BACKUP_GOOD);
    add(&s, "2026-11-21T00:00:00Z", BACKUP_GOOD);
    decide(&s);
    assert_shown(&s, 1, "keep newest good, last 1/3");
    assert_shown(&s, 2, "keep last 2/3");
    assert_shown(&s, 3, "keep last 3/3");
    assert_shown(&s, 0, "go expired: mark");
}

static void the_newest_of_each_period_has_its_place(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    s.rule.count[KEEP_DAILY] = 2;
    add(&s, "2026-11-21T06:00:00Z", BACKUP_GOOD);
    add(&s, "2026-11-21T18:00:00Z", BACKUP_GOOD);
    add(&s, "2026-11-17T23:59:59Z", BACKUP_GOOD); /* days without one do not count */
    add(&s, "2026-11-17T00:00:00Z", BACKUP_GOOD);
    add(&s, "2026-11-16T23:59:59Z", BACKUP_GOOD);
    decide(&s);
    assert_shown(&s, 0, "go expired: mark");
    assert_shown(&s, 1, "keep newest good, daily 1/2");
    assert_shown(&s, 2, "keep daily 2/2");
    assert_shown(&s, 3, "go expired: mark");
    assert_shown(&s, 4, "go expired: mark");
}

static void each_class_counts_by_itself(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    s.rule = (KeepRule){.count = {1, 2, 2, 2, 2, 2}, .zone = zone_utc()};
    add(&s, "2026-11-22T10:30:00Z", BACKUP_GOOD);
    add(&s, "2026-11-22T10:00:00Z", BACKUP_GOOD);
    add(&s, "2026-11-22T09:00:00Z", BACKUP_GOOD);
    add(&s, "2026-11-21T09:00:00Z", BACKUP_GOOD);
    add(&s, "2026-11-16T00:00:00Z", BACKUP_GOOD); /* Monday of the same week */
    add(&s, "2026-11-15T23:00:00Z", BACKUP_GOOD); /* Sunday of the one before */
    add(&s, "2026-10-31T00:00:00Z", BACKUP_GOOD);
    add(&s, "2025-12-31T23:59:59Z", BACKUP_GOOD);
    decide(&s);
    assert_shown(&s, 0, "keep newest good, last 1/1, hourly 1/2, daily 1/2, weekly 1/2, monthly 1/2, yearly 1/2");
    assert_shown(&s, 1, "go expired: mark");
    assert_shown(&s, 2, "keep hourly 2/2");
    assert_shown(&s, 3, "keep daily 2/2");
    assert_shown(&s, 4, "go expired: mark");
    assert_shown(&s, 5, "keep weekly 2/2");
    assert_shown(&s, 6, "keep monthly 2/2");
    assert_shown(&s, 7, "keep yearly 2/2");
}

static void weeks_are_those_of_iso_8601(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    s.rule.count[KEEP_WEEKLY] = 3;
    add(&s, "2025-01-05T00:00:00Z", BACKUP_GOOD); /* Sunday of 2025-W01 */
    add(&s, "2025-01-01T00:00:00Z", BACKUP_GOOD);
    add(&s, "2024-12-30T00:00:00Z", BACKUP_GOOD); /* Monday of 2025-W01 */
    add(&s, "2024-12-29T00:00:00Z", BACKUP_GOOD); /* Sunday of 2024-W52 */
    add(&s, "1970-01-04T00:00:00Z", BACKUP_GOOD); /* Sunday of 1970-W01 */
    add(&s, "1970-01-01T00:00:00Z", BACKUP_GOOD);
    decide(&s);
    assert_shown(&s, 0, "keep newest good, weekly 1/3");
    assert_shown(&s, 1, "go expired: mark");
    assert_shown(&s, 2, "go expired: mark");
    assert_shown(&s, 3, "keep weekly 2/3");
    assert_shown(&s, 4, "keep weekly 3/3");
    assert_shown(&s, 5, "go expired: mark");
}

static void periods_are_those_of_the_zones_clocks(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    s.rule.zone = berlin;
    s.rule.count[KEEP_DAILY] = 2;
    add(&s, "2026-11-21T22:59:59Z", BACKUP_GOOD); /* 23:59:59 */
    add(&s, "2026-11-20T23:00:00Z", BACKUP_GOOD); /* 00:00 of the same day */
    add(&s, "2026-11-20T22:59:59Z", BACKUP_GOOD); /* of the day before */
    decide(&s);
    assert_shown(&s, 0, "keep newest good, daily 1/2");
    assert_shown(&s, 1, "go expired: mark");
    assert_shown(&s, 2, "keep daily 2/2");
}

static void an_hour_that_clocks_show_twice_is_one(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    s.rule.zone = berlin;
    s.rule.count[KEEP_HOURLY] = 2;
    add(&s, "2026-10-24T23:30:00Z", BACKUP_GOOD); /* 01:30 */
    add(&s, "2026-10-25T00:30:00Z", BACKUP_GOOD); /* 02:30 in summer */
    add(&s, "2026-10-25T01:30:00Z", BACKUP_GOOD); /* 02:30 in winter */
    decide(&s);
    assert_shown(&s, 2, "keep newest good, hourly 1/2");
    assert_shown(&s, 1, "go expired: mark");
    assert_shown(&s, 0, "keep hourly 2/2");
}

/* Clocks that are set back over midnight show a day, the next one, and both again. */
static void a_day_that_clocks_go_back_to_is_one(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    CLEANUP(zone_freep) Zone *zone = zone_of_rule(-12600, "NST3:30NDT,M4.1.0/0:01,M10.5.0/0:01");
    s.rule.zone = zone;
    s.rule.count[KEEP_DAILY] = 3;
    add(&s, "2026-10-24T02:20:00Z", BACKUP_GOOD); /* 23:50 on the 23rd */
    add(&s, "2026-10-25T02:20:00Z", BACKUP_GOOD); /* 23:50 on the 24th */
    add(&s, "2026-10-25T02:30:30Z", BACKUP_GOOD); /* 00:00:30 on the 25th, and back */
    add(&s, "2026-10-25T03:00:00Z", BACKUP_GOOD); /* 23:30 on the 24th */
    add(&s, "2026-10-25T04:00:00Z", BACKUP_GOOD); /* 00:30 on the 25th */
    decide(&s);
    assert_shown(&s, 4, "keep newest good, daily 1/3");
    assert_shown(&s, 3, "keep daily 2/3");
    assert_shown(&s, 2, "go expired: mark");
    assert_shown(&s, 1, "go expired: mark");
    assert_shown(&s, 0, "keep daily 3/3");
}

static void ids_decide_between_equal_slots(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    s.rule.count[KEEP_DAILY] = 1;
    add(&s, "2026-11-21T00:00:00Z", BACKUP_GOOD)->id = "b";
    add(&s, "2026-11-21T00:00:00Z", BACKUP_GOOD)->id = "a";
    add(&s, "2026-11-21T00:00:00Z", BACKUP_GOOD)->id = "c";
    decide(&s);
    assert_shown(&s, 0, "go expired: mark");
    assert_shown(&s, 1, "keep newest good, daily 1/1");
    assert_shown(&s, 2, "go expired: mark");
}

static void the_newest_good_one_stays_whatever_the_rule(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    add(&s, "2026-11-20T00:00:00Z", BACKUP_GOOD);
    add_marked(&s, "2026-11-21T00:00:00Z", BACKUP_GOOD, PRUNE_MARK_AT, "2026-11-01T00:00:00Z");
    decide(&s);
    assert_shown(&s, 0, "go expired: mark");
    assert_shown(&s, 1, "keep newest good: unmark");
}

static void what_goes_is_marked_waits_and_is_deleted(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    add(&s, "2026-11-22T00:00:00Z", BACKUP_GOOD);
    add(&s, "2026-11-21T00:00:00Z", BACKUP_GOOD);
    add_marked(&s, "2026-11-20T00:00:00Z", BACKUP_GOOD, PRUNE_MARK_AT, "2026-11-22T12:00:01Z");
    add_marked(&s, "2026-11-19T00:00:00Z", BACKUP_GOOD, PRUNE_MARK_AT, NOW);
    decide(&s);
    assert_shown(&s, 0, "keep newest good");
    assert_shown(&s, 1, "go expired: mark");
    assert_shown(&s, 2, "go expired: wait");
    assert_shown(&s, 3, "go expired: delete");
}

static void what_a_hand_keeps_stays_and_fills_its_place(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    s.rule.count[KEEP_LAST] = 2;
    add_marked(&s, "2026-11-22T00:00:00Z", BACKUP_GOOD, PRUNE_MARK_NEVER, NULL);
    add_marked(&s, "2026-11-21T00:00:00Z", BACKUP_GOOD, PRUNE_MARK_NEVER, NULL);
    add(&s, "2026-11-20T00:00:00Z", BACKUP_GOOD);
    add_marked(&s, "2026-11-19T00:00:00Z", BACKUP_GOOD, PRUNE_MARK_NEVER, NULL);
    add_marked(&s, "2026-11-18T00:00:00Z", BACKUP_FAULTY, PRUNE_MARK_NEVER, NULL);
    decide(&s);
    assert_shown(&s, 0, "keep kept by hand, newest good, last 1/2");
    assert_shown(&s, 1, "keep kept by hand, last 2/2");
    assert_shown(&s, 2, "go expired: mark");
    assert_shown(&s, 3, "keep kept by hand");
    assert_shown(&s, 4, "keep kept by hand, faulty");
}

static void a_mark_that_cannot_be_read_is_left_alone(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    s.rule.count[KEEP_DAILY] = 1;
    add_marked(&s, "2026-11-22T00:00:00Z", BACKUP_GOOD, PRUNE_MARK_UNREADABLE, NULL);
    add_marked(&s, "2026-11-21T00:00:00Z", BACKUP_GOOD, PRUNE_MARK_UNREADABLE, NULL);
    add_marked(&s, "2026-11-18T00:00:00Z", BACKUP_FAULTY, PRUNE_MARK_UNREADABLE, NULL);
    decide(&s);
    assert_shown(&s, 0, "keep mark cannot be read, newest good, daily 1/1");
    assert_shown(&s, 1, "keep mark cannot be read");
    assert_shown(&s, 2, "keep mark cannot be read, faulty");
}

static void the_future_fills_no_place(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    s.rule.count[KEEP_LAST] = 1;
    add(&s, "2026-11-22T12:00:01Z", BACKUP_GOOD);
    add(&s, NOW, BACKUP_GOOD);
    add_marked(&s, "2026-11-23T00:00:00Z", BACKUP_GOOD, PRUNE_MARK_AT, "2026-11-01T00:00:00Z");
    add(&s, "2026-11-23T00:00:00Z", BACKUP_FAULTY);
    decide(&s);
    assert_shown(&s, 0, "keep in the future");
    assert_shown(&s, 1, "keep newest good, last 1/1");
    assert_shown(&s, 2, "keep in the future: unmark");
    assert_shown(&s, 3, "keep in the future");
}

static void what_is_unfinished_or_unsure_stays_and_fills_no_place(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    s.rule.count[KEEP_LAST] = 1;
    add_marked(&s, "2026-11-22T00:00:00Z", BACKUP_UNFINISHED, PRUNE_MARK_AT, "2026-11-01T00:00:00Z");
    add_marked(&s, "2026-11-21T00:00:00Z", BACKUP_UNSURE, PRUNE_MARK_AT, "2026-11-01T00:00:00Z");
    add(&s, "2026-11-20T00:00:00Z", BACKUP_GOOD);
    add(&s, "2026-11-23T00:00:00Z", BACKUP_UNSURE);
    decide(&s);
    assert_shown(&s, 0, "keep unfinished");
    assert_shown(&s, 1, "keep changed while it was read");
    assert_shown(&s, 2, "keep newest good, last 1/1");
    assert_shown(&s, 3, "keep changed while it was read");
}

static void a_faulty_one_goes_when_it_is_settled_and_a_good_one_came(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    s.rule.count[KEEP_LAST] = 9;
    add(&s, "2026-11-21T00:00:00Z", BACKUP_FAULTY); /* newer than the good one */
    add(&s, "2026-11-20T00:00:00Z", BACKUP_GOOD);
    add(&s, "2026-11-20T00:00:00Z", BACKUP_FAULTY); /* not settled: settled_before is exclusive */
    add(&s, "2026-11-19T23:59:59Z", BACKUP_FAULTY);
    add_marked(&s, "2026-11-19T00:00:00Z", BACKUP_FAULTY, PRUNE_MARK_AT, NOW);
    add_marked(&s, "2026-11-21T00:00:00Z", BACKUP_FAULTY, PRUNE_MARK_AT, NOW);
    decide(&s);
    assert_shown(&s, 0, "keep faulty");
    assert_shown(&s, 1, "keep newest good, last 1/9");
    assert_shown(&s, 2, "keep faulty");
    assert_shown(&s, 3, "go faulty: mark");
    assert_shown(&s, 4, "go faulty: delete");
    assert_shown(&s, 5, "keep faulty: unmark");
}

static void a_good_one_of_the_same_slot_is_enough(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    add(&s, "2026-11-19T00:00:00Z", BACKUP_FAULTY);
    add(&s, "2026-11-19T00:00:00Z", BACKUP_GOOD);
    add(&s, "2026-11-19T00:00:01Z", BACKUP_FAULTY);
    decide(&s);
    assert_shown(&s, 0, "go faulty: mark");
    assert_shown(&s, 1, "keep newest good");
    assert_shown(&s, 2, "keep faulty");
}

static void a_good_one_of_the_future_lets_no_faulty_one_go(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    add(&s, "2026-11-19T00:00:00Z", BACKUP_FAULTY);
    add(&s, "2026-11-23T00:00:00Z", BACKUP_GOOD);
    decide(&s);
    assert_shown(&s, 0, "keep faulty");
    assert_shown(&s, 1, "keep in the future");
}

static void without_a_rule_everything_stays(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    static const char *const expected[] = {
        "keep no keep is declared",
        "keep no keep is declared: unmark",
        "keep faulty: unmark",
        "keep kept by hand, no keep is declared",
        "keep mark cannot be read, no keep is declared",
        "keep unfinished",
        "keep changed while it was read",
        "keep in the future",
    };
    add(&s, "2026-11-20T00:00:00Z", BACKUP_GOOD);
    add_marked(&s, "2026-11-19T00:00:00Z", BACKUP_GOOD, PRUNE_MARK_AT, "2026-11-01T00:00:00Z");
    add_marked(&s, "2026-11-18T00:00:00Z", BACKUP_FAULTY, PRUNE_MARK_AT, "2026-11-01T00:00:00Z");
    add_marked(&s, "2026-11-17T00:00:00Z", BACKUP_GOOD, PRUNE_MARK_NEVER, NULL);
    add_marked(&s, "2026-11-16T00:00:00Z", BACKUP_GOOD, PRUNE_MARK_UNREADABLE, NULL);
    add_marked(&s, "2026-11-15T00:00:00Z", BACKUP_UNFINISHED, PRUNE_MARK_AT, "2026-11-01T00:00:00Z");
    add_marked(&s, "2026-11-14T00:00:00Z", BACKUP_UNSURE, PRUNE_MARK_AT, "2026-11-01T00:00:00Z");
    add(&s, "2026-11-23T00:00:00Z", BACKUP_GOOD);
    keep_decide(NULL, at(NOW), s.items.items, s.items.n, s.arena);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_shown(&s, i, expected[i]);
}

/* Carries the steps out, as the cloud would: marks are put and taken, and what is deleted is gone. */
static size_t carry_out(KeepItem *items, size_t n, const KeepRule *rule, usec_t now)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        KeepItem item = items[i];
        if (item.step == KEEP_STEP_DELETE)
            continue;
        if (item.step == KEEP_STEP_MARK) {
            item.mark = PRUNE_MARK_AT;
            item.prune_after = now + rule->grace;
        } else if (item.step == KEEP_STEP_UNMARK) {
            item.mark = PRUNE_MARK_NONE;
            item.prune_after = 0;
        }
        items[left++] = item;
    }
    return left;
}

static bool has_reason(const KeepItem *item, const char *reason)
{
    return strstr(item->reasons, reason) != NULL;
}

/* Two years of a schedule at 02:00 that is pruned after every backup. */
static void years_of_nightly_backups_fill_every_class(void **state)
{
    (void)state;
    CLEANUP(shelf_done) Shelf s = shelf();
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    s.rule = (KeepRule){.count = {3, 0, 7, 4, 12, 2}, .grace = USEC_PER_DAY, .zone = berlin};
    usec_t now = at("2024-11-23T01:00:00Z");
    for (unsigned day = 0; day < 730; day++, now += USEC_PER_DAY) {
        const char *id = arena_printf(s.arena, "%04u", day);
        *VEC_ADD(&s.items) = (KeepItem){.id = id, .slot = now, .state = BACKUP_GOOD};
        keep_decide(&s.rule, now + USEC_PER_HOUR, s.items.items, s.items.n, s.arena);
        s.items.n = carry_out(s.items.items, s.items.n, &s.rule, now + USEC_PER_HOUR);
    }
    decide(&s);
    unsigned kept = 0, months = 0, years = 0;
    for (size_t i = 0; i < s.items.n; i++) {
        kept += s.items.items[i].keep;
        months += has_reason(&s.items.items[i], "monthly");
        years += has_reason(&s.items.items[i], "yearly");
    }
    assert_int_equal(months, 12);
    assert_int_equal(years, 2);
    assert_int_equal(kept, 7 + 3 + 11); /* the newest week and month are the newest day; 31 December is a month's too */
}

/* Histories at random. Each has a seed of its own, which a failure prints. */
#define HISTORIES 100000
#define ITEMS_MAX 40

typedef struct History {
    uint64_t random;
    unsigned seed;
    KeepRule rule;
    usec_t now;
    KeepItem items[ITEMS_MAX];
    size_t n;
    Arena *arena;
} History;

#define CHECK(h, condition)                                                                                            \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fail_msg("history of seed %u: not %s", (h)->seed, #condition);                                             \
    } while (0)

/* The same numbers on every run (splitmix64). */
static unsigned random_below(uint64_t *state, unsigned n)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ (z >> 31)) >> 32) % n;
}

static void history_done(History *h)
{
    arena_free(h->arena);
}

static usec_t earlier(usec_t time, usec_t by)
{
    return time > by ? time - by : 0;
}

/* The nights on which clocks change, turns of years and of ISO years are looked for. */
static usec_t random_time(History *h)
{
    static const char *const moments[] = {
        "2026-10-25T02:00:00Z", "2026-03-29T02:00:00Z", "2024-12-31T12:00:00Z", "2027-01-02T00:00:00Z",
        "2026-11-22T00:00:00Z", "2024-03-01T00:00:00Z", "1970-01-05T00:00:00Z", "2021-01-04T00:00:00Z",
    };
    static usec_t times[ARRAY_SIZE(moments)];
    if (!times[0])
        for (size_t i = 0; i < ARRAY_SIZE(moments); i++)
            times[i] = at(moments[i]);
    return times[random_below(&h->random, ARRAY_SIZE(moments))];
}

static void random_rule(History *h, const Zone *zone)
{
    for (KeepClass class = 0; class < KEEP_CLASS_MAX; class ++)
        h->rule.count[class] = random_below(&h->random, 3) ? 0 : random_below(&h->random, 9);
    h->rule.zone = zone;
    h->rule.grace = 1 + random_below(&h->random, 3) * USEC_PER_HOUR;
}

static KeepItem random_item(History *h, const char *id, usec_t slot)
{
    static const BackupState states[] = {BACKUP_GOOD, BACKUP_GOOD,   BACKUP_GOOD,       BACKUP_GOOD,
                                         BACKUP_GOOD, BACKUP_FAULTY, BACKUP_UNFINISHED, BACKUP_UNSURE};
    static const PruneMark marks[] = {PRUNE_MARK_NONE, PRUNE_MARK_NONE, PRUNE_MARK_NONE,  PRUNE_MARK_AT,
                                      PRUNE_MARK_AT,   PRUNE_MARK_AT,   PRUNE_MARK_NEVER, PRUNE_MARK_UNREADABLE};
    KeepItem item = {.id = id, .slot = slot, .keep = random_below(&h->random, 2)};
    item.mark = marks[random_below(&h->random, 8)];
    item.state = states[random_below(&h->random, 8)];
    if (item.mark == PRUNE_MARK_AT)
        item.prune_after = earlier(h->now + random_below(&h->random, 3) * USEC_PER_HOUR, USEC_PER_HOUR);
    return item;
}

static void random_history(History *h, unsigned seed, const Zone *zone)
{
    static const usec_t strides[] = {10 * USEC_PER_MINUTE, 40 * USEC_PER_MINUTE, USEC_PER_HOUR,     6 * USEC_PER_HOUR,
                                     USEC_PER_DAY,         5 * USEC_PER_DAY,     20 * USEC_PER_DAY, 200 * USEC_PER_DAY};
    static char ids[ITEMS_MAX][4];
    *h = (History){.random = (uint64_t)seed << 32, .seed = seed, .arena = arena_new()};
    usec_t stride = strides[random_below(&h->random, ARRAY_SIZE(strides))];
    usec_t slot = random_time(h) + random_below(&h->random, 3) * stride;
    size_t size = random_below(&h->random, random_below(&h->random, 8) ? 12 : ITEMS_MAX + 1);
    unsigned first_id = random_below(&h->random, 90);
    h->now = earlier(slot, random_below(&h->random, 4) * stride / 2);
    h->rule.settled_before = earlier(h->now, random_below(&h->random, 12) * stride);
    random_rule(h, zone);
    for (; h->n < size; h->n++) {
        snprintf(ids[h->n], sizeof(ids[0]), "%02u", (unsigned)(first_id + h->n * 7) % 90); /* in no order of age */
        h->items[h->n] = random_item(h, ids[h->n], slot);
        slot = earlier(slot, random_below(&h->random, 4) * stride / 2);
    }
}

static void history_decide(History *h)
{
    keep_decide(&h->rule, h->now, h->items, h->n, h->arena);
}

/* The model of `keep`: told in other words, and slowly. */

static bool counts(const History *h, size_t i)
{
    return h->items[i].state == BACKUP_GOOD && h->items[i].slot <= h->now;
}

static bool is_newer(const KeepItem *a, const KeepItem *b)
{
    return a->slot > b->slot || (a->slot == b->slot && strcmp(a->id, b->id) < 0);
}

/* The year and the week, as ISO 8601 tells them: a year has a week 53 when it begins or ends on a Thursday. */
static int iso_week(const LocalTime *t)
{
    int weekday = t->weekday ? t->weekday : 7, week = (t->day_of_year + 1 - weekday + 10) / 7, year = t->year;
    if (week < 1) {
        bool leap = (year - 1) % 4 == 0 && ((year - 1) % 100 != 0 || (year - 1) % 400 == 0);
        int first = ((weekday - 1 - t->day_of_year) % 7 + 7) % 7; /* weekday of 1 January, 0: Monday */
        year--;
        week = first == 4 || (leap && first == 5) ? 53 : 52;
    } else if (week == 53 && t->month == 12 && t->day - weekday >= 28) {
        year++;
        week = 1;
    }
    return year * 100 + week;
}

static int model_period(KeepClass class, size_t i, const LocalTime *t)
{
    switch (class) {
    case KEEP_LAST:
        return (int)i;
    case KEEP_HOURLY:
        return (t->year * 366 + t->day_of_year) * 24 + t->hour;
    case KEEP_DAILY:
        return t->year * 366 + t->day_of_year;
    case KEEP_WEEKLY:
        return iso_week(t);
    case KEEP_MONTHLY:
        return t->year * 100 + t->month;
    default:
        return t->year;
    }
}

/* Which are the newest of their periods? */
static void find_heads(const History *h, const int *periods, bool *heads)
{
    for (size_t i = 0; i < h->n; i++) {
        heads[i] = counts(h, i);
        for (size_t j = 0; j < h->n && heads[i]; j++)
            heads[i] = !(counts(h, j) && periods[j] == periods[i] && is_newer(&h->items[j], &h->items[i]));
    }
}

/* A place is how many periods have a head at least as new as this one. */
static unsigned place_of(const History *h, const bool *heads, size_t i)
{
    unsigned newer = 0;
    for (size_t j = 0; j < h->n && heads[i]; j++)
        newer += heads[j] && !is_newer(&h->items[i], &h->items[j]);
    return newer;
}

static void model_places(const History *h, unsigned places[][KEEP_CLASS_MAX])
{
    LocalTime local[ITEMS_MAX];
    for (size_t i = 0; i < h->n; i++)
        zone_local(h->rule.zone, h->items[i].slot, &local[i]);
    for (KeepClass class = 0; class < KEEP_CLASS_MAX; class ++) {
        int periods[ITEMS_MAX];
        bool heads[ITEMS_MAX];
        for (size_t i = 0; i < h->n; i++)
            periods[i] = model_period(class, i, &local[i]);
        find_heads(h, periods, heads);
        for (size_t i = 0; i < h->n; i++) {
            unsigned place = place_of(h, heads, i);
            places[i][class] = place <= h->rule.count[class] ? place : 0;
        }
    }
}

static const KeepItem *model_newest(const History *h)
{
    const KeepItem *newest = NULL;
    for (size_t i = 0; i < h->n; i++)
        if (counts(h, i) && (!newest || is_newer(&h->items[i], newest)))
            newest = &h->items[i];
    return newest;
}

/* The reasons for which a good one stays. */
static const char *model_reasons(const History *h, size_t i, const unsigned *places)
{
    CLEANUP(str_done) Str out = {0};
    if (h->items[i].mark == PRUNE_MARK_NEVER)
        str_add(&out, ", kept by hand");
    if (h->items[i].mark == PRUNE_MARK_UNREADABLE)
        str_add(&out, ", mark cannot be read");
    if (&h->items[i] == model_newest(h))
        str_add(&out, ", newest good");
    for (KeepClass class = 0; class < KEEP_CLASS_MAX; class ++)
        if (places[class])
            str_addf(&out, ", %s %u/%u", keep_class_name(class), places[class], h->rule.count[class]);
    return arena_strdup(h->arena, out.len ? out.data + 2 : "");
}

static bool is_protected(const KeepItem *item)
{
    return item->mark == PRUNE_MARK_NEVER || item->mark == PRUNE_MARK_UNREADABLE;
}

static void check_model(const History *h)
{
    unsigned places[ITEMS_MAX][KEEP_CLASS_MAX] = {0};
    model_places(h, places);
    const KeepItem *newest = model_newest(h);
    for (size_t i = 0; i < h->n; i++) {
        const KeepItem *item = &h->items[i];
        if (counts(h, i)) {
            const char *reasons = model_reasons(h, i, places[i]);
            CHECK(h, item->keep == (*reasons != 0));
            CHECK(h, streq(item->reasons, *reasons ? reasons : "expired"));
        } else if (!item->keep) {
            CHECK(h, item->state == BACKUP_FAULTY && !is_protected(item) && item->slot <= h->now);
            CHECK(h, newest && newest->slot >= item->slot && item->slot < h->rule.settled_before);
            CHECK(h, streq(item->reasons, "faulty"));
        } else if (item->state == BACKUP_FAULTY && !is_protected(item) && item->slot <= h->now) {
            CHECK(h, !newest || newest->slot < item->slot || item->slot >= h->rule.settled_before);
        }
    }
}

/* What holds of every decision, whatever the rule. */
static void check_steps(const History *h)
{
    bool had_good = false, keeps_good = false;
    for (size_t i = 0; i < h->n; i++) {
        const KeepItem *item = &h->items[i];
        bool marked = item->mark == PRUNE_MARK_AT;
        bool writable = item->state == BACKUP_GOOD || item->state == BACKUP_FAULTY;
        had_good |= counts(h, i);
        keeps_good |= counts(h, i) && item->keep;
        CHECK(h, item->reasons && *item->reasons);
        CHECK(h, (item->step == KEEP_STEP_DELETE) == (!item->keep && marked && item->prune_after <= h->now));
        CHECK(h, (item->step == KEEP_STEP_WAIT) == (!item->keep && marked && item->prune_after > h->now));
        CHECK(h, (item->step == KEEP_STEP_MARK) == (!item->keep && !marked));
        CHECK(h, (item->step == KEEP_STEP_UNMARK) == (item->keep && marked && writable));
        CHECK(h, item->keep || (writable && !is_protected(item)));
    }
    CHECK(h, keeps_good == had_good);
}

/* The same items in another order, decided again. */
static void check_order(History *h)
{
    History other = *h;
    size_t from[ITEMS_MAX];
    for (size_t i = 0; i < h->n; i++)
        from[i] = i;
    for (size_t i = h->n; i > 1; i--) {
        size_t j = random_below(&h->random, (unsigned)i), swapped = from[i - 1];
        from[i - 1] = from[j];
        from[j] = swapped;
    }
    for (size_t i = 0; i < h->n; i++) {
        other.items[i] = h->items[from[i]];
        other.items[i].reasons = NULL;
        other.items[i].keep = !other.items[i].keep; /* earlier answers count for nothing */
    }
    history_decide(&other);
    for (size_t i = 0; i < h->n; i++) {
        const KeepItem *a = &other.items[i], *b = &h->items[from[i]];
        CHECK(h, a->keep == b->keep && a->step == b->step && streq(a->reasons, b->reasons));
    }
}

/* Carried out, and decided again in the same moment: nothing but waiting is left. */
static void check_once(const History *h)
{
    History next = *h;
    next.n = carry_out(next.items, next.n, &next.rule, next.now);
    History before = next;
    history_decide(&next);
    for (size_t i = 0; i < next.n; i++) {
        CHECK(h, next.items[i].step == KEEP_STEP_NONE || next.items[i].step == KEEP_STEP_WAIT);
        CHECK(h, next.items[i].keep == before.items[i].keep);
        CHECK(h, streq(next.items[i].reasons, before.items[i].reasons));
    }
}

static bool is_among(const History *h, const KeepItem *item)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->items[i].id == item->id)
            return true;
    return false;
}

/* Rounds with time moving on, until all that is to go is gone: what is left is what the first of them kept. */
static void check_end(const History *h)
{
    History end = *h;
    end.now = h->now + 2000 * USEC_PER_DAY; /* all slots are past, all waiting is over */
    end.rule.settled_before = end.now;
    history_decide(&end);
    History first = end;
    for (unsigned round = 0; round < 3; round++) {
        end.n = carry_out(end.items, end.n, &end.rule, end.now);
        end.now += end.rule.grace;
        history_decide(&end);
    }
    for (size_t i = 0; i < end.n; i++)
        CHECK(h, end.items[i].keep && end.items[i].step == KEEP_STEP_NONE);
    for (size_t i = 0; i < first.n; i++)
        CHECK(h, is_among(&end, &first.items[i]) == first.items[i].keep);
}

static void check_without_rule(const History *h)
{
    History other = *h;
    keep_decide(NULL, other.now, other.items, other.n, other.arena);
    for (size_t i = 0; i < other.n; i++) {
        const KeepItem *item = &other.items[i];
        bool writable = item->state == BACKUP_GOOD || item->state == BACKUP_FAULTY;
        bool unmarks = item->mark == PRUNE_MARK_AT && writable;
        CHECK(h, item->keep && item->reasons && *item->reasons);
        CHECK(h, item->step == (unmarks ? KEEP_STEP_UNMARK : KEEP_STEP_NONE));
    }
}

/* In zones that are set back and forth: by an hour, over midnight, and by half an hour. */
static void any_history_is_decided_as_it_is_told(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    CLEANUP(zone_freep) Zone *newfoundland = zone_of_rule(-12600, "NST3:30NDT,M4.1.0/0:01,M10.5.0/0:01");
    CLEANUP(zone_freep) Zone *lord_howe = zone_of_rule(LORD_HOWE);
    const Zone *const zones[] = {zone_utc(), berlin, newfoundland, lord_howe};
    for (unsigned seed = 0; seed < HISTORIES; seed++) {
        CLEANUP(history_done) History h;
        random_history(&h, seed, zones[(size_t)seed * ARRAY_SIZE(zones) / HISTORIES]);
        history_decide(&h);
        check_model(&h);
        check_steps(&h);
        check_order(&h);
        check_once(&h);
        check_end(&h);
        check_without_rule(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_have_names),
        cmocka_unit_test(nothing_is_decided_on_nothing),
        cmocka_unit_test(last_counts_backups),
        cmocka_unit_test(the_newest_of_each_period_has_its_place),
        cmocka_unit_test(each_class_counts_by_itself),
        cmocka_unit_test(weeks_are_those_of_iso_8601),
        cmocka_unit_test(periods_are_those_of_the_zones_clocks),
        cmocka_unit_test(an_hour_that_clocks_show_twice_is_one),
        cmocka_unit_test(a_day_that_clocks_go_back_to_is_one),
        cmocka_unit_test(ids_decide_between_equal_slots),
        cmocka_unit_test(the_newest_good_one_stays_whatever_the_rule),
        cmocka_unit_test(what_goes_is_marked_waits_and_is_deleted),
        cmocka_unit_test(what_a_hand_keeps_stays_and_fills_its_place),
        cmocka_unit_test(a_mark_that_cannot_be_read_is_left_alone),
        cmocka_unit_test(the_future_fills_no_place),
        cmocka_unit_test(what_is_unfinished_or_unsure_stays_and_fills_no_place),
        cmocka_unit_test(a_faulty_one_goes_when_it_is_settled_and_a_good_one_came),
        cmocka_unit_test(a_good_one_of_the_same_slot_is_enough),
        cmocka_unit_test(a_good_one_of_the_future_lets_no_faulty_one_go),
        cmocka_unit_test(without_a_rule_everything_stays),
        cmocka_unit_test(years_of_nightly_backups_fill_every_class),
        cmocka_unit_test(any_history_is_decided_as_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
