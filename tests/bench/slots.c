/*
 * How many slots a processor computes in a second: `slots SECONDS` prints for each expression
 *     {"text", "zone", "next", "previous"}
 * the last two being computations in a second of CPU time, measured for SECONDS each.
 */
#include "config.h"

#include <stdio.h>
#include <sys/resource.h>

#include "base/str.h"
#include "desired/zone-file.h"
#include "schedule/calendar.h"

#define BEGIN (1767225600 * USEC_PER_SEC) /* 2026-01-01T00:00:00Z */
#define STRIDE (100003 * USEC_PER_SEC)    /* a little over a day: all times of the day, both sides of the changes */
#define SPAN (2ULL * 365 * 86400 * USEC_PER_SEC)
#define BATCH 100

typedef bool Move(const Calendar *calendar, const Zone *zone, usec_t from, usec_t *ret);

static const struct {
    const char *zone, *text;
    bool cron;
} expressions[] = {
    {"UTC", "hourly", false},
    {"UTC", "*-*-* 02:00:00", false},
    {"Europe/Berlin", "*-*-* 02:30:00", false},
    {"America/New_York", "*:0/15", false},
    {"Asia/Kolkata", "Mon..Fri *-*-* 09:00", false},
    {"Europe/Berlin", "Sun *-*-1..7 03:00", false},
    {"Australia/Lord_Howe", "*-*~01 22:00", false},
    {"Europe/Berlin", "*-1/3-1 04:00", false},
    {"UTC", "*-*-* *:*:00/0.25", false},
    {"Europe/Berlin", "*-02-29 03:00", false},
    {"Europe/Berlin", "Mon *-02-29 03:00", false}, /* once in 28 years */
    {"Europe/Berlin", "0 2 * * 1-5", true},
    {"America/New_York", "*/5 8-17 1,15 * 5", true},
};

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* From instants all over two years, so that no computation has the one before to build on. */
static double rate(Move *move, const Calendar *calendar, const Zone *zone, double seconds)
{
    double begin = cpu_seconds(), spent;
    usec_t offset = 0, found;
    unsigned long n = 0;
    do {
        for (unsigned i = 0; i < BATCH; i++, n++) {
            offset = (offset + STRIDE) % SPAN;
            move(calendar, zone, BEGIN + offset, &found);
        }
        spent = cpu_seconds() - begin;
    } while (spent < seconds);
    return (double)n / spent;
}

static int measure(size_t i, double seconds)
{
    CLEANUP(error_freep) Error *error = NULL;
    CLEANUP(calendar_freep) Calendar *calendar = NULL;
    CLEANUP(zone_freep) Zone *zone = NULL;
    if ((expressions[i].cron ? calendar_parse_cron : calendar_parse)(expressions[i].text, &calendar, &error) < 0 ||
        zone_load(expressions[i].zone, &zone, &error) < 0) {
        fprintf(stderr, "slots: %s: %s\n", expressions[i].text, error->message);
        return -1;
    }
    printf("{\"text\": \"%s\", \"zone\": \"%s\", \"next\": %.0f, \"previous\": %.0f}\n", expressions[i].text,
           expressions[i].zone, rate(calendar_next, calendar, zone, seconds),
           rate(calendar_previous, calendar, zone, seconds));
    return 0;
}

int main(int argc, char **argv)
{
    double seconds = argc == 2 ? strtod(argv[1], NULL) : 0;
    if (seconds <= 0) {
        fprintf(stderr, "usage: slots SECONDS\n");
        return 125;
    }
    for (size_t i = 0; i < ARRAY_SIZE(expressions); i++)
        if (measure(i, seconds) < 0)
            return 125;
    return 0;
}
