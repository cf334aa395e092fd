#include "config.h"

#include "execute/op-private.h"

#include <assert.h>

#include "data/json-write.h"
#include "plan/scheduled.h"

#define CONFLICTS_MAX 3 /* a write that was refused because the object had changed is decided anew so often */
#define REQUEST_ID_MAX 200

/* Which state may follow which. */
static const bool moves[OP_STATE_MAX][OP_STATE_MAX] = {
    [OP_LOOK] = {[OP_WRITE] = true, [OP_ENDED] = true},
    [OP_WRITE] = {[OP_LOOK] = true, [OP_ENDED] = true},
};

void op_enter(Op *op, OpState state)
{
    assert(moves[op->state][state]);
    op->state = state;
}

static const Spec *spec_of(const Op *op)
{
    return op->change->spec;
}

/* Of the object, which is not the document's own where a schedule made it. */
static const Kind *kind_of(const Op *op)
{
    return op->change->live->kind;
}

void op_end(Op *op)
{
    for (size_t i = 0; i < op->made.n; i++)
        *VEC_ADD(&op->change->deltas) = op->made.items[i];
    op_enter(op, OP_ENDED);
    op->done(op->userdata, op);
}

void op_end_held(Op *op, Hold hold, const char *reason)
{
    change_hold(op->plan, op->change, hold, "%s", reason);
    op_end(op);
}

void op_end_as(Op *op, Outcome outcome, const char *reason)
{
    change_set(op->plan, op->change, outcome, reason);
    op_end(op);
}

void op_end_failed(Op *op, Error *error)
{
    change_set(op->plan, op->change, OUTCOME_FAILED, error->message);
    if (error->kind == ERROR_UNCONVERGED)
        op->change->hold = HOLD_UNCONVERGED;
    plan_fail(op->plan, spec_of(op), op->change->target, error);
    op_end(op);
}

static LiveReader reader_of(const Op *op)
{
    const Provider *provider = op->account->provider;
    return (LiveReader){
        .kind = kind_of(op),
        .home = op->account->credential->home,
        .page_member = op->state == OP_LOOK && provider->single_is_page ? provider->list_member : NULL,
        .free_names = live_free_names(&op->change->spec, 1, op->plan->arena),
    };
}

int op_take_answer(Op *op, const HttpAnswer *answer, Error **err)
{
    LiveReader reader = reader_of(op);
    return live_from_text(&reader, str_get(&answer->body), answer->body.len, answer_etag(kind_of(op), answer),
                          op->plan->arena, &op->answer, err);
}

/* The answer about an object that is there must be about that one. */
static int take_own_answer(Op *op, const HttpAnswer *answer, Error **err)
{
    if (op_take_answer(op, answer, err) < 0)
        return -1;
    if (!streq(op->answer->id, op->change->target))
        return error_set(err, ERROR_PROTOCOL, "asked for %s, got %s", op->change->target, op->answer->id);
    return 0;
}

void op_keep_request_id(Op *op, const HttpAnswer *answer)
{
    const char *header = op->account->provider->request_id_header;
    free(op->request_id);
    op->request_id = str_printable(http_answer_header(answer, header), REQUEST_ID_MAX);
}

/* What is still to be written to a state of the object. */
static void find_deltas(const Op *op, const Live *live, Deltas *deltas)
{
    if (op->change->series)
        retention_diff(op->change, live, op->plan->arena, deltas);
    else
        diff_object(spec_of(op), live, op->plan->now, op->plan->arena, deltas, NULL);
}

/* --- write --- */

/* What the request is, and nothing else: the same on every try and after a restart, and never the same for two. Only a
 * token that was refused as void gets a successor. */
static void make_token(Op *op)
{
    CLEANUP(str_done) Str name = {0};
    str_addf(&name, "update\n%s\n%s\n%s\n%s", kind_of(op)->name, op->live->id, op->live->etag, str_get(&op->body));
    if (op->void_tokens)
        str_addf(&name, "\n%u", op->void_tokens);
    sha256_hex(str_get(&name), name.len, op->token);
}

void op_end_unconverged(Op *op, const Deltas *left)
{
    CLEANUP(str_done) Str text = {0};
    for (size_t i = 0; i < left->n; i++) {
        str_addf(&text, "%s%s: asked for ", i ? "; " : "", left->items[i].path);
        json_show_node(&text, left->items[i].to);
        str_add(&text, ", the answer has ");
        json_show_node(&text, left->items[i].from);
    }
    Error *e = NULL;
    error_set(&e, ERROR_UNCONVERGED, "not converging: %s", str_get(&text));
    e->code = xstrdup("NotConverging");
    e->request_id = xstrdup(op->request_id);
    op_end_failed(op, e);
}

/* The answer of a write shows what is there now. Without etags it may also show what somebody else made of it since. */
static void compare(Op *op)
{
    Deltas left = {0};
    find_deltas(op, op->answer, &left);
    if (left.n == 0)
        op_end_as(op, OUTCOME_DONE, NULL);
    else if (op_has_etags(op))
        op_end_unconverged(op, &left);
    else
        op_look_again(op, LOOK_ANSWERED, NULL);
    VEC_DONE(&left);
}

