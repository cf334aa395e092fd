/*
 * The one error type. A function that can fail returns 0, or -1 with *err set exactly once; on failure its other
 * outputs are untouched. The *kind* of an error decides what happens next (try again, look first, give up, wait for a
 * person); the message is for people and names the file or the request. Whoever handles an error logs it; whoever
 * returns it does not. `err` may be NULL where only success matters.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"

typedef enum ErrorKind {
    ERROR_SPEC,        /* a spec or configuration is wrong: waits for the file to change */
    ERROR_LOCAL,       /* disk, files, descriptors of this machine */
    ERROR_CONNECT,     /* nothing was sent: connection refused, name not found */
    ERROR_TLS,         /* no trustworthy connection: nothing was sent */
    ERROR_TIMEOUT,     /* no (whole) answer in time */
    ERROR_LOST,        /* the connection ended before the whole answer had come */
    ERROR_PROTOCOL,    /* an answer that cannot be understood: not JSON, wrong types, too large, a redirect */
    ERROR_AUTH,        /* 401: the credential was refused */
    ERROR_FORBIDDEN,   /* 403: the credential is good, the permission is missing */
    ERROR_NOT_FOUND,   /* 404: absent or hidden from us, which cannot be told apart */
    ERROR_CONFLICT,    /* 412: changed since it was read */
    ERROR_TOKEN,       /* 409: the retry token is void; a fresh look, then another one */
    ERROR_BUSY,        /* 409: in a state that will pass */
    ERROR_REJECTED,    /* 4xx, or a commit: will be refused again as it stands */
    ERROR_THROTTLED,   /* 429: not carried out */
    ERROR_SERVER,      /* 5xx: whether it was carried out is unknown */
    ERROR_BREAKER,     /* not sent: the account keeps failing and is left in peace */
    ERROR_UNCONVERGED, /* written, and the answer shows something else than was asked for */
    ERROR_CANCELLED,   /* not sent: we are stopping */
    ERROR_KIND_MAX,
} ErrorKind;

typedef struct Error {
    ErrorKind kind;
    char *message;
    int status; /* HTTP status, 0 without an answer */
    char *
        code; /* the API's error code; without one ConnectFailed, TimedOut, TlsFailed, BadAnswer, BreakerOpen or NULL */
    char *request_id;          /* opc-request-id or its like; may be NULL */
    uint64_t retry_after_usec; /* what Retry-After asked for; 0: nothing */
} Error;

void error_free(Error *e);
DEFINE_CLEANUP(Error, error_free)

/* Sets *err (freeing nothing: it must be NULL before) and returns -1. */
int error_set(Error **err, ErrorKind kind, const char *format, ...) PRINTF(3, 4);
/* Adds ": " and the text of errno `number`. */
int error_set_errno(Error **err, ErrorKind kind, int number, const char *format, ...) PRINTF(4, 5);
/* Puts context before the message, going up: "while …: message". Returns -1. */
int error_wrap(Error **err, const char *format, ...) PRINTF(2, 3);
/* A deep copy; NULL gives NULL. */
Error *error_copy(const Error *e);
