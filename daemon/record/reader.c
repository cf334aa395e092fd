#include "config.h"

#include "record/reader.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

#include "base/vec.h"

#define PROBLEMS_MAX 8
#define FIELDS_MAX 4096 /* of an entry; the journal takes 1024 */

struct Reader {
    sd_journal *journal;
    const char *directory;
    const HistoryFilter *filter;
    bool backwards, started;
    uint64_t usage; /* of the files that the library reads; it drops those that it cannot read on */
    size_t broken;
    size_t files; /* that can be read */
    int stop_fd;  /* negative: nobody stops it */
    VEC(char *) problems;
};

/* What is done with each file. */
typedef void Visit(Reader *r, const char *path);

void reader_free(Reader *r)
{
    if (!r)
        return;
    sd_journal_close(r->journal);
    for (size_t i = 0; i < r->problems.n; i++)
        free(r->problems.items[i]);
    VEC_DONE(&r->problems);
    free(r);
}

const char *reader_problem(const Reader *r, size_t i)
{
    return i < r->problems.n ? r->problems.items[i] : NULL;
}

size_t reader_broken(const Reader *r)
{
    return r->broken;
}

bool reader_is_stopped(const Reader *r)
{
    struct pollfd fd = {.fd = r->stop_fd, .events = POLLIN}; /* a negative one is passed over */
    return poll(&fd, 1, 0) > 0;
}

static bool is_journal_file(const char *name)
{
    size_t n = strlen(name);
    return (n > 8 && streq(name + n - 8, ".journal")) || (n > 9 && streq(name + n - 9, ".journal~"));
}

static void note(Reader *r, const char *format, ...) PRINTF(2, 3);
static void note(Reader *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *text = xvasprintf(format, args);
    va_end(args);
    bool known = r->problems.n >= PROBLEMS_MAX;
    for (size_t i = 0; i < r->problems.n; i++)
        known |= streq(r->problems.items[i], text);
    if (!known)
        *VEC_ADD(&r->problems) = TAKE(text);
}

static void note_unread(Reader *r, const char *path, int error)
{
    bool denied = error == EACCES || error == EPERM;
    note(r, "%s cannot be read: %s%s", path, strerror(error),
         denied ? "; run this with sudo, or as a member of the group systemd-journal"
                : "; what it holds is left out (journalctl --verify tells more)");
}

/* The library goes over files that it cannot read without a word, so each is tried by itself. */
static void try_file(Reader *r, const char *path)
{
    const char *paths[] = {path, NULL};
    sd_journal *journal = NULL;
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0) /* gone meanwhile, or just being made */
        return;
    int error = sd_journal_open_files(&journal, paths, 0);
    sd_journal_close(journal);
    if (error >= 0)
        r->files++;
    else if (error != -ENOENT)
        note_unread(r, path, -error);
}

/* "0123…" or "0123….namespace", of any machine if `machine` is NULL */
static bool is_machine_folder(const char *name, const char *machine)
{
    size_t n = strspn(name, "0123456789abcdef");
    return n == 32 && (!name[n] || name[n] == '.') && (!machine || memcmp(name, machine, n) == 0);
}

/* Journal files are in a folder, or in folders of machines below it. */
static void visit_folder(Reader *r, const char *folder, const char *machine, bool top, Visit *visit)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        if (errno != ENOENT)
            note_unread(r, folder, errno);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir));) {
        CLEANUP(freep) char *path = xasprintf("%s/%s", folder, entry->d_name);
        if (is_journal_file(entry->d_name))
            visit(r, path);
        else if (top && is_machine_folder(entry->d_name, machine))
            visit_folder(r, path, machine, false, visit);
    }
    closedir(dir);
}

static void visit_files(Reader *r, Visit *visit)
{
    char machine[SD_ID128_STRING_MAX];
    sd_id128_t id;
    if (r->directory) {
        visit_folder(r, r->directory, NULL, true, visit);
        return;
    }
    const char *known = sd_id128_get_machine(&id) >= 0 ? sd_id128_to_string(id, machine) : NULL;
    visit_folder(r, "/run/log/journal", known, true, visit);
    visit_folder(r, "/var/log/journal", known, true, visit);
}

static int find_files(Reader *r, Error **err)
{
    visit_files(r, try_file);
    if (r->files)
        return 0;
    if (r->problems.n)
        return error_set(err, ERROR_LOCAL, "%s", r->problems.items[0]);
    if (r->directory)
        return error_set(err, ERROR_LOCAL,
                         "%s: there is no journal in it; it must hold *.journal files, or be a folder such as "
                         "/var/log/journal",
                         r->directory);
    return error_set(err, ERROR_LOCAL,
                     "there is no journal on this machine, neither in /run/log/journal nor in /var/log/journal; is "
                     "systemd-journald running? See also --directory");
}

static int add_matches(const Reader *r, sd_journal *journal)
{
    for (Event event = 0; event < EVENT_MAX; event++) {
        CLEANUP(freep)
        char *match = xasprintf("%s=%s", entry_field_name(ENTRY_MESSAGE_ID), event_message_id(event));
        int error = r->filter->events[event] ? sd_journal_add_match(journal, match, 0) : 0;
        if (error < 0)
            return error;
    }
    return 0;
}

/* From the first one (or the last), not from `since`: where the clock was set back, times do not rise. */
static int begin(const Reader *r, sd_journal *journal)
{
    return r->backwards ? sd_journal_seek_tail(journal) : sd_journal_seek_head(journal);
}

static int advance(const Reader *r, sd_journal *journal)
{
    return r->backwards ? sd_journal_previous(journal) : sd_journal_next(journal);
}

