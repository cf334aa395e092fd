#include "config.h"

#include "../../tests/unit/helper.h"
#include "../../tests/unit/zone.h"

#include "attr/oci-backup.h"
#include "live/harvest.h"

#define SCHEDULE(name, account, about)                                                                                 \
    "---\napiVersion: imagekeeper/v1\nkind: OciBootVolumeBackupSchedule\nmetadata: {name: " name "}\n"                 \
    "spec: {account: " account ", " about ", onCalendar: daily}\n"
#define SELECTS "selector: {compartmentId: ocid1.c}"
#define NAMES(volume) "bootVolumeId: " volume

#define SLOT_20 "2026-11-20T02:00:00Z"
#define SLOT_19 "2026-11-19T02:00:00Z"

/* Schedules, their volumes, and what is harvested. */
typedef struct Ground {
    Specs *specs;
    Snapshot *snapshot;
    Harvest *harvest;
} Ground;

static Ground ground(const char *yaml)
{
    Ground g = {.specs = specs_of(yaml)};
    g.snapshot = snapshot_new(g.specs->n);
    g.harvest = harvest_new(&oci_boot_volume_backup, g.specs, "prod", g.snapshot);
    return g;
}

static void ground_done(Ground *g)
{
    harvest_free(g->harvest);
    snapshot_free(g->snapshot);
    specs_free(g->specs);
}

static void add_volume(Ground *g, size_t schedule, const char *id, const char *container)
{
    Live *volume = arena_alloc(g->snapshot->arena, sizeof(*volume));
    *volume = (Live){.kind = &oci_boot_volume, .id = id, .container = container, .state = "AVAILABLE"};
    harvest_add(g->harvest, &g->specs->items[schedule], volume);
}

/* `nightly`, which selects, with the volumes ocid1.v and ocid1.w. */
static Ground nightly(void)
{
    Ground g = ground(SCHEDULE("nightly", "prod", SELECTS));
    add_volume(&g, 0, "ocid1.v", "ocid1.c");
    add_volume(&g, 0, "ocid1.w", "ocid1.c");
    return g;
}

/* One page of these items. */
static int take_page(Ground *g, const char *items, Error **err)
{
    CLEANUP(freep) char *text = xasprintf("[%s]", items);
    CLEANUP(json_page_freep) JsonPage *page = NULL;
    CLEANUP(error_freep) Error *bad = NULL;
    if (json_page_parse(text, strlen(text), NULL, &page, &bad) < 0)
        fail_msg("%s\n%s", bad->message, text);
    for (const JsonItem *item = json_page_next(page, NULL); item; item = json_page_next(page, item))
        if (harvest_take(g->harvest, item, err) < 0)
            return -1;
    return 0;
}

static void take(Ground *g, const char *items)
{
    assert_int_equal(take_page(g, items, NULL), 0);
}

#define BACKUP(id, volume, state, tags)                                                                                \
    "{\"id\":\"" id "\",\"bootVolumeId\":\"" volume "\",\"lifecycleState\":\"" state                                   \
    "\",\"timeRequestReceived\":\"2026-11-20T02:00:07Z\","                                                             \
    "\"freeformTags\":{" tags "}}"
#define TAG(schedule, slot) "\"imagekeeper\":\"" schedule "@" slot "\""
#define MARK(time) ",\"imagekeeper-prune-after\":\"" time "\""

static const char *const state_names[] = {
    [BACKUP_GOOD] = "good", [BACKUP_UNFINISHED] = "unfinished", [BACKUP_FAULTY] = "faulty",
    [BACKUP_GONE] = "gone", [BACKUP_UNSURE] = "unsure",
};
static const char *const mark_names[] = {
    [PRUNE_MARK_NONE] = "",
    [PRUNE_MARK_AT] = " at ",
    [PRUNE_MARK_NEVER] = " never",
    [PRUNE_MARK_UNREADABLE] = " unreadable",
};

