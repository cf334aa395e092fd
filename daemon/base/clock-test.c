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
    if (parse_moment(text, NOW, &t) < 0)
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
    usec_t t = moment_of("2026-03-29 02:30"); /* there is none */
    assert_true(t == time_of("2026-03-29T01:30:00Z") || t == time_of("2026-03-29T00:30:00Z"));
    char text[RFC3339_SIZE];
    assert_string_equal(format_rfc3339_local(time_of("2026-07-01T10:00:00Z"), text), "2026-07-01T12:00:00+02:00");
    set_zone("NST3:30");
    assert_string_equal(format_rfc3339_local(time_of("2026-07-01T10:00:00Z"), text), "2026-07-01T06:30:00-03:30");
    set_zone("UTC0");
    assert_string_equal(format_rfc3339_local(0, text), "1970-01-01T00:00:00+00:00");
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
                                        "1969-12-31",
                                        "10000-01-01",
                                        "11111111111111111111111111111111111111111111h ago"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        usec_t t = 7;
        if (parse_moment(wrong[i], NOW, &t) == 0)
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
        cmocka_unit_test(a_moment_may_be_ago),
        cmocka_unit_test(refuses_what_is_no_moment),
        cmocka_unit_test(writes_microseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