/* A file in whose middle something is wrong ends there, and the library drops it without a word: by itself it is the
 * only one that can be dropped. */
static void walk_alone(Reader *r, const char *path)
{
    const char *paths[] = {path, NULL};
    sd_journal *journal = NULL;
    uint64_t usage = 0;
    if (sd_journal_open_files(&journal, paths, 0) < 0)
        return;
    if (add_matches(r, journal) >= 0 && begin(r, journal) >= 0)
        while (!reader_is_stopped(r) && advance(r, journal) > 0)
            continue;
    if (sd_journal_get_usage(journal, &usage) >= 0 && usage == 0)
        note(r, "%s is damaged, and not all of it could be read (journalctl --verify tells more)", path);
    sd_journal_close(journal);
}

/* At the end of a walk. Less is in use also when a file was cut or deleted by its owner, so each is looked at. */
static void look_for_dropped(Reader *r)
{
    uint64_t usage;
    if (sd_journal_get_usage(r->journal, &usage) < 0)
        return;
    if (usage < r->usage)
        visit_files(r, walk_alone);
    r->usage = usage;
}

int reader_open(const char *directory, const HistoryFilter *filter, bool backwards, Reader **ret, Error **err)
{
    CLEANUP(reader_freep) Reader *r = xcalloc(1, sizeof(*r));
    struct stat st;
    r->filter = filter;
    r->directory = directory;
    r->backwards = backwards;
    r->stop_fd = -1;
    if (directory && stat(directory, &st) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s", directory);
    if (directory && !S_ISDIR(st.st_mode))
        return error_set(err, ERROR_LOCAL, "%s: this is no directory; name the one that the *.journal files are in",
                         directory);
    if (find_files(r, err) < 0)
        return -1;
    int error = directory
                    ? sd_journal_open_directory(&r->journal, directory, 0)
                    : sd_journal_open_namespace(&r->journal, NULL, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_ALL_NAMESPACES);
    if (error >= 0)
        error = sd_journal_set_data_threshold(r->journal, HISTORY_FIELD_MAX + 1);
    if (error >= 0)
        error = add_matches(r, r->journal);
    if (error >= 0)
        error = sd_journal_get_usage(r->journal, &r->usage);
    if (error < 0)
        return error_set_errno(err, ERROR_LOCAL, -error, "the journal cannot be opened");
    *ret = TAKE(r);
    return 0;
}

static int step(Reader *r)
{
    int error = r->started ? 0 : begin(r, r->journal);
    if (error < 0)
        return error;
    r->started = true;
    return advance(r, r->journal);
}

/* Negative: it cannot be read. Of what lies outside the times nothing is read, and *ret stays NULL. */
static int read_entry(Reader *r, HistoryRecord **ret)
{
    uint64_t time;
    int error = sd_journal_get_realtime_usec(r->journal, &time);
    if (error < 0 || time < r->filter->since || time > r->filter->until)
        return error;
    CLEANUP(history_record_freep) HistoryRecord *record = history_record_new(time);
    const void *data;
    size_t size;
    sd_journal_restart_data(r->journal);
    for (unsigned n = 0; n < FIELDS_MAX; n++) {
        error = sd_journal_enumerate_available_data(r->journal, &data, &size);
        if (error < 0)
            return error;
        if (error == 0)
            break;
        history_record_add(record, data, size);
    }
    *ret = TAKE(record);
    return 0;
}

int reader_next(Reader *r, HistoryRecord **ret, Error **err)
{
    while (!reader_is_stopped(r)) {
        int error = step(r);
        if (error < 0)
            return error_set_errno(err, ERROR_LOCAL, -error, "the journal cannot be read on");
        if (error == 0) {
            look_for_dropped(r);
            return 0;
        }
        CLEANUP(history_record_freep) HistoryRecord *record = NULL;
        if (read_entry(r, &record) < 0)
            r->broken++;
        else if (record && history_is_wanted(r->filter, record)) {
            *ret = TAKE(record);
            return 1;
        }
    }
    return 0;
}

int reader_watch(Reader *r, int stop_fd, Error **err)
{
    r->stop_fd = stop_fd;
    int fd = sd_journal_get_fd(r->journal);
    return fd < 0 ? error_set_errno(err, ERROR_LOCAL, -fd, "the journal cannot be followed") : 0;
}

/* Some file systems tell nothing of changes; the library says how often to look there. */
static int poll_timeout(sd_journal *journal)
{
    uint64_t until, now = clock_monotonic();
    if (sd_journal_get_timeout(journal, &until) < 0 || until == UINT64_MAX)
        return -1;
    uint64_t ms = until > now ? (until - now) / USEC_PER_MSEC + 1 : 0;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

int reader_wait(Reader *r, Error **err)
{
    struct pollfd fds[] = {{.fd = r->stop_fd, .events = POLLIN},
                           {.fd = STDOUT_FILENO},
                           {.fd = sd_journal_get_fd(r->journal), .events = POLLIN}};
    int events = sd_journal_get_events(r->journal);
    if (events >= 0)
        fds[2].events = (short)events;
    if (poll(fds, ARRAY_SIZE(fds), poll_timeout(r->journal)) < 0 && errno != EINTR)
        return error_set_errno(err, ERROR_LOCAL, errno, "the journal cannot be followed");
    if (fds[0].revents || fds[1].revents)
        return 0;
    int error = sd_journal_process(r->journal);
    return error < 0 ? error_set_errno(err, ERROR_LOCAL, -error, "the journal cannot be followed") : 1;
}
