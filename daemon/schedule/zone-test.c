#include "config.h"

#include <stdio.h>

#include "../../tests/unit/zone.h"

/* "2026-03-29T03:00:00 CEST": what the clock shows. */
static void assert_clock(const Zone *zone, const char *utc, const char *expected)
{
    char shown[64];
    LocalTime t;
    usec_t wall = 0;
    assert_int_equal(parse_rfc3339(utc, &wall), 0);
    zone_local(zone, wall, &t);
    snprintf(shown, sizeof(shown), "%04d-%02d-%02dT%02d:%02d:%02d %s", t.year, t.month, t.day, t.hour, t.minute,
             t.second, t.abbreviation);
    assert_string_equal(shown, expected);
}

static int64_t seconds_of(const char *utc)
{
    usec_t wall = 0;
    assert_int_equal(parse_rfc3339(utc, &wall), 0);
    return (int64_t)(wall / USEC_PER_SEC);
}

/* Both as if they were of UTC. */
static void assert_instant(const Zone *zone, const char *local, const char *utc)
{
    assert_int_equal(zone_instant(zone, seconds_of(local)), seconds_of(utc));
    assert_int_equal(zone_instant_usec(zone, seconds_of(local) * 1000000), seconds_of(utc) * 1000000);
}

static void assert_latest(const Zone *zone, const char *utc, const char *local, int64_t more)
{
    assert_int_equal(zone_latest_usec(zone, seconds_of(utc) * 1000000), seconds_of(local) * 1000000 + more);
}

static void utc_needs_no_file(void **state)
{
    (void)state;
    LocalTime t;
    assert_string_equal(zone_name(zone_utc()), "UTC");
    assert_clock(zone_utc(), "2026-11-22T01:02:03Z", "2026-11-22T01:02:03 UTC");
    zone_local(zone_utc(), 1795309323000000, &t);
    assert_int_equal(t.weekday, 0);
    assert_int_equal(t.day_of_year, 325);
    assert_int_equal(t.offset, 0);
    assert_instant(zone_utc(), "2026-11-22T01:02:03Z", "2026-11-22T01:02:03Z");
}

static void dates_and_days_are_each_others_inverse(void **state)
{
    (void)state;
    assert_int_equal(days_from_date(1970, 1, 1), 0);
    assert_int_equal(days_from_date(2000, 3, 1), 11017);
    assert_int_equal(days_from_date(0, 3, 1), -719468);
    for (int64_t days = -1000000; days < 1000000; days++) {
        int year, month, day;
        date_from_days(days, &year, &month, &day);
        assert_true(month >= 1 && month <= 12 && day >= 1 && day <= 31);
        assert_int_equal(days_from_date(year, month, day), days);
    }
    assert_int_equal(weekday_from_days(0), 4);
    assert_int_equal(weekday_from_days(-5), 6);
    assert_int_equal(weekday_from_days(-4), 0);
}

static void a_rule_holds_for_ever(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    assert_clock(berlin, "2026-03-29T00:59:59Z", "2026-03-29T01:59:59 CET");
    assert_clock(berlin, "2026-03-29T01:00:00Z", "2026-03-29T03:00:00 CEST");
    assert_clock(berlin, "2026-10-25T00:59:59Z", "2026-10-25T02:59:59 CEST");
    assert_clock(berlin, "2026-10-25T01:00:00Z", "2026-10-25T02:00:00 CET");
    assert_clock(berlin, "1970-01-01T00:00:00Z", "1970-01-01T01:00:00 CET");
    assert_clock(berlin, "2426-03-29T01:00:00Z", "2426-03-29T03:00:00 CEST");
    assert_clock(berlin, "9998-10-25T00:59:59Z", "9998-10-25T02:59:59 CEST");
    assert_clock(berlin, "9998-10-25T01:00:00Z", "9998-10-25T02:00:00 CET");
}

static void summer_may_lie_across_the_turn_of_the_year(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *sydney = zone_of_rule(36000, "AEST-10AEDT,M10.1.0,M4.1.0/3");
    assert_clock(sydney, "2026-01-01T00:00:00Z", "2026-01-01T11:00:00 AEDT");
    assert_clock(sydney, "2026-04-04T16:00:00Z", "2026-04-05T02:00:00 AEST");
    assert_clock(sydney, "2026-10-03T16:00:00Z", "2026-10-04T03:00:00 AEDT");
}

