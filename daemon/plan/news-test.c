#include "config.h"

#include "../../tests/unit/stage.h"

#include "plan/news.h"

#define SLOT_20 "2026-11-20T02:00:00Z"
#define SLOT_19 "2026-11-19T02:00:00Z"

/* A round at that time; what is told of it then. */
static const char *told_with(News *news, World *w, const char *now, const char *account)
{
    plan_with(w, now, (PlanOptions){.account = account});
    news_tell(news, w->plan, w->snapshot, account);
    return notes_of(w);
}

static const char *told(News *news, World *w, const char *now)
{
    return told_with(news, w, now, "prod");
}

#define assert_told(news, w, now, expected) assert_string_equal(told(news, w, now), expected)

/* Everything was made up to the 19th. */
static World until_19(Series **ret)
{
    World w = stage_with(NIGHTLY, ret);
    made_add(&w, *ret, SLOT_19, BACKUP_GOOD);
    return w;
}

static void a_missed_slot_is_told_once(void **state)
{
    (void)state;
    CLEANUP(news_freep) News *news = news_new();
    Series *series;
    CLEANUP(world_done) World w = until_19(&series);
    for (unsigned i = 0; i < 3; i++)
        assert_told(news, &w, "2026-11-20T15:00:00Z",
                    i ? "" : "missed " STAGE_VOLUME ": slot " SLOT_20 " was missed\n");
    /* The next one is told with the one before it, and then they are told. */
    for (unsigned i = 0; i < 3; i++)
        assert_told(news, &w, "2026-11-21T15:00:00Z",
                    i ? ""
                      : "missed " STAGE_VOLUME ": 2 slots were missed, from " SLOT_20 " to 2026-11-21T02:00:00Z\n");
    /* Another daemon does not know. */
    CLEANUP(news_freep) News *other = news_new();
    assert_string_not_equal(told(other, &w, "2026-11-21T15:00:00Z"), "");
}

static void each_volume_has_its_own(void **state)
{
    (void)state;
    CLEANUP(news_freep) News *news = news_new();
    Series *series;
    CLEANUP(world_done) World w = until_19(&series);
    told(news, &w, "2026-11-20T15:00:00Z");
    Series *other = volume_add(&w, "ocid1.bootvolume.w", "AVAILABLE", "");
    made_add(&w, other, SLOT_19, BACKUP_GOOD);
    assert_told(news, &w, "2026-11-20T15:00:00Z", "missed ocid1.bootvolume.w: slot " SLOT_20 " was missed\n");
    assert_told(news, &w, "2026-11-20T15:00:00Z", "");
}

static void other_notes_are_left_as_they_are(void **state)
{
    (void)state;
    CLEANUP(news_freep) News *news = news_new();
    Series *series;
    CLEANUP(world_done) World w = until_19(&series);
    made_add(&w, volume_add(&w, "ocid1.bootvolume.w", "AVAILABLE", ""), SLOT_20, BACKUP_FAULTY);
    Stray stray = {.volume = "ocid1.bootvolume.x", .n = 1, .newest = at(SLOT_19)};
    *VEC_ADD(&w.snapshot->of[0].strays) = &stray;
    for (unsigned i = 0; i < 2; i++) {
        plan_at(&w, "2026-11-20T13:00:00Z");
        news_tell(news, w.plan, w.snapshot, "prod");
        assert_int_equal(w.plan->notes.n, 2);
        assert_int_equal(w.plan->notes.items[0].kind, NOTE_FAULTY);
        assert_int_equal(w.plan->notes.items[1].kind, NOTE_VANISHED);
    }
    made_add(&w, w.snapshot->of[0].series.items[1], SLOT_20, BACKUP_GOOD);
    for (unsigned i = 0; i < 2; i++) {
        plan_at(&w, "2026-11-20T15:00:00Z");
        assert_int_equal(w.plan->notes.n, 2);
        news_tell(news, w.plan, w.snapshot, "prod");
        assert_int_equal(w.plan->notes.n, 2 - i);
        assert_int_equal(w.plan->notes.items[1 - i].kind, NOTE_VANISHED);
    }
}

static void a_backup_is_followed_until_it_is_there(void **state)
{
    (void)state;
    CLEANUP(news_freep) News *news = news_new();
    Series *series;
    CLEANUP(world_done) World w = until_19(&series);
    Made *made = made_add(&w, series, SLOT_20, BACKUP_UNFINISHED);
    assert_told(news, &w, "2026-11-20T02:00:01Z", "");
    made->state = BACKUP_GOOD;
    assert_told(news, &w, "2026-11-20T02:59:59Z",
                "available " STAGE_VOLUME ": ocid1.b1 is AVAILABLE, after at most 59 min 59 s\n");
    const Note *note = w.plan->notes.items;
    assert_string_equal(note->object, "ocid1.b1");
    assert_int_equal(note->slot, at(SLOT_20));
    assert_ptr_equal(note->spec, w.specs->items);
    assert_told(news, &w, "2026-11-20T03:00:00Z", "");
}

