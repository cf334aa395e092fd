#include "config.h"

#include "record/journal.h"

#include "base/map.h"
#include "base/str.h"
#include "data/json-write.h"
#include "record/report.h"
#include "schedule/slot.h"

#define NAMES_SHOWN 3

/* Keys of what several documents failed of begin with it. */
#define GROUP "group\n"

/* The fields of one entry, whose texts live in an arena. */
typedef struct Fields {
    VEC(LogField) list;
    Arena *arena;
} Fields;

static void add_field(Fields *f, EntryField field, const char *value)
{
    *VEC_ADD(&f->list) = (LogField){entry_field_name(field), value};
}

static const char *value_text(Arena *arena, const Node *value)
{
    CLEANUP(str_done) Str text = {0};
    json_write_node(&text, value);
    return arena_strdup(arena, str_get(&text));
}

static void add_document(Fields *f, const Spec *spec, const char *target, const char *revision)
{
    add_field(f, ENTRY_KIND, spec->kind->name);
    add_field(f, ENTRY_NAME, spec->name);
    add_field(f, ENTRY_ACCOUNT, spec->account);
    add_field(f, ENTRY_TARGET, target);
    add_field(f, ENTRY_SPEC, arena_printf(f->arena, "%s:%u", spec->file, spec->mark.line));
    add_field(f, ENTRY_REVISION, revision);
}

/* Each is four fields, each field two parts of what libsystemd writes at once, and those must not be more than IOV_MAX,
 * 1024: else the whole entry is lost. */
#define DELTAS_MAX 100

static const char *change_text(Arena *arena, const Delta *delta)
{
    CLEANUP(str_done) Str text = {0};
    JsonWriter w = {.out = &text};
    json_begin_object(&w, NULL);
    report_delta(&w, delta);
    json_end_object(&w);
    return arena_strdup(arena, str_get(&text));
}

static void add_deltas(Fields *f, const Deltas *deltas)
{
    for (size_t i = 0; i < deltas->n && i < DELTAS_MAX; i++) {
        add_field(f, ENTRY_CHANGE, change_text(f->arena, &deltas->items[i]));
        add_field(f, ENTRY_ATTRIBUTE, deltas->items[i].path);
        add_field(f, ENTRY_FROM, value_text(f->arena, deltas->items[i].from));
        add_field(f, ENTRY_TO, value_text(f->arena, deltas->items[i].to));
    }
    if (deltas->n > DELTAS_MAX)
        add_field(f, ENTRY_LEFT_OUT, arena_printf(f->arena, "%zu", deltas->n - DELTAS_MAX));
}

static void add_change(Fields *f, const Change *c)
{
    add_field(f, ENTRY_ACTION, action_name(c->action));
    add_field(f, ENTRY_REASON, c->reason ? c->reason : c->why);
}

static void add_error(Fields *f, const Error *e)
{
    add_field(f, ENTRY_REASON, e->message);
    add_field(f, ENTRY_OPC_REQUEST_ID, e->request_id);
    if (e->status)
        add_field(f, ENTRY_HTTP_STATUS, arena_printf(f->arena, "%d", e->status));
}

static void fields_done(Fields *f)
{
    VEC_DONE(&f->list);
    arena_free(f->arena);
}

static char *deltas_text(const Deltas *deltas)
{
    Str text = {0};
    for (size_t i = 0; i < deltas->n; i++) {
        const Delta *d = &deltas->items[i];
        CLEANUP(freep) char *path = str_printable(d->path, SIZE_MAX);
        str_addf(&text, "%s%s: ", i ? ", " : "", path);
        json_show_node(&text, d->from);
        str_add(&text, " -> ");
        json_show_node(&text, d->to);
    }
    return str_take(&text);
}

/* "OciImage ol9 (prod)" */
static const char *subject_of(Arena *arena, const Spec *spec)
{
    return arena_printf(arena, "%s %s (%s)", spec->kind->name, spec->name, spec->account);
}

