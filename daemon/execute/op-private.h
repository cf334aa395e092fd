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
    bool unselected;      /* the look shows that the document's selector is not met any more */
    bool unclear;         /* a write may have been carried out, and no look has told yet */
    bool wrote;
    Error *last; /* why the last write has to be decided anew; NULL: there was none */
    /* Where there are no etags: */
    Deltas made;       /* what writes before the last one have made, though refused */
    Error *refused;    /* what a write of several attributes got, of which some may have been made all the same */
    usec_t looked_at;  /* wall, by the server: when `live` was read */
    usec_t written_on; /* wall: when the state that the last write was decided on had been written */
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

/* Looks, and decides anew; `error` is what became of the write. */
void op_look_again(Op *op, const Error *error);
/* May a write follow the look, or were there enough of them? Then the operation has ended. */
bool op_may_write_again(Op *op);
/* It was changed between the look and the write: looks again, unless that happened too often. */
void op_conflict(Op *op, const Error *error);
/* Nothing is left to be written: our own write whose answer was lost, or somebody else's, of which `by_others` tells.
 */
void op_settle(Op *op, const char *by_others);

/* Reads the object by itself, and decides. */
void op_look(Op *op);

/* Begins with the backup that stays. */
void delete_begin(Op *op);
/* The look of a deletion ended with `error` or an answer. True: that was all there is to know, and the operation has
 * ended. */
bool delete_looked(Op *op, const Error *error);
/* Deletes what the look shows, if it is what was planned on. */
void delete_decide(Op *op);
/* Makes what is not there. */
void create_begin(Op *op);
