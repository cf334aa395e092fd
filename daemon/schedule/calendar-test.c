#include "config.h"

#include "../../tests/unit/zone.h"

#include <stdio.h>

#include "schedule/calendar.h"

static usec_t time_of(const char *text)
{
    usec_t t = 0;
    if (parse_rfc3339(text, &t) < 0)
        fail_msg("%s is no time", text);
    return t;
}

static Calendar *parse(bool cron, const char *text)
{
    CLEANUP(error_freep) Error *err = NULL;
    Calendar *c = NULL;
    if ((cron ? calendar_parse_cron : calendar_parse)(text, &c, &err) < 0)
        fail_msg("%s", err->message);
    assert_null(err);
    return c;
}

/* Fractions are shown as they are, and seconds without. */
static void show(Str *s, usec_t t)
{
    char text[RFC3339_SIZE];
    str_addf(s, "%s%s", s->len ? " " : "", format_rfc3339(t, text));
    if (t % USEC_PER_SEC)
        str_addf(s, "+%06u", (unsigned)(t % USEC_PER_SEC));
}

/* The instants after `base`, as many as `expected` has. Backwards, they must be the same ones. */
static void assert_instants(const Calendar *c, const Zone *zone, const char *base, const char *expected)
{
    CLEANUP(str_done) Str shown = {0};
    usec_t t = time_of(base), before = 0;
    while (shown.len < strlen(expected) && calendar_next(c, zone, t, &t)) {
        usec_t back = 0;
        show(&shown, t);
        assert_true(calendar_has(c, zone, t));
        assert_false(calendar_has(c, zone, t + 1));
        assert_true(calendar_previous(c, zone, t + 1, &back));
        assert_int_equal(back, t);
        if (before) {
            assert_true(calendar_previous(c, zone, t, &back));
            assert_int_equal(back, before);
        }
        before = t;
    }
    assert_string_equal(str_get(&shown), expected);
}

static void assert_next(const char *text, const char *base, const char *expected)
{
    CLEANUP(calendar_freep) Calendar *c = parse(false, text);
    assert_instants(c, zone_utc(), base, expected);
}

static void assert_next_in(int32_t offset, const char *rule, const char *text, const char *base, const char *expected)
{
    CLEANUP(calendar_freep) Calendar *c = parse(false, text);
    CLEANUP(zone_freep) Zone *zone = zone_of_rule(offset, rule);
    assert_instants(c, zone, base, expected);
}

static void assert_cron(const char *text, const char *base, const char *expected)
{
    CLEANUP(calendar_freep) Calendar *c = parse(true, text);
    assert_instants(c, zone_utc(), base, expected);
}

static void assert_refused(bool cron, const char *text, const char *expected)
{
    CLEANUP(error_freep) Error *err = NULL;
    Calendar *c = NULL;
    if ((cron ? calendar_parse_cron : calendar_parse)(text, &c, &err) == 0)
        fail_msg("\"%s\" was taken", text);
    assert_null(c);
    assert_int_equal(err->kind, ERROR_SPEC);
    assert_string_equal(err->message, expected);
}

static void assert_same(const char *text, const char *other)
{
    CLEANUP(calendar_freep) Calendar *a = parse(false, text), *b = parse(false, other);
    usec_t s = time_of("2026-01-01T00:00:00Z"), t = s;
    for (int i = 0; i < 50; i++) {
        bool more = calendar_next(a, zone_utc(), s, &s);
        assert_int_equal(more, calendar_next(b, zone_utc(), t, &t));
        if (s != t)
            fail_msg("\"%s\" is not \"%s\"", text, other);
    }
}

#define NEW_YEAR "2026-01-01T00:00:00Z"

