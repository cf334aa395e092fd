#include "config.h"

#include "record/journal.h"

#include "base/map.h"
#include "base/str.h"
#include "data/json-write.h"

#define NAMES_SHOWN 3

/* The fields of one entry, whose texts live in an arena. */
typedef struct Fields {
    VEC(LogField) list;
    Arena *arena;
} Fields;

static void add_field(Fields *f, const char *name, const char *value)
{
    *VEC_ADD(&f->list) = (LogField){name, value};
}

static const char *value_text(Arena *arena, const Node *value)
{
    CLEANUP(str_done) Str text = {0};
    json_write_node(&text, value);
    return arena_strdup(arena, str_get(&text));
}

static void add_document(Fields *f, const Spec *spec, const char *target, const char *revision)
{
    add_field(f, "IMAGEKEEPER_KIND", spec->kind->name);
    add_field(f, "IMAGEKEEPER_NAME", spec->name);
    add_field(f, "IMAGEKEEPER_ACCOUNT", spec->account);
    add_field(f, "IMAGEKEEPER_TARGET", target);
    add_field(f, "IMAGEKEEPER_SPEC", arena_printf(f->arena, "%s:%u", spec->file, spec->mark.line));
    add_field(f, "IMAGEKEEPER_REVISION", revision);
}

static void add_deltas(Fields *f, const Deltas *deltas)
{
    for (size_t i = 0; i < deltas->n; i++) {
        add_field(f, "IMAGEKEEPER_ATTRIBUTE", deltas->items[i].path);
        add_field(f, "IMAGEKEEPER_FROM", value_text(f->arena, deltas->items[i].from));
        add_field(f, "IMAGEKEEPER_TO", value_text(f->arena, deltas->items[i].to));
    }
}

static void add_error(Fields *f, const Error *e)
{
    add_field(f, "IMAGEKEEPER_OPC_REQUEST_ID", e->request_id);
    if (e->status)
        add_field(f, "IMAGEKEEPER_HTTP_STATUS", arena_printf(f->arena, "%d", e->status));
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
        str_addf(&text, "%s%s: ", i ? ", " : "", d->path);
        json_write_node(&text, d->from);
        str_add(&text, " -> ");
        json_write_node(&text, d->to);
    }
    return str_take(&text);
}

void journal_change(const Log *log, const Op *op, const char *revision)
{
    const Change *c = op_change(op);
    if (c->outcome != OUTCOME_DONE || !op_wrote(op))
        return;
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    CLEANUP(freep) char *what = deltas_text(&c->deltas);
    add_document(&f, c->spec, c->live->id, revision);
    add_field(&f, "IMAGEKEEPER_ACTION", action_name(c->action));
    add_field(&f, "IMAGEKEEPER_OPC_REQUEST_ID", op_request_id(op));
    add_field(&f, "IMAGEKEEPER_RETRY_TOKEN", op_retry_token(op));
    add_deltas(&f, &c->deltas);
    event_log(log, EVENT_UPDATED, f.list.items, f.list.n, "%s %s (%s): updated %s: %s", c->spec->kind->name, c->spec->name,
              c->spec->account, c->live->id, what);
}

typedef struct Recorder {
    const Log *log;
    Fold *fold;
    const char *revision;
    const AccountResult *result;
    usec_t now;
} Recorder;

static const char *account_name(const Recorder *r)
{
    return r->result->slot->config->name;
}

static const char *times(Arena *arena, unsigned met)
{
    return met > 1 ? arena_printf(arena, " (met %u times since this was last said)", met) : "";
}

static Event failure_event(const Error *e)
{
    if (e->kind == ERROR_NOT_FOUND)
        return EVENT_ACCESS_UNCERTAIN;
    return e->code && streq(e->code, "NotConverging") ? EVENT_NOT_CONVERGING : EVENT_FAILED;
}

