#include "config.h"

#include "http/retry.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define RETRY_WAIT_FIRST (USEC_PER_SEC / 2)
#define RETRY_WAIT_MAX (8 * USEC_PER_SEC)
#define RETRY_AFTER_MAX (24 * USEC_PER_HOUR)

#define BREAKER_MIN_REQUESTS 10
#define BREAKER_FAILED_PERCENT 80
#define BREAKER_PAUSE_FIRST (30 * USEC_PER_SEC)
#define BREAKER_PAUSE_MAX (5 * USEC_PER_MINUTE)
#define BREAKER_BUCKETS (sizeof(((Breaker *)NULL)->buckets) / sizeof(((Breaker *)NULL)->buckets[0]))

static const ErrorPolicy policies[] = {
    [ERROR_SPEC] = {.advice = "correct the file; it is read again when it changes"},
    [ERROR_LOCAL] = {0}, /* its messages know the file and what is wrong with it, and say what to do */
    [ERROR_CONNECT] = {.retry = true, .breaker = true, .advice = "check the endpoint, the network and the firewall"},
    [ERROR_TLS] = {.breaker = true, .advice = "check the CA file, the endpoint's name and this machine's clock"},
    [ERROR_TIMEOUT] = {.retry = true, .ambiguous = true, .breaker = true},
    [ERROR_LOST] = {.retry = true, .ambiguous = true, .breaker = true},
    [ERROR_PROTOCOL] = {.retry = true,
                        .ambiguous = true,
                        .breaker = true,
                        .advice = "check that the endpoint is right"},
    [ERROR_AUTH] = {.advice = "check the credential and this machine's clock"},
    [ERROR_FORBIDDEN] = {.advice = "grant the permission that is missing"},
    [ERROR_NOT_FOUND] = {.advice = "check the id and the permission: what may not be seen is not found either"},
    [ERROR_CONFLICT] = {0},
    [ERROR_TOKEN] = {0},
    [ERROR_BUSY] = {.retry = true}, /* one object is, not the account */
    [ERROR_REJECTED] = {.advice = "change what is asked for as the answer says"},
    [ERROR_THROTTLED] = {.retry = true, .breaker = true, .advice = "lower maxConcurrency if it stays so"},
    [ERROR_SERVER] = {.retry = true, .ambiguous = true, .breaker = true},
    [ERROR_BREAKER] = {.advice = "see the errors before; it is tried again by itself"},
    [ERROR_UNCONVERGED] = {.advice = "declare what the cloud makes of it, or leave the attribute out"},
    [ERROR_CANCELLED] = {0},
};
_Static_assert(sizeof(policies) / sizeof(policies[0]) == ERROR_KIND_MAX, "one row per kind of error");

const ErrorPolicy *error_policy(ErrorKind kind)
{
    return &policies[kind];
}

usec_t retry_pause(unsigned n, uint32_t random)
{
    usec_t limit = RETRY_WAIT_FIRST;
    for (unsigned i = 1; i < n && limit < RETRY_WAIT_MAX; i++)
        limit *= 2;
    if (limit > RETRY_WAIT_MAX)
        limit = RETRY_WAIT_MAX;
    return limit * random / UINT32_MAX;
}

/* `wait` may be huge, so it is compared and never added. */
static bool in_time(const Tries *tries, usec_t now, usec_t wait)
{
    usec_t passed = now > tries->started ? now - tries->started : 0;
    return passed <= RETRY_TIME_MAX && wait <= RETRY_TIME_MAX - passed;
}

bool retry_left(const Tries *tries, usec_t now)
{
    usec_t wait = tries->not_before > now ? tries->not_before - now : 0;
    return tries->n == 0 || (tries->n < RETRY_TRIES_MAX && in_time(tries, now, wait));
}

RetryVerdict retry_decide(const Tries *tries, const Error *e, bool safe, usec_t now, uint32_t random, usec_t *ret_wait)
{
    const ErrorPolicy *policy = error_policy(e->kind);
    if (!policy->retry || !retry_left(tries, now))
        return RETRY_NO;
    if (policy->ambiguous && !safe)
        return in_time(tries, now, e->retry_after_usec) ? RETRY_LOOK : RETRY_NO;
    usec_t wait = retry_pause(tries->n, random);
    if (wait < e->retry_after_usec)
        wait = e->retry_after_usec;
    if (!in_time(tries, now, wait))
        return RETRY_NO;
    *ret_wait = wait;
    return RETRY_LATER;
}

static usec_t parse_seconds(const char *digits, size_t n)
{
    usec_t seconds = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)digits[i]))
            return 0;
        if (seconds * USEC_PER_SEC < RETRY_AFTER_MAX)
            seconds = seconds * 10 + (usec_t)(digits[i] - '0');
    }
    return seconds * USEC_PER_SEC;
}

usec_t retry_after_parse(const char *value, usec_t server_now)
{
    if (!value)
        return 0;
    while (*value == ' ' || *value == '\t')
        value++;
    size_t n = strlen(value);
    while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
        n--;
    usec_t wait, date;
    char text[HTTP_DATE_SIZE] = {0};
    if (n < sizeof(text))
        memcpy(text, value, n);
    if (parse_http_date(text, &date) == 0)
        wait = date > server_now ? date - server_now : 0;
    else
        wait = parse_seconds(value, n);
    return wait < RETRY_AFTER_MAX ? wait : RETRY_AFTER_MAX;
}

static void breaker_open(Breaker *b, usec_t now)
{
    usec_t pause = b->pause ? b->pause : BREAKER_PAUSE_FIRST;
    b->open_until = now + pause;
    b->pause = pause * 2 < BREAKER_PAUSE_MAX ? pause * 2 : BREAKER_PAUSE_MAX;
    b->probing = false;
}

bool breaker_allows(Breaker *b, usec_t now, usec_t *ret_until)
{
    if (!b->open_until)
        return true;
    if (now >= b->open_until && !b->probing) {
        b->probing = true;
        return true;
    }
    /* Nobody knows how long the one under way will take. */
    *ret_until = b->probing ? now + USEC_PER_SEC : b->open_until;
    return false;
}

static void count(Breaker *b, usec_t now, bool failed)
{
    usec_t second = now / USEC_PER_SEC;
    size_t i = second % BREAKER_BUCKETS;
    if (b->buckets[i].second != second) {
        b->buckets[i].second = second;
        b->buckets[i].ok = b->buckets[i].failed = 0;
    }
    if (failed)
        b->buckets[i].failed++;
    else
        b->buckets[i].ok++;
}

static bool too_many_failed(const Breaker *b, usec_t now)
{
    usec_t second = now / USEC_PER_SEC;
    uint64_t failed = 0, all = 0;
    for (size_t i = 0; i < BREAKER_BUCKETS; i++)
        if (b->buckets[i].second <= second && second - b->buckets[i].second < BREAKER_BUCKETS) {
            failed += b->buckets[i].failed;
            all += b->buckets[i].failed + b->buckets[i].ok;
        }
    return all >= BREAKER_MIN_REQUESTS && failed * 100 >= all * BREAKER_FAILED_PERCENT;
}

void breaker_record(Breaker *b, usec_t now, bool failed)
{
    if (b->probing) {
        if (failed)
            breaker_open(b, now);
        else
            *b = (Breaker){0};
        return;
    }
    /* An answer to what was sent before it opened says nothing new. */
    if (b->open_until)
        return;
    count(b, now, failed);
    if (failed && too_many_failed(b, now))
        breaker_open(b, now);
}

void breaker_cancel(Breaker *b)
{
    b->probing = false;
}
