/*
 * Preloaded, it shifts the wall clock of a program by the nanoseconds (a 64-bit number) in the file CLOCK_SHIM_FILE,
 * which may change while the program runs. Monotonic clocks stay as they are. libfaketime will not do: it takes every
 * timerfd for one of the wall clock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define DESCRIPTORS 4096

typedef int clock_gettime_fn(clockid_t, struct timespec *);
typedef int timerfd_create_fn(int, int);
typedef int timerfd_settime_fn(int, int, const struct itimerspec *, struct itimerspec *);

static clock_gettime_fn *real_gettime;
static timerfd_create_fn *real_create;
static timerfd_settime_fn *real_settime;
static const volatile int64_t *shift; /* NULL: no file */
static bool of_wall_clock[DESCRIPTORS];

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("CLOCK_SHIM_FILE");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    void *memory = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*shift), PROT_READ, MAP_SHARED, fd, 0);

    real_create = (timerfd_create_fn *)dlsym(RTLD_NEXT, "timerfd_create");
    real_settime = (timerfd_settime_fn *)dlsym(RTLD_NEXT, "timerfd_settime");
    real_gettime = (clock_gettime_fn *)dlsym(RTLD_NEXT, "clock_gettime");
    shift = memory == MAP_FAILED ? NULL : memory;
    if (fd >= 0) {
        close(fd);
    }
}

static void add(struct timespec *time, int64_t nanoseconds)
{
    int64_t sum = time->tv_sec * SECOND + time->tv_nsec + nanoseconds;

    time->tv_sec = sum / SECOND;
    time->tv_nsec = sum % SECOND;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    /* Sanitizers ask for the time before constructors have run. */
    int result = real_gettime == NULL ? (int)syscall(SYS_clock_gettime, clock, time) : real_gettime(clock, time);

    if (result == 0 && shift != NULL && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        add(time, *shift);
    }
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *result)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (result != NULL) {
        *result = now.tv_sec;
    }
    return now.tv_sec;
}

int timerfd_create(int clock, int flags)
{
    int fd = real_create(clock, flags);

    if (fd >= 0 && fd < DESCRIPTORS) {
        of_wall_clock[fd] = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
    }
    return fd;
}

/* The kernel's clock is not shifted. A later change of the shift does not move a timer that is set. */
int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
    struct itimerspec moved = *value;
    bool armed = moved.it_value.tv_sec != 0 || moved.it_value.tv_nsec != 0;

    if (fd >= 0 && fd < DESCRIPTORS && of_wall_clock[fd] && (flags & TFD_TIMER_ABSTIME) != 0 && armed &&
        shift != NULL) {
        add(&moved.it_value, -*shift);
        if (moved.it_value.tv_sec < 0) {
            moved.it_value = (struct timespec){.tv_nsec = 1};
        }
    }
    return real_settime(fd, flags, &moved, old);
}
