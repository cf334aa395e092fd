/*
 * One creation. The look was the list that showed nothing; the retry token makes the request safe to repeat, by
 * whoever, for 24 hours. What the token cannot tell is left to the next look: nothing is ever made on a guess.
 */
#include "config.h"

#include "execute/op-private.h"
#include "plan/create.h"

static int create_check(void *userdata, const HttpAnswer *answer, Error **err)
{
    Op *op = userdata;
    op_keep_request_id(op, answer);
    if (op_take_answer(op, answer, err) < 0)
        return -1;
    if (!creation_is_met(op->change, op->answer))
        return error_set(err, ERROR_PROTOCOL, "the answer shows %s, which is not the %s that was asked for",
                         op->answer->id, op->change->live->kind->noun);
    return 0;
}

static void create_done(void *userdata, HttpAnswer *answer, const Error *error)
{
    (void)answer;
    Op *op = userdata;
    const Kind *kind = op->change->live->kind;
    http_request_free(TAKE(op->request));
    if (!error) {
        op->wrote = true;
        op->change->live = op->answer;
        op_end_as(op, OUTCOME_DONE, NULL);
    } else if (error->kind == ERROR_TOKEN && op->change->series) {
        /* A slot whose backup was made, and deleted by somebody, is done. So is one that a list does not show yet. */
        op->change->made_before = true;
        op_end_as(op, OUTCOME_DONE, MADE_BEFORE);
    } else if (error->kind == ERROR_TOKEN) {
        /* It was made before: by a try whose answer was lost, by another daemon, or of what was declared then. A list
         * that lags will show it; one that was deleted and is shown no more is made again when the token has expired.
         */
        op_end_held(
            op, HOLD_MADE,
            "the cloud says that this was asked for and made before, and no list shows it (yet); if it was deleted, "
            "it will be made again within a day");
    } else if (error->kind == ERROR_BUSY) {
        CLEANUP(freep)
        char *reason = xasprintf("the %s is busy (%s); it waits its turn", kind->source_kind->noun, error->message);
        op_end_held(op, HOLD_STATE, reason);
    } else {
        Error *e = error_copy(error);
        if (error_policy(error->kind)->ambiguous)
            error_wrap(&e, "whether the %s was made is not known; the same request will be repeated", kind->noun);
        op_end_failed(op, e);
    }
}

void create_begin(Op *op)
{
    const Provider *provider = op->account->provider;
    const Kind *kind = op->change->live->kind;
    CLEANUP(str_done) Str name = {0}, target = {0};
    creation_name(op->change, &name);
    sha256_hex(str_get(&name), name.len, op->token);
    provider->add_body(NULL, creation_values(op->change, op->plan->arena), false, &op->body);
    Creation creation = {.kind = kind, .token = op->token, .body = str_get(&op->body)};
    HttpSpec spec;
    provider->fill_create(&creation, &target, &spec);
    spec.busy_ends = true; /* a backup takes minutes or hours */
    HttpHandlers handlers = {.check = create_check, .done = create_done, .userdata = op};
    op_enter(op, OP_WRITE);
    op->request = http_request_start(op->account->client, &spec, &op->tries, &handlers);
}
