#include "config.h"

#include "record/agenda.h"

#include <inttypes.h>

#include "data/json-write.h"
#include "plan/agenda.h"
#include "schedule/slot.h"

/* As the API writes them; the list's REQUEST_RECEIVED is CREATING here. */
static const char *const state_names[BACKUP_STATE_MAX] = {
    [BACKUP_GOOD] = "AVAILABLE",  [BACKUP_UNFINISHED] = "CREATING", [BACKUP_FAULTY] = "FAULTY",
    [BACKUP_GONE] = "TERMINATED", [BACKUP_UNSURE] = "UNSURE",
};

/* One schedule, and what is found of it on the way. */
typedef struct Showing {
    const AgendaReport *agenda;
    const Spec *spec;
    const Timetable *table;
    const Observed *observed; /* NULL: nothing was looked at, or it failed */
    usec_t in_force;
} Showing;

static Showing begin(const AgendaReport *agenda, const Spec *spec)
{
    static const Observed nothing;
    Showing s = {.agenda = agenda, .spec = spec, .table = spec->timetable};
    s.observed =
        agenda->snapshot && !agenda->snapshot->of[spec->index].error ? &agenda->snapshot->of[spec->index] : NULL;
    s.in_force = schedule_in_force(spec, s.observed ? s.observed : &nothing, agenda->now);
    return s;
}

/* The next slot after `after`, but for those of a pause. */
static bool next_slot(const Showing *s, usec_t after, usec_t *ret)
{
    usec_t since = s->spec->suspended_until;
    return calendar_next(s->table->calendar, s->table->zone, since > after + 1 ? since - 1 : after, ret);
}

/* From the newest slot to the oldest. */
static int by_slot(const void *a, const void *b)
{
    const KeepItem *x = a, *y = b;
    if (x->slot != y->slot)
        return x->slot > y->slot ? -1 : 1;
    return strcmp(x->id, y->id);
}

static Agenda agenda_of(const Showing *s, const Series *series, Arena *arena)
{
    Agenda a = agenda_make(series, s->in_force, s->agenda->now, arena);
    qsort(a.items, a.n, sizeof(KeepItem), by_slot);
    return a;
}

static bool each_missed(const Showing *s, const Due *due, usec_t *slot)
{
    if (!due->missed)
        return false;
    if (*slot == 0)
        *slot = due->missed_first;
    else if (!calendar_next(s->table->calendar, s->table->zone, *slot, slot))
        return false;
    return *slot <= due->missed_last;
}

/* --- text --- */

static void add_local(Str *out, const Zone *zone, usec_t wall)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    LocalTime t;
    zone_local(zone, wall, &t);
    str_addf(out, "%s %04d-%02d-%02d %02d:%02d:%02d %s", days[t.weekday], t.year, t.month, t.day, t.hour, t.minute,
             t.second, t.abbreviation);
}

static void text_head(const Showing *s, const ReportStyle *style, Str *out)
{
    const char *calendar = node_get_text(s->spec->want, "onCalendar"), *cron = node_get_text(s->spec->want, "cron");
    const char *folder = style->specs_path;
    str_addf(out, "%s  %s  %s%s  %s  %s%s%s:%u\n", s->spec->name, s->spec->account, cron ? "cron " : "",
             cron ? cron : calendar, zone_name(s->table->zone), folder ? folder : "", folder ? "/" : "", s->spec->file,
             s->spec->mark.line);
    char until[RFC3339_SIZE];
    if (spec_is_suspended(s->spec, s->agenda->now))
        str_addf(out, "  suspended until %s: %s\n", format_rfc3339(s->spec->suspended_until, until),
                 s->spec->suspend_reason);
}

static void text_next(const Showing *s, Str *out)
{
    usec_t slot = s->agenda->now;
    char utc[RFC3339_SIZE];
    for (unsigned i = 0; i < s->agenda->iterations && next_slot(s, slot, &slot); i++) {
        str_addf(out, "  %-6s  ", i ? "" : "next");
        add_local(out, s->table->zone, slot);
        str_addf(out, "  %s\n", slot_format(slot, utc));
    }
}

static void text_due(const Due *due, Str *out)
{
    char slot[RFC3339_SIZE], next[RFC3339_SIZE];
    slot_format(due->slot, slot);
    if (due->state == DUE_NOW)
        str_addf(out, "    due     %s, attempt %u of %u\n", slot, due->attempt, ATTEMPTS_MAX);
    else if (due->state == DUE_RESTS)
        str_addf(out, "    due     %s, attempt %u of %u not before %s\n", slot, due->attempt + 1, ATTEMPTS_MAX,
                 format_rfc3339(due->retry, next));
    else if (due->state == DUE_GIVEN_UP)
        str_addf(out, "    failed  %s, after %u attempt%s\n", slot, due->attempt, due->attempt == 1 ? "" : "s");
    else if (due->state == DUE_DELETED)
        str_addf(out, "    deleted %s, by hand: not made again\n", slot);
}

