/* What the ways of making a change share: op.c (an update) and create.c. */
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
    Live *live;         /* the state that was diffed last */
    Live *answer;       /* of the request under way */
    Str body;
    char token[SHA256_HEX_SIZE]; /* empty: the operation takes none */
    Tries tries;        /* of the write, over all looks in between */
    unsigned conflicts;
    unsigned void_tokens; /* refused although the object is what it was */
    bool unselected;      /* the look shows that the document's selector is not met any more */
    Error *last;        /* why the last write has to be decided anew; NULL: there was none */
    bool unclear;       /* a write may have been carried out, and no look has told yet */
    bool wrote;
    char *request_id;
};

void op_enter(Op *op, OpState state);
void op_end_held(Op *op, Hold hold, const char *reason);
void op_end_as(Op *op, Outcome outcome, const char *reason);
/* Takes the error over. */
void op_end_failed(Op *op, Error *error);
/* Reads the answer to a write or a look into op->answer. */
int op_take_answer(Op *op, const HttpAnswer *answer, Error **err);
void op_keep_request_id(Op *op, const HttpAnswer *answer);

/* Makes what is not there. */
void create_begin(Op *op);
