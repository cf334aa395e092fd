#include "config.h"

#include "../../tests/unit/stage.h"

#include "plan/saved.h"

#define CHANGE(name, target, outcome, from)                                                                            \
    "{\"kind\":\"OciImage\",\"name\":\"" name "\",\"account\":\"prod\",\"target\":\"" target                           \
    "\",\"outcome\":\"" outcome "\",\"action\":\"update\",\"file\":\"a.yaml\",\"line\":3,\"attributes\":[{\"path\":"   \
    "\"freeformTags.t\",\"from\":null,\"to\":\"1\"},"                                                                  \
    "{\"path\":\"displayName\",\"from\":\"" from "\",\"to\":\"new\"}]}"

static SavedPlan *parse(const char *changes)
{
    CLEANUP(freep) char *text = xasprintf("{\"changes\":[%s]}", changes);
    SavedPlan *saved = NULL;
    assert_int_equal(saved_plan_parse(text, strlen(text), "p.json", &saved, NULL), 0);
    return saved;
}

static void what_is_as_it_was_saved_passes(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(1);
    CLEANUP(saved_plan_freep) SavedPlan *saved = parse(CHANGE("a", "ocid1.image.0", "planned", "old"));
    saved_plan_hold(saved, w.plan, "prod");
    assert_int_equal(w.plan->changes.n, 1);
    assert_int_equal(plan_count(w.plan, OUTCOME_PLANNED), 1);
}

static void what_has_changed_since_is_held(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(1);
    CLEANUP(saved_plan_freep) SavedPlan *saved = parse(CHANGE("a", "ocid1.image.0", "planned", "older"));
    saved_plan_hold(saved, w.plan, "prod");
    assert_string_equal(w.plan->changes.items[0].reason,
                        "refused: the object or its document has changed since the plan was saved");
    assert_int_equal(w.plan->changes.items[0].outcome, OUTCOME_HELD);
}

static void what_is_not_in_the_saved_plan_is_held(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(2);
    CLEANUP(saved_plan_freep) SavedPlan *saved = parse(CHANGE("a", "ocid1.image.1", "planned", "old"));
    saved_plan_hold(saved, w.plan, "prod");
    assert_string_equal(w.plan->changes.items[0].reason, "not in the saved plan");
    assert_int_equal(w.plan->changes.items[1].outcome, OUTCOME_PLANNED);
}

static void only_what_was_planned_counts_as_saved(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(1);
    CLEANUP(saved_plan_freep) SavedPlan *saved = parse(CHANGE("a", "ocid1.image.0", "observed", "old"));
    saved_plan_hold(saved, w.plan, "prod");
    assert_int_equal(w.plan->changes.n, 1);
    assert_int_equal(w.plan->changes.items[0].outcome, OUTCOME_HELD);
}

static void what_there_is_nothing_to_change_about_is_told(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(0), other = drifted(0);
    CLEANUP(saved_plan_freep) SavedPlan *saved = parse(CHANGE("gone", "ocid1.image.7", "planned", "old"));
    saved_plan_hold(saved, w.plan, "prod");
    assert_int_equal(w.plan->changes.n, 1);
    assert_int_equal(w.plan->changes.items[0].outcome, OUTCOME_HELD);
    assert_string_equal(w.plan->changes.items[0].spec->name, "gone");
    assert_string_equal(w.plan->changes.items[0].target, "ocid1.image.7");
    saved_plan_hold(saved, other.plan, "lab");
    assert_int_equal(other.plan->changes.n, 0);
}

static void what_is_no_saved_plan_is_refused(void **state)
{
    (void)state;
#define WITHOUT_LIST "{\"kind\":\"OciImage\",\"name\":\"a\",\"account\":\"p\",\"target\":\"t\",\"outcome\":\"planned\""
    static const char *const bad[] = {
        "",
        "[",
        "[]",
        "7",
        "{}",
        "{\"changes\":{}}",
        "{\"changes\":[7]}",
        "{\"changes\":[{}]}",
        "{\"changes\":[" WITHOUT_LIST ",\"attributes\":{}}]}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(error_freep) Error *err = NULL;
        SavedPlan *saved = NULL;
        if (saved_plan_parse(bad[i], strlen(bad[i]), "p.json", &saved, &err) == 0)
            fail_msg("%s was accepted", bad[i]);
        assert_int_equal(err->kind, ERROR_SPEC);
        assert_non_null(strstr(err->message, "p.json"));
    }
}

