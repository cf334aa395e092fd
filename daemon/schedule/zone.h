/*
 * A time zone as the tz database describes it (RFC 8536), and what its clocks show. Pure: the file's bytes come from
 * desired/zone-file.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/error.h"

typedef struct Zone Zone;

/* What a wall clock in the zone shows. */
typedef struct LocalTime {
    int year, month, day; /* month 1 to 12, day 1 to 31 */
    int hour, minute, second;
    int weekday;              /* 0: Sunday */
    int day_of_year;          /* 0 to 365 */
    int32_t offset;           /* east of UTC, seconds */
    const char *abbreviation; /* "CET"; borrowed from the zone */
} LocalTime;

/* From a TZif file's bytes, which are not trusted; `name` is its IANA name. ERROR_SPEC. */
int zone_parse(const char *name, const void *bytes, size_t size, Zone **ret, Error **err);
void zone_free(Zone *zone);
DEFINE_CLEANUP(Zone, zone_free)

/* The one that needs no file. Static; not to be freed. */
const Zone *zone_utc(void) __attribute__((returns_nonnull));
const char *zone_name(const Zone *zone) __attribute__((returns_nonnull));

/* The clock at an instant. */
void zone_local(const Zone *zone, usec_t wall, LocalTime *ret);

/* Days since 1970-01-01 of a date of the Gregorian calendar, whatever its year, and back. */
int64_t days_from_date(int year, int month, int day);
void date_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day);
/* 0: Sunday. */
int weekday_from_days(int64_t days);

/* The instant at which the zone's clock shows `local` (seconds since 1970-01-01T00:00:00 of that clock). A time that
 * clocks skip gives the first instant after the gap; one that they show twice gives the first of the two. */
int64_t zone_instant(const Zone *zone, int64_t local);
/* The same in microseconds. */
int64_t zone_instant_usec(const Zone *zone, int64_t local);
/* The latest that the zone's clock has shown up to and at an instant, both in microseconds: while an hour is repeated,
 * the end of its first pass. It never goes back, and zone_instant_usec(local) is the first instant at which it is not
 * less than `local`. */
int64_t zone_latest_usec(const Zone *zone, int64_t instant);
