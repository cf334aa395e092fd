/* The request log (one JSON object a line) and the statistics. */
#include "reqlog.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "service.h"

static const char *const tally_names[COUNT_COUNT] = {
    [COUNT_APPLIED] = "applied",
    [COUNT_CREATED] = "created",
    [COUNT_DELETED] = "deleted",
    [COUNT_REPLAY] = "tokenReplays",
    [COUNT_TOKEN_MISUSE] = "tokenMisuse",
    [COUNT_BOLD_UPDATE] = "updatesWithoutIfMatch",
    [COUNT_BOLD_DELETE] = "deletesWithoutIfMatch",
};

bool reqlog_open(struct reqlog *log, const char *path)
{
    if (service_operation_at(REQLOG_OPERATIONS - 1) != NULL) {
        fputs("oci-simulator: the statistics have no room for every operation and for unknown ones\n", stderr);
        abort();
    }
    pthread_mutex_init(&log->lock, NULL);
    log->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    return log->fd >= 0;
}

void reqlog_close(struct reqlog *log)
{
    if (log->fd >= 0) {
        close(log->fd);
    }
    pthread_mutex_destroy(&log->lock);
}

void reqlog_reset(struct reqlog *log)
{
    pthread_mutex_lock(&log->lock);
    if (ftruncate(log->fd, 0) != 0) {
        perror("oci-simulator: request log");
    }
    memset(log->counts, 0, sizeof(log->counts));
    memset(log->tallies, 0, sizeof(log->tallies));
    log->requests = 0;
    log->concurrent_peak = log->concurrent;
    pthread_mutex_unlock(&log->lock);
}

void reqlog_begin(struct reqlog *log)
{
    pthread_mutex_lock(&log->lock);
    log->concurrent++;
    if (log->concurrent > log->concurrent_peak) {
        log->concurrent_peak = log->concurrent;
    }
    pthread_mutex_unlock(&log->lock);
}

void reqlog_end(struct reqlog *log)
{
    pthread_mutex_lock(&log->lock);
    log->concurrent--;
    pthread_mutex_unlock(&log->lock);
}

void reqlog_count(struct reqlog *log, enum tally what)
{
    pthread_mutex_lock(&log->lock);
    log->tallies[what]++;
    pthread_mutex_unlock(&log->lock);
}

static void add_text(cJSON *object, const char *name, const char *value)
{
    cJSON_AddItemToObject(object, name, value == NULL ? cJSON_CreateNull() : cJSON_CreateString(value));
}

static bool is_secret(const cJSON *parent, const cJSON *member)
{
    bool token = parent->string != NULL && strcmp(parent->string, "token") == 0;

    return member->string != NULL && cJSON_IsString(member) &&
           (strcmp(member->string, "password") == 0 || strcmp(member->string, "secret") == 0 ||
            (token && strcmp(member->string, "id") == 0));
}

/* Passwords, secrets and tokens, at any depth. */
static void hide_secrets(cJSON *value)
{
    cJSON *member;

    cJSON_ArrayForEach(member, value)
    {
        if (is_secret(value, member)) {
            cJSON_SetValuestring(member, "");
        }
        hide_secrets(member);
    }
}

static cJSON *body_of(const struct request *request)
{
    cJSON *body = request->body.length == 0 ? NULL : cJSON_ParseWithLength(request->body.bytes, request->body.length);

    hide_secrets(body);
    return body != NULL ? body : cJSON_CreateNull();
}