/* "ocid1.v: b1 good 2026-11-20T02:00:00Z\n": what one schedule has, and "stray …". */
static const char *harvested(const Ground *g, size_t schedule)
{
    CLEANUP(str_done) Str out = {0};
    const Observed *observed = &g->snapshot->of[schedule];
    char time[RFC3339_SIZE];
    for (size_t i = 0; i < observed->series.n; i++) {
        const Series *series = observed->series.items[i];
        assert_ptr_equal(series->spec, &g->specs->items[schedule]);
        assert_ptr_equal(series->volume, observed->objects.items[i]);
        for (size_t k = 0; k < series->made.n; k++) {
            const Made *m = &series->made.items[k];
            str_addf(&out, "%s: %s %s %s%s%s\n", series->volume->id, m->id, state_names[m->state],
                     format_rfc3339(m->slot, time), mark_names[m->mark],
                     m->mark == PRUNE_MARK_AT ? format_rfc3339(m->prune_after, (char[RFC3339_SIZE]){0}) : "");
        }
    }
    for (size_t i = 0; i < observed->strays.n; i++)
        str_addf(&out, "stray %s: %zu until %s\n", observed->strays.items[i]->volume, observed->strays.items[i]->n,
                 format_rfc3339(observed->strays.items[i]->newest, time));
    return arena_strndup(g->snapshot->arena, str_get(&out), out.len);
}

#define assert_harvested(g, schedule, expected) assert_string_equal(harvested(g, schedule), expected)

static void what_bears_the_tag_is_of_its_volume(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    take(&g, BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20)) "," BACKUP("b2", "ocid1.w", "CREATING",
                                                                                      TAG("nightly", SLOT_20)));
    take(&g, BACKUP("b3", "ocid1.v", "FAULTY", TAG("nightly", SLOT_19) ",\"x\":\"y\""));
    harvest_end(g.harvest);
    assert_harvested(
        &g, 0, "ocid1.v: b1 good " SLOT_20 "\nocid1.v: b3 faulty " SLOT_19 "\nocid1.w: b2 unfinished " SLOT_20 "\n");
    assert_int_equal(g.snapshot->of[0].series.items[0]->made.items[0].born, at("2026-11-20T02:00:07Z"));
}

static void every_state_has_its_meaning(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    take(&g, BACKUP("b1", "ocid1.v", "REQUEST_RECEIVED", TAG("nightly", SLOT_20)) "," BACKUP(
                 "b2", "ocid1.v", "TERMINATING",
                 TAG("nightly", SLOT_20)) "," BACKUP("b3", "ocid1.v", "TERMINATED",
                                                     TAG("nightly", SLOT_20)) "," BACKUP("b4", "ocid1.v", "RESTORING",
                                                                                         TAG("nightly", SLOT_20)));
    harvest_end(g.harvest);
    assert_harvested(&g, 0,
                     "ocid1.v: b1 unfinished " SLOT_20 "\nocid1.v: b2 gone " SLOT_20 "\nocid1.v: b3 gone " SLOT_20
                     "\nocid1.v: b4 unfinished " SLOT_20 "\n");
}

static void what_nobody_claims_is_passed_over(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    g.snapshot->wants_orphans = true;
    take(
        &g,
        BACKUP("b1", "ocid1.v", "AVAILABLE", "") "," BACKUP("b2", "ocid1.v", "AVAILABLE", "\"imagekeeper\":\"nightly\"") "," BACKUP(
            "b3", "ocid1.v", "AVAILABLE",
            "\"imagekeeper\":\"nightly@2026-11-20\"") "," BACKUP("b4", "ocid1.v", "AVAILABLE",
                                                                 "\"imagekeeper\":7") ","
                                                                                      "{\"id\":\"b5\",\"bootVolumeId\":"
                                                                                      "\"ocid1.v\",\"lifecycleState\":"
                                                                                      "\"AVAILABLE\"},"
                                                                                      "{\"id\":\"b6\",\"bootVolumeId\":"
                                                                                      "\"ocid1.v\",\"freeformTags\":"
                                                                                      "null},"
                                                                                      "{\"id\":\"b7\",\"freeformTags\":"
                                                                                      "{" TAG(
                                                                                          "nightly",
                                                                                          SLOT_20) "},"
                                                                                                   "\"lifecycleState\":"
                                                                                                   "\"AVAILABLE\"},"
                                                                                                   "{\"id\":\"b8\","
                                                                                                   "\"bootVolumeId\":"
                                                                                                   "null,"
                                                                                                   "\"freeformTags\":"
                                                                                                   "{" TAG(
                                                                                                       "nightly",
                                                                                                       SLOT_20) "},"
                                                                                                                "\"life"
                                                                                                                "cycleS"
                                                                                                                "tate\""
                                                                                                                ":\"AVA"
                                                                                                                "ILABLE"
                                                                                                                "\"}");
    harvest_end(g.harvest);
    assert_harvested(&g, 0, "");
    assert_int_equal(g.snapshot->orphans.n, 0);
}