#define OF_NIGHTLY(target, action, more, attributes)                                                                   \
    "{\"kind\":\"OciBootVolumeBackupSchedule\",\"name\":\"nightly\",\"account\":\"prod\",\"target\":\"" target         \
    "\",\"outcome\":\"planned\","                                                                                      \
    "\"action\":\"" action "\"" more ",\"attributes\":[" attributes "]}"
#define SLOT(slot, attempt) ",\"slot\":\"" slot "\",\"attempt\":" attempt
#define MARK(from, to) "{\"path\":\"freeformTags.imagekeeper-prune-after\",\"from\":" from ",\"to\":" to "}"
#define CHANGED "refused: the object or its document has changed since the plan was saved"

/* What becomes of the only change of the plan; NULL: it passes. */
static const char *held_by(const World *w, const char *saved_text)
{
    CLEANUP(saved_plan_freep) SavedPlan *saved = parse(saved_text);
    saved_plan_hold(saved, w->plan, "prod");
    assert_int_equal(w->plan->changes.n, 1);
    return w->plan->changes.items[0].outcome == OUTCOME_PLANNED ? NULL : w->plan->changes.items[0].reason;
}

static void a_creation_is_that_of_its_slot_and_attempt(void **state)
{
    (void)state;
    static const struct {
        const char *saved;
        bool good;
    } rows[] = {
        {OF_NIGHTLY(STAGE_VOLUME, "create", SLOT("2026-11-20T02:00:00Z", "1"), ""), true},
        {OF_NIGHTLY(STAGE_VOLUME, "create", SLOT("2026-11-19T02:00:00Z", "1"), ""), false},
        {OF_NIGHTLY(STAGE_VOLUME, "create", SLOT("2026-11-20T02:00:00Z", "2"), ""), false},
        {OF_NIGHTLY(STAGE_VOLUME, "create", SLOT("2026-11-20T02:00:00Z", "\"1\""), ""), false},
        {OF_NIGHTLY(STAGE_VOLUME, "create", ",\"slot\":\"2026-11-20T02:00:00Z\"", ""), false},
        {OF_NIGHTLY(STAGE_VOLUME, "create", ",\"attempt\":1", ""), false},
        {OF_NIGHTLY(STAGE_VOLUME, "create", ",\"slot\":null,\"attempt\":1", ""), false},
        {OF_NIGHTLY(STAGE_VOLUME, "update", SLOT("2026-11-20T02:00:00Z", "1"), ""), false},
        {OF_NIGHTLY(STAGE_VOLUME, "create", SLOT("2026-11-20T02:00:00Z", "1"), MARK("null", "\"x\"")), false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Series *series;
        CLEANUP(world_done) World w = stage_with(NIGHTLY, &series);
        plan_at(&w, STAGE_NOW);
        const char *held = held_by(&w, rows[i].saved);
        if (!held != rows[i].good || (held && !streq(held, CHANGED)))
            fail_msg("%s: %s", rows[i].saved, held ? held : "passed");
    }
}

static void a_creation_is_as_it_was_declared(void **state)
{
    (void)state;
    for (unsigned other = 0; other < 2; other++) {
        Series *series;
        CLEANUP(world_done) World w = stage_with(NIGHTLY ", displayName: \"{volume}-{slot:%d}\"", &series);
        plan_at(&w, STAGE_NOW);
        const char *held = held_by(&w, other ? OF_NIGHTLY(STAGE_VOLUME, "create", SLOT("2026-11-20T02:00:00Z", "1"),
                                                          "{\"path\":\"displayName\",\"from\":null,\"to\":\"db-19\"}")
                                             : OF_NIGHTLY(STAGE_VOLUME, "create", SLOT("2026-11-20T02:00:00Z", "1"),
                                                          "{\"path\":\"displayName\",\"from\":null,\"to\":\"db-20\"}"));
        assert_int_equal(held != NULL, other);
    }
}

/* One to be marked, or, with a mark, to be deleted or unmarked. */
static World marking(const char *keep, PruneMark mark, const char *time)
{
    Series *series;
    CLEANUP(freep) char *want = xasprintf(NIGHTLY ", prune: true, keep: {last: %s}", keep);
    World w = stage_with(want, &series);
    Made *made = made_add(&w, series, "2026-11-19T02:00:00Z", BACKUP_GOOD);
    made->mark = (uint8_t)mark;
    made->prune_after = at(time);
    made_add(&w, series, "2026-11-20T02:00:00Z", BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    return w;
}

static void a_mark_may_have_another_time(void **state)
{
    (void)state;
    static const struct {
        const char *saved;
        bool good;
    } rows[] = {
        {OF_NIGHTLY("ocid1.b0", "update", "", MARK("null", "\"2026-11-21T12:00:00Z\"")), true},
        {OF_NIGHTLY("ocid1.b0", "update", "", MARK("null", "\"2026-11-21T11:00:00Z\"")), true},
        {OF_NIGHTLY("ocid1.b0", "update", "", MARK("\"2026-11-21T12:00:00Z\"", "\"2026-11-21T12:00:00Z\"")), false},
        {OF_NIGHTLY("ocid1.b0", "update", "", MARK("null", "null")), false},
        {OF_NIGHTLY("ocid1.b0", "update", "", MARK("null", "7")), false},
        {OF_NIGHTLY("ocid1.b0", "update", "", ""), false},
        {OF_NIGHTLY("ocid1.b0", "delete", "", MARK("null", "\"2026-11-21T12:00:00Z\"")), false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(world_done) World w = marking("1", PRUNE_MARK_NONE, STAGE_NOW);
        if (!held_by(&w, rows[i].saved) != rows[i].good)
            fail_msg("%s", rows[i].saved);
    }
}

static void a_mark_is_taken_off_as_it_was(void **state)
{
    (void)state;
    static const char at_eight[] = OF_NIGHTLY("ocid1.b0", "update", "", MARK("\"2026-11-21T08:00:00Z\"", "null"));
    CLEANUP(world_done) World same = marking("2", PRUNE_MARK_AT, "2026-11-21T08:00:00Z");
    assert_null(held_by(&same, at_eight));
    CLEANUP(world_done) World other = marking("2", PRUNE_MARK_AT, "2026-11-21T08:00:01Z");
    assert_string_equal(held_by(&other, at_eight), CHANGED);
    CLEANUP(world_done) World marked = marking("1", PRUNE_MARK_NONE, STAGE_NOW);
    assert_string_equal(held_by(&marked, at_eight), CHANGED);
}

static void a_deletion_is_that_of_its_backup(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = marking("1", PRUNE_MARK_AT, STAGE_NOW);
    assert_null(held_by(&w, OF_NIGHTLY("ocid1.b0", "delete", SLOT("2026-11-19T02:00:00Z", "null"), "")));
    CLEANUP(world_done) World other = marking("1", PRUNE_MARK_AT, STAGE_NOW);
    CLEANUP(saved_plan_freep) SavedPlan *saved = parse(OF_NIGHTLY("ocid1.b7", "delete", "", ""));
    saved_plan_hold(saved, other.plan, "prod");
    assert_int_equal(other.plan->changes.n, 2);
    assert_string_equal(other.plan->changes.items[0].reason, "not in the saved plan");
    assert_int_equal(other.plan->changes.items[1].action, ACTION_DELETE);
    assert_int_equal(other.plan->changes.items[1].outcome, OUTCOME_HELD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_as_it_was_saved_passes),
        cmocka_unit_test(what_has_changed_since_is_held),
        cmocka_unit_test(what_is_not_in_the_saved_plan_is_held),
        cmocka_unit_test(only_what_was_planned_counts_as_saved),
        cmocka_unit_test(what_there_is_nothing_to_change_about_is_told),
        cmocka_unit_test(what_is_no_saved_plan_is_refused),
        cmocka_unit_test(a_creation_is_that_of_its_slot_and_attempt),
        cmocka_unit_test(a_mark_may_have_another_time),
        cmocka_unit_test(a_mark_is_taken_off_as_it_was),
        cmocka_unit_test(a_deletion_is_that_of_its_backup),
        cmocka_unit_test(a_creation_is_as_it_was_declared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
