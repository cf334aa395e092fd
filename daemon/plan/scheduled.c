#include "config.h"

#include "plan/scheduled.h"

#include <inttypes.h>

#include "base/str.h"
#include "plan/agenda.h"
#include "plan/plan-private.h"
#include "schedule/slot.h"

typedef struct Planner {
    Plan *plan;
    const PlanOptions *options;
    const Spec *spec;
    usec_t in_force;
} Planner;

/* --- what is due --- */

static const char *fill_name(const Planner *p, const Series *series, usec_t slot)
{
    const Timetable *t = p->spec->timetable;
    const char *volume = node_get_text(series->volume->object, "displayName");
    SlotName name = {
        .schedule = p->spec->name,
        .volume = volume && *volume ? volume : series->volume->id,
        .volume_id = series->volume->id,
        .slot = slot,
        .zone = t->zone,
    };
    CLEANUP(str_done) Str text = {0};
    template_fill(t->display_name, &name, &text);
    slot_cut_name(&text);
    return arena_strdup(p->plan->arena, str_get(&text));
}

/* What is declared, with the name filled in. */
static void declared(const Planner *p, const Series *series, Change *change)
{
    diff_object(p->spec, change->live, p->plan->now, p->plan->arena, &change->deltas, NULL);
    for (size_t i = 0; i < change->deltas.n; i++)
        if (streq(change->deltas.items[i].path, "displayName"))
            change->deltas.items[i].to = node_string(p->plan->arena, fill_name(p, series, change->slot));
}

static const char *slot_text(const Planner *p, usec_t slot)
{
    char text[RFC3339_SIZE];
    return arena_strdup(p->plan->arena, slot_format(slot, text));
}

static const char *time_text(const Planner *p, usec_t time)
{
    char text[RFC3339_SIZE];
    return arena_strdup(p->plan->arena, format_rfc3339(time, text));
}

static void make_due(const Planner *p, const Series *series, const Due *due)
{
    const Made *unfinished = series->unfinished;
    Change change = {
        .spec = p->spec,
        .target = series->volume->id,
        .live = plan_nothing(p->plan, p->spec->kind->makes),
        .action = ACTION_CREATE,
        .series = series,
        .slot = due->slot,
        .attempt = due->attempt,
    };
    change.why = arena_printf(p->plan->arena, "slot %s", slot_text(p, due->slot));
    if (due->attempt > 1)
        change.why = arena_printf(p->plan->arena, "%s, attempt %u of %u", change.why, due->attempt, ATTEMPTS_MAX);
    declared(p, series, &change);
    plan_change(p->plan, p->options, &change);
    if (change.outcome == OUTCOME_PLANNED && unfinished)
        change_hold(p->plan, &p->plan->changes.items[p->plan->changes.n - 1], HOLD_STATE,
                    "%s of slot %s is still being made; this one waits its turn", unfinished->id,
                    slot_text(p, unfinished->slot));
}

static void give_up(const Planner *p, const Series *series, const Due *due)
{
    Error *e = NULL;
    error_set(&e, ERROR_REJECTED,
              "slot %s: %u attempt%s became FAULTY, and no more are made of it: find out why (%s); the next slot will "
              "be tried",
              slot_text(p, due->slot), due->attempt, due->attempt == 1 ? "" : "s", due->failed);
    plan_fail(p->plan, p->spec, series->volume->id, e);
}

static void note_slot(const Planner *p, const Series *series, const Due *due)
{
    const char *volume = series->volume->id, *slot = slot_text(p, due->slot);
    if (due->state == DUE_DELETED)
        plan_note(p->plan, NOTE_DELETED, p->spec, volume, NULL, due->slot,
                  "the backup of slot %s was deleted; it is not made again", slot);
    else if (due->failed && due->state == DUE_NOW)
        plan_note(p->plan, NOTE_FAULTY, p->spec, volume, due->failed, due->slot,
                  "%s of slot %s is FAULTY; it is made again now", due->failed, slot);
    else if (due->failed && due->state == DUE_RESTS)
        plan_note(p->plan, NOTE_FAULTY, p->spec, volume, due->failed, due->slot,
                  "%s of slot %s is FAULTY; it is made again at %s", due->failed, slot, time_text(p, due->retry));
}

