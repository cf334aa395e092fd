#include "config.h"

#include "http/call.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include <curl/curl.h>

#include "base/endpoint.h"
#include "base/vec.h"
#include "http/multi.h"

#define HTTP_IDLE_BYTES_PER_SEC 100L
#define HTTP_RESERVE_MAX ((size_t)4 * 1024 * 1024)
#define HTTP_CA_CACHE_SEC 60L

struct Http {
    Multi *multi;
    sd_event_source *deliver; /* runs once for each entry of `ready` */
    TAILQ_HEAD(Ready, HttpCall) ready;
    unsigned n_calls;
};

struct HttpAnswerHeaders {
    VEC(HttpHeader) list; /* both strings owned */
};

struct HttpCall {
    Http *http;
    CURL *easy; /* NULL once it is over */
    struct curl_slist *lines;
    char text[CURL_ERROR_SIZE];
    char *host, *ca_file;
    usec_t started, timeout;
    bool repeatable; /* reading */
    bool sent;       /* something of the request may have reached the server */
    char *broken;    /* why a callback of ours ended it */

    HttpAnswer answer;
    struct HttpAnswerHeaders headers;
    size_t header_bytes, length;
    bool headers_complete;

    http_headers_fn on_headers;
    http_done_fn on_done;
    void *userdata;
    bool headers_due, over, queued;
    Error *error;
    bool in_callback, freed;
    TAILQ_ENTRY(HttpCall) others;
};

static void curlp(CURL **easy)
{
    curl_easy_cleanup(*easy);
}

