/*
 * What the daemon remembers from one round to the next, to be patient and never to be right: which objects failed or
 * did not converge and when they are tried again, and how many objects each selector matched. Losing it costs a try.
 */
#pragma once

#include "plan/plan.h"

typedef struct Memory Memory;

Memory *memory_new(void) __attribute__((returns_nonnull));
void memory_free(Memory *memory);
DEFINE_CLEANUP(Memory, memory_free)

/* Why a change is not tried yet. */
typedef struct Rest {
    usec_t until; /* monotonic; 0: it does not rest */
    Hold hold;    /* HOLD_PAUSE, HOLD_UNCONVERGED or HOLD_MADE */
    const char *reason;
} Rest;

/* Borrowed. */
Rest memory_rest(const Memory *memory, const Change *change);
/* Did the cloud say, when it was asked to make this, that it was made before? */
bool memory_was_made(const Memory *memory, const Change *change);
/* Was it held back for a minute because others are at work on the object? */
bool memory_is_out_of_patience(const Memory *memory, const Change *change, usec_t now);
/* How many objects the document's selector matched when it was last compared without being held; false: never. */
bool memory_matches(const Memory *memory, const Spec *spec, size_t *ret);

/* Takes in what became of the plan of one account: growing pauses for what failed or came back undone, forgetting for
 * what is in sync. The shortest pause is `interval`, from `now` on: the monotonic time at which the round began. */
void memory_learn(Memory *memory, const Plan *plan, const Snapshot *snapshot, const char *account, usec_t now,
                  usec_t interval);
/* The configuration was read anew: what rests is tried at once. */
void memory_try_all(Memory *memory);
/* The specs changed: everything is tried anew, and selectors may match what they like. */
void memory_forget(Memory *memory);
