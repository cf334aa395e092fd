#include "config.h"

#include "../../tests/unit/helper.h"

#include "sync/failure.h"

#define NOON (12 * USEC_PER_HOUR)

static void what_lasts_is_said_once_an_hour(void **state)
{
    const char *folder = *state;
    unsigned said = 0;
    for (usec_t minute = 0; minute <= 120; minute++)
        said += failure_is_news(folder, "no answer", NOON + minute * USEC_PER_MINUTE);
    assert_int_equal(said, 3);
}

static void another_failure_is_news(void **state)
{
    const char *folder = *state;
    assert_true(failure_is_news(folder, "no answer after 12 ms", NOON));
    assert_false(failure_is_news(folder, "no answer after 7 ms", NOON + 1));
    assert_true(failure_is_news(folder, "no answer", NOON + 2));
    assert_true(failure_is_news(folder, "no answer after 12 ms", NOON + 3));
}

static void what_fails_again_after_it_went_well_is_news(void **state)
{
    const char *folder = *state;
    failure_is_over(folder);
    assert_true(failure_is_news(folder, "no answer", NOON));
    failure_is_over(folder);
    assert_true(failure_is_news(folder, "no answer", NOON + 1));
}

static void what_cannot_be_remembered_or_trusted_is_said(void **state)
{
    const char *folder = *state;
    assert_true(failure_is_news("/nowhere", "no answer", NOON));
    assert_true(failure_is_news("/nowhere", "no answer", NOON));
    assert_true(failure_is_news(folder, "no answer", NOON));
    assert_true(failure_is_news(folder, "no answer", NOON - 1)); /* the clock was set back */
    static const char *const junk[] = {"", "x\nno answer", "43200000000", "43200000000 no answer"};
    for (size_t i = 0; i < ARRAY_SIZE(junk); i++) {
        file_write_mode(folder, "failure", junk[i], strlen(junk[i]), 0600);
        assert_true(failure_is_news(folder, "no answer", NOON + 1));
    }
    assert_false(failure_is_news(folder, "no answer", NOON + 2));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, folder_set_up, folder_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_lasts_is_said_once_an_hour),
        TEST(another_failure_is_news),
        TEST(what_fails_again_after_it_went_well_is_news),
        TEST(what_cannot_be_remembered_or_trusted_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
