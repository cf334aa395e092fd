/* Any bytes as a zone's file: what its clocks show never fails, and calendars hold in it. */
#include "config.h"

#include "schedule/calendar.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const Zone *zone, const Calendar *calendar)
{
    usec_t t = 1767225600 * USEC_PER_SEC, back;
    LocalTime local;
    zone_local(zone, UINT64_MAX, &local);
    for (int i = 0; i < 50; i++) {
        usec_t before = t;
        zone_local(zone, t, &local);
        if (strlen(local.abbreviation) > 255 || local.month < 1 || local.month > 12)
            abort();
        if (!calendar_next(calendar, zone, t, &t))
            return;
        if (t <= before || !calendar_has(calendar, zone, t))
            abort();
        if (i > 0 && (!calendar_previous(calendar, zone, t, &back) || back != before))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(zone_freep) Zone *zone = NULL;
    CLEANUP(calendar_freep) Calendar *hours = NULL, *months = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (zone_parse("fuzz", data, size, &zone, &err) < 0) {
        if (zone || !err || err->kind != ERROR_SPEC)
            abort();
        return 0;
    }
    if (err || calendar_parse("*:0/20", &hours, NULL) < 0 || calendar_parse("*-*~1 02:30", &months, NULL) < 0)
        abort();
    check(zone, hours);
    check(zone, months);
    return 0;
}