static void summer_may_be_half_an_hour_or_less_than_none(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *lord_howe = zone_of_rule(LORD_HOWE);
    assert_clock(lord_howe, "2026-04-04T15:00:00Z", "2026-04-05T01:30:00 +1030");
    assert_clock(lord_howe, "2026-10-03T15:30:00Z", "2026-10-04T02:30:00 +11");
    CLEANUP(zone_freep) Zone *dublin = zone_of_rule(3600, "IST-1GMT0,M10.5.0,M3.5.0/1");
    assert_clock(dublin, "2026-10-25T01:00:00Z", "2026-10-25T01:00:00 GMT");
    assert_clock(dublin, "2026-03-29T01:00:00Z", "2026-03-29T02:00:00 IST");
}

static void changes_may_be_days_before_or_after(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *nuuk = zone_of_rule(-7200, "<-02>2<-01>,M3.5.0/-1,M10.5.0/0");
    assert_clock(nuuk, "2026-03-29T00:59:59Z", "2026-03-28T22:59:59 -02");
    assert_clock(nuuk, "2026-03-29T01:00:00Z", "2026-03-29T00:00:00 -01");
    CLEANUP(zone_freep) Zone *gaza = zone_of_rule(7200, "EET-2EEST,M3.4.4/50,M10.4.4/50");
    assert_clock(gaza, "2026-03-27T23:59:59Z", "2026-03-28T01:59:59 EET");
    assert_clock(gaza, "2026-03-28T00:00:00Z", "2026-03-28T03:00:00 EEST");
}

static void days_of_the_year_count_february_29_or_not(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *without = zone_of_rule(0, "AAA0BBB,J60/0,J61/0");
    assert_clock(without, "2028-02-29T23:59:59Z", "2028-02-29T23:59:59 AAA");
    assert_clock(without, "2028-03-01T00:00:00Z", "2028-03-01T01:00:00 BBB");
    assert_clock(without, "2027-03-01T00:00:00Z", "2027-03-01T01:00:00 BBB");
    CLEANUP(zone_freep) Zone *with = zone_of_rule(0, "AAA0BBB,59/0,60/0");
    assert_clock(with, "2028-02-29T00:00:00Z", "2028-02-29T01:00:00 BBB");
    assert_clock(with, "2027-03-01T00:00:00Z", "2027-03-01T01:00:00 BBB");
    CLEANUP(zone_freep) Zone *summer_all_year = zone_of_rule(-10800, "XXX3EDT4,0/0,J365/23");
    assert_clock(summer_all_year, "2028-01-01T02:59:59Z", "2027-12-31T22:59:59 EDT");
    assert_clock(summer_all_year, "2028-01-01T03:00:00Z", "2027-12-31T23:00:00 EDT");
    assert_clock(summer_all_year, "2028-07-01T03:00:00Z", "2028-06-30T23:00:00 EDT");
}

static const TestType apia_types[] = {{-41400, "LMT"}, {-36000, "OLD"}, {50400, "NEW"}};
static const TestChange apia_changes[] = {{-1861878784, 1}, {1325239200, 2}};
static const TestZone apia = {apia_types, 3, apia_changes, 2, "<+13>-13"};

static void the_list_comes_before_the_rule(void **state)
{
    (void)state;
    static const TestType types[] = {{3600, "AAA"}, {7200, "BBB"}};
    static const TestChange changes[] = {{1000000000, 1}, {1788220800, 0}};
    CLEANUP(zone_freep) Zone *zone = zone_make(&(TestZone){types, 2, changes, 2, "CET-1CEST,M3.5.0,M10.5.0/3"});
    assert_clock(zone, "1970-01-01T00:00:00Z", "1970-01-01T01:00:00 AAA");
    assert_clock(zone, "2026-07-01T00:00:00Z", "2026-07-01T02:00:00 BBB");
    assert_clock(zone, "2026-09-01T00:00:00Z", "2026-09-01T01:00:00 AAA");
    assert_clock(zone, "2026-10-24T00:00:00Z", "2026-10-24T01:00:00 AAA");
    assert_clock(zone, "2027-07-01T00:00:00Z", "2027-07-01T02:00:00 CEST");
}

static void without_a_rule_the_last_of_the_list_holds(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *zone = zone_make(&apia);
    assert_clock(zone, "1970-01-01T00:00:00Z", "1969-12-31T14:00:00 OLD");
    assert_clock(zone, "2011-12-30T09:59:59Z", "2011-12-29T23:59:59 OLD");
    assert_clock(zone, "2011-12-30T10:00:00Z", "2011-12-31T00:00:00 NEW");
    assert_clock(zone, "9000-01-01T00:00:00Z", "9000-01-01T14:00:00 NEW");
}

