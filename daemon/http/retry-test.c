#include "config.h"

#include "http/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define START (1000 * USEC_PER_SEC)

typedef struct Row {
    bool retry, ambiguous, breaker;
} Row;

static const Row rows[ERROR_KIND_MAX] = {
    [ERROR_CONNECT] = {true, false, true}, [ERROR_TLS] = {false, false, true},
    [ERROR_TIMEOUT] = {true, true, true},  [ERROR_LOST] = {true, true, true},
    [ERROR_PROTOCOL] = {true, true, true}, [ERROR_BUSY] = {true, false, false},
    [ERROR_SERVER] = {true, true, true},   [ERROR_THROTTLED] = {true, false, true},
};

static void every_kind_has_its_row(void **state)
{
    (void)state;
    for (ErrorKind kind = 0; kind < ERROR_KIND_MAX; kind++) {
        const ErrorPolicy *p = error_policy(kind);
        assert_int_equal(p->retry, rows[kind].retry);
        assert_int_equal(p->ambiguous, rows[kind].ambiguous);
        assert_int_equal(p->breaker, rows[kind].breaker);
        /* What does not pass by itself needs a person, or is not for one. */
        assert_true(p->retry || p->advice || kind == ERROR_LOCAL || kind == ERROR_CONFLICT || kind == ERROR_TOKEN ||
                    kind == ERROR_CANCELLED);
    }
    assert_string_equal(error_policy(ERROR_AUTH)->advice, "check the credential and this machine's clock");
}

static RetryVerdict expected(ErrorKind kind, bool safe, unsigned n, usec_t passed, usec_t wait, usec_t asked)
{
    if (!rows[kind].retry || n >= RETRY_TRIES_MAX || passed > RETRY_TIME_MAX)
        return RETRY_NO;
    if (rows[kind].ambiguous && !safe)
        return passed + asked > RETRY_TIME_MAX ? RETRY_NO : RETRY_LOOK;
    if (wait < asked)
        wait = asked;
    return passed + wait > RETRY_TIME_MAX ? RETRY_NO : RETRY_LATER;
}

static void decide_one(ErrorKind kind, bool safe, unsigned n, usec_t passed, usec_t asked)
{
    static const usec_t limits[] = {500000, 1000000, 2000000, 4000000, 8000000, 8000000};
    const Error e = {.kind = kind, .retry_after_usec = asked};
    const Tries tries = {.n = n, .started = START};
    const uint32_t randoms[] = {0, UINT32_MAX / 2, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(randoms); i++) {
        usec_t wait = 77, drawn = limits[n - 1] * randoms[i] / UINT32_MAX;
        RetryVerdict verdict = retry_decide(&tries, &e, safe, START + passed, randoms[i], &wait);
        assert_int_equal(verdict, expected(kind, safe, n, passed, drawn, asked));
        assert_int_equal(wait, verdict != RETRY_LATER ? 77 : drawn < asked ? asked : drawn);
    }
}

static void decides_by_kind_safety_tries_and_time(void **state)
{
    (void)state;
    static const usec_t passed[] = {
        0, USEC_PER_SEC, 22 * USEC_PER_SEC, 29500000, RETRY_TIME_MAX, RETRY_TIME_MAX + 1, USEC_PER_HOUR};
    static const usec_t asked[] = {
        0, 1, USEC_PER_SEC, 8 * USEC_PER_SEC, RETRY_TIME_MAX, RETRY_TIME_MAX + 1, 24 * USEC_PER_HOUR};
    for (ErrorKind kind = 0; kind < ERROR_KIND_MAX; kind++)
        for (unsigned n = 1; n <= RETRY_TRIES_MAX + 1; n++)
            for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
                for (size_t j = 0; j < ARRAY_SIZE(asked); j++)
                    for (int safe = 0; safe < 2; safe++)
                        decide_one(kind, safe, n, passed[i], asked[j]);
}

