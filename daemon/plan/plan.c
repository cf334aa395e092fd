#include "config.h"

#include "plan/plan-private.h"

#include "base/map.h"
#include "base/str.h"
#include "desired/claim.h"
#include "plan/agenda.h"
#include "plan/create.h"
#include "plan/scheduled.h"

#define LOOK_AFTER_MIN (5 * USEC_PER_SEC)

static const char *const action_names[ACTION_MAX] = {
    [ACTION_UPDATE] = "update",
    [ACTION_CREATE] = "create",
    [ACTION_DELETE] = "delete",
};
static const char *const note_names[NOTE_MAX] = {
    [NOTE_AVAILABLE] = "available", [NOTE_FAULTY] = "faulty", [NOTE_MISSED] = "missed",
    [NOTE_DELETED] = "deleted",     [NOTE_LIMIT] = "limit",   [NOTE_VANISHED] = "vanished",
};
static const char *const outcome_names[OUTCOME_MAX] = {
    [OUTCOME_PLANNED] = "planned", [OUTCOME_DONE] = "done",         [OUTCOME_HELD] = "held",
    [OUTCOME_FAILED] = "failed",   [OUTCOME_OBSERVED] = "observed",
};

const char *action_name(Action action)
{
    return action_names[action];
}

const char *outcome_name(Outcome outcome)
{
    return outcome_names[outcome];
}

const char *note_name(NoteKind kind)
{
    return note_names[kind];
}

void plan_free(Plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->changes.n; i++)
        VEC_DONE(&plan->changes.items[i].deltas);
    for (size_t i = 0; i < plan->failures.n; i++)
        error_free(plan->failures.items[i].error);
    VEC_DONE(&plan->changes);
    VEC_DONE(&plan->failures);
    VEC_DONE(&plan->ignored);
    VEC_DONE(&plan->notes);
    arena_free(plan->arena);
    free(plan);
}

void plan_fail(Plan *plan, const Spec *spec, const char *target, Error *error)
{
    for (size_t i = plan->failures.n; i > 0; i--) {
        Failure *failure = &plan->failures.items[i - 1];
        if (failure->spec != spec)
            continue;
        /* Which of them ended first is chance: the same one stands for the others each time. */
        if (target && failure->target && strcmp(target, failure->target) < 0) {
            Error *other = failure->error;
            failure->error = error;
            failure->target = target;
            error = other;
        }
        failure->more++;
        error_free(error);
        return;
    }
    *VEC_ADD(&plan->failures) = (Failure){.spec = spec, .target = target, .error = error};
}

void plan_note(Plan *plan, NoteKind kind, const Spec *spec, const char *target, const char *object, usec_t slot,
               const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *text = xvasprintf(format, args);
    va_end(args);
    *VEC_ADD(&plan->notes) = (Note){kind, spec, target, object, slot, arena_strdup(plan->arena, text)};
}

void plan_look_at(Plan *plan, usec_t when)
{
    if (when && (!plan->next_look || when < plan->next_look))
        plan->next_look = when;
}

void plan_look_after(Plan *plan, BackupState state, usec_t born)
{
    usec_t age = born && born < plan->now ? plan->now - born : 0;
    usec_t pause = age / 10 > LOOK_AFTER_MIN ? age / 10 : LOOK_AFTER_MIN;
    if (state == BACKUP_UNFINISHED)
        plan_look_at(plan, plan->now + pause);
}

void change_set(Plan *plan, Change *change, Outcome outcome, const char *reason)
{
    change->outcome = outcome;
    change->hold = HOLD_NONE;
    change->reason = arena_strdup(plan->arena, reason);
}

void change_hold(Plan *plan, Change *change, Hold hold, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *reason = xvasprintf(format, args);
    va_end(args);
    change_set(plan, change, OUTCOME_HELD, reason);
    change->hold = hold;
}

size_t plan_count(const Plan *plan, Outcome outcome)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->changes.n; i++)
        n += plan->changes.items[i].outcome == outcome;
    return n;
}

