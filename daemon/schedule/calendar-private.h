/* What the two grammars make: the sets that calendar.c searches. */
#pragma once

#include "base/vec.h"
#include "schedule/calendar.h"

#define YEAR_MIN 1970
#define YEAR_MAX 2199
#define SECONDS_MAX (60 * 1000000 - 1) /* within a minute, in microseconds */

/* start, start + step, … up to and including stop. A single value has step 0. */
typedef struct Range {
    int start, stop, step;
} Range;

typedef VEC(Range) Ranges;

/* A bit is set for each value that is in the set, bit 1 for day 1. */
struct Calendar {
    uint64_t years[4]; /* since YEAR_MIN */
    uint64_t minutes;
    uint32_t months, hours;
    uint32_t days;
    uint32_t last_days;  /* bit 1: the last day of the month */
    uint32_t weekdays;   /* bit 0: Sunday */
    bool day_or_weekday; /* one of the two is enough */
    bool utc;            /* whatever the zone */
    Ranges microseconds; /* of the minute */
    char *zone;
};

#define ALL_MONTHS 0x1ffeU
#define ALL_DAYS 0xfffffffeU
#define ALL_WEEKDAYS 0x7fU
#define ALL_HOURS 0xffffffU
#define ALL_MINUTES 0xfffffffffffffffU

/* One in which everything but the microseconds is any. */
Calendar *calendar_new(void) __attribute__((returns_nonnull));
/* The values of ranges that stay below 64, as bits. */
uint64_t ranges_bits(const Ranges *ranges);