/* What becomes of it. */
static const char *fate_of(const Showing *s, const Agenda *a, const KeepItem *item, Arena *arena)
{
    char after[RFC3339_SIZE];
    if (item->keep)
        return item->step == KEEP_STEP_UNMARK ? "stays: its mark is taken off" : "stays";
    if (a->rests)
        return "would go, if the schedule were at work";
    if (!s->table->prune)
        return item->step == KEEP_STEP_UNMARK ? "would go, if prune were true: its mark is taken off"
                                              : "would go, if prune were true";
    const char *fate = item->step == KEEP_STEP_MARK
                           ? "goes: to be marked"
                           : arena_printf(arena, "deleted after %s", format_rfc3339(item->prune_after, after));
    return s->spec->observe ? arena_printf(arena, "%s (only observed)", fate) : fate;
}

static void grow(size_t *width, const char *text)
{
    *width = strlen(text) > *width ? strlen(text) : *width;
}

static void text_items(const Showing *s, const Agenda *a, Arena *arena, Str *out)
{
    size_t reasons = 0, fate = 0;
    char slot[RFC3339_SIZE];
    for (size_t i = 0; i < a->n; i++) {
        grow(&reasons, a->items[i].reasons);
        grow(&fate, fate_of(s, a, &a->items[i], arena));
    }
    for (size_t i = 0; i < a->n; i++) {
        const KeepItem *item = &a->items[i];
        str_addf(out, "    %s  %-10s  %-*s  %-*s  %s\n", slot_format(item->slot, slot), state_names[item->state],
                 (int)reasons, item->reasons, (int)fate, fate_of(s, a, item, arena), item->id);
    }
    if (a->n == 0)
        str_add(out, "    no backups yet\n");
}

static void text_series(const Showing *s, const Series *series, Str *out)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    Agenda a = agenda_of(s, series, arena);
    CLEANUP(freep) char *name = str_printable(node_get_text(series->volume->object, "displayName"), DISPLAY_NAME_MAX);
    usec_t delay = slot_delay(s->spec->name, series->volume->id, s->table->delay), missed = 0;
    char slot[RFC3339_SIZE];
    str_addf(out, "  %s  %s", name && *name ? name : "(no name)", series->volume->id);
    if (s->table->delay)
        str_addf(out, "  %" PRIu64 " s after each slot", delay / USEC_PER_SEC);
    str_addc(out, '\n');
    text_due(&a.due, out);
    for (bool first = true; each_missed(s, &a.due, &missed); first = false)
        str_addf(out, "    %-6s  %s\n", first ? "missed" : "", slot_format(missed, slot));
    text_items(s, &a, arena, out);
}

static void text_schedule(const Showing *s, const ReportStyle *style, Str *out)
{
    char newest[RFC3339_SIZE];
    text_head(s, style, out);
    text_next(s, out);
    for (size_t i = 0; s->observed && i < s->observed->series.n; i++)
        text_series(s, s->observed->series.items[i], out);
    if (s->observed && s->observed->series.n == 0)
        str_add(out, "  no volume is selected\n");
    for (size_t i = 0; s->observed && i < s->observed->strays.n; i++) {
        const Stray *stray = s->observed->strays.items[i];
        str_addf(out, "  %s  gone, or not selected any more; %zu backup%s left alone, the newest of %s\n",
                 stray->volume, stray->n, stray->n == 1 ? " is" : "s are", slot_format(stray->newest, newest));
    }
}

void agenda_text(const AgendaReport *agenda, const ReportStyle *style, Str *out)
{
    for (size_t i = 0; i < agenda->specs->n; i++) {
        Showing s = begin(agenda, &agenda->specs->items[i]);
        if (i)
            str_addc(out, '\n');
        text_schedule(&s, style, out);
    }
    for (size_t i = 0; agenda->snapshot && i < agenda->snapshot->orphans.n; i++) {
        const Orphan *o = &agenda->snapshot->orphans.items[i];
        CLEANUP(freep) char *name = str_printable(o->schedule, DISPLAY_NAME_MAX);
        str_addf(out, "%s%s of schedule %s, which no spec declares: left alone\n", i ? "" : "\n", o->id, name);
    }
}

/* --- JSON --- */

static void json_time(JsonWriter *w, const char *key, usec_t wall)
{
    char text[RFC3339_SIZE];
    json_text(w, key, slot_format(wall, text));
}

static void json_last(JsonWriter *w, const Agenda *a)
{
    if (a->n == 0) {
        json_text(w, "last", NULL);
        return;
    }
    json_begin_object(w, "last");
    json_time(w, "slot", a->items[0].slot);
    json_text(w, "backupId", a->items[0].id);
    json_text(w, "state", state_names[a->items[0].state]);
    json_end_object(w);
}