/* One claim of a document on a live object; those on the same object are linked. */
typedef struct Claim {
    const Spec *spec;
    const Live *live;
    struct Claim *next;
    bool changed;
} Claim;

typedef struct Planner {
    Plan *plan;
    const Snapshot *snapshot;
    const PlanOptions *options;
    Map *by_object; /* id → the newest Claim on it */
    bool *broken;   /* by the index of the spec: nothing is decided on it */
} Planner;

/* What an object is known by among those of all accounts. */
static const char *object_key(const Planner *p, const Live *live)
{
    return live->cloud ? arena_printf(p->plan->arena, "%s\n%s", live->cloud, live->id) : live->id;
}

static bool is_ours(const Planner *p, const Spec *spec)
{
    return !p->options->account || streq(p->options->account, spec->account);
}

static void break_spec(Planner *p, const Spec *spec, const char *target, Error *error)
{
    if (p->broken[spec->index] || !is_ours(p, spec))
        error_free(error);
    else
        plan_fail(p->plan, spec, target, error);
    p->broken[spec->index] = true;
}

static void conflict(Planner *p, const Spec *spec, Mark here, const Spec *other, Mark there, const char *path,
                     const Live *live)
{
    Error *e = NULL;
    error_set(&e, ERROR_SPEC, "%s:%u:%u claims %s of %s, and so does %s \"%s\" at %s:%u:%u: leave it to one of them",
              spec->file, here.line, here.column, path, live->id, other->kind->name, other->name, other->file,
              there.line, there.column);
    break_spec(p, spec, live->id, e);
}

/* Found before anything is written: two documents that claim the same attribute of the same live object. */
static void check_claims(Planner *p, const Claim *claim)
{
    for (const Claim *other = claim->next; other; other = other->next) {
        Mark a, b;
        const char *path = claim_overlap(p->plan->arena, claim->spec, other->spec, &a, &b);
        if (!path)
            continue;
        conflict(p, claim->spec, a, other->spec, b, path, claim->live);
        conflict(p, other->spec, b, claim->spec, a, path, claim->live);
    }
}

/* What was made for the document before, and is no more. */
static bool is_dead(const Spec *spec, const Live *live)
{
    return spec->source && !backup_is_live(live);
}

static void collect(Planner *p, const Spec *spec)
{
    const Observed *observed = &p->snapshot->of[spec->index];
    p->plan->declared += is_ours(p, spec);
    if (observed->error) {
        break_spec(p, spec, spec->target ? spec->target : spec->source, error_copy(observed->error));
        return;
    }
    for (size_t i = 0; i < observed->objects.n; i++) {
        if (is_dead(spec, observed->objects.items[i]))
            continue;
        Claim *claim = arena_alloc(p->plan->arena, sizeof(*claim));
        *claim = (Claim){.spec = spec, .live = observed->objects.items[i]};
        claim->next = map_put(p->by_object, object_key(p, claim->live), claim);
        check_claims(p, claim);
    }
}

/* An object that cannot be kept at all is an error of its document; whether it differs does not matter. */
static bool refuse_object(Planner *p, const Spec *spec, const Live *live)
{
    Error *e = NULL;
    if (live_is_gone(live))
        error_set(&e, ERROR_NOT_FOUND, "the %s is %s: remove the document, or name another one", spec->kind->noun,
                  live->state);
    else if (live->foreign && !live->container)
        error_set(&e, ERROR_REJECTED,
                  "this is a platform %s, which belongs to the cloud and cannot be changed: remove the document",
                  spec->kind->noun);
    else if (live->foreign)
        error_set(&e, ERROR_REJECTED,
                  "this %s belongs to %s, not to the account, and cannot be changed: remove the document, or name "
                  "another account",
                  spec->kind->noun, live->container);
    else
        return false;
    plan_fail(p->plan, spec, live->id, e);
    return true;
}

/* The object that a change is decided on: of a creation what it is made of. */
static const Live *decided_on(const Change *change)
{
    return change->series && change->action == ACTION_CREATE ? change->series->volume : change->live;
}

