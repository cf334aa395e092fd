#include "config.h"

#include "base/log.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/journal-socket.h"
#include "base/str.h"
#include "base/vec.h"

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

Log log_open(LogTarget target)
{
    return (Log){
        .target = target,
        .under_journal = stderr_is_journal(),
        .colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR"),
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
    *VEC_ADD(&texts) = xstrdup("SYSLOG_IDENTIFIER=imagekeeper");
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