static void slistp(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static const char *seconds_text(usec_t usec, char buffer[static 32])
{
    if (usec % USEC_PER_SEC == 0 || usec >= 10 * USEC_PER_SEC)
        snprintf(buffer, 32, "%llu s", (unsigned long long)(usec / USEC_PER_SEC));
    else
        snprintf(buffer, 32, "%.1f s", (double)usec / (double)USEC_PER_SEC);
    return buffer;
}

const char *http_answer_header(const HttpAnswer *answer, const char *name)
{
    for (size_t i = answer->headers ? answer->headers->list.n : 0; i > 0; i--)
        if (strcasecmp(answer->headers->list.items[i - 1].name, name) == 0)
            return answer->headers->list.items[i - 1].value;
    return NULL;
}

static void headers_clear(struct HttpAnswerHeaders *headers)
{
    for (size_t i = 0; i < headers->list.n; i++) {
        free((char *)headers->list.items[i].name);
        free((char *)headers->list.items[i].value);
    }
    VEC_DONE(&headers->list);
}

static void headers_add_line(struct HttpAnswerHeaders *headers, const char *bytes, size_t n)
{
    CLEANUP(freep) char *line = xstrndup(bytes, n);
    char *colon = strchr(line, ':');
    if (!colon)
        return;
    *colon = 0;
    *VEC_ADD(&headers->list) = (HttpHeader){xstrdup(str_strip(line)), xstrdup(str_strip(colon + 1))};
}

static void make_ready(HttpCall *call)
{
    if (!call->queued)
        TAILQ_INSERT_TAIL(&call->http->ready, call, others);
    call->queued = true;
    sd_event_source_set_enabled(call->http->deliver, SD_EVENT_ONESHOT);
}

static void make_unready(HttpCall *call)
{
    if (call->queued)
        TAILQ_REMOVE(&call->http->ready, call, others);
    call->queued = false;
}

static void call_destroy(HttpCall *call)
{
    headers_clear(&call->headers);
    str_done(&call->answer.body);
    error_free(call->error);
    free(call->broken);
    free(call->host);
    free(call->ca_file);
    free(call);
}

static void tell(HttpCall *call)
{
    call->in_callback = true;
    if (call->headers_due) {
        call->headers_due = false;
        call->on_headers(call->userdata, &call->answer);
    } else {
        call->on_done(call->userdata, call->error ? NULL : &call->answer, call->error);
    }
    call->in_callback = false;
    if (call->freed)
        call_destroy(call);
}

/* One callback for each run, as the last thing done: it may free the calls, and then everything else as well. */
static int on_deliver(sd_event_source *source, void *userdata)
{
    Http *http = userdata;
    HttpCall *call = TAILQ_FIRST(&http->ready);
    if (!call)
        return 0;
    make_unready(call);
    if (call->headers_due && call->over)
        make_ready(call);
    if (!TAILQ_EMPTY(&http->ready))
        sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    tell(call);
    return 0;
}

static void end_easy(HttpCall *call)
{
    if (!call->easy)
        return;
    multi_remove(call->http->multi, call->easy);
    curl_easy_cleanup(TAKE(call->easy));
    curl_slist_free_all(TAKE(call->lines));
}

/* libcurl's own words, made to fit into a sentence. */
static char *words(const HttpCall *call, CURLcode code)
{
    char *text = xstrdup(call->text[0] ? call->text : curl_easy_strerror(code));
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        text[--n] = 0;
    if (!starts_with(text, "OpenSSL") && isupper((unsigned char)text[0]) && islower((unsigned char)text[1]))
        text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

static char *cannot_connect(const HttpCall *call)
{
    long number = 0;
    curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
    char *text = xstrdup(number > 0 ? strerror((int)number) : "cannot connect");
    text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

static int timed_out(const HttpCall *call, Error **err)
{
    usec_t passed = clock_monotonic() - call->started;
    char buffer[32];
    if (!call->sent)
        return error_set(err, ERROR_CONNECT, "%s: connecting timed out after %s", call->host,
                         seconds_text(passed < HTTP_CONNECT_TIMEOUT ? call->timeout : HTTP_CONNECT_TIMEOUT, buffer));
    const char *what = call->headers_complete ? "no whole answer" : "no answer";
    if (passed + USEC_PER_MSEC < call->timeout)
        return error_set(err, ERROR_TIMEOUT, "%s: %s, and nothing more came for %s", call->host, what,
                         seconds_text(HTTP_IDLE_TIMEOUT, buffer));
    return error_set(err, ERROR_TIMEOUT, "%s: %s within %s", call->host, what, seconds_text(call->timeout, buffer));
}

/* A connection that broke off in the handshake says nothing about trust, and may do better the next time. */
static bool handshake_lost(const HttpCall *call)
{
    static const char *const signs[] = {"SSL_connect: ", "unexpected eof", "Recv failure", "Send failure"};
    for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
        if (strstr(call->text, signs[i]))
            return true;
    return false;
}

static int failed_unsent(const HttpCall *call, CURLcode code, Error **err)
{
    CLEANUP(freep) char *text = words(call, code);
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return error_set(err, ERROR_CONNECT, "%s: the name cannot be resolved", call->host);
    case CURLE_COULDNT_CONNECT: {
        CLEANUP(freep) char *why = cannot_connect(call);
        return error_set(err, ERROR_CONNECT, "%s: %s", call->host, why);
    }
    case CURLE_URL_MALFORMAT:
        return error_set(err, ERROR_SPEC, "%s: not a URL that can be asked: %s", call->host, text);
    case CURLE_SSL_CONNECT_ERROR:
        return error_set(err, handshake_lost(call) ? ERROR_CONNECT : ERROR_TLS, "%s: %s", call->host, text);
    case CURLE_SSL_CACERT_BADFILE: /* libcurl's words may be those of an earlier trouble */
        return error_set(err, ERROR_TLS, "%s: %s cannot be read or holds no certificate", call->host,
                         call->ca_file ? call->ca_file : "the system's CA file");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_USE_SSL_FAILED:
        return error_set(err, ERROR_TLS, "%s: %s", call->host, text);
    default:
        return error_set(err, ERROR_CONNECT, "%s: %s", call->host, text);
    }
}

static int failed_sent(const HttpCall *call, CURLcode code, Error **err)
{
    CLEANUP(freep) char *text = words(call, code);
    switch (code) {
    case CURLE_GOT_NOTHING:
        return error_set(err, ERROR_LOST, "%s: the connection was closed before any answer", call->host);
    case CURLE_ABORTED_BY_CALLBACK: /* on_before_send */
        return error_set(err, ERROR_LOST, "%s: the connection in use was closed before any answer", call->host);
    case CURLE_PARTIAL_FILE:
        return error_set(err, ERROR_LOST, "%s: the answer was cut short", call->host);
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_SHUTDOWN_FAILED:
        return error_set(err, ERROR_LOST, "%s: the connection was lost: %s", call->host, text);
    case CURLE_OUT_OF_MEMORY: /* what 7.88 says to a header line that it finds too long */
        return error_set(err, ERROR_PROTOCOL, "%s: a header of the answer is too large", call->host);
    default:
        return error_set(err, ERROR_PROTOCOL, "%s: not an answer of HTTP: %s", call->host, text);
    }
}

static void on_over(CURL *easy, CURLcode code)
{
    HttpCall *call = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call) != CURLE_OK)
        return;
    long status = 0;
    if (call->broken)
        error_set(&call->error, ERROR_PROTOCOL, "%s: %s", call->host, call->broken);
    else if (code == CURLE_OPERATION_TIMEDOUT)
        timed_out(call, &call->error);
    else if (code != CURLE_OK && !call->sent)
        failed_unsent(call, code, &call->error);
    else if (code != CURLE_OK)
        failed_sent(call, code, &call->error);
    else if (curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK)
        call->answer.status = (int)status;
    end_easy(call);
    call->over = true;
    make_ready(call);
}

