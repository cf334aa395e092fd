/*
 * A lasting condition is said once, then hourly with a count, and once more when it has passed. Pure: the clock is
 * given.
 */
#pragma once

#include "base/alloc.h"
#include "base/clock.h"

typedef struct Fold Fold;

/* What a condition is about, for when it has passed. */
typedef struct Subject {
    const char *text;        /* "OciImage ol9 (prod)" */
    const char *kind, *name; /* of the document; NULL: it is not about one alone */
    const char *account;     /* or NULL */
    const char *target;      /* or NULL */
} Subject;

Fold *fold_new(void) __attribute__((returns_nonnull));
void fold_free(Fold *fold);
DEFINE_CLEANUP(Fold, fold_free)

/* The condition `key` holds in this round; `subject` is copied when it is new (NULL: that it has passed is not worth
 * saying). `now` is monotonic. Returns 0 when nothing is to be said now, else how often it has been met since it
 * was last said. */
unsigned fold_meet(Fold *fold, const char *key, const Subject *subject, usec_t now);

/* The conditions whose keys begin with `prefix` could not be looked at in this round, and hold still. */
void fold_keep(Fold *fold, const char *prefix);

/* The round is over for the conditions whose keys begin with `prefix`: those that were neither met nor kept are
 * forgotten, and `passed` is called for each of them that has a subject. */
void fold_end_round(Fold *fold, const char *prefix, void (*passed)(void *userdata, const Subject *subject),
                    void *userdata);