static void marks_are_read(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    take(&g, BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20) MARK("2026-11-21T02:00:00+01:00")) "," BACKUP(
                 "b2", "ocid1.v", "AVAILABLE",
                 TAG("nightly", SLOT_20)
                     MARK("never")) "," BACKUP("b3", "ocid1.v", "AVAILABLE",
                                               TAG("nightly", SLOT_20)
                                                   MARK("Never")) "," BACKUP("b4", "ocid1.v", "AVAILABLE",
                                                                             TAG("nightly", SLOT_20) MARK("")));
    harvest_end(g.harvest);
    assert_harvested(&g, 0,
                     "ocid1.v: b1 good " SLOT_20 " at 2026-11-21T01:00:00Z\nocid1.v: b2 good " SLOT_20 " never\n"
                     "ocid1.v: b3 good " SLOT_20 " unreadable\nocid1.v: b4 good " SLOT_20 " unreadable\n");
}

static void a_birth_that_is_not_told_is_not_known(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    take(&g,
         "{\"id\":\"b1\",\"bootVolumeId\":\"ocid1.v\",\"lifecycleState\":\"AVAILABLE\",\"freeformTags\":{" TAG(
             "nightly",
             SLOT_20) "}},"
                      "{\"id\":\"b2\",\"bootVolumeId\":\"ocid1.v\",\"lifecycleState\":\"AVAILABLE\",\"freeformTags\":"
                      "{" TAG("nightly",
                              SLOT_20) "},"
                                       "\"timeRequestReceived\":null,\"timeCreated\":\"2026-11-20T03:00:00Z\"}");
    const Series *series = g.snapshot->of[0].series.items[0];
    assert_int_equal(series->made.items[0].born, 0);
    assert_int_equal(series->made.items[1].born, at("2026-11-20T03:00:00Z"));
}

static void ours_without_a_state_is_not_understood(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    CLEANUP(error_freep) Error *err = NULL;
    assert_int_equal(
        take_page(&g, "{\"id\":\"b1\",\"bootVolumeId\":\"ocid1.v\",\"freeformTags\":{" TAG("nightly", SLOT_20) "}}",
                  &err),
        -1);
    assert_int_equal(err->kind, ERROR_PROTOCOL);
    assert_string_equal(err->message, "the answer does not say the lifecycleState of b1");
    /* Of what is not ours nothing need be understood. */
    assert_int_equal(
        take_page(&g, "{\"id\":\"b1\",\"bootVolumeId\":\"ocid1.v\",\"freeformTags\":{" TAG("other", SLOT_20) "}}",
                  NULL),
        0);
    assert_int_equal(
        take_page(&g, "{\"id\":\"b1\",\"bootVolumeId\":\"ocid1.x\",\"freeformTags\":{" TAG("nightly", SLOT_20) "}}",
                  NULL),
        0);
    harvest_end(g.harvest);
    assert_harvested(&g, 0, "");
}

