/* What is known after the last rounds: shared by status.c, which takes it in, and metrics.c. */
#pragma once

#include "base/map.h"
#include "record/status.h"

typedef struct Entry {
    const char *key;
    const char *kind, *name, *target, *file, *reason;
    unsigned line;
    ObjectState state;
    usec_t since, next_try; /* wall; next_try 0: none is planned */
    usec_t suspended_until; /* wall; 0: it is not */
} Entry;

/* The backups that a schedule has of one volume. */
typedef struct Backups {
    const char *schedule, *volume;
    usec_t last_good; /* slot; 0: there is none */
    usec_t interval;  /* between slots, the longest of the next ones; 0: there are no more */
} Backups;

/* All that is known of one account. Its strings are its own, so that specs and rounds may go. */
typedef struct Told {
    char *name;
    Arena *arena;
    VEC(Entry *) entries;
    VEC(Backups) backups;
    Map *by_key;
    const char *state, *error;
    bool has_difference;
    int64_t difference_usec;
    usec_t complete_look; /* wall; 0: there was none */
} Told;

struct Status {
    VEC(Told *) accounts;
};
