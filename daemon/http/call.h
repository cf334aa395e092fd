/*
 * One HTTP exchange, on libcurl's multi interface and one sd-event loop: no threads, connections reused, TLS always
 * verified, redirects never followed, the environment's proxies honoured as curl does, everything bounded. Only
 * http/ knows libcurl.
 *
 * Rules that end most bugs of asynchronous code: `done` runs exactly once, never inside http_call_start, never after
 * http_call_free; nothing of libcurl is called from inside one of its callbacks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"

typedef struct Http Http;         /* the multi handle on a loop */
typedef struct HttpCall HttpCall; /* one exchange */

/* The program must ignore SIGPIPE. */
int http_new(sd_event *loop, Http **ret, Error **err);
/* All calls must be freed before. */
void http_free(Http *http);
DEFINE_CLEANUP(Http, http_free)

typedef struct HttpHeader {
    const char *name, *value;
} HttpHeader;

/* What is sent. Everything is copied at start. No content-type is made up for a body. */
typedef struct HttpSend {
    const char *method;
    const char *url; /* https, or http to a loopback address alone */
    const HttpHeader *headers;
    size_t n_headers;
    const char *body; /* NULL: none */
    size_t body_size;
    const char *ca_file; /* NULL: the system's */
    usec_t timeout;      /* for the whole exchange */
} HttpSend;

typedef struct HttpAnswer {
    int status;
    Str body; /* whole and within bounds */
    struct HttpAnswerHeaders *headers;
} HttpAnswer;

#define HTTP_BODY_MAX ((size_t)32 * 1024 * 1024)
#define HTTP_HEADERS_MAX ((size_t)256 * 1024)
#define HTTP_CONNECT_TIMEOUT (10 * USEC_PER_SEC)
#define HTTP_IDLE_TIMEOUT (10 * USEC_PER_SEC) /* under 100 bytes a second for so long: given up */

/* The last header of that name (any case), or NULL. Borrowed. */
const char *http_answer_header(const HttpAnswer *answer, const char *name);

/* `answer` is set when a whole answer came, whatever its status; else `error` is (ERROR_CONNECT, _TLS, _TIMEOUT, _LOST
 * or _PROTOCOL). Both are borrowed for the time of the call, even when the HttpCall is freed in it. A URL that libcurl
 * cannot make sense of is ERROR_SPEC. */
typedef void (*http_done_fn)(void *userdata, HttpAnswer *answer, const Error *error);
/* Optional: the headers are complete and the status is 200, the body is still coming; runs at most once, before `done`,
 * from the loop and not from inside libcurl. The body of `answer` is not to be looked at. */
typedef void (*http_headers_fn)(void *userdata, const HttpAnswer *answer);

/* -1 with ERROR_SPEC (a URL that may not be asked, a header with a line break) or ERROR_LOCAL. What may have been
 * carried out is never sent a second time: on a connection in use that turns out to be closed, only GET and HEAD go out
 * again. */
int http_call_start(Http *http, const HttpSend *send, http_headers_fn headers, http_done_fn done, void *userdata,
                    HttpCall **ret, Error **err);
/* Ends it, if need be by closing its connection; `done` will not run any more. */
void http_call_free(HttpCall *call);
DEFINE_CLEANUP(HttpCall, http_call_free)