static void say_done(const Log *log, const Change *c, Fields *f, const char *what)
{
    const char *subject = subject_of(f->arena, c->spec), *why = c->why ? arena_printf(f->arena, " (%s)", c->why) : "";
    switch (c->action) {
    case ACTION_CREATE:
        event_log(log, EVENT_CREATED, f->list.items, f->list.n, "%s: created %s of %s%s, %s%s%s", subject, c->live->id,
                  c->target, why, c->live->state, *what ? ": " : "", what);
        break;
    case ACTION_DELETE:
        event_log(log, EVENT_DELETED, f->list.items, f->list.n, "%s: deleted %s%s", subject, c->target, why);
        break;
    default:
        event_log(log, EVENT_UPDATED, f->list.items, f->list.n, "%s: updated %s%s: %s", subject, c->target, why, what);
    }
}

static void add_slot(Fields *f, usec_t slot)
{
    char text[RFC3339_SIZE];
    if (slot)
        add_field(f, ENTRY_SLOT, arena_strdup(f->arena, slot_format(slot, text)));
}

void journal_change(const Log *log, const Op *op, const char *revision)
{
    const Change *c = op_change(op);
    if (c->outcome != OUTCOME_DONE || !op_wrote(op))
        return;
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    CLEANUP(freep) char *what = deltas_text(&c->deltas);
    add_document(&f, c->spec, c->target, revision);
    add_change(&f, c);
    if (c->action == ACTION_CREATE)
        add_field(&f, ENTRY_CREATED, c->live->id);
    add_slot(&f, c->slot);
    add_field(&f, ENTRY_OPC_REQUEST_ID, op_request_id(op));
    add_field(&f, ENTRY_RETRY_TOKEN, op_retry_token(op));
    add_deltas(&f, &c->deltas);
    say_done(log, c, &f, what);
}

typedef struct Recorder {
    const Log *log;
    Fold *fold;
    const char *revision;
    const AccountResult *result;
    usec_t now;
    Arena *arena; /* of keys and texts */
} Recorder;

static const char *account_name(const Recorder *r)
{
    return r->result->slot->config->name;
}

/* Keys of conditions: account, document (empty: the account's own), what is the matter. */
static const char *document_key(const Recorder *r, const Spec *spec)
{
    return arena_printf(r->arena, "%s\n%s/%s\n", account_name(r), spec->kind->name, spec->name);
}

static const char *account_key(const Recorder *r, const char *what)
{
    return arena_printf(r->arena, "%s\n\n%s", account_name(r), what);
}

/* The same condition has the same words from round to round, but for the numbers in them. */
static const char *without_digits(const Recorder *r, const char *text)
{
    return str_drop_digits(arena_strdup(r->arena, text));
}

static const char *times(const Recorder *r, unsigned met)
{
    return met > 1 ? arena_printf(r->arena, " (met %u times since this was last said)", met) : "";
}

static Event failure_event(const Error *e)
{
    if (e->kind == ERROR_NOT_FOUND && e->status)
        return EVENT_ACCESS_UNCERTAIN;
    return e->kind == ERROR_UNCONVERGED ? EVENT_NOT_CONVERGING : EVENT_FAILED;
}

static const char *failure_text(const Recorder *r, const Failure *failure)
{
    const Error *e = failure->error;
    CLEANUP(str_done) Str text = {0};
    if (failure->target)
        str_addf(&text, "%s: ", failure->target);
    if (e->status >= 300)
        str_addf(&text, "%d ", e->status);
    if (e->code)
        str_addf(&text, "%s: ", e->code);
    str_add(&text, e->message);
    if (e->request_id)
        str_addf(&text, ", opc-request-id %s", e->request_id);
    if (failure->more)
        str_addf(&text, " (and so for %zu more of its objects)", failure->more);
    return arena_strdup(r->arena, str_get(&text));
}

