/*
 * desired + live + now → plan. Pure: the same input gives the same plan, byte for byte; nothing is read, no clock
 * asked, nothing remembered. What guards and execution find out later is written into the plan's own changes.
 */
#pragma once

#include "plan/diff.h"

typedef enum Action {
    ACTION_UPDATE,
    ACTION_CREATE,
    ACTION_DELETE,
    ACTION_MAX,
} Action;

typedef enum Outcome {
    OUTCOME_PLANNED,
    OUTCOME_DONE,
    OUTCOME_HELD, /* not done, for a reason that a person can remove */
    OUTCOME_FAILED,
    OUTCOME_OBSERVED, /* a difference that is only reported */
    OUTCOME_MAX,
} Outcome;

const char *action_name(Action action);
const char *outcome_name(Outcome outcome);

/* The reason of a creation that the cloud says was carried out before. */
#define MADE_BEFORE "the cloud says that this was made before; it is not made again"

/* So long at most a slot's backup that could not be made rests before it is tried again. */
#define SLOT_RETRY (5 * USEC_PER_MINUTE)

/* Why a change is held. */
typedef enum Hold {
    HOLD_NONE,
    HOLD_STATE,       /* the object cannot be written as it is now */
    HOLD_MADE,        /* it was made, and is not shown */
    HOLD_UNSURE,      /* it changed while it was read */
    HOLD_BUSY,        /* somebody else is writing it all the time, and there is no etag */
    HOLD_GROWTH,      /* the selector suddenly matches far more */
    HOLD_CLOCK,       /* what depends on the time waits for a clock that can be trusted */
    HOLD_PAUSE,       /* it failed before, and rests */
    HOLD_UNCONVERGED, /* it was written before, and the cloud made something else of it; it rests */
    HOLD_LIMIT,       /* too many changes at once */
    HOLD_SAVED,       /* the saved plan says something else */
    HOLD_STOPPED,     /* we are stopping */
    HOLD_MAX,
} Hold;

typedef struct Change {
    const Spec *spec;
    const char *target; /* id of the live object; of a creation what it is made of */
    const Live *live;   /* of a creation what is there: an object without members */
    Action action;
    const Series *series; /* that a schedule wants it for; NULL: no schedule does */
    usec_t slot;          /* of a schedule's */
    unsigned attempt;     /* of a creation, from 1 on */
    const Live *newest;   /* of a deletion: the good backup that must be there */
    const char *why;      /* "slot …", "expired": of a schedule's */
    bool is_hint;         /* only told, and no difference: what would go if the schedule said prune: true */
    bool insist;          /* it was held back long enough because others are at work on the object */
    bool made_before;     /* of a creation, found out by asking: the slot is done though no list shows its backup */
    Outcome outcome;
    Hold hold;          /* of OUTCOME_HELD; of OUTCOME_FAILED only whether it is HOLD_UNCONVERGED */
    const char *reason; /* why held or failed; in the plan's arena, or NULL */
    usec_t next_try;    /* wall: when what rests is tried again; 0: not known */
    Deltas deltas;
} Change;

/* A document of which (or a live object of a document of which) something could not be found out or done. */
typedef struct Failure {
    const Spec *spec;
    const char *target; /* the first live object that it is about; NULL: the document as a whole */
    Error *error;
    size_t more; /* further objects of the document with failures of their own */
} Failure;

typedef enum NoteKind {
    NOTE_AVAILABLE, /* a backup that was followed is there */
    NOTE_FAULTY,    /* one became FAULTY, and is made again */
    NOTE_MISSED,    /* slots that get no backup any more */
    NOTE_DELETED,   /* a slot's backup was deleted by somebody's hand */
    NOTE_LIMIT,     /* a schedule takes more volumes than one round may make backups of */
    NOTE_VANISHED,  /* a volume is no longer among those that the schedule is about, and its backups are left alone */
    NOTE_MAX,
} NoteKind;

const char *note_name(NoteKind kind);

/* What is worth telling, and asks for no change. */
typedef struct Note {
    NoteKind kind;
    const Spec *spec;
    const char *target; /* volume */
    const char *object; /* backup, or NULL */
    usec_t slot;        /* the newest one that it is about */
    const char *text;
} Note;

/* A difference that was passed over. */
typedef struct Ignored {
    const Spec *spec;
    const Live *live;
    Delta delta;
} Ignored;

typedef struct Plan {
    Arena *arena;
    const Specs *specs;
    usec_t now; /* wall, that it was made at */
    VEC(Change) changes;
    VEC(Failure) failures;
    VEC(Ignored) ignored;
    VEC(Note) notes;
    usec_t next_look; /* wall: when something becomes due, or is to be looked after; 0: nothing does */
    size_t declared;  /* documents */
    size_t objects;   /* live objects that they claim */
    size_t in_sync;   /* of those, the ones without a change */
} Plan;

typedef struct PlanOptions {
    usec_t now;                /* wall */
    const char *clock_trouble; /* why the clock cannot be trusted, or NULL */
    int64_t max_changes;       /* of one account in one round; 0: no limit */
    bool hints;                /* also tell what would go if schedules said prune: true */
    bool observe;              /* the configuration's mode: report drift, change nothing */
    const char *account;       /* only its documents are compared, though claims are checked between all; NULL: all */
} PlanOptions;

/* Never NULL. `specs` and `snapshot` must outlive it. */
Plan *plan_make(const Specs *specs, const Snapshot *snapshot, const PlanOptions *options)
    __attribute__((returns_nonnull));
void plan_free(Plan *plan);
DEFINE_CLEANUP(Plan, plan_free)

/* Adds a failure; takes the error over. A document has one, that of the smallest target: others are counted in it. */
void plan_fail(Plan *plan, const Spec *spec, const char *target, Error *error);
void plan_note(Plan *plan, NoteKind kind, const Spec *spec, const char *target, const char *object, usec_t slot,
               const char *format, ...) PRINTF(7, 8);
/* It is to be looked again by then (wall; 0: never). */
void plan_look_at(Plan *plan, usec_t when);
/* A backup that is on its way is looked at again, soon while it is young. */
void plan_look_after(Plan *plan, BackupState state, usec_t born);
/* `reason` may be NULL. */
void change_set(Plan *plan, Change *change, Outcome outcome, const char *reason);
void change_hold(Plan *plan, Change *change, Hold hold, const char *format, ...) PRINTF(4, 5);
/* How many changes have that outcome. */
size_t plan_count(const Plan *plan, Outcome outcome);
