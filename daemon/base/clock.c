#include "config.h"

#include "base/clock.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static usec_t clock_read(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (usec_t)t.tv_sec * USEC_PER_SEC + (usec_t)t.tv_nsec / 1000;
}

usec_t clock_wall(void)
{
    return clock_read(CLOCK_REALTIME);
}

usec_t clock_monotonic(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

static struct tm to_utc(usec_t wall)
{
    time_t seconds = (time_t)(wall / USEC_PER_SEC);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return tm;
}

char *format_rfc3339(usec_t wall, char buffer[static RFC3339_SIZE])
{
    struct tm tm = to_utc(wall);
    strftime(buffer, RFC3339_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return buffer;
}

char *format_rfc3339_usec(usec_t wall, char buffer[static RFC3339_SIZE])
{
    struct tm tm = to_utc(wall);
    size_t n = strftime(buffer, RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(buffer + n, RFC3339_SIZE - n, ".%06uZ", (unsigned)(wall % USEC_PER_SEC));
    return buffer;
}

char *format_rfc3339_local(usec_t wall, char buffer[static RFC3339_SIZE])
{
    time_t seconds = (time_t)(wall / USEC_PER_SEC);
    struct tm tm;
    localtime_r(&seconds, &tm);
    size_t n = strftime(buffer, RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    unsigned minutes = (unsigned)labs(tm.tm_gmtoff) / 60;
    (void)snprintf(buffer + n, RFC3339_SIZE - n, "%c%02u:%02u", tm.tm_gmtoff < 0 ? '-' : '+', minutes / 60 % 100,
                   minutes % 60);
    return buffer;
}

char *format_http_date(usec_t wall, char buffer[static HTTP_DATE_SIZE])
{
    struct tm tm = to_utc(wall);
    size_t n = (size_t)snprintf(buffer, HTTP_DATE_SIZE, "%s, %02u %s ", weekdays[tm.tm_wday],
                                (unsigned)tm.tm_mday % 100, months[tm.tm_mon]);
    strftime(buffer + n, HTTP_DATE_SIZE - n, "%Y %H:%M:%S GMT", &tm);
    return buffer;
}

/* Exactly `digits` digits at *p, which moves behind them. */
static bool take_number(const char **p, int digits, int min, int max, int *ret)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (!isdigit((unsigned char)(*p)[i]))
            return false;
        value = value * 10 + ((*p)[i] - '0');
    }
    *p += digits;
    *ret = value;
    return value >= min && value <= max;
}

static bool take_text(const char **p, const char *text)
{
    size_t n = strlen(text);
    if (strncasecmp(*p, text, n) != 0)
        return false;
    *p += n;
    return true;
}

static bool take_clock(const char **p, struct tm *tm)
{
    return take_number(p, 2, 0, 23, &tm->tm_hour) && take_text(p, ":") && take_number(p, 2, 0, 59, &tm->tm_min) &&
           take_text(p, ":") && take_number(p, 2, 0, 60, &tm->tm_sec);
}

#define SECONDS_MAX 253402300799 /* 9999-12-31T23:59:59Z */

/* Refuses days that the month does not have; a leap second is the first one of the next minute. */
static int from_utc(struct tm *tm, int64_t offset_seconds, usec_t usec, usec_t *ret)
{
    int day = tm->tm_mday, second = tm->tm_sec;
    tm->tm_sec = 0;
    int64_t t = timegm(tm) + second - offset_seconds;
    if (tm->tm_mday != day || t < 0 || t > SECONDS_MAX)
        return -1;
    *ret = (usec_t)t * USEC_PER_SEC + usec;
    return 0;
}

static bool take_date(const char **p, struct tm *tm)
{
    if (!take_number(p, 4, 1970, 9999, &tm->tm_year) || !take_text(p, "-") || !take_number(p, 2, 1, 12, &tm->tm_mon) ||
        !take_text(p, "-") || !take_number(p, 2, 1, 31, &tm->tm_mday))
        return false;
    tm->tm_year -= 1900;
    tm->tm_mon--;
    return true;
}

int parse_rfc3339(const char *p, usec_t *ret)
{
    struct tm tm = {0};
    if (!take_date(&p, &tm) || !take_text(&p, "T") || !take_clock(&p, &tm))
        return -1;
    usec_t fraction = 0;
    if (*p == '.') {
        usec_t unit = USEC_PER_SEC;
        if (!isdigit((unsigned char)*++p))
            return -1;
        for (; isdigit((unsigned char)*p); p++) {
            unit /= 10;
            fraction += unit * (usec_t)(*p - '0');
        }
    }
    int64_t offset = 0;
    if (!take_text(&p, "Z")) {
        int sign = *p == '-' ? -1 : *p == '+' ? 1 : 0, hours, minutes;
        if (!sign)
            return -1;
        p++;
        if (!take_number(&p, 2, 0, 23, &hours) || !take_text(&p, ":") || !take_number(&p, 2, 0, 59, &minutes))
            return -1;
        offset = sign * (int64_t)(hours * 3600 + minutes * 60);
    }
    return *p ? -1 : from_utc(&tm, offset, fraction, ret);
}

static bool take_name(const char **p, const char *const *names, int n, int *ret)
{
    for (int i = 0; i < n; i++)
        if (take_text(p, names[i])) {
            *ret = i;
            return true;
        }
    return false;
}

int parse_http_date(const char *p, usec_t *ret)
{
    struct tm tm = {0};
    int weekday;
    if (!take_name(&p, weekdays, 7, &weekday) || !take_text(&p, ", ") || !take_number(&p, 2, 1, 31, &tm.tm_mday) ||
        !take_text(&p, " ") || !take_name(&p, months, 12, &tm.tm_mon) || !take_text(&p, " ") ||
        !take_number(&p, 4, 1970, 9999, &tm.tm_year) || !take_text(&p, " ") || !take_clock(&p, &tm) ||
        !take_text(&p, " GMT") || *p)
        return -1;
    tm.tm_year -= 1900;
    return from_utc(&tm, 0, 0, ret);
}

int parse_duration(const char *p, usec_t *ret)
{
    static const struct {
        const char *name;
        usec_t usec;
    } units[] = {{"ms", USEC_PER_MSEC}, {"s", USEC_PER_SEC}, {"m", USEC_PER_MINUTE},
                 {"h", USEC_PER_HOUR},  {"d", USEC_PER_DAY}, {"w", 7 * USEC_PER_DAY}};
    const usec_t limit = 36600 * USEC_PER_DAY;
    usec_t total = 0;
    if (!*p)
        return -1;
    while (*p) {
        usec_t value = 0, unit = 0;
        const char *digits = p;
        for (; isdigit((unsigned char)*p) && value < limit; p++)
            value = value * 10 + (usec_t)(*p - '0');
        if (p == digits)
            return -1;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && !unit; i++)
            if (strncmp(p, units[i].name, strlen(units[i].name)) == 0) {
                unit = units[i].usec;
                p += strlen(units[i].name);
            }
        if (!unit || value > limit / unit || total + value * unit > limit)
            return -1;
        total += value * unit;
    }
    *ret = total;
    return 0;
}

/* Hours that a change of clocks leaves out are those after it. */
static int from_local(struct tm *tm, usec_t *ret)
{
    struct tm day = *tm;
    usec_t unused;
    if (from_utc(&day, 0, 0, &unused) < 0)
        return -1;
    tm->tm_isdst = -1;
    time_t t = mktime(tm);
    if (t < 0)
        return -1;
    *ret = (usec_t)t * USEC_PER_SEC;
    return 0;
}

static int parse_local(const char *p, usec_t *ret)
{
    struct tm tm = {0};
    if (!take_date(&p, &tm))
        return -1;
    if (*p == ' ' || *p == 'T') {
        p++;
        if (!take_number(&p, 2, 0, 23, &tm.tm_hour) || !take_text(&p, ":") || !take_number(&p, 2, 0, 59, &tm.tm_min) ||
            (*p == ':' && (p++, !take_number(&p, 2, 0, 59, &tm.tm_sec))))
            return -1;
    }
    return *p ? -1 : from_local(&tm, ret);
}

static int begin_of_day(usec_t now, int days_ago, usec_t *ret)
{
    time_t seconds = (time_t)(now / USEC_PER_SEC);
    struct tm tm;
    localtime_r(&seconds, &tm);
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_mday -= days_ago;
    tm.tm_isdst = -1;
    time_t t = mktime(&tm);
    *ret = t < 0 ? 0 : (usec_t)t * USEC_PER_SEC;
    return 0;
}

static int parse_ago(const char *text, usec_t now, usec_t *ret)
{
    char span[32];
    bool minus = *text == '-';
    size_t n = strlen(text += minus);
    if (!minus && (n < 4 || strcmp(text + n - 4, " ago") != 0))
        return -1;
    n -= minus ? 0 : 4;
    if (n >= sizeof(span))
        return -1;
    memcpy(span, text, n);
    span[n] = 0;
    usec_t ago;
    if (parse_duration(span, &ago) < 0)
        return -1;
    *ret = ago < now ? now - ago : 0;
    return 0;
}

int parse_moment(const char *text, usec_t now, usec_t *ret)
{
    if (strcmp(text, "now") == 0) {
        *ret = now;
        return 0;
    }
    if (strcmp(text, "today") == 0)
        return begin_of_day(now, 0, ret);
    if (strcmp(text, "yesterday") == 0)
        return begin_of_day(now, 1, ret);
    if (parse_rfc3339(text, ret) == 0 || parse_local(text, ret) == 0)
        return 0;
    return parse_ago(text, now, ret);
}