static void what_was_there_all_along_is_no_news(void **state)
{
    (void)state;
    CLEANUP(news_freep) News *news = news_new();
    Series *series;
    CLEANUP(world_done) World w = until_19(&series);
    made_add(&w, series, SLOT_20, BACKUP_GOOD);
    assert_told(news, &w, STAGE_NOW, "");
    assert_told(news, &w, STAGE_NOW, "");
}

static void how_long_it_took_is_told_as_far_as_it_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *now;
        const char *expected;
    } rows[] = {
        {SLOT_20, ", after at most 0 s"},
        {"2026-11-20T02:00:59.999Z", ", after at most 59 s"},
        {"2026-11-20T02:01:00Z", ", after at most 1 min 0 s"},
        {"2026-11-20T03:00:00Z", ", after at most 1 h 0 min"},
        {"2026-11-21T05:59:59Z", ", after at most 27 h 59 min"},
        {"2026-11-20T01:59:59Z", ""}, /* the cloud's clock is ahead */
        {NULL, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(news_freep) News *news = news_new();
        Series *series;
        CLEANUP(world_done) World w = stage_with("onCalendar: yearly", &series);
        Made *made = made_add(&w, series, SLOT_20, BACKUP_UNFINISHED);
        made->born = rows[i].now ? made->born : 0;
        told(news, &w, SLOT_20);
        made->state = BACKUP_GOOD;
        CLEANUP(freep)
        char *expected = xasprintf("available " STAGE_VOLUME ": ocid1.b0 is AVAILABLE%s\n", rows[i].expected);
        assert_told(news, &w, rows[i].now ? rows[i].now : STAGE_NOW, expected);
    }
}

static void one_that_failed_or_was_deleted_is_followed_no_further(void **state)
{
    (void)state;
    static const struct {
        BackupState end;
        const char *expected;
    } rows[] = {{BACKUP_FAULTY, "faulty " STAGE_VOLUME ": ocid1.b0 is FAULTY\n"}, {BACKUP_GONE, ""}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(news_freep) News *news = news_new();
        Series *series;
        CLEANUP(world_done) World w = stage_with("onCalendar: yearly", &series);
        Made *made = made_add(&w, series, SLOT_20, BACKUP_UNFINISHED);
        told(news, &w, SLOT_20);
        made->state = (uint8_t)rows[i].end;
        assert_told(news, &w, STAGE_NOW, rows[i].expected);
        assert_told(news, &w, STAGE_NOW, "");
        made->state = BACKUP_GOOD;
        assert_told(news, &w, STAGE_NOW, "");
    }
}

static void a_faulty_one_is_told_of_once_in_a_round(void **state)
{
    (void)state;
    CLEANUP(news_freep) News *news = news_new();
    Series *series;
    CLEANUP(world_done) World w = until_19(&series);
    Made *made = made_add(&w, series, SLOT_20, BACKUP_UNFINISHED);
    told(news, &w, "2026-11-20T02:00:01Z");
    made->state = BACKUP_FAULTY;
    assert_told(news, &w, "2026-11-20T02:01:00Z",
                "faulty " STAGE_VOLUME ": ocid1.b1 of slot " SLOT_20
                " is FAULTY; it is made again at 2026-11-20T02:05:00Z\n");
}

/* What a round made, as the outcome of its creation says. */
static void round_that_makes(News *news, World *w, Outcome outcome, const char *id)
{
    plan_at(w, "2026-11-20T02:00:00Z");
    assert_int_equal(w->plan->changes.n, 1);
    Change *c = &w->plan->changes.items[0];
    assert_int_equal(c->action, ACTION_CREATE);
    ((Live *)c->live)->id = id;
    change_set(w->plan, c, outcome, NULL);
    news_tell(news, w->plan, w->snapshot, "prod");
}

