/* Any text as a calendar and as cron's fields: instants go up, come back the same way, and are had. */
#include "config.h"

#include "schedule/calendar.h"

#include <ctype.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const Calendar *calendar)
{
    usec_t first = 0, t, back;
    if (!calendar_next(calendar, zone_utc(), 1767225600 * USEC_PER_SEC, &first))
        return;
    t = first;
    for (int i = 0; i < 20; i++) {
        usec_t before = t;
        if (!calendar_has(calendar, zone_utc(), t))
            abort();
        if (!calendar_next(calendar, zone_utc(), t, &t))
            return;
        if (t <= before || !calendar_previous(calendar, zone_utc(), t, &back) || back != before)
            abort();
    }
}

static void try_one(int (*parse)(const char *, Calendar **, Error **), const char *text)
{
    CLEANUP(calendar_freep) Calendar *calendar = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (parse(text, &calendar, &err) == 0) {
        if (err)
            abort();
        check(calendar);
        return;
    }
    if (calendar || !err || err->kind != ERROR_SPEC)
        abort();
    for (const char *p = err->message; *p; p++)
        if (iscntrl((unsigned char)*p))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(freep) char *text = xstrndup((const char *)data, size);
    try_one(calendar_parse, text);
    try_one(calendar_parse_cron, text);
    return 0;
}
