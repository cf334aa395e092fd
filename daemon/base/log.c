#include "config.h"

#include "base/log.h"

#include <linux/sockios.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include "base/journal-socket.h"
#include "base/str.h"
#include "base/vec.h"

#define LOG_IDENTIFIER "imagekeeper"

/* JOURNAL_STREAM (systemd.exec(5)) names the device and inode of the journal's end of stderr. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    if (!stream || fstat(STDERR_FILENO, &st) < 0)
        return false;
    CLEANUP(freep) char *own = xasprintf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return streq(stream, own);
}

bool log_wants_colour(int fd)
{
    const char *no_colour = getenv("NO_COLOR");
    return isatty(fd) && !(no_colour && *no_colour);
}

Log log_open(LogTarget target)
{
    return (Log){
        .target = target,
        .under_journal = stderr_is_journal(),
        .colour = log_wants_colour(STDERR_FILENO),
        .journal = journal_socket_new(),
    };
}

void log_done(Log *log)
{
    journal_socket_free(TAKE(log->journal));
}

static void send_to_journal(const Log *log, int level, const char *message, const LogField *fields, size_t n)
{
    VEC(struct iovec) parts = {0};
    VEC(char *) texts = {0};
    *VEC_ADD(&texts) = xasprintf("MESSAGE=%s", message);
    *VEC_ADD(&texts) = xasprintf("PRIORITY=%d", level);
    *VEC_ADD(&texts) = xstrdup("SYSLOG_IDENTIFIER=" LOG_IDENTIFIER);
    for (size_t i = 0; i < n; i++)
        if (fields[i].value)
            *VEC_ADD(&texts) = xasprintf("%s=%s", fields[i].name, fields[i].value);
    for (size_t i = 0; i < texts.n; i++)
        *VEC_ADD(&parts) = (struct iovec){texts.items[i], strlen(texts.items[i])};
    journal_socket_send(log->journal, parts.items, parts.n);
    for (size_t i = 0; i < texts.n; i++)
        free(texts.items[i]);
    VEC_DONE(&texts);
    VEC_DONE(&parts);
}

static void send_to_stderr(const Log *log, int level, const char *message)
{
    const char *word = level <= LOG_ERR ? "error: " : level == LOG_WARNING ? "warning: " : "";
    const char *colour = !log->colour ? "" : level <= LOG_ERR ? "\033[31m" : level == LOG_WARNING ? "\033[33m" : "";
    fprintf(stderr, "imagekeeper: %s%s%s%s\n", colour, word, *colour ? "\033[0m" : "", message);
}

void log_send(const Log *log, int level, const char *message, const LogField *fields, size_t n)
{
    if (log->under_journal || log->target == LOG_TARGET_JOURNAL)
        send_to_journal(log, level, message, fields, n);
    else
        send_to_stderr(log, level, message);
}

#define FINISH_MS 2000

/* A stream to the journal makes it look up its writer when it takes the connection, and keep what it found for some
 * seconds; it has done so when the head that was sent first has been read. */
void log_finish(const Log *log)
{
    if (!journal_socket_was_used(log->journal))
        return;
    CLEANUP(closep) int fd = sd_journal_stream_fd(LOG_IDENTIFIER, LOG_INFO, 0);
    int unread;
    for (int ms = 0; fd >= 0 && ms < FINISH_MS && ioctl(fd, SIOCOUTQ, &unread) == 0 && unread > 0; ms++)
        poll(NULL, 0, 1);
}
