/*
 * What is due: which slot of a schedule is to be made of one volume now, as which attempt, which were missed, and when
 * to look again. Pure.
 */
#pragma once

#include "schedule/calendar.h"
#include "schedule/keep.h"

/* A FAULTY backup is made again until so many attempts have failed. */
#define ATTEMPTS_MAX 3
/* No more of the missed ones are counted: a schedule of seconds may have missed millions. */
#define MISSED_MAX 100

/* One backup that bears the schedule's tag. */
typedef struct Made {
    const char *id;
    usec_t slot;
    usec_t born;        /* wall; 0: not known */
    usec_t prune_after; /* of PRUNE_MARK_AT */
    uint8_t state;      /* BackupState */
    uint8_t mark;       /* PruneMark */
} Made;

typedef struct DueRule {
    const Calendar *calendar;
    const Zone *zone;
    usec_t delay;    /* of this volume: its backup of a slot is made so much later */
    usec_t catch_up; /* and at most so much later than that */
    usec_t since;    /* wall: slots before it do not count (not in force yet, no volume yet, suspended) */
    usec_t resumed;  /* wall: when it was suspended last, the end of that; 0: never */
    usec_t written;  /* wall: when the schedule was changed last */
} DueRule;

typedef enum DueState {
    DUE_NOTHING, /* the newest slot is made, or was missed for good, or there was none yet */
    DUE_NOW,
    DUE_RESTS,    /* an attempt failed; the next one is made at `retry` */
    DUE_GIVEN_UP, /* all attempts failed that there is time for before the next slot, ATTEMPTS_MAX at most */
    DUE_DELETED,  /* its backup was deleted: by somebody's hand, so it is not made again */
} DueState;

typedef struct Due {
    DueState state;
    usec_t slot;        /* the newest one that counts; 0: none */
    unsigned attempt;   /* of DUE_NOW, from 1 on; of the others how many failed */
    usec_t next;        /* wall: when the next slot becomes due; 0: never */
    usec_t retry;       /* of DUE_RESTS: wall */
    const char *failed; /* id of the newest FAULTY backup of the slot; NULL: none */
    unsigned missed; /* slots that counted, have no backup, and get none any more: newer than any backup of the volume
                        (where there is none, than its file), MISSED_MAX at most */
    usec_t missed_first, missed_last;
} Due;

/* When the next attempt may be made after those, none of which counts (wall); 0: at once, as the newest of them did not
 * fail. *ret_failed is its id, or NULL. */
usec_t due_retry(const Made *made, size_t n, const char **ret_failed);
/* Decides on all backups of one schedule and one volume. The order of `made` does not matter. */
Due due_decide(const DueRule *rule, usec_t now, const Made *made, size_t n);
