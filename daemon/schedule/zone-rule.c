#include "config.h"

#include "schedule/zone-rule.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "schedule/zone.h"

#define ABBREVIATION_MAX 64

static bool take_char(const char **p, char c)
{
    if (**p != c)
        return false;
    ++*p;
    return true;
}

static bool take_number(const char **p, int min, int max, int *ret)
{
    int value = 0;
    const char *begin = *p;
    for (; isdigit((unsigned char)**p) && value <= max; ++*p)
        value = value * 10 + (**p - '0');
    *ret = value;
    return *p > begin && value >= min && value <= max;
}

/* [+-]h[h[h]][:mm[:ss]] */
static bool take_time(const char **p, int max_hours, int32_t *ret)
{
    int sign = **p == '-' ? -1 : 1, hours, minutes = 0, seconds = 0;
    if (**p == '-' || **p == '+')
        ++*p;
    if (!take_number(p, 0, max_hours, &hours))
        return false;
    if (take_char(p, ':')) {
        if (!take_number(p, 0, 59, &minutes))
            return false;
        if (take_char(p, ':') && !take_number(p, 0, 59, &seconds))
            return false;
    }
    *ret = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

/* Three letters or more; or letters, digits and signs between < and >. */
static const char *take_abbreviation(const char **p, Arena *arena)
{
    bool quoted = take_char(p, '<');
    const char *begin = *p;
    while (isalpha((unsigned char)**p) || (quoted && (isdigit((unsigned char)**p) || **p == '+' || **p == '-')))
        ++*p;
    size_t n = (size_t)(*p - begin);
    if (n < 3 || n > ABBREVIATION_MAX || (quoted && !take_char(p, '>')))
        return NULL;
    return arena_strndup(arena, begin, n);
}

/* POSIX counts west of Greenwich. */
static bool take_offset(const char **p, int32_t *ret)
{
    int32_t west;
    if (!take_time(p, 24, &west))
        return false;
    *ret = -west;
    return true;
}

static bool take_day(const char **p, ChangeDay *ret)
{
    if (take_char(p, 'M')) {
        ret->form = DAY_MONTH;
        return take_number(p, 1, 12, &ret->month) && take_char(p, '.') && take_number(p, 1, 5, &ret->week) &&
               take_char(p, '.') && take_number(p, 0, 6, &ret->day);
    }
    ret->form = take_char(p, 'J') ? DAY_JULIAN : DAY_ZERO_BASED;
    return take_number(p, ret->form == DAY_JULIAN ? 1 : 0, 365, &ret->day);
}

static bool take_change(const char **p, ChangeDay *ret)
{
    ret->time = 7200;
    return take_char(p, ',') && take_day(p, ret) && (!take_char(p, '/') || take_time(p, 167, &ret->time));
}

int zone_rule_parse(const char *p, Arena *arena, ZoneRule *ret)
{
    ZoneRule rule = {.standard = take_abbreviation(&p, arena)};
    if (!rule.standard || !take_offset(&p, &rule.offset))
        return -1;
    if (*p) {
        rule.summer = take_abbreviation(&p, arena);
        rule.summer_offset = rule.offset + 3600;
        if (!rule.summer || (*p != ',' && !take_offset(&p, &rule.summer_offset)) || !take_change(&p, &rule.start) ||
            !take_change(&p, &rule.end) || *p)
            return -1;
    }
    *ret = rule;
    return 0;
}

static bool is_leap(int year)
{
    return days_from_date(year, 3, 1) - days_from_date(year, 2, 1) == 29;
}

static int64_t find_day(const ChangeDay *day, int year)
{
    int64_t january = days_from_date(year, 1, 1);
    if (day->form == DAY_ZERO_BASED)
        return january + day->day;
    if (day->form == DAY_JULIAN) /* February 29 is never counted */
        return january + day->day - 1 + (day->day >= 60 && is_leap(year));
    int64_t first = days_from_date(year, day->month, 1);
    int64_t next_month = day->month == 12 ? days_from_date(year + 1, 1, 1) : days_from_date(year, day->month + 1, 1);
    int64_t found = first + (day->day - weekday_from_days(first) + 7) % 7 + (int64_t)7 * (day->week - 1);
    return found < next_month ? found : found - 7;
}

void zone_rule_year(const ZoneRule *rule, int year, int64_t *ret_start, int64_t *ret_end)
{
    *ret_start = find_day(&rule->start, year) * 86400 + rule->start.time - rule->offset;
    *ret_end = find_day(&rule->end, year) * 86400 + rule->end.time - rule->summer_offset;
}