static void shorthands_mean_what_the_manual_says(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"minutely", "*-*-* *:*:00"},
        {"hourly", "*-*-* *:00:00"},
        {"daily", "*-*-* 00:00:00"},
        {"weekly", "Mon *-*-* 0:0"},
        {"monthly", "*-*-01 00:00:00"},
        {"quarterly", "*-01,04,07,10-01 00:00:00"},
        {"yearly", "*-01-01 00:00"},
        {"annually", "*-01-01"},
        {"semiannually", "*-01,07-01 00:00:00"},
        {"DAILY", "daily"},
        {"anually", "yearly"},
        {"bi-annually", "semiannually"},
        {"biannually", "semiannually"},
        {"semi-annually", "semiannually"},
        {"daily UTC", "daily"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_same(rows[i][0], rows[i][1]);
}

/* Those of the manual, each beside its normalized form. */
static void forms_are_normalized_as_in_the_manual(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"Sat,Thu,Mon..Wed,Sat..Sun", "Mon..Thu,Sat,Sun *-*-* 00:00:00"},
        {"Mon,Sun 26-*-* 2,1:23", "Mon,Sun 2026-*-* 01,02:23:00"},
        {"Wed *-1", "Wed *-*-01 00:00:00"},
        {"Wed..Wed,Wed *-1", "Wed *-*-01 00:00:00"},
        {"Wed, 17:48", "Wed *-*-* 17:48:00"},
        {"Wed-Sat,Tue 26-10-15 1:2:3", "Tue..Sat 2026-10-15 01:02:03"},
        {"*-*-7 0:0:0", "*-*-07 00:00:00"},
        {"10-15", "*-10-15 00:00:00"},
        {"monday *-12-* 17:00", "Mon *-12-* 17:00:00"},
        {"Mon,Fri *-*-3,1,2 *:30:45", "Mon,Fri *-*-01,02,03 *:30:45"},
        {"12,14,13,12:20,10,30", "*-*-* 12,13,14:10,20,30:00"},
        {"12..14:10,20,30", "*-*-* 12,13,14:10,20,30:00"},
        {"mon,fri *-1/2-1,3 *:30:45", "Mon,Fri *-01,03,05,07,09,11-01,03 *:30:45"},
        {"03-05 08:05:40", "*-03-05 08:05:40"},
        {"08:05:40", "*-*-* 08:05:40"},
        {"05:40", "*-*-* 05:40:00"},
        {"Sat,Sun 12-05 08:05:40", "Sat,Sun *-12-05 08:05:40"},
        {"Sat,Sun 08:05:40", "Sat,Sun *-*-* 08:05:40"},
        {"2028-03-05 05:40", "2028-03-05 05:40:00"},
        {"05:40:23.4200004/3.1700005", "*-*-* 05:40:23.420000/3.170001"},
        {"2028-02..04-05", "2028-02,03,04-05 00:00:00"},
        {"*:2/3", "*-*-* *:02,05,08,11,14,17,20,23,26,29,32,35,38,41,44,47,50,53,56,59:00"},
        {"2028-3-5 ", "2028-03-05"},
        {"Mon..Sun 1:0", "1:00"},
        {"*-*~* 1:0", "1:00"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_same(rows[i][0], rows[i][1]);
}

static void weekday_and_date_must_both_fit(void **state)
{
    (void)state;
    assert_next("Fri *-*-13", NEW_YEAR, "2026-02-13T00:00:00Z 2026-03-13T00:00:00Z 2026-11-13T00:00:00Z");
    assert_next("Mon *-02-29", NEW_YEAR, "2044-02-29T00:00:00Z 2072-02-29T00:00:00Z");
}