static bool must_be_writable(const Change *change)
{
    return change->action == ACTION_UPDATE && !change->series;
}

static void decide(Plan *plan, const PlanOptions *options, Change *change)
{
    const Spec *spec = change->spec;
    const Live *live = decided_on(change);
    if (options->observe || spec->observe || change->is_hint)
        change_set(plan, change, OUTCOME_OBSERVED, NULL);
    else if (change->series && options->clock_trouble)
        change_hold(plan, change, HOLD_CLOCK, "%s; nothing is made or deleted by this clock", options->clock_trouble);
    else if (live->unsure)
        change_hold(plan, change, HOLD_UNSURE, "it changed while the list was read; it will be looked at again");
    else if (must_be_writable(change) && !live_is_writable(live))
        change_hold(plan, change, HOLD_STATE, "the %s is %s; it can be changed when it is %s", spec->kind->noun,
                    live->state, spec->kind->writable_states[0]);
    else
        change_set(plan, change, OUTCOME_PLANNED, NULL);
}

void plan_change(Plan *plan, const PlanOptions *options, Change *change)
{
    decide(plan, options, change);
    *VEC_ADD(&plan->changes) = *change;
}

const Live *plan_nothing(Plan *plan, const Kind *kind)
{
    Live *nothing = arena_alloc(plan->arena, sizeof(*nothing));
    *nothing = (Live){.kind = kind, .object = node_builder_end(node_builder_new(plan->arena, NODE_MAP, (Mark){0}))};
    return nothing;
}

static bool compare(Planner *p, const Spec *spec, const Live *live)
{
    Change change = {.spec = spec, .target = live->id, .live = live, .action = ACTION_UPDATE};
    Deltas ignored = {0};
    diff_object(spec, live, p->options->now, p->plan->arena, &change.deltas, &ignored);
    for (size_t i = 0; i < ignored.n; i++)
        *VEC_ADD(&p->plan->ignored) = (Ignored){.spec = spec, .live = live, .delta = ignored.items[i]};
    VEC_DONE(&ignored);
    if (change.deltas.n == 0)
        return false;
    plan_change(p->plan, p->options, &change);
    return true;
}

/* Why the object must not be made, whatever is declared. */
static bool refuse_creation(Planner *p, const Spec *spec, const Observed *observed)
{
    Error *e = NULL;
    unsigned faults = creation_faults(observed);
    if (live_is_gone(observed->volume))
        error_set(&e, ERROR_NOT_FOUND,
                  "the %s is %s, and no backup of it bears this document's tag: remove the document",
                  observed->volume->kind->noun, observed->volume->state);
    else if (faults >= ATTEMPTS_MAX)
        error_set(&e, ERROR_REJECTED,
                  "%u attempts became FAULTY: find out why, delete those backups, and it will be tried again", faults);
    else
        return false;
    plan_fail(p->plan, spec, spec->source, e);
    return true;
}

static bool refuse_source(Planner *p, const Spec *spec)
{
    const Live *volume = p->snapshot->of[spec->index].volume;
    const char *own = volume_own_tag(volume);
    Error *e = NULL;
    if (!own)
        return false;
    error_set(&e, ERROR_REJECTED, VOLUME_BEARS_OWN_TAG, volume->kind->noun, own);
    break_spec(p, spec, spec->source, e);
    return true;
}

/* After a FAULTY attempt the next one is made later, further apart each time. */
static bool rests(Planner *p, const Spec *spec, const Observed *observed)
{
    CLEANUP(freep) Made *dead = xcalloc(observed->objects.n, sizeof(Made));
    for (size_t i = 0; i < observed->objects.n; i++) {
        const Live *live = observed->objects.items[i];
        dead[i] = (Made){.id = live->id, .born = live->born, .state = (uint8_t)backup_state(live->kind, live->state)};
    }
    const char *failed;
    char text[RFC3339_SIZE];
    usec_t retry = due_retry(dead, observed->objects.n, &failed);
    if (retry <= p->options->now)
        return false;
    plan_look_at(p->plan, retry);
    plan_note(p->plan, NOTE_FAULTY, spec, spec->source, failed, 0, "%s is FAULTY; it is made again at %s", failed,
              format_rfc3339(retry, text));
    return true;
}