static int write_check(void *userdata, const HttpAnswer *answer, Error **err)
{
    Op *op = userdata;
    op_keep_request_id(op, answer);
    return take_own_answer(op, answer, err);
}

static void end_in_conflict(Op *op, const Error *error)
{
    Error *e = error_copy(error);
    if (error->kind == ERROR_CONFLICT)
        error_wrap(&e, "the %s keeps changing between the look and the write", kind_of(op)->noun);
    op_end_failed(op, e);
}

/* Of what a schedule wants gone: is it still what was planned on? */
static bool refuse_retention(Op *op)
{
    const char *why;
    if (!op->change->series || retention_holds(op->change, op->live, &why))
        return false;
    op_end_held(op, HOLD_UNSURE, why);
    return true;
}

/* Looks, and decides anew. A conflict needs no pause: what counts is that nothing comes between the look and the write.
 * When no write can follow any more, the look is only for what became of the last one. */
void op_look_again(Op *op, LookReason why, const Error *error)
{
    bool pause = why == LOOK_UNCLEAR || (why == LOOK_RETRY && error->kind != ERROR_AUTH);
    op->why = why;
    error_free(op->last);
    op->last = error_copy(error);
    if (!retry_left(&op->tries, clock_monotonic()))
        op_look(op, 0);
    else
        op_look(op, pause ? http_next_try(&op->tries) : op->tries.not_before);
}

void op_conflict(Op *op, const Error *error)
{
    if (++op->conflicts <= CONFLICTS_MAX)
        op_look_again(op, LOOK_CONFLICT, error);
    else
        end_in_conflict(op, error);
}

static void write_done(void *userdata, HttpAnswer *answer, const Error *error)
{
    Op *op = userdata;
    (void)answer;
    http_request_free(TAKE(op->request));
    if (!error) {
        op->wrote = true;
        compare(op);
    } else if (error->kind == ERROR_CONFLICT || error->kind == ERROR_TOKEN) {
        op->void_tokens += error->kind == ERROR_TOKEN;
        op_conflict(op, error);
    } else if (error_policy(error->kind)->ambiguous) {
        op_look_again(op, LOOK_UNCLEAR, error);
    } else if (!no_etag_failed(op, error)) {
        op_end_failed(op, error_copy(error));
    }
}

static void write_change(Op *op)
{
    const Provider *provider = op->account->provider;
    const Kind *kind = kind_of(op);
    str_clear(&op->body);
    provider->add_body(op->live->object, diff_apply(op->live, &op->change->deltas, op->plan->arena), op->doubt,
                       &op->body);
    op->written_on = op->live->updated;
    op->attempted = true;
    if (kind->flags & KIND_RETRY_TOKEN)
        make_token(op);
    Update update = {
        .kind = kind,
        .id = op->live->id,
        .etag = op->live->etag,
        .token = op_retry_token(op),
        .body = str_get(&op->body),
    };
    CLEANUP(str_done) Str target = {0};
    HttpSpec spec;
    provider->fill_update(&update, &target, &spec);
    spec.once = !op_has_etags(op);
    HttpHandlers handlers = {.check = write_check, .done = write_done, .userdata = op};
    op->request = http_request_start(op->account->client, &spec, &op->tries, &handlers);
}

/* --- decide --- */

static bool refuse_state(Op *op)
{
    const Live *live = op->live;
    /* A mark may also be set on a FAULTY backup, to be rid of it. */
    if (op->change->series || (live_is_writable(live) && !live->foreign))
        return false;
    change_hold(op->plan, op->change, HOLD_STATE, "the %s is %s; it can be changed when it is %s", live->kind->noun,
                live->foreign ? "the cloud's own" : live->state, live->kind->writable_states[0]);
    op_end(op);
    return true;
}

/* Nothing differs any more: our own write whose answer was lost, or somebody else's. */
void op_settle(Op *op, const char *by_others)
{
    op->wrote = op->wrote || op->why == LOOK_UNCLEAR;
    op_end_as(op, OUTCOME_DONE, op->wrote ? NULL : by_others);
}

bool op_may_write_again(Op *op)
{
    if (!op->last || retry_left(&op->tries, clock_monotonic()))
        return true;
    op_end_failed(op, TAKE(op->last));
    return false;
}

static void decide(Op *op)
{
    Deltas deltas = {0};
    if (refuse_retention(op))
        return;
    find_deltas(op, op->live, &deltas);
    bool same = deltas_equal(&deltas, &op->change->deltas);
    if (no_etag_judge(op, &deltas, same)) {
        VEC_DONE(&deltas);
        return;
    }
    if (deltas.n == 0) {
        VEC_DONE(&deltas);
        op_settle(op, "somebody else made this change meanwhile");
        return;
    }
    VEC_DONE(&op->change->deltas);
    op->change->deltas = deltas;
    op->change->live = op->live;
    if (refuse_state(op))
        return;
    if (op->unselected) {
        op_end_held(op, HOLD_UNSURE,
                    "it has changed since the list was read, and the selector does not take it any more");
        return;
    }
    if (op->options.exact && !same && !op->change->series) {
        op_end_held(op, HOLD_SAVED, "refused: the object has changed since the plan was saved");
        return;
    }
    if (!op_may_write_again(op) || !no_etag_rests(op))
        return;
    op_enter(op, OP_WRITE);
    write_change(op);
}