/* live.c takes none either: it goes into paths, logs and terminals. */
static void an_id_that_can_be_none_is_not_understood(void **state)
{
    (void)state;
    static const char *const items[] = {
        BACKUP("b1\\u001b[31m", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20)),
        BACKUP("b 1", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20)),
        BACKUP("", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20)),
        BACKUP("b1", "ocid1.x\\n", "AVAILABLE", TAG("nightly", SLOT_20)),
        BACKUP("b1", "", "AVAILABLE", TAG("old", SLOT_20)),
    };
    for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
        CLEANUP(ground_done) Ground g = nightly();
        CLEANUP(error_freep) Error *err = NULL;
        if (take_page(&g, items[i], &err) == 0)
            fail_msg("%s was taken", items[i]);
        assert_int_equal(err->kind, ERROR_PROTOCOL);
    }
}

static void schedules_share_a_volume_each_with_its_own(void **state)
{
    (void)state;
    CLEANUP(ground_done)
    Ground g = ground(SCHEDULE("db", "prod", NAMES("ocid1.v")) SCHEDULE("db-nightly", "prod", NAMES("ocid1.v"))
                          SCHEDULE("\"db@2026-11-20T02:00:00Z\"", "prod", NAMES("ocid1.v")));
    for (size_t i = 0; i < 3; i++)
        add_volume(&g, i, "ocid1.v", "ocid1.c");
    take(&g,
         BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("db", SLOT_20)) "," BACKUP(
             "b2", "ocid1.v", "AVAILABLE",
             TAG("db-nightly", SLOT_20)) "," BACKUP("b3", "ocid1.v", "AVAILABLE",
                                                    TAG("db-night", SLOT_20)) "," BACKUP("b4", "ocid1.v", "AVAILABLE",
                                                                                         TAG("db@2026-11-20T02:00:00Z",
                                                                                             SLOT_20)));
    harvest_end(g.harvest);
    assert_harvested(&g, 0, "ocid1.v: b1 good " SLOT_20 "\n");
    assert_harvested(&g, 1, "ocid1.v: b2 good " SLOT_20 "\n");
    assert_harvested(&g, 2, "ocid1.v: b4 good " SLOT_20 "\n");
}

/* --- strays and orphans --- */

static void backups_of_a_volume_that_is_not_selected_are_strays(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    g.snapshot->wants_orphans = true;
    take(
        &g,
        BACKUP("b1", "ocid1.x", "AVAILABLE", TAG("nightly", SLOT_19)) "," BACKUP("b2", "ocid1.x", "FAULTY", TAG("nightly", SLOT_20)) "," BACKUP(
            "b3", "ocid1.x", "CREATING",
            TAG("nightly",
                "2026-11-18T02:00:00Z")) "," BACKUP("b4", "ocid1.y", "AVAILABLE",
                                                    TAG("nightly",
                                                        SLOT_19)) "," BACKUP("b5", "ocid1.x", "TERMINATED",
                                                                             TAG("nightly",
                                                                                 "2026-11-21T02:00:00Z")) "," BACKUP("b"
                                                                                                                     "6",
                                                                                                                     "o"
                                                                                                                     "c"
                                                                                                                     "i"
                                                                                                                     "d"
                                                                                                                     "1"
                                                                                                                     "."
                                                                                                                     "z",
                                                                                                                     "T"
                                                                                                                     "E"
                                                                                                                     "R"
                                                                                                                     "M"
                                                                                                                     "I"
                                                                                                                     "N"
                                                                                                                     "A"
                                                                                                                     "T"
                                                                                                                     "I"
                                                                                                                     "N"
                                                                                                                     "G",
                                                                                                                     TAG("nightly",
                                                                                                                         SLOT_20)));
    harvest_end(g.harvest);
    assert_harvested(&g, 0, "stray ocid1.x: 3 until " SLOT_20 "\nstray ocid1.y: 1 until " SLOT_19 "\n");
    assert_int_equal(g.snapshot->orphans.n, 0);
}

