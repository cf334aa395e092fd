#include "config.h"

#include "record/status-private.h"

#include "data/json-write.h"
#include "desired/timetable.h"

#define SLOTS_AHEAD 10

static const char *const names[STATE_MAX] = {
    [STATE_IN_SYNC] = "InSync",  [STATE_SUSPENDED] = "Suspended",
    [STATE_PENDING] = "Pending", [STATE_DRIFTED] = "Drifted",
    [STATE_HELD] = "Held",       [STATE_NOT_CONVERGING] = "NotConverging",
    [STATE_FAILED] = "Failed",   [STATE_ACCESS_UNCERTAIN] = "AccessUncertain",
};

const char *object_state_name(ObjectState state)
{
    return names[state];
}

Status *status_new(void)
{
    return xcalloc(1, sizeof(Status));
}

static void told_free(Told *t)
{
    if (!t)
        return;
    VEC_DONE(&t->entries);
    VEC_DONE(&t->backups);
    map_free(t->by_key);
    arena_free(t->arena);
    free(t->name);
    free(t);
}

void status_free(Status *status)
{
    if (!status)
        return;
    for (size_t i = 0; i < status->accounts.n; i++)
        told_free(status->accounts.items[i]);
    VEC_DONE(&status->accounts);
    free(status);
}

/* --- what became of an account --- */

static Entry *entry_of(Told *t, const Spec *spec, const char *target)
{
    const char *key = arena_printf(t->arena, "%s/%s\n%s", spec->kind->name, spec->name, target ? target : "");
    Entry *e = map_get(t->by_key, key);
    if (e)
        return e;
    e = arena_calloc(t->arena, 1, sizeof(*e));
    *e = (Entry){
        .key = key,
        .kind = spec->kind->name,
        .name = arena_strdup(t->arena, spec->name),
        .target = arena_strdup(t->arena, target),
        .file = arena_strdup(t->arena, spec->file),
        .line = spec->mark.line,
    };
    map_put(t->by_key, key, e);
    *VEC_ADD(&t->entries) = e;
    return e;
}

static void worsen(Told *t, Entry *e, ObjectState state, const char *reason)
{
    if (state < e->state || (state == e->state && e->reason))
        return;
    e->state = state;
    e->reason = arena_strdup(t->arena, reason);
}

static ObjectState state_of_error(const Error *error)
{
    if (error->kind == ERROR_UNCONVERGED)
        return STATE_NOT_CONVERGING;
    return error->kind == ERROR_NOT_FOUND ? STATE_ACCESS_UNCERTAIN : STATE_FAILED;
}

static const char *suspended_text(Told *t, const Spec *spec)
{
    char until[RFC3339_SIZE];
    return arena_printf(t->arena, "until %s: %s", format_rfc3339(spec->suspended_until, until), spec->suspend_reason);
}

/* Slots of a calendar are not evenly apart: what counts is the longest wait. */
static usec_t longest_wait(const Timetable *timetable, usec_t now)
{
    usec_t before = now, slot, longest = 0;
    bool first = true;
    for (int i = 0; i <= SLOTS_AHEAD && calendar_next(timetable->calendar, timetable->zone, before, &slot); i++) {
        if (!first && slot - before > longest)
            longest = slot - before;
        first = false;
        before = slot;
    }
    return longest;
}

static void take_backups(Told *t, const Spec *spec, const Series *series, usec_t now)
{
    Backups b = {.schedule = arena_strdup(t->arena, spec->name), .volume = arena_strdup(t->arena, series->volume->id)};
    for (size_t i = 0; i < series->made.n; i++)
        if (series->made.items[i].state == BACKUP_GOOD && series->made.items[i].slot > b.last_good)
            b.last_good = series->made.items[i].slot;
    b.interval = longest_wait(spec->timetable, now);
    *VEC_ADD(&t->backups) = b;
}

static void take_seen(Told *t, const Spec *spec, const Observed *observed, usec_t now)
{
    bool suspended = spec_is_suspended(spec, now);
    if (observed->error) {
        const char *target = spec->target ? spec->target : spec->source;
        worsen(t, entry_of(t, spec, target), state_of_error(observed->error), observed->error->message);
    }
    for (size_t i = 0; i < observed->objects.n; i++) {
        Entry *e = entry_of(t, spec, observed->objects.items[i]->id);
        if (suspended)
            worsen(t, e, STATE_SUSPENDED, suspended_text(t, spec));
        e->suspended_until = suspended ? spec->suspended_until : 0;
    }
    for (size_t i = 0; i < observed->series.n; i++)
        take_backups(t, spec, observed->series.items[i], now);
}