static void note_missed(const Planner *p, const Series *series, const Due *due)
{
    if (due->missed == 1)
        plan_note(p->plan, NOTE_MISSED, p->spec, series->volume->id, NULL, due->missed_last, "slot %s was missed",
                  slot_text(p, due->missed_last));
    else if (due->missed)
        plan_note(p->plan, NOTE_MISSED, p->spec, series->volume->id, NULL, due->missed_last,
                  "%s%u slots were missed, from %s to %s", due->missed == MISSED_MAX ? "at least " : "", due->missed,
                  slot_text(p, due->missed_first), slot_text(p, due->missed_last));
}

/* --- what stays and what goes --- */

static const Node *mark_node(Arena *arena, const KeepItem *item)
{
    char text[RFC3339_SIZE];
    return item->mark == PRUNE_MARK_AT ? node_string(arena, format_rfc3339(item->prune_after, text)) : NULL;
}

/* As the list showed it, with no more than a decision needs. */
static const Live *live_of(const Planner *p, const Series *series, const KeepItem *item)
{
    Arena *arena = p->plan->arena;
    const Kind *kind = p->spec->kind->makes;
    CLEANUP(str_done) Str tag = {0};
    slot_add_tag(&tag, p->spec->name, item->slot);
    NodeBuilder *tags = node_builder_new(arena, NODE_MAP, (Mark){0}),
                *object = node_builder_new(arena, NODE_MAP, (Mark){0});
    node_builder_add(tags, IDENTITY_TAG, (Mark){0}, node_string(arena, str_get(&tag)));
    if (item->mark == PRUNE_MARK_AT)
        node_builder_add(tags, PRUNE_TAG, (Mark){0}, mark_node(arena, item));
    node_builder_add(object, "freeformTags", (Mark){0}, node_builder_end(tags));
    Live *live = arena_alloc(arena, sizeof(*live));
    *live = (Live){
        .kind = kind,
        .id = item->id,
        .state = item->state == BACKUP_FAULTY ? kind->failed_state : kind->writable_states[0],
        .object = node_builder_end(object),
        .source_id = series->volume->id,
    };
    return live;
}

/* The place in the spec that wants it: `keep`, or, where that has gone, the document. */
static Mark keep_mark(const Spec *spec)
{
    const NodeEntry *keep = node_entry(spec->want, "keep");
    return keep ? keep->mark : spec->mark;
}

static Delta mark_delta(const Spec *spec, const Node *from, const Node *to)
{
    const Field *field = field_find(spec->kind->makes->fields, "freeformTags");
    return (Delta){
        .field = field,
        .path = "freeformTags." PRUNE_TAG,
        .steps = {PRUNE_TAG},
        .from = from,
        .to = to,
        .mark = keep_mark(spec),
    };
}

static void hint(const Planner *p, const Series *series, const KeepItem *item)
{
    Change change = {.spec = p->spec,
                     .target = item->id,
                     .live = live_of(p, series, item),
                     .action = ACTION_DELETE,
                     .series = series};
    change.slot = item->slot;
    change.is_hint = true;
    change.why = arena_printf(p->plan->arena, "slot %s, %s; it stays, as prune is not true", slot_text(p, item->slot),
                              item->reasons);
    plan_change(p->plan, p->options, &change);
}