static void tilde_counts_from_the_end_of_the_month(void **state)
{
    (void)state;
    assert_next("*-02~03", NEW_YEAR, "2026-02-26T00:00:00Z 2027-02-26T00:00:00Z 2028-02-27T00:00:00Z");
    assert_next("*-*~01", NEW_YEAR,
                "2026-01-31T00:00:00Z 2026-02-28T00:00:00Z 2026-03-31T00:00:00Z 2026-04-30T00:00:00Z");
    assert_next("Mon *-05~07/1", NEW_YEAR, "2026-05-25T00:00:00Z 2027-05-31T00:00:00Z 2028-05-29T00:00:00Z");
    assert_next("*-02~7/3", NEW_YEAR,
                "2026-02-22T00:00:00Z 2026-02-25T00:00:00Z 2026-02-28T00:00:00Z 2027-02-22T00:00:00Z");
    assert_next("02~1..6/2", NEW_YEAR,
                "2026-02-24T00:00:00Z 2026-02-26T00:00:00Z 2026-02-28T00:00:00Z 2027-02-24T00:00:00Z");
    assert_next("*-*~28", NEW_YEAR, "2026-01-04T00:00:00Z 2026-02-01T00:00:00Z 2026-03-04T00:00:00Z");
}

static void a_step_starts_anew_each_month(void **state)
{
    (void)state;
    assert_next("*-*-1/10", "2026-12-12T00:00:00Z",
                "2026-12-21T00:00:00Z 2026-12-31T00:00:00Z 2027-01-01T00:00:00Z 2027-01-11T00:00:00Z");
    assert_next("*-2/7-30", NEW_YEAR, "2026-09-30T00:00:00Z 2027-09-30T00:00:00Z");
}

static void years_may_have_two_digits(void **state)
{
    (void)state;
    assert_next("27..29/2-01-01", NEW_YEAR, "2027-01-01T00:00:00Z 2029-01-01T00:00:00Z");
    assert_next("98..26-12-31", "1997-01-01T00:00:00Z", "1998-12-31T00:00:00Z 1999-12-31T00:00:00Z");
    assert_next("2000/64-01-01", "1990-01-01T00:00:00Z",
                "2000-01-01T00:00:00Z 2064-01-01T00:00:00Z 2128-01-01T00:00:00Z 2192-01-01T00:00:00Z");
}

static void it_ends_in_2199_and_begins_in_1970(void **state)
{
    (void)state;
    CLEANUP(calendar_freep) Calendar *c = parse(false, "*-12-31 23:59:59.999999"), *never = parse(false, "*-02-30");
    usec_t t = 7;
    assert_instants(c, zone_utc(), "2198-01-01T00:00:00Z", "2198-12-31T23:59:59Z+999999 2199-12-31T23:59:59Z+999999");
    assert_false(calendar_next(c, zone_utc(), time_of("2199-12-31T23:59:59.999999Z"), &t));
    assert_false(calendar_next(c, zone_utc(), UINT64_MAX, &t));
    assert_false(calendar_previous(c, zone_utc(), time_of("1970-12-31T23:59:59.999999Z"), &t));
    assert_false(calendar_previous(c, zone_utc(), 0, &t));
    assert_false(calendar_next(never, zone_utc(), 0, &t));
    assert_false(calendar_previous(never, zone_utc(), UINT64_MAX, &t));
    assert_false(calendar_has(never, zone_utc(), 0));
    assert_int_equal(t, 7);
    assert_true(calendar_previous(c, zone_utc(), UINT64_MAX, &t));
    assert_int_equal(t, time_of("2199-12-31T23:59:59.999999Z"));
}

static void the_epoch_is_an_instant(void **state)
{
    (void)state;
    CLEANUP(calendar_freep) Calendar *c = parse(false, "daily"), *east = parse(false, "*-*-* 01:00");
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    usec_t t = 7;
    assert_true(calendar_has(c, zone_utc(), 0));
    assert_true(calendar_has(east, berlin, 0));
    assert_true(calendar_previous(c, zone_utc(), 1, &t));
    assert_int_equal(t, 0);
    assert_false(calendar_previous(c, berlin, 1, &t));
}