static void say_failure(const Recorder *r, const Failure *failure)
{
    const Spec *s = failure->spec;
    const Error *e = failure->error;
    const char *key = arena_printf(r->arena, "%sfailure\n%d%s\n%s", document_key(r, s), e->kind, e->code ? e->code : "",
                                   without_digits(r, e->message));
    const Subject subject = {subject_of(r->arena, s), s->kind->name, s->name, s->account, failure->target};
    unsigned met = fold_meet(r->fold, key, &subject, r->now);
    if (!met)
        return;
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    add_document(&f, s, failure->target, r->revision);
    add_error(&f, e);
    event_log(r->log, failure_event(e), f.list.items, f.list.n, "%s: %s, declared at %s:%u%s", subject.text,
              failure_text(r, failure), s->file, s->mark.line, times(r, met));
}

/* Failures with the same words are one condition of the account. */
typedef VEC(const Failure *) Group;

static void say_group(const Recorder *r, const Group *g)
{
    const Error *e = g->items[0]->error;
    const char *what =
        arena_printf(r->arena, GROUP "%d%s\n%s", e->kind, e->code ? e->code : "", without_digits(r, e->message));
    const Subject subject = {.text = arena_printf(r->arena, "account %s", account_name(r)), .account = account_name(r)};
    unsigned met = fold_meet(r->fold, account_key(r, what), &subject, r->now);
    if (!met)
        return;
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    CLEANUP(str_done) Str names = {0};
    for (size_t i = 0; i < g->n && i < NAMES_SHOWN; i++)
        str_addf(&names, "%s%s", i ? ", " : "", g->items[i]->spec->name);
    add_field(&f, ENTRY_ACCOUNT, account_name(r));
    add_field(&f, ENTRY_REVISION, r->revision);
    add_error(&f, e);
    event_log(r->log, EVENT_ACCOUNT_FAILED, f.list.items, f.list.n, "%s: %zu documents (%s%s): %s%s%s%s", subject.text,
              g->n, str_get(&names), g->n > NAMES_SHOWN ? ", …" : "", e->code ? e->code : "", e->code ? ": " : "",
              e->message, times(r, met));
}

static void say_failures(const Recorder *r)
{
    const Plan *plan = r->result->plan;
    CLEANUP(map_freep) Map *by_message = map_new();
    VEC(Group *) groups = {0};
    for (size_t i = 0; i < plan->failures.n; i++) {
        const Failure *failure = &plan->failures.items[i];
        if (failure->error->kind == ERROR_CANCELLED)
            continue;
        Group *g = map_get(by_message, failure->error->message);
        if (!g) {
            g = xcalloc(1, sizeof(*g));
            map_put(by_message, failure->error->message, g);
            *VEC_ADD(&groups) = g;
        }
        *VEC_ADD(g) = failure;
    }
    for (size_t i = 0; i < groups.n; i++) {
        if (groups.items[i]->n > 1)
            say_group(r, groups.items[i]);
        else
            say_failure(r, groups.items[i]->items[0]);
        VEC_DONE(groups.items[i]);
        free(groups.items[i]);
    }
    VEC_DONE(&groups);
}

/* Held, or only observed. */
static void say_change(const Recorder *r, const Change *c)
{
    bool held = c->outcome == OUTCOME_HELD;
    CLEANUP(freep) char *what = deltas_text(&c->deltas);
    const char *key = arena_printf(r->arena, "%s%s\n%d\n%s\n%s", document_key(r, c->spec), outcome_name(c->outcome),
                                   c->hold, c->target, c->series ? "" : what);
    unsigned met = fold_meet(r->fold, key, NULL, r->now);
    if (!met)
        return;
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    add_document(&f, c->spec, c->target, r->revision);
    add_change(&f, c);
    add_deltas(&f, &c->deltas);
    event_log(r->log, held ? EVENT_HELD : EVENT_DRIFT, f.list.items, f.list.n, "%s %s (%s): %s: %s%s%s: %s%s",
              c->spec->kind->name, c->spec->name, c->spec->account, c->target,
              held                         ? "held"
              : c->action == ACTION_CREATE ? "is to be made"
                                           : "differs",
              c->reason ? ": " : "", c->reason ? c->reason : "", what, times(r, met));
}

static const char *many_key(const Recorder *r, Outcome outcome, Hold hold)
{
    return account_key(r, arena_printf(r->arena, "%s\n%d", outcome_name(outcome), hold));
}