static bool keep_item(const Planner *p, const Series *series, const KeepItem *newest, const KeepItem *item)
{
    const Timetable *t = p->spec->timetable;
    KeepStep step = item->step;
    if (!t->prune && !item->keep && p->options->hints)
        hint(p, series, item);
    if (step == KEEP_STEP_WAIT)
        plan_look_at(p->plan, item->prune_after);
    if (step == KEEP_STEP_NONE || step == KEEP_STEP_WAIT)
        return false;
    Arena *arena = p->plan->arena;
    Change change = {
        .spec = p->spec, .target = item->id, .live = live_of(p, series, item), .series = series, .slot = item->slot};
    change.action = step == KEEP_STEP_DELETE ? ACTION_DELETE : ACTION_UPDATE;
    if (change.action == ACTION_DELETE)
        change.newest = live_of(p, series, newest);
    change.why = arena_printf(arena, "slot %s, %s", slot_text(p, item->slot), item->reasons);
    if (step == KEEP_STEP_MARK)
        *VEC_ADD(&change.deltas) =
            mark_delta(p->spec, NULL, node_string(arena, time_text(p, p->plan->now + t->keep.grace)));
    else if (step == KEEP_STEP_UNMARK)
        *VEC_ADD(&change.deltas) = mark_delta(p->spec, mark_node(arena, item), NULL);
    plan_change(p->plan, p->options, &change);
    return true;
}

/* --- the whole --- */

static bool keep_series(const Planner *p, const Series *series)
{
    CLEANUP(arena_freep) Arena *scratch = arena_new();
    Agenda agenda = agenda_make(series, p->in_force, p->plan->now, scratch);
    const Due *due = &agenda.due;
    bool differs = due->state == DUE_NOW || due->state == DUE_GIVEN_UP;
    plan_look_at(p->plan, due->next);
    plan_look_at(p->plan, due->retry);
    for (size_t i = 0; i < series->made.n; i++)
        plan_look_after(p->plan, (BackupState)series->made.items[i].state, series->made.items[i].born);
    note_missed(p, series, due);
    note_slot(p, series, due);
    if (due->state == DUE_NOW)
        make_due(p, series, due);
    else if (due->state == DUE_GIVEN_UP)
        give_up(p, series, due);
    for (size_t i = 0; i < agenda.n; i++)
        differs = keep_item(p, series, agenda.newest, &agenda.items[i]) || differs;
    return differs;
}

static bool refuse_volume(const Planner *p, const Live *volume)
{
    const char *own = volume_own_tag(volume);
    Error *e = NULL;
    if (!live_is_gone(volume) && !own)
        return false;
    if (own)
        error_set(&e, ERROR_REJECTED, VOLUME_BEARS_OWN_TAG, volume->kind->noun, own);
    else
        error_set(&e, ERROR_NOT_FOUND,
                  "the %s is %s: no backups can be made of it, and those that are there are left alone; remove the "
                  "document, or name another one",
                  volume->kind->noun, volume->state);
    plan_fail(p->plan, p->spec, volume->id, e);
    return true;
}

static void note_strays(const Planner *p, const Observed *observed)
{
    for (size_t i = 0; i < observed->strays.n; i++) {
        const Stray *stray = observed->strays.items[i];
        plan_note(p->plan, NOTE_VANISHED, p->spec, stray->volume, NULL, stray->newest,
                  "the volume is gone, or the selector does not take it any more; %zu backup%s of it, the newest of "
                  "slot %s, %s left alone",
                  stray->n, stray->n == 1 ? "" : "s", slot_text(p, stray->newest), stray->n == 1 ? "is" : "are");
    }
}

void scheduled_changes(Plan *plan, const PlanOptions *options, const Spec *spec, const Observed *observed,
                       bool *differs)
{
    Planner p = {plan, options, spec, schedule_in_force(spec, observed, plan->now)};
    if (spec_is_suspended(spec, plan->now)) {
        plan_look_at(plan, spec->suspended_until);
        return;
    }
    for (size_t i = 0; i < observed->series.n; i++)
        differs[i] = refuse_volume(&p, observed->series.items[i]->volume) || keep_series(&p, observed->series.items[i]);
    note_strays(&p, observed);
}