static const ObjectState held_states[HOLD_MAX] = {
    [HOLD_NONE] = STATE_PENDING, [HOLD_STATE] = STATE_PENDING,
    [HOLD_MADE] = STATE_PENDING, [HOLD_UNSURE] = STATE_PENDING,
    [HOLD_BUSY] = STATE_PENDING, [HOLD_GROWTH] = STATE_HELD,
    [HOLD_CLOCK] = STATE_HELD,   [HOLD_PAUSE] = STATE_FAILED,
    [HOLD_LIMIT] = STATE_HELD,   [HOLD_UNCONVERGED] = STATE_NOT_CONVERGING,
    [HOLD_SAVED] = STATE_HELD,   [HOLD_STOPPED] = STATE_PENDING,
};

static void take_change(Told *t, const Change *c)
{
    Entry *e = c->is_hint ? NULL : entry_of(t, c->spec, c->target);
    if (!e)
        return;
    if (c->outcome == OUTCOME_OBSERVED)
        worsen(t, e, STATE_DRIFTED, "it differs, and is only observed");
    else if (c->outcome == OUTCOME_HELD)
        worsen(t, e, held_states[c->hold], c->reason);
    else if (c->outcome == OUTCOME_FAILED)
        worsen(t, e, c->hold == HOLD_UNCONVERGED ? held_states[c->hold] : STATE_FAILED, c->reason);
    if (c->next_try && (!e->next_try || c->next_try < e->next_try))
        e->next_try = c->next_try;
}

static void take_account(Told *t, const AccountResult *result, bool complete, usec_t now)
{
    const AccountSlot *slot = result->slot;
    const Error *trouble = account_slot_trouble(slot);
    bool silent = slot->account && http_client_is_silent(slot->account->client);
    t->state = trouble ? "refused" : silent ? "breakerOpen" : "ok";
    t->error = trouble ? arena_strdup(t->arena, trouble->message) : NULL;
    t->has_difference = slot->account && http_client_clock_difference(slot->account->client, &t->difference_usec);
    if (complete)
        t->complete_look = now;
}

/* A state that was there before holds since then. */
static void inherit(Told *t, const Told *before, usec_t now)
{
    for (size_t i = 0; i < t->entries.n; i++) {
        Entry *e = t->entries.items[i];
        const Entry *old = before ? map_get(before->by_key, e->key) : NULL;
        e->since = old && old->state == e->state ? old->since : now;
    }
    if (before && !t->complete_look)
        t->complete_look = before->complete_look;
}

static Told **place_of(Status *status, const char *account)
{
    for (size_t i = 0; i < status->accounts.n; i++)
        if (streq(status->accounts.items[i]->name, account))
            return &status->accounts.items[i];
    Told **place = VEC_ADD(&status->accounts);
    *place = NULL;
    return place;
}

/* That one object is not there takes nothing from the look at all the others. */
static bool is_complete(const Observed *observed)
{
    return !observed->error || observed->error->kind == ERROR_NOT_FOUND;
}

void status_take(Status *status, const AccountResult *result, const Specs *specs, const Snapshot *snapshot, usec_t now)
{
    const char *account = result->slot->config->name;
    Told *t = xcalloc(1, sizeof(*t)), **place = place_of(status, account), *before = *place;
    t->name = xstrdup(account);
    t->arena = arena_new();
    t->by_key = map_new();
    bool complete = true;
    for (size_t i = 0; i < specs->n; i++)
        if (streq(specs->items[i].account, account)) {
            take_seen(t, &specs->items[i], &snapshot->of[i], now);
            complete = complete && is_complete(&snapshot->of[i]);
        }
    for (size_t i = 0; i < result->plan->changes.n; i++)
        take_change(t, &result->plan->changes.items[i]);
    for (size_t i = 0; i < result->plan->failures.n; i++) {
        const Failure *f = &result->plan->failures.items[i];
        worsen(t, entry_of(t, f->spec, f->target), state_of_error(f->error), f->error->message);
    }
    take_account(t, result, complete, now);
    inherit(t, before, now);
    *place = t;
    told_free(before);
}