static void a_huge_retry_after_does_not_overflow(void **state)
{
    (void)state;
    const Error e = {.kind = ERROR_THROTTLED, .retry_after_usec = UINT64_MAX};
    const Tries tries = {.n = 1, .started = START};
    usec_t wait;
    assert_int_equal(retry_decide(&tries, &e, true, START, 0, &wait), RETRY_NO);
}

static void tells_whether_anything_is_left(void **state)
{
    (void)state;
    assert_true(retry_left(&(Tries){0}, START));
    assert_true(retry_left(&(Tries){.n = 4, .started = START}, START + RETRY_TIME_MAX));
    assert_false(retry_left(&(Tries){.n = 4, .started = START}, START + RETRY_TIME_MAX + 1));
    assert_false(retry_left(&(Tries){.n = 5, .started = START}, START));
    Tries asked = {.n = 1, .started = START, .not_before = START + RETRY_TIME_MAX};
    assert_true(retry_left(&asked, START));
    asked.not_before++;
    assert_false(retry_left(&asked, START));
}

static void jitter_is_spread_over_its_whole_range(void **state)
{
    (void)state;
    const Error e = {.kind = ERROR_CONNECT};
    for (unsigned n = 1; n < RETRY_TRIES_MAX; n++) {
        usec_t limit = (USEC_PER_SEC / 2) << (n - 1), last = 0;
        for (uint64_t random = 0; random <= UINT32_MAX; random += UINT32_MAX / 255) {
            usec_t wait;
            assert_int_equal(
                retry_decide(&(Tries){.n = n, .started = START}, &e, false, START, (uint32_t)random, &wait),
                RETRY_LATER);
            assert_true(wait <= limit && wait >= last);
            last = wait;
        }
        assert_true(last == limit);
    }
}

