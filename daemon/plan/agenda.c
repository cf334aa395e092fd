#include "config.h"

#include "plan/agenda.h"

#include "schedule/slot.h"

/* The earliest slot of a series that this calendar has, if it is earlier than `known`. A slot of another calendar shows
 * nothing: what the document said then is not what it says now. */
static usec_t earlier_slot(const Timetable *t, const Series *series, usec_t known)
{
    for (size_t i = 0; i < series->made.n; i++) {
        usec_t slot = series->made.items[i].slot;
        if (slot < known && calendar_has(t->calendar, t->zone, slot))
            known = slot;
    }
    return known;
}

usec_t schedule_in_force(const Spec *spec, const Observed *observed, usec_t now)
{
    const Timetable *t = spec->timetable;
    usec_t in_force = t->written, newest;
    /* Long in force by its file alone: nothing that counts lies before. */
    usec_t horizon = t->catch_up + t->delay < now ? now - t->catch_up - t->delay : 0;
    if (calendar_previous(t->calendar, t->zone, horizon, &newest) && in_force <= newest)
        return in_force;
    for (size_t i = 0; i < observed->series.n; i++)
        in_force = earlier_slot(t, observed->series.items[i], in_force);
    return in_force;
}

static Due due_of(const Series *series, usec_t in_force, usec_t now)
{
    const Spec *spec = series->spec;
    const Timetable *t = spec->timetable;
    DueRule rule = {
        .calendar = t->calendar,
        .zone = t->zone,
        .delay = slot_delay(spec->name, series->volume->id, t->delay),
        .catch_up = t->catch_up,
        .since = in_force,
        .resumed = spec->suspended_until,
        .written = t->written,
    };
    if (series->volume->born > rule.since)
        rule.since = series->volume->born;
    if (spec->suspended_until > rule.since)
        rule.since = spec->suspended_until;
    return due_decide(&rule, now, series->made.items, series->made.n);
}

/* Without prune: true nothing is to go, so that no mark is in place either: it would delete at once when prune is set
 * one day. */
static KeepStep step_of(const Timetable *t, const KeepItem *item)
{
    if (t->prune || item->keep)
        return item->step;
    return item->mark == PRUNE_MARK_AT ? KEEP_STEP_UNMARK : KEEP_STEP_NONE;
}

const char *volume_own_tag(const Live *volume)
{
    const Node *tags = node_get(volume->object, "freeformTags");
    static const char *const own[] = {IDENTITY_TAG, PRUNE_TAG};
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        if (node_get(tags, own[i]))
            return own[i];
    return NULL;
}

/* Nothing is done: of what would be, nothing is left. */
static void rest(Agenda *agenda)
{
    agenda->rests = true;
    agenda->due.state = DUE_NOTHING;
    for (size_t i = 0; i < agenda->n; i++)
        agenda->items[i].step = KEEP_STEP_NONE;
}

Agenda agenda_make(const Series *series, usec_t in_force, usec_t now, Arena *arena)
{
    const Timetable *t = series->spec->timetable;
    Agenda agenda = {.due = due_of(series, in_force, now)};
    agenda.items = arena_alloc(arena, (series->made.n + 1) * sizeof(KeepItem));
    for (size_t i = 0; i < series->made.n; i++) {
        const Made *m = &series->made.items[i];
        if (m->state != BACKUP_GONE)
            agenda.items[agenda.n++] = (KeepItem){
                .id = m->id,
                .slot = m->slot,
                .state = m->state,
                .mark = m->mark,
                .prune_after = m->prune_after,
            };
    }
    KeepRule rule = t->keep;
    rule.settled_before = agenda.due.slot;
    agenda.newest = keep_decide(t->keeps ? &rule : NULL, now, agenda.items, agenda.n, arena);
    for (size_t i = 0; i < agenda.n; i++)
        agenda.items[i].step = step_of(t, &agenda.items[i]);
    if (spec_is_suspended(series->spec, now) || live_is_gone(series->volume) || volume_own_tag(series->volume))
        rest(&agenda);
    return agenda;
}