static cJSON *make_line(const struct request *request, const struct reply *reply, bool answered, const char *fault)
{
    cJSON *line = cJSON_CreateObject();
    char now[CLOCK_TEXT];

    clock_rfc3339(clock_now(), now);
    add_text(line, "time", now);
    add_text(line, "method", request->method);
    add_text(line, "path", request->path);
    add_text(line, "query", request->query == NULL ? "" : request->query);
    add_text(line, "operation", request->route == NULL ? NULL : request->route->operation);
    add_text(line, "target", request->id);
    add_text(line, "source", request->source);
    add_text(line, "resource", reply->resource);
    cJSON_AddItemToObject(line, "status", answered ? cJSON_CreateNumber(reply->status) : cJSON_CreateNull());
    add_text(line, "code", reply->code);
    add_text(line, "message", reply->message);
    add_text(line, "opcRequestId", request->request_id);
    add_text(line, "project", request->project);
    add_text(line, "by", request->by);
    add_text(line, "ifMatch", request_header(request, "if-match", NULL));
    add_text(line, "retryToken", request_header(request, "opc-retry-token", NULL));
    cJSON_AddItemToObject(line, "body", body_of(request));
    add_text(line, "fault", fault);
    cJSON_AddNumberToObject(line, "connection", (double)request->connection);
    cJSON_AddBoolToObject(line, "applied", reply->applied);
    return line;
}

static void tally(struct reqlog *log, const struct request *request, const struct reply *reply)
{
    bool bold = request->route != NULL && request_header(request, "if-match", NULL) == NULL;

    log->tallies[COUNT_APPLIED] += reply->applied;
    log->tallies[COUNT_CREATED] += reply->applied && strcmp(request->method, "POST") == 0;
    log->tallies[COUNT_DELETED] += reply->applied && strcmp(request->method, "DELETE") == 0;
    log->tallies[COUNT_BOLD_UPDATE] += bold && strcmp(request->method, "PUT") == 0;
    log->tallies[COUNT_BOLD_DELETE] += bold && strcmp(request->method, "DELETE") == 0;
}

void reqlog_write(struct reqlog *log, const struct request *request, const struct reply *reply, bool answered,
                  const char *fault)
{
    cJSON *line = make_line(request, reply, answered, fault);
    size_t operation = request->route == NULL ? 0 : 1 + service_operation_index(request->route);
    size_t status = answered && reply->status > 0 && reply->status < REQLOG_STATUSES ? (size_t)reply->status : 0;

    pthread_mutex_lock(&log->lock);
    cJSON_AddNumberToObject(line, "n", (double)++log->requests);
    log->counts[operation][status]++;
    tally(log, request, reply);
    char *text = json_print(line);
    char *ended = xprintf("%s\n", text);
    if (write(log->fd, ended, strlen(ended)) < 0) {
        perror("oci-simulator: request log");
    }
    pthread_mutex_unlock(&log->lock);
    free(ended);
    free(text);
    cJSON_Delete(line);
}

cJSON *reqlog_statistics(struct reqlog *log, unsigned long connections)
{
    cJSON *statistics = cJSON_CreateObject();
    cJSON *operations = cJSON_AddObjectToObject(statistics, "operations");

    pthread_mutex_lock(&log->lock);
    for (size_t i = 0; i < REQLOG_OPERATIONS; i++) {
        cJSON *statuses = cJSON_CreateObject();
        for (size_t status = 0; status < REQLOG_STATUSES; status++) {
            char name[16];
            snprintf(name, sizeof(name), "%zu", status);
            if (log->counts[i][status] > 0) {
                cJSON_AddNumberToObject(statuses, status == 0 ? "none" : name, (double)log->counts[i][status]);
            }
        }
        if (statuses->child != NULL) {
            cJSON_AddItemToObject(operations, i == 0 ? "unknown" : service_operation_at(i - 1), statuses);
        } else {
            cJSON_Delete(statuses);
        }
    }
    cJSON_AddNumberToObject(statistics, "requests", (double)log->requests);
    for (size_t i = 0; i < COUNT_COUNT; i++) {
        cJSON_AddNumberToObject(statistics, tally_names[i], (double)log->tallies[i]);
    }
    cJSON_AddNumberToObject(statistics, "connections", (double)connections);
    cJSON_AddNumberToObject(statistics, "concurrentPeak", (double)log->concurrent_peak);
    pthread_mutex_unlock(&log->lock);
    return statistics;
}