static void strays_are_of_one_schedule_each(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = ground(SCHEDULE("a", "prod", SELECTS) SCHEDULE("b", "prod", SELECTS));
    take(&g, BACKUP("b1", "ocid1.x", "AVAILABLE", TAG("a", SLOT_19)) "," BACKUP("b2", "ocid1.x", "AVAILABLE",
                                                                                TAG("b", SLOT_20)));
    harvest_end(g.harvest);
    assert_harvested(&g, 0, "stray ocid1.x: 1 until " SLOT_19 "\n");
    assert_harvested(&g, 1, "stray ocid1.x: 1 until " SLOT_20 "\n");
}

static void another_accounts_schedule_has_no_backups_here(void **state)
{
    (void)state;
    CLEANUP(ground_done)
    Ground g = ground(SCHEDULE("mine", "prod", NAMES("ocid1.v")) SCHEDULE("theirs", "lab", NAMES("ocid1.v")));
    add_volume(&g, 0, "ocid1.v", "ocid1.c");
    g.snapshot->wants_orphans = true;
    take(&g, BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("theirs", SLOT_20)));
    harvest_end(g.harvest);
    assert_harvested(&g, 0, "");
    assert_harvested(&g, 1, "");
    assert_int_equal(g.snapshot->orphans.n, 0);
}

static void what_no_spec_declares_is_an_orphan(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    static const char items[] = BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("old", SLOT_20)) "," BACKUP(
        "b2", "ocid1.x", "AVAILABLE", TAG("a@b", SLOT_20));
    take(&g, items);
    assert_int_equal(g.snapshot->orphans.n, 0);
    g.snapshot->wants_orphans = true;
    take(&g, items);
    harvest_end(g.harvest);
    assert_int_equal(g.snapshot->orphans.n, 2);
    assert_string_equal(g.snapshot->orphans.items[0].schedule, "old");
    assert_string_equal(g.snapshot->orphans.items[0].id, "b1");
    assert_string_equal(g.snapshot->orphans.items[1].schedule, "a@b");
    assert_string_equal(g.snapshot->orphans.items[1].id, "b2");
    assert_harvested(&g, 0, "");
}

/* --- what two pages show --- */

static void what_two_pages_show_alike_is_one(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    for (unsigned i = 0; i < 3; i++)
        take(&g, BACKUP("b2", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20) MARK("2026-11-21T02:00:00Z")) "," BACKUP(
                     "b1", "ocid1.v", "CREATING", TAG("nightly", SLOT_19)));
    harvest_end(g.harvest);
    assert_harvested(&g, 0,
                     "ocid1.v: b1 unfinished " SLOT_19 "\nocid1.v: b2 good " SLOT_20 " at 2026-11-21T02:00:00Z\n");
}

static void what_they_show_differently_is_unsure(void **state)
{
    (void)state;
    static const char *const others[] = {
        BACKUP("b1", "ocid1.v", "FAULTY", TAG("nightly", SLOT_20) MARK("2026-11-21T02:00:00Z")),
        BACKUP("b1", "ocid1.v", "TERMINATED", TAG("nightly", SLOT_20) MARK("2026-11-21T02:00:00Z")),
        BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_19) MARK("2026-11-21T02:00:00Z")),
        BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20) MARK("2026-11-21T02:00:01Z")),
        BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20) MARK("never")),
        BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20)),
    };
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        for (unsigned order = 0; order < 3; order++) {
            CLEANUP(ground_done) Ground g = nightly();
            static const char first[] =
                BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20) MARK("2026-11-21T02:00:00Z"));
            take(&g, order == 0 ? others[i] : first);
            take(&g, BACKUP("b0", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_19)));
            take(&g, order == 1 ? others[i] : first);
            take(&g, order == 2 ? others[i] : first);
            take(&g, BACKUP("b2", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_19)));
            harvest_end(g.harvest);
            const Series *series = g.snapshot->of[0].series.items[0];
            assert_int_equal(series->made.n, 3);
            assert_string_equal(series->made.items[1].id, "b1");
            assert_int_equal(series->made.items[0].state, BACKUP_GOOD);
            assert_int_equal(series->made.items[1].state, BACKUP_UNSURE);
            assert_int_equal(series->made.items[2].state, BACKUP_GOOD);
        }
}