static void say_failure(const Recorder *r, const Failure *failure)
{
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    const Spec *s = failure->spec;
    const Error *e = failure->error;
    /* The number of a request changes with every try, and the time tried; the condition does not. */
    const char *key = arena_printf(f.arena, "%s\nfailure\n%s\n%s\n%s\n%d%s", account_name(r), s->kind->name, s->name,
                                   failure->target ? failure->target : "", e->kind, e->code ? e->code : "");
    const char *subject = arena_printf(f.arena, "%s %s (%s)", s->kind->name, s->name, account_name(r));
    unsigned met = fold_meet(r->fold, key, subject, r->now);
    if (!met)
        return;
    add_document(&f, s, failure->target, r->revision);
    add_error(&f, e);
    const char *status = e->status >= 300 ? arena_printf(f.arena, "%d ", e->status) : "";
    event_log(r->log, failure_event(e), f.list.items, f.list.n, "%s: %s%s%s%s%s%s%s%s, declared at %s:%u%s", subject,
              failure->target ? failure->target : "", failure->target ? ": " : "", status, e->code ? e->code : "",
              e->code ? ": " : "", e->message, e->request_id ? ", opc-request-id " : "", e->request_id ? e->request_id : "",
              s->file, s->mark.line, times(f.arena, met));
}

/* Failures with the same words are one condition of the account. */
typedef struct Group {
    const char *message;
    VEC(const Failure *) failures;
} Group;

static void say_group(const Recorder *r, const Group *g)
{
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    const Error *e = g->failures.items[0]->error;
    const char *key = arena_printf(f.arena, "%s\ngroup\n%d%s", account_name(r), e->kind, e->code ? e->code : "");
    const char *subject = arena_printf(f.arena, "account %s", account_name(r));
    unsigned met = fold_meet(r->fold, key, subject, r->now);
    if (!met)
        return;
    CLEANUP(str_done) Str names = {0};
    for (size_t i = 0; i < g->failures.n && i < NAMES_SHOWN; i++)
        str_addf(&names, "%s%s", i ? ", " : "", g->failures.items[i]->spec->name);
    add_field(&f, "IMAGEKEEPER_ACCOUNT", account_name(r));
    add_field(&f, "IMAGEKEEPER_REVISION", r->revision);
    add_error(&f, e);
    event_log(r->log, EVENT_ACCOUNT_FAILED, f.list.items, f.list.n, "account %s: %zu documents (%s%s): %s%s%s%s",
              account_name(r), g->failures.n, str_get(&names), g->failures.n > NAMES_SHOWN ? ", …" : "",
              e->code ? e->code : "", e->code ? ": " : "", e->message, times(f.arena, met));
}

static void say_failures(const Recorder *r)
{
    const Plan *plan = r->result->plan;
    CLEANUP(map_freep) Map *by_message = map_new();
    VEC(Group *) groups = {0};
    for (size_t i = 0; i < plan->failures.n; i++) {
        const char *message = plan->failures.items[i].error->message;
        Group *g = map_get(by_message, message);
        if (!g) {
            g = xcalloc(1, sizeof(*g));
            g->message = message;
            map_put(by_message, message, g);
            *VEC_ADD(&groups) = g;
        }
        *VEC_ADD(&g->failures) = &plan->failures.items[i];
    }
    for (size_t i = 0; i < groups.n; i++) {
        if (groups.items[i]->failures.n > 1)
            say_group(r, groups.items[i]);
        else
            say_failure(r, groups.items[i]->failures.items[0]);
        VEC_DONE(&groups.items[i]->failures);
        free(groups.items[i]);
    }
    VEC_DONE(&groups);
}

/* Held, or only observed. */
static void say_change(const Recorder *r, const Change *c)
{
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    bool held = c->outcome == OUTCOME_HELD;
    const char *subject = arena_printf(f.arena, "%s %s (%s): %s", c->spec->kind->name, c->spec->name, c->spec->account, c->live->id);
    CLEANUP(freep) char *what = deltas_text(&c->deltas);
    const char *key = arena_printf(f.arena, "%s\n%s\n%s\n%s", account_name(r), outcome_name(c->outcome), subject, what);
    unsigned met = fold_meet(r->fold, key, NULL, r->now);
    if (!met)
        return;
    add_document(&f, c->spec, c->live->id, r->revision);
    add_field(&f, "IMAGEKEEPER_ACTION", action_name(c->action));
    add_deltas(&f, &c->deltas);
    event_log(r->log, held ? EVENT_HELD : EVENT_DRIFT, f.list.items, f.list.n, "%s: %s%s%s: %s%s", subject,
              held ? "held" : "differs", c->reason ? ": " : "", c->reason ? c->reason : "", what, times(f.arena, met));
}

