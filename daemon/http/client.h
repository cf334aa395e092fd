/*
 * The requests of one account: at most `max_concurrency` at a time and the others in their order, each try signed anew,
 * tried again by the rules of retry.h, behind a circuit breaker, with the answers' errors read by the provider's rule.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "http/call.h"
#include "http/retry.h"

typedef struct HttpClient HttpClient;
typedef struct HttpRequest HttpRequest;

/* What a provider adds to every try: headers with credentials, made for this very moment. `out` is a growing list. */
typedef struct HttpHeaders {
    HttpHeader *items; /* both strings owned */
    size_t n, size;
} HttpHeaders;
void http_headers_add(HttpHeaders *headers, const char *name, const char *value);
void http_headers_done(HttpHeaders *headers);

typedef struct HttpSpec {
    const char *method;
    const char *target; /* path and query as they go on the wire, after the endpoint */
    const char *body;   /* NULL: none */
    size_t body_size;
    HttpHeader headers[4]; /* such as if-match; ends at the first without a name */
    usec_t not_before;     /* monotonic: when it may be sent first; 0: at once */
    bool once;             /* sent once, ahead of what is queued: its owner looks before he asks again */
    bool busy_ends;        /* ERROR_BUSY is not waited for: the owner comes back in another round */
    bool safe; /* reading, or a creation under its retry token: may be repeated freely. A write whose outcome is unknown
                  comes back as an error whose policy says ambiguous, and the owner looks before it asks again. */
} HttpSpec;

/* Of an account whose requests bear something that has to be asked for first, that ends, and that may be refused
 * before its end: requests wait for it. */
typedef struct HttpGate {
    bool (*is_open)(void *userdata);
    /* Opens it, and tells the end with http_client_opened, now or later; not called again before that. */
    void (*open)(void *userdata);
    /* What requests bear was refused (401): the gate is shut, and opened again for those that wait. False: it stays
     * open, as another one would be refused likewise. */
    bool (*shut)(void *userdata);
    void *userdata;
} HttpGate;

typedef struct HttpClientOptions {
    const char *endpoint; /* "https://host[:port]"; what stands behind it is put before each target */
    const char *ca_file;
    unsigned max_concurrency;
    /* Adds the headers of one try to `out`, which is empty; those of `spec` are put behind them. `now` is the wall
     * clock. -1 ends the try unsent, by the kind of the error. */
    int (*sign)(void *userdata, const HttpSpec *spec, const char *endpoint, usec_t now, HttpHeaders *out, Error **err);
    /* Turns an answer with a status of 300 or more into an error. Never called for others, nor for a redirect (3xx with
     * a Location), which the client refuses itself. Status, request id and Retry-After are added where it leaves them
     * out. NULL stands for an error by status alone. */
    Error *(*read_error)(void *userdata, const HttpAnswer *answer);
    const char *request_id_header; /* "opc-request-id": kept on errors */
    const HttpGate *gate;          /* copied; NULL: none */
    void *userdata;
} HttpClientOptions;

int http_client_new(Http *http, sd_event *loop, const HttpClientOptions *options, HttpClient **ret, Error **err);
/* All requests must be freed before. */
void http_client_free(HttpClient *client);
DEFINE_CLEANUP(HttpClient, http_client_free)

/* The gate is open, or cannot be opened: then what waits for it fails with `error`. `endpoint` is where requests go
 * from now on; NULL: where they went. One that may not be asked (endpoint_check) is an error of all that wait. */
void http_client_opened(HttpClient *client, const char *endpoint, const Error *error);

/* What a status means where the API's own code tells nothing better. */
ErrorKind http_status_kind(int status);

/* Is the account left in peace because too much failed? */
bool http_client_is_silent(const HttpClient *client);

/* HTTP tries sent since the client was made. */
unsigned http_client_sent(const HttpClient *client);
/* The server's clock minus ours, in microseconds, from the newest answer's Date (so in whole seconds); false
 * when none came yet. */
bool http_client_clock_difference(const HttpClient *client, int64_t *ret_usec);

/* Optional: looks at a 2xx answer before it counts as one; -1 when it cannot be understood, which fails the try
 * (ERROR_PROTOCOL: a read is tried again, a write has an unknown outcome). What it parsed it keeps in `userdata`. */
typedef int (*http_check_fn)(void *userdata, const HttpAnswer *answer, Error **err);
/* `answer` (2xx) or `error`, borrowed for the time of the call even when the request is freed in it. Exactly once,
 * never inside http_request_start, never after http_request_free. */
typedef void (*http_request_fn)(void *userdata, HttpAnswer *answer, const Error *error);

typedef struct HttpHandlers {
    http_headers_fn headers; /* as in call.h, once a try; may be NULL */
    http_check_fn check;     /* may be NULL */
    http_request_fn done;
    void *userdata;
} HttpHandlers;

/* Starts or queues a request; everything is copied. `tries` is NULL for a request with a count of its own, or the
 * owner's count when one logical write is asked again after a look (only while retry_left()); it must outlive the
 * request. */
HttpRequest *http_request_start(HttpClient *client, const HttpSpec *spec, Tries *tries, const HttpHandlers *handlers);
/* When a logical request may be asked again after its newest failure (monotonic): with full jitter, and as late as
 * Retry-After wants. For an owner who looks first: the look waits, so that nothing comes between it and the request. */
usec_t http_next_try(const Tries *tries);

/* Is a try of it on its way, so that the server may act on it? */
bool http_request_is_sent(const HttpRequest *request);
/* Ends it without an answer; at any time, also from inside its own callbacks. */
void http_request_free(HttpRequest *request);
DEFINE_CLEANUP(HttpRequest, http_request_free)
