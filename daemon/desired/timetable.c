#include "config.h"

#include "desired/timetable.h"

#include "base/str.h"
#include "desired/zone-file.h"

#define CATCH_UP_DEFAULT (12 * USEC_PER_HOUR)
#define GRACE_DEFAULT (24 * USEC_PER_HOUR)

static const Zone *get_zone(Zones *zones, const char *name, Error **err)
{
    if (streq(name, "UTC"))
        return zone_utc();
    for (size_t i = 0; i < zones->n; i++)
        if (streq(zone_name(zones->items[i]), name))
            return zones->items[i];
    Zone *zone;
    if (zone_load(name, &zone, err) < 0)
        return NULL;
    *VEC_ADD(zones) = zone;
    return zone;
}

static const NodeEntry *text_entry(const Node *want, const char *name)
{
    const NodeEntry *e = node_entry(want, name);
    return e && e->value->type == NODE_STRING && *e->value->text && !scalar_is_null(e->value) ? e : NULL;
}

static Calendar *parse(const Node *want)
{
    Calendar *calendar = NULL;
    const NodeEntry *e = text_entry(want, "onCalendar");
    if (e)
        calendar_parse(e->value->text, &calendar, NULL);
    else if ((e = text_entry(want, "cron")))
        calendar_parse_cron(e->value->text, &calendar, NULL);
    return calendar;
}

static void complain(Problems *problems, const char *file, const NodeEntry *e, const char *text)
{
    problem_add(problems, PROBLEM_ERROR, file, e->value->mark, "%s: %s", e->key, text);
}

static void check_zone(const Node *want, const char *file, Zones *zones, Problems *problems)
{
    CLEANUP(calendar_freep) Calendar *calendar = parse(want);
    CLEANUP(error_freep) Error *err = NULL;
    const NodeEntry *named = text_entry(want, "timeZone"), *when = text_entry(want, "onCalendar");
    const char *suffix = calendar ? calendar_zone(calendar) : NULL;
    if (named && suffix && !streq(suffix, named->value->text))
        problem_add(problems, PROBLEM_ERROR, file, named->value->mark,
                    "timeZone is %s, and onCalendar says %s: leave one of them out", named->value->text, suffix);
    if (named && !get_zone(zones, named->value->text, &err))
        complain(problems, file, named, err->message);
    else if (suffix && !get_zone(zones, suffix, &err))
        complain(problems, file, when, err->message);
}

static bool keeps_something(const Node *keep)
{
    for (uint32_t i = 0; keep->type == NODE_MAP && i < keep->n; i++) {
        const Node *count = keep->entries[i].value;
        if (count->type != NODE_STRING || strpbrk(count->text, "123456789"))
            return true;
    }
    return keep->type != NODE_MAP;
}

void timetable_check(const Node *want, const char *file, Zones *zones, Problems *problems)
{
    const NodeEntry *calendar = node_entry(want, "onCalendar"), *cron = node_entry(want, "cron");
    const NodeEntry *keep = node_entry(want, "keep"), *prune = node_entry(want, "prune");
    if (!calendar && !cron)
        problem_add(problems, PROBLEM_ERROR, file, want->mark,
                    "a schedule needs onCalendar, or cron: when backups are made");
    if (calendar && cron)
        problem_add(problems, PROBLEM_ERROR, file, cron->mark,
                    "onCalendar and cron cannot stand together: keep one of them");
    check_zone(want, file, zones, problems);
    if (keep && !keeps_something(keep->value))
        problem_add(problems, PROBLEM_ERROR, file, keep->mark,
                    "keep keeps nothing: at least one of its counts must be above 0");
    if (prune && !keep && prune->value->type == NODE_STRING && streq(prune->value->text, "true"))
        problem_add(problems, PROBLEM_ERROR, file, prune->mark, "prune needs keep: which backups stay");
}

static usec_t duration(const Node *want, const char *name, usec_t otherwise)
{
    const Node *n = node_get(want, name);
    return n ? (usec_t)n->integer : otherwise;
}

static KeepRule read_keep(const Node *want, const Zone *zone)
{
    KeepRule rule = {.zone = zone, .grace = duration(want, "grace", GRACE_DEFAULT)};
    const Node *keep = node_get(want, "keep");
    for (KeepClass class = 0; class < KEEP_CLASS_MAX; class ++) {
        const Node *count = node_get(keep, keep_class_name(class));
        rule.count[class] = count ? (unsigned)count->integer : 0;
    }
    return rule;
}

const Timetable *timetable_new(const Node *want, usec_t written, Zones *zones, Arena *arena)
{
    Calendar *calendar = parse(want);
    const char *name = calendar ? calendar_zone(calendar) : NULL;
    if (!name)
        name = node_get_text(want, "timeZone");
    const Zone *zone = get_zone(zones, name ? name : "UTC", NULL);
    if (!calendar || !zone) {
        calendar_free(calendar);
        return NULL;
    }
    const Node *prune = node_get(want, "prune");
    Timetable *t = arena_alloc(arena, sizeof(*t));
    *t = (Timetable){
        .calendar = calendar,
        .zone = zone,
        .delay = duration(want, "randomizedDelay", 0),
        .catch_up = duration(want, "catchUp", CATCH_UP_DEFAULT),
        .display_name = node_get_text(want, "displayName"),
        .keeps = node_get(want, "keep") != NULL,
        .keep = read_keep(want, zone),
        .prune = prune && prune->boolean,
        .written = written,
    };
    return t;
}

void timetable_done(const Timetable *timetable)
{
    if (timetable)
        calendar_free(timetable->calendar);
}
