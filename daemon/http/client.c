#include "config.h"

#include "http/client.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "base/endpoint.h"
#include "base/vec.h"

#define TRY_TIMEOUT_MIN USEC_PER_SEC
#define REQUEST_ID_MAX 200

typedef enum RequestState {
    REQUEST_NEW,
    REQUEST_QUEUED,
    REQUEST_RUNNING, /* holds one of max_concurrency */
    REQUEST_WAITING, /* for the time of its next try */
    REQUEST_ENDED,
} RequestState;

struct HttpClient {
    Http *http;
    sd_event *loop;
    HttpClientOptions options; /* its strings are owned */
    char *host;
    TAILQ_HEAD(Queue, HttpRequest) queue;
    sd_event_source *pump; /* takes one from the queue for each run */
    unsigned running, sent, n_requests;
    HttpGate gate;     /* without functions: none */
    bool opening;      /* it is being opened: nothing leaves the queue */
    unsigned opened;   /* how often it was */
    unsigned failures; /* how often it could not be opened */
    Breaker breaker;
    bool has_difference;
    int64_t difference_usec;
};

struct HttpRequest {
    HttpClient *client;
    HttpSpec spec; /* its strings are owned */
    Tries own, *tries;
    HttpHandlers handlers;
    RequestState state;
    HttpCall *call;
    sd_event_source *timer;
    Error *last;     /* why it waits or waited */
    bool probe;      /* the one that the breaker let through */
    unsigned opened; /* the client's, when it was sent */
    unsigned born;   /* the client's failures, when it was started */
    bool reopened;   /* the gate was opened for it once more */
    bool in_callback, freed;
    TAILQ_ENTRY(HttpRequest) others;
};

void http_headers_add(HttpHeaders *headers, const char *name, const char *value)
{
    HttpHeader *h = VEC_ADD(headers);
    *h = (HttpHeader){xstrdup(name), xstrdup(value)};
}

void http_headers_done(HttpHeaders *headers)
{
    for (size_t i = 0; i < headers->n; i++) {
        free((char *)headers->items[i].name);
        explicit_bzero((char *)headers->items[i].value, strlen(headers->items[i].value));
        free((char *)headers->items[i].value);
    }
    VEC_DONE(headers);
}

ErrorKind http_status_kind(int status)
{
    switch (status) {
    case 401:
        return ERROR_AUTH;
    case 403:
        return ERROR_FORBIDDEN;
    case 404:
        return ERROR_NOT_FOUND;
    case 409:
        return ERROR_BUSY;
    case 412:
        return ERROR_CONFLICT;
    case 429:
        return ERROR_THROTTLED;
    default:
        return status >= 500 ? ERROR_SERVER : status >= 400 ? ERROR_REJECTED : ERROR_PROTOCOL;
    }
}

static void pump_soon(HttpClient *client)
{
    if (!client->opening && client->running < client->options.max_concurrency && !TAILQ_EMPTY(&client->queue))
        sd_event_source_set_enabled(client->pump, SD_EVENT_ONESHOT);
}

static void request_destroy(HttpRequest *r)
{
    free((char *)r->spec.method);
    free((char *)r->spec.target);
    if (r->spec.body)
        explicit_bzero((char *)r->spec.body, r->spec.body_size); /* a login's has a secret in it */
    free((char *)r->spec.body);
    for (size_t i = 0; i < ARRAY_SIZE(r->spec.headers); i++) {
        free((char *)r->spec.headers[i].name);
        free((char *)r->spec.headers[i].value);
    }
    error_free(r->last);
    free(r);
}

/* Around every call of the owner's functions, which may free the request. */
static void enter(HttpRequest *r)
{
    r->in_callback = true;
}

/* False when it is no more. */
static bool leave(HttpRequest *r)
{
    r->in_callback = false;
    if (r->freed)
        request_destroy(r);
    else
        return true;
    return false;
}

/* Gives back what it holds; its call stays, for the answer that may still be looked at. */
static void release(HttpRequest *r, RequestState next)
{
    HttpClient *client = r->client;
    if (r->state == REQUEST_QUEUED)
        TAILQ_REMOVE(&client->queue, r, others);
    if (r->state == REQUEST_RUNNING)
        client->running--;
    r->timer = sd_event_source_disable_unref(r->timer);
    if (r->probe)
        breaker_cancel(&client->breaker);
    r->probe = false;
    r->state = next;
    pump_soon(client);
}