static void what_a_round_made_is_followed(void **state)
{
    (void)state;
    static const struct {
        Outcome outcome;
        const char *id;
        bool follows;
    } rows[] = {{OUTCOME_DONE, "ocid1.b1", true},
                {OUTCOME_DONE, NULL, false},
                {OUTCOME_FAILED, "ocid1.b1", false},
                {OUTCOME_HELD, "ocid1.b1", false}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(news_freep) News *news = news_new();
        Series *series;
        CLEANUP(world_done) World w = until_19(&series);
        round_that_makes(news, &w, rows[i].outcome, rows[i].id);
        made_add(&w, series, SLOT_20, BACKUP_GOOD);
        assert_told(news, &w, "2026-11-20T02:00:05Z",
                    rows[i].follows ? "available " STAGE_VOLUME ": ocid1.b1 is AVAILABLE, after at most 5 s\n" : "");
    }
}

static void what_a_round_wrote_is_not_followed(void **state)
{
    (void)state;
    CLEANUP(news_freep) News *news = news_new();
    Series *series;
    CLEANUP(world_done) World w = stage_with(NIGHTLY ", keep: {last: 1}, prune: true", &series);
    made_add(&w, series, SLOT_19, BACKUP_GOOD);
    made_add(&w, series, SLOT_20, BACKUP_GOOD);
    plan_at(&w, STAGE_NOW);
    assert_int_equal(w.plan->changes.items[0].action, ACTION_UPDATE);
    change_set(w.plan, w.plan->changes.items, OUTCOME_DONE, NULL);
    news_tell(news, w.plan, w.snapshot, "prod");
    assert_told(news, &w, STAGE_NOW, "");
}

