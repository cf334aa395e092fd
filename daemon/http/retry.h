/*
 * When to try again, and when to leave an account in peace: pure rules, without clock, randomness or I/O, so that they
 * can be tested exhaustively. The figures are design.md's (section 5).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

#define RETRY_TRIES_MAX 5
#define RETRY_TIME_MAX (30 * USEC_PER_SEC)

/* What is known of one logical request over all its tries in a round. {0} at its beginning. */
typedef struct Tries {
    unsigned n;        /* sent or refused so far */
    usec_t started;    /* monotonic, of the first try */
    usec_t not_before; /* monotonic: what the newest failure's Retry-After asked for; 0: nothing */
} Tries;

typedef enum RetryVerdict {
    RETRY_NO,    /* would be refused again, or the tries or the time are used up */
    RETRY_LATER, /* after *ret_wait */
    RETRY_LOOK,  /* it may have been carried out: look first, then decide anew; counts as a try */
} RetryVerdict;

/* What one kind of error means for what was asked. The one table that classifies errors. */
typedef struct ErrorPolicy {
    bool retry;         /* will pass by itself */
    bool ambiguous;     /* may have been carried out all the same */
    bool breaker;       /* counts against the account */
    const char *advice; /* what a person can do, or NULL */
} ErrorPolicy;
const ErrorPolicy *error_policy(ErrorKind kind);

/* The pause after try number `n`, with full jitter: uniform in [0, min(8 s, 0.5 s × 2^(n-1))]. */
usec_t retry_pause(unsigned n, uint32_t random);

/* Are there tries and time left for another one? */
bool retry_left(const Tries *tries, usec_t now);

/* Decides after the failure `e` of the try number tries->n. `safe`: reading may be repeated freely. `random` is uniform
 * in [0, UINT32_MAX]; the wait is retry_pause() and never less than Retry-After. A wait
 * that would end after RETRY_TIME_MAX ends it for this round. *ret_wait is written for RETRY_LATER alone. RETRY_NO for
 * an ambiguous error still leaves the outcome of a write unknown. */
RetryVerdict retry_decide(const Tries *tries, const Error *e, bool safe, usec_t now, uint32_t random, usec_t *ret_wait);

/* Retry-After (RFC 9110 section 10.2.3): seconds or an HTTP date, the latter against the answer's own Date. 0 when
 * absent or not understood; at most a day. */
usec_t retry_after_parse(const char *value, usec_t server_now);

/* The circuit breaker of one account: open for 30 s once 80 % of at least 10 requests in 120 s failed, doubling up to 5
 * min as long as the one request that is then let through fails. {0} is a new, closed one. */
typedef struct Breaker {
    struct {
        usec_t second; /* which second this bucket counts */
        unsigned ok, failed;
    } buckets[120];
    usec_t open_until; /* monotonic; 0: closed */
    usec_t pause;      /* the length of the next one */
    bool probing;      /* the one request is under way */
} Breaker;

/* May a request be sent now? When not, *ret_until is when to ask again. Saying yes while it is open lets the one
 * request through (`probing`), whose end must be recorded or cancelled. */
bool breaker_allows(Breaker *b, usec_t now, usec_t *ret_until);
/* While probing, the result must be that of the one request that was let through. While open, it is ignored. */
void breaker_record(Breaker *b, usec_t now, bool failed);
/* The request that was let through was never sent. */
void breaker_cancel(Breaker *b);
