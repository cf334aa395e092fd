/* The five fields of crontab(5). */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "base/str.h"
#include "schedule/calendar-private.h"

#define SHOWN_MAX 80
#define NUMBER_MAX 100000

typedef struct CronField {
    const char *name;
    int min, max;
    const char *const *names; /* of the values from `min` on, or NULL */
    const char *limits;
} CronField;

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const CronField fields[FIELDS] = {
    {"minute", 0, 59, NULL, "a minute is from 0 to 59"},
    {"hour", 0, 23, NULL, "an hour is from 0 to 23"},
    {"day of the month", 1, 31, NULL, "a day of the month is from 1 to 31"},
    {"month", 1, 12, month_names, "a month is from 1 to 12, or jan to dec"},
    {"day of the week", 0, 7, weekday_names, "a day of the week is from 0 to 7, or sun to sat"},
};

static const struct {
    const char *name, *meaning;
} shorthands[] = {
    {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"},
};

static bool take_number(const char **p, int *ret)
{
    const char *begin = *p;
    int value = 0;
    for (; isdigit((unsigned char)**p); ++*p)
        value = value < NUMBER_MAX ? value * 10 + (**p - '0') : value;
    *ret = value;
    return *p > begin;
}

/* A number or a name. */
static bool take_value(const CronField *field, const char **p, int *ret)
{
    for (int i = 0; field->names && field->names[i]; i++)
        if (strncasecmp(*p, field->names[i], 3) == 0) {
            *p += 3;
            *ret = field->min + i;
            return true;
        }
    return take_number(p, ret);
}

/* The values between which the list's next element lies: all, one, or a range. */
static const char *take_bounds(const CronField *field, const char **p, Range *ret)
{
    *ret = (Range){field->min, field->max, 1};
    if (**p == '*') {
        ++*p;
        return NULL;
    }
    if (!take_value(field, p, &ret->start))
        return "a number, a range such as 2-5, a list of them or * is expected";
    /* 5/15 is 5-59/15 */
    ret->stop = **p == '/' ? field->max : ret->start;
    if (**p == '-') {
        ++*p;
        if (!take_value(field, p, &ret->stop))
            return "a number is expected at the end of the range";
        if (field == &fields[WEEKDAY] && ret->stop == 0 && ret->start > 0)
            ret->stop = 7;
    }
    if (ret->start < field->min || ret->start > field->max || ret->stop > field->max)
        return field->limits;
    return ret->stop < ret->start ? "the range runs backwards" : NULL;
}

/* One element of a list. Returns what is wrong with it, or NULL. */
static const char *take_range(const CronField *field, const char **p, Range *ret)
{
    const char *why = take_bounds(field, p, ret);
    if (why)
        return why;
    if (**p == '/') {
        ++*p;
        if (!take_number(p, &ret->step))
            return "a number is expected behind /";
        if (ret->step == 0)
            return "a step of 0 leads nowhere";
        if (ret->step > field->max - field->min + 1)
            return "the step is longer than all that the field can be";
    }
    return **p && **p != ',' ? "what follows the number is not understood" : NULL;
}

static int parse_field(const CronField *field, const char *text, uint64_t *ret, Error **err)
{
    Ranges ranges = {0};
    const char *p = text, *why;
    do {
        Range range;
        p += p > text;
        why = take_range(field, &p, &range);
        if (!why)
            *VEC_ADD(&ranges) = range;
    } while (!why && *p);
    *ret = why ? 0 : ranges_bits(&ranges);
    VEC_DONE(&ranges);
    CLEANUP(freep) char *shown = why ? str_printable(text, SHOWN_MAX) : NULL;
    return why ? error_set(err, ERROR_SPEC, "%s \"%s\": %s", field->name, shown, why) : 0;
}

static int expand(const char *text, const char **ret, Error **err)
{
    const char *names[ARRAY_SIZE(shorthands) + 1] = {NULL};
    for (size_t i = 0; i < ARRAY_SIZE(shorthands); i++) {
        names[i] = shorthands[i].name;
        if (strcasecmp(text, names[i]) == 0)
            return *ret = shorthands[i].meaning, 0;
    }
    if (strcasecmp(text, "@reboot") == 0)
        return error_set(err, ERROR_SPEC, "it names no time: nothing reboots here");
    const char *near = nearest_name(text, names);
    return near ? error_set(err, ERROR_SPEC, "it is not known; did you mean \"%s\"?", near)
                : error_set(err, ERROR_SPEC, "it is not known; @daily is, or five fields such as 0 2 * * *");
}

/* Splits the text at its white space. Returns how many words there are, which may be more than FIELDS. */
static size_t split(char *text, char *ret[FIELDS])
{
    size_t n = 0;
    for (char *word = strsep(&text, " \t"); word; word = strsep(&text, " \t"))
        if (*word) {
            if (n < FIELDS)
                ret[n] = word;
            n++;
        }
    return n;
}

static int parse_fields(Calendar *c, const char *text, Error **err)
{
    CLEANUP(freep) char *copy = xstrdup(text);
    char *words[FIELDS] = {NULL};
    uint64_t bits[FIELDS];
    size_t n = split(copy, words);
    if (n != FIELDS)
        return error_set(err, ERROR_SPEC,
                         "minute, hour, day of the month, month and day of the week are expected, not %zu field%s", n,
                         n == 1 ? "" : "s");
    for (size_t i = 0; i < FIELDS; i++)
        if (parse_field(&fields[i], words[i], &bits[i], err) < 0)
            return -1;
    c->minutes = bits[MINUTE];
    c->hours = (uint32_t)bits[HOUR];
    c->days = (uint32_t)bits[DAY];
    c->months = (uint32_t)bits[MONTH];
    c->weekdays = (uint32_t)((bits[WEEKDAY] | bits[WEEKDAY] >> 7) & ALL_WEEKDAYS); /* 7 is Sunday, too */
    c->day_or_weekday = *words[DAY] != '*' && *words[WEEKDAY] != '*';
    return 0;
}

int calendar_parse_cron(const char *text, Calendar **ret, Error **err)
{
    CLEANUP(calendar_freep) Calendar *c = calendar_new();
    const char *meaning = text;
    *VEC_ADD(&c->microseconds) = (Range){0};
    if ((*text == '@' && expand(text, &meaning, err) < 0) || parse_fields(c, meaning, err) < 0) {
        CLEANUP(freep) char *shown = str_printable(text, SHOWN_MAX);
        return error_wrap(err, "\"%s\"", shown);
    }
    *ret = TAKE(c);
    return 0;
}