static char *tried_text(const Tries *tries, usec_t now)
{
    return xasprintf("tried %u times in %llu s", tries->n, (unsigned long long)((now - tries->started) / USEC_PER_SEC));
}

static void add_words(Error *error, char *more)
{
    CLEANUP(freep) char *message = TAKE(error->message);
    error->message = xasprintf("%s; %s", message, more);
    free(more);
}

/* The last thing to be done with `r`. Takes `e`, which outlives the request for as long as `done` runs. */
static void finish_error(HttpRequest *r, Error *e)
{
    CLEANUP(error_freep) Error *error = e;
    release(r, REQUEST_ENDED);
    if (r->tries->n > 1 && error->kind != ERROR_BREAKER)
        add_words(error, tried_text(r->tries, clock_monotonic()));
    if (error->retry_after_usec)
        add_words(error, xasprintf("the answer asks to wait %llu s",
                                   (unsigned long long)(error->retry_after_usec / USEC_PER_SEC)));
    enter(r);
    r->handlers.done(r->handlers.userdata, NULL, error);
    leave(r);
}

static void finish_answer(HttpRequest *r, HttpAnswer *answer)
{
    release(r, REQUEST_ENDED);
    enter(r);
    r->handlers.done(r->handlers.userdata, answer, NULL);
    leave(r);
}

static void requeue(HttpRequest *r)
{
    r->state = REQUEST_QUEUED;
    TAILQ_INSERT_HEAD(&r->client->queue, r, others); /* it is older than those that were never tried */
    pump_soon(r->client);
}

static int on_waited(sd_event_source *source, uint64_t now, void *userdata)
{
    (void)source;
    (void)now;
    HttpRequest *r = userdata;
    r->timer = sd_event_source_disable_unref(r->timer);
    requeue(r);
    return 0;
}

static void wait_and_retry(HttpRequest *r, Error *e, usec_t wait)
{
    error_free(r->last);
    r->last = e;
    release(r, REQUEST_WAITING);
    http_call_free(TAKE(r->call));
    if (sd_event_add_time(r->client->loop, &r->timer, CLOCK_MONOTONIC, clock_monotonic() + wait, USEC_PER_MSEC,
                          on_waited, r) < 0)
        requeue(r);
}

static uint32_t random_number(void)
{
    uint32_t n = 0;
    while (getrandom(&n, sizeof(n), 0) < 0 && errno == EINTR)
        ;
    return n;
}

/* Takes `e`. */
static void try_failed(HttpRequest *r, Error *e)
{
    usec_t wait;
    usec_t now = clock_monotonic();
    RetryVerdict verdict = retry_decide(r->tries, e, r->spec.safe, now, random_number(), &wait);
    /* For an owner who looks first and asks again after that. */
    r->tries->not_before = e->retry_after_usec ? now + e->retry_after_usec : 0;
    if (r->spec.once || (e->kind == ERROR_BUSY && r->spec.busy_ends))
        verdict = RETRY_NO;
    if (verdict == RETRY_LATER)
        wait_and_retry(r, e, wait);
    else
        finish_error(r, e);
}

static void record(HttpRequest *r, bool failed)
{
    Breaker *b = &r->client->breaker;
    /* While one request probes, those sent before the breaker opened have no say. */
    if (r->probe || !b->probing)
        breaker_record(b, clock_monotonic(), failed);
    r->probe = false;
}

/* Date has whole seconds, so it is half a second behind on average, and no finer difference is shown. */
static void note_date(HttpClient *client, const HttpAnswer *answer)
{
    usec_t date, now = clock_wall();
    const char *text = http_answer_header(answer, "date");
    if (!text || parse_http_date(text, &date) < 0)
        return;
    const int64_t second = (int64_t)USEC_PER_SEC;
    int64_t raw = (int64_t)date + second / 2 - (int64_t)now;
    client->difference_usec = (raw + (raw < 0 ? -second : second) / 2) / second * second;
    client->has_difference = true;
}