static void marks_without_a_time_differ_too(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    take(
        &g,
        BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20)) "," BACKUP(
            "b1", "ocid1.v", "AVAILABLE",
            TAG("nightly", SLOT_20) MARK(
                "never")) "," BACKUP("b2", "ocid1.v", "AVAILABLE",
                                     TAG("nightly", SLOT_20) MARK(
                                         "x")) "," BACKUP("b2", "ocid1.v", "AVAILABLE",
                                                          TAG("nightly", SLOT_20) MARK(
                                                              "never")) "," BACKUP("b3", "ocid1.v", "AVAILABLE",
                                                                                   TAG("nightly", SLOT_20) MARK(
                                                                                       "never")) "," BACKUP("b3",
                                                                                                            "ocid1.v",
                                                                                                            "AVAILABLE",
                                                                                                            TAG("nightl"
                                                                                                                "y",
                                                                                                                SLOT_20)
                                                                                                                MARK(
                                                                                                                    "ne"
                                                                                                                    "ve"
                                                                                                                    "r")));
    harvest_end(g.harvest);
    static const BackupState expected[] = {BACKUP_UNSURE, BACKUP_UNSURE, BACKUP_GOOD};
    const Series *series = g.snapshot->of[0].series.items[0];
    assert_int_equal(series->made.n, ARRAY_SIZE(expected));
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_int_equal(series->made.items[i].state, expected[i]);
}

static void a_mark_in_another_form_is_the_same(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    take(&g, BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20) MARK("2026-11-21T02:00:00Z")) "," BACKUP(
                 "b1", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20) MARK("2026-11-21T03:00:00+01:00")));
    harvest_end(g.harvest);
    assert_int_equal(g.snapshot->of[0].series.items[0]->made.n, 1);
    assert_int_equal(g.snapshot->of[0].series.items[0]->made.items[0].state, BACKUP_GOOD);
}

/* --- which lists, and which fail --- */

static void add_wanted(void *userdata, const char *container, const char *volume)
{
    str_addf(userdata, "%s %s\n", container, volume ? volume : "all");
}

static void lists_are_of_a_selectors_container_or_of_one_volume(void **state)
{
    (void)state;
    CLEANUP(ground_done)
    Ground g = ground(SCHEDULE("a", "prod", SELECTS) SCHEDULE("b", "prod", NAMES("ocid1.v"))
                          SCHEDULE("c", "lab", SELECTS) SCHEDULE("d", "prod", NAMES("ocid1.gone"))
                              SCHEDULE("e", "prod", "selector: {compartmentId: ocid1.d}")
                                  SCHEDULE("f", "prod", "selector: {compartmentId: ocid1.f}"));
    CLEANUP(str_done) Str lists = {0};
    add_volume(&g, 0, "ocid1.w", "ocid1.c");
    add_volume(&g, 0, "ocid1.x", "ocid1.c");
    add_volume(&g, 1, "ocid1.v", "ocid1.e");
    error_set(&g.snapshot->of[3].error, ERROR_NOT_FOUND, "gone");
    error_set(&g.snapshot->of[5].error, ERROR_NOT_FOUND, "gone");
    harvest_each_list(g.harvest, add_wanted, &lists);
    assert_string_equal(str_get(&lists), "ocid1.c all\nocid1.e ocid1.v\nocid1.d all\n");
}

