/* The API's HTTP server: collects each request, has it verified and carried out, and sends the answer. */
#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "service.h"
#include "sim.h"

#define CONNECTION_MEMORY (1024u * 1024u) /* room for the headers of the fault huge-headers */

static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    (void)cls, (void)connection;
    return request_new(target);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct simulator *simulator = cls;

    (void)connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = (void *)(uintptr_t)(atomic_fetch_add(&simulator->connections, 1) + 1);
    }
}

static unsigned long connection_id(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info == NULL ? 0 : (unsigned long)(uintptr_t)info->socket_context;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct request *request = cls;

    (void)kind;
    if (request->header_count == REQUEST_HEADERS) {
        request->too_many_headers = true;
        return MHD_NO;
    }
    request->headers[request->header_count++] = (struct pair){(char *)name, (char *)(value == NULL ? "" : value)};
    return MHD_YES;
}

static char *make_request_id(const struct request *request)
{
    static atomic_ulong last;
    unsigned long number = atomic_fetch_add(&last, 1) + 1;
    const char *asked = request_header(request, "opc-request-id", NULL);

    if (request->service->uuid_request_ids) {
        unsigned long mixed = number * 0x9E3779B97F4A7C15ul;
        return xprintf("req-%08lx-%04lx-4%03lx-8%03lx-%012lx", mixed >> 32, mixed >> 16 & 0xffff, mixed >> 4 & 0xfff,
                       mixed & 0xfff, number);
    }
    if (asked != NULL && strlen(asked) <= 100) {
        return xprintf("%s/%032lX/%032lX", asked, number * 0x9E3779B97F4A7C15ul, number);
    }
    return xprintf("%032lX/%032lX", number * 0x9E3779B97F4A7C15ul, number);
}

/* Authentic requests alone reach the faults and the operations. */
static void serve(struct simulator *simulator, struct request *request, struct reply *reply, struct fired *fired,
                  int socket)
{
    pthread_mutex_lock(&simulator->lock);
    struct config config = simulator->config;
    request->base = simulator->base;
    pthread_mutex_unlock(&simulator->lock);

    if (request->body_too_large) {
        request->service->refuse(request, reply, 413, NULL, "The body is too large");
        return;
    }
    if (!request->service->authenticate(simulator, request, config.any_host, reply)) {
        return;
    }
    pthread_mutex_lock(&simulator->lock);
    faults_pick(&simulator->faults, request, fired);
    pthread_mutex_unlock(&simulator->lock);
    answer_wait(socket, simulator->stop_fd, (long)config.latency_ms + fault_delay_ms(fired));

    pthread_mutex_lock(&simulator->lock);
    lifecycle_run(simulator);
    if (!fault_before(fired, simulator, request, reply)) {
        request->service->process(simulator, request, fired, reply);
        fault_after(fired, simulator, request, reply);
    }
    pthread_mutex_unlock(&simulator->lock);
}

static enum MHD_Result answer(struct simulator *simulator, struct request *request, struct MHD_Connection *connection)
{
    struct reply reply = {0};
    struct fired fired = {0};

    MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, request);
    request->connection = connection_id(connection);
    request->service = service_of(request->path);
    request->service->route(request);
    request->request_id = make_request_id(request);
    serve(simulator, request, &reply, &fired, answer_socket(connection));
    enum transport transport = fault_transport(&fired);
    bool answered = transport != SEND_NOTHING && transport != SEND_NEVER && transport != SEND_RESET;
    reqlog_write(&simulator->log, request, &reply, answered, fault_name(&fired));
    enum MHD_Result result = answer_send(connection, request, &reply, &fired, simulator->stop_fd);
    reply_clear(&reply);
    fault_done(&fired);
    return result;
}

/* Called once with the headers, then for each piece of the body, then once at its end. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **context)
{
    struct simulator *simulator = cls;
    struct request *request = *context;

    (void)url, (void)version;
    if (request->method == NULL) {
        request->method = xstrdup(method);
        reqlog_begin(&simulator->log);
        return MHD_YES;
    }
    if (*size > 0) {
        if (request->body.length + *size > REQUEST_BODY_MAX) {
            request->body_too_large = true;
        } else {
            text_add(&request->body, data, *size);
        }
        *size = 0;
        return MHD_YES;
    }
    return answer(simulator, request, connection);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct simulator *simulator = cls;
    struct request *request = *context;

    (void)connection, (void)code;
    if (request != NULL) {
        if (request->method != NULL) {
            reqlog_end(&simulator->log);
        }
        request_free(request);
        *context = NULL;
    }
}

struct MHD_Daemon *server_start(struct simulator *simulator, const struct tls *tls)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    struct MHD_OptionItem secrets[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, tls == NULL ? NULL : tls->key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, tls == NULL ? NULL : tls->certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"},
        {MHD_OPTION_END, 0, NULL},
    };

    if (tls != NULL) {
        flags |= MHD_USE_TLS;
    } else {
        secrets[0] = secrets[3];
    }
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, simulator, MHD_OPTION_SOCK_ADDR, &address,
                            MHD_OPTION_URI_LOG_CALLBACK, on_target, simulator, MHD_OPTION_NOTIFY_COMPLETED,
                            on_completed, simulator, MHD_OPTION_NOTIFY_CONNECTION, on_connection, simulator,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_ARRAY, secrets,
                            MHD_OPTION_END);
}

unsigned server_port(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);

    return info == NULL ? 0 : info->port;
}
