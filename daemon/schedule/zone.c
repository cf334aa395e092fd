#include "config.h"

#include "schedule/zone.h"

#include <string.h>

#include "base/str.h"
#include "schedule/zone-rule.h"

#define DAY ((int64_t)86400)
#define SECOND ((int64_t)USEC_PER_SEC)
/* The Gregorian calendar repeats itself, weekdays and all. */
#define CYCLE (146097 * DAY)
#define CYCLE_YEARS 400
/* More than any offset from UTC can be (RFC 8536 section 3.2). */
#define OFFSET_MIN (-90000)
#define OFFSET_MAX 93600
#define WINDOW (2 * DAY)
#define HEADER_SIZE 44
#define TIME_LIMIT ((int64_t)1 << 60)

/* From `from` to the next one's. */
typedef struct Period {
    int64_t from;
    int32_t offset;
    const char *abbreviation;
} Period;

struct Zone {
    Arena *arena;
    const char *name;
    Period *periods;
    size_t n;
    bool cycles; /* the last period begins a cycle's length after one like it */
};

/* One of the file's two blocks of data. */
typedef struct Block {
    uint32_t isut, isstd, leaps, times, types, chars;
    size_t time_size;
    const uint8_t *at, *end;
} Block;

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t days_from_date(int year, int month, int day)
{
    /* Years begin in March here: the odd day comes last. */
    int64_t y = (int64_t)year - (month < 3), era = floor_div(y, CYCLE_YEARS), year_of_era = y - era * CYCLE_YEARS;
    int64_t day_of_year = (153 * (month + (month < 3 ? 9 : -3)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

void date_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    int64_t era = floor_div(days + 719468, 146097), day = days + 719468 - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (year * 365 + year / 4 - year / 100), month = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = (int)(year + era * CYCLE_YEARS + (*ret_month < 3));
}

int weekday_from_days(int64_t days)
{
    return (int)(days + 4 - floor_div(days + 4, 7) * 7);
}

static int64_t read_big(const uint8_t *p, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | p[i];
    return size == 4 ? (int32_t)value : (int64_t)value;
}

static int bad_zone(const char *name, const char *what, Error **err)
{
    return error_set(err, ERROR_SPEC, "the file of the time zone \"%s\" cannot be used: %s", name, what);
}

static uint64_t block_size(const Block *b)
{
    return (uint64_t)b->times * (b->time_size + 1) + (uint64_t)b->types * 6 + b->chars +
           (uint64_t)b->leaps * (b->time_size + 4) + b->isstd + b->isut;
}

/* The header at `p` and where its data are. */
static int read_header(const uint8_t *p, const uint8_t *end, size_t time_size, Block *ret)
{
    if (end - p < HEADER_SIZE || memcmp(p, "TZif", 4) != 0)
        return -1;
    uint32_t *counts[] = {&ret->isut, &ret->isstd, &ret->leaps, &ret->times, &ret->types, &ret->chars};
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        *counts[i] = (uint32_t)read_big(p + 20 + 4 * i, 4);
    ret->time_size = time_size;
    ret->at = p + HEADER_SIZE;
    if (block_size(ret) > (uint64_t)(end - ret->at))
        return -1;
    ret->end = ret->at + block_size(ret);
    return 0;
}

/* The block to use: the second one, whose times have 64 bits, if there is one. Returns what is wrong, or NULL. */
static const char *find_block(const uint8_t *bytes, size_t size, Block *ret)
{
    if (size < 4 || memcmp(bytes, "TZif", 4) != 0)
        return "it does not begin with \"TZif\"";
    const uint8_t *end = bytes + size;
    if (read_header(bytes, end, 4, ret) < 0 || (bytes[4] >= '2' && read_header(ret->end, end, 8, ret) < 0))
        return "it is cut short";
    return NULL;
}

static bool is_abbreviation(const char *text, size_t max)
{
    size_t n = strnlen(text, max);
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return n < max;
}

/* Appends a period; one that would end as it begins is replaced. */
static void add_period(Zone *zone, int64_t from, int32_t offset, const char *abbreviation)
{
    if (zone->n > 0 && zone->periods[zone->n - 1].from == from)
        zone->n--;
    zone->periods[zone->n++] = (Period){from, offset, abbreviation};
}

/* Checks the types that local time can be of. */
static int check_types(const char *name, const Block *b, const uint8_t *types, const char *chars, Error **err)
{
    if (b->types == 0 || b->chars == 0)
        return bad_zone(name, "it has no offset from UTC", err);
    if (b->leaps > 0)
        return bad_zone(name, "it counts leap seconds; take the zone without \"right/\"", err);
    for (uint32_t i = 0; i < b->types; i++) {
        int64_t offset = read_big(types + (size_t)6 * i, 4);
        if (offset < OFFSET_MIN || offset > OFFSET_MAX)
            return bad_zone(name, "it has an offset from UTC of more than a day", err);
        size_t abbreviation = types[(size_t)6 * i + 5];
        if (abbreviation >= b->chars || !is_abbreviation(chars + abbreviation, b->chars - abbreviation))
            return bad_zone(name, "it has an abbreviation that is none", err);
    }
    return 0;
}

static void add_of_type(Zone *zone, int64_t from, const uint8_t *type, const char *chars)
{
    add_period(zone, from, (int32_t)read_big(type, 4), chars + type[5]);
}

/* The periods that the file lists. */
static int add_listed(Zone *zone, const Block *b, Error **err)
{
    const uint8_t *indices = b->at + b->times * b->time_size, *types = indices + b->times;
    char *chars = arena_alloc(zone->arena, (size_t)b->chars + 1);
    if (b->chars)
        memcpy(chars, types + 6 * (size_t)b->types, b->chars);
    if (check_types(zone->name, b, types, chars, err) < 0)
        return -1;
    add_of_type(zone, INT64_MIN, types, chars);
    for (uint32_t i = 0; i < b->times; i++) {
        int64_t from = read_big(b->at + i * b->time_size, b->time_size);
        if (indices[i] >= b->types)
            return bad_zone(zone->name, "a change of its clocks leads nowhere", err);
        if (from <= zone->periods[zone->n - 1].from || from < -TIME_LIMIT || from > TIME_LIMIT)
            return bad_zone(zone->name, "the changes of its clocks are not in order", err);
        add_of_type(zone, from, types + 6 * (size_t)indices[i], chars);
    }
    return 0;
}

/* The periods that the rule makes after the listed ones, a cycle and a bit of them. */
static void add_ruled(Zone *zone, const ZoneRule *rule)
{
    int64_t last = zone->n > 1 ? zone->periods[zone->n - 1].from : -400 * DAY;
    int first, month, day;
    date_from_days(floor_div(last, DAY), &first, &month, &day);
    for (int year = first - 1; year <= first + CYCLE_YEARS + 2; year++) {
        int64_t start, end;
        zone_rule_year(rule, year, &start, &end);
        for (int i = 0; i < 2; i++) {
            bool summer = (start < end) == (i == 0);
            int64_t from = summer ? start : end;
            if (from > last && from >= zone->periods[zone->n - 1].from)
                add_period(zone, from, summer ? rule->summer_offset : rule->offset,
                           summer ? rule->summer : rule->standard);
        }
    }
    zone->cycles = true;
}

static int read_footer(Zone *zone, const uint8_t *p, const uint8_t *end, ZoneRule *ret, Error **err)
{
    const uint8_t *newline = end - p > 1 ? memchr(p + 1, '\n', (size_t)(end - p - 1)) : NULL;
    if (!newline || *p != '\n' || memchr(p, 0, (size_t)(newline - p)))
        return bad_zone(zone->name, "its last line is missing", err);
    const char *text = arena_strndup(zone->arena, (const char *)p + 1, (size_t)(newline - p - 1));
    if (*text && zone_rule_parse(text, zone->arena, ret) < 0)
        return bad_zone(zone->name, "its last line is no rule", err);
    return 0;
}

int zone_parse(const char *name, const void *bytes, size_t size, Zone **ret, Error **err)
{
    Block block = {0};
    const char *why = find_block(bytes, size, &block);
    if (why)
        return bad_zone(name, why, err);
    CLEANUP(arena_freep) Arena *arena = arena_new();
    Zone *zone = arena_alloc(arena, sizeof(*zone));
    zone->arena = arena; /* borrowed until all is well */
    zone->name = arena_strdup(arena, name);
    zone->periods = arena_calloc(arena, block.times + 1 + 2 * (CYCLE_YEARS + 4), sizeof(Period));
    if (add_listed(zone, &block, err) < 0)
        return -1;
    ZoneRule rule = {0};
    if (block.time_size == 8 && read_footer(zone, block.end, (const uint8_t *)bytes + size, &rule, err) < 0)
        return -1;
    /* A rule without summer time says what the last of the list says. */
    if (rule.summer)
        add_ruled(zone, &rule);
    zone->arena = TAKE(arena);
    *ret = zone;
    return 0;
}

void zone_free(Zone *zone)
{
    if (zone)
        arena_free(zone->arena);
}

const Zone *zone_utc(void)
{
    static Period always[] = {{INT64_MIN, 0, "UTC"}};
    static const Zone utc = {.name = "UTC", .periods = always, .n = 1};
    return &utc;
}

const char *zone_name(const Zone *zone)
{
    return zone->name;
}

/* How much later than a time that the list has `t` is, in whole cycles. */
static int64_t past_list(const Zone *zone, int64_t t)
{
    if (!zone->cycles)
        return 0;
    int64_t limit = zone->periods[zone->n - 1].from - 2 * WINDOW;
    return t < limit ? 0 : ((t - limit) / CYCLE + 1) * CYCLE;
}

/* The period that `t` is in. */
static size_t find_period(const Zone *zone, int64_t t)
{
    size_t low = 0, high = zone->n;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->periods[middle].from <= t)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void zone_local(const Zone *zone, usec_t wall, LocalTime *ret)
{
    int64_t t = (int64_t)(wall / USEC_PER_SEC);
    const Period *period = &zone->periods[find_period(zone, t - past_list(zone, t))];
    int64_t local = t + period->offset, days = floor_div(local, DAY);
    int second = (int)(local - days * DAY);
    date_from_days(days, &ret->year, &ret->month, &ret->day);
    ret->hour = second / 3600;
    ret->minute = second / 60 % 60;
    ret->second = second % 60;
    ret->weekday = weekday_from_days(days);
    ret->day_of_year = (int)(days - days_from_date(ret->year, 1, 1));
    ret->offset = period->offset;
    ret->abbreviation = period->abbreviation;
}

/* The first instant at which the clock shows `local` or more. */
static int64_t first_instant(const Zone *zone, int64_t local, bool *ret_skipped)
{
    int64_t past = past_list(zone, local);
    local -= past;
    size_t i = find_period(zone, local - WINDOW);
    while (i + 1 < zone->n && zone->periods[i + 1].from + zone->periods[i].offset <= local)
        i++;
    int64_t t = local - zone->periods[i].offset;
    *ret_skipped = t < zone->periods[i].from;
    return (*ret_skipped ? zone->periods[i].from : t) + past;
}

int64_t zone_instant(const Zone *zone, int64_t local)
{
    bool skipped;
    return first_instant(zone, local, &skipped);
}

int64_t zone_instant_usec(const Zone *zone, int64_t local)
{
    bool skipped;
    int64_t second = floor_div(local, SECOND), t = first_instant(zone, second, &skipped);
    return t * SECOND + (skipped ? 0 : local - second * SECOND);
}

int64_t zone_latest_usec(const Zone *zone, int64_t instant)
{
    int64_t t = floor_div(instant, SECOND), past = past_list(zone, t);
    t -= past;
    size_t i = find_period(zone, t);
    int64_t latest = instant + zone->periods[i].offset * SECOND;
    for (; i > 0 && zone->periods[i].from > t - 2 * WINDOW; i--) {
        int64_t end = (zone->periods[i].from + past + zone->periods[i - 1].offset) * SECOND - 1;
        latest = end > latest ? end : latest;
    }
    return latest;
}
