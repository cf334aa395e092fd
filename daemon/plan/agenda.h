/* What a schedule has to do about one of its volumes: what is due, and what stays and goes. Pure. */
#pragma once

#include "desired/timetable.h"
#include "live/live.h"

typedef struct Agenda {
    Due due;
    KeepItem *items; /* without what is deleted already */
    size_t n;
    const KeepItem *newest; /* the newest good one, without which nothing is deleted; NULL: there is none */
    bool rests;      /* suspended, or the volume is gone: nothing is due and nothing goes */
} Agenda;

/* Since when (wall) the schedule can be shown to have been in force: its file's modification time, or an earlier backup of any of its
 * volumes by this calendar. */
usec_t schedule_in_force(const Spec *spec, const Observed *observed, usec_t now);

/* `in_force` from schedule_in_force. Lives in `arena`. */
Agenda agenda_make(const Series *series, usec_t in_force, usec_t now, Arena *arena);
