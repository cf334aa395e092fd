#include "config.h"

#include "../../tests/unit/helper.h"

#include "record/history.h"

static const usec_t when = 1796120430 * USEC_PER_SEC;

static void add(HistoryRecord *r, EntryField field, const char *value)
{
    CLEANUP(freep) char *data = xasprintf("%s=%s", entry_field_name(field), value);
    history_record_add(r, data, strlen(data));
}

static HistoryRecord *record_of(Event event)
{
    HistoryRecord *r = history_record_new(when);
    add(r, ENTRY_MESSAGE_ID, event_message_id(event));
    return r;
}

static HistoryFilter everything(void)
{
    HistoryFilter filter = {.until = UINT64_MAX};
    for (Event event = 0; event < EVENT_MAX; event++)
        filter.events[event] = true;
    return filter;
}

static char *formatted(const HistoryRecord *r, bool json)
{
    HistoryFilter filter = everything();
    HistoryStyle style = {.json = json};
    Str out = {0};
    history_format(&filter, r, &style, &out);
    return str_take(&out);
}

static void events_and_fields_are_found_by_their_names(void **state)
{
    (void)state;
    for (Event event = 0; event < EVENT_MAX; event++) {
        assert_int_equal(event_by_name(event_name(event)), event);
        assert_int_equal(event_by_message_id(event_message_id(event)), event);
    }
    assert_int_equal(event_by_name("nonsense"), EVENT_MAX);
    for (EntryField field = 0; field < ENTRY_FIELD_MAX; field++) {
        const char *name = entry_field_name(field);
        assert_int_equal(entry_field_find(name, strlen(name)), field);
        assert_int_equal(entry_field_find(name, strlen(name) - 1), ENTRY_FIELD_MAX);
        assert_int_equal(entry_field_member(field) == NULL, entry_field_type(field) == ENTRY_AS_NOTHING);
    }
}

static void fields_are_taken_as_they_are_and_others_passed_over(void **state)
{
    (void)state;
    CLEANUP(history_record_freep) HistoryRecord *r = record_of(EVENT_UPDATED);
    history_record_add(r, "IMAGEKEEPER_NAME=a=b", 20);
    history_record_add(r, "IMAGEKEEPER_KIND", 16);
    history_record_add(r, "IMAGEKEEPER_KIND=", 17);
    history_record_add(r, "NAME=x", 6);
    history_record_add(r, "=x", 2);
    history_record_add(r, "", 0);
    assert_string_equal(history_record_get(r, ENTRY_NAME), "a=b");
    assert_string_equal(history_record_get(r, ENTRY_KIND), "");
    assert_null(history_record_get(r, ENTRY_TARGET));
}

static void a_nul_hides_nothing_that_follows(void **state)
{
    (void)state;
    CLEANUP(history_record_freep) HistoryRecord *r = record_of(EVENT_UPDATED);
    history_record_add(r, "IMAGEKEEPER_NAME=a\0b\0", 21);
    assert_string_equal(history_record_get(r, ENTRY_NAME), "a\xef\xbf\xbd"
                                                           "b\xef\xbf\xbd");
}

static void without_an_id_of_ours_nothing_is_wanted(void **state)
{
    (void)state;
    HistoryFilter filter = everything();
    CLEANUP(history_record_freep) HistoryRecord *r = history_record_new(when);
    assert_false(history_is_wanted(&filter, r));
    add(r, ENTRY_MESSAGE_ID, "0123456789abcdef0123456789abcdef");
    assert_false(history_is_wanted(&filter, r));
    CLEANUP(history_record_freep) HistoryRecord *ours = record_of(EVENT_HELD);
    assert_true(history_is_wanted(&filter, ours));
    filter.events[EVENT_HELD] = false;
    assert_false(history_is_wanted(&filter, ours));
}

static void both_ends_of_the_time_count(void **state)
{
    (void)state;
    HistoryFilter filter = everything();
    CLEANUP(history_record_freep) HistoryRecord *r = record_of(EVENT_HELD);
    filter.since = filter.until = when;
    assert_true(history_is_wanted(&filter, r));
    filter.since = when + 1;
    assert_false(history_is_wanted(&filter, r));
    filter.since = 0;
    filter.until = when - 1;
    assert_false(history_is_wanted(&filter, r));
}

static HistoryRecord *record_by(const char *unit, const char *exe, const char *uid)
{
    HistoryRecord *r = record_of(EVENT_UPDATED);
    if (unit)
        add(r, ENTRY_UNIT, unit);
    if (exe)
        add(r, ENTRY_EXE, exe);
    if (uid)
        add(r, ENTRY_UID, uid);
    return r;
}

static bool is_ours(const char *unit, const char *exe)
{
    HistoryFilter filter = everything();
    filter.folder = "/opt/x/";
    CLEANUP(history_record_freep) HistoryRecord *r = record_by(unit, exe, NULL);
    return history_is_ours(&filter, r);
}

static bool is_verified(const char *unit, const char *exe, const char *uid)
{
    HistoryFilter filter = everything();
    filter.folder = "/opt/x/";
    CLEANUP(history_record_freep) HistoryRecord *r = record_by(unit, exe, uid);
    return history_is_verified(&filter, r);
}

