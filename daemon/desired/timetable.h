/* The part of a schedule's document that says when backups are made and how long they stay, ready for use. */
#pragma once

#include "data/problem.h"
#include "desired/spec.h"
#include "schedule/calendar.h"
#include "schedule/keep.h"

typedef struct Timetable {
    Calendar *calendar;
    const Zone *zone;
    usec_t delay, catch_up;
    const char *display_name; /* template; NULL: none is declared */
    bool keeps;               /* is `keep` declared? */
    KeepRule keep;            /* without settled_before, which depends on now */
    bool prune;
    usec_t written; /* wall: when its file was changed last */
} Timetable;

/* Tells what no single row can: onCalendar or cron, a zone that exists, a keep that keeps. `want` is as it was written,
 * with whatever else is wrong in it. */
void timetable_check(const Node *want, const char *file, Zones *zones, Problems *problems);
/* From a checked and typed `want`; NULL where timetable_check had something to say. Lives in `arena` (and `zones`), but
 * for what timetable_done frees. */
const Timetable *timetable_new(const Node *want, usec_t written, Zones *zones, Arena *arena);
void timetable_done(const Timetable *timetable);
