#include "config.h"

#include "accounts.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_login_rests_longer_each_time_up_to_a_quarter_of_an_hour(void **state)
{
    (void)state;
    const usec_t minute = USEC_PER_MINUTE;
    assert_int_equal(login_pause(0), 0);
    assert_int_equal(login_pause(1), 0); /* the credential may just have been changed */
    assert_int_equal(login_pause(2), minute);
    assert_int_equal(login_pause(3), 2 * minute);
    assert_int_equal(login_pause(4), 4 * minute);
    assert_int_equal(login_pause(5), 8 * minute);
    assert_int_equal(login_pause(6), 15 * minute);
    assert_int_equal(login_pause(4000000000), 15 * minute);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_rests_longer_each_time_up_to_a_quarter_of_an_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
