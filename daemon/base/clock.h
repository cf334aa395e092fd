/* Time: wall time for people and clouds, monotonic time for waiting, both in microseconds; and its text forms. */
#pragma once

#include <stdint.h>

typedef uint64_t usec_t;

#define USEC_PER_MSEC ((usec_t)1000)
#define USEC_PER_SEC ((usec_t)1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)

/* Since 1970-01-01T00:00:00Z. */
usec_t clock_wall(void);
/* Since some moment; never goes back. */
usec_t clock_monotonic(void);

#define RFC3339_SIZE 32
/* "2026-11-22T01:00:00Z": whole seconds, UTC. Years up to 9999. */
char *format_rfc3339(usec_t wall, char buffer[static RFC3339_SIZE]);
/* "2026-11-22T01:00:00.123456Z" */
char *format_rfc3339_usec(usec_t wall, char buffer[static RFC3339_SIZE]);
/* "2026-11-22T02:00:00+01:00": in the zone of whoever looks (TZ). */
char *format_rfc3339_local(usec_t wall, char buffer[static RFC3339_SIZE]);
/* RFC 3339 with any offset and any fraction. 0, or -1 when it is not a time of ours (1970 to 9999). */
int parse_rfc3339(const char *text, usec_t *ret);

#define HTTP_DATE_SIZE 32
/* "Mon, 05 Jan 2026 21:31:40 GMT" (RFC 9110 section 5.6.7), whatever the locale. */
char *format_http_date(usec_t wall, char buffer[static HTTP_DATE_SIZE]);
/* The same form, strictly. 0, or -1. */
int parse_http_date(const char *text, usec_t *ret);

/* A duration: "90s", "5m", "1h30m", "250ms", "7d", a unit being always required. 0, or -1. */
int parse_duration(const char *text, usec_t *ret);
/* Also as people write it: "1h 30min", "3 days", with the units' names of systemd.time(7) up to weeks. 0, or -1. */
int parse_span(const char *text, usec_t *ret);

#define MOMENT_FORMS                                                                                                   \
    "2026-12-01T00:00:00Z, \"2026-12-01\", \"2026-12-01 08:00\" or 08:00 (local time), today, yesterday, now, "        \
    "\"3 days ago\" or -2h"
/* Which one of a local time that occurs twice, because clocks were set back. */
typedef enum MomentChoice {
    MOMENT_FIRST,
    MOMENT_LAST,
} MomentChoice;

/* A time as people write it: RFC 3339; YYYY-MM-DD, with HH:MM or HH:MM:SS or without, in the zone of TZ; such an hour
 * alone, of today; today and yesterday, as they began; now; a span before now, "1h 30min ago" or "-1h30m". A local time
 * that clocks skipped is when they were set on: what they showed from then on is later than it, and all before is
 * earlier. A local day before 1970 in UTC is 1970. 0, or -1. */
int parse_moment(const char *text, usec_t now, MomentChoice choice, usec_t *ret);
