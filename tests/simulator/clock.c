/* The simulator's own clock, which control can shift, and the two date formats of the API. */
#include "clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static atomic_long shift;

void clock_shift(long seconds)
{
    atomic_store(&shift, seconds);
}

time_t clock_now(void)
{
    return time(NULL) + (time_t)atomic_load(&shift);
}

void clock_rfc1123(time_t when, char text[CLOCK_TEXT])
{
    struct tm parts;

    gmtime_r(&when, &parts);
    snprintf(text, CLOCK_TEXT, "%s, %02d %s %04d %02d:%02d:%02d GMT", weekdays[parts.tm_wday], parts.tm_mday,
             months[parts.tm_mon], (parts.tm_year + 1900) % 10000, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

static bool two_digits(const char *text, int *value)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') {
        return false;
    }
    *value = (text[0] - '0') * 10 + (text[1] - '0');
    return true;
}

bool clock_parse_rfc1123(const char *text, time_t *when)
{
    struct tm parts = {0};
    char again[CLOCK_TEXT];
    int century, year;

    if (strlen(text) != strlen("Mon, 05 Jan 2026 21:31:40 GMT")) {
        return false;
    }
    for (parts.tm_mon = 0; parts.tm_mon < 12 && strncmp(text + 8, months[parts.tm_mon], 3) != 0; parts.tm_mon++) {}
    if (parts.tm_mon == 12 || !two_digits(text + 5, &parts.tm_mday) || !two_digits(text + 12, &century) ||
        !two_digits(text + 14, &year) || !two_digits(text + 17, &parts.tm_hour) ||
        !two_digits(text + 20, &parts.tm_min) || !two_digits(text + 23, &parts.tm_sec)) {
        return false;
    }
    parts.tm_year = century * 100 + year - 1900;
    *when = timegm(&parts);
    /* Written again it must be the same text: this catches wrong weekdays, 31 Feb, and stray separators. */
    clock_rfc1123(*when, again);
    return strcmp(text, again) == 0;
}

static void rfc3339(time_t when, long milliseconds, char text[CLOCK_TEXT])
{
    struct tm parts;

    gmtime_r(&when, &parts);
    snprintf(text, CLOCK_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", (parts.tm_year + 1900) % 10000, parts.tm_mon + 1,
             parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, milliseconds % 1000);
}

void clock_rfc3339(time_t when, char text[CLOCK_TEXT])
{
    rfc3339(when, 0, text);
}

void clock_rfc3339_now(char text[CLOCK_TEXT])
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    rfc3339(now.tv_sec + (time_t)atomic_load(&shift), now.tv_nsec / 1000000, text);
}
