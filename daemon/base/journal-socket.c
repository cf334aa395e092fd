#include "config.h"

#include "base/journal-socket.h"

#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include "base/str.h"

#define PATH "/run/systemd/journal/socket"
#define PATIENCE_MSEC 1000

struct JournalSocket {
    int fd;
    uint64_t lost; /* entries that could not be written, and that has not been told */
    bool was_used;
};

JournalSocket *journal_socket_new(void)
{
    JournalSocket *s = xcalloc(1, sizeof(*s));
    s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return s;
}

void journal_socket_free(JournalSocket *s)
{
    if (!s)
        return;
    closep(&s->fd);
    free(s);
}

/* The journal that is there now, which may not be the one that was: then poll() tells of its queue too. */
static bool find(const JournalSocket *s)
{
    static const struct sockaddr_un journal = {.sun_family = AF_UNIX, .sun_path = PATH};
    return s->fd >= 0 && connect(s->fd, (const struct sockaddr *)&journal, sizeof(journal)) == 0;
}

static bool has_room(const JournalSocket *s, int patience_msec)
{
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    return poll(&p, 1, patience_msec) > 0 && p.revents & POLLOUT;
}

/* Somebody else may take the room between the look and the write, but only while the queue is about to be full. */
static bool put(JournalSocket *s, const struct iovec *parts, size_t n, int patience_msec)
{
    if (!has_room(s, patience_msec) || sd_journal_sendv(parts, (int)n) < 0)
        return false;
    s->was_used = true;
    return true;
}

static bool tell_lost(JournalSocket *s)
{
    CLEANUP(freep)
    char *message = xasprintf("MESSAGE=%llu entr%s could not be written to the journal, which took none for a while",
                              (unsigned long long)s->lost, s->lost == 1 ? "y" : "ies");
    CLEANUP(freep) char *priority = xasprintf("PRIORITY=%d", LOG_WARNING);
    char identifier[] = "SYSLOG_IDENTIFIER=imagekeeper";
    const struct iovec parts[] = {
        {message, strlen(message)}, {priority, strlen(priority)}, {identifier, strlen(identifier)}};
    if (!put(s, parts, ARRAY_SIZE(parts), 0))
        return false;
    s->lost = 0;
    return true;
}

void journal_socket_send(JournalSocket *s, const struct iovec *parts, size_t n)
{
    int patience_msec = s->lost ? 0 : PATIENCE_MSEC;
    if (!find(s) || (s->lost && !tell_lost(s)) || !put(s, parts, n, patience_msec))
        s->lost++;
}

bool journal_socket_was_used(const JournalSocket *s)
{
    return s->was_used;
}
