/* The grammar of systemd.time(7), CALENDAR EVENTS: what systemd 252 takes is taken, and nothing else. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "base/str.h"
#include "schedule/calendar-private.h"

#define SECOND ((int64_t)USEC_PER_SEC)
#define LIST_MAX 241
#define SHOWN_MAX 80

/* One of the numbers that a time is made of. */
typedef struct Field {
    const char *name;
    int min, max;
    int64_t unit; /* of a number without a fraction */
    const char *limits;
    bool from_end; /* days counted from the month's end: a step leads towards it */
} Field;

static const Field year_field = {"year", YEAR_MIN, YEAR_MAX, 1, "a year is from 1970 to 2199, or has two digits",
                                 false};
static const Field month_field = {"month", 1, 12, 1, "a month is from 1 to 12", false};
static const Field day_field = {"day", 1, 31, 1, "a day is from 1 to 31", false};
static const Field last_day_field = {"day", 1, 28, 1, "a day before the month's end is from 1 to 28", true};
static const Field hour_field = {"hour", 0, 23, 1, "an hour is from 0 to 23", false};
static const Field minute_field = {"minute", 0, 59, 1, "a minute is from 0 to 59", false};
static const Field second_field = {"second", 0, SECONDS_MAX, SECOND, "a second is from 0 to 59.999999", false};

static const char *const weekday_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                            "Friday", "Saturday", "Sunday"};

static const struct {
    const char *name, *meaning;
} shorthands[] = {
    {"minutely", "*-*-* *:*:00"},
    {"hourly", "*-*-* *:00:00"},
    {"daily", "*-*-* 00:00:00"},
    {"weekly", "Mon *-*-* 00:00:00"},
    {"monthly", "*-*-01 00:00:00"},
    {"quarterly", "*-01,04,07,10-01 00:00:00"},
    {"semiannually", "*-01,07-01 00:00:00"},
    {"semi-annually", "*-01,07-01 00:00:00"},
    {"biannually", "*-01,07-01 00:00:00"},
    {"bi-annually", "*-01,07-01 00:00:00"},
    {"yearly", "*-01-01 00:00:00"},
    {"annually", "*-01-01 00:00:00"},
    {"anually", "*-01-01 00:00:00"}, /* systemd's, from of old */
};

static int bad(const Field *field, const char *part, const char *why, Error **err)
{
    return error_set(err, ERROR_SPEC, "%s \"%s\": %s", field->name, part, why);
}

static int64_t take_digits(const char **p)
{
    int64_t value = 0;
    for (; isdigit((unsigned char)**p); ++*p)
        value = value < INT_MAX ? value * 10 + (**p - '0') : value;
    return value;
}

/* The digits behind a decimal point, as microseconds, rounded. */
static int64_t take_fraction(const char **p)
{
    int64_t value = 0, unit = SECOND;
    for (; isdigit((unsigned char)**p) && unit > 1; ++*p) {
        unit /= 10;
        value += unit * (**p - '0');
    }
    value += **p >= '5' && **p <= '9';
    *p += strspn(*p, "0123456789");
    return value;
}

static bool take_value(const Field *field, const char **p, int64_t *ret)
{
    if (!isdigit((unsigned char)**p))
        return false;
    *ret = take_digits(p) * field->unit;
    if (field->unit == SECOND && (*p)[0] == '.' && (*p)[1] != '.') {
        ++*p;
        if (!isdigit((unsigned char)**p))
            return false;
        *ret += take_fraction(p);
    }
    return true;
}

/* 12 is 2012, 89 is 1989. */
static int64_t full_year(int64_t year)
{
    return year < 70 ? year + 2000 : year < 100 ? year + 1900 : year;
}

/* start..stop/step, whose last value may lie before `stop`. */
static const char *check_range(const Field *field, int64_t start, int64_t stop, int64_t step, Range *ret)
{
    if (stop > start)
        stop -= (stop - start) % step;
    if (start < field->min || start > field->max || stop < field->min || stop > field->max)
        return field->limits;
    if (stop < start)
        return "the range runs backwards";
    *ret = (Range){(int)start, (int)stop, stop > start ? (int)step : 0};
    return NULL;
}