static void version_1_has_32_bits_and_no_rule(void **state)
{
    (void)state;
    CLEANUP(str_done) Str file = {0};
    CLEANUP(zone_freep) Zone *zone = NULL;
    add_block(&file, 0, &apia, 4);
    assert_int_equal(zone_parse("Old", str_get(&file), file.len, &zone, NULL), 0);
    assert_string_equal(zone_name(zone), "Old");
    assert_clock(zone, "2011-12-30T10:00:00Z", "2011-12-31T00:00:00 NEW");
}

static void a_skipped_time_is_the_end_of_the_gap(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN), *date_line = zone_make(&apia);
    assert_instant(berlin, "2026-03-29T01:59:59Z", "2026-03-29T00:59:59Z");
    assert_instant(berlin, "2026-03-29T02:00:00Z", "2026-03-29T01:00:00Z");
    assert_instant(berlin, "2026-03-29T02:59:59Z", "2026-03-29T01:00:00Z");
    assert_instant(berlin, "2026-03-29T03:00:00Z", "2026-03-29T01:00:00Z");
    assert_instant(berlin, "2026-03-29T03:00:01Z", "2026-03-29T01:00:01Z");
    assert_int_equal(zone_instant_usec(berlin, seconds_of("2026-03-29T02:30:00Z") * 1000000 + 7),
                     seconds_of("2026-03-29T01:00:00Z") * 1000000);
    assert_instant(date_line, "2011-12-30T12:00:00Z", "2011-12-30T10:00:00Z");
}

static void a_repeated_time_is_its_first_occurrence(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN), *new_york = zone_of_rule(NEW_YORK);
    assert_instant(berlin, "2026-10-25T01:59:59Z", "2026-10-24T23:59:59Z");
    assert_instant(berlin, "2026-10-25T02:00:00Z", "2026-10-25T00:00:00Z");
    assert_instant(berlin, "2026-10-25T02:59:59Z", "2026-10-25T00:59:59Z");
    assert_instant(berlin, "2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z");
    assert_instant(new_york, "2026-11-01T01:30:00Z", "2026-11-01T05:30:00Z");
    assert_instant(new_york, "2426-11-01T01:30:00Z", "2426-11-01T05:30:00Z");
    assert_int_equal(zone_instant_usec(berlin, -1), -3600000001);
}

static void the_latest_never_goes_back(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    assert_latest(berlin, "2026-07-01T00:00:00Z", "2026-07-01T02:00:00Z", 0);
    assert_latest(berlin, "2026-10-25T00:59:59Z", "2026-10-25T02:59:59Z", 0);
    assert_latest(berlin, "2026-10-25T01:00:00Z", "2026-10-25T03:00:00Z", -1);
    assert_latest(berlin, "2026-10-25T01:59:59Z", "2026-10-25T03:00:00Z", -1);
    assert_latest(berlin, "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z", 0);
    assert_latest(berlin, "2426-10-25T01:59:59Z", "2426-10-25T03:00:00Z", -1);
    int64_t last = INT64_MIN;
    for (int64_t t = 1790000000; t < 1795000000; t += 600) {
        int64_t latest = zone_latest_usec(berlin, t * 1000000);
        assert_true(latest >= last);
        assert_true(zone_instant_usec(berlin, latest) <= t * 1000000);
        last = latest;
    }
}

static void assert_refused(const Str *file, const char *expected)
{
    CLEANUP(error_freep) Error *err = NULL;
    Zone *zone = NULL;
    if (zone_parse("X", str_get(file), file->len, &zone, &err) == 0)
        fail_msg("taken, although: %s", expected);
    assert_null(zone);
    assert_int_equal(err->kind, ERROR_SPEC);
    assert_string_equal(err->message, expected);
}

static void refuses_files_of_another_kind(void **state)
{
    (void)state;
    CLEANUP(str_done) Str file = {0};
    assert_refused(&file, "the file of the time zone \"X\" cannot be used: it does not begin with \"TZif\"");
    str_add(&file, "#!/bin/sh\n");
    assert_refused(&file, "the file of the time zone \"X\" cannot be used: it does not begin with \"TZif\"");
}