/* Many that are held for the same sort of reason, or that are only observed. `first` is one of them. */
static void say_group_of(const Recorder *r, const Change *first, size_t n)
{
    bool held = first->outcome == OUTCOME_HELD;
    unsigned met = fold_meet(r->fold, many_key(r, first->outcome, first->hold), NULL, r->now);
    if (!met)
        return;
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    add_field(&f, ENTRY_ACCOUNT, account_name(r));
    add_field(&f, ENTRY_REVISION, r->revision);
    add_field(&f, ENTRY_REASON, held ? first->reason : first->why);
    event_log(r->log, held ? EVENT_HELD : EVENT_DRIFT, f.list.items, f.list.n, "account %s: %zu changes %s: %s%s",
              account_name(r), n, held ? "held" : "of schedules only observed", held ? first->reason : first->why,
              times(r, met));
}

/* What schedules want and what is only observed may be thousands: HOLD_NONE counts those. */
static bool is_counted(const Change *c)
{
    return c->outcome == OUTCOME_HELD || (c->outcome == OUTCOME_OBSERVED && c->series && !c->is_hint);
}

static void say_changes(const Recorder *r)
{
    const Plan *plan = r->result->plan;
    size_t held[HOLD_MAX] = {0};
    const Change *first[HOLD_MAX] = {0};
    for (size_t i = 0; i < plan->changes.n; i++) {
        const Change *c = &plan->changes.items[i];
        if (is_counted(c) && held[c->hold]++ == 0)
            first[c->hold] = c;
        /* What rests failed before, maybe with others, and has not passed by resting. */
        if (c->hold == HOLD_PAUSE || c->hold == HOLD_UNCONVERGED) {
            fold_keep(r->fold, document_key(r, c->spec));
            fold_keep(r->fold, account_key(r, GROUP));
        }
    }
    for (size_t i = 0; i < plan->changes.n; i++) {
        const Change *c = &plan->changes.items[i];
        if (is_counted(c) ? held[c->hold] <= NAMES_SHOWN : c->outcome == OUTCOME_OBSERVED && !c->is_hint)
            say_change(r, c);
    }
    for (size_t hold = 0; hold < HOLD_MAX; hold++)
        if (first[hold] && held[hold] > NAMES_SHOWN)
            say_group_of(r, first[hold], held[hold]);
}

static const Event note_events[NOTE_MAX] = {
    [NOTE_AVAILABLE] = EVENT_AVAILABLE,  [NOTE_FAULTY] = EVENT_FAULTY, [NOTE_MISSED] = EVENT_MISSED,
    [NOTE_DELETED] = EVENT_SLOT_DELETED, [NOTE_LIMIT] = EVENT_LIMIT,   [NOTE_VANISHED] = EVENT_VANISHED,
};

/* One note; `n` more of its kind are about other volumes of the same schedule. */
static void say_note(const Recorder *r, const Note *note, size_t n)
{
    bool lasts = note->kind != NOTE_AVAILABLE && note->kind != NOTE_MISSED;
    const char *key = arena_printf(r->arena, "%snote\n%s\n%s\n%s", document_key(r, note->spec), note_name(note->kind),
                                   n ? "" : note->target, note->object && !n ? note->object : "");
    unsigned met = lasts ? fold_meet(r->fold, key, NULL, r->now) : 1;
    if (!met)
        return;
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    add_document(&f, note->spec, note->target, r->revision);
    if (note->object)
        add_field(&f, ENTRY_CREATED, note->object);
    add_slot(&f, note->slot);
    add_field(&f, ENTRY_REASON, note->text);
    const char *more = n ? arena_printf(r->arena, " (and so for %zu more of its volumes)", n) : "";
    event_log(r->log, note_events[note->kind], f.list.items, f.list.n, "%s: %s: %s%s%s",
              subject_of(r->arena, note->spec), note->target, note->text, more, times(r, met));
}