static void reads_all_forms_of_retry_after(void **state)
{
    (void)state;
    usec_t now;
    assert_int_equal(parse_http_date("Mon, 05 Jan 2026 21:31:40 GMT", &now), 0);
    const usec_t day = 24 * USEC_PER_HOUR;
    const struct {
        const char *value;
        usec_t wait;
    } forms[] = {
        {NULL, 0},
        {"", 0},
        {"0", 0},
        {"1", USEC_PER_SEC},
        {" 120 \t", 120 * USEC_PER_SEC},
        {"86400", day},
        {"86401", day},
        {"99999999999999999999999999999999999999999999", day},
        {"-5", 0},
        {"+5", 0},
        {"1.5", 0},
        {"5 s", 0},
        {"soon", 0},
        {"Mon, 05 Jan 2026 21:31:50 GMT", 10 * USEC_PER_SEC},
        {" Mon, 05 Jan 2026 21:31:50 GMT ", 10 * USEC_PER_SEC},
        {"Mon, 05 Jan 2026 21:31:40 GMT", 0},
        {"Mon, 05 Jan 2026 21:31:30 GMT", 0},
        {"Fri, 05 Jan 2029 21:31:30 GMT", day},
        {"Mon, 05 Jan 2026 21:31:50 CET", 0},
        {"Mon, 05 Jan 2026 21:31:50 GMT and much more than that", 0},
        {"99999999999999999999999999999999999999x", 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        if (retry_after_parse(forms[i].value, now) != forms[i].wait)
            fail_msg("%s", forms[i].value);
}

static void record_many(Breaker *b, usec_t now, unsigned ok, unsigned failed)
{
    for (unsigned i = 0; i < ok; i++)
        breaker_record(b, now, false);
    for (unsigned i = 0; i < failed; i++)
        breaker_record(b, now, true);
}

static bool allows(Breaker *b, usec_t now)
{
    usec_t until = 0;
    bool yes = breaker_allows(b, now, &until);
    assert_true(yes == (until == 0));
    assert_true(yes || until > now);
    return yes;
}

static void opens_at_80_percent_of_at_least_ten(void **state)
{
    (void)state;
    static const struct {
        unsigned ok, failed;
        bool open;
    } cases[] = {{0, 9, false},  {0, 10, true}, {2, 8, true},      {3, 7, false},   {1, 8, false},
                 {3, 11, false}, {3, 12, true}, {100, 399, false}, {100, 400, true}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Breaker b = {0};
        record_many(&b, START, cases[i].ok, cases[i].failed);
        assert_int_equal(allows(&b, START), !cases[i].open);
    }
}

static void forgets_after_120_seconds(void **state)
{
    (void)state;
    Breaker b = {0};
    record_many(&b, START, 0, 9);
    record_many(&b, START + 120 * USEC_PER_SEC, 0, 1);
    assert_true(allows(&b, START + 120 * USEC_PER_SEC));
    b = (Breaker){0};
    record_many(&b, START, 0, 9);
    record_many(&b, START + 119 * USEC_PER_SEC, 0, 1);
    assert_false(allows(&b, START + 119 * USEC_PER_SEC));
    /* Spread evenly, the window moves with the time. */
    b = (Breaker){0};
    for (unsigned i = 0; i < 600; i++) {
        breaker_record(&b, START + i * 15 * USEC_PER_SEC, true);
        assert_true(allows(&b, START + i * 15 * USEC_PER_SEC));
    }
}

static void lets_one_through_and_doubles_the_pause(void **state)
{
    (void)state;
    static const usec_t pauses[] = {30, 60, 120, 240, 300, 300, 300};
    Breaker b = {0};
    usec_t now = START, until;
    record_many(&b, now, 0, 10);
    for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
        assert_false(breaker_allows(&b, now, &until));
        assert_int_equal(until, now + pauses[i] * USEC_PER_SEC);
        record_many(&b, now, 50, 0); /* late answers do not close it */
        assert_false(allows(&b, until - 1));
        assert_true(allows(&b, until));
        assert_false(allows(&b, until));
        assert_false(allows(&b, until + USEC_PER_HOUR));
        now = until + 5 * USEC_PER_SEC;
        breaker_record(&b, now, true);
    }
}

static void closes_when_the_one_succeeds(void **state)
{
    (void)state;
    Breaker b = {0};
    usec_t until;
    record_many(&b, START, 0, 10);
    assert_false(breaker_allows(&b, START, &until));
    assert_true(allows(&b, until));
    breaker_record(&b, until, false);
    /* The failures before are forgotten, and so is the length of the pause. */
    record_many(&b, until, 0, 9);
    assert_true(allows(&b, until));
    usec_t now = until;
    record_many(&b, now, 0, 1);
    assert_false(breaker_allows(&b, now, &until));
    assert_int_equal(until, now + 30 * USEC_PER_SEC);
}

static void another_may_go_when_the_one_was_never_sent(void **state)
{
    (void)state;
    Breaker b = {0};
    usec_t until;
    record_many(&b, START, 0, 10);
    assert_false(breaker_allows(&b, START, &until));
    assert_true(allows(&b, until));
    breaker_cancel(&b);
    assert_true(allows(&b, until));
    assert_false(allows(&b, until));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_its_row),
        cmocka_unit_test(decides_by_kind_safety_tries_and_time),
        cmocka_unit_test(a_huge_retry_after_does_not_overflow),
        cmocka_unit_test(tells_whether_anything_is_left),
        cmocka_unit_test(jitter_is_spread_over_its_whole_range),
        cmocka_unit_test(reads_all_forms_of_retry_after),
        cmocka_unit_test(opens_at_80_percent_of_at_least_ten),
        cmocka_unit_test(forgets_after_120_seconds),
        cmocka_unit_test(lets_one_through_and_doubles_the_pause),
        cmocka_unit_test(closes_when_the_one_succeeds),
        cmocka_unit_test(another_may_go_when_the_one_was_never_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
