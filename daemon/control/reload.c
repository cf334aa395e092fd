#include "config.h"

#include "control/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "control/runtime.h"

#define RECORD_SIZE 8192 /* bytes */
#define REFUSAL_MAX 4000 /* bytes */
#define PATIENCE (60 * USEC_PER_SEC)
#define GLANCE_MSEC 200 /* how often it is seen to that the daemon still runs */

/* One line: the daemon's process id, how many reloads began and ended, and why the last one was refused. Then blanks:
 * each record is as long as any. */
static void make_record(const Reloads *reloads, uint64_t ended, const char *refusal, char record[static RECORD_SIZE])
{
    CLEANUP(freep) char *line = refusal ? str_printable(refusal, REFUSAL_MAX) : NULL;
    memset(record, '\n', RECORD_SIZE);
    int n = snprintf(record, RECORD_SIZE, "%jd %" PRIu64 " %" PRIu64 " %s\n", (intmax_t)getpid(), reloads->begun, ended,
                     line ? line : "");
    if (n > 0 && n < RECORD_SIZE)
        record[n] = '\n';
}

/* Writes over the spare, which keeps its place on the disk, and lets the two change places: that needs no room. */
static bool exchange(const char *path, const char *spare, const char record[static RECORD_SIZE])
{
    struct stat st;
    CLEANUP(closep) int fd = open(spare, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == RECORD_SIZE &&
           pwrite(fd, record, RECORD_SIZE, 0) == RECORD_SIZE &&
           renameat2(AT_FDCWD, spare, AT_FDCWD, path, RENAME_EXCHANGE) == 0;
}

static char *spare_of(const char *path)
{
    return xasprintf("%s.spare", path);
}

static int put(const Reloads *reloads, uint64_t ended, const char *refusal, Error **err)
{
    if (!reloads->folder)
        return 0;
    char record[RECORD_SIZE];
    CLEANUP(freep) char *path = xasprintf("%s/reload", reloads->folder);
    CLEANUP(freep) char *spare = spare_of(path);
    make_record(reloads, ended, refusal, record);
    return exchange(path, spare, record) ? 0 : file_replace(path, 0600, record, RECORD_SIZE, err);
}

void reload_open(Reloads *reloads, const char *folder)
{
    *reloads = (Reloads){.folder = folder};
    if (!folder)
        return;
    char record[RECORD_SIZE];
    CLEANUP(freep) char *path = xasprintf("%s/reload", folder);
    CLEANUP(freep) char *spare = spare_of(path);
    make_record(reloads, 0, NULL, record);
    /* Where there is no room now there may be later: put() tells whether there is. */
    if (file_replace(path, 0600, record, RECORD_SIZE, NULL) == 0)
        file_replace(spare, 0600, record, RECORD_SIZE, NULL);
}

int reload_begin(Reloads *reloads, Error **err)
{
    reloads->begun++;
    return put(reloads, reloads->begun - 1, NULL, err);
}

int reload_end(const Reloads *reloads, const char *refusal, Error **err)
{
    return put(reloads, reloads->begun, refusal, err);
}

typedef struct Record {
    uint64_t begun, ended;
    char *refusal; /* "": none */
} Record;

static void record_done(Record *r)
{
    free(TAKE(r->refusal));
}

/* What an earlier process of the same directory left there says nothing about this one. */
static int get(const char *path, pid_t pid, Record *ret, Error **err)
{
    CLEANUP(freep) char *text = NULL;
    size_t size = 0;
    Record r = {0};
    if (access(path, F_OK) < 0 && errno == ENOENT) {
        *ret = r;
        return 0;
    }
    if (file_read(path, RECORD_SIZE, &text, &size, err) < 0)
        return -1;
    char *rest = text;
    if (strtoimax(rest, &rest, 10) == pid) {
        r.begun = strtoumax(rest, &rest, 10);
        r.ended = strtoumax(rest, &rest, 10);
        r.refusal = xstrdup(str_strip(rest));
    }
    *ret = r;
    return 0;
}

static void wait_change(int watch)
{
    char events[4096];
    struct pollfd p = {.fd = watch, .events = POLLIN};
    if (poll(&p, 1, GLANCE_MSEC) > 0)
        while (read(watch, events, sizeof(events)) > 0)
            ;
}

static int no_answer(const char *path, Error **err)
{
    return error_set(err, ERROR_LOCAL,
                     "the daemon has not told in %u s that it has reloaded: its journal says what became of it, and "
                     "whether there is no room for %s",
                     (unsigned)(PATIENCE / USEC_PER_SEC), path);
}

static int wait_answer(const char *path, pid_t pid, int watch, uint64_t begun_before, Error **err)
{
    for (usec_t end = clock_monotonic() + PATIENCE; clock_monotonic() < end; wait_change(watch)) {
        CLEANUP(record_done) Record r = {0};
        bool runs = kill(pid, 0) == 0; /* before the look: its last words count */
        if (get(path, pid, &r, err) < 0)
            return -1;
        if (r.ended > begun_before)
            return r.refusal && *r.refusal ? error_set(err, ERROR_SPEC, "%s", r.refusal) : 0;
        if (!runs)
            return error_set(err, ERROR_LOCAL, "the daemon ended before it had reloaded");
    }
    return no_answer(path, err);
}

int reload_ask(pid_t pid, Error **err)
{
    CLEANUP(freep) char *folder = runtime_folder(NULL);
    CLEANUP(freep) char *path = xasprintf("%s/reload", folder);
    if (access(folder, W_OK) < 0 && errno == EROFS)
        return error_set(err, ERROR_LOCAL,
                         "%s is read-only, so that the daemon could not say how the reload ended: nothing was reloaded",
                         folder);
    CLEANUP(closep) int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch < 0 || inotify_add_watch(watch, folder, IN_MOVED_TO) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s: cannot be watched", folder);
    /* A reload that has begun by now may have read the files before they were changed: the next one is ours. */
    CLEANUP(record_done) Record before = {0};
    if (get(path, pid, &before, err) < 0)
        return -1;
    if (kill(pid, SIGHUP) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "process %jd cannot be told to reload", (intmax_t)pid);
    return wait_answer(path, pid, watch, before.begun, err);
}