static void say_avalanche(const Recorder *r, const Change *c, size_t n)
{
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    const char *key = arena_printf(f.arena, "%s\navalanche", account_name(r));
    unsigned met = fold_meet(r->fold, key, NULL, r->now);
    if (!met)
        return;
    add_field(&f, "IMAGEKEEPER_ACCOUNT", account_name(r));
    add_field(&f, "IMAGEKEEPER_REVISION", r->revision);
    event_log(r->log, EVENT_HELD, f.list.items, f.list.n, "account %s: %zu changes held: %s%s", account_name(r), n, c->reason,
              times(f.arena, met));
}

/* What is held for one and the same reason is said once for all. */
static void say_changes(const Recorder *r)
{
    const Plan *plan = r->result->plan;
    CLEANUP(map_freep) Map *by_reason = map_new();
    for (size_t i = 0; i < plan->changes.n; i++) {
        const Change *c = &plan->changes.items[i];
        if (c->outcome == OUTCOME_HELD && c->reason) {
            size_t *n = map_get(by_reason, c->reason);
            if (!n) {
                n = xcalloc(1, sizeof(*n));
                map_put(by_reason, c->reason, n);
            }
            ++*n;
        }
    }
    for (size_t i = 0; i < plan->changes.n; i++) {
        const Change *c = &plan->changes.items[i];
        size_t *n = c->outcome == OUTCOME_HELD && c->reason ? map_get(by_reason, c->reason) : NULL;
        if (n && *n > NAMES_SHOWN)
            say_avalanche(r, c, *n);
        else if (c->outcome == OUTCOME_HELD || c->outcome == OUTCOME_OBSERVED)
            say_change(r, c);
    }
    size_t position = 0;
    for (size_t *n = map_next(by_reason, &position, NULL); n; n = map_next(by_reason, &position, NULL))
        free(n);
}

static void say_clock(const Recorder *r)
{
    const Account *account = r->result->slot->account;
    CLEANUP(freep) char *trouble = account ? account_clock_trouble(account) : NULL;
    if (!trouble)
        return;
    CLEANUP(fields_done) Fields f = {.arena = arena_new()};
    unsigned met = fold_meet(r->fold, arena_printf(f.arena, "%s\nclock", account_name(r)),
                             arena_printf(f.arena, "this machine's clock, beside account %s", account_name(r)), r->now);
    if (!met)
        return;
    add_field(&f, "IMAGEKEEPER_ACCOUNT", account_name(r));
    event_log(r->log, EVENT_CLOCK, f.list.items, f.list.n, "account %s: %s%s", account_name(r), trouble, times(f.arena, met));
}

static void say_passed(void *userdata, const char *subject)
{
    const Log *log = userdata;
    event_log(log, EVENT_RECOVERED, NULL, 0, "%s: well again", subject);
}

void journal_round(const Log *log, Fold *fold, const Specs *specs, const AccountResult *results, size_t n, usec_t now)
{
    Arena *arena = arena_new();
    const char **blind = arena_calloc(arena, n + 1, sizeof(char *));
    size_t n_blind = 0;
    for (size_t i = 0; i < n; i++) {
        Recorder r = {log, fold, specs->revision, &results[i], now};
        say_clock(&r);
        say_failures(&r);
        say_changes(&r);
        /* What was the matter before may still be, where not everything could be looked at. */
        if (results[i].plan->failures.n > 0)
            blind[n_blind++] = arena_printf(arena, "%s\n", account_name(&r));
    }
    fold_end_round(fold, blind, say_passed, (void *)log);
    arena_free(arena);
}
