/* Sends a reply through the HTTP library, in whatever way the fault that fired wants it to travel. */
#include "answer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "clock.h"
#include "json.h"
#include "service.h"

#define HUGE_HEADERS_BYTES (400L * 1024)
#define HUGE_HEADER_BYTES (50L * 1024)
#define OVERSIZED_BYTES (64L * 1024 * 1024)
#define BLOCK 16384

/* A body that is handed out piece by piece. */
struct stream {
    struct text body;
    size_t end;              /* bytes of the body that are sent */
    bool fails;              /* then the connection is cut instead of being ended */
    uint64_t filler;         /* bytes of a never-ending string after the body; UINT64_MAX for no end */
    double bytes_per_second; /* 0: at once */
    int socket, stop_fd;
};

bool answer_wait(int socket, int stop_fd, long milliseconds)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long end = now.tv_sec * 1000LL + now.tv_nsec / 1000000 + milliseconds;

    for (;;) {
        struct pollfd waiting[] = {{.fd = socket, .events = POLLRDHUP}, {.fd = stop_fd, .events = POLLIN}};
        long long left = end - (now.tv_sec * 1000LL + now.tv_nsec / 1000000);
        if (milliseconds >= 0 && left <= 0) {
            return true;
        }
        int ready = poll(waiting, 2, milliseconds < 0 ? -1 : (int)left);
        if (ready > 0 || (ready < 0 && errno != EINTR)) {
            return false;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    }
}

int answer_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    return info == NULL ? -1 : info->connect_fd;
}

static ssize_t read_stream(void *cls, uint64_t position, char *buffer, size_t room)
{
    struct stream *stream = cls;
    size_t piece = room < BLOCK ? room : BLOCK;

    if (position >= stream->end) {
        uint64_t past = position - stream->end;
        if (stream->filler <= past) {
            return stream->fails ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
        }
        piece = piece < stream->filler - past ? piece : (size_t)(stream->filler - past);
        memset(buffer, 'a', piece);
        return (ssize_t)piece;
    }
    if (stream->bytes_per_second > 0) {
        piece = stream->bytes_per_second < 10 ? 1 : (size_t)(stream->bytes_per_second / 10);
        piece = piece < room ? piece : room;
        if (!answer_wait(stream->socket, stream->stop_fd, (long)((double)piece * 1000 / stream->bytes_per_second))) {
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
    }
    piece = piece < stream->end - position ? piece : (size_t)(stream->end - position);
    memcpy(buffer, stream->body.bytes + position, piece);
    return (ssize_t)piece;
}

static void free_stream(void *cls)
{
    struct stream *stream = cls;

    text_free(&stream->body);
    free(stream);
}

static struct MHD_Response *make_stream(struct reply *reply, const struct fired *fired, int socket, int stop_fd)
{
    struct stream *stream = xcalloc(1, sizeof(*stream));
    uint64_t announced = reply->body.length;
    double filler = json_number(fired->rule, "bytes", OVERSIZED_BYTES);

    *stream = (struct stream){.body = reply->body, .end = reply->body.length, .socket = socket, .stop_fd = stop_fd};
    reply->body = (struct text){0};
    switch (fault_transport(fired)) {
    case SEND_TRUNCATED:
        stream->end /= 2;
        stream->fails = true;
        break;
    case SEND_TRUNCATED_QUIETLY:
        stream->end /= 2;
        announced = MHD_SIZE_UNKNOWN;
        break;
    case SEND_SLOWLY:
        stream->bytes_per_second = json_number(fired->rule, "bytesPerSecond", 1);
        break;
    case SEND_OVERSIZED:
        text_free(&stream->body);
        text_adds(&stream->body, "{\"id\":\"ocid1.image.oc1.phx.oversized\",\"displayName\":\"");
        stream->end = stream->body.length;
        stream->filler = filler < 0 ? UINT64_MAX : (uint64_t)filler;
        announced = MHD_SIZE_UNKNOWN;
        break;
    default:
        break;
    }
    return MHD_create_response_from_callback(announced, BLOCK, read_stream, stream, free_stream);
}

static bool has_header(const struct reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        if (strcasecmp(reply->headers[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_header(struct MHD_Response *response, const struct reply *reply, const char *name, const char *value)
{
    if (value != NULL && !has_header(reply, name)) {
        MHD_add_response_header(response, name, value);
    }
}

static void add_headers(struct MHD_Response *response, const struct request *request, const struct reply *reply)
{
    char date[CLOCK_TEXT];

    clock_rfc1123(clock_seconds(), date);
    add_header(response, reply, "Date", date);
    add_header(response, reply, "Content-Type", reply->status == 204 ? NULL : "application/json");
    add_header(response, reply, request->service->request_id_header, reply->no_request_id ? NULL : request->request_id);
    add_header(response, reply, "etag", reply->etag);
    add_header(response, reply, "opc-next-page", reply->next_page);
    for (size_t i = 0; i < reply->header_count; i++) {
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    }
}

static void add_huge_headers(struct MHD_Response *response, const struct fired *fired)
{
    long left = (long)json_number(fired->rule, "bytes", HUGE_HEADERS_BYTES);

    for (int i = 0; left > 0; i++, left -= HUGE_HEADER_BYTES) {
        size_t length = (size_t)(left < HUGE_HEADER_BYTES ? left : HUGE_HEADER_BYTES);
        char *value = xcalloc(1, length + 1), *name = xprintf("x-huge-%d", i);
        memset(value, 'h', length);
        MHD_add_response_header(response, name, value);
        free(name);
        free(value);
    }
}

/* Disconnecting a TCP socket by connecting it to no address sends RST at once. */
static void reset_connection(int socket)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

    setsockopt(socket, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    connect(socket, &nowhere, sizeof(nowhere));
}

static struct MHD_Response *make_response(struct reply *reply, const struct fired *fired, int socket, int stop_fd)
{
    enum transport transport = fault_transport(fired);
    struct MHD_Response *response;

    if (transport == SEND_NORMAL || transport == SEND_HUGE_HEADERS) {
        response = MHD_create_response_from_buffer(reply->body.length, reply->body.bytes, MHD_RESPMEM_MUST_FREE);
        reply->body = (struct text){0};
    } else {
        response = make_stream(reply, fired, socket, stop_fd);
    }
    if (transport == SEND_TRUNCATED_QUIETLY) {
        MHD_add_response_header(response, "Connection", "close");
    }
    if (transport == SEND_HUGE_HEADERS) {
        add_huge_headers(response, fired);
    }
    return response;
}

enum MHD_Result answer_send(struct MHD_Connection *connection, const struct request *request, struct reply *reply,
                            const struct fired *fired, int stop_fd)
{
    int socket = answer_socket(connection);

    switch (fault_transport(fired)) {
    case SEND_NEVER:
        answer_wait(socket, stop_fd, -1);
        return MHD_NO;
    case SEND_RESET:
        reset_connection(socket);
        return MHD_NO;
    case SEND_NOTHING:
        return MHD_NO;
    default:
        break;
    }
    struct MHD_Response *response = make_response(reply, fired, socket, stop_fd);
    add_headers(response, request, reply);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned int)reply->status, response);
    MHD_destroy_response(response);
    return result;
}
