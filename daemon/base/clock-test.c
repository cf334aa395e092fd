#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"

static usec_t time_of(const char *text)
{
    usec_t t = 0;
    assert_int_equal(parse_rfc3339(text, &t), 0);
    return t;
}

static void assert_no_time(const char *text)
{
    usec_t t = 7;
    if (parse_rfc3339(text, &t) == 0)
        fail_msg("\"%s\" was taken for a time", text);
    assert_int_equal(t, 7);
}

static usec_t duration_of(const char *text)
{
    usec_t t = 0;
    if (parse_duration(text, &t) < 0)
        fail_msg("\"%s\" was not taken for a duration", text);
    return t;
}

static void reads_a_time_in_utc(void **state)
{
    (void)state;
    assert_int_equal(time_of("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(time_of("2026-12-01T00:00:00Z"), 1796083200 * USEC_PER_SEC);
    assert_int_equal(time_of("2026-12-01t00:00:00z"), 1796083200 * USEC_PER_SEC);
}

static void reads_offsets(void **state)
{
    (void)state;
    assert_int_equal(time_of("2026-12-01T01:30:00+01:30"), time_of("2026-12-01T00:00:00Z"));
    assert_int_equal(time_of("2026-11-30T16:00:00-08:00"), time_of("2026-12-01T00:00:00Z"));
    assert_int_equal(time_of("2026-12-01T00:00:00-00:00"), time_of("2026-12-01T00:00:00Z"));
}

static void reads_fractions_down_to_microseconds(void **state)
{
    (void)state;
    assert_int_equal(time_of("1970-01-01T00:00:01.5Z"), 1500000);
    assert_int_equal(time_of("1970-01-01T00:00:00.000001Z"), 1);
    assert_int_equal(time_of("1970-01-01T00:00:00.1234567890123456789012345678901234567890Z"), 123456);
}

static void knows_how_long_months_are(void **state)
{
    (void)state;
    time_of("2028-02-29T00:00:00Z");
    time_of("2000-02-29T00:00:00Z");
    assert_no_time("2027-02-29T00:00:00Z");
    assert_no_time("2100-02-29T00:00:00Z");
    assert_no_time("2026-04-31T00:00:00Z");
    assert_no_time("2026-13-01T00:00:00Z");
    assert_no_time("2026-00-01T00:00:00Z");
    assert_no_time("2026-01-00T00:00:00Z");
}

static void a_leap_second_is_the_next_minute(void **state)
{
    (void)state;
    assert_int_equal(time_of("2016-12-31T23:59:60Z"), time_of("2017-01-01T00:00:00Z"));
    assert_no_time("2016-12-31T23:59:61Z");
}

static void a_leap_second_excuses_no_wrong_day(void **state)
{
    (void)state;
    assert_no_time("2027-02-30T23:59:60Z");
}

static void refuses_what_is_no_whole_time(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "2026-12-01",
                                      "2026-12-01T00:00Z",
                                      "2026-12-01T00:00:00",
                                      "2026-12-01 00:00:00Z",
                                      "2026-12-01T00:00:00.Z",
                                      "2026-12-01T24:00:00Z",
                                      "2026-12-01T00:60:00Z",
                                      "2026-12-01T00:00:00+0100",
                                      "2026-12-01T00:00:00+24:00",
                                      "2026-12-01T00:00:00Zx",
                                      " 2026-12-01T00:00:00Z",
                                      "2026-1-01T00:00:00Z",
                                      "tomorrow"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_no_time(bad[i]);
}

static void times_are_from_1970_to_9999(void **state)
{
    (void)state;
    char text[RFC3339_SIZE];
    assert_no_time("1969-12-31T23:59:59Z");
    assert_no_time("1970-01-01T00:00:00+00:01");
    assert_no_time("9999-12-31T23:59:59-00:01");
    assert_string_equal(format_rfc3339(time_of("9999-12-31T23:59:59Z"), text), "9999-12-31T23:59:59Z");
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    for (usec_t t = 0; t < 250000000000 * USEC_PER_SEC; t = t * 5 / 4 + 86399 * USEC_PER_SEC) {
        char rfc[RFC3339_SIZE], http[HTTP_DATE_SIZE];
        usec_t whole = t - t % USEC_PER_SEC, back = 0;
        assert_int_equal(time_of(format_rfc3339(t, rfc)), whole);
        assert_int_equal(parse_http_date(format_http_date(t, http), &back), 0);
        assert_int_equal(back, whole);
    }
}

static void writes_and_reads_http_dates(void **state)
{
    (void)state;
    char text[HTTP_DATE_SIZE];
    usec_t t = 0;
    assert_string_equal(format_http_date(time_of("2026-01-05T21:31:40Z"), text), "Mon, 05 Jan 2026 21:31:40 GMT");
    assert_int_equal(parse_http_date("Mon, 05 Jan 2026 21:31:40 GMT", &t), 0);
    assert_int_equal(t, time_of("2026-01-05T21:31:40Z"));
}

static void refuses_other_http_dates(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "Monday, 05-Jan-26 21:31:40 GMT",
                                      "Mon Jan  5 21:31:40 2026",
                                      "Mon, 5 Jan 2026 21:31:40 GMT",
                                      "Mon, 05 Jan 2026 21:31:40 CET",
                                      "Mon, 05 Jan 2026 21:31:40 GMT ",
                                      "Mon, 30 Feb 2026 21:31:40 GMT"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        usec_t t = 7;
        assert_int_equal(parse_http_date(bad[i], &t), -1);
        assert_int_equal(t, 7);
    }
}

static void reads_durations(void **state)
{
    (void)state;
    assert_int_equal(duration_of("0s"), 0);
    assert_int_equal(duration_of("90s"), 90 * USEC_PER_SEC);
    assert_int_equal(duration_of("5m"), 5 * USEC_PER_MINUTE);
    assert_int_equal(duration_of("250ms"), 250 * USEC_PER_MSEC);
    assert_int_equal(duration_of("1h30m"), 90 * USEC_PER_MINUTE);
    assert_int_equal(duration_of("7d"), 7 * 24 * USEC_PER_HOUR);
    assert_int_equal(duration_of("2w"), 14 * 24 * USEC_PER_HOUR);
}

static void refuses_what_is_no_duration(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "5",
                                      "m",
                                      "5 m",
                                      "-5m",
                                      "+5m",
                                      "5M",
                                      "5min",
                                      "1h 30m",
                                      "2hours",
                                      "1.5h",
                                      "5m ",
                                      "1mo",
                                      "5x",
                                      "18446744073709551616s",
                                      "99999999999999999999999999w",
                                      "36600d1s"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        usec_t t = 7;
        if (parse_duration(bad[i], &t) == 0)
            fail_msg("\"%s\" was taken for a duration", bad[i]);
        assert_int_equal(t, 7);
    }
}