/* A document that says what its object is to be made of, and whose object is not there. */
static void create_missing(Planner *p, const Spec *spec)
{
    const Observed *observed = &p->snapshot->of[spec->index];
    for (size_t i = 0; i < observed->objects.n; i++)
        if (!is_dead(spec, observed->objects.items[i]))
            return;
    if (spec_is_suspended(spec, p->options->now) || refuse_creation(p, spec, observed) || rests(p, spec, observed))
        return;
    Change change = {
        .spec = spec, .target = spec->source, .live = plan_nothing(p->plan, spec->kind), .action = ACTION_CREATE};
    change.attempt = creation_attempt(observed);
    diff_object(spec, change.live, p->options->now, p->plan->arena, &change.deltas, NULL);
    plan_change(p->plan, p->options, &change);
}

static void compare_all(Planner *p, const Spec *spec)
{
    const Observed *observed = &p->snapshot->of[spec->index];
    for (size_t i = 0; i < observed->objects.n; i++) {
        const Live *live = observed->objects.items[i];
        if (is_dead(spec, live) || refuse_object(p, spec, live) || !compare(p, spec, live))
            continue;
        Claim *first = map_get(p->by_object, object_key(p, live));
        first->changed = true;
    }
}

static void keep_schedule(Planner *p, const Spec *spec)
{
    const Observed *observed = &p->snapshot->of[spec->index];
    CLEANUP(freep) bool *differs = xcalloc(observed->series.n, sizeof(bool));
    scheduled_changes(p->plan, p->options, spec, observed, differs);
    for (size_t i = 0; i < observed->series.n; i++)
        if (differs[i]) {
            Claim *first = map_get(p->by_object, object_key(p, observed->series.items[i]->volume));
            first->changed = true;
        }
}

static void count_objects(Planner *p)
{
    size_t position = 0;
    for (const Claim *c = map_next(p->by_object, &position, NULL); c; c = map_next(p->by_object, &position, NULL)) {
        bool broken = false, ours = false;
        for (const Claim *each = c; each; each = each->next) {
            broken = broken || p->broken[each->spec->index] || live_is_gone(each->live) || each->live->foreign;
            ours = ours || is_ours(p, each->spec);
        }
        p->plan->objects += ours;
        p->plan->in_sync += ours && !c->changed && !broken;
    }
}

static void keep_document(Planner *p, const Spec *spec)
{
    if (spec->timetable) {
        keep_schedule(p, spec);
        return;
    }
    if (spec->source && refuse_source(p, spec))
        return;
    compare_all(p, spec);
    if (spec->source)
        create_missing(p, spec);
    /* What is on its way is looked after. */
    const Observed *observed = &p->snapshot->of[spec->index];
    for (size_t i = 0; i < observed->objects.n && spec->source; i++)
        plan_look_after(p->plan, backup_state(spec->kind, observed->objects.items[i]->state),
                        observed->objects.items[i]->born);
}

Plan *plan_make(const Specs *specs, const Snapshot *snapshot, const PlanOptions *options)
{
    Plan *plan = xcalloc(1, sizeof(*plan));
    plan->arena = arena_new();
    plan->specs = specs;
    plan->now = options->now;
    CLEANUP(map_freep) Map *by_object = map_new();
    CLEANUP(freep) bool *broken = xcalloc(specs->n, sizeof(bool));
    Planner planner = {plan, snapshot, options, by_object, broken};
    for (size_t i = 0; i < specs->n; i++)
        collect(&planner, &specs->items[i]);
    for (size_t i = 0; i < specs->n; i++)
        if (is_ours(&planner, &specs->items[i]) && !broken[i])
            keep_document(&planner, &specs->items[i]);
    scheduled_limit(plan, options, snapshot);
    count_objects(&planner);
    return plan;
}
