/*
 * Writes to objects of APIs that have no etags. A read of the object's own comes right before each write, also before
 * one that is tried again; an object that somebody else wrote a moment ago is left to rest; and what a write that went
 * wrong has made all the same is found out.
 */
#include "config.h"

#include "execute/op-private.h"

/* One that was written so lately may be about to be written again. Both times are in whole seconds, so that this is
 * more than one. */
#define REST_TIME (2 * USEC_PER_SEC)
#define RESTS_MAX 3
#define BUSY_RETRY (10 * USEC_PER_SEC)

bool op_has_etags(const Op *op)
{
    return op->change->live->kind->flags & KIND_IF_MATCH;
}

bool no_etag_failed(Op *op, const Error *error)
{
    if (op_has_etags(op))
        return false;
    if (error->kind == ERROR_REJECTED && op->change->deltas.n > 1) {
        op_look_again(op, LOOK_REFUSED, error);
        return true;
    }
    /* The look brings a new token with it, where there is a login. */
    bool login = error->kind == ERROR_AUTH && op->account->login && !op->logged_in_again;
    op->logged_in_again = op->logged_in_again || login;
    if (!login && (!error_policy(error->kind)->retry || !retry_left(&op->tries, clock_monotonic())))
        return false;
    op_look_again(op, LOOK_RETRY, error);
    return true;
}

static bool is_among(const Deltas *deltas, const char *path)
{
    for (size_t i = 0; i < deltas->n; i++)
        if (streq(deltas->items[i].path, path))
            return true;
    return false;
}

/* What the last write, though refused, has made: that is told with what follows. */
static void keep_made(Op *op, const Deltas *left)
{
    for (size_t i = 0; op->attempted && i < op->change->deltas.n; i++)
        if (!is_among(left, op->change->deltas.items[i].path))
            *VEC_ADD(&op->made) = op->change->deltas.items[i];
    op->attempted = false;
}

static void end_refused(Op *op)
{
    CLEANUP(str_done) Str made = {0};
    Error *e = TAKE(op->last);
    for (size_t i = 0; i < op->made.n; i++)
        str_addf(&made, "%s%s", i ? ", " : "", op->made.items[i].path);
    if (made.len) {
        CLEANUP(freep) char *message = TAKE(e->message);
        e->message = xasprintf("%s (made all the same: %s)", message, str_get(&made));
        op->wrote = true;
    }
    op_end_failed(op, e);
}

static bool has_empty_text(const Deltas *deltas)
{
    for (size_t i = 0; i < deltas->n; i++)
        if (deltas->items[i].from && deltas->items[i].from->type == NODE_STRING && !*deltas->items[i].from->text)
            return true;
    return false;
}

/* The API says that the object is not what it was, and it is: only an empty text may be none to it. */
static bool is_contradicted(Op *op, const Deltas *left, bool same)
{
    if (op->why != LOOK_CONFLICT || !same || op->live->updated != op->written_on)
        return false;
    if (op->doubt || !has_empty_text(left))
        return true;
    op->doubt = true;
    return false;
}

bool no_etag_judge(Op *op, const Deltas *left, bool same)
{
    if (op_has_etags(op))
        return false;
    if (op->why == LOOK_REFUSED) {
        keep_made(op, left);
        end_refused(op);
    } else if (op->why == LOOK_ANSWERED && left->n > 0) {
        op_end_unconverged(op, left);
    } else if (left->n > 0 && is_contradicted(op, left, same)) {
        op_end_failed(op, TAKE(op->last));
    } else {
        if (left->n > 0)
            keep_made(op, left);
        return false;
    }
    return true;
}

/* Who is at work on it would lose what he writes while ours is carried out; or ours would be lost. */
bool no_etag_rests(Op *op)
{
    const Live *live = op->live;
    if (op_has_etags(op) || !live->updated || op->change->insist || live->updated == op->options.left_at ||
        op->looked_at >= live->updated + REST_TIME)
        return true;
    usec_t wait = live->updated + REST_TIME - op->looked_at;
    if (op->rests++ < RESTS_MAX) {
        op_look(op, clock_monotonic() + (wait < REST_TIME ? wait : REST_TIME));
        return false;
    }
    change_hold(op->plan, op->change, HOLD_BUSY,
                "somebody else is changing the %s at this moment; it is left in peace until it rests",
                live->kind->noun);
    plan_look_at(op->plan, clock_wall() + BUSY_RETRY);
    op_end(op);
    return false;
}