static void the_clocks_go_on(void **state)
{
    (void)state;
    usec_t before = clock_monotonic();
    assert_true(clock_monotonic() >= before);
    assert_true(clock_wall() > 1600000000 * USEC_PER_SEC);
}

static void set_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

/* 2026-12-01T10:20:30Z */
#define NOW (1796120430 * USEC_PER_SEC)

static usec_t moment_of(const char *text)
{
    usec_t t = 0;
    if (parse_moment(text, NOW, MOMENT_FIRST, &t) < 0)
        fail_msg("\"%s\" was not taken for a time", text);
    return t;
}

static usec_t last_moment_of(const char *text)
{
    usec_t t = 0;
    if (parse_moment(text, NOW, MOMENT_LAST, &t) < 0)
        fail_msg("\"%s\" was not taken for a time", text);
    return t;
}

static void a_moment_without_a_zone_is_local(void **state)
{
    (void)state;
    static const char *const forms[] = {"2026-12-01", "2026-12-01 00:00", "2026-12-01 00:00:00", "2026-12-01T00:00",
                                        "today"};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        set_zone("UTC0");
        assert_int_equal(moment_of(forms[i]), time_of("2026-12-01T00:00:00Z"));
        set_zone("CET-1");
        assert_int_equal(moment_of(forms[i]), time_of("2026-11-30T23:00:00Z"));
    }
    set_zone("CET-1");
    assert_int_equal(moment_of("2026-12-01 08:09:10"), time_of("2026-12-01T07:09:10Z"));
    assert_int_equal(moment_of("2026-12-01T08:09:10Z"), time_of("2026-12-01T08:09:10Z"));
    assert_int_equal(moment_of("yesterday"), time_of("2026-11-29T23:00:00Z"));
    set_zone("KIR-14");
    assert_int_equal(moment_of("today"), time_of("2026-12-01T10:00:00Z"));
    set_zone("UTC0");
}

