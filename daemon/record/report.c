#include "config.h"

#include "record/report.h"

#include <inttypes.h>

#include "data/json-write.h"
#include "schedule/slot.h"

ReportTotals report_totals(const Report *report)
{
    ReportTotals t = {0};
    for (size_t i = 0; i < report->n; i++) {
        const Plan *plan = report->results[i].plan;
        t.declared += plan->declared;
        t.objects += plan->objects;
        t.in_sync += plan->in_sync;
        for (size_t k = 0; k < plan->changes.n; k++) {
            const Change *c = &plan->changes.items[k];
            t.changes[c->action][c->outcome]++;
            t.hints += c->is_hint;
        }
        t.held += plan_count(plan, OUTCOME_HELD);
        t.observed += plan_count(plan, OUTCOME_OBSERVED);
        t.failed += plan_count(plan, OUTCOME_FAILED);
        t.differences += plan_count(plan, OUTCOME_PLANNED);
        t.errors += plan->failures.n;
        t.requests += report->results[i].requests;
    }
    t.differences += t.held + t.observed - t.hints;
    return t;
}

/* --- text --- */

typedef enum Paint {
    PAINT_BOLD,
    PAINT_RED,
    PAINT_GREEN,
    PAINT_YELLOW,
    PAINT_DIM,
} Paint;

static void paint(Str *out, const ReportStyle *style, Paint colour, const char *format, ...) PRINTF(4, 5);
static void paint(Str *out, const ReportStyle *style, Paint colour, const char *format, ...)
{
    static const char *const codes[] = {"1", "31", "32", "33", "2"};
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *text = xvasprintf(format, args);
    va_end(args);
    if (style->colour)
        str_addf(out, "\033[%sm%s\033[0m", codes[colour], text);
    else
        str_add(out, text);
}

static void add_place(Str *out, const ReportStyle *style, const Spec *spec, Mark mark)
{
    const char *folder = style->specs_path;
    if (folder && *spec->file)
        str_addf(out, "%s/", folder);
    str_addf(out, "%s:%u:%u", spec->file, mark.line, mark.column);
}

static void add_delta(Str *out, const ReportStyle *style, const Spec *spec, const Delta *d, size_t width)
{
    Paint colour = !d->from ? PAINT_GREEN : !d->to ? PAINT_RED : PAINT_YELLOW;
    CLEANUP(str_done) Str values = {0};
    json_show_node(&values, d->from);
    str_add(&values, " -> ");
    json_show_node(&values, d->to);
    str_add(out, "    ");
    CLEANUP(freep) char *path = str_printable(d->path, SIZE_MAX);
    paint(out, style, colour, "%s %-*s  %s", !d->from ? "+" : !d->to ? "-" : "~", (int)width, path, str_get(&values));
    str_add(out, "  ");
    CLEANUP(str_done) Str place = {0};
    add_place(&place, style, spec, d->mark);
    paint(out, style, PAINT_DIM, "%s", str_get(&place));
    str_addc(out, '\n');
}

static size_t path_width(const Deltas *deltas)
{
    size_t width = 0;
    for (size_t i = 0; i < deltas->n; i++)
        if (strlen(deltas->items[i].path) > width)
            width = strlen(deltas->items[i].path);
    return width;
}

static void add_change(Str *out, const ReportStyle *style, const Change *c)
{
    static const Paint colours[OUTCOME_MAX] = {
        [OUTCOME_PLANNED] = PAINT_YELLOW, [OUTCOME_DONE] = PAINT_GREEN,   [OUTCOME_HELD] = PAINT_RED,
        [OUTCOME_FAILED] = PAINT_RED,     [OUTCOME_OBSERVED] = PAINT_DIM,
    };
    paint(out, style, PAINT_BOLD, "%s %s", c->spec->kind->name, c->spec->name);
    str_addf(out, "  %s  %s  ", c->spec->account, c->target);
    paint(out, style, colours[c->outcome], "%s: %s", action_name(c->action), outcome_name(c->outcome));
    const char *reasons[] = {c->why, c->reason};
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (reasons[i])
            str_addf(out, ": %s", reasons[i]);
    str_addc(out, '\n');
    for (size_t i = 0; i < c->deltas.n; i++)
        add_delta(out, style, c->spec, &c->deltas.items[i], path_width(&c->deltas));
}

static void add_ignored(Str *out, const ReportStyle *style, const Ignored *ignored)
{
    CLEANUP(str_done) Str text = {0};
    CLEANUP(freep) char *path = str_printable(ignored->delta.path, SIZE_MAX);
    str_addf(&text, "%s %s  %s  %s: live ", ignored->spec->kind->name, ignored->spec->name, ignored->live->id, path);
    json_show_node(&text, ignored->delta.from);
    str_addf(&text, ", passed over: %s", ignored->delta.rule);
    paint(out, style, PAINT_DIM, "%s\n", str_get(&text));
}

