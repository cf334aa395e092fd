/* What `calendar` shows: slots to come, and of each volume what was made, is due, was missed, stays and goes; for
 * people (text) and for programs (JSON: the format of design section 6). */
#pragma once

#include "record/report.h"

typedef struct AgendaReport {
    const Specs *specs;       /* schedules alone */
    const Snapshot *snapshot; /* of them; NULL: nothing was looked at */
    usec_t now;               /* wall */
    unsigned iterations;      /* next slots of each */
} AgendaReport;

void agenda_text(const AgendaReport *agenda, const ReportStyle *style, Str *out);
/* With the errors of `report`. */
void agenda_json(const AgendaReport *agenda, const Report *report, Str *out);
