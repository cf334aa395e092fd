/* The simulator's own clock, which control and a file can shift, and the two date formats of the API. */
#include "clock.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static _Atomic int64_t shift;
static const _Atomic int64_t *file_shift; /* NULL without a file */

bool clock_use_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *memory = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*file_shift), PROT_READ, MAP_SHARED, fd, 0);

    if (fd >= 0) {
        close(fd);
    }
    if (memory == MAP_FAILED) {
        return false;
    }
    file_shift = memory;
    return true;
}

void clock_shift(int64_t nanoseconds)
{
    atomic_store(&shift, nanoseconds);
}

void clock_advance(int64_t nanoseconds)
{
    atomic_fetch_add(&shift, nanoseconds);
}

int64_t clock_shifted(void)
{
    return atomic_load(&shift);
}

int64_t clock_shifted_by_file(void)
{
    return file_shift == NULL ? 0 : atomic_load(file_shift);
}

int64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * CLOCK_SECOND + now.tv_nsec + clock_shifted() + clock_shifted_by_file();
}

time_t clock_seconds(void)
{
    return (time_t)(clock_now() / CLOCK_SECOND);
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

static void rfc3339(int64_t when, bool fraction, char text[CLOCK_TEXT])
{
    struct tm parts;
    time_t seconds = (time_t)(when / CLOCK_SECOND);
    int used;

    gmtime_r(&seconds, &parts);
    used = snprintf(text, CLOCK_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", (parts.tm_year + 1900) % 10000, parts.tm_mon + 1,
                    parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    if (fraction) {
        used += snprintf(text + used, CLOCK_TEXT - (size_t)used, ".%03d", (int)(when % CLOCK_SECOND / 1000000));
    }
    snprintf(text + used, CLOCK_TEXT - (size_t)used, "Z");
}

void clock_rfc3339(int64_t when, char text[CLOCK_TEXT])
{
    rfc3339(when, true, text);
}

void clock_rfc3339_seconds(int64_t when, char text[CLOCK_TEXT])
{
    rfc3339(when, false, text);
}

bool clock_parse_rfc3339(const char *text, int64_t *when)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);

    if (rest == NULL) {
        return false;
    }
    rest += *rest == '.' ? 1 + strspn(rest + 1, "0123456789") : 0;
    *when = timegm(&parts) * CLOCK_SECOND;
    return strcmp(rest, "Z") == 0;
}
