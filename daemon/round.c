#include "config.h"

#include "round.h"

#include "base/map.h"
#include "base/str.h"
#include "live/look.h"
#include "plan/scheduled.h"

#define TURN_PAUSE (5 * USEC_PER_SEC)

typedef struct AccountRound {
    Round *round;
    AccountSlot *slot;
    VEC(Look *) looks;
    unsigned observing; /* of them, not yet done */
    Plan *plan;
    Run *run;
    unsigned sent_before;
    bool preparing; /* waits for the account's login */
    bool observed, ended;
} AccountRound;

struct Round {
    sd_event *loop;
    RoundOptions options;
    RoundHandlers handlers;
    sd_event_source *wake;
    Snapshot *snapshot;
    Map *writers; /* of objects without etags: what they are known by → the one AccountRound that writes them */
    AccountRound *accounts;
    AccountResult *results;
    size_t n;
    usec_t started; /* monotonic */
    bool stopping;
};

/* Does anything name the account: a document, or the plan that is to be done? */
static bool is_named(const RoundOptions *o, const char *account)
{
    if (o->saved && saved_plan_names(o->saved, account))
        return true;
    for (size_t i = 0; i < o->specs->n; i++)
        if (streq(o->specs->items[i].account, account))
            return true;
    return false;
}

/* What a person can do about it. A wrong clock looks like bad credentials, so that is said where they are refused. */
static void explain(const AccountRound *a, Error *e)
{
    CLEANUP(freep)
    char *clock = e->kind == ERROR_AUTH && a->slot->account ? account_clock_trouble(a->slot->account) : NULL;
    /* What the plan itself says no to, without having asked anybody, says what to do. */
    bool own = e->status == 0 && !e->code && (e->kind == ERROR_REJECTED || e->kind == ERROR_NOT_FOUND);
    const char *advice = clock ? clock : own ? NULL : error_policy(e->kind)->advice;
    if (!advice)
        return;
    CLEANUP(freep) char *message = TAKE(e->message);
    e->message = xasprintf("%s; %s", message, advice);
}

static void look_after_made(Plan *plan)
{
    for (size_t i = 0; i < plan->changes.n; i++) {
        const Change *c = &plan->changes.items[i];
        if (c->action == ACTION_CREATE && c->outcome == OUTCOME_DONE && c->live->id)
            plan_look_after(plan, backup_state(c->live->kind, c->live->state), c->live->born);
    }
}

/* One that was refused is read anew before the next round. */
static void judge_credential(AccountRound *a)
{
    const Error *refusal = NULL;
    for (size_t i = 0; i < a->plan->failures.n && !refusal; i++)
        if (a->plan->failures.items[i].error->kind == ERROR_AUTH)
            refusal = a->plan->failures.items[i].error;
    account_slot_judge(a->slot, refusal);
}

static void finish(AccountRound *a)
{
    Round *round = a->round;
    Account *account = a->slot->account;
    AccountResult *result = &round->results[a - round->accounts];
    judge_credential(a);
    for (size_t i = 0; i < a->plan->failures.n; i++)
        explain(a, a->plan->failures.items[i].error);
    *result = (AccountResult){.slot = a->slot, .plan = a->plan};
    if (account)
        result->requests = account_sent(account) - a->sent_before;
    look_after_made(a->plan);
    scheduled_look_again(a->plan);
    if (round->options.news && !round->stopping)
        news_tell(round->options.news, a->plan, round->snapshot, a->slot->config->name);
    if (round->options.memory && !round->stopping)
        memory_learn(round->options.memory, a->plan, round->snapshot, a->slot->config->name, round->started,
                     round->options.config->interval);
    a->ended = true;
    sd_event_source_set_enabled(round->wake, SD_EVENT_ONESHOT);
}

static void on_op(void *userdata, const Op *op)
{
    AccountRound *a = userdata;
    if (a->round->handlers.changed)
        a->round->handlers.changed(a->round->handlers.userdata, op);
}

static void on_run_done(void *userdata)
{
    finish(userdata);
}

