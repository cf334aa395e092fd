/*
 * Retention: which backups of one source volume stay, and why; and which step each is to go. Pure: the same answer
 * whatever the order of the input, and nothing that does not bear the schedule's tag ever gets in here.
 */
#pragma once

#include "schedule/zone.h"

typedef enum KeepClass {
    KEEP_LAST,
    KEEP_HOURLY,
    KEEP_DAILY,
    KEEP_WEEKLY, /* ISO 8601 weeks */
    KEEP_MONTHLY,
    KEEP_YEARLY,
    KEEP_CLASS_MAX,
} KeepClass;

const char *keep_class_name(KeepClass class) __attribute__((returns_nonnull));

/* How many of each class stay. */
typedef struct KeepRule {
    unsigned count[KEEP_CLASS_MAX];
    usec_t grace;          /* between the mark and the deletion */
    usec_t settled_before; /* wall: slots before it are never tried again, so that a FAULTY one is of no use */
    const Zone *zone;      /* periods are counted on its clocks */
} KeepRule;

typedef enum BackupState {
    BACKUP_GOOD,       /* AVAILABLE */
    BACKUP_UNFINISHED, /* asked for, or being made */
    BACKUP_FAULTY,
    BACKUP_GONE,   /* deleted, though still shown: no decision is made on it */
    BACKUP_UNSURE, /* shown differently by two pages of a list */
    BACKUP_STATE_MAX,
} BackupState;

/* Is it one that counts: not deleted, not FAULTY? */
static inline bool backup_counts(BackupState state)
{
    return state != BACKUP_FAULTY && state != BACKUP_GONE;
}

typedef enum PruneMark {
    PRUNE_MARK_NONE,
    PRUNE_MARK_AT,         /* a time */
    PRUNE_MARK_NEVER,      /* kept for good by somebody's hand */
    PRUNE_MARK_UNREADABLE, /* neither: left alone */
    PRUNE_MARK_MAX,
} PruneMark;

typedef enum KeepStep {
    KEEP_STEP_NONE,
    KEEP_STEP_MARK,   /* it goes: say from when on */
    KEEP_STEP_UNMARK, /* it bears a mark and stays */
    KEEP_STEP_WAIT,   /* it bears a mark whose time has not come */
    KEEP_STEP_DELETE, /* the time has come, and it would still go */
    KEEP_STEP_MAX,
} KeepStep;

typedef struct KeepItem {
    const char *id;
    usec_t slot;
    BackupState state;
    PruneMark mark;
    usec_t prune_after; /* of PRUNE_MARK_AT */
    /* The answer: */
    bool keep;
    const char *reasons; /* "last 2/3, daily 1/7", "newest good", "expired", …; never NULL afterwards; in the arena */
    KeepStep step;
} KeepItem;

/* Decides on all backups of one volume and one schedule. Without a rule (NULL) everything stays. Returns the newest
 * good one, or NULL. */
const KeepItem *keep_decide(const KeepRule *rule, usec_t now, KeepItem *items, size_t n, Arena *arena);