static void a_day_has_its_summer_or_winter_time(void **state)
{
    (void)state;
    set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_int_equal(moment_of("2026-07-01 12:00"), time_of("2026-07-01T10:00:00Z"));
    assert_int_equal(moment_of("2026-12-01 12:00"), time_of("2026-12-01T11:00:00Z"));
    char text[RFC3339_SIZE];
    assert_string_equal(format_rfc3339_local(time_of("2026-07-01T10:00:00Z"), text), "2026-07-01T12:00:00+02:00");
    set_zone("NST3:30");
    assert_string_equal(format_rfc3339_local(time_of("2026-07-01T10:00:00Z"), text), "2026-07-01T06:30:00-03:30");
    set_zone("UTC0");
    assert_string_equal(format_rfc3339_local(0, text), "1970-01-01T00:00:00+00:00");
}

static void an_hour_that_occurs_twice_is_the_first_or_the_last(void **state)
{
    (void)state;
    static const char *const zones[] = {"Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"};
    for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
        set_zone(zones[i]);
        /* What was asked before makes no difference. */
        static const char *const before[] = {"2026-07-01", "2026-12-01", "2026-10-25 02:30"};
        for (size_t k = 0; k < ARRAY_SIZE(before); k++) {
            moment_of(before[k]);
            assert_int_equal(moment_of("2026-10-25 02:30"), time_of("2026-10-25T00:30:00Z"));
            last_moment_of(before[k]);
            assert_int_equal(last_moment_of("2026-10-25 02:30"), time_of("2026-10-25T01:30:00Z"));
        }
        assert_int_equal(last_moment_of("2026-10-25 01:59:59"), time_of("2026-10-24T23:59:59Z"));
        assert_int_equal(moment_of("2026-10-25 02:00"), time_of("2026-10-25T00:00:00Z"));
        assert_int_equal(moment_of("2026-10-25 03:00"), time_of("2026-10-25T02:00:00Z"));
        assert_int_equal(last_moment_of("2026-10-25"), time_of("2026-10-24T22:00:00Z"));
    }
    set_zone("Europe/Moscow"); /* no summer time: another zone from then on */
    assert_int_equal(moment_of("2014-10-26 01:30"), time_of("2014-10-25T21:30:00Z"));
    assert_int_equal(last_moment_of("2014-10-26 01:30"), time_of("2014-10-25T22:30:00Z"));
    set_zone("UTC0");
}

static void a_time_that_clocks_skipped_is_when_they_were_set_on(void **state)
{
    (void)state;
    set_zone("Europe/Berlin");
    static const char *const skipped[] = {"2026-03-29 02:00", "2026-03-29 02:30", "2026-03-29 02:59:59",
                                          "2026-03-29 03:00"};
    for (size_t i = 0; i < ARRAY_SIZE(skipped); i++) {
        assert_int_equal(moment_of(skipped[i]), time_of("2026-03-29T01:00:00Z"));
        assert_int_equal(last_moment_of(skipped[i]), time_of("2026-03-29T01:00:00Z"));
    }
    assert_int_equal(moment_of("2026-03-29 01:59:59"), time_of("2026-03-29T00:59:59Z"));
    set_zone("Pacific/Apia"); /* a whole day */
    assert_int_equal(moment_of("2011-12-30 12:00"), time_of("2011-12-30T10:00:00Z"));
    assert_int_equal(moment_of("2011-12-29 23:59:59"), time_of("2011-12-30T09:59:59Z"));
    assert_int_equal(moment_of("2011-12-31"), time_of("2011-12-30T10:00:00Z"));
    set_zone("UTC0");
}

static void a_local_time_before_all_times_is_the_first_one(void **state)
{
    (void)state;
    set_zone("Asia/Tokyo");
    assert_int_equal(moment_of("1970-01-01"), 0);
    assert_int_equal(moment_of("1970-01-01 09:00:01"), USEC_PER_SEC);
    set_zone("America/New_York");
    assert_int_equal(moment_of("9999-12-31 23:59:59"), time_of("9999-12-31T23:59:59Z"));
    set_zone("UTC0");
}

static void an_hour_alone_is_of_today(void **state)
{
    (void)state;
    set_zone("CET-1");
    assert_int_equal(moment_of("08:00"), time_of("2026-12-01T07:00:00Z"));
    assert_int_equal(moment_of("23:59:58"), time_of("2026-12-01T22:59:58Z"));
    set_zone("KIR-14");
    assert_int_equal(moment_of("00:30"), time_of("2026-12-01T10:30:00Z"));
    set_zone("UTC0");
}