/* Two accounts that write one object at the same time would undo each other's changes where there are no etags. */
static void take_turns(AccountRound *a)
{
    Round *round = a->round;
    for (size_t i = 0; i < a->plan->changes.n; i++) {
        Change *c = &a->plan->changes.items[i];
        if (c->outcome != OUTCOME_PLANNED || !c->live->cloud)
            continue;
        const char *key = arena_printf(round->snapshot->arena, "%s\n%s", c->live->cloud, c->live->id);
        if (!map_get(round->writers, key))
            map_put(round->writers, key, a);
        if (map_get(round->writers, key) == a)
            continue;
        change_hold(a->plan, c, HOLD_BUSY, "another account writes the same %s at this moment; this one comes after it",
                    c->live->kind->noun);
        plan_look_at(a->plan, a->plan->now + TURN_PAUSE);
    }
}

static void plan_and_go(AccountRound *a)
{
    const RoundOptions *o = &a->round->options;
    CLEANUP(freep) char *clock_trouble = a->slot->account ? account_clock_trouble(a->slot->account) : NULL;
    PlanOptions options = {
        .now = clock_wall(),
        .clock_trouble = clock_trouble,
        .max_changes = o->config->max_changes,
        .hints = o->plan_only,
        .observe = o->config->observe,
        .account = a->slot->config->name,
    };
    a->plan = plan_make(o->specs, a->round->snapshot, &options);
    if (o->plan_only || a->round->stopping) {
        finish(a);
        return;
    }
    GuardOptions guard = {
        .max_changes = o->config->max_changes,
        .max_deletes = o->config->max_deletes,
        .config_file = o->config->file,
        .account = a->slot->config->name,
        .memory = o->memory,
        .saved = o->saved,
        .now = a->round->started,
        .wall = options.now,
    };
    guard_plan(a->plan, a->round->snapshot, &guard);
    take_turns(a);
    if (plan_count(a->plan, OUTCOME_PLANNED) == 0) {
        finish(a);
        return;
    }
    RunHandlers handlers = {.ended = on_op, .done = on_run_done, .userdata = a};
    a->run = run_start(a->slot->account, a->plan, o->saved != NULL, a->round->loop, &handlers);
}

static bool same_place(const char *a, const char *b)
{
    return a && b && streq(a, b);
}

/* May they see the same objects? Where a login tells the endpoint, it is not known before. */
static bool are_peers(const AccountRound *a, const AccountRound *b)
{
    const Account *x = a->slot->account, *y = b->slot->account;
    return x && y &&
           (same_place(x->credential->endpoint, y->credential->endpoint) ||
            same_place(x->credential->login_endpoint, y->credential->login_endpoint));
}

/* Have all accounts that see the same objects been looked at? */
static bool peers_are_observed(const AccountRound *a)
{
    for (size_t i = 0; i < a->round->n; i++)
        if (!a->round->accounts[i].observed && are_peers(&a->round->accounts[i], a))
            return false;
    return true;
}

static void observed(AccountRound *a)
{
    a->observed = true;
    for (size_t i = 0; i < a->round->n; i++) {
        AccountRound *other = &a->round->accounts[i];
        if (other->observed && !other->plan && peers_are_observed(other))
            plan_and_go(other);
    }
}

static void on_look_done(void *userdata)
{
    AccountRound *a = userdata;
    if (--a->observing == 0)
        observed(a);
}

static void looks_free(AccountRound *a)
{
    for (size_t i = 0; i < a->looks.n; i++)
        look_free(a->looks.items[i]);
    VEC_DONE(&a->looks);
}

/* Is any document about objects of the kind? */
static bool has_kind(const Specs *specs, const Kind *kind, const char *account)
{
    for (size_t i = 0; i < specs->n; i++)
        if (kind_of_objects(specs->items[i].kind) == kind && streq(specs->items[i].account, account))
            return true;
    return false;
}