static void only_units_and_programs_of_ours_are_believed(void **state)
{
    (void)state;
    assert_true(is_ours("imagekeeperd.service", NULL) && is_ours("imagekeeperd@a.service", "/usr/bin/anything"));
    assert_true(is_ours(NULL, "/usr/local/bin/imagekeeper") && is_ours("session-1.scope", "/usr/sbin/imagekeeperd"));
    assert_true(is_ours(NULL, "/opt/x/imagekeeper"));
    assert_false(is_ours(NULL, NULL) || is_ours("", "") || is_ours("imagekeeperd", NULL));
    assert_false(is_ours("imagekeeperd@.service", NULL) || is_ours("imagekeeperd@.servic", NULL));
    assert_false(is_ours("ximagekeeperd.service", NULL) || is_ours("imagekeeperd@a.service.x", NULL));
    assert_false(is_ours(NULL, "/opt/y/imagekeeper") || is_ours(NULL, "/opt/x/imagekeeper2"));
    assert_false(is_ours(NULL, "/usr/bin/../tmp/imagekeeper") || is_ours(NULL, "/usr/bin/"));
}

static void a_unit_of_ours_and_root_vouch_for_what_they_wrote(void **state)
{
    (void)state;
    assert_true(is_verified("imagekeeperd.service", NULL, "61184") &&
                is_verified("imagekeeper-sync.service", NULL, "994"));
    assert_true(is_verified("imagekeeperd@a.service", NULL, NULL) &&
                is_verified("imagekeeper-sync@a.service", NULL, NULL));
    assert_true(is_verified(NULL, "/usr/bin/imagekeeper", "0") && is_verified(NULL, "/opt/x/imagekeeper", "0"));
    assert_false(is_verified(NULL, "/usr/bin/imagekeeper", NULL) || is_verified(NULL, "/usr/bin/imagekeeper", "1000"));
    assert_false(is_verified(NULL, "/usr/bin/imagekeeper", "") || is_verified(NULL, "/usr/bin/imagekeeper", "01"));
    assert_false(is_verified("other.service", "/usr/bin/logger", "0") ||
                 is_verified("imagekeeper-sync@.service", NULL, "0"));
    assert_false(is_verified("imagekeeper.service", NULL, "0") || is_verified("imagekeeper-syncd.service", NULL, "0"));
}

static void who_says_two_things_of_himself_is_not_believed(void **state)
{
    (void)state;
    HistoryFilter filter = everything();
    CLEANUP(history_record_freep) HistoryRecord *r = record_of(EVENT_UPDATED);
    add(r, ENTRY_UNIT, "imagekeeperd.service");
    add(r, ENTRY_UNIT, "imagekeeperd.service");
    assert_true(history_is_ours(&filter, r));
    add(r, ENTRY_UID, "0");
    add(r, ENTRY_UID, "1000");
    assert_false(history_is_ours(&filter, r));
}

static void text_and_json_are_whole_lines(void **state)
{
    (void)state;
    CLEANUP(history_record_freep) HistoryRecord *r = record_of(EVENT_UPDATED);
    add(r, ENTRY_NAME, "a\nb");
    add(r, ENTRY_CHANGE, "{\"path\":\"x\\ny\",\"from\":null,\"to\":{\"k\":[1,true]}}");
    CLEANUP(freep) char *text = formatted(r, false), *json = formatted(r, true);
    assert_non_null(strstr(text, "  updated a?b\n    x?y: absent -> {\"k\":[1,true]}\n    by an unknown program: NOT"));
    assert_ptr_equal(strchr(json, '\n'), json + strlen(json) - 1);
    assert_non_null(strstr(json, "\"attributes\":[{\"path\":\"x\\ny\",\"from\":null,\"to\":{\"k\":[1,true]}}]"));
    assert_non_null(strstr(json, "\"name\":\"a\\nb\""));
}

static void times_beyond_all_years_are_the_last_one(void **state)
{
    (void)state;
    CLEANUP(history_record_freep) HistoryRecord *r = history_record_new(UINT64_MAX);
    add(r, ENTRY_MESSAGE_ID, event_message_id(EVENT_HELD));
    CLEANUP(freep) char *json = formatted(r, true);
    assert_true(starts_with(json, "{\"time\":\"9999-12-31T23:59:59.999999Z\","));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_and_fields_are_found_by_their_names),
        cmocka_unit_test(fields_are_taken_as_they_are_and_others_passed_over),
        cmocka_unit_test(a_nul_hides_nothing_that_follows),
        cmocka_unit_test(without_an_id_of_ours_nothing_is_wanted),
        cmocka_unit_test(both_ends_of_the_time_count),
        cmocka_unit_test(only_units_and_programs_of_ours_are_believed),
        cmocka_unit_test(a_unit_of_ours_and_root_vouch_for_what_they_wrote),
        cmocka_unit_test(who_says_two_things_of_himself_is_not_believed),
        cmocka_unit_test(text_and_json_are_whole_lines),
        cmocka_unit_test(times_beyond_all_years_are_the_last_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
