/* What a schedule has to do about one of its volumes: what is due, and what stays and goes. Pure. */
#pragma once

#include "desired/timetable.h"
#include "live/live.h"

typedef struct Agenda {
    Due due;
    KeepItem *items; /* what became of nothing and is deleted already is not among them */
    size_t n;
} Agenda;

/* Since when (wall) the schedule can be shown to have been in force: its file's modification time, or an earlier backup of any of its
 * volumes by this calendar. */
usec_t schedule_in_force(const Spec *spec, const Observed *observed, usec_t now);

/* `in_force` from schedule_in_force. Lives in `arena`. */
Agenda agenda_make(const Series *series, usec_t in_force, usec_t now, Arena *arena);