/* start/step, to the end of what the field can be. */
static const char *check_open_range(const Field *field, int64_t start, int64_t step, Range *ret)
{
    if (start < field->min || start > field->max)
        return field->limits;
    int64_t room = field->from_end ? start - field->min : field->max - start;
    if (step > room)
        return "there is no room for one step";
    int way = (int)(room / step * step);
    if (field->from_end)
        *ret = (Range){(int)start - way, (int)start, (int)step};
    else
        *ret = (Range){(int)start, (int)start + way, (int)step};
    return NULL;
}

/* One value, range or repetition. Returns what is wrong with it, or NULL. */
static const char *take_range(const Field *field, const char **p, Range *ret)
{
    static const char expected[] = "a number, a range such as 2..5 or a list of them is expected";
    int64_t start, stop = -1, step = 0;
    if (**p == '*')
        return (*p)[1] == '/' ? "* takes no step; count from the first value, as in 0/5" : "* stands alone";
    if (!take_value(field, p, &start))
        return expected;
    if (starts_with(*p, "..")) {
        *p += 2;
        if (!take_value(field, p, &stop))
            return expected;
        step = field->unit;
        if (**p != '/' && step > 1 && start + step > stop)
            return "a range of less than a second needs a step";
    }
    if (**p == '/') {
        ++*p;
        if (!take_value(field, p, &step))
            return "a number is expected behind /";
        if (step == 0)
            return "a step of 0 leads nowhere";
    }
    if (stop > INT_MAX || step > INT_MAX)
        return "the number is too large";
    if (**p && **p != ',')
        return **p == '-' ? "a range is written with two dots, as in 2..5" : expected;
    if (field == &year_field) {
        start = full_year(start);
        stop = stop >= 0 ? full_year(stop) : stop;
    }
    return stop >= 0 || step == 0 ? check_range(field, start, stop >= 0 ? stop : start, step, ret)
                                  : check_open_range(field, start, step, ret);
}

/* A list of them; no ranges at all mean any value. */
static int parse_list(const Field *field, const char *part, Ranges *ret, Error **err)
{
    const char *p = part;
    if (streq(part, "*"))
        return 0;
    for (;;) {
        Range range;
        const char *why = take_range(field, &p, &range);
        if (!why && ret->n == LIST_MAX)
            why = "the list is too long";
        if (why)
            return bad(field, part, why, err);
        *VEC_ADD(ret) = range;
        if (!*p)
            return 0;
        p++;
    }
}

static int parse_bits(const Field *field, const char *part, uint64_t any, uint64_t *ret, Error **err)
{
    Ranges ranges = {0};
    int r = parse_list(field, part, &ranges, err);
    if (r == 0)
        *ret = ranges.n ? ranges_bits(&ranges) : any;
    VEC_DONE(&ranges);
    return r;
}

static void set_year(Calendar *c, int year)
{
    c->years[(year - YEAR_MIN) / 64] |= (uint64_t)1 << (year - YEAR_MIN) % 64;
}

static void set_years(Calendar *c, const Ranges *ranges)
{
    memset(c->years, 0, sizeof(c->years));
    for (size_t i = 0; i < ranges->n; i++) {
        const Range *r = &ranges->items[i];
        for (int year = r->start; year <= r->stop; year += r->step ? r->step : 1)
            set_year(c, year);
    }
}

static int parse_year(Calendar *c, const char *part, Error **err)
{
    Ranges ranges = {0};
    int r = parse_list(&year_field, part, &ranges, err);
    if (r == 0 && ranges.n)
        set_years(c, &ranges);
    VEC_DONE(&ranges);
    return r;
}

static int parse_month(Calendar *c, const char *part, Error **err)
{
    uint64_t bits = 0;
    if (parse_bits(&month_field, part, ALL_MONTHS, &bits, err) < 0)
        return -1;
    c->months = (uint32_t)bits;
    return 0;
}

static int parse_day(Calendar *c, const char *part, bool from_end, Error **err)
{
    uint64_t bits = 0;
    if (parse_bits(from_end ? &last_day_field : &day_field, part, ALL_DAYS, &bits, err) < 0)
        return -1;
    c->days = from_end && bits != ALL_DAYS ? 0 : (uint32_t)bits;
    c->last_days = from_end && bits != ALL_DAYS ? (uint32_t)bits : 0;
    return 0;
}

