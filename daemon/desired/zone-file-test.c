#include "config.h"

#include "../../tests/unit/helper.h"
#include "../../tests/unit/zone.h"

#include "desired/zone-file.h"

/* A database of one's own: Europe/Berlin and Test/Damaged. */
static char *database_make(void)
{
    static const TestType type = {3600, "CET"};
    CLEANUP(str_done) Str bytes = {0};
    char *folder = folder_make();
    CLEANUP(freep) char *path = xasprintf("%s/Europe/Berlin", folder);
    file_write(folder, "Europe/Berlin", "");
    file_write(folder, "Test/Damaged", "TZif");
    zone_file(&bytes, &(TestZone){.types = &type, .n_types = 1, .rule = "CET-1CEST,M3.5.0,M10.5.0/3"});
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
    assert_int_equal(fclose(f), 0);
    setenv("TZDIR", folder, 1);
    return folder;
}

static void assert_refused(ErrorKind kind, const char *name, const char *expected)
{
    CLEANUP(error_freep) Error *err = NULL;
    Zone *zone = NULL;
    if (zone_load(name, &zone, &err) == 0)
        fail_msg("\"%s\" was taken for a zone", name);
    assert_null(zone);
    assert_string_equal(err->message, expected);
    assert_int_equal(err->kind, kind);
}

static void utc_needs_no_database(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *utc = NULL;
    LocalTime t;
    setenv("TZDIR", "/nonexistent", 1);
    assert_int_equal(zone_load("UTC", &utc, NULL), 0);
    assert_string_equal(zone_name(utc), "UTC");
    zone_local(utc, 1795309323000000, &t);
    assert_int_equal(t.hour, 1);
    assert_string_equal(t.abbreviation, "UTC");
}

static void reads_the_file_of_a_name(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *zone = NULL;
    LocalTime t;
    char *folder = database_make();
    assert_int_equal(zone_load("Europe/Berlin", &zone, NULL), 0);
    folder_remove(folder);
    assert_string_equal(zone_name(zone), "Europe/Berlin");
    zone_local(zone, 1795309323000000, &t);
    assert_int_equal(t.offset, 3600);
}

static void an_unknown_name_is_told_with_the_likely_one(void **state)
{
    (void)state;
    char *folder = database_make();
    assert_refused(ERROR_SPEC, "Europe/Berln", "no time zone \"Europe/Berln\": did you mean \"Europe/Berlin\"?");
    assert_refused(
        ERROR_SPEC, "europe/berlin",
        "no time zone \"europe/berlin\": a name of the tz database such as Europe/Berlin, or UTC, is expected");
    assert_refused(ERROR_SPEC, "Nowhere",
                   "no time zone \"Nowhere\": a name of the tz database such as Europe/Berlin, or UTC, is expected");
    assert_refused(ERROR_SPEC, "Europe",
                   "no time zone \"Europe\": it is a region; a place in it is expected, as in Europe/Berlin");
    assert_refused(
        ERROR_SPEC, "Europe/Berlin/Mitte",
        "no time zone \"Europe/Berlin/Mitte\": a name of the tz database such as Europe/Berlin, or UTC, is expected");
    folder_remove(folder);
}

static void names_lead_nowhere_else(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",        "/etc/passwd",   "../zoneinfo/UTC", "Europe/../Europe/Berlin", "Europe//Berlin",
        "Europe/", "Europe/Berl.n", "Europe Berlin"};
    char *folder = database_make();
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(freep)
        char *expected = xasprintf(
            "no time zone \"%s\": a name of the tz database such as Europe/Berlin, or UTC, is expected", bad[i]);
        assert_refused(ERROR_SPEC, bad[i], expected);
    }
    assert_refused(ERROR_SPEC, "A\033B",
                   "no time zone \"A?B\": a name of the tz database such as Europe/Berlin, or UTC, is expected");
    folder_remove(folder);
}

static void a_damaged_file_is_told(void **state)
{
    (void)state;
    char *folder = database_make();
    assert_refused(ERROR_SPEC, "Test/Damaged",
                   "the file of the time zone \"Test/Damaged\" cannot be used: it is cut short");
    folder_remove(folder);
}

static void without_a_database_tzdata_is_to_be_installed(void **state)
{
    (void)state;
    setenv("TZDIR", "/nonexistent", 1);
    assert_refused(ERROR_LOCAL, "Europe/Berlin",
                   "no time zones can be looked up, /nonexistent is missing: install tzdata");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utc_needs_no_database),
        cmocka_unit_test(reads_the_file_of_a_name),
        cmocka_unit_test(an_unknown_name_is_told_with_the_likely_one),
        cmocka_unit_test(names_lead_nowhere_else),
        cmocka_unit_test(a_damaged_file_is_told),
        cmocka_unit_test(without_a_database_tzdata_is_to_be_installed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
