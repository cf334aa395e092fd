#include "config.h"

#include "http/multi.h"

#include <sys/epoll.h>
#include <sys/queue.h>

#include "base/alloc.h"
#include "base/clock.h"

#define CONNECTIONS_KEPT 64L

typedef struct Socket {
    Multi *multi;
    curl_socket_t fd;
    sd_event_source *io;
    LIST_ENTRY(Socket) others;
} Socket;

struct Multi {
    CURLM *curl;
    sd_event *loop;
    sd_event_source *timer;
    multi_over_fn over;
    LIST_HEAD(Sockets, Socket) sockets;
};

/* The message dies with curl_multi_remove_handle, so it is copied first; several may be there at once. */
static void drain(Multi *multi)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(multi->curl, &left));) {
        CURL *easy = m->easy_handle;
        CURLcode result = m->data.result;
        if (m->msg == CURLMSG_DONE)
            multi->over(easy, result);
    }
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    (void)source;
    Socket *s = userdata;
    Multi *multi = s->multi; /* the socket may be gone afterwards */
    int action = 0, running;
    if (revents & (EPOLLIN | EPOLLHUP))
        action |= CURL_CSELECT_IN;
    if (revents & EPOLLOUT)
        action |= CURL_CSELECT_OUT;
    if (revents & EPOLLERR)
        action |= CURL_CSELECT_ERR;
    curl_multi_socket_action(multi->curl, fd, action, &running);
    drain(multi);
    return 0;
}

static void socket_free(Socket *s)
{
    LIST_REMOVE(s, others);
    sd_event_source_disable_unref(s->io);
    free(s);
}

static Socket *socket_find(Multi *multi, curl_socket_t fd)
{
    Socket *s = LIST_FIRST(&multi->sockets);
    while (s && s->fd != fd)
        s = LIST_NEXT(s, others);
    return s;
}

static void socket_watch(Multi *multi, curl_socket_t fd, uint32_t events)
{
    Socket *s = xcalloc(1, sizeof(*s));
    s->multi = multi;
    s->fd = fd;
    LIST_INSERT_HEAD(&multi->sockets, s, others);
    if (sd_event_add_io(multi->loop, &s->io, fd, events, on_io, s) < 0)
        socket_free(s); /* the timeouts end what hangs on it */
    else
        curl_multi_assign(multi->curl, fd, s);
}

/* Always 0: anything else would fail every transfer, for good. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *assigned)
{
    (void)easy;
    Multi *multi = userdata;
    Socket *s = socket_find(multi, fd);
    uint32_t events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) | (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    /* Without `assigned` this is a new socket, and what is known under its number belongs to one long closed. */
    if (s && (what == CURL_POLL_REMOVE || !assigned || sd_event_source_set_io_events(s->io, events) < 0)) {
        socket_free(s);
        s = NULL;
    }
    if (!s && what != CURL_POLL_REMOVE)
        socket_watch(multi, fd, events);
    return 0;
}

static int on_timer(sd_event_source *source, uint64_t now, void *userdata)
{
    (void)source;
    (void)now;
    Multi *multi = userdata;
    int running;
    curl_multi_socket_action(multi->curl, CURL_SOCKET_TIMEOUT, 0, &running);
    drain(multi);
    return 0;
}

/* Called from inside libcurl: arms and nothing else. */
static int on_timeout(CURLM *curl, long msec, void *userdata)
{
    (void)curl;
    Multi *multi = userdata;
    if (msec < 0) {
        sd_event_source_set_enabled(multi->timer, SD_EVENT_OFF);
    } else {
        sd_event_source_set_time(multi->timer, clock_monotonic() + (usec_t)msec * USEC_PER_MSEC);
        sd_event_source_set_enabled(multi->timer, SD_EVENT_ONESHOT);
    }
    return 0;
}

static int set_up_curl(Multi *multi, Error **err)
{
    multi->curl = curl_multi_init();
    if (!multi->curl || curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
        curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi) != CURLM_OK ||
        curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, on_timeout) != CURLM_OK ||
        curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi) != CURLM_OK ||
        curl_multi_setopt(multi->curl, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) != CURLM_OK ||
        curl_multi_setopt(multi->curl, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT) != CURLM_OK)
        return error_set(err, ERROR_LOCAL, "cannot set up libcurl");
    return 0;
}

int multi_new(sd_event *loop, multi_over_fn over, Multi **ret, Error **err)
{
    CLEANUP(multi_freep) Multi *multi = xcalloc(1, sizeof(*multi));
    multi->loop = sd_event_ref(loop);
    multi->over = over;
    LIST_INIT(&multi->sockets);
    /* An accuracy of 0 would mean 250 ms. */
    int r = sd_event_add_time(loop, &multi->timer, CLOCK_MONOTONIC, 0, 1, on_timer, multi);
    if (r >= 0)
        r = sd_event_source_set_enabled(multi->timer, SD_EVENT_OFF);
    if (r < 0)
        return error_set_errno(err, ERROR_LOCAL, -r, "cannot watch the time of HTTP transfers");
    if (set_up_curl(multi, err) < 0)
        return -1;
    *ret = TAKE(multi);
    return 0;
}

void multi_free(Multi *multi)
{
    if (!multi)
        return;
    /* This may still call on_socket and on_timeout. */
    curl_multi_cleanup(multi->curl);
    for (Socket *s = LIST_FIRST(&multi->sockets), *next; s; s = next) {
        next = LIST_NEXT(s, others);
        socket_free(s);
    }
    sd_event_source_disable_unref(multi->timer);
    sd_event_unref(multi->loop);
    free(multi);
}

int multi_add(Multi *multi, CURL *easy, Error **err)
{
    CURLMcode code = curl_multi_add_handle(multi->curl, easy);
    return code == CURLM_OK ? 0 : error_set(err, ERROR_LOCAL, "%s", curl_multi_strerror(code));
}

void multi_remove(Multi *multi, CURL *easy)
{
    curl_multi_remove_handle(multi->curl, easy);
}