static void seconds_may_have_fractions(void **state)
{
    (void)state;
    assert_next("*:0:0.5/29.25", NEW_YEAR,
                "2026-01-01T00:00:00Z+500000 2026-01-01T00:00:29Z+750000 2026-01-01T00:00:59Z "
                "2026-01-01T01:00:00Z+500000");
    assert_next("*:*:58..59", NEW_YEAR, "2026-01-01T00:00:58Z 2026-01-01T00:00:59Z 2026-01-01T00:01:58Z");
    assert_next("1:1:1.0000005", NEW_YEAR, "2026-01-01T01:01:01Z+000001");
    assert_next("1:1:0..1/0.5", NEW_YEAR,
                "2026-01-01T01:01:00Z 2026-01-01T01:01:00Z+500000 2026-01-01T01:01:01Z 2026-01-02T01:01:00Z");
    assert_next("*:*:30,7", NEW_YEAR, "2026-01-01T00:00:07Z 2026-01-01T00:00:30Z 2026-01-01T00:01:07Z");
}

static void the_end_of_a_range_may_lie_behind_its_last_value(void **state)
{
    (void)state;
    assert_same("0..25/20:00", "0,20:00");
    assert_same("12..14/5:00", "12:00");
    assert_same("12..12:00", "12:00");
}

static void a_timestamp_is_one_instant_whatever_the_zone(void **state)
{
    (void)state;
    CLEANUP(calendar_freep)
    Calendar *c = parse(false, "@1795309323"),
             *other = parse(false, "@1795309323 Europe/Berlin");
    CLEANUP(calendar_freep) Calendar *monday = parse(false, "Mon @1795309323");
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    usec_t t = 7;
    assert_instants(c, berlin, NEW_YEAR, "2026-11-22T01:02:03Z");
    assert_string_equal(calendar_zone(c), "UTC");
    assert_instants(other, berlin, NEW_YEAR, "2026-11-22T01:02:03Z");
    assert_string_equal(calendar_zone(other), "Europe/Berlin");
    assert_false(calendar_next(monday, berlin, 0, &t));
}

static void the_zone_is_the_last_word(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"daily Europe/Berlin", "Europe/Berlin"},
        {"Mon 12:00 utc", "UTC"},
        {"Mon UTC", "UTC"},
        {"*-*-* Etc/GMT+5", "Etc/GMT+5"},
        {"12:00 EST5EDT", "EST5EDT"},
        {"2026-01-01  America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(calendar_freep) Calendar *c = parse(false, rows[i][0]);
        assert_string_equal(calendar_zone(c), rows[i][1]);
    }
    CLEANUP(calendar_freep) Calendar *without = parse(false, "Mon 12:00"), *cron = parse(true, "@daily");
    assert_null(calendar_zone(without));
    assert_null(calendar_zone(cron));
}