/* [YEAR-]MONTH-DAY, or with ~ before the day. */
static int parse_date(Calendar *c, char *date, Error **err)
{
    char *first = date, *second = date + strcspn(date, "-~"), *third;
    char separator = *second, separator_2;
    if (!separator)
        return error_set(err, ERROR_SPEC, "\"%s\" is neither a date (which has a -) nor a time (which has a :)", date);
    third = second + 1 + strcspn(second + 1, "-~");
    separator_2 = *third;
    if (separator_2 && (separator == '~' || third[1 + strcspn(third + 1, "-~")]))
        return error_set(err, ERROR_SPEC, "date \"%s\": year, month and day are expected, as in 2026-11-22 or *-*~01",
                         date);
    *second++ = 0;
    if (!separator_2)
        return parse_month(c, first, err) < 0 ? -1 : parse_day(c, second, separator == '~', err);
    *third++ = 0;
    if (parse_year(c, first, err) < 0 || parse_month(c, second, err) < 0)
        return -1;
    return parse_day(c, third, separator_2 == '~', err);
}

static int parse_seconds(Calendar *c, const char *part, Error **err)
{
    if (parse_list(&second_field, part, &c->microseconds, err) < 0)
        return -1;
    if (!c->microseconds.n)
        *VEC_ADD(&c->microseconds) = (Range){0, (int)(59 * SECOND), (int)SECOND};
    return 0;
}

/* HOUR:MINUTE[:SECOND] */
static int parse_time(Calendar *c, const char *time, Error **err)
{
    CLEANUP(freep) char *copy = xstrdup(time);
    char *rest = copy, *hour = strsep(&rest, ":"), *minute = strsep(&rest, ":"), *second = strsep(&rest, ":");
    uint64_t hours = 0, minutes = 0;
    if (!minute || rest)
        return error_set(err, ERROR_SPEC, "time \"%s\": hour and minute are expected, as in 02:00 or 02:00:30", time);
    if (parse_bits(&hour_field, hour, ALL_HOURS, &hours, err) < 0 ||
        parse_bits(&minute_field, minute, ALL_MINUTES, &minutes, err) < 0)
        return -1;
    c->hours = (uint32_t)hours;
    c->minutes = minutes;
    return parse_seconds(c, second ? second : "0", err);
}

/* @SECONDS since 1970: one instant, whatever the zone. */
static int parse_timestamp(Calendar *c, const char *text, Error **err)
{
    char *end;
    errno = 0;
    time_t seconds = (time_t)strtoul(text + 1, &end, 10);
    struct tm tm;
    if (errno || end == text + 1 || *end)
        return error_set(err, ERROR_SPEC, "\"%s\": whole seconds since 1970 are expected behind @, and nothing else",
                         text);
    if (!gmtime_r(&seconds, &tm) || seconds < 0 || tm.tm_year > YEAR_MAX - 1900)
        return error_set(err, ERROR_SPEC, "\"%s\": a timestamp is from 1970 to 2199", text);
    memset(c->years, 0, sizeof(c->years));
    set_year(c, tm.tm_year + 1900);
    c->months = 2U << tm.tm_mon;
    c->days = 1U << tm.tm_mday;
    c->hours = 1U << tm.tm_hour;
    c->minutes = (uint64_t)1 << tm.tm_min;
    *VEC_ADD(&c->microseconds) = (Range){(int)(tm.tm_sec * SECOND), (int)(tm.tm_sec * SECOND), 0};
    c->utc = true;
    if (!c->zone)
        c->zone = xstrdup("UTC");
    return 0;
}

/* 0 is Monday; -1: there is none. */
static int take_weekday(const char **p)
{
    for (int i = 0; i < 7; i++) {
        size_t n = strlen(weekday_names[i]);
        if (strncasecmp(*p, weekday_names[i], n) != 0)
            n = 3;
        if (strncasecmp(*p, weekday_names[i], n) != 0 || !memchr(" -.,", (*p)[n], 5))
            continue;
        *p += n;
        return i;
    }
    return -1;
}

/* A weekday or a range of them; those of the range that it adds to `bits` begin with Monday as bit 0. */
static const char *take_weekdays(const char **p, uint32_t *bits)
{
    int first = take_weekday(p), last = first;
    if (first < 0)
        return "a weekday is expected, as in Mon or Monday";
    if (**p == '-' || starts_with(*p, "..")) {
        *p += **p == '-' ? 1 : 2;
        last = take_weekday(p);
        if (last < 0)
            return "a weekday is expected at the end of the range, as in Mon..Fri";
        if (last < first)
            return "the range runs backwards: the week begins on Monday";
    }
    if (**p && **p != ',' && **p != ' ')
        return "a range has two ends and two dots, as in Mon..Fri";
    *bits |= ALL_WEEKDAYS >> (6 - (last - first)) << first;
    return NULL;
}

