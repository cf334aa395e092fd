/*
 * A lasting condition is said once, then hourly with a count, and once more when it has passed. Pure: the clock is given.
 */
#pragma once

#include "base/alloc.h"
#include "base/clock.h"

typedef struct Fold Fold;

Fold *fold_new(void) __attribute__((returns_nonnull));
void fold_free(Fold *fold);
DEFINE_CLEANUP(Fold, fold_free)

/* The condition `key` holds in this round; `subject` is what it is about, for when it has passed (NULL: that is not worth
 * saying). Returns 0 when nothing is to be said now, else how often it has been met since it was last said. */
unsigned fold_meet(Fold *fold, const char *key, const char *subject, usec_t now);

/* The round is over: calls `passed` for each subject whose condition was not met in it, and forgets it. Conditions that begin
 * with one of the prefixes in `keep` (ends with NULL) could not be looked at and stay. */
void fold_end_round(Fold *fold, const char *const *keep, void (*passed)(void *userdata, const char *subject),
                    void *userdata);
