#include "config.h"

#include "http/fault-server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/str.h"

#define CONNECTIONS_MAX 512
#define TARGETS_MAX 64

struct FaultServer {
    const Fault *table;
    int fd, stop[2];
    unsigned port;
    pthread_t acceptor, threads[CONNECTIONS_MAX];
    pthread_mutex_t lock; /* for all that follows */
    unsigned n_connections, now, most, n_all;
    struct {
        char *target;
        unsigned n;
    } counts[TARGETS_MAX];
    char *last;
};

typedef struct Connection {
    FaultServer *server;
    int fd;
} Connection;

/* Until something can be read from `fd` (-1: nothing is awaited) or the time is over; false when the server stops. */
static bool pause_for(FaultServer *server, int fd, int msec)
{
    struct pollfd fds[] = {{.fd = server->stop[0], .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    poll(fds, 2, msec);
    return fds[0].revents == 0;
}

static bool send_all(int fd, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    while (n > 0) {
        ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        text += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool is_handshake(const Str *request)
{
    return str_get(request)[0] == 0x16;
}

static bool is_whole(const Str *request)
{
    if (is_handshake(request))
        return true;
    const char *end = strstr(str_get(request), "\r\n\r\n");
    if (!end)
        return false;
    const char *length = strcasestr(request->data, "\r\ncontent-length:");
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return request->len >= (size_t)(end + 4 - request->data) + body;
}

static bool receive(Connection *c, Str *request)
{
    char buffer[4096];
    while (!is_whole(request)) {
        if (!pause_for(c->server, c->fd, -1))
            return false;
        ssize_t n = recv(c->fd, buffer, sizeof(buffer), 0);
        if (n <= 0)
            return false;
        str_addn(request, buffer, (size_t)n);
    }
    return true;
}

static unsigned *count_of(FaultServer *server, const char *target)
{
    size_t i = 0;
    while (i < TARGETS_MAX - 1 && server->counts[i].target && !streq(server->counts[i].target, target))
        i++;
    if (!server->counts[i].target)
        server->counts[i].target = xstrdup(target);
    return &server->counts[i].n;
}

static const Fault *find_row(const Fault *row, const char *target, unsigned n)
{
    for (; row->target; row++)
        if (streq(row->target, target) && (row->times == 0 || n <= row->times))
            return row;
    return NULL;
}

static const Fault *note_request(FaultServer *server, const Str *request)
{
    const char *from = strchrnul(str_get(request), ' ');
    from += *from == ' ';
    CLEANUP(freep) char *target = is_handshake(request) ? xstrdup("TLS") : xstrndup(from, strcspn(from, " \r"));
    pthread_mutex_lock(&server->lock);
    unsigned n = ++*count_of(server, target);
    server->n_all++;
    if (++server->now > server->most)
        server->most = server->now;
    free(server->last);
    server->last = xstrdup(str_get(request));
    pthread_mutex_unlock(&server->lock);
    return find_row(server->table, target, n);
}

/* The request no longer counts once its answer begins to be complete: the next may come before we look again. */
static void note_end(FaultServer *server)
{
    pthread_mutex_lock(&server->lock);
    server->now--;
    pthread_mutex_unlock(&server->lock);
}

static bool send_row(Connection *c, const Fault *row)
{
    bool ok = send_all(c->fd, row->first);
    for (unsigned i = 0; ok && i < row->n_fill; i++)
        ok = send_all(c->fd, row->fill);
    return ok;
}

/* True when the connection is good for another request. A target that is not in the table is hung up on. */
static bool answer(Connection *c, const Fault *row)
{
    bool slow = row && row->delay_msec > 0;
    if (!slow)
        note_end(c->server);
    bool ok = row && send_row(c, row);
    if (slow) {
        ok = pause_for(c->server, -1, (int)row->delay_msec) && ok;
        note_end(c->server);
    }
    ok = ok && send_all(c->fd, row->second);
    if (ok && row->end == FAULT_SILENT)
        pause_for(c->server, c->fd, -1);
    if (row && row->end == FAULT_RESET)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    return ok && row->end == FAULT_KEEP;
}

static void *serve(void *userdata)
{
    Connection *c = userdata;
    bool go_on = true;
    while (go_on) {
        Str request = {0};
        go_on = receive(c, &request) && answer(c, note_request(c->server, &request));
        str_done(&request);
    }
    close(c->fd);
    free(c);
    return NULL;
}

static void *accept_all(void *userdata)
{
    FaultServer *server = userdata;
    while (pause_for(server, server->fd, -1)) {
        int fd = accept(server->fd, NULL, NULL);
        if (fd < 0 || server->n_connections == CONNECTIONS_MAX)
            abort();
        Connection *c = xmalloc(sizeof(*c));
        *c = (Connection){server, fd};
        pthread_mutex_lock(&server->lock);
        if (pthread_create(&server->threads[server->n_connections++], NULL, serve, c) != 0)
            abort();
        pthread_mutex_unlock(&server->lock);
    }
    return NULL;
}

FaultServer *fault_server_new(const Fault *table)
{
    FaultServer *server = xcalloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    server->table = table;
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (pthread_mutex_init(&server->lock, NULL) != 0 || pipe(server->stop) < 0 ||
        bind(server->fd, (struct sockaddr *)&address, size) < 0 || listen(server->fd, 128) < 0 ||
        getsockname(server->fd, (struct sockaddr *)&address, &size) < 0)
        abort();
    server->port = ntohs(address.sin_port);
    if (pthread_create(&server->acceptor, NULL, accept_all, server) != 0)
        abort();
    return server;
}

void fault_server_free(FaultServer *server)
{
    close(server->stop[1]);
    pthread_join(server->acceptor, NULL);
    for (unsigned i = 0; i < server->n_connections; i++)
        pthread_join(server->threads[i], NULL);
    for (size_t i = 0; i < TARGETS_MAX; i++)
        free(server->counts[i].target);
    close(server->stop[0]);
    close(server->fd);
    pthread_mutex_destroy(&server->lock);
    free(server->last);
    free(server);
}

unsigned fault_server_port(const FaultServer *server)
{
    return server->port;
}

unsigned fault_server_requests(FaultServer *server, const char *target)
{
    pthread_mutex_lock(&server->lock);
    unsigned n = target ? *count_of(server, target) : server->n_all;
    pthread_mutex_unlock(&server->lock);
    return n;
}

unsigned fault_server_connections(FaultServer *server)
{
    pthread_mutex_lock(&server->lock);
    unsigned n = server->n_connections;
    pthread_mutex_unlock(&server->lock);
    return n;
}

unsigned fault_server_most_at_once(FaultServer *server)
{
    pthread_mutex_lock(&server->lock);
    unsigned n = server->most;
    pthread_mutex_unlock(&server->lock);
    return n;
}

char *fault_server_last(FaultServer *server)
{
    pthread_mutex_lock(&server->lock);
    char *last = xstrdup(server->last ? server->last : "");
    pthread_mutex_unlock(&server->lock);
    return last;
}
