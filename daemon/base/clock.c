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

typedef struct Unit {
    const char *name;
    usec_t usec;
    bool is_spoken; /* only for people at a terminal */
} Unit;

static const Unit units[] = {
    {"ms", USEC_PER_MSEC, false},      {"s", USEC_PER_SEC, false},        {"sec", USEC_PER_SEC, true},
    {"second", USEC_PER_SEC, true},    {"seconds", USEC_PER_SEC, true},   {"m", USEC_PER_MINUTE, false},
    {"min", USEC_PER_MINUTE, true},    {"minute", USEC_PER_MINUTE, true}, {"minutes", USEC_PER_MINUTE, true},
    {"h", USEC_PER_HOUR, false},       {"hr", USEC_PER_HOUR, true},       {"hour", USEC_PER_HOUR, true},
    {"hours", USEC_PER_HOUR, true},    {"d", USEC_PER_DAY, false},        {"day", USEC_PER_DAY, true},
    {"days", USEC_PER_DAY, true},      {"w", 7 * USEC_PER_DAY, false},    {"week", 7 * USEC_PER_DAY, true},
    {"weeks", 7 * USEC_PER_DAY, true},
};

/* 0: there is no such unit. */
static usec_t take_unit(const char **p, bool spoken)
{
    const char *word = *p;
    while (isalpha((unsigned char)**p))
        (*p)++;
    size_t n = (size_t)(*p - word);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strlen(units[i].name) == n && memcmp(word, units[i].name, n) == 0 && (spoken || !units[i].is_spoken))
            return units[i].usec;
    return 0;
}

static int read_span(const char *p, bool spoken, usec_t *ret)
{
    const usec_t limit = 36600 * USEC_PER_DAY;
    usec_t total = 0;
    if (!*p)
        return -1;
    while (*p) {
        usec_t value = 0;
        const char *digits = p;
        for (; isdigit((unsigned char)*p) && value < limit; p++)
            value = value * 10 + (usec_t)(*p - '0');
        if (p == digits)
            return -1;
        p += spoken && *p == ' ';
        usec_t unit = take_unit(&p, spoken);
        if (!unit || value > limit / unit || total + value * unit > limit)
            return -1;
        total += value * unit;
        p += spoken && *p == ' ' && p[1];
    }
    *ret = total;
    return 0;
}

int parse_duration(const char *text, usec_t *ret)
{
    return read_span(text, false, ret);
}

int parse_span(const char *text, usec_t *ret)
{
    return read_span(text, true, ret);
}

/* What clocks here are ahead of UTC at that time. */
static int64_t offset_at(int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    localtime_r(&t, &tm);
    return tm.tm_gmtoff;
}

/* When clocks were set on, after `before` and at the latest at `after`. */
static int64_t find_change(int64_t before, int64_t after)
{
    int64_t offset = offset_at(before);
    while (after - before > 1) {
        int64_t middle = before + (after - before) / 2;
        if (offset_at(middle) == offset)
            before = middle;
        else
            after = middle;
    }
    return after;
}

#define DAY 86400

/* mktime() will not do: which one of two it gives depends on what it was asked before. Clocks are set at most once in
 * the two days around a time, and what they showed before and after tells which times it may be. */
static usec_t from_local(const struct tm *local, MomentChoice choice)
{
    struct tm copy = *local;
    int64_t shown = timegm(&copy), before = offset_at(shown - DAY), after = offset_at(shown + DAY);
    int64_t first = shown - before, last = shown - after, t;
    bool is_first = offset_at(first) == before, is_last = offset_at(last) == after;
    if (is_first && is_last)
        t = choice == MOMENT_FIRST ? first : last;
    else if (is_first || is_last)
        t = is_first ? first : last;
    else
        t = find_change(last, first);
    t = t < 0 ? 0 : t < SECONDS_MAX ? t : SECONDS_MAX;
    return (usec_t)t * USEC_PER_SEC;
}

/* HH:MM or HH:MM:SS, to the end. */
static bool take_hour(const char *p, struct tm *tm)
{
    return take_number(&p, 2, 0, 23, &tm->tm_hour) && take_text(&p, ":") && take_number(&p, 2, 0, 59, &tm->tm_min) &&
           (!*p || (take_text(&p, ":") && take_number(&p, 2, 0, 59, &tm->tm_sec))) && !*p;
}

static int parse_date(const char *p, MomentChoice choice, usec_t *ret)
{
    struct tm tm = {0};
    if (!take_date(&p, &tm) || (*p && *p != ' ' && *p != 'T') || (*p && !take_hour(p + 1, &tm)))
        return -1;
    struct tm day = tm;
    usec_t unused;
    if (from_utc(&day, 0, 0, &unused) < 0)
        return -1;
    *ret = from_local(&tm, choice);
    return 0;
}

static struct tm begin_of_day(usec_t now, int days_ago)
{
    time_t seconds = (time_t)(now / USEC_PER_SEC);
    struct tm tm;
    localtime_r(&seconds, &tm);
    return (struct tm){.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday - days_ago};
}

static int parse_hour(const char *text, usec_t now, MomentChoice choice, usec_t *ret)
{
    struct tm tm = begin_of_day(now, 0);
    if (!take_hour(text, &tm))
        return -1;
    *ret = from_local(&tm, choice);
    return 0;
}

static int parse_ago(const char *text, usec_t now, usec_t *ret)
{
    char span[128];
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
    if (parse_span(span, &ago) < 0)
        return -1;
    *ret = ago < now ? now - ago : 0;
    return 0;
}

static int parse_word(const char *text, usec_t now, MomentChoice choice, usec_t *ret)
{
    bool is_today = strcmp(text, "today") == 0;
    struct tm day = begin_of_day(now, is_today ? 0 : 1);
    if (strcmp(text, "now") == 0)
        *ret = now;
    else if (is_today || strcmp(text, "yesterday") == 0)
        *ret = from_local(&day, choice);
    else
        return -1;
    return 0;
}

int parse_moment(const char *text, usec_t now, MomentChoice choice, usec_t *ret)
{
    tzset(); /* localtime_r() need not */
    if (parse_word(text, now, choice, ret) == 0 || parse_rfc3339(text, ret) == 0 ||
        parse_date(text, choice, ret) == 0 || parse_hour(text, now, choice, ret) == 0)
        return 0;
    return parse_ago(text, now, ret);
}
