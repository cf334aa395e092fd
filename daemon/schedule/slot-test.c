#include "config.h"

#include <stdio.h>
#include <time.h>

#include "schedule/slot.h"

#include "../../tests/unit/zone.h"

#define SLOT "2026-11-22T01:00:00Z"
#define VOLUME_A "ocid1.bootvolume.oc1.phx.a"
#define VOLUME_B "ocid1.bootvolume.oc1.phx.b"

static void assert_tag(const char *schedule, usec_t slot, const char *expected)
{
    CLEANUP(str_done) Str tag = {0};
    size_t size = 0;
    usec_t again = 0;
    slot_add_tag(&tag, schedule, slot);
    assert_string_equal(str_get(&tag), expected);
    assert_true(slot_read_tag(expected, &size, &again));
    assert_int_equal(size, strlen(schedule));
    assert_int_equal(again, slot);
}

static void a_tag_says_the_schedule_and_the_slot(void **state)
{
    (void)state;
    assert_tag("db-nightly", at(SLOT), "db-nightly@2026-11-22T01:00:00Z");
    assert_tag("a", 0, "a@1970-01-01T00:00:00Z");
    assert_tag("a@b", at(SLOT), "a@b@2026-11-22T01:00:00Z");
    assert_tag("a@2026-11-22T01:00:00Z", at(SLOT), "a@2026-11-22T01:00:00Z@2026-11-22T01:00:00Z");
    assert_tag("a", at("9999-12-31T23:59:59Z"), "a@9999-12-31T23:59:59Z");
}

static void a_tag_shows_the_fraction_of_a_second(void **state)
{
    (void)state;
    assert_tag("a", at(SLOT) + 500000, "a@2026-11-22T01:00:00.5Z");
    assert_tag("a", at(SLOT) + 1, "a@2026-11-22T01:00:00.000001Z");
    assert_tag("a", at(SLOT) + 50, "a@2026-11-22T01:00:00.00005Z");
    assert_tag("a", at(SLOT) + 999999, "a@2026-11-22T01:00:00.999999Z");
    assert_tag("a", at(SLOT) + 100000, "a@2026-11-22T01:00:00.1Z");
}

static void any_slot_comes_back_from_its_tag(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (unsigned i = 0; i < 20000; i++) {
        CLEANUP(str_done) Str tag = {0};
        size_t size = 0;
        usec_t again = 0;
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        usec_t unit = i % 3 == 0 ? 1 : i % 3 == 1 ? USEC_PER_MSEC : USEC_PER_SEC;
        usec_t slot = (random >> 8) % (200 * 365 * USEC_PER_DAY) / unit * unit;
        slot_add_tag(&tag, "s", slot);
        if (!slot_read_tag(str_get(&tag), &size, &again) || again != slot || size != 1)
            fail_msg("%s", str_get(&tag));
    }
}

static void only_the_one_form_of_a_tag_is_read(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "@",
        "db-nightly",
        "a@",
        "a@b",
        "@2026-11-22T01:00:00Z",
        "2026-11-22T01:00:00Z",
        "a2026-11-22T01:00:00Z",
        "a@2026-11-22T01:00:00",
        "a@2026-11-22T01:00:00z",
        "a@2026-11-22t01:00:00Z",
        "a@2026-11-22 01:00:00Z",
        "a@2026-11-22T01:00:00+00:00",
        "a@2026-11-22T02:00:00+01:00",
        "a@2026-11-22T01:00:00.0Z",
        "a@2026-11-22T01:00:00.50Z",
        "a@2026-11-22T01:00:00.Z",
        "a@2026-11-22T01:00:00.1234567Z",
        "a@2026-11-22T01:00:00.0000001Z",
        "a@2026-11-22T00:59:60Z",
        "a@2026-11-22T24:00:00Z",
        "a@2026-02-29T00:00:00Z",
        "a@1969-12-31T23:59:59Z",
        "a@2026-11-22T01:00:00Z ",
        "a@ 2026-11-22T01:00:00Z",
        "a@2026-11-22T01:00:00Z@",
        "a@2026-11-22T01:00Z",
        "a@20261122T010000Z",
    };
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        size_t size = 7;
        usec_t slot = 7;
        if (slot_read_tag(others[i], &size, &slot))
            fail_msg("%s", others[i]);
        assert_int_equal(size, 7);
        assert_int_equal(slot, 7);
    }
}

