/* What the ways of making a change share: op.c (an update), create.c and delete.c. */
#pragma once

#include "base/str.h"
#include "execute/op.h"
#include "sign/key.h"

typedef enum OpState {
    OP_LOOK,  /* a single read is under way */
    OP_WRITE, /* the write is queued, under way or waiting for its next try */
    OP_ENDED,
    OP_STATE_MAX,
} OpState;

/* Why the object is looked at: what became of the write before. */
typedef enum LookReason {
    LOOK_FIRST,    /* there was none */
    LOOK_CONFLICT, /* refused, as the object is not what it was */
    LOOK_UNCLEAR,  /* it may have been carried out */
    LOOK_RETRY,    /* not carried out, for a reason that passes; without etags the state may be another by now */
    LOOK_REFUSED,  /* refused, though some of it may have been made: nobody promises that it was refused whole */
    LOOK_ANSWERED, /* carried out, and answered with something else than was asked */
} LookReason;

struct Op {
    Account *account;
    Plan *plan;
    Change *change;
    OpOptions options;
    op_done_fn done;
    void *userdata;
    OpState state;
    HttpRequest *request;
    Live *live;   /* the state that was diffed last */
    Live *answer; /* of the request under way */
    Str body;
    char token[SHA256_HEX_SIZE]; /* empty: the operation takes none */
    Tries tries;                 /* of the write, over all looks in between */
    unsigned conflicts;
    unsigned void_tokens; /* refused although the object is what it was */
    unsigned rests;       /* how often it was waited for the object to rest */
    bool logged_in_again; /* a write was refused for its credential, and tried again with a new one */
    bool doubt;           /* the API denies what reads show: an empty text may be an absent one */
    bool unselected;      /* the look shows that the document's selector is not met any more */
    bool wrote;           /* something was, as far as is known */
    LookReason why;
    Error *last; /* what the last write got; NULL: there was none, or an answer */
    /* Where there are no etags: */
    Deltas made;       /* what writes before the last one have made, though refused */
    usec_t looked_at;  /* wall, by the server: when `live` was read */
    usec_t written_on; /* wall: when the state that the last write was decided on had been written */
    bool attempted;    /* a write was sent since `made` was looked after */
    char *request_id;
};

void op_enter(Op *op, OpState state);
void op_end(Op *op);
void op_end_held(Op *op, Hold hold, const char *reason);
void op_end_as(Op *op, Outcome outcome, const char *reason);
/* Takes the error over. */
void op_end_failed(Op *op, Error *error);
/* Reads the answer to a write into op->answer. */
int op_take_answer(Op *op, const HttpAnswer *answer, Error **err);
void op_keep_request_id(Op *op, const HttpAnswer *answer);

/* Looks, and decides anew; `error` is what the write got, NULL an answer. */
void op_look_again(Op *op, LookReason why, const Error *error);
/* May a write follow the look, or were there enough of them? Then the operation has ended. */
bool op_may_write_again(Op *op);
/* It was changed between the look and the write: looks again, unless that happened too often. */
void op_conflict(Op *op, const Error *error);
/* Nothing is left to be written: our own write whose answer was lost, or somebody else's, of which `by_others` tells.
 */
void op_settle(Op *op, const char *by_others);

/* Reads the object by itself, not before that (monotonic; 0: now), and decides. */
void op_look(Op *op, usec_t not_before);
/* What was asked for is not what is there. */
void op_end_unconverged(Op *op, const Deltas *left);

bool op_has_etags(const Op *op);
/* What takes the place of etags where the API has none (no-etag.c); where it has them these do nothing, and say go on.
 */
/* A write got an error that is no conflict. True: the operation looks again; false: it is to fail with that. */
bool no_etag_failed(Op *op, const Error *error);
/* The look shows that `left` is still to be written; `same`: what it was before. True: the operation has ended. */
bool no_etag_judge(Op *op, const Deltas *left, bool same);
/* Before a write: true: the object is at rest. False: it is looked at again, or the operation has ended. */
bool no_etag_rests(Op *op);

/* Begins with the backup that stays. */
void delete_begin(Op *op);
/* The look of a deletion ended with `error` or an answer. True: that was all there is to know, and the operation has
 * ended. */
bool delete_looked(Op *op, const Error *error);
/* Deletes what the look shows, if it is what was planned on. */
void delete_decide(Op *op);
/* Makes what is not there. */
void create_begin(Op *op);
