#include "config.h"

#include "schedule/calendar-private.h"

#include <string.h>

#define SECOND ((int64_t)USEC_PER_SEC)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
/* 2201-01-01, in microseconds: nothing is later, in any zone. */
#define END (84371 * DAY)

Calendar *calendar_new(void)
{
    Calendar *c = xcalloc(1, sizeof(*c));
    memset(c->years, 0xff, sizeof(c->years));
    c->years[3] >>= 256 - (YEAR_MAX - YEAR_MIN + 1);
    c->months = ALL_MONTHS;
    c->days = ALL_DAYS;
    c->weekdays = ALL_WEEKDAYS;
    c->hours = ALL_HOURS;
    c->minutes = ALL_MINUTES;
    return c;
}

void calendar_free(Calendar *c)
{
    if (!c)
        return;
    VEC_DONE(&c->microseconds);
    free(c->zone);
    free(c);
}

const char *calendar_zone(const Calendar *c)
{
    return c->zone;
}

uint64_t ranges_bits(const Ranges *ranges)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < ranges->n; i++)
        for (int value = ranges->items[i].start; value <= ranges->items[i].stop; value += ranges->items[i].step) {
            bits |= (uint64_t)1 << value;
            if (!ranges->items[i].step)
                break;
        }
    return bits;
}

/* The first bit from `from` on, or -1. */
static int bit_from(uint64_t bits, int from)
{
    bits = from < 64 ? bits & ~(uint64_t)0 << from : 0;
    return bits ? __builtin_ctzll(bits) : -1;
}

/* The last bit up to and including `to`, or -1. */
static int bit_to(uint64_t bits, int to)
{
    bits = to >= 0 ? bits & ~(uint64_t)0 >> (63 - (to < 63 ? to : 63)) : 0;
    return bits ? 63 - __builtin_clzll(bits) : -1;
}

static int year_from(const Calendar *c, int year)
{
    for (int i = year < YEAR_MIN ? 0 : year - YEAR_MIN; i < 256; i = (i / 64 + 1) * 64) {
        int bit = bit_from(c->years[i / 64], i % 64);
        if (bit >= 0)
            return YEAR_MIN + i / 64 * 64 + bit;
    }
    return -1;
}

static int year_to(const Calendar *c, int year)
{
    for (int i = year > YEAR_MAX ? 255 : year - YEAR_MIN; i >= 0; i = i / 64 * 64 - 1) {
        int bit = bit_to(c->years[i / 64], i % 64);
        if (bit >= 0)
            return YEAR_MIN + i / 64 * 64 + bit;
    }
    return -1;
}

/* The bits in the other order, bit 0 becoming bit 31. */
static uint32_t reverse(uint32_t bits)
{
    bits = __builtin_bswap32(bits);
    bits = (bits >> 4 & 0x0f0f0f0f) | (bits & 0x0f0f0f0f) << 4;
    bits = (bits >> 2 & 0x33333333) | (bits & 0x33333333) << 2;
    return (bits >> 1 & 0x55555555) | (bits & 0x55555555) << 1;
}

/* The days of a month that are in the set, day 1 being bit 1. */
static uint32_t days_of_month(const Calendar *c, int year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int length = lengths[month - 1] + (month == 2 && leap);
    uint32_t days = c->days;
    if (c->last_days)
        days |= (uint32_t)((uint64_t)reverse(c->last_days) << 1 >> (31 - length));
    if (c->weekdays != ALL_WEEKDAYS || c->day_or_weekday) {
        /* The week as it stands on the 1st, five times over. */
        int first = weekday_from_days(days_from_date(year, month, 1));
        uint64_t week = (c->weekdays >> first | c->weekdays << (7 - first)) & ALL_WEEKDAYS;
        uint32_t weekdays = (uint32_t)((week | week << 7 | week << 14 | week << 21 | week << 28) << 1);
        days = c->day_or_weekday ? days | weekdays : days & weekdays;
    }
    return days & ALL_DAYS & (uint32_t)(((uint64_t)2 << length) - 1);
}

/* The first day of the set from `from` on (days since 1970). */
static bool day_from(const Calendar *c, int64_t from, int64_t *ret)
{
    int year, month, day;
    date_from_days(from, &year, &month, &day);
    for (int y = year_from(c, year); y >= 0; y = year_from(c, y + 1))
        for (int m = bit_from(c->months, y == year ? month : 1); m >= 0; m = bit_from(c->months, m + 1)) {
            int d = bit_from(days_of_month(c, y, m), y == year && m == month ? day : 1);
            if (d < 0)
                continue;
            *ret = days_from_date(y, m, d);
            return true;
        }
    return false;
}

/* The last day of the set up to and including `to`. */
static bool day_to(const Calendar *c, int64_t to, int64_t *ret)
{
    int year, month, day;
    date_from_days(to, &year, &month, &day);
    for (int y = year_to(c, year); y >= 0; y = year_to(c, y - 1))
        for (int m = bit_to(c->months, y == year ? month : 12); m >= 0; m = bit_to(c->months, m - 1)) {
            int d = bit_to(days_of_month(c, y, m), y == year && m == month ? day : 31);
            if (d < 0)
                continue;
            *ret = days_from_date(y, m, d);
            return true;
        }
    return false;
}