/* These numbers hold for ever: with others, a backup that is still to be made would move. */
static void a_volumes_delay_is_the_same_for_ever(void **state)
{
    (void)state;
    const usec_t quarter = 15 * USEC_PER_MINUTE;
    assert_int_equal(slot_delay("db-nightly", VOLUME_A, quarter), 245 * USEC_PER_SEC);
    assert_int_equal(slot_delay("db-nightly", VOLUME_B, quarter), 638 * USEC_PER_SEC);
    assert_int_equal(slot_delay("db-weekly", VOLUME_A, quarter), 650 * USEC_PER_SEC);
    assert_int_equal(slot_delay("db-nightly", VOLUME_A, USEC_PER_DAY), 83945 * USEC_PER_SEC);
    assert_int_equal(slot_delay("db-nightly", VOLUME_A, 500 * USEC_PER_MSEC), 62399);
    assert_int_equal(slot_delay("", "", USEC_PER_DAY), 79322 * USEC_PER_SEC);
    assert_int_equal(slot_delay("ab", "c", USEC_PER_DAY), 84310 * USEC_PER_SEC);
    assert_int_equal(slot_delay("a", "bc", USEC_PER_DAY), 79575 * USEC_PER_SEC); /* the NUL between them counts */
}

static void a_delay_is_less_than_the_most_in_whole_seconds(void **state)
{
    (void)state;
    static const usec_t most[] = {
        1, 2, 1000, 999999, USEC_PER_SEC, USEC_PER_SEC + 1, 90 * USEC_PER_MINUTE, 7 * USEC_PER_DAY, UINT64_MAX};
    assert_int_equal(slot_delay("a", "b", 0), 0);
    for (size_t i = 0; i < ARRAY_SIZE(most); i++)
        for (char id[] = "aa"; id[0] <= 'z'; id[0]++) {
            usec_t delay = slot_delay("a", id, most[i]);
            assert_true(delay < most[i]);
            assert_true(most[i] < USEC_PER_SEC || delay % USEC_PER_SEC == 0);
            assert_true(most[i] != USEC_PER_SEC || delay == 0);
        }
}

/* Ids that differ in their last characters alone, in 100 bins: with 99 degrees of freedom, chi squared is below 149 in
 * all but one of 1000 draws. The ids are always the same, so that this holds or does not. */
static void delays_are_spread_evenly(void **state)
{
    (void)state;
    enum { BINS = 100, IDS = 100000 };
    unsigned bins[BINS] = {0};
    double chi = 0;
    for (unsigned i = 0; i < IDS; i++) {
        char id[40];
        snprintf(id, sizeof(id), "ocid1.bootvolume.oc1.phx.%06u", i);
        bins[slot_delay("db-nightly", id, BINS * USEC_PER_SEC) / USEC_PER_SEC]++;
    }
    for (unsigned i = 0; i < BINS; i++)
        chi += ((double)bins[i] - IDS / BINS) * ((double)bins[i] - IDS / BINS) / (IDS / BINS);
    if (chi > 149)
        fail_msg("chi squared is %f", chi);
}

/* One schedule's delays tell nothing of another one's. */
static void schedules_do_not_share_delays(void **state)
{
    (void)state;
    unsigned same = 0;
    for (unsigned i = 0; i < 10000; i++) {
        char id[40];
        snprintf(id, sizeof(id), "ocid1.bootvolume.oc1.phx.%06u", i);
        same += slot_delay("a", id, 100 * USEC_PER_SEC) == slot_delay("b", id, 100 * USEC_PER_SEC);
    }
    assert_in_range(same, 60, 140);
}