static char *redirect_host(const char *location, const char *own_host)
{
    const char *authority = strstr(location, "//");
    if (!authority || strcspn(location, "/?#") != (size_t)(authority - location))
        return xstrdup(own_host);
    authority += 2;
    size_t n = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', n);
    return at ? xstrndup(at + 1, n - (size_t)(at + 1 - authority)) : xstrndup(authority, n);
}

static Error *make_error(HttpClient *client, const HttpAnswer *answer)
{
    Error *e = NULL;
    const char *location = http_answer_header(answer, "location");
    if (answer->status >= 300 && answer->status < 400 && location) {
        CLEANUP(freep) char *host = redirect_host(location, client->host);
        error_set(&e, ERROR_PROTOCOL, "%s: redirect to %s not followed", client->host, host);
    } else if (answer->status >= 300 && client->options.read_error) {
        e = client->options.read_error(client->options.userdata, answer);
    }
    if (!e)
        error_set(&e, http_status_kind(answer->status), "%s: status %d", client->host, answer->status);
    return e;
}

static void fill_error(HttpClient *client, Error *e, const HttpAnswer *answer)
{
    if (!e->status)
        e->status = answer->status;
    const char *name = client->options.request_id_header;
    if (!e->request_id && name)
        e->request_id = str_printable(http_answer_header(answer, name), REQUEST_ID_MAX);
    usec_t server_now;
    const char *date = http_answer_header(answer, "date");
    if (!date || parse_http_date(date, &server_now) < 0)
        server_now = clock_wall();
    if (!e->retry_after_usec)
        e->retry_after_usec = retry_after_parse(http_answer_header(answer, "retry-after"), server_now);
}

/* 1: understood; 0: *ret is the error; -1: the request was freed. */
static int check(HttpRequest *r, const HttpAnswer *answer, Error **ret)
{
    if (!r->handlers.check)
        return 1;
    CLEANUP(error_freep) Error *e = NULL;
    enter(r);
    int result = r->handlers.check(r->handlers.userdata, answer, &e);
    if (!leave(r))
        return -1;
    if (result >= 0)
        return 1;
    if (!e)
        error_set(&e, ERROR_PROTOCOL, "%s: the answer is not understood", r->client->host);
    *ret = TAKE(e);
    return 0;
}

/* What it bore was refused, which was not the request's fault: it is sent once more with a new one. Others that were
 * sent with the same find it renewed already. */
static bool reopen(HttpRequest *r)
{
    HttpClient *client = r->client;
    if (!client->gate.shut || r->reopened)
        return false;
    if (r->opened == client->opened && !client->gate.shut(client->gate.userdata))
        return false;
    if (r->spec.once)
        return false;
    r->reopened = true;
    release(r, REQUEST_WAITING);
    http_call_free(TAKE(r->call));
    requeue(r);
    return true;
}

static void on_answer(HttpRequest *r, HttpAnswer *answer)
{
    Error *e = NULL;
    note_date(r->client, answer);
    if (answer->status >= 200 && answer->status < 300) {
        int result = check(r, answer, &e);
        if (result < 0)
            return;
        if (result > 0) {
            record(r, false);
            finish_answer(r, answer);
            return;
        }
    } else {
        e = make_error(r->client, answer);
    }
    fill_error(r->client, e, answer);
    record(r, error_policy(e->kind)->breaker);
    if (e->kind == ERROR_AUTH && reopen(r))
        error_free(e);
    else
        try_failed(r, e);
}

static void on_call_done(void *userdata, HttpAnswer *answer, const Error *error)
{
    HttpRequest *r = userdata;
    if (answer) {
        on_answer(r, answer);
        return;
    }
    record(r, error_policy(error->kind)->breaker);
    try_failed(r, error_copy(error));
}

static void on_call_headers(void *userdata, const HttpAnswer *answer)
{
    HttpRequest *r = userdata;
    enter(r);
    r->handlers.headers(r->handlers.userdata, answer);
    leave(r);
}

