#include "config.h"

#include "schedule/keep.h"

#include "base/str.h"

static const char *const class_names[KEEP_CLASS_MAX] = {
    [KEEP_LAST] = "last",     [KEEP_HOURLY] = "hourly",   [KEEP_DAILY] = "daily",
    [KEEP_WEEKLY] = "weekly", [KEEP_MONTHLY] = "monthly", [KEEP_YEARLY] = "yearly",
};

const char *keep_class_name(KeepClass class)
{
    return class_names[class];
}

/* An item, and the place that it has in each class: 1 is the newest, 0 none. */
typedef struct Entry {
    KeepItem *item;
    bool fills; /* good, and no later than now: what places are given to */
    LocalTime local;
    unsigned place[KEEP_CLASS_MAX];
} Entry;

/* What the decision on one item depends on besides itself. */
typedef struct Scene {
    const KeepRule *rule;
    usec_t now;
    const Entry *newest; /* the newest one that fills a place, or NULL */
} Scene;

static bool is_good(const KeepItem *item, usec_t now)
{
    return item->state == BACKUP_GOOD && item->slot <= now;
}

/* From the newest to the oldest; ids decide where slots are equal, so that the order of the input never does. */
static int by_age(const void *a, const void *b)
{
    const KeepItem *x = ((const Entry *)a)->item, *y = ((const Entry *)b)->item;
    if (x->slot != y->slot)
        return x->slot > y->slot ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* A number that two instants share when one period of the class holds both. */
static int64_t period_of(KeepClass class, const LocalTime *t)
{
    int64_t days = days_from_date(t->year, t->month, t->day);
    switch (class) {
    case KEEP_HOURLY:
        return days * 24 + t->hour;
    case KEEP_DAILY:
        return days;
    case KEEP_WEEKLY:
        return (days + 10) / 7; /* ISO weeks begin on Mondays, 1970-01-01 was a Thursday; below 0, / would round up */
    case KEEP_MONTHLY:
        return (int64_t)t->year * 12 + t->month;
    default:
        return t->year;
    }
}

/* From the end, where it nearly always is: only clocks that are set back show a period again after another one. */
static bool is_taken(const int64_t *periods, unsigned n, int64_t period)
{
    while (n > 0)
        if (periods[--n] == period)
            return true;
    return false;
}

/* Gives the places of one class to `entries`, which are sorted. `periods` has room for n. */
static void fill_class(KeepClass class, unsigned count, Entry *entries, size_t n, int64_t *periods)
{
    unsigned filled = 0;
    for (size_t i = 0; i < n && filled < count; i++) {
        Entry *entry = &entries[i];
        if (!entry->fills)
            continue;
        int64_t period = class == KEEP_LAST ? (int64_t)i : period_of(class, &entry->local);
        if (is_taken(periods, filled, period))
            continue;
        periods[filled++] = period;
        entry->place[class] = filled;
    }
}

static void fill_places(const KeepRule *rule, Entry *entries, size_t n)
{
    CLEANUP(freep) int64_t *periods = xcalloc(n, sizeof(*periods));
    for (size_t i = 0; i < n; i++)
        if (entries[i].fills)
            zone_local(rule->zone, entries[i].item->slot, &entries[i].local);
    for (KeepClass class = 0; class < KEEP_CLASS_MAX; class ++)
        fill_class(class, rule->count[class], entries, n, periods);
}

static bool has_place(const Entry *entry)
{
    for (KeepClass class = 0; class < KEEP_CLASS_MAX; class ++)
        if (entry->place[class])
            return true;
    return false;
}

/* Is its slot settled, and a good one there? Until then the next attempt's number is counted from it. */
static bool is_useless(const Scene *scene, const KeepItem *item)
{
    return item->slot < scene->rule->settled_before && scene->newest && scene->newest->item->slot >= item->slot;
}

static bool stays(const Scene *scene, const Entry *entry)
{
    const KeepItem *item = entry->item;
    if (!scene->rule || item->mark == PRUNE_MARK_NEVER || item->mark == PRUNE_MARK_UNREADABLE)
        return true;
    if (item->slot > scene->now || item->state == BACKUP_GONE)
        return true;
    if (item->state == BACKUP_GOOD)
        return entry == scene->newest || has_place(entry);
    return item->state != BACKUP_FAULTY || !is_useless(scene, item);
}

static void add_reason(Str *out, const char *reason)
{
    if (out->len)
        str_add(out, ", ");
    str_add(out, reason);
}

static void add_places(Str *out, const KeepRule *rule, const Entry *entry)
{
    for (KeepClass class = 0; class < KEEP_CLASS_MAX; class ++)
        if (entry->place[class]) {
            add_reason(out, class_names[class]);
            str_addf(out, " %u/%u", entry->place[class], rule->count[class]);
        }
}

/* Of a good one that a person's hand alone keeps nothing more is to be said. */
static void add_good(Str *out, const Scene *scene, const Entry *entry)
{
    if (!scene->rule) {
        add_reason(out, "no keep is declared");
        return;
    }
    if (entry == scene->newest)
        add_reason(out, "newest good");
    add_places(out, scene->rule, entry);
    if (!out->len)
        add_reason(out, "expired");
}

static const char *explain(const Scene *scene, const Entry *entry, Arena *arena)
{
    CLEANUP(str_done) Str out = {0};
    const KeepItem *item = entry->item;
    if (item->mark == PRUNE_MARK_NEVER)
        add_reason(&out, "kept by hand");
    if (item->mark == PRUNE_MARK_UNREADABLE)
        add_reason(&out, "mark cannot be read");
    if (item->state == BACKUP_UNSURE)
        add_reason(&out, "changed while it was read");
    else if (item->slot > scene->now)
        add_reason(&out, "in the future");
    else if (item->state == BACKUP_UNFINISHED)
        add_reason(&out, "unfinished");
    else if (item->state == BACKUP_FAULTY)
        add_reason(&out, "faulty");
    else if (item->state == BACKUP_GONE)
        add_reason(&out, "deleted");
    else
        add_good(&out, scene, entry);
    return arena_strndup(arena, str_get(&out), out.len);
}

static KeepStep step_of(const KeepItem *item, usec_t now)
{
    if (item->keep) {
        /* What is unfinished or unsure cannot be written yet. */
        bool writable = item->state == BACKUP_GOOD || item->state == BACKUP_FAULTY;
        return item->mark == PRUNE_MARK_AT && writable ? KEEP_STEP_UNMARK : KEEP_STEP_NONE;
    }
    if (item->mark != PRUNE_MARK_AT)
        return KEEP_STEP_MARK;
    return now < item->prune_after ? KEEP_STEP_WAIT : KEEP_STEP_DELETE;
}

/* The last lock, which looks for itself, and which no build leaves out: a mistake above ends the program, and not the
 * last good backup. */
static void check_newest_stays(const KeepItem *items, size_t n, usec_t now)
{
    const KeepItem *newest = NULL;
    for (size_t i = 0; i < n; i++)
        if (is_good(&items[i], now) && (!newest || items[i].slot > newest->slot ||
                                        (items[i].slot == newest->slot && strcmp(items[i].id, newest->id) < 0)))
            newest = &items[i];
    if (newest && (!newest->keep || newest->step == KEEP_STEP_MARK || newest->step == KEEP_STEP_DELETE))
        abort();
}

const KeepItem *keep_decide(const KeepRule *rule, usec_t now, KeepItem *items, size_t n, Arena *arena)
{
    if (n == 0)
        return NULL;
    CLEANUP(freep) Entry *entries = xcalloc(n, sizeof(*entries));
    Scene scene = {.rule = rule, .now = now};
    for (size_t i = 0; i < n; i++)
        entries[i] = (Entry){.item = &items[i], .fills = is_good(&items[i], now)};
    qsort(entries, n, sizeof(*entries), by_age);
    for (size_t i = 0; i < n && !scene.newest; i++)
        if (entries[i].fills)
            scene.newest = &entries[i];
    if (rule)
        fill_places(rule, entries, n);
    for (size_t i = 0; i < n; i++) {
        KeepItem *item = entries[i].item;
        item->keep = stays(&scene, &entries[i]);
        item->reasons = explain(&scene, &entries[i], arena);
        item->step = step_of(item, now);
    }
    check_newest_stays(items, n, now);
    return scene.newest ? scene.newest->item : NULL;
}