/* Moves *text behind the weekdays, if there are any. */
static int parse_weekdays(Calendar *c, const char **text, Error **err)
{
    const char *p = *text;
    uint32_t bits = 0;
    if (take_weekday(&p) < 0)
        return 0;
    p = *text;
    do {
        const char *why = take_weekdays(&p, &bits);
        if (why)
            return error_set(err, ERROR_SPEC, "weekdays \"%.*s\": %s", (int)strcspn(*text, " "), *text, why);
        p += *p == ',';
    } while (*p && *p != ' ');
    c->weekdays = (bits << 1 | bits >> 6) & ALL_WEEKDAYS;
    *text = p + strspn(p, " ");
    return 0;
}

static int unknown_word(const char *text, Error **err)
{
    const char *names[ARRAY_SIZE(shorthands) + ARRAY_SIZE(weekday_names) + 1] = {NULL};
    CLEANUP(freep) char *word = xstrndup(text, strcspn(text, " ,."));
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(shorthands); i++)
        names[n++] = shorthands[i].name;
    for (size_t i = 0; i < ARRAY_SIZE(weekday_names); i++)
        names[n++] = weekday_names[i];
    const char *near = nearest_name(word, names);
    if (near)
        return error_set(err, ERROR_SPEC, "\"%s\" is not known; did you mean \"%s\"?", word, near);
    return error_set(err, ERROR_SPEC, "\"%s\" is neither a weekday nor a word such as daily", word);
}

/* [WEEKDAYS] [DATE] [TIME] */
static int parse_parts(Calendar *c, const char *text, Error **err)
{
    if (parse_weekdays(c, &text, err) < 0)
        return -1;
    if (*text == '@')
        return parse_timestamp(c, text, err);
    if (isalpha((unsigned char)*text))
        return unknown_word(text, err);
    CLEANUP(freep) char *parts = xstrdup(text);
    char *space = strchr(parts, ' ');
    const char *time = parts;
    if (*parts && !memchr(parts, ':', strcspn(parts, " "))) {
        if (space) {
            time = space + strspn(space, " ");
            *space = 0;
        } else {
            time = parts + strlen(parts);
        }
        if (parse_date(c, parts, err) < 0)
            return -1;
    }
    if (strchr(time, ' '))
        return error_set(err, ERROR_SPEC, "\"%s\" is expected to end with the time or a time zone", text);
    return parse_time(c, *time ? time : "0:0", err);
}

/* Could the word be an IANA name? Whether there is such a zone is not known here. */
static bool is_zone_name(const char *word)
{
    const char *p = word;
    if (!isalpha((unsigned char)*word) || take_weekday(&p) >= 0)
        return false;
    for (; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("+-_/", *p))
            return false;
    return true;
}

/* Cuts the zone off the end of the text. */
static void take_zone(Calendar *c, char *text)
{
    char *space = strrchr(text, ' ');
    if (!space || !is_zone_name(space + 1))
        return;
    c->zone = xstrdup(strcasecmp(space + 1, "UTC") == 0 ? "UTC" : space + 1);
    *space = 0;
}

static const char *expand(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(shorthands); i++)
        if (strcasecmp(text, shorthands[i].name) == 0)
            return shorthands[i].meaning;
    return text;
}

int calendar_parse(const char *text, Calendar **ret, Error **err)
{
    CLEANUP(calendar_freep) Calendar *c = calendar_new();
    /* What is not printable is not in the grammar, and must not be in messages. */
    CLEANUP(freep) char *copy = str_printable(text, SIZE_MAX);
    take_zone(c, copy);
    int r = *copy ? parse_parts(c, expand(copy), err)
                  : error_set(err, ERROR_SPEC, "a time is expected, as in \"daily\" or \"Mon..Fri 02:00\"");
    if (r < 0) {
        CLEANUP(freep) char *shown = str_printable(text, SHOWN_MAX);
        return error_wrap(err, "\"%s\"", shown);
    }
    *ret = TAKE(c);
    return 0;
}