/* Those of one kind and one document stand together in a plan only by chance; many of them are one line. */
static void say_notes(const Recorder *r)
{
    const Plan *plan = r->result->plan;
    CLEANUP(freep) size_t *count = xcalloc(plan->specs->n * NOTE_MAX, sizeof(size_t));
    for (size_t i = 0; i < plan->notes.n; i++)
        count[plan->notes.items[i].spec->index * NOTE_MAX + plan->notes.items[i].kind]++;
    for (size_t i = 0; i < plan->notes.n; i++) {
        const Note *note = &plan->notes.items[i];
        size_t *n = &count[note->spec->index * NOTE_MAX + note->kind];
        if (*n > NAMES_SHOWN && note->kind != NOTE_AVAILABLE) {
            say_note(r, note, *n - 1);
            *n = 0;
        } else if (*n) {
            say_note(r, note, 0);
        }
    }
}

static void say_clock(const Recorder *r)
{
    const Account *account = r->result->slot->account;
    CLEANUP(freep) char *trouble = account ? account_clock_trouble(account) : NULL;
    if (!trouble)
        return;
    const char *text = arena_printf(r->arena, "this machine's clock, beside account %s", account_name(r));
    const Subject subject = {.text = text, .account = account_name(r)};
    unsigned met = fold_meet(r->fold, account_key(r, "clock"), &subject, r->now);
    if (!met)
        return;
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    add_field(&f, ENTRY_ACCOUNT, account_name(r));
    add_field(&f, ENTRY_REASON, trouble);
    event_log(r->log, EVENT_CLOCK, f.list.items, f.list.n, "account %s: %s%s", account_name(r), trouble, times(r, met));
}

/* The document that it was about; NULL: it has left the specs. */
static const Spec *declared(const Recorder *r, const Subject *subject)
{
    const Specs *specs = r->result->plan->specs;
    for (size_t i = 0; i < specs->n; i++) {
        const Spec *s = &specs->items[i];
        if (streq(s->name, subject->name) && streq(s->kind->name, subject->kind) && streq(s->account, subject->account))
            return s;
    }
    return NULL;
}

/* What is not met any more need not be well: nobody may be looking. */
static const char *passing(const Recorder *r, const Subject *subject)
{
    const Spec *spec = subject->kind ? declared(r, subject) : NULL;
    if (subject->kind && !spec)
        return "no longer declared, and not looked at any more";
    return spec && spec_is_suspended(spec, clock_wall()) ? "suspended, and not tried any more" : "well again";
}

static void say_passed(void *userdata, const Subject *subject)
{
    const Recorder *r = userdata;
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    add_field(&f, ENTRY_KIND, subject->kind);
    add_field(&f, ENTRY_NAME, subject->name);
    add_field(&f, ENTRY_ACCOUNT, subject->account);
    add_field(&f, ENTRY_TARGET, subject->target);
    add_field(&f, ENTRY_REVISION, r->revision);
    event_log(r->log, EVENT_RECOVERED, f.list.items, f.list.n, "%s: %s", subject->text, passing(r, subject));
}

/* What was the matter before with documents that could not be looked at may still be. What failed again will rest
 * again, which is nothing new. */
static void end_round(const Recorder *r)
{
    const Plan *plan = r->result->plan;
    for (size_t i = 0; i < plan->failures.n; i++)
        fold_keep(r->fold, document_key(r, plan->failures.items[i].spec));
    if (plan->failures.n) {
        fold_keep(r->fold, many_key(r, OUTCOME_HELD, HOLD_PAUSE));
        fold_keep(r->fold, many_key(r, OUTCOME_HELD, HOLD_UNCONVERGED));
    }
    fold_end_round(r->fold, arena_printf(r->arena, "%s\n", account_name(r)), say_passed, (void *)r);
}

void journal_account(const Log *log, Fold *fold, const AccountResult *result, bool stopped, usec_t now)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    Recorder r = {log, fold, result->plan->specs->revision, result, now, arena};
    say_clock(&r);
    say_failures(&r);
    if (stopped)
        return;
    say_changes(&r);
    say_notes(&r);
    end_round(&r);
}