/* --- look --- */

/* Somebody may have taken the object away from us after the list was read. */
static bool is_unselected(const Op *op, const HttpAnswer *answer)
{
    const Spec *spec = spec_of(op);
    CLEANUP(arena_freep) Arena *scratch = arena_new();
    LiveReader reader = reader_of(op);
    const Node *whole = NULL;
    if (!spec->selector || op->change->series ||
        live_answer(&reader, str_get(&answer->body), answer->body.len, scratch, &whole, NULL) < 0)
        return false;
    return !selector_matches(spec->kind, spec->selector, reader.home, whole);
}

static int look_check(void *userdata, const HttpAnswer *answer, Error **err)
{
    Op *op = userdata;
    if (take_own_answer(op, answer, err) < 0)
        return -1;
    if (op_has_etags(op) && !op->answer->etag)
        return error_set(err, ERROR_PROTOCOL, "the answer bears no etag, so that no conditional write is possible");
    /* The volume behind it is not read again: its tags are only there to be left alone. */
    op->answer->source = op->change->live->source;
    op->unselected = is_unselected(op, answer);
    const char *date = http_answer_header(answer, "date");
    if (!date || parse_http_date(date, &op->looked_at) < 0)
        op->looked_at = clock_wall();
    return 0;
}

/* The look failed, and what became of the write stays as it is known. */
static void end_unseen(Op *op, const Error *error)
{
    Error *e = op->why == LOOK_REFUSED ? TAKE(op->last) : error_copy(error);
    if (op->why == LOOK_UNCLEAR)
        error_wrap(&e, "whether the change was made is not known (%s), and the look failed", op->last->message);
    else if (op->why == LOOK_ANSWERED)
        error_wrap(&e, "the change was answered with something else than was asked, and the look failed");
    op_end_failed(op, e);
}

static void look_done(void *userdata, HttpAnswer *answer, const Error *error)
{
    Op *op = userdata;
    (void)answer;
    http_request_free(TAKE(op->request));
    if (op->change->action == ACTION_DELETE && delete_looked(op, error))
        return;
    if (error) {
        end_unseen(op, error);
        return;
    }
    op->live = op->answer;
    if (op->change->action == ACTION_DELETE)
        delete_decide(op);
    else
        decide(op);
}

void op_look(Op *op, usec_t not_before)
{
    if (op->state != OP_LOOK)
        op_enter(op, OP_LOOK);
    CLEANUP(str_done) Str target = {0};
    op->account->provider->add_object_target(kind_of(op), op->change->target, &target);
    HttpSpec spec = {.method = "GET", .target = str_get(&target), .not_before = not_before, .safe = true};
    HttpHandlers handlers = {.check = look_check, .done = look_done, .userdata = op};
    op->request = http_request_start(op->account->client, &spec, NULL, &handlers);
}

Op *op_start(Account *account, Plan *plan, Change *change, const OpOptions *options, op_done_fn done, void *userdata)
{
    Op *op = xcalloc(1, sizeof(*op));
    *op = (Op){
        .account = account, .plan = plan, .change = change, .options = *options, .done = done, .userdata = userdata};
    if (change->action == ACTION_CREATE) {
        create_begin(op);
        return op;
    }
    if (change->action == ACTION_DELETE) {
        delete_begin(op);
        return op;
    }
    if (!change->live->etag || options->look_first) {
        op_look(op, 0);
        return op;
    }
    /* Read by itself in this very round: its etag is that of the state that was diffed. */
    op->live = (Live *)change->live;
    op_enter(op, OP_WRITE);
    write_change(op);
    return op;
}

void op_free(Op *op)
{
    if (!op)
        return;
    http_request_free(op->request);
    str_done(&op->body);
    error_free(op->last);
    VEC_DONE(&op->made);
    free(op->request_id);
    free(op);
}

const Change *op_change(const Op *op)
{
    return op->change;
}

bool op_wrote(const Op *op)
{
    return op->wrote;
}

const char *op_request_id(const Op *op)
{
    return op->request_id;
}

const char *op_retry_token(const Op *op)
{
    return *op->token ? op->token : NULL;
}

usec_t op_left_at(const Op *op)
{
    return op->wrote && op->answer ? op->answer->updated : 0;
}

bool op_stop(Op *op)
{
    /* Also the look after a write that may have been carried out is finished: what became of it is worth knowing. */
    bool telling = op->why == LOOK_UNCLEAR || op->why == LOOK_REFUSED || op->why == LOOK_ANSWERED;
    if ((telling && op->state == OP_LOOK) || (op->state == OP_WRITE && http_request_is_sent(op->request)))
        return false;
    http_request_free(TAKE(op->request));
    op_enter(op, OP_ENDED);
    change_hold(op->plan, op->change, HOLD_STOPPED, "stopped before it was written");
    return true;
}