static int range_from(const Range *r, int from)
{
    if (from <= r->start)
        return r->start;
    if (from > r->stop)
        return -1;
    int value = from + (r->step - (from - r->start) % r->step) % r->step;
    return value <= r->stop ? value : -1;
}

static int range_to(const Range *r, int to)
{
    if (to < r->start)
        return -1;
    if (!r->step)
        return r->start;
    int last = to < r->stop ? to : r->stop;
    return last - (last - r->start) % r->step;
}

static int microsecond_from(const Calendar *c, int from)
{
    int found = -1;
    for (size_t i = 0; i < c->microseconds.n; i++) {
        int value = range_from(&c->microseconds.items[i], from);
        if (value >= 0 && (found < 0 || value < found))
            found = value;
    }
    return found;
}

static int microsecond_to(const Calendar *c, int to)
{
    int found = -1;
    for (size_t i = 0; i < c->microseconds.n; i++) {
        int value = range_to(&c->microseconds.items[i], to);
        found = value > found ? value : found;
    }
    return found;
}

/* The first time of day of the set from `from` on, or -1; in microseconds. */
static int64_t time_from(const Calendar *c, int64_t from)
{
    int hour = (int)(from / HOUR), minute = (int)(from % HOUR / MINUTE), rest = (int)(from % MINUTE);
    for (int h = bit_from(c->hours, hour); h >= 0; h = bit_from(c->hours, h + 1))
        for (int m = bit_from(c->minutes, h == hour ? minute : 0); m >= 0; m = bit_from(c->minutes, m + 1)) {
            int microsecond = microsecond_from(c, h == hour && m == minute ? rest : 0);
            if (microsecond >= 0)
                return h * HOUR + m * MINUTE + microsecond;
        }
    return -1;
}

/* The last time of day of the set up to and including `to`, or -1. */
static int64_t time_to(const Calendar *c, int64_t to)
{
    int hour = (int)(to / HOUR), minute = (int)(to % HOUR / MINUTE), rest = (int)(to % MINUTE);
    for (int h = bit_to(c->hours, hour); h >= 0; h = bit_to(c->hours, h - 1))
        for (int m = bit_to(c->minutes, h == hour ? minute : 59); m >= 0; m = bit_to(c->minutes, m - 1)) {
            int microsecond = microsecond_to(c, h == hour && m == minute ? rest : SECONDS_MAX);
            if (microsecond >= 0)
                return h * HOUR + m * MINUTE + microsecond;
        }
    return -1;
}

static int64_t day_of(int64_t local)
{
    return local / DAY - (local % DAY < 0);
}

/* The first clock reading of the set from `from` on, in microseconds of that clock. */
static bool local_from(const Calendar *c, int64_t from, int64_t *ret)
{
    int64_t today = day_of(from), day, time = -1;
    if (!day_from(c, today, &day))
        return false;
    if (day == today && (time = time_from(c, from - day * DAY)) < 0 && !day_from(c, today + 1, &day))
        return false;
    *ret = day * DAY + (time < 0 ? time_from(c, 0) : time);
    return true;
}

static bool local_to(const Calendar *c, int64_t to, int64_t *ret)
{
    int64_t today = day_of(to), day, time = -1;
    if (!day_to(c, today, &day))
        return false;
    if (day == today && (time = time_to(c, to - day * DAY)) < 0 && !day_to(c, today - 1, &day))
        return false;
    *ret = day * DAY + (time < 0 ? time_to(c, DAY - 1) : time);
    return true;
}

static const Zone *zone_of(const Calendar *c, const Zone *zone)
{
    return c->utc ? zone_utc() : zone;
}

/* A reading comes true at the first instant at which the clock has shown as much or more. So the readings that come
 * true later than an instant are those that are later than all that the clock has shown by then, whatever it was set
 * to. */
bool calendar_next(const Calendar *c, const Zone *zone, usec_t after, usec_t *ret)
{
    int64_t local;
    zone = zone_of(c, zone);
    if (after >= END || !local_from(c, zone_latest_usec(zone, (int64_t)after) + 1, &local))
        return false;
    *ret = (usec_t)zone_instant_usec(zone, local);
    return true;
}

bool calendar_previous(const Calendar *c, const Zone *zone, usec_t before, usec_t *ret)
{
    int64_t local, end = before < END ? (int64_t)before : END;
    zone = zone_of(c, zone);
    if (!local_to(c, zone_latest_usec(zone, end - 1), &local))
        return false;
    int64_t instant = zone_instant_usec(zone, local);
    if (instant < 0)
        return false;
    *ret = (usec_t)instant;
    return true;
}

bool calendar_has(const Calendar *c, const Zone *zone, usec_t instant)
{
    int64_t local;
    zone = zone_of(c, zone);
    return instant < END && local_from(c, zone_latest_usec(zone, (int64_t)instant - 1) + 1, &local) &&
           zone_instant_usec(zone, local) == (int64_t)instant;
}
