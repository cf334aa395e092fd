#include "config.h"

#include "control/watch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/vec.h"

/* So long nothing more may happen; but who writes all the time is not waited for for ever. */
#define SETTLE (USEC_PER_SEC / 5)
#define SETTLE_MAX USEC_PER_SEC
/* Taking in a change may cost a quarter of the time. */
#define REST_FACTOR 3
/* Those that could not be made are tried again. */
#define RETRY (10 * USEC_PER_SEC)

#define LINKS_MAX 40
#define FOLDERS_MAX 4096
#define DEPTH_MAX 32
#define MASK                                                                                                           \
    (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF |               \
     IN_MOVE_SELF | IN_ONLYDIR)

/* One folder that is watched. */
typedef struct Point {
    int wd;
    char *name; /* only what happens to this entry of it counts; NULL: whatever happens */
} Point;

struct Watch {
    sd_event *loop;
    char *path;
    watch_changed_fn changed;
    void *userdata;
    int fd; /* of inotify; -1: none */
    sd_event_source *io, *timer;
    VEC(Point) points;
    usec_t first;      /* monotonic: of the changes that are not told yet; 0: there are none */
    usec_t rest_until; /* monotonic: nothing is told before */
};

static void forget(Watch *w)
{
    w->io = sd_event_source_disable_unref(w->io);
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
    for (size_t i = 0; i < w->points.n; i++)
        free(w->points.items[i].name);
    VEC_DONE(&w->points);
}

static int add_point(Watch *w, const char *folder, const char *name)
{
    if (w->points.n >= FOLDERS_MAX) {
        errno = ENOSPC;
        return -1;
    }
    int wd = inotify_add_watch(w->fd, folder, MASK);
    if (wd < 0)
        return -1;
    *VEC_ADD(&w->points) = (Point){.wd = wd, .name = xstrdup(name)};
    return 0;
}

/* The folder that holds the last step of `path`, or as much of it as is there: it is cut down to that; the step below
 * it, borrowed from `path`. */
static const char *cut_step(char *path)
{
    char *slash = strrchr(path, '/');
    while (slash) {
        *slash = 0;
        struct stat st;
        if (stat(*path ? path : "/", &st) == 0 && S_ISDIR(st.st_mode))
            return slash + 1;
        char *above = strrchr(path, '/');
        slash = above;
    }
    return NULL;
}

/* Where a link at `path` leads to; NULL: there is none. The caller frees it. */
static char *follow(const char *path)
{
    char target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof(target));
    if (n <= 0 || (size_t)n >= sizeof(target))
        return NULL;
    const char *slash = strrchr(path, '/');
    if (target[0] == '/' || !slash)
        return xstrndup(target, (size_t)n);
    return xasprintf("%.*s/%.*s", (int)(slash - path), path, (int)n, target);
}

/* Each link on the way may be flipped, and the end of the way may come and go. */
static void watch_way(Watch *w)
{
    CLEANUP(freep) char *at = xstrdup(w->path);
    for (int i = 0; at && i < LINKS_MAX; i++) {
        CLEANUP(freep) char *folder = xstrdup(at);
        const char *step = cut_step(folder);
        if (step)
            add_point(w, *folder ? folder : "/", step);
        char *next = follow(at);
        free(at);
        at = next;
    }
}

static int watch_tree(Watch *w, const char *folder, int depth);

static int watch_entry(Watch *w, const char *folder, const struct dirent *entry, int depth)
{
    struct stat st;
    CLEANUP(freep) char *path = xasprintf("%s/%s", folder, entry->d_name);
    if (entry->d_name[0] == '.' || entry->d_type == DT_REG || stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return 0;
    return watch_tree(w, path, depth + 1);
}

/* -1: not all of it can be watched. A folder that has just gone is none. */
static int watch_tree(Watch *w, const char *folder, int depth)
{
    if (depth > DEPTH_MAX || (add_point(w, folder, NULL) < 0 && errno != ENOENT && errno != ENOTDIR))
        return -1;
    DIR *dir = opendir(folder);
    int r = 0;
    for (const struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
        r = watch_entry(w, folder, e, depth) < 0 ? -1 : r;
    if (dir)
        closedir(dir);
    return r;
}

static int on_events(sd_event_source *source, int fd, uint32_t revents, void *userdata);

static int build(Watch *w, Error **err)
{
    forget(w);
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be watched for changes", w->path);
    watch_way(w);
    if (watch_tree(w, w->path, 0) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be watched whole for changes", w->path);
    int r = sd_event_add_io(w->loop, &w->io, w->fd, EPOLLIN, on_events, w);
    if (r < 0)
        return error_set_errno(err, ERROR_LOCAL, -r, "%s cannot be watched for changes", w->path);
    return 0;
}

static void arm(Watch *w, usec_t when)
{
    sd_event_source_set_time(w->timer, when);
    sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

static bool counts(const Watch *w, const struct inotify_event *event)
{
    if (event->mask & (IN_Q_OVERFLOW | IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF))
        return true;
    for (size_t i = 0; i < w->points.n; i++) {
        const Point *p = &w->points.items[i];
        if (p->wd == event->wd && (!p->name || (event->len && streq(p->name, event->name))))
            return true;
    }
    return false;
}

static void note_change(Watch *w)
{
    usec_t now = clock_monotonic();
    if (!w->first)
        w->first = now;
    usec_t when = now + SETTLE < w->first + SETTLE_MAX ? now + SETTLE : w->first + SETTLE_MAX;
    arm(w, when > w->rest_until ? when : w->rest_until);
}

static int on_events(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    (void)source;
    (void)revents;
    Watch *w = userdata;
    char buffer[64 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n = read(fd, buffer, sizeof(buffer));
    for (const char *p = buffer; n > 0 && p < buffer + n;) {
        const struct inotify_event *event = (const struct inotify_event *)p;
        if (counts(w, event))
            note_change(w);
        p += sizeof(*event) + event->len;
    }
    return 0;
}

/* Watches again before it tells, so that what happens meanwhile is told next. */
static int on_settled(sd_event_source *source, uint64_t now, void *userdata)
{
    (void)source;
    (void)now;
    Watch *w = userdata;
    usec_t started = clock_monotonic();
    bool whole = build(w, NULL) == 0;
    w->first = 0;
    w->changed(w->userdata);
    usec_t ended = clock_monotonic();
    w->rest_until = ended + REST_FACTOR * (ended - started);
    if (!whole)
        arm(w, ended + RETRY);
    return 0;
}

static char *absolute(const char *path)
{
    CLEANUP(freep) char *here = *path == '/' ? NULL : getcwd(NULL, 0);
    return here ? xasprintf("%s/%s", here, path) : xstrdup(path);
}

int watch_new(sd_event *loop, const char *path, watch_changed_fn changed, void *userdata, Watch **ret, Error **err)
{
    CLEANUP(watch_freep) Watch *w = xcalloc(1, sizeof(*w));
    *w =
        (Watch){.loop = sd_event_ref(loop), .path = absolute(path), .changed = changed, .userdata = userdata, .fd = -1};
    int r = sd_event_add_time(loop, &w->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_settled, w);
    if (r < 0)
        return error_set_errno(err, ERROR_LOCAL, -r, "%s cannot be watched for changes", path);
    sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
    if (build(w, err) < 0)
        return -1;
    *ret = TAKE(w);
    return 0;
}

void watch_free(Watch *w)
{
    if (!w)
        return;
    forget(w);
    sd_event_source_disable_unref(w->timer);
    sd_event_unref(w->loop);
    free(w->path);
    free(w);
}
