/*
 * One deletion: first the newest good backup, without which nothing is deleted, is read by itself, since a list may
 * lag. Then look → decide → delete, under the etag of the very state that was looked at. What is gone already, or is
 * found gone after an answer was lost, is done; a 404 that nothing of ours explains is not taken for that, as it may be
 * a permission that is missing.
 */
#include "config.h"

#include "execute/op-private.h"

#include "base/str.h"
#include "plan/scheduled.h"

/* --- the backup that stays --- */

static int vouch_check(void *userdata, const HttpAnswer *answer, Error **err)
{
    Op *op = userdata;
    if (op_take_answer(op, answer, err) < 0)
        return -1;
    if (!streq(op->answer->id, op->change->newest->id))
        return error_set(err, ERROR_PROTOCOL, "asked for %s, got %s", op->change->newest->id, op->answer->id);
    return 0;
}

static void vouch_done(void *userdata, HttpAnswer *answer, const Error *error)
{
    (void)answer;
    Op *op = userdata;
    http_request_free(TAKE(op->request));
    if (!error && newest_holds(op->change, op->answer)) {
        op_look(op, 0);
        return;
    }
    CLEANUP(freep)
    char *reason =
        xasprintf("%s, the newest good backup by the list, %s%s; nothing is deleted until the list shows what is there",
                  op->change->newest->id, error ? "cannot be read: " : "is not as the list showed it",
                  error ? error->message : "");
    op_end_held(op, HOLD_UNSURE, reason);
}

void delete_begin(Op *op)
{
    CLEANUP(str_done) Str target = {0};
    op->account->provider->add_object_target(op->change->live->kind, op->change->newest->id, &target);
    HttpSpec spec = {.method = "GET", .target = str_get(&target), .safe = true};
    HttpHandlers handlers = {.check = vouch_check, .done = vouch_done, .userdata = op};
    op->request = http_request_start(op->account->client, &spec, NULL, &handlers);
}

/* --- the one that goes --- */

bool delete_looked(Op *op, const Error *error)
{
    bool gone = error ? error->kind == ERROR_NOT_FOUND && op->why == LOOK_UNCLEAR : live_is_gone(op->answer);
    if (gone)
        op_settle(op, "somebody else deleted it meanwhile");
    return gone;
}

static int delete_check(void *userdata, const HttpAnswer *answer, Error **err)
{
    (void)err;
    op_keep_request_id(userdata, answer);
    return 0;
}

static void delete_done(void *userdata, HttpAnswer *answer, const Error *error)
{
    (void)answer;
    Op *op = userdata;
    http_request_free(TAKE(op->request));
    if (!error) {
        op->wrote = true;
        op_end_as(op, OUTCOME_DONE, NULL);
    } else if (error->kind == ERROR_CONFLICT) {
        op_conflict(op, error);
    } else if (error_policy(error->kind)->ambiguous) {
        op_look_again(op, LOOK_UNCLEAR, error);
    } else if (error->kind == ERROR_BUSY) {
        CLEANUP(freep) char *reason = xasprintf("it cannot be deleted now (%s); it waits its turn", error->message);
        op_end_held(op, HOLD_STATE, reason);
    } else {
        Error *e = error_copy(error);
        if (error->kind == ERROR_NOT_FOUND)
            error_wrap(&e, "it can be read and yet not be deleted: is the permission missing?");
        op_end_failed(op, e);
    }
}

void delete_decide(Op *op)
{
    const Provider *provider = op->account->provider;
    const char *why;
    if (!retention_holds(op->change, op->live, &why)) {
        op_end_held(op, HOLD_UNSURE, why);
        return;
    }
    if (!op_may_write_again(op))
        return;
    Deletion deletion = {.kind = op->live->kind, .id = op->live->id, .etag = op->live->etag};
    CLEANUP(str_done) Str target = {0};
    HttpSpec spec;
    provider->fill_delete(&deletion, &target, &spec);
    spec.busy_ends = true;
    HttpHandlers handlers = {.check = delete_check, .done = delete_done, .userdata = op};
    op_enter(op, OP_WRITE);
    op->request = http_request_start(op->account->client, &spec, &op->tries, &handlers);
}
