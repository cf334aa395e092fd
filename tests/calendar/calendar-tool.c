/*
 * What the calendar code says, for the tests that ask others the same. Reads lines
 *     systemd|cron TAB ZONE TAB BASE TAB COUNT TAB EXPRESSION
 * and answers each with one: the next COUNT instants after BASE (the -COUNT before it when COUNT is negative), in
 * microseconds and separated by blanks, or "error: …". The expression's own zone, if it has one, counts.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/vec.h"
#include "desired/zone-file.h"
#include "schedule/calendar.h"

typedef VEC(Zone *) Zones;

static const Zone *find_zone(Zones *zones, const char *name, Error **err)
{
    Zone *zone = NULL;
    for (size_t i = 0; i < zones->n; i++)
        if (streq(zone_name(zones->items[i]), name))
            return zones->items[i];
    if (zone_load(name, &zone, err) == 0)
        *VEC_ADD(zones) = zone;
    return zone;
}

static void print_instants(const Calendar *calendar, const Zone *zone, usec_t t, long count)
{
    bool (*move)(const Calendar *, const Zone *, usec_t, usec_t *) = count < 0 ? calendar_previous : calendar_next;
    for (long i = 0; i < (count < 0 ? -count : count) && move(calendar, zone, t, &t); i++) {
        printf("%s%" PRIu64, i ? " " : "", t);
        if (!calendar_has(calendar, zone, t))
            printf(" has-not");
    }
    puts("");
}

static int answer(Zones *zones, char *line, Error **err)
{
    char *rest = line, *grammar = strsep(&rest, "\t"), *name = strsep(&rest, "\t"), *base = strsep(&rest, "\t"),
         *count = strsep(&rest, "\t");
    CLEANUP(calendar_freep) Calendar *calendar = NULL;
    if (!rest)
        return error_set(err, ERROR_SPEC, "five fields are expected");
    if ((streq(grammar, "cron") ? calendar_parse_cron : calendar_parse)(rest, &calendar, err) < 0)
        return -1;
    const Zone *zone = find_zone(zones, calendar_zone(calendar) ? calendar_zone(calendar) : name, err);
    if (!zone)
        return -1;
    print_instants(calendar, zone, strtoull(base, NULL, 10), strtol(count, NULL, 10));
    return 0;
}

int main(void)
{
    Zones zones = {0};
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) >= 0) {
        CLEANUP(error_freep) Error *err = NULL;
        line[strcspn(line, "\n")] = 0;
        if (answer(&zones, line, &err) < 0)
            printf("error: %s\n", err->message);
    }
    for (size_t i = 0; i < zones.n; i++)
        zone_free(zones.items[i]);
    VEC_DONE(&zones);
    free(line);
    return 0;
}