static void a_skipped_time_is_made_when_the_gap_ends(void **state)
{
    (void)state;
    assert_next_in(BERLIN, "02:30", "2026-03-27T12:00:00Z",
                   "2026-03-28T01:30:00Z 2026-03-29T01:00:00Z 2026-03-30T00:30:00Z");
    assert_next_in(NEW_YORK, "02:00", "2026-03-07T12:00:00Z", "2026-03-08T07:00:00Z 2026-03-09T06:00:00Z");
    assert_next_in(BERLIN, "2:0:59.5", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:00:59Z+500000");
}

static void several_in_the_gap_become_one(void **state)
{
    (void)state;
    assert_next_in(BERLIN, "*:0/15", "2026-03-29T00:44:00Z",
                   "2026-03-29T00:45:00Z 2026-03-29T01:00:00Z 2026-03-29T01:15:00Z 2026-03-29T01:30:00Z");
    assert_next_in(BERLIN, "2:15,30", "2026-03-28T12:00:00Z",
                   "2026-03-29T01:00:00Z 2026-03-30T00:15:00Z 2026-03-30T00:30:00Z");
    assert_next_in(LORD_HOWE, "2:0/10", "2026-10-03T12:00:00Z",
                   "2026-10-03T15:30:00Z 2026-10-03T15:40:00Z 2026-10-03T15:50:00Z 2026-10-04T15:00:00Z");
}

static void a_repeated_time_is_made_once(void **state)
{
    (void)state;
    assert_next_in(BERLIN, "02:30", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z");
    assert_next_in(NEW_YORK, "01:00", "2026-11-01T00:00:00Z", "2026-11-01T05:00:00Z 2026-11-02T06:00:00Z");
    assert_next_in(BERLIN, "*:0/30", "2026-10-25T00:10:00Z",
                   "2026-10-25T00:30:00Z 2026-10-25T02:00:00Z 2026-10-25T02:30:00Z");
    assert_next_in(BERLIN, "*:0/30", "2026-10-25T01:10:00Z", "2026-10-25T02:00:00Z 2026-10-25T02:30:00Z");
    assert_next_in(LORD_HOWE, "*:0/20", "2026-04-04T14:30:00Z",
                   "2026-04-04T14:40:00Z 2026-04-04T15:30:00Z 2026-04-04T15:50:00Z 2026-04-04T16:10:00Z");
}

static void backwards_from_within_the_repeated_hour(void **state)
{
    (void)state;
    CLEANUP(calendar_freep) Calendar *c = parse(false, "*:0/30");
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    usec_t t = 0;
    assert_true(calendar_previous(c, berlin, time_of("2026-10-25T01:45:00Z"), &t));
    assert_int_equal(t, time_of("2026-10-25T00:30:00Z"));
    assert_false(calendar_has(c, berlin, time_of("2026-10-25T01:30:00Z")));
    assert_true(calendar_has(c, berlin, time_of("2026-10-25T00:30:00Z")));
    assert_true(calendar_previous(c, berlin, time_of("2026-03-29T01:00:00Z"), &t));
    assert_int_equal(t, time_of("2026-03-29T00:30:00Z"));
}

static void a_day_that_the_zone_skipped_is_made_at_its_end(void **state)
{
    (void)state;
    static const TestType types[] = {{-36000, "OLD"}, {50400, "NEW"}};
    static const TestChange changes[] = {{1325239200, 1}};
    CLEANUP(zone_freep) Zone *apia = zone_make(&(TestZone){types, 2, changes, 1, ""});
    CLEANUP(calendar_freep) Calendar *c = parse(false, "12:00"), *friday = parse(false, "Fri 06:00");
    assert_instants(c, apia, "2011-12-29T00:00:00Z", "2011-12-29T22:00:00Z 2011-12-30T10:00:00Z 2011-12-30T22:00:00Z");
    assert_instants(friday, apia, "2011-12-24T00:00:00Z", "2011-12-30T10:00:00Z 2012-01-05T16:00:00Z");
}

static void refuses_with_the_part_that_is_wrong(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", "\"\": a time is expected, as in \"daily\" or \"Mon..Fri 02:00\""},
        {" UTC", "\" UTC\": a time is expected, as in \"daily\" or \"Mon..Fri 02:00\""},
        {"dayly", "\"dayly\": \"dayly\" is not known; did you mean \"daily\"?"},
        {"Mondy 2:00", "\"Mondy 2:00\": \"Mondy\" is not known; did you mean \"Monday\"?"},
        {"every 5 minutes", "\"every 5 minutes\": \"every\" is neither a weekday nor a word such as daily"},
        {"Fri..Mon", "\"Fri..Mon\": weekdays \"Fri..Mon\": the range runs backwards: the week begins on Monday"},
        {"Mon.. 2:00",
         "\"Mon.. 2:00\": weekdays \"Mon..\": a weekday is expected at the end of the range, as in Mon..Fri"},
        {"Mon,,Tue", "\"Mon,,Tue\": weekdays \"Mon,,Tue\": a weekday is expected, as in Mon or Monday"},
        {"Mon.Fri", "\"Mon.Fri\": weekdays \"Mon.Fri\": a range has two ends and two dots, as in Mon..Fri"},
        {"Mon Fri", "\"Mon Fri\": \"Fri\" is neither a weekday nor a word such as daily"},
        {"12", "\"12\": \"12\" is neither a date (which has a -) nor a time (which has a :)"},
        {"*-13-01", "\"*-13-01\": month \"13\": a month is from 1 to 12"},
        {"2200-01-01", "\"2200-01-01\": year \"2200\": a year is from 1970 to 2199, or has two digits"},
        {"*-*-0", "\"*-*-0\": day \"0\": a day is from 1 to 31"},
        {"*-*~29", "\"*-*~29\": day \"29\": a day before the month's end is from 1 to 28"},
        {"2026-1-1-1",
         "\"2026-1-1-1\": date \"2026-1-1-1\": year, month and day are expected, as in 2026-11-22 or *-*~01"},
        {"2026~1-1", "\"2026~1-1\": date \"2026~1-1\": year, month and day are expected, as in 2026-11-22 or *-*~01"},
        {"24:00", "\"24:00\": hour \"24\": an hour is from 0 to 23"},
        {"0:60", "\"0:60\": minute \"60\": a minute is from 0 to 59"},
        {"0:0:59.9999999", "\"0:0:59.9999999\": second \"59.9999999\": a second is from 0 to 59.999999"},
        {"99999999999999999999:0",
         "\"99999999999999999999:0\": hour \"99999999999999999999\": an hour is from 0 to 23"},
        {"*:*/5", "\"*:*/5\": minute \"*/5\": * takes no step; count from the first value, as in 0/5"},
        {"*:*,5", "\"*:*,5\": minute \"*,5\": * stands alone"},
        {"1-5:00", "\"1-5:00\": hour \"1-5\": a range is written with two dots, as in 2..5"},
        {"5..2:00", "\"5..2:00\": hour \"5..2\": the range runs backwards"},
        {"5..:00", "\"5..:00\": hour \"5..\": a number, a range such as 2..5 or a list of them is expected"},
        {"x:00", "\"x:00\": \"x:00\" is neither a weekday nor a word such as daily"},
        {"*:50/15", "\"*:50/15\": minute \"50/15\": there is no room for one step"},
        {"*:0/0", "\"*:0/0\": minute \"0/0\": a step of 0 leads nowhere"},
        {"*:*:0..5/2148", "\"*:*:0..5/2148\": second \"0..5/2148\": the number is too large"},
        {"*:0/", "\"*:0/\": minute \"0/\": a number is expected behind /"},
        {"*:*:0..0.5", "\"*:*:0..0.5\": second \"0..0.5\": a range of less than a second needs a step"},
        {"1:2:3:4", "\"1:2:3:4\": time \"1:2:3:4\": hour and minute are expected, as in 02:00 or 02:00:30"},
        {"1:2 3", "\"1:2 3\": \"1:2 3\" is expected to end with the time or a time zone"},
        {"@", "\"@\": \"@\": whole seconds since 1970 are expected behind @, and nothing else"},
        {"@5.5", "\"@5.5\": \"@5.5\": whole seconds since 1970 are expected behind @, and nothing else"},
        {"@7258118400", "\"@7258118400\": \"@7258118400\": a timestamp is from 1970 to 2199"},
        {"2:00\033[31m",
         "\"2:00?[31m\": minute \"00?[31m\": a number, a range such as 2..5 or a list of them is expected"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_refused(false, rows[i][0], rows[i][1]);
}

static void lists_have_a_limit(void **state)
{
    (void)state;
    CLEANUP(str_done) Str text = {0};
    str_add(&text, "*:*:0");
    for (int i = 1; i < 241; i++)
        str_add(&text, ",0");
    calendar_free(parse(false, str_get(&text)));
    str_add(&text, ",0");
    assert_int_equal(calendar_parse(str_get(&text), NULL, NULL), -1);
}

static void cron_has_five_fields(void **state)
{
    (void)state;
    assert_cron("30 2 * * *", NEW_YEAR, "2026-01-01T02:30:00Z 2026-01-02T02:30:00Z");
    assert_cron(" 0\t0 29  2 *", NEW_YEAR, "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z");
    assert_cron("5/20 1-3/2 * * *", NEW_YEAR,
                "2026-01-01T01:05:00Z 2026-01-01T01:25:00Z 2026-01-01T01:45:00Z 2026-01-01T03:05:00Z");
    assert_cron("*/25 0 1 JAN,jul *", NEW_YEAR, "2026-01-01T00:25:00Z 2026-01-01T00:50:00Z 2026-07-01T00:00:00Z");
    assert_cron("0 0 * * mon-Fri", NEW_YEAR, "2026-01-02T00:00:00Z 2026-01-05T00:00:00Z");
    assert_cron("0 */24 * * *", NEW_YEAR, "2026-01-02T00:00:00Z 2026-01-03T00:00:00Z");
}

static void cron_sunday_is_0_and_7(void **state)
{
    (void)state;
    static const char sundays[] = "2026-01-04T00:00:00Z 2026-01-11T00:00:00Z";
    static const char weekends[] = "2026-01-03T00:00:00Z 2026-01-04T00:00:00Z 2026-01-10T00:00:00Z";
    assert_cron("0 0 * * 0", NEW_YEAR, sundays);
    assert_cron("0 0 * * 7", NEW_YEAR, sundays);
    assert_cron("0 0 * * sun", NEW_YEAR, sundays);
    assert_cron("0 0 * * 6-7", NEW_YEAR, weekends);
    assert_cron("0 0 * * sat-sun", NEW_YEAR, weekends);
    assert_cron("0 0 * * 6/1", NEW_YEAR, weekends);
}

static void cron_days_are_alternatives_when_both_are_restricted(void **state)
{
    (void)state;
    assert_cron("0 0 10 * 5", NEW_YEAR,
                "2026-01-02T00:00:00Z 2026-01-09T00:00:00Z 2026-01-10T00:00:00Z 2026-01-16T00:00:00Z");
    assert_cron("0 0 */2 * 5", NEW_YEAR, "2026-01-09T00:00:00Z 2026-01-23T00:00:00Z 2026-02-13T00:00:00Z");
    assert_cron("0 0 13 * *", NEW_YEAR, "2026-01-13T00:00:00Z 2026-02-13T00:00:00Z");
    assert_cron("0 0 31 2 5", NEW_YEAR, "2026-02-06T00:00:00Z 2026-02-13T00:00:00Z");
}

static void cron_shorthands(void **state)
{
    (void)state;
    assert_cron("@hourly", NEW_YEAR, "2026-01-01T01:00:00Z 2026-01-01T02:00:00Z");
    assert_cron("@daily", NEW_YEAR, "2026-01-02T00:00:00Z 2026-01-03T00:00:00Z");
    assert_cron("@midnight", NEW_YEAR, "2026-01-02T00:00:00Z 2026-01-03T00:00:00Z");
    assert_cron("@Weekly", NEW_YEAR, "2026-01-04T00:00:00Z 2026-01-11T00:00:00Z");
    assert_cron("@monthly", NEW_YEAR, "2026-02-01T00:00:00Z 2026-03-01T00:00:00Z");
    assert_cron("@yearly", NEW_YEAR, "2027-01-01T00:00:00Z 2028-01-01T00:00:00Z");
    assert_cron("@annually", NEW_YEAR, "2027-01-01T00:00:00Z 2028-01-01T00:00:00Z");
}

static void cron_refuses_with_the_field_that_is_wrong(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", "\"\": minute, hour, day of the month, month and day of the week are expected, not 0 fields"},
        {"0 2 * *",
         "\"0 2 * *\": minute, hour, day of the month, month and day of the week are expected, not 4 fields"},
        {"0 0 2 * * *",
         "\"0 0 2 * * *\": minute, hour, day of the month, month and day of the week are expected, not 6 fields"},
        {"60 * * * *", "\"60 * * * *\": minute \"60\": a minute is from 0 to 59"},
        {"0 24 * * *", "\"0 24 * * *\": hour \"24\": an hour is from 0 to 23"},
        {"0 0 0 * *", "\"0 0 0 * *\": day of the month \"0\": a day of the month is from 1 to 31"},
        {"0 0 1 13 *", "\"0 0 1 13 *\": month \"13\": a month is from 1 to 12, or jan to dec"},
        {"0 0 * * 8", "\"0 0 * * 8\": day of the week \"8\": a day of the week is from 0 to 7, or sun to sat"},
        {"5-2 * * * *", "\"5-2 * * * *\": minute \"5-2\": the range runs backwards"},
        {"0 0 * * fri-mon", "\"0 0 * * fri-mon\": day of the week \"fri-mon\": the range runs backwards"},
        {"*/0 * * * *", "\"*/0 * * * *\": minute \"*/0\": a step of 0 leads nowhere"},
        {"*/90 * * * *", "\"*/90 * * * *\": minute \"*/90\": the step is longer than all that the field can be"},
        {"*/ * * * *", "\"*/ * * * *\": minute \"*/\": a number is expected behind /"},
        {"1- * * * *", "\"1- * * * *\": minute \"1-\": a number is expected at the end of the range"},
        {"1, * * * *", "\"1, * * * *\": minute \"1,\": a number, a range such as 2-5, a list of them or * is expected"},
        {"1..5 * * * *", "\"1..5 * * * *\": minute \"1..5\": what follows the number is not understood"},
        {"0 0 L * *",
         "\"0 0 L * *\": day of the month \"L\": a number, a range such as 2-5, a list of them or * is expected"},
        {"0 0 * * monday", "\"0 0 * * monday\": day of the week \"monday\": what follows the number is not understood"},
        {"0 0 ? * *",
         "\"0 0 ? * *\": day of the month \"?\": a number, a range such as 2-5, a list of them or * is expected"},
        {"1\033 * * * *", "\"1? * * * *\": minute \"1?\": what follows the number is not understood"},
        {"@reboot", "\"@reboot\": it names no time: nothing reboots here"},
        {"@dayly", "\"@dayly\": it is not known; did you mean \"@daily\"?"},
        {"@every 5m", "\"@every 5m\": it is not known; @daily is, or five fields such as 0 2 * * *"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_refused(true, rows[i][0], rows[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shorthands_mean_what_the_manual_says),
        cmocka_unit_test(forms_are_normalized_as_in_the_manual),
        cmocka_unit_test(weekday_and_date_must_both_fit),
        cmocka_unit_test(tilde_counts_from_the_end_of_the_month),
        cmocka_unit_test(a_step_starts_anew_each_month),
        cmocka_unit_test(years_may_have_two_digits),
        cmocka_unit_test(it_ends_in_2199_and_begins_in_1970),
        cmocka_unit_test(the_epoch_is_an_instant),
        cmocka_unit_test(seconds_may_have_fractions),
        cmocka_unit_test(the_end_of_a_range_may_lie_behind_its_last_value),
        cmocka_unit_test(a_timestamp_is_one_instant_whatever_the_zone),
        cmocka_unit_test(the_zone_is_the_last_word),
        cmocka_unit_test(a_skipped_time_is_made_when_the_gap_ends),
        cmocka_unit_test(several_in_the_gap_become_one),
        cmocka_unit_test(a_repeated_time_is_made_once),
        cmocka_unit_test(backwards_from_within_the_repeated_hour),
        cmocka_unit_test(a_day_that_the_zone_skipped_is_made_at_its_end),
        cmocka_unit_test(refuses_with_the_part_that_is_wrong),
        cmocka_unit_test(lists_have_a_limit),
        cmocka_unit_test(cron_has_five_fields),
        cmocka_unit_test(cron_sunday_is_0_and_7),
        cmocka_unit_test(cron_days_are_alternatives_when_both_are_restricted),
        cmocka_unit_test(cron_shorthands),
        cmocka_unit_test(cron_refuses_with_the_field_that_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