static void refuses_what_is_cut_short(void **state)
{
    (void)state;
    CLEANUP(str_done) Str file = {0};
    zone_file(&file, &apia);
    for (size_t n = 0; n < file.len; n++) {
        CLEANUP(freep) char *part = xmalloc(n);
        Zone *zone = NULL;
        memcpy(part, file.data, n);
        assert_int_equal(zone_parse("X", part, n, &zone, NULL), -1);
    }
    file.len -= 10;
    assert_refused(&file, "the file of the time zone \"X\" cannot be used: its last line is missing");
    file.len -= 10;
    assert_refused(&file, "the file of the time zone \"X\" cannot be used: it is cut short");
}

static void assert_zone_refused(const TestZone *z, const char *why)
{
    CLEANUP(str_done) Str file = {0};
    CLEANUP(freep) char *expected = xasprintf("the file of the time zone \"X\" cannot be used: %s", why);
    zone_file(&file, z);
    assert_refused(&file, expected);
}

static void refuses_what_makes_no_sense(void **state)
{
    (void)state;
    static const TestType far = {93601, "FAR"}, control = {0, "A\033B"};
    static const TestChange back[] = {{5, 1}, {5, 2}}, nowhere[] = {{5, 3}}, late[] = {{INT64_MAX, 1}};
    assert_zone_refused(&(TestZone){.n_types = 0}, "it has no offset from UTC");
    assert_zone_refused(&(TestZone){.types = &far, .n_types = 1}, "it has an offset from UTC of more than a day");
    assert_zone_refused(&(TestZone){.types = &control, .n_types = 1}, "it has an abbreviation that is none");
    assert_zone_refused(&(TestZone){apia_types, 3, back, 2, ""}, "the changes of its clocks are not in order");
    assert_zone_refused(&(TestZone){apia_types, 3, late, 1, ""}, "the changes of its clocks are not in order");
    assert_zone_refused(&(TestZone){apia_types, 3, nowhere, 1, ""}, "a change of its clocks leads nowhere");
}

static void refuses_leap_seconds(void **state)
{
    (void)state;
    CLEANUP(str_done) Str file = {0};
    add_block(&file, 0, &apia, 4);
    file.data[31] = 1;
    str_addn(&file, "\0\0\0\0\0\0\0\1", 8);
    assert_refused(
        &file,
        "the file of the time zone \"X\" cannot be used: it counts leap seconds; take the zone without \"right/\"");
}

static void refuses_what_is_no_rule(void **state)
{
    (void)state;
    static const char *const bad[] = {"CE-1",
                                      "CET",
                                      "<+1-1",
                                      "<+1>-1",
                                      "CET-25",
                                      "CET-1CEST",
                                      "CET-1CEST,M3.5.0",
                                      "CET-1CEST,M3.5.0,M13.5.0",
                                      "CET-1CEST,M3.6.0,M10.5.0",
                                      "CET-1CEST,M3.5.7,M10.5.0",
                                      "CET-1CEST,M3.5.0/168,M10.5.0",
                                      "CET-1CEST,M3.5.0,M10.5.0/3x",
                                      "CET-1CEST,J0,J5",
                                      "CET-1CEST,J366,J5",
                                      "CET-1:60",
                                      "CET-1CEST,366,5",
                                      "CET-1CEST,M3.5.0,M10.5.0,",
                                      " CET-1",
                                      ":Europe/Berlin",
                                      "CET-99999999999999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_zone_refused(&(TestZone){apia_types, 3, apia_changes, 2, bad[i]}, "its last line is no rule");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utc_needs_no_file),
        cmocka_unit_test(dates_and_days_are_each_others_inverse),
        cmocka_unit_test(a_rule_holds_for_ever),
        cmocka_unit_test(summer_may_lie_across_the_turn_of_the_year),
        cmocka_unit_test(summer_may_be_half_an_hour_or_less_than_none),
        cmocka_unit_test(changes_may_be_days_before_or_after),
        cmocka_unit_test(days_of_the_year_count_february_29_or_not),
        cmocka_unit_test(the_list_comes_before_the_rule),
        cmocka_unit_test(without_a_rule_the_last_of_the_list_holds),
        cmocka_unit_test(version_1_has_32_bits_and_no_rule),
        cmocka_unit_test(a_skipped_time_is_the_end_of_the_gap),
        cmocka_unit_test(a_repeated_time_is_its_first_occurrence),
        cmocka_unit_test(the_latest_never_goes_back),
        cmocka_unit_test(refuses_files_of_another_kind),
        cmocka_unit_test(refuses_what_is_cut_short),
        cmocka_unit_test(refuses_what_makes_no_sense),
        cmocka_unit_test(refuses_leap_seconds),
        cmocka_unit_test(refuses_what_is_no_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