static void add_failure(Str *out, const ReportStyle *style, const Failure *f)
{
    add_place(out, style, f->spec, f->spec->mark);
    str_add(out, ": ");
    paint(out, style, PAINT_RED, "error:");
    str_addf(out, " %s \"%s\" (account %s%s%s): ", f->spec->kind->name, f->spec->name, f->spec->account,
             f->target ? ", " : "", f->target ? f->target : "");
    if (f->error->status >= 300)
        str_addf(out, "%d ", f->error->status);
    if (f->error->code)
        str_addf(out, "%s: ", f->error->code);
    str_add(out, f->error->message);
    if (f->error->request_id)
        str_addf(out, " (opc-request-id %s)", f->error->request_id);
    if (f->more)
        str_addf(out, " (and so for %zu more of its objects)", f->more);
    str_addc(out, '\n');
}

static void add_note(Str *out, const ReportStyle *style, const Note *note)
{
    paint(out, style, PAINT_BOLD, "%s %s", note->spec->kind->name, note->spec->name);
    str_addf(out, "  %s  %s  ", note->spec->account, note->target);
    paint(out, style, PAINT_DIM, "%s: %s\n", note_name(note->kind), note->text);
}

static void add_summary(Str *out, const ReportStyle *style, const ReportTotals *t)
{
    CLEANUP(str_done) Str text = {0};
    str_addf(&text, "%zu of %zu objects in sync", t->in_sync, t->objects);
    const struct {
        size_t n;
        const char *what;
    } parts[] = {{t->changes[ACTION_CREATE][OUTCOME_PLANNED], "to create"},
                 {t->changes[ACTION_UPDATE][OUTCOME_PLANNED], "to update"},
                 {t->changes[ACTION_DELETE][OUTCOME_PLANNED], "to delete"},
                 {t->changes[ACTION_CREATE][OUTCOME_DONE], "created"},
                 {t->changes[ACTION_UPDATE][OUTCOME_DONE], "updated"},
                 {t->changes[ACTION_DELETE][OUTCOME_DONE], "deleted"},
                 {t->held, "held"},
                 {t->observed, "observed"},
                 {t->failed, "failed"},
                 {t->errors, t->errors == 1 ? "error" : "errors"}};
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i].n)
            str_addf(&text, ", %zu %s", parts[i].n, parts[i].what);
    str_addf(&text, " (%zu documents, %zu requests)", t->declared, t->requests);
    paint(out, style, t->errors ? PAINT_RED : t->differences ? PAINT_YELLOW : PAINT_GREEN, "%s\n", str_get(&text));
}

void report_errors(const Report *report, const ReportStyle *style, Str *out)
{
    for (size_t i = 0; i < report->n; i++)
        for (size_t k = 0; k < report->results[i].plan->failures.n; k++)
            add_failure(out, style, &report->results[i].plan->failures.items[k]);
}

void report_text(const Report *report, const ReportStyle *style, Str *out, Str *errors)
{
    ReportTotals totals = report_totals(report);
    for (size_t i = 0; i < report->n; i++) {
        const Plan *plan = report->results[i].plan;
        for (size_t k = 0; k < plan->changes.n; k++)
            add_change(out, style, &plan->changes.items[k]);
        for (size_t k = 0; style->show_ignored && k < plan->ignored.n; k++)
            add_ignored(out, style, &plan->ignored.items[k]);
        for (size_t k = 0; k < plan->notes.n; k++)
            add_note(out, style, &plan->notes.items[k]);
    }
    report_errors(report, style, errors);
    add_summary(out, style, &totals);
}

/* --- JSON --- */

static void json_document(JsonWriter *w, const Spec *spec, const char *target)
{
    json_text(w, "kind", spec->kind->name);
    json_text(w, "name", spec->name);
    json_text(w, "account", spec->account);
    json_text(w, "target", target);
}

static void json_slot(JsonWriter *w, const Change *c)
{
    char text[RFC3339_SIZE];
    json_text(w, "why", c->why);
    json_text(w, "slot", slot_format(c->slot, text));
    if (c->action == ACTION_CREATE)
        json_integer(w, "attempt", c->attempt);
}

static void json_note(JsonWriter *w, const Note *note)
{
    json_begin_object(w, NULL);
    json_document(w, note->spec, note->target);
    json_text(w, "event", note_name(note->kind));
    json_text(w, "message", note->text);
    json_end_object(w);
}