int http_new(sd_event *loop, Http **ret, Error **err)
{
    /* Counted by libcurl, so that each Http has its own. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(err, ERROR_LOCAL, "cannot initialise libcurl");
    CLEANUP(http_freep) Http *http = xcalloc(1, sizeof(*http));
    TAILQ_INIT(&http->ready);
    int r = sd_event_add_defer(loop, &http->deliver, on_deliver, http);
    if (r >= 0)
        r = sd_event_source_set_enabled(http->deliver, SD_EVENT_OFF);
    if (r < 0)
        return error_set_errno(err, ERROR_LOCAL, -r, "cannot watch for HTTP answers");
    if (multi_new(loop, on_over, &http->multi, err) < 0)
        return -1;
    *ret = TAKE(http);
    return 0;
}

void http_free(Http *http)
{
    if (!http)
        return;
    assert(http->n_calls == 0);
    multi_free(http->multi);
    sd_event_source_disable_unref(http->deliver);
    free(http);
    curl_global_cleanup();
}

static size_t refuse(HttpCall *call, const char *why, size_t limit)
{
    if (!call->broken)
        call->broken = xasprintf("%s more than %zu KiB", why, limit / 1024);
    return 0;
}

static void headers_end(HttpCall *call)
{
    call->headers_complete = true;
    const char *length = http_answer_header(&call->answer, "content-length");
    if (length && isdigit((unsigned char)length[0])) {
        errno = 0;
        call->length = strtoul(length, NULL, 10);
    }
    if (call->answer.status == 200 && call->on_headers) {
        call->headers_due = true;
        make_ready(call);
    }
}

/* Whole lines come here, those of 1xx answers and of trailers as well. */
static size_t on_header_line(char *bytes, size_t size, size_t n, void *userdata)
{
    HttpCall *call = userdata;
    n *= size;
    call->header_bytes += n;
    if (call->header_bytes > HTTP_HEADERS_MAX)
        return refuse(call, "the answer's headers are", HTTP_HEADERS_MAX);
    if (call->headers_complete)
        return n;
    if (n > 5 && memcmp(bytes, "HTTP/", 5) == 0) {
        CLEANUP(freep) char *line = xstrndup(bytes, n);
        const char *space = strchr(line, ' ');
        headers_clear(&call->headers);
        call->answer.status = space ? (int)strtol(space, NULL, 10) : 0;
    } else if (n > 0 && (bytes[0] == '\r' || bytes[0] == '\n')) {
        if (call->answer.status >= 200)
            headers_end(call);
    } else {
        headers_add_line(&call->headers, bytes, n);
    }
    return n;
}

static void reserve(Str *s, size_t size)
{
    if (size > HTTP_RESERVE_MAX)
        size = HTTP_RESERVE_MAX;
    s->data = xmalloc(size + 1);
    s->data[0] = 0;
    s->size = size + 1;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *userdata)
{
    HttpCall *call = userdata;
    n *= size;
    if (call->length > HTTP_BODY_MAX || n > HTTP_BODY_MAX - call->answer.body.len)
        return refuse(call, "the answer is", HTTP_BODY_MAX);
    if (!call->answer.body.data)
        reserve(&call->answer.body, call->length);
    str_addn(&call->answer.body, bytes, n);
    return n;
}

/* libcurl sends a request again by itself when a connection in use turns out to be closed. A write may have been
 * carried out by then, so it must not. */
static int on_before_send(void *userdata, char *ip, char *local_ip, int port, int local_port)
{
    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    HttpCall *call = userdata;
    if (call->sent && !call->repeatable)
        return CURL_PREREQFUNC_ABORT;
    call->sent = true;
    return CURL_PREREQFUNC_OK;
}

static bool add_line(struct curl_slist **lines, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*lines, line);
    if (longer)
        *lines = longer;
    return longer;
}