static void spans_are_read_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        usec_t ago;
    } rows[] = {
        {"1 day ago", USEC_PER_DAY},
        {"3 days ago", 3 * USEC_PER_DAY},
        {"3min ago", 3 * USEC_PER_MINUTE},
        {"2 hours ago", 2 * USEC_PER_HOUR},
        {"2 hr ago", 2 * USEC_PER_HOUR},
        {"1hour ago", USEC_PER_HOUR},
        {"1h 30min ago", 90 * USEC_PER_MINUTE},
        {"1 hour 30 minutes 1 second ago", 90 * USEC_PER_MINUTE + USEC_PER_SEC},
        {"90 seconds ago", 90 * USEC_PER_SEC},
        {"90sec ago", 90 * USEC_PER_SEC},
        {"5 m ago", 5 * USEC_PER_MINUTE},
        {"1 minute ago", USEC_PER_MINUTE},
        {"2 weeks ago", 14 * USEC_PER_DAY},
        {"1 week 1d ago", 8 * USEC_PER_DAY},
        {"-3 days", 3 * USEC_PER_DAY},
        {"-1h 30min", 90 * USEC_PER_MINUTE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(moment_of(rows[i].text), NOW - rows[i].ago);
}

static void a_moment_may_be_ago(void **state)
{
    (void)state;
    assert_int_equal(moment_of("now"), NOW);
    assert_int_equal(moment_of("2h ago"), NOW - 2 * USEC_PER_HOUR);
    assert_int_equal(moment_of("-2h"), NOW - 2 * USEC_PER_HOUR);
    assert_int_equal(moment_of("1h30m ago"), NOW - 90 * USEC_PER_MINUTE);
    assert_int_equal(moment_of("36600d ago"), 0);
}

static void refuses_what_is_no_moment(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        " ",
                                        "2h",
                                        "ago",
                                        " ago",
                                        "-",
                                        "--2h",
                                        "-2h ago",
                                        "2 ago",
                                        "2h  ago",
                                        "2h ago ",
                                        "2026-02-30",
                                        "2026-13-01",
                                        "2026-12-1",
                                        "2026-12-01 ",
                                        "Today",
                                        "2026-12-01 8:00",
                                        "2026-12-01 24:00",
                                        "2026-12-01 08:00:60",
                                        "2026-12-01 08:00:00.5",
                                        "tomorrow",
                                        "8:00",
                                        "08",
                                        "24:00",
                                        "08:00 ",
                                        "08:00:60",
                                        "1 day",
                                        "1 dayago",
                                        "1 fortnight ago",
                                        "1 day, 1 hour ago",
                                        "day ago",
                                        "1 Day ago",
                                        "1969-12-31",
                                        "10000-01-01",
                                        "11111111111111111111111111111111111111111111h ago"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        usec_t t = 7;
        if (parse_moment(wrong[i], NOW, MOMENT_FIRST, &t) == 0)
            fail_msg("\"%s\" was taken for a time", wrong[i]);
        assert_int_equal(t, 7);
    }
}

static void writes_microseconds(void **state)
{
    (void)state;
    char text[RFC3339_SIZE];
    assert_string_equal(format_rfc3339_usec(NOW + 42, text), "2026-12-01T10:20:30.000042Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_time_in_utc),
        cmocka_unit_test(reads_offsets),
        cmocka_unit_test(reads_fractions_down_to_microseconds),
        cmocka_unit_test(knows_how_long_months_are),
        cmocka_unit_test(a_leap_second_is_the_next_minute),
        cmocka_unit_test(a_leap_second_excuses_no_wrong_day),
        cmocka_unit_test(refuses_what_is_no_whole_time),
        cmocka_unit_test(times_are_from_1970_to_9999),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(writes_and_reads_http_dates),
        cmocka_unit_test(refuses_other_http_dates),
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(refuses_what_is_no_duration),
        cmocka_unit_test(the_clocks_go_on),
        cmocka_unit_test(a_moment_without_a_zone_is_local),
        cmocka_unit_test(a_day_has_its_summer_or_winter_time),
        cmocka_unit_test(an_hour_that_occurs_twice_is_the_first_or_the_last),
        cmocka_unit_test(a_time_that_clocks_skipped_is_when_they_were_set_on),
        cmocka_unit_test(a_local_time_before_all_times_is_the_first_one),
        cmocka_unit_test(an_hour_alone_is_of_today),
        cmocka_unit_test(spans_are_read_as_people_write_them),
        cmocka_unit_test(a_moment_may_be_ago),
        cmocka_unit_test(refuses_what_is_no_moment),
        cmocka_unit_test(writes_microseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
