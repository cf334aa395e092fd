/* The rule at the end of a TZif file, by which clocks change for ever after: POSIX's TZ as RFC 8536 extends it. Pure.
 */
#pragma once

#include <stdint.h>

#include "base/alloc.h"

/* The day of a year on which clocks change, and when. */
typedef struct ChangeDay {
    enum { DAY_MONTH, DAY_JULIAN, DAY_ZERO_BASED } form;
    int month, week, day; /* DAY_MONTH: the week-th weekday `day` of the month, 5 being the last; else `day` alone */
    int32_t time;         /* seconds after that day's midnight, on the clock that is about to change; may be negative */
} ChangeDay;

typedef struct ZoneRule {
    const char *standard, *summer; /* abbreviations; summer NULL: clocks do not change */
    int32_t offset, summer_offset; /* east of UTC, seconds */
    ChangeDay start, end;
} ZoneRule;

/* 0, or -1 when the text is no such rule. Abbreviations are the arena's. */
int zone_rule_parse(const char *text, Arena *arena, ZoneRule *ret);
/* The instants (seconds) at which that year's summer time starts and ends. */
void zone_rule_year(const ZoneRule *rule, int year, int64_t *ret_start, int64_t *ret_end);