static int make_headers(HttpRequest *r, HttpHeaders *headers, Error **err)
{
    const HttpClientOptions *o = &r->client->options;
    if (o->sign && o->sign(o->userdata, &r->spec, o->endpoint, clock_wall(), headers, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(r->spec.headers) && r->spec.headers[i].name; i++)
        http_headers_add(headers, r->spec.headers[i].name, r->spec.headers[i].value);
    return 0;
}

static usec_t time_left(const Tries *tries, usec_t now)
{
    usec_t end = tries->started + RETRY_TIME_MAX;
    return now + TRY_TIMEOUT_MIN < end ? end - now : TRY_TIMEOUT_MIN;
}

static int send_try(HttpRequest *r, Error **err)
{
    CLEANUP(http_headers_done) HttpHeaders headers = {0};
    if (make_headers(r, &headers, err) < 0)
        return -1;
    CLEANUP(freep) char *url = xasprintf("%s%s", r->client->options.endpoint, r->spec.target);
    HttpSend send = {
        .method = r->spec.method,
        .url = url,
        .headers = headers.items,
        .n_headers = headers.n,
        .body = r->spec.body,
        .body_size = r->spec.body_size,
        .ca_file = r->client->options.ca_file,
        .timeout = time_left(r->tries, clock_monotonic()),
    };
    r->opened = r->client->opened;
    return http_call_start(r->client->http, &send, r->handlers.headers ? on_call_headers : NULL, on_call_done, r,
                           &r->call, err);
}

static Error *breaker_error(const HttpRequest *r, usec_t now, usec_t until)
{
    Error *e = NULL;
    unsigned long long seconds = (until - now + USEC_PER_SEC - 1) / USEC_PER_SEC;
    if (r->client->breaker.probing)
        error_set(&e, ERROR_BREAKER, "%s: not sent: too many requests failed, one is trying it again", r->client->host);
    else
        error_set(&e, ERROR_BREAKER, "%s: not sent: too many requests failed, left in peace for another %llu s",
                  r->client->host, seconds);
    if (r->last) {
        CLEANUP(freep) char *message = TAKE(e->message);
        CLEANUP(freep) char *tried = tried_text(r->tries, now);
        e->message = xasprintf("%s; %s, last: %s", message, tried, r->last->message);
    }
    return e;
}

/* The last thing to be done with `r`, which has left the queue. */
static void begin_try(HttpRequest *r)
{
    HttpClient *client = r->client;
    usec_t now = clock_monotonic(), until;
    bool probing = client->breaker.probing;
    r->state = REQUEST_RUNNING;
    client->running++;
    if (!breaker_allows(&client->breaker, now, &until)) {
        finish_error(r, breaker_error(r, now, until));
        return;
    }
    r->probe = client->breaker.probing && !probing;
    if (r->tries->n++ == 0)
        r->tries->started = now;
    Error *e = NULL;
    if (send_try(r, &e) < 0)
        try_failed(r, e);
    else
        client->sent++;
}

static int on_pump(sd_event_source *source, void *userdata)
{
    (void)source;
    HttpClient *client = userdata;
    HttpRequest *r = TAILQ_FIRST(&client->queue);
    if (!r || client->opening || client->running >= client->options.max_concurrency)
        return 0;
    if (client->gate.is_open && !client->gate.is_open(client->gate.userdata)) {
        client->opening = true;
        client->gate.open(client->gate.userdata);
        return 0;
    }
    TAILQ_REMOVE(&client->queue, r, others);
    pump_soon(client);
    begin_try(r);
    return 0;
}

static int move(HttpClient *client, const char *endpoint, Error **err)
{
    if (endpoint_check(endpoint, err) < 0)
        return -1;
    free((char *)client->options.endpoint);
    client->options.endpoint = xstrdup(endpoint);
    free(client->host);
    client->host = endpoint_host(endpoint);
    return 0;
}

/* None of them was sent, so that nothing is unclear about them. Those that are started meanwhile try for themselves. */
static void fail_queued(HttpClient *client, const Error *error)
{
    unsigned failure = ++client->failures;
    for (;;) {
        HttpRequest *r = TAILQ_FIRST(&client->queue);
        while (r && r->born >= failure)
            r = TAILQ_NEXT(r, others);
        if (!r)
            return;
        Error *e = error_copy(error);
        if (error_policy(e->kind)->ambiguous)
            e->kind = ERROR_BREAKER;
        finish_error(r, e);
    }
}

void http_client_opened(HttpClient *client, const char *endpoint, const Error *error)
{
    CLEANUP(error_freep) Error *bad = NULL;
    client->opening = false;
    if (!error && endpoint && move(client, endpoint, &bad) < 0)
        error = bad;
    if (error) {
        fail_queued(client, error);
        return;
    }
    client->opened++;
    pump_soon(client);
}

int http_client_new(Http *http, sd_event *loop, const HttpClientOptions *options, HttpClient **ret, Error **err)
{
    if (endpoint_check(options->endpoint, err) < 0)
        return -1;
    CLEANUP(http_client_freep) HttpClient *client = xcalloc(1, sizeof(*client));
    client->http = http;
    client->loop = sd_event_ref(loop);
    client->options = *options;
    client->options.endpoint = xstrdup(options->endpoint);
    client->options.ca_file = xstrdup(options->ca_file);
    client->options.request_id_header = xstrdup(options->request_id_header);
    if (options->gate)
        client->gate = *options->gate;
    client->options.gate = NULL;
    if (client->options.max_concurrency == 0)
        client->options.max_concurrency = 1;
    client->host = endpoint_host(options->endpoint);
    TAILQ_INIT(&client->queue);
    int r = sd_event_add_defer(loop, &client->pump, on_pump, client);
    if (r >= 0)
        r = sd_event_source_set_enabled(client->pump, SD_EVENT_OFF);
    if (r < 0)
        return error_set_errno(err, ERROR_LOCAL, -r, "%s: cannot watch for requests", client->host);
    *ret = TAKE(client);
    return 0;
}

void http_client_free(HttpClient *client)
{
    if (!client)
        return;
    assert(client->n_requests == 0);
    sd_event_source_disable_unref(client->pump);
    sd_event_unref(client->loop);
    free((char *)client->options.endpoint);
    free((char *)client->options.ca_file);
    free((char *)client->options.request_id_header);
    free(client->host);
    free(client);
}

bool http_client_is_silent(const HttpClient *client)
{
    return client->breaker.open_until != 0;
}

unsigned http_client_sent(const HttpClient *client)
{
    return client->sent;
}

bool http_client_clock_difference(const HttpClient *client, int64_t *ret_usec)
{
    if (client->has_difference)
        *ret_usec = client->difference_usec;
    return client->has_difference;
}

static HttpSpec spec_copy(const HttpSpec *spec)
{
    HttpSpec copy = {
        .method = xstrdup(spec->method),
        .target = xstrdup(spec->target),
        .body_size = spec->body ? spec->body_size : 0,
        .once = spec->once,
        .busy_ends = spec->busy_ends,
        .safe = spec->safe,
    };
    if (spec->body)
        copy.body = memcpy(xcalloc(1, spec->body_size + 1), spec->body, spec->body_size);
    for (size_t i = 0; i < ARRAY_SIZE(copy.headers) && spec->headers[i].name; i++)
        copy.headers[i] = (HttpHeader){xstrdup(spec->headers[i].name), xstrdup(spec->headers[i].value)};
    return copy;
}

HttpRequest *http_request_start(HttpClient *client, const HttpSpec *spec, Tries *tries, const HttpHandlers *handlers)
{
    HttpRequest *r = xcalloc(1, sizeof(*r));
    r->client = client;
    r->spec = spec_copy(spec);
    r->tries = tries ? tries : &r->own;
    r->handlers = *handlers;
    r->born = client->failures;
    client->n_requests++;
    usec_t now = clock_monotonic();
    if (spec->not_before > now) {
        wait_and_retry(r, NULL, spec->not_before - now);
        return r;
    }
    r->state = REQUEST_QUEUED;
    if (spec->once)
        TAILQ_INSERT_HEAD(&client->queue, r, others);
    else
        TAILQ_INSERT_TAIL(&client->queue, r, others);
    pump_soon(client);
    return r;
}

usec_t http_next_try(const Tries *tries)
{
    usec_t jittered = clock_monotonic() + retry_pause(tries->n, random_number());
    return jittered > tries->not_before ? jittered : tries->not_before;
}

bool http_request_is_sent(const HttpRequest *request)
{
    return request->state == REQUEST_RUNNING;
}

void http_request_free(HttpRequest *r)
{
    if (!r || r->freed)
        return;
    release(r, REQUEST_ENDED);
    http_call_free(TAKE(r->call));
    r->client->n_requests--;
    r->freed = true;
    if (!r->in_callback)
        request_destroy(r);
}