void report_delta(JsonWriter *w, const Delta *delta)
{
    json_text(w, "path", delta->path);
    json_node(w, "from", delta->from);
    json_node(w, "to", delta->to);
}

static void json_change(JsonWriter *w, const Change *c)
{
    json_begin_object(w, NULL);
    json_document(w, c->spec, c->target);
    json_text(w, "action", action_name(c->action));
    json_text(w, "outcome", outcome_name(c->outcome));
    json_text(w, "file", c->spec->file);
    json_integer(w, "line", c->spec->mark.line);
    json_text(w, "reason", c->reason ? c->reason : c->why);
    if (c->series)
        json_slot(w, c);
    if (c->action == ACTION_CREATE)
        json_text(w, "created", c->live->id);
    json_begin_array(w, "attributes");
    for (size_t i = 0; i < c->deltas.n; i++) {
        const Delta *d = &c->deltas.items[i];
        json_begin_object(w, NULL);
        report_delta(w, d);
        json_integer(w, "line", d->mark.line);
        json_integer(w, "column", d->mark.column);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}

static void json_failure(JsonWriter *w, const Failure *f)
{
    json_begin_object(w, NULL);
    json_document(w, f->spec, f->target);
    json_text(w, "file", f->spec->file);
    json_integer(w, "line", f->spec->mark.line);
    /* An answer that said yes and could not be understood is no HTTP error. */
    if (f->error->status >= 300)
        json_integer(w, "status", f->error->status);
    else
        json_text(w, "status", NULL);
    json_text(w, "code", f->error->code);
    json_text(w, "message", f->error->message);
    json_text(w, "opcRequestId", f->error->request_id);
    json_integer(w, "objects", (int64_t)f->more + 1);
    json_end_object(w);
}

static void json_ignored(JsonWriter *w, const Ignored *ignored)
{
    json_begin_object(w, NULL);
    json_text(w, "kind", ignored->spec->kind->name);
    json_text(w, "name", ignored->spec->name);
    json_text(w, "target", ignored->live->id);
    json_text(w, "path", ignored->delta.path);
    json_node(w, "live", ignored->delta.from);
    json_text(w, "rule", ignored->delta.rule);
    json_end_object(w);
}

static int64_t total_of(const ReportTotals *t, Action action)
{
    size_t n = 0;
    for (size_t i = 0; i < OUTCOME_MAX; i++)
        n += t->changes[action][i];
    return (int64_t)n;
}

static void json_summary(JsonWriter *w, const ReportTotals *t)
{
    json_begin_object(w, "summary");
    json_integer(w, "declared", (int64_t)t->declared);
    json_integer(w, "objects", (int64_t)t->objects);
    json_integer(w, "inSync", (int64_t)t->in_sync);
    json_integer(w, "update", total_of(t, ACTION_UPDATE));
    json_integer(w, "create", total_of(t, ACTION_CREATE));
    json_integer(w, "delete", total_of(t, ACTION_DELETE));
    json_integer(w, "held", (int64_t)t->held);
    json_integer(w, "observed", (int64_t)t->observed);
    json_integer(w, "errors", (int64_t)t->errors);
    json_integer(w, "requests", (int64_t)t->requests);
    json_end_object(w);
}

void report_json_errors(const Report *report, JsonWriter *w)
{
    json_begin_array(w, "errors");
    for (size_t i = 0; i < report->n; i++)
        for (size_t k = 0; k < report->results[i].plan->failures.n; k++)
            json_failure(w, &report->results[i].plan->failures.items[k]);
    json_end_array(w);
}

void report_json(const Report *report, bool show_ignored, Str *out)
{
    JsonWriter w = {.out = out};
    ReportTotals totals = report_totals(report);
    json_begin_object(&w, NULL);
    json_text(&w, "revision", report->specs->revision);
    json_begin_array(&w, "changes");
    for (size_t i = 0; i < report->n; i++)
        for (size_t k = 0; k < report->results[i].plan->changes.n; k++)
            json_change(&w, &report->results[i].plan->changes.items[k]);
    json_end_array(&w);
    report_json_errors(report, &w);
    json_begin_array(&w, "notes");
    for (size_t i = 0; i < report->n; i++)
        for (size_t k = 0; k < report->results[i].plan->notes.n; k++)
            json_note(&w, &report->results[i].plan->notes.items[k]);
    json_end_array(&w);
    if (show_ignored) {
        json_begin_array(&w, "ignored");
        for (size_t i = 0; i < report->n; i++)
            for (size_t k = 0; k < report->results[i].plan->ignored.n; k++)
                json_ignored(&w, &report->results[i].plan->ignored.items[k]);
        json_end_array(&w);
    }
    json_summary(&w, &totals);
    json_end_object(&w);
    str_addc(out, '\n');
}
