#include "config.h"

#include "plan/memory.h"

#include <inttypes.h>

#include "base/map.h"
#include "base/str.h"
#include "data/json-write.h"

#define PATIENCE USEC_PER_MINUTE /* so long a change waits for others to leave the object in peace */
#define PAUSE_MAX (1 * USEC_PER_HOUR)

/* A list may lag behind a creation so long; the next one waits as long again. */
#define MADE_PAUSE (10 * USEC_PER_MINUTE)

/* So often in a row may the same write be answered with success and be gone at the next look. */
#define REPEATS_MAX 3

typedef struct Entry {
    char *key;
    unsigned failures; /* in a row */
    unsigned repeats;  /* of the same successful write, with no look in sync between */
    char *written;     /* what that write set */
    usec_t next_try;   /* monotonic; 0: at once */
    Hold hold;         /* why until then, */
    char *reason;      /* and in words */
    usec_t busy_since; /* monotonic: held since then because others are at work on the object; 0: it is not */
    bool made_before;  /* a creation: the cloud says that it is done */
    bool seen;         /* in the round that is being learnt */
    char *document;    /* its key in `matches` */
    char *account;
} Entry;

struct Memory {
    Map *entries;
    Map *matches; /* document → size_t */
    Arena *arena; /* of `matches` */
};

Memory *memory_new(void)
{
    Memory *m = xcalloc(1, sizeof(*m));
    m->entries = map_new();
    m->matches = map_new();
    m->arena = arena_new();
    return m;
}

static void entry_free(Entry *e)
{
    free(e->key);
    free(e->document);
    free(e->account);
    free(e->written);
    free(e->reason);
    free(e);
}

static void empty(Memory *m)
{
    size_t position = 0;
    for (Entry *e = map_next(m->entries, &position, NULL); e; e = map_next(m->entries, &position, NULL))
        entry_free(e);
    map_free(m->entries);
    map_free(m->matches);
    arena_free(m->arena);
}

void memory_free(Memory *m)
{
    if (!m)
        return;
    empty(m);
    free(m);
}

void memory_try_all(Memory *m)
{
    size_t position = 0;
    for (Entry *e = map_next(m->entries, &position, NULL); e; e = map_next(m->entries, &position, NULL))
        e->next_try = 0;
}

void memory_forget(Memory *m)
{
    empty(m);
    m->entries = map_new();
    m->matches = map_new();
    m->arena = arena_new();
}

static char *document_key(const Spec *spec)
{
    return xasprintf("%s/%s", spec->kind->name, spec->name);
}

/* A slot's backup cannot wait long: after catchUp it is not made any more. */
static bool is_slot(const Change *change)
{
    return change->series && change->action == ACTION_CREATE;
}

static char *object_key(const Change *change)
{
    const Spec *spec = change->spec;
    /* Slots of one volume, and attempts at one slot, are things of their own. */
    if (is_slot(change))
        return xasprintf("%s/%s/%s/%s/%" PRIu64 "/%u", spec->kind->name, spec->name, spec->account, change->target,
                         change->slot, change->attempt);
    return xasprintf("%s/%s/%s/%s", spec->kind->name, spec->name, spec->account, change->target);
}

static Entry *find(const Memory *m, const Change *change)
{
    CLEANUP(freep) char *key = object_key(change);
    return map_get(m->entries, key);
}

static Entry *find_or_add(Memory *m, const Change *change)
{
    Entry *e = find(m, change);
    if (e)
        return e;
    e = xcalloc(1, sizeof(*e));
    e->key = object_key(change);
    e->document = document_key(change->spec);
    e->account = xstrdup(change->spec->account);
    map_put(m->entries, e->key, e);
    return e;
}

Rest memory_rest(const Memory *m, const Change *change)
{
    const Entry *e = find(m, change);
    return e ? (Rest){.until = e->next_try, .hold = e->hold, .reason = e->reason} : (Rest){0};
}

bool memory_was_made(const Memory *m, const Change *change)
{
    const Entry *e = change->action == ACTION_CREATE ? find(m, change) : NULL;
    return e && e->made_before;
}

bool memory_is_out_of_patience(const Memory *m, const Change *change, usec_t now)
{
    const Entry *e = find(m, change);
    return e && e->busy_since && now - e->busy_since >= PATIENCE;
}

bool memory_matches(const Memory *m, const Spec *spec, size_t *ret)
{
    CLEANUP(freep) char *key = document_key(spec);
    const size_t *n = map_get(m->matches, key);
    if (n)
        *ret = *n;
    return n != NULL;
}

static void pause_entry(Entry *e, unsigned times, usec_t now, usec_t interval, Hold hold, const char *reason)
{
    usec_t pause = interval;
    for (unsigned i = 1; i < times && pause < PAUSE_MAX; i++)
        pause *= 2;
    e->next_try = now + (pause < PAUSE_MAX || pause == interval ? pause : PAUSE_MAX);
    e->hold = hold;
    free(e->reason);
    e->reason = xstrdup(reason);
}