/* Which schedules are left when that list broke off: a letter for each. */
static const char *left_after(const char *container, const char *volume)
{
    static char left[6];
    CLEANUP(ground_done)
    Ground g = ground(SCHEDULE("a", "prod", SELECTS) SCHEDULE("b", "prod", NAMES("ocid1.v"))
                          SCHEDULE("c", "prod", NAMES("ocid1.w")) SCHEDULE("d", "lab", SELECTS)
                              SCHEDULE("e", "prod", "selector: {compartmentId: ocid1.d}"));
    CLEANUP(error_freep) Error *error = NULL;
    size_t n = 0;
    error_set(&error, ERROR_TIMEOUT, "too slow");
    add_volume(&g, 0, "ocid1.v", "ocid1.c");
    add_volume(&g, 1, "ocid1.v", "ocid1.c");
    add_volume(&g, 2, "ocid1.w", "ocid1.c");
    take(&g, BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("a", SLOT_20)) "," BACKUP(
                 "b2", "ocid1.v", "AVAILABLE", TAG("b", SLOT_20)) "," BACKUP("b3", "ocid1.x", "AVAILABLE",
                                                                             TAG("a", SLOT_20)));
    harvest_fail(g.harvest, container, volume, error);
    harvest_fail(g.harvest, container, volume, error);
    take(&g, BACKUP("b4", "ocid1.v", "AVAILABLE", TAG("a", SLOT_19)) "," BACKUP("b5", "ocid1.y", "AVAILABLE",
                                                                                TAG("a", SLOT_19)));
    harvest_end(g.harvest);
    for (size_t i = 0; i < 5; i++) {
        const Observed *observed = &g.snapshot->of[i];
        if (!observed->error) {
            left[n++] = *g.specs->items[i].name;
            continue;
        }
        assert_string_equal(observed->error->message, "too slow");
        assert_int_equal(observed->objects.n + observed->series.n + observed->strays.n, 0);
    }
    left[n] = 0;
    return left;
}

static void all_lists_are_whole_for_who_asks_for_orphans(void **state)
{
    (void)state;
    CLEANUP(ground_done)
    Ground g = ground(SCHEDULE("a", "prod", SELECTS) SCHEDULE("b", "prod", NAMES("ocid1.v"))
                          SCHEDULE("c", "prod", NAMES("ocid1.gone")));
    CLEANUP(str_done) Str lists = {0};
    g.snapshot->wants_orphans = true;
    add_volume(&g, 1, "ocid1.v", "ocid1.e");
    harvest_each_list(g.harvest, add_wanted, &lists);
    assert_string_equal(str_get(&lists), "ocid1.c all\nocid1.e all\n");
}

static void one_in_the_making_is_known_to_all_schedules_of_its_volume(void **state)
{
    (void)state;
    /* Whichever of them was the first. */
    for (unsigned maker = 0; maker < 2; maker++) {
        CLEANUP(ground_done)
        Ground g = ground(SCHEDULE("a", "prod", NAMES("ocid1.v")) SCHEDULE("b", "prod", NAMES("ocid1.v"))
                              SCHEDULE("c", "prod", NAMES("ocid1.w")));
        for (size_t i = 0; i < 3; i++)
            add_volume(&g, i, i < 2 ? "ocid1.v" : "ocid1.w", "ocid1.c");
        take(&g, BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("a", SLOT_20)) "," BACKUP(
                     "b2", "ocid1.v", "AVAILABLE", TAG("b", SLOT_20)) "," BACKUP("b3", "ocid1.w", "FAULTY",
                                                                                 TAG("c", SLOT_20)));
        take(&g, maker ? BACKUP("b0", "ocid1.v", "CREATING", TAG("b", SLOT_19))
                       : BACKUP("b0", "ocid1.v", "CREATING", TAG("a", SLOT_19)));
        harvest_end(g.harvest);
        for (size_t i = 0; i < 2; i++)
            assert_string_equal(g.snapshot->of[i].series.items[0]->unfinished->id, "b0");
        assert_null(g.snapshot->of[2].series.items[0]->unfinished);
    }
}

static void a_list_that_broke_off_shows_nothing(void **state)
{
    (void)state;
    assert_string_equal(left_after("ocid1.c", NULL), "de");
    assert_string_equal(left_after("ocid1.d", NULL), "abcd");
    assert_string_equal(left_after("ocid1.e", NULL), "abcde");
    /* A selector's backups are never looked for volume by volume, but a list of its container's may be another's. */
    assert_string_equal(left_after("ocid1.c", "ocid1.w"), "abde");
    assert_string_equal(left_after("ocid1.d", "ocid1.w"), "abcde");
}

