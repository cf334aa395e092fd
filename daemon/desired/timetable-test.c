#include "config.h"

#include "../../tests/unit/helper.h"

#include <utime.h>

#include "desired/timetable.h"

#define SCHEDULE(name, more)                                                                                           \
    "---\napiVersion: imagekeeper/v1\nkind: OciBootVolumeBackupSchedule\nmetadata: {name: " name "}\n"                 \
    "spec: {account: prod, bootVolumeId: ocid1.v, " more "}\n"
#define DAILY "onCalendar: daily"

static const Timetable *first(const Specs *specs)
{
    assert_non_null(specs->items[0].timetable);
    return specs->items[0].timetable;
}

static void what_is_not_said_has_its_default(void **state)
{
    (void)state;
    CLEANUP(specs_freep) Specs *specs = specs_of(SCHEDULE("a", DAILY));
    const Timetable *t = first(specs);
    assert_ptr_equal(t->zone, zone_utc());
    assert_int_equal(t->delay, 0);
    assert_int_equal(t->catch_up, 12 * USEC_PER_HOUR);
    assert_int_equal(t->keep.grace, 24 * USEC_PER_HOUR);
    assert_null(t->display_name);
    assert_false(t->keeps);
    assert_false(t->prune);
}

static void what_is_said_counts(void **state)
{
    (void)state;
    CLEANUP(specs_freep)
    Specs *specs = specs_of(SCHEDULE(
        "a",
        "cron: \"0 2 * * *\", randomizedDelay: 15m, catchUp: 3d, displayName: \"{slot}\", grace: 36h, prune: true, "
        "keep: {last: 3, hourly: 0, daily: 7, weekly: 4, monthly: 12, yearly: 100000}"));
    const Timetable *t = first(specs);
    static const unsigned counts[] = {3, 0, 7, 4, 12, 100000};
    assert_int_equal(t->delay, 15 * USEC_PER_MINUTE);
    assert_int_equal(t->catch_up, 3 * USEC_PER_DAY);
    assert_int_equal(t->keep.grace, 36 * USEC_PER_HOUR);
    assert_string_equal(t->display_name, "{slot}");
    assert_true(t->keeps);
    assert_true(t->prune);
    for (KeepClass class = 0; class < KEEP_CLASS_MAX; class ++)
        assert_int_equal(t->keep.count[class], counts[class]);
    assert_true(calendar_has(t->calendar, t->zone, 2 * USEC_PER_HOUR));
    assert_false(calendar_has(t->calendar, t->zone, 3 * USEC_PER_HOUR));
}

static void prune_may_be_denied(void **state)
{
    (void)state;
    CLEANUP(specs_freep) Specs *specs = specs_of(SCHEDULE("a", DAILY ", keep: {last: 1}, prune: false"));
    assert_true(first(specs)->keeps);
    assert_false(first(specs)->prune);
}

static void the_zone_is_that_of_the_calendar_or_the_one_beside_it(void **state)
{
    (void)state;
    CLEANUP(specs_freep)
    Specs *specs =
        specs_of(SCHEDULE("a", "onCalendar: 02:00 Europe/Berlin") SCHEDULE("b", DAILY ", timeZone: Europe/Berlin")
                     SCHEDULE("c", "cron: \"0 2 * * *\", timeZone: Asia/Tokyo")
                         SCHEDULE("d", "onCalendar: 02:00 Europe/Berlin, timeZone: Europe/Berlin")
                             SCHEDULE("e", "onCalendar: 02:00 UTC") SCHEDULE("f", DAILY ", timeZone: UTC"));
    static const char *const zones[] = {"Europe/Berlin", "Europe/Berlin", "Asia/Tokyo", "Europe/Berlin", "UTC", "UTC"};
    assert_int_equal(specs->n, ARRAY_SIZE(zones));
    for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
        const Timetable *t = specs->items[i].timetable;
        assert_string_equal(zone_name(t->zone), zones[i]);
        assert_ptr_equal(t->keep.zone, t->zone);
    }
    /* Each is loaded once. */
    assert_int_equal(specs->zones.n, 2);
    assert_ptr_equal(specs->items[0].timetable->zone, specs->items[1].timetable->zone);
}

static void its_file_says_when_it_was_written(void **state)
{
    (void)state;
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(specs_freep) Specs *specs = NULL;
    char *folder = folder_make();
    CLEANUP(freep) char *path = xasprintf("%s/specs/a.yaml", folder);
    file_write(folder, "specs/a.yaml", SCHEDULE("a", DAILY));
    assert_int_equal(utime(path, &(struct utimbuf){1000, 2000}), 0);
    assert_int_equal(folder_load(folder, problems, &specs, NULL), 0);
    assert_int_equal(first(specs)->written, 2000 * USEC_PER_SEC);
    folder_remove(folder);
}

static void other_documents_have_none(void **state)
{
    (void)state;
    CLEANUP(specs_freep) Specs *specs = spec_of("displayName: x", "");
    assert_null(specs->items[0].timetable);
    timetable_done(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(what_is_said_counts),
        cmocka_unit_test(prune_may_be_denied),
        cmocka_unit_test(the_zone_is_that_of_the_calendar_or_the_one_beside_it),
        cmocka_unit_test(its_file_says_when_it_was_written),
        cmocka_unit_test(other_documents_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