void status_keep(Status *status, const Specs *specs)
{
    size_t n = 0;
    for (size_t i = 0; i < status->accounts.n; i++) {
        Told *t = status->accounts.items[i];
        bool named = false;
        for (size_t k = 0; specs && k < specs->n && !named; k++)
            named = streq(specs->items[k].account, t->name);
        if (named)
            status->accounts.items[n++] = t;
        else
            told_free(t);
    }
    status->accounts.n = n;
}

void status_count(const Status *status, size_t counts[static STATE_MAX])
{
    memset(counts, 0, STATE_MAX * sizeof(counts[0]));
    for (size_t i = 0; i < status->accounts.n; i++)
        for (size_t k = 0; k < status->accounts.items[i]->entries.n; k++)
            counts[status->accounts.items[i]->entries.items[k]->state]++;
}

void status_summary(const Status *status, Str *out)
{
    size_t counts[STATE_MAX], n = 0;
    status_count(status, counts);
    for (ObjectState state = 0; state < STATE_MAX; state++)
        n += counts[state];
    str_addf(out, "%zu of %zu objects in sync", counts[STATE_IN_SYNC], n);
    for (ObjectState state = STATE_IN_SYNC + 1; state < STATE_MAX; state++)
        if (counts[state])
            str_addf(out, ", %zu %s", counts[state], names[state]);
}

/* --- status.json --- */

static void write_time(JsonWriter *w, const char *key, usec_t when)
{
    char text[RFC3339_SIZE];
    json_text(w, key, when ? format_rfc3339(when, text) : NULL);
}

static void write_account(JsonWriter *w, const Told *t)
{
    json_begin_object(w, NULL);
    json_text(w, "name", t->name);
    json_text(w, "state", t->state);
    json_text(w, "error", t->error);
    if (t->has_difference)
        json_integer(w, "clockDifferenceSeconds", t->difference_usec / (int64_t)USEC_PER_SEC);
    else
        json_text(w, "clockDifferenceSeconds", NULL);
    write_time(w, "lastCompleteLook", t->complete_look);
    json_end_object(w);
}

static void write_entry(JsonWriter *w, const Told *t, const Entry *e)
{
    json_begin_object(w, NULL);
    json_text(w, "kind", e->kind);
    json_text(w, "name", e->name);
    json_text(w, "account", t->name);
    json_text(w, "target", e->target);
    json_text(w, "state", names[e->state]);
    write_time(w, "since", e->since);
    json_text(w, "reason", e->reason);
    json_text(w, "file", e->file);
    json_integer(w, "line", e->line);
    write_time(w, "nextTry", e->next_try);
    json_end_object(w);
}

void status_json(const Status *status, const StatusHead *head, Str *out)
{
    JsonWriter w = {.out = out};
    json_begin_object(&w, NULL);
    write_time(&w, "time", head->now);
    json_text(&w, "revision", head->revision);
    json_text(&w, "mode", head->observe ? "observe" : "enforce");
    json_real(&w, "intervalSeconds", (double)head->interval / USEC_PER_SEC, 3);
    json_text(&w, "problem", head->problem);
    json_boolean(&w, "enforced", head->in_force);
    json_text(&w, "refusedConfiguration", head->refusal);
    json_begin_object(&w, "round");
    write_time(&w, "started", head->round_started);
    json_real(&w, "seconds", (double)head->round_took / USEC_PER_SEC, 3);
    json_integer(&w, "requests", (int64_t)head->round_requests);
    json_end_object(&w);
    json_begin_array(&w, "accounts");
    for (size_t i = 0; i < status->accounts.n; i++)
        write_account(&w, status->accounts.items[i]);
    json_end_array(&w);
    json_begin_array(&w, "objects");
    for (size_t i = 0; i < status->accounts.n; i++)
        for (size_t k = 0; k < status->accounts.items[i]->entries.n; k++)
            write_entry(&w, status->accounts.items[i], status->accounts.items[i]->entries.items[k]);
    json_end_array(&w);
    json_end_object(&w);
    str_addc(out, '\n');
}
