/* What a schedule has to do about one of its volumes: what is due, and what stays and goes. Pure. */
#pragma once

#include "desired/timetable.h"
#include "live/live.h"

typedef struct Agenda {
    Due due;
    KeepItem *items; /* without what is deleted already */
    size_t n;
    const KeepItem *newest; /* the newest good one, without which nothing is deleted; NULL: there is none */
    bool rests;             /* suspended, or the volume is gone or bears our tags: nothing is due and nothing goes */
} Agenda;

/* Since when (wall) the schedule can be shown to have been in force: its file's modification time, or an earlier backup
 * of any of its volumes by this calendar. */
usec_t schedule_in_force(const Spec *spec, const Observed *observed, usec_t now);

/* The tag of ours that a volume itself bears, or NULL. Its backups would copy it, and be taken for what they are not:
 * nothing is made of it, and nothing deleted. */
const char *volume_own_tag(const Live *volume);

/* `in_force` from schedule_in_force. Lives in `arena`. */
Agenda agenda_make(const Series *series, usec_t in_force, usec_t now, Arena *arena);