static void json_due(JsonWriter *w, const Due *due)
{
    if (due->state == DUE_NOTHING || due->state == DUE_DELETED) {
        json_text(w, "due", NULL);
        return;
    }
    json_begin_object(w, "due");
    json_time(w, "slot", due->slot);
    json_integer(w, "attempt", due->state == DUE_RESTS ? due->attempt + 1 : due->attempt);
    if (due->state == DUE_RESTS)
        json_time(w, "notBefore", due->retry);
    else
        json_text(w, "notBefore", NULL);
    json_boolean(w, "givenUp", due->state == DUE_GIVEN_UP);
    json_end_object(w);
}

static void json_item(JsonWriter *w, const KeepItem *item)
{
    json_begin_object(w, NULL);
    json_text(w, "backupId", item->id);
    json_time(w, "slot", item->slot);
    json_text(w, "state", state_names[item->state]);
    json_boolean(w, "keep", item->keep);
    json_begin_array(w, "reasons");
    CLEANUP(freep) char *reasons = xstrdup(item->reasons);
    for (char *rest = reasons, *end; rest; rest = end) {
        end = strstr(rest, ", ");
        if (end) {
            *end = 0;
            end += 2;
        }
        json_text(w, NULL, rest);
    }
    json_end_array(w);
    if (item->mark == PRUNE_MARK_AT)
        json_time(w, "pruneAfter", item->prune_after);
    else
        json_text(w, "pruneAfter", item->mark == PRUNE_MARK_NEVER ? PRUNE_NEVER : NULL);
    json_end_object(w);
}

static void json_series(JsonWriter *w, const Showing *s, const Series *series)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    Agenda a = agenda_of(s, series, arena);
    usec_t missed = 0;
    json_begin_object(w, NULL);
    json_text(w, "id", series->volume->id);
    json_text(w, "name", node_get_text(series->volume->object, "displayName"));
    json_integer(w, "delaySeconds",
                 (int64_t)(slot_delay(s->spec->name, series->volume->id, s->table->delay) / USEC_PER_SEC));
    json_last(w, &a);
    json_due(w, &a.due);
    json_begin_array(w, "missed");
    while (each_missed(s, &a.due, &missed))
        json_time(w, NULL, missed);
    json_end_array(w);
    json_begin_array(w, "retention");
    for (size_t i = 0; i < a.n; i++)
        json_item(w, &a.items[i]);
    json_end_array(w);
    json_end_object(w);
}

static void json_schedule(JsonWriter *w, const Showing *s)
{
    usec_t slot = s->agenda->now;
    json_begin_object(w, NULL);
    json_text(w, "name", s->spec->name);
    json_text(w, "account", s->spec->account);
    json_text(w, "timeZone", zone_name(s->table->zone));
    json_text(w, "file", s->spec->file);
    json_integer(w, "line", s->spec->mark.line);
    if (spec_is_suspended(s->spec, s->agenda->now))
        json_time(w, "suspendedUntil", s->spec->suspended_until);
    else
        json_text(w, "suspendedUntil", NULL);
    json_begin_array(w, "next");
    for (unsigned i = 0; i < s->agenda->iterations && next_slot(s, slot, &slot); i++)
        json_time(w, NULL, slot);
    json_end_array(w);
    json_begin_array(w, "volumes");
    for (size_t i = 0; s->observed && i < s->observed->series.n; i++)
        json_series(w, s, s->observed->series.items[i]);
    json_end_array(w);
    json_begin_array(w, "vanished");
    for (size_t i = 0; s->observed && i < s->observed->strays.n; i++) {
        json_begin_object(w, NULL);
        json_text(w, "id", s->observed->strays.items[i]->volume);
        json_integer(w, "backups", (int64_t)s->observed->strays.items[i]->n);
        json_time(w, "newest", s->observed->strays.items[i]->newest);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}

void agenda_json(const AgendaReport *agenda, const Report *report, Str *out)
{
    JsonWriter w = {.out = out};
    json_begin_object(&w, NULL);
    json_begin_array(&w, "schedules");
    for (size_t i = 0; i < agenda->specs->n; i++) {
        Showing s = begin(agenda, &agenda->specs->items[i]);
        json_schedule(&w, &s);
    }
    json_end_array(&w);
    json_begin_array(&w, "orphans");
    for (size_t i = 0; agenda->snapshot && i < agenda->snapshot->orphans.n; i++) {
        json_begin_object(&w, NULL);
        json_text(&w, "schedule", agenda->snapshot->orphans.items[i].schedule);
        json_text(&w, "backupId", agenda->snapshot->orphans.items[i].id);
        json_end_object(&w);
    }
    json_end_array(&w);
    report_json_errors(report, &w);
    json_end_object(&w);
    str_addc(out, '\n');
}
