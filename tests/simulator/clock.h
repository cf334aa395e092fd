/* The simulator's own clock, which control and a file can shift, and the two date formats of the API. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define CLOCK_TEXT 40
#define CLOCK_SECOND INT64_C(1000000000) /* moments and spans are counted in nanoseconds */

/* Maps the file that another program moves the clock with: one int64, nanoseconds, in the machine's byte order. */
bool clock_use_file(const char *path);
/* Control's own shift, which comes on top of the file's. */
void clock_shift(int64_t nanoseconds);
void clock_advance(int64_t nanoseconds);
int64_t clock_shifted(void);
int64_t clock_shifted_by_file(void);

int64_t clock_now(void);
/* Whole seconds. */
time_t clock_seconds(void);

/* "Mon, 05 Jan 2026 21:31:40 GMT" */
void clock_rfc1123(time_t when, char text[CLOCK_TEXT]);
/* Takes exactly that form and nothing else, the weekday included. */
bool clock_parse_rfc1123(const char *text, time_t *when);
/* "2026-01-05T21:31:40.123Z" */
void clock_rfc3339(int64_t when, char text[CLOCK_TEXT]);
/* "2026-01-05T21:31:40Z" */
void clock_rfc3339_seconds(int64_t when, char text[CLOCK_TEXT]);
/* Takes UTC in whole seconds, or with a fraction that is left out. */
bool clock_parse_rfc3339(const char *text, int64_t *when);
