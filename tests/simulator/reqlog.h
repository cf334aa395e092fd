/* The request log (one JSON object a line) and the statistics. */
#pragma once

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdbool.h>

#include "reply.h"
#include "request.h"

#define REQLOG_OPERATIONS 32
#define REQLOG_STATUSES 600

enum tally {
    COUNT_APPLIED,
    COUNT_CREATED,
    COUNT_DELETED,
    COUNT_REPLAY, /* answered out of the memory of a retry token */
    COUNT_TOKEN_MISUSE,
    COUNT_BOLD_UPDATE, /* without if-match */
    COUNT_BOLD_DELETE,
    COUNT_COUNT,
};

struct reqlog {
    pthread_mutex_t lock;
    int fd;
    unsigned long requests;
    unsigned long counts[REQLOG_OPERATIONS][REQLOG_STATUSES]; /* status 0: no answer was sent */
    unsigned long tallies[COUNT_COUNT];
    unsigned long concurrent, concurrent_peak;
};

bool reqlog_open(struct reqlog *log, const char *path);
void reqlog_close(struct reqlog *log);
void reqlog_reset(struct reqlog *log);
void reqlog_begin(struct reqlog *log);
void reqlog_end(struct reqlog *log);
/* Written before the answer goes out, so that a client that has its answer finds the line. `answered` false: no
 * answer will be sent, the status is null. */
void reqlog_write(struct reqlog *log, const struct request *request, const struct reply *reply, bool answered,
                  const char *fault);
void reqlog_count(struct reqlog *log, enum tally what);
cJSON *reqlog_statistics(struct reqlog *log, unsigned long connections);