static int make_lines(const HttpSend *send, struct curl_slist **ret, Error **err)
{
    CLEANUP(slistp) struct curl_slist *lines = NULL;
    bool ok = add_line(&lines, "Expect:"), has_type = false;
    for (size_t i = 0; i < send->n_headers && ok; i++) {
        const HttpHeader *h = &send->headers[i];
        if (strpbrk(h->name, "\r\n:;") || strpbrk(h->value, "\r\n"))
            return error_set(err, ERROR_SPEC, "the header %.*s holds a line break", (int)strcspn(h->name, "\r\n:;"),
                             h->name);
        /* "name:" would take the header out, "name;" sends it empty. */
        CLEANUP(freep) char *line = h->value[0] ? xasprintf("%s: %s", h->name, h->value) : xasprintf("%s;", h->name);
        ok = add_line(&lines, line);
        has_type = has_type || strcasecmp(h->name, "content-type") == 0;
    }
    /* libcurl would call a body a form. */
    if (ok && !has_type)
        ok = add_line(&lines, "Content-Type:");
    if (!ok)
        return error_set(err, ERROR_LOCAL, "out of memory");
    *ret = TAKE(lines);
    return 0;
}

#define SET(easy, option, value) (curl_easy_setopt(easy, option, value) == CURLE_OK)

static long to_msec(usec_t usec)
{
    usec_t msec = usec / USEC_PER_MSEC;
    return msec < 1 ? 1 : msec > INT_MAX ? INT_MAX : (long)msec; /* 0 would be for ever */
}

