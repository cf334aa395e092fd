/* The simulator's own clock, which control can shift, and the two date formats of the API. */
#pragma once

#include <stdbool.h>
#include <time.h>

#define CLOCK_TEXT 40

void clock_shift(long seconds);
time_t clock_now(void);

/* "Mon, 05 Jan 2026 21:31:40 GMT" */
void clock_rfc1123(time_t when, char text[CLOCK_TEXT]);
/* Takes exactly that form and nothing else, the weekday included. */
bool clock_parse_rfc1123(const char *text, time_t *when);
/* "2026-01-05T21:31:40.123Z", the moment of the simulator's clock */
void clock_rfc3339_now(char text[CLOCK_TEXT]);
void clock_rfc3339(time_t when, char text[CLOCK_TEXT]);