/* None of the account's documents can be looked at, for one reason. */
static void fail_all(AccountRound *a, const Error *error)
{
    const Specs *specs = a->round->options.specs;
    for (size_t i = 0; i < specs->n; i++)
        if (streq(specs->items[i].account, a->slot->config->name) && !a->round->snapshot->of[i].error)
            a->round->snapshot->of[i].error = error_copy(error);
}

static void start_looks(AccountRound *a)
{
    const Specs *specs = a->round->options.specs;
    Account *account = a->slot->account;
    for (const Kind *const *k = kinds; *k; k++)
        if (has_kind(specs, *k, account->name)) {
            a->observing++;
            *VEC_ADD(&a->looks) = look_start(account, *k, specs, a->round->snapshot, a->round->loop, on_look_done, a);
        }
    if (a->observing == 0)
        observed(a);
}

static void on_ready(void *userdata, const Error *error)
{
    AccountRound *a = userdata;
    a->preparing = false;
    if (!error) {
        start_looks(a);
        return;
    }
    fail_all(a, error);
    observed(a);
}

static void begin(AccountRound *a)
{
    Account *account = a->slot->account;
    const Error *trouble = account_slot_trouble(a->slot);
    if (account)
        a->sent_before = account_sent(account);
    if (trouble) {
        fail_all(a, trouble);
        observed(a);
        return;
    }
    a->preparing = !account_prepare(account, on_ready, a);
    if (!a->preparing)
        start_looks(a);
}

static int check_end(sd_event_source *source, void *userdata)
{
    (void)source;
    Round *round = userdata;
    for (size_t i = 0; i < round->n; i++)
        if (!round->accounts[i].ended)
            return 0;
    round->handlers.done(round->handlers.userdata);
    return 0;
}

Round *round_start(sd_event *loop, const RoundOptions *options, const RoundHandlers *handlers)
{
    Round *round = xcalloc(1, sizeof(*round));
    *round = (Round){.loop = loop, .options = *options, .handlers = *handlers, .started = clock_monotonic()};
    sd_event_add_defer(loop, &round->wake, check_end, round);
    round->writers = map_new();
    round->snapshot = snapshot_new(options->specs->n);
    round->snapshot->wants_orphans = options->wants_orphans;
    round->accounts = xcalloc(options->n_slots, sizeof(AccountRound));
    round->results = xcalloc(options->n_slots, sizeof(AccountResult));
    for (size_t i = 0; i < options->n_slots; i++)
        if (is_named(options, options->slots[i]->config->name)) {
            account_slot_open(options->slots[i], options->http, loop);
            round->accounts[round->n++] = (AccountRound){.round = round, .slot = options->slots[i]};
        }
    for (size_t i = 0; i < round->n; i++)
        begin(&round->accounts[i]);
    return round;
}

static void give_up_look(AccountRound *a)
{
    Error *e = NULL;
    looks_free(a);
    a->observing = 0;
    if (a->preparing)
        account_prepare_cancel(a->slot->account);
    a->preparing = false;
    error_set(&e, ERROR_CANCELLED, "stopped while it was looked at");
    fail_all(a, e);
    error_free(e);
    observed(a);
}

void round_stop(Round *round)
{
    round->stopping = true;
    for (size_t i = 0; i < round->n; i++) {
        AccountRound *a = &round->accounts[i];
        if (a->run && !a->ended)
            run_stop(a->run);
        else if (!a->ended && !a->observed)
            give_up_look(a);
    }
}

void round_free(Round *round)
{
    if (!round)
        return;
    for (size_t i = 0; i < round->n; i++) {
        AccountRound *a = &round->accounts[i];
        if (a->preparing)
            account_prepare_cancel(a->slot->account);
        looks_free(a);
        run_free(a->run);
        plan_free(a->plan);
    }
    map_free(round->writers);
    snapshot_free(round->snapshot);
    sd_event_source_disable_unref(round->wake);
    free(round->accounts);
    free(round->results);
    free(round);
}

const Snapshot *round_snapshot(const Round *round)
{
    return round->snapshot;
}

const AccountResult *round_results(const Round *round, size_t *ret_n)
{
    *ret_n = round->n;
    return round->results;
}