static void one_that_no_list_shows_is_forgotten_after_a_day(void **state)
{
    (void)state;
    static const struct {
        const char *looked; /* without it */
        const char *account;
        bool knows;
    } rows[] = {
        {"2026-11-21T02:00:00Z", "prod", true},
        {"2026-11-21T02:00:00.000001Z", "prod", false},
        {"2026-11-21T02:00:00.000001Z", "lab", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(news_freep) News *news = news_new();
        Series *series;
        CLEANUP(world_done) World w = stage_with("onCalendar: yearly", &series);
        made_add(&w, series, SLOT_20, BACKUP_UNFINISHED);
        told(news, &w, SLOT_20);
        series->made.n = 0;
        told_with(news, &w, rows[i].looked, rows[i].account);
        made_add(&w, series, SLOT_20, BACKUP_GOOD);
        assert_int_equal(*told(news, &w, "2026-11-22T00:00:00Z") != 0, rows[i].knows);
    }
}

static void being_seen_again_begins_a_new_day(void **state)
{
    (void)state;
    CLEANUP(news_freep) News *news = news_new();
    Series *series;
    CLEANUP(world_done) World w = stage_with("onCalendar: yearly", &series);
    Made *made = made_add(&w, series, SLOT_20, BACKUP_UNFINISHED);
    told(news, &w, SLOT_20);
    told(news, &w, "2026-11-21T01:00:00Z");
    series->made.n = 0;
    told(news, &w, "2026-11-22T00:00:00Z");
    series->made.n = 1;
    made->state = BACKUP_GOOD;
    assert_told(news, &w, "2026-11-22T00:00:00Z",
                "available " STAGE_VOLUME ": ocid1.b0 is AVAILABLE, after at most 46 h 0 min\n");
}

static void another_accounts_round_sees_nothing(void **state)
{
    (void)state;
    CLEANUP(news_freep) News *news = news_new();
    Series *series;
    CLEANUP(world_done) World w = stage_with("onCalendar: yearly", &series);
    Made *made = made_add(&w, series, SLOT_20, BACKUP_UNFINISHED);
    told_with(news, &w, STAGE_NOW, "lab");
    made->state = BACKUP_GOOD;
    assert_told(news, &w, STAGE_NOW, "");
    made->state = BACKUP_UNFINISHED;
    told(news, &w, STAGE_NOW);
    made->state = BACKUP_GOOD;
    assert_string_equal(told_with(news, &w, STAGE_NOW, "lab"), "");
    assert_string_not_equal(told(news, &w, STAGE_NOW), "");
}

static World one_off(const char *backup_state)
{
    static const char yaml[] = "apiVersion: imagekeeper/v1\nkind: OciBootVolumeBackup\nmetadata: {name: once}\n"
                               "spec: {account: prod, bootVolumeId: " STAGE_VOLUME "}\n";
    World w = {.specs = specs_of(yaml), .snapshot = snapshot_new(1)};
    Arena *arena = w.snapshot->arena;
    CLEANUP(freep)
    char *text = xasprintf("{\"id\":\"ocid1.b0\",\"compartmentId\":\"ocid1.c\",\"lifecycleState\":\"%s\","
                           "\"timeRequestReceived\":\"" SLOT_20 "\"}",
                           backup_state);
    Live *volume = arena_alloc(arena, sizeof(*volume)), *backup = NULL;
    *volume = (Live){.kind = &oci_boot_volume, .id = STAGE_VOLUME, .state = "AVAILABLE"};
    assert_int_equal(live_from_text(&(LiveReader){.kind = &oci_boot_volume_backup}, text, strlen(text), NULL, arena, &backup, NULL), 0);
    w.snapshot->of[0].volume = volume;
    *VEC_ADD(&w.snapshot->of[0].objects) = backup;
    return w;
}

static void a_backup_that_is_made_once_is_followed_too(void **state)
{
    (void)state;
    CLEANUP(news_freep) News *news = news_new();
    CLEANUP(world_done) World making = one_off("CREATING"), there = one_off("AVAILABLE");
    assert_told(news, &making, SLOT_20, "");
    assert_told(news, &there, "2026-11-20T02:00:07Z",
                "available " STAGE_VOLUME ": ocid1.b0 is AVAILABLE, after at most 7 s\n");
    assert_int_equal(there.plan->notes.items[0].slot, 0);
    assert_told(news, &there, STAGE_NOW, "");
}

static void what_others_keep_is_not_followed(void **state)
{
    (void)state;
    CLEANUP(news_freep) News *news = news_new();
    CLEANUP(world_done) World w = drifted(2), making = stage("onCalendar: yearly"), made = stage("onCalendar: yearly");
    ((Live *)w.snapshot->of[0].objects.items[0])->state = "PROVISIONING";
    assert_told(news, &w, STAGE_NOW, "");
    ((Live *)w.snapshot->of[0].objects.items[0])->state = "AVAILABLE";
    assert_told(news, &w, STAGE_NOW, "");
    /* Neither are volumes. */
    volume_add(&making, STAGE_VOLUME, "PROVISIONING", "");
    volume_add(&made, STAGE_VOLUME, "AVAILABLE", "");
    assert_told(news, &making, SLOT_20, "");
    assert_told(news, &made, SLOT_20, "");
    news_free(NULL);
}

static void a_look_that_failed_shows_nothing(void **state)
{
    (void)state;
    CLEANUP(news_freep) News *news = news_new();
    CLEANUP(world_done) World making = one_off("CREATING"), failed = one_off("FAULTY"), there = one_off("AVAILABLE");
    told(news, &making, SLOT_20);
    error_set(&failed.snapshot->of[0].error, ERROR_TIMEOUT, "too slow");
    assert_told(news, &failed, SLOT_20, "");
    assert_told(news, &there, SLOT_20, "available " STAGE_VOLUME ": ocid1.b0 is AVAILABLE, after at most 0 s\n");
}

static void one_that_two_pages_showed_differently_is_followed_on(void **state)
{
    (void)state;
    CLEANUP(news_freep) News *news = news_new();
    Series *series;
    CLEANUP(world_done) World w = stage_with("onCalendar: yearly", &series);
    Made *made = made_add(&w, series, SLOT_20, BACKUP_UNFINISHED);
    told(news, &w, SLOT_20);
    made->state = BACKUP_UNSURE;
    told(news, &w, "2026-11-20T02:00:05Z");
    made->state = BACKUP_GOOD;
    assert_told(news, &w, "2026-11-20T02:00:10Z",
                "available " STAGE_VOLUME ": ocid1.b0 is AVAILABLE, after at most 10 s\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missed_slot_is_told_once),
        cmocka_unit_test(each_volume_has_its_own),
        cmocka_unit_test(other_notes_are_left_as_they_are),
        cmocka_unit_test(a_backup_is_followed_until_it_is_there),
        cmocka_unit_test(what_was_there_all_along_is_no_news),
        cmocka_unit_test(how_long_it_took_is_told_as_far_as_it_is_known),
        cmocka_unit_test(one_that_failed_or_was_deleted_is_followed_no_further),
        cmocka_unit_test(a_faulty_one_is_told_of_once_in_a_round),
        cmocka_unit_test(what_a_round_made_is_followed),
        cmocka_unit_test(what_a_round_wrote_is_not_followed),
        cmocka_unit_test(one_that_no_list_shows_is_forgotten_after_a_day),
        cmocka_unit_test(being_seen_again_begins_a_new_day),
        cmocka_unit_test(another_accounts_round_sees_nothing),
        cmocka_unit_test(a_backup_that_is_made_once_is_followed_too),
        cmocka_unit_test(what_others_keep_is_not_followed),
        cmocka_unit_test(a_look_that_failed_shows_nothing),
        cmocka_unit_test(one_that_two_pages_showed_differently_is_followed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