static const char *check_error(const char *text, bool one_off)
{
    static char message[512];
    CLEANUP(error_freep) Error *err = NULL;
    if (template_check(text, one_off, &err) == 0) {
        assert_null(err);
        return NULL;
    }
    assert_int_equal(err->kind, ERROR_SPEC);
    snprintf(message, sizeof(message), "%s", err->message);
    return message;
}

static void assert_refused(const char *text, const char *expected)
{
    const char *message = check_error(text, false);
    if (!message)
        fail_msg("taken: %s", text);
    else
        assert_string_equal(message, expected);
}

static void good_templates_are_taken(void **state)
{
    (void)state;
    static const char *const good[] = {
        "",
        "plain",
        "{volume}-{slot}",
        "{schedule}{volumeId}",
        "{{volume}}",
        "100 %",
        "{slot:%Y-%m-%d}",
        "{slot:week %V}}}",
        "{slot:%%}",
        "{slot: }",
        "{slot:a:b}",
        "{slot:%a%A%b%B%c%C%d%D%e%F%g%G%h%H%I%j%m%M%n%p%r%R%S%t%T%u%U%V%w%W%x%X%y%Y%z%Z}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_null(check_error(good[i], false));
    assert_null(check_error("{volume} {volumeId} {{slot}}", true));
}

static void unknown_names_are_told_with_the_nearest_one(void **state)
{
    (void)state;
    assert_refused("{volum}", "unknown name {volum}; did you mean {volume}?");
    assert_refused("{volume}-{volumeID2}", "unknown name {volumeID2}; did you mean {volumeId}?");
    assert_refused("{Slot}", "unknown name {Slot}; did you mean {slot}?");
    assert_refused("{scheduel}", "unknown name {scheduel}; did you mean {schedule}?");
#define ALL ": known are {volume}, {volumeId}, {schedule}, {slot} and {slot:%Y-%m-%d}; a brace is written {{"
    assert_refused("{hostname}", "unknown name {hostname}" ALL);
    assert_refused("{}", "unknown name {}" ALL);
    assert_refused("{ volume}", "unknown name { volume}; did you mean {volume}?");
    assert_refused("{a\nb}", "unknown name {a?b}" ALL);
}

static void one_off_backups_have_no_slot(void **state)
{
    (void)state;
#define ALONE " is for schedules: here are {volume} and {volumeId} alone"
#define BOTH ": known are {volume}, {volumeId}; a brace is written {{"
    assert_string_equal(check_error("{slot}", true), "{slot}" ALONE);
    assert_string_equal(check_error("{schedule}", true), "{schedule}" ALONE);
    assert_string_equal(check_error("{slot:%Y}", true), "{slot}" ALONE);
    assert_string_equal(check_error("{x}", true), "unknown name {x}" BOTH);
    assert_string_equal(check_error("{slott}", true), "unknown name {slott}" BOTH);
}

static void braces_must_match(void **state)
{
    (void)state;
    assert_refused("a {volume", "no } closes \"{volume\"; a brace is written {{");
    assert_refused("{", "no } closes \"{\"; a brace is written {{");
    assert_refused("{{{", "no } closes \"{\"; a brace is written {{");
    assert_refused("{volume{slot}", "no } closes \"{volume\"; a brace is written {{");
    assert_refused("volume}", "a } that closes nothing; a brace is written }}");
    assert_refused("{volume}}", "a } that closes nothing; a brace is written }}");
    assert_refused("}}}", "a } that closes nothing; a brace is written }}");
}

static void formats_are_strftimes(void **state)
{
    (void)state;
#define KNOWN " is none of strftime's: known are aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ%"
    assert_refused("{slot:}", "{slot:} has no format; {slot} alone is 20261122T010000Z");
    assert_refused("{slot:%Q}", "%Q in {slot:%Q}" KNOWN);
    assert_refused("{slot:%Y-%s}", "%s in {slot:%Y-%s}" KNOWN);
    assert_refused("{slot:%Ey}", "%E in {slot:%Ey}" KNOWN);
    assert_refused("{slot:%Od}", "%O in {slot:%Od}" KNOWN);
    assert_refused("{slot:%-d}", "%- in {slot:%-d}" KNOWN);
    assert_refused("{slot:%+4Y}", "%+ in {slot:%+4Y}" KNOWN);
    assert_refused("{slot:%é}", "%é in {slot:%é}" KNOWN);
    assert_refused("{slot:%Y%}", "{slot:%Y%} ends with a single %; %% is a percent sign");
    assert_refused("{slot:%%%}", "{slot:%%%} ends with a single %; %% is a percent sign");
    assert_refused("{volume:%Y}", "{volume:…} has a format, which only {slot} takes");
    assert_refused("{schedule:}", "{schedule:…} has a format, which only {slot} takes");
}

static void assert_filled_in(const char *text, const char *slot, const Zone *zone, const char *expected)
{
    CLEANUP(str_done) Str out = {0};
    const SlotName name = {
        .schedule = "db-nightly", .volume = "db {1} %Y", .volume_id = VOLUME_A, .slot = at(slot), .zone = zone};
    assert_null(check_error(text, false));
    template_fill(text, &name, &out);
    assert_string_equal(str_get(&out), expected);
}

static void assert_filled(const char *text, const char *expected)
{
    assert_filled_in(text, SLOT, zone_utc(), expected);
}

static void templates_are_filled(void **state)
{
    (void)state;
    assert_filled("", "");
    assert_filled("plain", "plain");
    assert_filled("{volume}-{slot}", "db {1} %Y-20261122T010000Z"); /* what is filled in is no template */
    assert_filled("{schedule}/{volumeId}", "db-nightly/" VOLUME_A);
    assert_filled("{{{volume}}}", "{db {1} %Y}");
    assert_filled("{{slot}} }} {{", "{slot} } {");
    assert_filled("100 %Y", "100 %Y");
    assert_filled("{slot:%Y-%m-%d}", "2026-11-22");
    assert_filled("é {slot:é %H:%M Uhr}", "é é 01:00 Uhr");
    assert_filled_in("{slot}", "2026-11-22T01:00:00.25Z", zone_utc(), "20261122T010000.25Z");
}

static void a_one_off_needs_no_slot(void **state)
{
    (void)state;
    CLEANUP(str_done) Str out = {0};
    template_fill("{volume} of {volumeId}", &(SlotName){.volume = "v", .volume_id = "ocid1.v"}, &out);
    assert_string_equal(str_get(&out), "v of ocid1.v");
}

static void each_letter_is_in_the_c_locale(void **state)
{
    (void)state;
    assert_filled("{slot:%a %A %b %B %h}", "Sun Sunday Nov November Nov");
    assert_filled("{slot:%c|%x|%X|%r|%p}", "Sun Nov 22 01:00:00 2026|11/22/26|01:00:00|01:00:00 AM|AM");
    assert_filled("{slot:%C %y %g %G %D %F %T %R}", "20 26 26 2026 11/22/26 2026-11-22 01:00:00 01:00");
    assert_filled("{slot:%d %e %H %I %j %m %M %S %u %U %V %w %W}", "22 22 01 01 326 11 00 00 7 47 47 0 46");
    assert_filled("{slot:%z %Z %%}", "+0000 UTC %");
    assert_filled("{slot:a%nb%tc}", "a\nb\tc");
}

static void letters_tell_what_the_zones_clocks_show(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    CLEANUP(zone_freep) Zone *newfoundland = zone_of_rule(-12600, "NST3:30NDT,M3.2.0,M11.1.0");
    const char *text = "{slot:%F %T %z %Z %j %a}";
    assert_filled_in(text, "2026-12-31T23:30:00Z", berlin, "2027-01-01 00:30:00 +0100 CET 001 Fri");
    assert_filled_in(text, "2026-10-25T00:30:00Z", berlin, "2026-10-25 02:30:00 +0200 CEST 298 Sun");
    assert_filled_in(text, "2026-10-25T01:30:00Z", berlin, "2026-10-25 02:30:00 +0100 CET 298 Sun");
    assert_filled_in(text, "2026-01-01T00:00:00Z", newfoundland, "2025-12-31 20:30:00 -0330 NST 365 Wed");
    assert_filled_in("{slot}", "2026-12-31T23:30:00Z", berlin, "20261231T233000Z"); /* always UTC */
}

/* Neither this machine's zone nor its locale is in it. */
static void nothing_of_the_machine_is_in_a_name(void **state)
{
    (void)state;
    CLEANUP(zone_freep) Zone *berlin = zone_of_rule(BERLIN);
    const char *before = getenv("TZ");
    CLEANUP(freep) char *saved = xstrdup(before);
    setenv("TZ", "XXX-9YYY", 1);
    tzset();
    assert_filled_in("{slot:%c %z %Z}", "2026-07-01T10:00:00Z", berlin, "Wed Jul  1 12:00:00 2026 +0200 CEST");
    if (saved)
        setenv("TZ", saved, 1);
    else
        unsetenv("TZ");
    tzset();
}

static void assert_cut(const char *unit, size_t times, const char *end, size_t expected)
{
    CLEANUP(str_done) Str name = {0}, whole = {0};
    for (size_t i = 0; i < times; i++)
        str_add(&name, unit);
    str_add(&name, end);
    str_add(&whole, str_get(&name));
    slot_cut_name(&name);
    assert_int_equal(name.len, expected);
    assert_int_equal(strlen(str_get(&name)), expected);
    assert_memory_equal(str_get(&name), str_get(&whole), expected);
}

static void names_are_cut_between_characters(void **state)
{
    (void)state;
    assert_cut("", 0, "", 0);
    assert_cut("a", 255, "", 255);
    assert_cut("a", 256, "", 255);
    assert_cut("a", 254, "é", 256);
    assert_cut("a", 254, "éé", 256);
    assert_cut("é", 255, "", 510);
    assert_cut("é", 255, "x", 510);
    assert_cut("\xf0\x9f\x92\xbe", 300, "", 1020);
    assert_cut("\xff", 300, "", 255); /* no UTF-8: a byte is a character */
    assert_cut("a", 254, "\xe2\x82", 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_says_the_schedule_and_the_slot),
        cmocka_unit_test(a_tag_shows_the_fraction_of_a_second),
        cmocka_unit_test(any_slot_comes_back_from_its_tag),
        cmocka_unit_test(only_the_one_form_of_a_tag_is_read),
        cmocka_unit_test(a_volumes_delay_is_the_same_for_ever),
        cmocka_unit_test(a_delay_is_less_than_the_most_in_whole_seconds),
        cmocka_unit_test(delays_are_spread_evenly),
        cmocka_unit_test(schedules_do_not_share_delays),
        cmocka_unit_test(good_templates_are_taken),
        cmocka_unit_test(unknown_names_are_told_with_the_nearest_one),
        cmocka_unit_test(one_off_backups_have_no_slot),
        cmocka_unit_test(braces_must_match),
        cmocka_unit_test(formats_are_strftimes),
        cmocka_unit_test(templates_are_filled),
        cmocka_unit_test(a_one_off_needs_no_slot),
        cmocka_unit_test(each_letter_is_in_the_c_locale),
        cmocka_unit_test(letters_tell_what_the_zones_clocks_show),
        cmocka_unit_test(nothing_of_the_machine_is_in_a_name),
        cmocka_unit_test(names_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
