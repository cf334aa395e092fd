/*
 * One change being made: look → decide → write → compare; a creation (create.c) is its write alone, and a deletion
 * (delete.c) compares nothing. A machine of a few states, each of
 * which waits for one request.
 *
 * The state that is written on is the state that was diffed: where it came from a list it is read by itself first, for
 * its etag, and diffed again. A conflict (412) and a write whose outcome is unknown lead back to the look.
 *
 * Where the API has no etags the look is all there is: it comes right before every write, an object that somebody else
 * wrote a moment ago is left to rest first, and an answer that shows something else than what was asked is looked into
 * by one more read. What is left is the time between the look's answer and the write's arrival.
 */
#pragma once

#include "cloud/account.h"
#include "plan/plan.h"

typedef struct Op Op;

typedef struct OpOptions {
    bool exact;      /* `apply --plan`: what the look before the write finds must be what was planned */
    bool look_first; /* also where the change was planned on a single read */
    usec_t left_at;  /* wall: when we ourselves wrote the object last, by what its answer shows; 0: not */
} OpOptions;

/* `op` may be freed in it. */
typedef void (*op_done_fn)(void *userdata, Op *op);

/* Makes `change`, which must be planned, and writes its outcome, reason and differences into it; a failure is added to
 * the plan. The change must not move in memory meanwhile. Starts at once; `done` runs once, from the loop. */
Op *op_start(Account *account, Plan *plan, Change *change, const OpOptions *options, op_done_fn done, void *userdata);
void op_free(Op *op);
DEFINE_CLEANUP(Op, op_free)

/* What became of it, after `done`. */
const Change *op_change(const Op *op);
/* Was something written, and how the API called the request; NULL when nothing was. */
bool op_wrote(const Op *op);
const char *op_request_id(const Op *op);
const char *op_retry_token(const Op *op);
/* When the object was written by it, as its answer shows (wall); 0: not, or not known. */
usec_t op_left_at(const Op *op);

/* We are stopping: an operation whose write is not on its way ends now, as held; one that is goes on to its end.
 * Returns whether it ended; `done` does not run then. */
bool op_stop(Op *op);