static char *written_by(const Change *change)
{
    Str text = {0};
    for (size_t i = 0; i < change->deltas.n; i++) {
        const Delta *d = &change->deltas.items[i];
        str_addf(&text, "%s=", d->path);
        /* A mark's time is another one each time. */
        if (change->series && d->to)
            str_addc(&text, '*');
        else
            json_write_node(&text, d->to);
        str_addc(&text, '\n');
    }
    return str_take(&text);
}

static void learn_done(Entry *e, const Change *change, usec_t now, usec_t interval)
{
    CLEANUP(freep) char *written = written_by(change);
    e->failures = 0;
    e->made_before = change->made_before;
    e->repeats = streq_null(e->written, written) ? e->repeats + 1 : 1;
    free(e->written);
    e->written = TAKE(written);
    if (change->action == ACTION_CREATE)
        pause_entry(e, e->repeats, now, MADE_PAUSE, HOLD_MADE, "it was made a moment ago, and no list shows it yet");
    else if (e->repeats >= REPEATS_MAX)
        pause_entry(
            e, e->repeats - REPEATS_MAX + 2, now, interval, HOLD_UNCONVERGED,
            "not converging: the same change was made several times, and each time the next look found it undone");
    else
        e->next_try = 0;
}

static void learn_failed(Entry *e, const Change *change, usec_t now, usec_t interval)
{
    const char *reason = change->reason ? change->reason : "it failed";
    Hold hold = change->hold == HOLD_UNCONVERGED ? HOLD_UNCONVERGED : HOLD_PAUSE;
    if (is_slot(change))
        pause_entry(e, 1, now, interval < SLOT_RETRY ? interval : SLOT_RETRY, hold, reason);
    else
        pause_entry(e, ++e->failures, now, interval, hold, reason);
}

static void learn_change(Memory *m, const Change *change, usec_t now, usec_t interval)
{
    if (change->outcome == OUTCOME_PLANNED || change->outcome == OUTCOME_OBSERVED)
        return;
    bool busy = change->outcome == OUTCOME_HELD && change->hold == HOLD_BUSY;
    Entry *e = change->outcome == OUTCOME_HELD && !busy ? find(m, change) : find_or_add(m, change);
    if (!e)
        return;
    e->seen = true;
    e->busy_since = !busy ? 0 : e->busy_since ? e->busy_since : now;
    if (change->outcome == OUTCOME_DONE)
        learn_done(e, change, now, interval);
    else if (change->outcome == OUTCOME_FAILED)
        learn_failed(e, change, now, interval);
}

/* What did not come up is in sync, or no longer declared; but not if its document could not be looked at. */
static void forget_unseen(Memory *m, const Map *failed, const char *account)
{
    VEC(Entry *) gone = {0};
    size_t position = 0;
    for (Entry *e = map_next(m->entries, &position, NULL); e; e = map_next(m->entries, &position, NULL)) {
        if (!streq(e->account, account))
            continue;
        if (!e->seen && !map_get(failed, e->document))
            *VEC_ADD(&gone) = e;
        e->seen = false;
    }
    for (size_t i = 0; i < gone.n; i++) {
        map_remove(m->entries, gone.items[i]->key);
        entry_free(gone.items[i]);
    }
    VEC_DONE(&gone);
}

static void learn_matches(Memory *m, const Plan *plan, const Snapshot *snapshot, const char *account)
{
    CLEANUP(freep) bool *held = xcalloc(plan->specs->n, sizeof(bool));
    for (size_t i = 0; i < plan->changes.n; i++)
        if (plan->changes.items[i].hold == HOLD_GROWTH)
            held[plan->changes.items[i].spec->index] = true;
    for (size_t i = 0; i < plan->specs->n; i++) {
        const Spec *spec = &plan->specs->items[i];
        if (!spec->selector || !streq(spec->account, account) || snapshot->of[i].error || held[i])
            continue;
        CLEANUP(freep) char *key = document_key(spec);
        size_t *count = map_get(m->matches, key);
        if (!count) {
            count = arena_alloc(m->arena, sizeof(*count));
            map_put(m->matches, arena_strdup(m->arena, key), count);
        }
        *count = snapshot->of[i].objects.n;
    }
}

void memory_learn(Memory *m, const Plan *plan, const Snapshot *snapshot, const char *account, usec_t now,
                  usec_t interval)
{
    CLEANUP(map_freep) Map *failed = map_new();
    CLEANUP(arena_freep) Arena *scratch = arena_new();
    for (size_t i = 0; i < plan->changes.n; i++)
        learn_change(m, &plan->changes.items[i], now, interval);
    for (size_t i = 0; i < plan->failures.n; i++) {
        CLEANUP(freep) char *key = document_key(plan->failures.items[i].spec);
        map_put(failed, arena_strdup(scratch, key), m);
    }
    forget_unseen(m, failed, account);
    learn_matches(m, plan, snapshot, account);
}
