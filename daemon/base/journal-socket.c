#include "config.h"

#include "base/journal-socket.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
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
    uint64_t lost; /* entries since the last one that could be written */
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

/* The native protocol of the journal: a value with a line break in it is preceded by its length. */
static void add_part(const struct iovec *part, Str *out)
{
    const char *text = part->iov_base, *value = memchr(text, '=', part->iov_len);
    if (!value)
        return;
    if (!memchr(text, '\n', part->iov_len)) {
        str_addn(out, text, part->iov_len);
    } else {
        size_t name = (size_t)(value - text), size = part->iov_len - name - 1;
        uint64_t length = htole64(size);
        str_addn(out, text, name);
        str_addc(out, '\n');
        str_addn(out, (const char *)&length, sizeof(length));
        str_addn(out, value + 1, size);
    }
    str_addc(out, '\n');
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

/* What is too large for a datagram goes as a file, which libsystemd knows how to do. */
static bool put(const JournalSocket *s, const struct iovec *parts, size_t n, int patience_msec)
{
    CLEANUP(str_done) Str text = {0};
    for (size_t i = 0; i < n; i++)
        add_part(&parts[i], &text);
    if (send(s->fd, text.data, text.len, MSG_NOSIGNAL) >= 0)
        return true;
    if (errno == EAGAIN && has_room(s, patience_msec))
        return send(s->fd, text.data, text.len, MSG_NOSIGNAL) >= 0;
    return errno == EMSGSIZE && has_room(s, patience_msec) && sd_journal_sendv(parts, (int)n) >= 0;
}

static bool tell_lost(const JournalSocket *s)
{
    CLEANUP(freep)
    char *message = xasprintf("MESSAGE=%llu entries could not be written to the journal, which took none for a while",
                              (unsigned long long)s->lost);
    CLEANUP(freep) char *priority = xasprintf("PRIORITY=%d", LOG_WARNING);
    char identifier[] = "SYSLOG_IDENTIFIER=imagekeeper";
    const struct iovec parts[] = {
        {message, strlen(message)}, {priority, strlen(priority)}, {identifier, strlen(identifier)}};
    return put(s, parts, ARRAY_SIZE(parts), 0);
}

void journal_socket_send(JournalSocket *s, const struct iovec *parts, size_t n)
{
    if (find(s) && (s->lost == 0 || tell_lost(s)) && put(s, parts, n, s->lost ? 0 : PATIENCE_MSEC))
        s->lost = 0;
    else
        s->lost++;
}
