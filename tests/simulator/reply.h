/* What one API request is answered with, before it goes to the HTTP library. */
#pragma once

#include <stdbool.h>

#include "request.h"
#include "text.h"

#define REPLY_HEADERS 16

struct reply {
    int status;
    char *code;    /* of an error, else NULL */
    char *message; /* of an error, else NULL */
    char *etag;
    char *next_page;
    struct text body;
    struct pair headers[REPLY_HEADERS]; /* extra ones, set by faults */
    size_t header_count;
    char *resource;     /* id of the resource that this request created, or created before */
    bool no_request_id; /* the answer has no opc-request-id */
    bool applied;       /* this request changed state */
};

/* An error with the status that the API's table gives its code; replaces what the reply held. */
void reply_error(struct reply *reply, const char *code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with any status. */
void reply_status(struct reply *reply, int status, const char *code, const char *message);
/* A usual code for a status. */
const char *reply_code_for(int status);
void reply_add_header(struct reply *reply, const char *name, const char *value);
/* A header that was added before. */
void reply_drop_header(struct reply *reply, const char *name);
void reply_clear(struct reply *reply);