static bool set_bounds(CURL *easy, const HttpSend *send)
{
    bool plain = strncasecmp(send->url, "http:", 5) == 0;
    return SET(easy, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https") && SET(easy, CURLOPT_FOLLOWLOCATION, 0L) &&
           SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) && SET(easy, CURLOPT_NOSIGNAL, 1L) &&
           SET(easy, CURLOPT_CONNECTTIMEOUT_MS, to_msec(HTTP_CONNECT_TIMEOUT)) &&
           SET(easy, CURLOPT_TIMEOUT_MS, to_msec(send->timeout)) &&
           SET(easy, CURLOPT_LOW_SPEED_LIMIT, HTTP_IDLE_BYTES_PER_SEC) &&
           SET(easy, CURLOPT_LOW_SPEED_TIME, (long)(HTTP_IDLE_TIMEOUT / USEC_PER_SEC)) &&
           SET(easy, CURLOPT_TCP_KEEPALIVE, 1L) &&
           /* Plain text must not leave this machine; else the environment's proxies apply. */
           (!plain || SET(easy, CURLOPT_PROXY, "")) && SET(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static bool set_trust(CURL *easy, const HttpSend *send)
{
    /* A given file stands alone: the system's directory of certificates would be trusted beside it. The cache is kept
     * short so that a mended file counts soon. */
    return SET(easy, CURLOPT_SSL_VERIFYPEER, 1L) && SET(easy, CURLOPT_SSL_VERIFYHOST, 2L) &&
           SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           SET(easy, CURLOPT_CA_CACHE_TIMEOUT, HTTP_CA_CACHE_SEC) &&
           (!send->ca_file || (SET(easy, CURLOPT_CAINFO, send->ca_file) && SET(easy, CURLOPT_CAPATH, NULL)));
}

static bool set_request(CURL *easy, const HttpSend *send)
{
    if (!SET(easy, CURLOPT_URL, send->url) || !SET(easy, CURLOPT_PATH_AS_IS, 1L) ||
        !SET(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) ||
        !SET(easy, CURLOPT_USERAGENT, "imagekeeper/" PACKAGE_VERSION))
        return false;
    if (streq(send->method, "HEAD"))
        return SET(easy, CURLOPT_NOBODY, 1L);
    bool body = send->body || streq(send->method, "POST") || streq(send->method, "PUT") || streq(send->method, "PATCH");
    if (body && (!SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(send->body ? send->body_size : 0)) ||
                 !SET(easy, CURLOPT_COPYPOSTFIELDS, send->body ? send->body : "")))
        return false;
    return SET(easy, CURLOPT_CUSTOMREQUEST, send->method);
}

static bool set_callbacks(CURL *easy, HttpCall *call)
{
    return SET(easy, CURLOPT_PRIVATE, call) && SET(easy, CURLOPT_ERRORBUFFER, call->text) &&
           SET(easy, CURLOPT_HEADERFUNCTION, on_header_line) && SET(easy, CURLOPT_HEADERDATA, call) &&
           SET(easy, CURLOPT_WRITEFUNCTION, on_body) && SET(easy, CURLOPT_WRITEDATA, call) &&
           SET(easy, CURLOPT_PREREQFUNCTION, on_before_send) && SET(easy, CURLOPT_PREREQDATA, call) &&
           SET(easy, CURLOPT_HTTPHEADER, call->lines);
}

static HttpCall *call_new(const HttpSend *send, http_headers_fn headers, http_done_fn done, void *userdata)
{
    HttpCall *call = xcalloc(1, sizeof(*call));
    call->answer.headers = &call->headers;
    call->host = endpoint_host(send->url);
    call->ca_file = xstrdup(send->ca_file);
    call->started = clock_monotonic();
    call->timeout = send->timeout;
    call->repeatable = streq(send->method, "GET") || streq(send->method, "HEAD");
    call->on_headers = headers;
    call->on_done = done;
    call->userdata = userdata;
    return call;
}

/* Of one that never began. */
static void call_discard(HttpCall **call)
{
    if (*call)
        call_destroy(*call);
}

int http_call_start(Http *http, const HttpSend *send, http_headers_fn headers, http_done_fn done, void *userdata,
                    HttpCall **ret, Error **err)
{
    CLEANUP(slistp) struct curl_slist *lines = NULL;
    if (endpoint_check(send->url, err) < 0 || make_lines(send, &lines, err) < 0)
        return -1;
    CLEANUP(call_discard) HttpCall *call = call_new(send, headers, done, userdata);
    call->lines = lines;
    CLEANUP(curlp) CURL *easy = curl_easy_init();
    if (!easy || !set_bounds(easy, send) || !set_trust(easy, send) || !set_request(easy, send) ||
        !set_callbacks(easy, call))
        return error_set(err, ERROR_LOCAL, "%s: libcurl refuses the request", call->host);
    if (multi_add(http->multi, easy, err) < 0)
        return error_wrap(err, "%s", call->host);
    http->n_calls++;
    call->http = http;
    call->easy = TAKE(easy);
    call->lines = TAKE(lines);
    *ret = TAKE(call);
    return 0;
}

void http_call_free(HttpCall *call)
{
    if (!call || call->freed)
        return;
    make_unready(call);
    end_easy(call);
    call->http->n_calls--;
    call->freed = true;
    /* What it lent to its callback stays until that returns. */
    if (!call->in_callback)
        call_destroy(call);
}