static void an_error_of_its_own_stays(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    CLEANUP(error_freep) Error *error = NULL;
    error_set(&error, ERROR_TIMEOUT, "too slow");
    error_set(&g.snapshot->of[0].error, ERROR_NOT_FOUND, "gone");
    harvest_fail(g.harvest, "ocid1.c", NULL, error);
    take(&g, BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("nightly", SLOT_20)) "," BACKUP("b2", "ocid1.x", "AVAILABLE",
                                                                                      TAG("nightly", SLOT_20)));
    harvest_end(g.harvest);
    assert_string_equal(g.snapshot->of[0].error->message, "gone");
    assert_harvested(&g, 0, "");
    assert_int_equal(g.snapshot->of[0].objects.n, 0);
}

static void another_kind_of_backups_is_none_of_these(void **state)
{
    (void)state;
    CLEANUP(specs_freep) Specs *specs = specs_of(SCHEDULE("a", "prod", SELECTS));
    CLEANUP(snapshot_freep) Snapshot *snapshot = snapshot_new(1);
    CLEANUP(harvest_freep) Harvest *harvest = harvest_new(&oci_volume_backup, specs, "prod", snapshot);
    CLEANUP(str_done) Str lists = {0};
    harvest_each_list(harvest, add_wanted, &lists);
    assert_string_equal(str_get(&lists), "");
    harvest_end(harvest);
    harvest_free(NULL);
}

static void what_is_deleted_is_no_orphan(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    g.snapshot->wants_orphans = true;
    take(&g, BACKUP("b1", "ocid1.v", "TERMINATED", TAG("old", SLOT_20)));
    harvest_end(g.harvest);
    assert_int_equal(g.snapshot->orphans.n, 0);
}

static void an_orphan_on_two_pages_is_one(void **state)
{
    (void)state;
    CLEANUP(ground_done) Ground g = nightly();
    g.snapshot->wants_orphans = true;
    for (unsigned i = 0; i < 2; i++)
        take(&g, BACKUP("b1", "ocid1.v", "AVAILABLE", TAG("old", SLOT_20)));
    harvest_end(g.harvest);
    assert_int_equal(g.snapshot->orphans.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_bears_the_tag_is_of_its_volume),
        cmocka_unit_test(every_state_has_its_meaning),
        cmocka_unit_test(what_nobody_claims_is_passed_over),
        cmocka_unit_test(marks_are_read),
        cmocka_unit_test(a_birth_that_is_not_told_is_not_known),
        cmocka_unit_test(ours_without_a_state_is_not_understood),
        cmocka_unit_test(an_id_that_can_be_none_is_not_understood),
        cmocka_unit_test(schedules_share_a_volume_each_with_its_own),
        cmocka_unit_test(backups_of_a_volume_that_is_not_selected_are_strays),
        cmocka_unit_test(strays_are_of_one_schedule_each),
        cmocka_unit_test(another_accounts_schedule_has_no_backups_here),
        cmocka_unit_test(what_no_spec_declares_is_an_orphan),
        cmocka_unit_test(what_two_pages_show_alike_is_one),
        cmocka_unit_test(what_they_show_differently_is_unsure),
        cmocka_unit_test(marks_without_a_time_differ_too),
        cmocka_unit_test(a_mark_in_another_form_is_the_same),
        cmocka_unit_test(lists_are_of_a_selectors_container_or_of_one_volume),
        cmocka_unit_test(all_lists_are_whole_for_who_asks_for_orphans),
        cmocka_unit_test(one_in_the_making_is_known_to_all_schedules_of_its_volume),
        cmocka_unit_test(a_list_that_broke_off_shows_nothing),
        cmocka_unit_test(an_error_of_its_own_stays),
        cmocka_unit_test(another_kind_of_backups_is_none_of_these),
        cmocka_unit_test(what_is_deleted_is_no_orphan),
        cmocka_unit_test(an_orphan_on_two_pages_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