void scheduled_limit(Plan *plan, const PlanOptions *options, const Snapshot *snapshot)
{
    const Observed *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < plan->specs->n; i++) {
        const Spec *spec = &plan->specs->items[i];
        if (!spec->timetable || spec->timetable->delay || snapshot->of[i].series.n == 0 ||
            (options->account && !streq(options->account, spec->account)))
            continue;
        n += snapshot->of[i].series.n;
        first = first ? first : &snapshot->of[i];
    }
    if (first && options->max_changes && n > (size_t)options->max_changes)
        plan_note(plan, NOTE_LIMIT, first->series.items[0]->spec, first->series.items[0]->volume->id, NULL, 0,
                  "the schedules without randomizedDelay take %zu volumes, and limits.maxChanges is %" PRId64
                  ": slots that come due in one round would all be held; raise the limit",
                  n, options->max_changes);
}

void scheduled_look_again(Plan *plan)
{
    for (size_t i = 0; i < plan->changes.n; i++) {
        const Change *c = &plan->changes.items[i];
        if (c->series && c->action == ACTION_CREATE && (c->outcome == OUTCOME_HELD || c->outcome == OUTCOME_FAILED))
            plan_look_at(plan, plan->now + SLOT_RETRY);
    }
    for (size_t i = 0; i < plan->failures.n; i++)
        if (plan->failures.items[i].spec->timetable)
            plan_look_at(plan, plan->now + SLOT_RETRY);
}

/* --- right before the write --- */

static const char *tag_of(const Live *live, const char *key)
{
    return node_get_text(node_get(live->object, "freeformTags"), key);
}

/* Times in whole seconds, not texts: the mark may have been written by somebody else in another form. */
static bool same_mark(const char *a, const char *b)
{
    usec_t x, y;
    if (!a || !b)
        return a == b;
    return parse_rfc3339(a, &x) == 0 && parse_rfc3339(b, &y) == 0 && x / USEC_PER_SEC == y / USEC_PER_SEC;
}

/* The mark is what the change was planned on, or what it is to be: there already, or gone already. */
static bool mark_is_ours(const Change *change, const char *then, const char *now)
{
    usec_t time;
    if (change->action == ACTION_DELETE)
        return same_mark(then, now);
    return same_mark(then, now) || !now || (change->deltas.items[0].to && parse_rfc3339(now, &time) == 0);
}

bool newest_holds(const Change *change, const Live *now)
{
    return live_is_writable(now) && streq_null(tag_of(now, IDENTITY_TAG), tag_of(change->newest, IDENTITY_TAG)) &&
           streq_null(now->source_id, change->newest->source_id);
}

bool retention_holds(const Change *change, const Live *now, const char **ret_why)
{
    const Live *then = change->live;
    const char *why = NULL;
    if (!streq_null(tag_of(now, IDENTITY_TAG), tag_of(then, IDENTITY_TAG)) ||
        !streq_null(now->source_id, then->source_id))
        why = "it bears another tag or is of another volume than the list showed";
    else if (backup_state(now->kind, now->state) != backup_state(then->kind, then->state))
        why = "it is in another state than the list showed";
    else if (!mark_is_ours(change, tag_of(then, PRUNE_TAG), tag_of(now, PRUNE_TAG)))
        why = "somebody has changed or taken away its mark " PRUNE_TAG;
    *ret_why = why;
    return !why;
}

void retention_diff(const Change *change, const Live *now, Arena *arena, Deltas *deltas)
{
    const Node *to = change->deltas.items[0].to;
    const char *text = tag_of(now, PRUNE_TAG);
    /* One that is marked already, by a daemon that looked earlier or by a person, keeps that time. */
    if (!to != !text)
        *VEC_ADD(deltas) = mark_delta(change->spec, text ? node_string(arena, text) : NULL, to);
}
