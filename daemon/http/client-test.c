#include "config.h"

#include "http/client.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/str.h"
#include "http/fault-server.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define BUSY_ANSWER "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nopc-request-id: id-1\r\n\r\n"

static const Fault table[] = {
    {.target = "/ok", .first = OK_ANSWER},
    {.target = "/404", .first = "HTTP/1.1 404 No\r\nContent-Length: 4\r\nopc-request-id: id-2\r\n\r\nnone"},
    {.target = "/302",
     .first = "HTTP/1.1 302 Found\r\nLocation: https://u:p@elsewhere.example:1/x?y\r\nContent-Length: 0\r\n\r\n"},
    {.target = "/flaky", .times = 1, .first = BUSY_ANSWER},
    {.target = "/flaky", .first = OK_ANSWER},
    {.target = "/throttled", .times = 1, .first = "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"},
    {.target = "/throttled", .first = OK_ANSWER},
    {.target = "/later",
     .first = "HTTP/1.1 503 Later\r\nDate: Mon, 05 Jan 2026 21:31:40 GMT\r\n"
              "Retry-After: Mon, 05 Jan 2026 21:32:40 GMT\r\nContent-Length: 0\r\n\r\n"},
    {.target = "/lost", .times = 1, .end = FAULT_CLOSE},
    {.target = "/lost", .first = OK_ANSWER},
    {.target = "/down", .end = FAULT_RESET},
    {.target = "/slow", .delay_msec = 150, .second = OK_ANSWER},
    {.target = "/silent", .end = FAULT_SILENT},
    {.target = "/dated",
     .first = "HTTP/1.1 200 OK\r\nDate: Mon, 05 Jan 2026 21:31:40 GMT\r\nContent-Length: 0\r\n\r\n"},
    {.target = "/v3/ok", .first = OK_ANSWER},
    {.target = "/old", .times = 1, .first = "HTTP/1.1 401 Old\r\nContent-Length: 0\r\n\r\n"},
    {.target = "/old", .first = OK_ANSWER},
    {.target = "/old-late", .times = 3, .delay_msec = 150, .second = "HTTP/1.1 401 Old\r\nContent-Length: 0\r\n\r\n"},
    {.target = "/old-late", .first = OK_ANSWER},
    {.target = "/401", .first = "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno"},
    {.target = "/wait", .first = "HTTP/1.1 429 Slow\r\nRetry-After: 20\r\nContent-Length: 0\r\n\r\n"},
    {0},
};

typedef struct Fixture {
    FaultServer *server;
    sd_event *loop;
    Http *http;
    HttpClient *client;
    unsigned n_signed;
    bool sign_fails;
    /* Of the gate: what requests bear is the number of times that it was opened. */
    HttpClient *gated;
    unsigned n_open, n_shut, good;
    bool is_open, opens_at_once, fails_at_once, stays_open;
} Fixture;

typedef struct Outcome {
    HttpRequest *request;
    unsigned n_headers, n_checks, n_done, order;
    bool free_in_headers, free_in_check, free_in_done;
    unsigned refuse; /* so many answers */
    int status;
    Error *error;
    Fixture *fixture;
} Outcome;

static int sign(void *userdata, const HttpSpec *spec, const char *endpoint, usec_t now, HttpHeaders *out, Error **err)
{
    Fixture *f = userdata;
    assert_true(starts_with(endpoint, "http://127.0.0.1:"));
    assert_true(spec->target[0] == '/' && now > 0);
    if (f->sign_fails)
        return error_set(err, ERROR_LOCAL, "no key");
    CLEANUP(freep) char *n = xasprintf("%u", ++f->n_signed);
    http_headers_add(out, "x-signature", n);
    return 0;
}

static Error *read_error(void *userdata, const HttpAnswer *answer)
{
    (void)userdata;
    Error *e = NULL;
    assert_true(answer->status >= 300);
    error_set(&e, http_status_kind(answer->status), "read: %s", str_get(&answer->body));
    return e;
}

static HttpClient *make_client(Fixture *f, const char *endpoint, unsigned max_concurrency)
{
    HttpClient *client = NULL;
    const HttpClientOptions options = {.endpoint = endpoint,
                                       .max_concurrency = max_concurrency,
                                       .sign = sign,
                                       .read_error = read_error,
                                       .request_id_header = "opc-request-id",
                                       .userdata = f};
    assert_int_equal(http_client_new(f->http, f->loop, &options, &client, NULL), 0);
    return client;
}

static int set_up(void **state)
{
    Fixture *f = xcalloc(1, sizeof(*f));
    f->server = fault_server_new(table);
    assert_true(sd_event_new(&f->loop) >= 0);
    assert_int_equal(http_new(f->loop, &f->http, NULL), 0);
    CLEANUP(freep) char *endpoint = xasprintf("http://127.0.0.1:%u", fault_server_port(f->server));
    f->client = make_client(f, endpoint, 3);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    http_client_free(f->client);
    http_free(f->http);
    sd_event_unref(f->loop);
    fault_server_free(f->server);
    free(f);
    return 0;
}

static void outcome_done(Outcome *o)
{
    http_request_free(o->request);
    error_free(o->error);
}

static void on_headers(void *userdata, const HttpAnswer *answer)
{
    Outcome *o = userdata;
    assert_int_equal(answer->status, 200);
    o->n_headers++;
    if (o->free_in_headers)
        http_request_free(TAKE(o->request));
}

static int on_check(void *userdata, const HttpAnswer *answer, Error **err)
{
    Outcome *o = userdata;
    assert_in_range(answer->status, 200, 299);
    if (o->free_in_check)
        http_request_free(TAKE(o->request));
    assert_string_equal(str_get(&answer->body), answer->body.len ? "{}" : "");
    if (o->n_checks++ < o->refuse)
        return error_set(err, ERROR_PROTOCOL, "not for us");
    return 0;
}

static void on_done(void *userdata, HttpAnswer *answer, const Error *error)
{
    static unsigned order;
    Outcome *o = userdata;
    assert_true(!answer != !error);
    if (o->free_in_done)
        http_request_free(TAKE(o->request));
    o->n_done++;
    o->order = ++order;
    o->status = answer ? answer->status : 0;
    o->error = error_copy(error);
}

static void start_on(HttpClient *client, const HttpSpec *spec, Tries *tries, Outcome *o)
{
    const HttpHandlers handlers = {on_headers, on_check, on_done, o};
    o->request = http_request_start(client, spec, tries, &handlers);
    assert_int_equal(o->n_done, 0);
}

static void start_read(Fixture *f, const char *target, Outcome *o)
{
    start_on(f->client, &(HttpSpec){.method = "GET", .target = target, .safe = true}, NULL, o);
}

static void start_write(Fixture *f, const char *target, Outcome *o)
{
    start_on(f->client, &(HttpSpec){.method = "POST", .target = target, .body = "{}", .body_size = 2}, NULL, o);
}

static void run_until_done(Fixture *f, const Outcome *o)
{
    while (o->n_done == 0)
        assert_true(sd_event_run(f->loop, 20 * USEC_PER_SEC) >= 0);
}

static void run_for(Fixture *f, usec_t time)
{
    for (usec_t end = clock_monotonic() + time, now; (now = clock_monotonic()) < end;)
        assert_true(sd_event_run(f->loop, end - now) >= 0);
}

static Outcome read_one(Fixture *f, const char *target)
{
    Outcome o = {0};
    start_read(f, target, &o);
    run_until_done(f, &o);
    return o;
}

static Outcome write_one(Fixture *f, const char *target)
{
    Outcome o = {0};
    start_write(f, target, &o);
    run_until_done(f, &o);
    return o;
}

static void an_answer_is_checked_and_given(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = read_one(f, "/ok");
    assert_int_equal(o.status, 200);
    assert_int_equal(o.n_headers, 1);
    assert_int_equal(o.n_checks, 1);
    assert_int_equal(http_client_sent(f->client), 1);
    int64_t difference;
    assert_false(http_client_clock_difference(f->client, &difference));
}

static void signature_and_own_headers_are_sent(void **state)
{
    Fixture *f = *state;
    Outcome o = {0};
    start_on(f->client, &(HttpSpec){.method = "PUT", .target = "/ok", .headers = {{"if-match", "e"}}}, NULL, &o);
    run_until_done(f, &o);
    CLEANUP(freep) char *seen = fault_server_last(f->server);
    assert_non_null(strstr(seen, "\r\nx-signature: 1\r\nif-match: e\r\n"));
    outcome_done(&o);
}

static void an_error_carries_what_the_answer_tells(void **state)
{
    CLEANUP(outcome_done) Outcome o = read_one(*state, "/404");
    assert_int_equal(o.error->kind, ERROR_NOT_FOUND);
    assert_int_equal(o.error->status, 404);
    assert_string_equal(o.error->message, "read: none");
    assert_string_equal(o.error->request_id, "id-2");
    assert_int_equal(o.n_checks, 0);
}

static void a_redirect_is_named_and_not_followed(void **state)
{
    CLEANUP(outcome_done) Outcome o = write_one(*state, "/302");
    assert_int_equal(o.error->kind, ERROR_PROTOCOL);
    assert_int_equal(o.error->status, 302);
    assert_non_null(strstr(o.error->message, "redirect to elsewhere.example:1 not followed"));
}

static void a_read_is_tried_again_after_503(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = read_one(f, "/flaky");
    assert_int_equal(o.status, 200);
    assert_int_equal(fault_server_requests(f->server, "/flaky"), 2);
    assert_int_equal(http_client_sent(f->client), 2);
    assert_int_equal(f->n_signed, 2);
}

static void a_write_is_left_open_after_503(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = write_one(f, "/flaky");
    assert_int_equal(o.error->kind, ERROR_SERVER);
    assert_string_equal(o.error->request_id, "id-1");
    assert_int_equal(fault_server_requests(f->server, "/flaky"), 1);
}

static void waits_as_long_as_it_is_told(void **state)
{
    Fixture *f = *state;
    usec_t start = clock_monotonic();
    CLEANUP(outcome_done) Outcome o = write_one(f, "/throttled");
    assert_int_equal(o.status, 200);
    assert_true(clock_monotonic() - start >= USEC_PER_SEC);
    assert_int_equal(fault_server_requests(f->server, "/throttled"), 2);
}

static void a_long_retry_after_ends_it(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = read_one(f, "/later");
    assert_int_equal(o.error->kind, ERROR_SERVER);
    assert_int_equal(o.error->retry_after_usec, 60 * USEC_PER_SEC);
    assert_int_equal(fault_server_requests(f->server, "/later"), 1);
}

static void a_write_is_not_repeated_after_a_lost_answer(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = write_one(f, "/lost");
    assert_int_equal(o.error->kind, ERROR_LOST);
    assert_true(error_policy(o.error->kind)->ambiguous);
    assert_int_equal(fault_server_requests(f->server, "/lost"), 1);
    CLEANUP(outcome_done) Outcome again = read_one(f, "/lost");
    assert_int_equal(again.status, 200);
}

static void says_how_often_it_was_tried(void **state)
{
    Fixture *f = *state;
    Tries tries = {.n = RETRY_TRIES_MAX - 1, .started = clock_monotonic()};
    CLEANUP(outcome_done) Outcome o = {0};
    start_on(f->client, &(HttpSpec){.method = "GET", .target = "/down", .safe = true}, &tries, &o);
    run_until_done(f, &o);
    assert_int_equal(o.error->kind, ERROR_LOST);
    assert_non_null(strstr(o.error->message, "; tried 5 times in "));
    assert_int_equal(tries.n, RETRY_TRIES_MAX);
    assert_int_equal(fault_server_requests(f->server, "/down"), 1);
}

static void a_try_has_the_time_that_is_left(void **state)
{
    Fixture *f = *state;
    Tries tries = {.n = 1, .started = clock_monotonic() - RETRY_TIME_MAX};
    CLEANUP(outcome_done) Outcome o = {0};
    start_on(f->client, &(HttpSpec){.method = "GET", .target = "/silent", .safe = true}, &tries, &o);
    run_until_done(f, &o);
    assert_int_equal(o.error->kind, ERROR_TIMEOUT);
    assert_non_null(strstr(o.error->message, "no answer within 1 s; tried 2 times"));
}

static void a_read_that_is_not_understood_is_tried_again(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = {.refuse = 1}, w = {.refuse = 1};
    start_read(f, "/ok", &o);
    run_until_done(f, &o);
    assert_int_equal(o.status, 200);
    assert_int_equal(o.n_checks, 2);
    start_write(f, "/ok", &w);
    run_until_done(f, &w);
    assert_int_equal(w.error->kind, ERROR_PROTOCOL);
    assert_string_equal(w.error->message, "not for us");
    assert_int_equal(w.error->status, 200);
}

static void a_signer_that_fails_ends_it_unsent(void **state)
{
    Fixture *f = *state;
    f->sign_fails = true;
    CLEANUP(outcome_done) Outcome o = read_one(f, "/ok");
    assert_int_equal(o.error->kind, ERROR_LOCAL);
    assert_string_equal(o.error->message, "no key");
    assert_int_equal(http_client_sent(f->client), 0);
}

static void keeps_to_max_concurrency(void **state)
{
    Fixture *f = *state;
    Outcome outcomes[12] = {0}, silent[5] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
        start_read(f, "/slow", &outcomes[i]);
    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
        run_until_done(f, &outcomes[i]);
        assert_int_equal(outcomes[i].status, 200);
        outcome_done(&outcomes[i]);
    }
    assert_true(fault_server_most_at_once(f->server) <= 3);
    for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
        start_read(f, "/silent", &silent[i]);
    while (fault_server_requests(f->server, "/silent") < 3)
        sd_event_run(f->loop, 10 * USEC_PER_MSEC);
    run_for(f, 50 * USEC_PER_MSEC);
    assert_int_equal(fault_server_requests(f->server, "/silent"), 3);
    for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
        outcome_done(&silent[i]);
}

static void one_at_a_time_keeps_the_order(void **state)
{
    Fixture *f = *state;
    CLEANUP(freep) char *endpoint = xasprintf("http://127.0.0.1:%u", fault_server_port(f->server));
    CLEANUP(http_client_freep) HttpClient *client = make_client(f, endpoint, 1);
    Outcome outcomes[8] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
        start_on(client, &(HttpSpec){.method = "GET", .target = "/ok", .safe = true}, NULL, &outcomes[i]);
    run_until_done(f, &outcomes[ARRAY_SIZE(outcomes) - 1]);
    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
        assert_int_equal(outcomes[i].order, outcomes[0].order + i);
        outcome_done(&outcomes[i]);
    }
}

static void waiting_holds_no_slot(void **state)
{
    Fixture *f = *state;
    Outcome waiting[6] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(waiting); i++)
        start_read(f, "/wait", &waiting[i]);
    CLEANUP(outcome_done) Outcome o = read_one(f, "/ok");
    assert_int_equal(o.status, 200);
    assert_int_equal(http_client_sent(f->client), 7);
    for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
        assert_int_equal(waiting[i].n_done, 0);
        outcome_done(&waiting[i]);
    }
}

static void knows_the_difference_of_the_clocks(void **state)
{
    Fixture *f = *state;
    int64_t difference;
    usec_t date;
    CLEANUP(outcome_done) Outcome o = read_one(f, "/dated");
    assert_int_equal(o.status, 200);
    parse_http_date("Mon, 05 Jan 2026 21:31:40 GMT", &date);
    assert_true(http_client_clock_difference(f->client, &difference));
    int64_t off = difference - ((int64_t)date - (int64_t)clock_wall());
    assert_true(off >= -1000000 && off <= 30000000);
    assert_int_equal(difference % 1000000, 0);
}

static void the_breaker_opens_and_refuses(void **state)
{
    Fixture *f = *state;
    for (unsigned i = 0; i < 10; i++) {
        CLEANUP(outcome_done) Outcome o = write_one(f, "/down");
        assert_int_equal(o.error->kind, ERROR_LOST);
    }
    CLEANUP(outcome_done) Outcome o = read_one(f, "/ok");
    assert_int_equal(o.error->kind, ERROR_BREAKER);
    assert_non_null(strstr(o.error->message, "left in peace for another "));
    assert_int_equal(fault_server_requests(f->server, "/ok"), 0);
    assert_int_equal(http_client_sent(f->client), 10);
}

static void an_endpoint_without_tls_is_refused(void **state)
{
    Fixture *f = *state;
    HttpClient *client = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    const HttpClientOptions options = {.endpoint = "http://example.com", .max_concurrency = 1};
    assert_int_equal(http_client_new(f->http, f->loop, &options, &client, &err), -1);
    assert_int_equal(err->kind, ERROR_SPEC);
    assert_null(client);
}

static void can_be_freed_inside_its_callbacks(void **state)
{
    Fixture *f = *state;
    Outcome in_headers = {.free_in_headers = true}, in_check = {.free_in_check = true};
    Outcome in_done = {.free_in_done = true}, in_error = {.free_in_done = true};
    start_read(f, "/ok", &in_headers);
    start_read(f, "/ok", &in_check);
    start_read(f, "/ok", &in_done);
    start_read(f, "/404", &in_error);
    run_until_done(f, &in_done);
    run_until_done(f, &in_error);
    while (in_headers.n_headers == 0 || in_check.n_checks == 0)
        assert_true(sd_event_run(f->loop, 20 * USEC_PER_SEC) >= 0);
    run_for(f, 50 * USEC_PER_MSEC);
    assert_int_equal(in_headers.n_headers, 1);
    assert_int_equal(in_headers.n_checks + in_headers.n_done, 0);
    assert_int_equal(in_check.n_checks, 1);
    assert_int_equal(in_check.n_done, 0);
    assert_int_equal(in_done.status, 200);
    assert_string_equal(in_error.error->message, "read: none");
    error_free(in_error.error);
    /* The slots came back. */
    for (unsigned i = 0; i < 4; i++) {
        CLEANUP(outcome_done) Outcome o = read_one(f, "/ok");
        assert_int_equal(o.status, 200);
    }
}

static void can_be_freed_while_queued_waiting_or_running(void **state)
{
    Fixture *f = *state;
    Outcome waiting = {0}, running[3] = {0}, queued[2] = {0};
    start_read(f, "/wait", &waiting);
    while (fault_server_requests(f->server, "/wait") == 0)
        sd_event_run(f->loop, 10 * USEC_PER_MSEC);
    run_for(f, 50 * USEC_PER_MSEC);
    for (unsigned i = 0; i < 3; i++)
        start_read(f, "/silent", &running[i]);
    for (unsigned i = 0; i < 2; i++)
        start_read(f, "/ok", &queued[i]);
    while (fault_server_requests(f->server, "/silent") < 3)
        sd_event_run(f->loop, 10 * USEC_PER_MSEC);
    http_request_free(queued[0].request);
    http_request_free(waiting.request);
    http_request_free(running[1].request);
    run_until_done(f, &queued[1]);
    assert_int_equal(queued[1].status, 200);
    outcome_done(&queued[1]);
    outcome_done(&running[0]);
    outcome_done(&running[2]);
    assert_int_equal(waiting.n_done + queued[0].n_done + running[0].n_done + running[1].n_done + running[2].n_done, 0);
    assert_int_equal(fault_server_requests(f->server, "/ok"), 1);
}

static void free_all_in_done(void *userdata, HttpAnswer *answer, const Error *error)
{
    Fixture *f = userdata;
    assert_null(answer);
    assert_int_equal(error->kind, ERROR_NOT_FOUND);
    sd_event_exit(f->loop, 0);
}

static void the_loop_may_end_in_done(void **state)
{
    Fixture *f = *state;
    const HttpHandlers handlers = {.done = free_all_in_done, .userdata = f};
    HttpRequest *request =
        http_request_start(f->client, &(HttpSpec){.method = "GET", .target = "/404", .safe = true}, NULL, &handlers);
    Outcome other = {0};
    start_read(f, "/silent", &other);
    assert_int_equal(sd_event_loop(f->loop), 0);
    http_request_free(request);
    outcome_done(&other);
}

/* --- the gate --- */

static bool gate_is_open(void *userdata)
{
    const Fixture *f = userdata;
    return f->is_open;
}

static void opened(Fixture *f, const char *endpoint)
{
    f->is_open = true;
    f->good = f->n_open;
    http_client_opened(f->gated, endpoint, NULL);
}

static void not_opened(Fixture *f, ErrorKind kind, const char *message)
{
    CLEANUP(error_freep) Error *e = NULL;
    error_set(&e, kind, "%s", message);
    http_client_opened(f->gated, NULL, e);
}

static void gate_open(void *userdata)
{
    Fixture *f = userdata;
    assert_false(f->is_open);
    f->n_open++;
    if (f->fails_at_once)
        not_opened(f, ERROR_FORBIDDEN, "refused at once");
    else if (f->opens_at_once)
        opened(f, NULL);
}

static bool gate_shut(void *userdata)
{
    Fixture *f = userdata;
    f->n_shut++;
    if (f->stays_open)
        return false;
    f->is_open = false;
    return true;
}

static int sign_gated(void *userdata, const HttpSpec *spec, const char *endpoint, usec_t now, HttpHeaders *out,
                      Error **err)
{
    Fixture *f = userdata;
    CLEANUP(freep) char *token = xasprintf("%u", f->good);
    assert_true(f->is_open); /* nothing is sent while it is shut */
    http_headers_add(out, "x-token", token);
    return sign(userdata, spec, endpoint, now, out, err);
}

static int set_up_gate(void **state)
{
    set_up(state);
    Fixture *f = *state;
    CLEANUP(freep) char *endpoint = xasprintf("http://127.0.0.1:%u", fault_server_port(f->server));
    const HttpGate gate = {.is_open = gate_is_open, .open = gate_open, .shut = gate_shut, .userdata = f};
    const HttpClientOptions options = {.endpoint = endpoint,
                                       .max_concurrency = 3,
                                       .sign = sign_gated,
                                       .read_error = read_error,
                                       .gate = &gate,
                                       .userdata = f};
    return http_client_new(f->http, f->loop, &options, &f->gated, NULL);
}

static int tear_down_gate(void **state)
{
    Fixture *f = *state;
    http_client_free(f->gated);
    return tear_down(state);
}

static void start_gated(Fixture *f, const char *target, Outcome *o)
{
    start_on(f->gated, &(HttpSpec){.method = "GET", .target = target, .safe = true}, NULL, o);
}

static void run_until_asked_to_open(Fixture *f, unsigned n)
{
    while (f->n_open < n)
        assert_true(sd_event_run(f->loop, 20 * USEC_PER_SEC) >= 0);
}

static void assert_last_token(Fixture *f, const char *header)
{
    CLEANUP(freep) char *seen = fault_server_last(f->server);
    assert_non_null(strstr(seen, header));
}

static void requests_wait_until_the_gate_is_open(void **state)
{
    Fixture *f = *state;
    Outcome outcomes[5] = {0};
    for (size_t i = 0; i < 4; i++)
        start_gated(f, "/ok", &outcomes[i]);
    run_until_asked_to_open(f, 1);
    start_gated(f, "/ok", &outcomes[4]);
    run_for(f, 50 * USEC_PER_MSEC);
    assert_int_equal(f->n_open, 1); /* for all of them */
    assert_int_equal(http_client_sent(f->gated), 0);
    assert_false(http_request_is_sent(outcomes[0].request));
    opened(f, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
        run_until_done(f, &outcomes[i]);
        assert_int_equal(outcomes[i].status, 200);
        outcome_done(&outcomes[i]);
    }
    assert_last_token(f, "\r\nx-token: 1\r\n");
    assert_int_equal(f->n_open, 1);
    assert_int_equal(f->n_shut, 0);
}

static void the_gate_is_not_opened_for_nobody(void **state)
{
    Fixture *f = *state;
    run_for(f, 20 * USEC_PER_MSEC);
    assert_int_equal(f->n_open, 0);
    f->is_open = true;
    CLEANUP(outcome_done) Outcome o = {0};
    start_gated(f, "/ok", &o);
    run_until_done(f, &o);
    assert_int_equal(o.status, 200);
    assert_int_equal(f->n_open, 0);
}

static void a_gate_that_is_shut_by_itself_is_opened_again(void **state)
{
    Fixture *f = *state;
    f->opens_at_once = true;
    for (unsigned i = 1; i <= 3; i++) {
        CLEANUP(outcome_done) Outcome o = {0};
        f->is_open = false;
        start_gated(f, "/ok", &o);
        run_until_done(f, &o);
        assert_int_equal(o.status, 200);
        assert_int_equal(f->n_open, i);
    }
    assert_int_equal(f->n_shut, 0);
}

static void an_error_of_opening_is_that_of_all_that_wait(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome running = {0}, later = {0};
    Outcome waiting[2] = {0};
    f->is_open = true;
    start_gated(f, "/slow", &running);
    while (fault_server_requests(f->server, "/slow") == 0)
        sd_event_run(f->loop, 10 * USEC_PER_MSEC);
    f->is_open = false;
    start_gated(f, "/ok", &waiting[0]);
    start_gated(f, "/ok", &waiting[1]);
    start_on(
        f->gated,
        &(HttpSpec){.method = "GET", .target = "/ok", .not_before = clock_monotonic() + USEC_PER_SEC, .safe = true},
        NULL, &later);
    run_until_asked_to_open(f, 1);
    not_opened(f, ERROR_REJECTED, "no such user");
    for (size_t i = 0; i < 2; i++) {
        run_until_done(f, &waiting[i]);
        assert_int_equal(waiting[i].error->kind, ERROR_REJECTED);
        assert_string_equal(waiting[i].error->message, "no such user");
        outcome_done(&waiting[i]);
    }
    assert_int_equal(later.n_done, 0);
    run_until_done(f, &running);
    assert_int_equal(running.status, 200);
    /* Who comes after it tries for himself. */
    run_until_asked_to_open(f, 2);
    opened(f, NULL);
    run_until_done(f, &later);
    assert_int_equal(later.status, 200);
    assert_int_equal(fault_server_requests(f->server, "/ok"), 1);
}

static void a_refused_token_is_renewed_and_the_request_sent_again(void **state)
{
    Fixture *f = *state;
    f->opens_at_once = true;
    CLEANUP(outcome_done) Outcome o = {0};
    start_gated(f, "/old", &o);
    run_until_done(f, &o);
    assert_int_equal(o.status, 200);
    assert_int_equal(f->n_shut, 1);
    assert_int_equal(f->n_open, 2);
    assert_int_equal(fault_server_requests(f->server, "/old"), 2);
    assert_last_token(f, "\r\nx-token: 2\r\n");
}

static void a_write_is_sent_again_as_well(void **state)
{
    Fixture *f = *state;
    f->opens_at_once = true;
    CLEANUP(outcome_done) Outcome o = {0};
    start_on(f->gated, &(HttpSpec){.method = "POST", .target = "/old", .body = "{}", .body_size = 2}, NULL, &o);
    run_until_done(f, &o);
    assert_int_equal(o.status, 200);
    assert_last_token(f, "\r\n\r\n{}");
}

static void a_gate_that_stays_open_makes_a_refusal_final(void **state)
{
    Fixture *f = *state;
    f->opens_at_once = f->stays_open = true;
    CLEANUP(outcome_done) Outcome o = {0};
    start_gated(f, "/401", &o);
    run_until_done(f, &o);
    assert_int_equal(o.error->kind, ERROR_AUTH);
    assert_int_equal(f->n_open, 1);
    assert_int_equal(fault_server_requests(f->server, "/401"), 1);
}

static void a_second_refusal_is_final(void **state)
{
    Fixture *f = *state;
    f->opens_at_once = true;
    CLEANUP(outcome_done) Outcome o = {0}, next = {0};
    start_gated(f, "/401", &o);
    run_until_done(f, &o);
    assert_int_equal(o.error->kind, ERROR_AUTH);
    assert_true(starts_with(o.error->message, "read: no; tried 2 times in "));
    assert_int_equal(f->n_open, 2);
    assert_int_equal(f->n_shut, 1);
    assert_int_equal(fault_server_requests(f->server, "/401"), 2);
    /* Each request may be refused once. */
    start_gated(f, "/old", &next);
    run_until_done(f, &next);
    assert_int_equal(next.status, 200);
}

static void other_errors_do_not_shut_the_gate(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = {0};
    f->is_open = true;
    start_gated(f, "/404", &o);
    run_until_done(f, &o);
    assert_int_equal(o.error->kind, ERROR_NOT_FOUND);
    assert_int_equal(f->n_shut + f->n_open, 0);
    assert_int_equal(fault_server_requests(f->server, "/404"), 1);
}

static void without_a_gate_the_first_refusal_is_final(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = read_one(f, "/401");
    assert_int_equal(o.error->kind, ERROR_AUTH);
    assert_int_equal(fault_server_requests(f->server, "/401"), 1);
}

static void one_renewal_is_for_all_that_bore_the_old_token(void **state)
{
    Fixture *f = *state;
    Outcome outcomes[3] = {0};
    f->is_open = true;
    for (size_t i = 0; i < 3; i++)
        start_gated(f, "/old-late", &outcomes[i]);
    run_until_asked_to_open(f, 1);
    while (fault_server_requests(f->server, NULL) < 3)
        sd_event_run(f->loop, 10 * USEC_PER_MSEC);
    run_for(f, 300 * USEC_PER_MSEC);
    assert_int_equal(f->n_open, 1);
    opened(f, NULL);
    for (size_t i = 0; i < 3; i++) {
        run_until_done(f, &outcomes[i]);
        assert_int_equal(outcomes[i].status, 200);
        outcome_done(&outcomes[i]);
    }
    assert_int_equal(f->n_open, 1);
    assert_int_equal(fault_server_requests(f->server, "/old-late"), 6);
}

static void a_refusal_that_comes_late_does_not_shut_what_is_new(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome late = {0}, early = {0};
    f->is_open = true;
    f->opens_at_once = true;
    start_gated(f, "/old-late", &late);
    start_gated(f, "/old", &early);
    run_until_done(f, &early);
    assert_int_equal(early.status, 200);
    assert_int_equal(f->n_shut, 1);
    while (fault_server_requests(f->server, "/old-late") < 2)
        sd_event_run(f->loop, 10 * USEC_PER_MSEC);
    assert_int_equal(f->n_shut, 1);
    assert_int_equal(f->n_open, 1);
    assert_last_token(f, "\r\nx-token: 1\r\n");
}

static void a_renewal_that_fails_ends_the_request(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = {0};
    f->is_open = true;
    start_gated(f, "/old", &o);
    run_until_asked_to_open(f, 1);
    not_opened(f, ERROR_FORBIDDEN, "locked");
    run_until_done(f, &o);
    assert_int_equal(o.error->kind, ERROR_FORBIDDEN);
    assert_string_equal(o.error->message, "locked");
    assert_int_equal(fault_server_requests(f->server, "/old"), 1);
}

static void opening_may_say_where_requests_go(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = {0}, stays = {0};
    CLEANUP(freep) char *endpoint = xasprintf("http://127.0.0.1:%u/v3", fault_server_port(f->server));
    start_gated(f, "/ok", &o);
    run_until_asked_to_open(f, 1);
    opened(f, endpoint);
    run_until_done(f, &o);
    assert_int_equal(o.status, 200);
    f->is_open = false;
    start_gated(f, "/ok", &stays);
    run_until_asked_to_open(f, 2);
    opened(f, NULL);
    run_until_done(f, &stays);
    assert_int_equal(stays.status, 200);
    assert_int_equal(fault_server_requests(f->server, "/v3/ok"), 2);
    assert_int_equal(fault_server_requests(f->server, "/ok"), 0);
}

static void messages_name_the_host_that_requests_go_to(void **state)
{
    Fixture *f = *state;
    FaultServer *other = fault_server_new(table);
    CLEANUP(outcome_done) Outcome o = {0};
    CLEANUP(freep) char *endpoint = xasprintf("http://127.0.0.1:%u", fault_server_port(other));
    CLEANUP(freep)
    char *expected = xasprintf("%s: redirect to elsewhere.example:1 not followed", strstr(endpoint, "127"));
    start_on(f->gated, &(HttpSpec){.method = "POST", .target = "/302"}, NULL, &o);
    run_until_asked_to_open(f, 1);
    opened(f, endpoint);
    run_until_done(f, &o);
    assert_string_equal(o.error->message, expected);
    assert_int_equal(fault_server_requests(other, "/302"), 1);
    assert_int_equal(fault_server_requests(f->server, NULL), 0);
    fault_server_free(other);
}

static void a_place_that_may_not_be_asked_is_an_error_of_all_that_wait(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = {0}, other = {0}, next = {0};
    start_gated(f, "/ok", &o);
    start_gated(f, "/ok", &other);
    run_until_asked_to_open(f, 1);
    opened(f, "http://example.com");
    run_until_done(f, &o);
    run_until_done(f, &other);
    assert_int_equal(o.error->kind, ERROR_SPEC);
    assert_non_null(strstr(other.error->message, "use https://example.com"));
    assert_int_equal(http_client_sent(f->gated), 0);
    start_gated(f, "/ok", &next); /* where they went before */
    run_until_done(f, &next);
    assert_int_equal(next.status, 200);
}

static void opening_may_end_before_it_returns(void **state)
{
    Fixture *f = *state;
    Outcome outcomes[5] = {0}, refused[2] = {0};
    f->opens_at_once = true;
    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
        start_gated(f, "/ok", &outcomes[i]);
    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
        run_until_done(f, &outcomes[i]);
        assert_int_equal(outcomes[i].status, 200);
        outcome_done(&outcomes[i]);
    }
    assert_int_equal(f->n_open, 1);
    f->is_open = false;
    f->fails_at_once = true;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        start_gated(f, "/ok", &refused[i]);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        run_until_done(f, &refused[i]);
        assert_string_equal(refused[i].error->message, "refused at once");
        outcome_done(&refused[i]);
    }
    assert_int_equal(f->n_open, 2);
}

static void requests_can_be_freed_while_the_gate_is_being_opened(void **state)
{
    Fixture *f = *state;
    Outcome freed[2] = {0}, kept = {0}, last = {0};
    start_gated(f, "/ok", &freed[0]);
    start_gated(f, "/ok", &kept);
    start_gated(f, "/ok", &freed[1]);
    run_until_asked_to_open(f, 1);
    outcome_done(&freed[0]);
    outcome_done(&freed[1]);
    opened(f, NULL);
    run_until_done(f, &kept);
    assert_int_equal(kept.status, 200);
    outcome_done(&kept);
    /* And when nobody is left. */
    f->is_open = false;
    start_gated(f, "/ok", &last);
    run_until_asked_to_open(f, 2);
    outcome_done(&last);
    not_opened(f, ERROR_AUTH, "x");
    run_for(f, 20 * USEC_PER_MSEC);
    assert_int_equal(freed[0].n_done + freed[1].n_done + last.n_done, 0);
    assert_int_equal(fault_server_requests(f->server, "/ok"), 1);
    assert_int_equal(f->n_open, 2);
}

/* One whose `done` starts another request. */
typedef struct Chain {
    Fixture *fixture;
    HttpRequest *request;
    Outcome next;
    unsigned n_done;
} Chain;

static void start_next(void *userdata, HttpAnswer *answer, const Error *error)
{
    Chain *chain = userdata;
    assert_true(!answer && error->kind == ERROR_AUTH);
    chain->n_done++;
    start_gated(chain->fixture, "/ok", &chain->next);
}

static void what_is_started_when_opening_failed_tries_for_itself(void **state)
{
    Fixture *f = *state;
    Chain chain = {.fixture = f};
    CLEANUP(outcome_done) Outcome freed_in_done = {.free_in_done = true};
    const HttpHandlers handlers = {.done = start_next, .userdata = &chain};
    const HttpSpec spec = {.method = "GET", .target = "/ok", .safe = true};
    chain.request = http_request_start(f->gated, &spec, NULL, &handlers);
    start_gated(f, "/ok", &freed_in_done);
    run_until_asked_to_open(f, 1);
    not_opened(f, ERROR_AUTH, "x");
    assert_int_equal(chain.n_done, 1);
    assert_int_equal(freed_in_done.n_done, 1);
    assert_int_equal(chain.next.n_done, 0);
    run_until_asked_to_open(f, 2);
    opened(f, NULL);
    run_until_done(f, &chain.next);
    assert_int_equal(chain.next.status, 200);
    http_request_free(chain.request);
    outcome_done(&chain.next);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_GATE(name) cmocka_unit_test_setup_teardown(name, set_up_gate, tear_down_gate)

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(an_answer_is_checked_and_given),
        TEST(signature_and_own_headers_are_sent),
        TEST(an_error_carries_what_the_answer_tells),
        TEST(a_redirect_is_named_and_not_followed),
        TEST(a_read_is_tried_again_after_503),
        TEST(a_write_is_left_open_after_503),
        TEST(waits_as_long_as_it_is_told),
        TEST(a_long_retry_after_ends_it),
        TEST(a_write_is_not_repeated_after_a_lost_answer),
        TEST(says_how_often_it_was_tried),
        TEST(a_try_has_the_time_that_is_left),
        TEST(a_read_that_is_not_understood_is_tried_again),
        TEST(a_signer_that_fails_ends_it_unsent),
        TEST(keeps_to_max_concurrency),
        TEST(one_at_a_time_keeps_the_order),
        TEST(waiting_holds_no_slot),
        TEST(knows_the_difference_of_the_clocks),
        TEST(the_breaker_opens_and_refuses),
        TEST(an_endpoint_without_tls_is_refused),
        TEST(can_be_freed_inside_its_callbacks),
        TEST(can_be_freed_while_queued_waiting_or_running),
        TEST(the_loop_may_end_in_done),
        TEST(without_a_gate_the_first_refusal_is_final),
        TEST_GATE(requests_wait_until_the_gate_is_open),
        TEST_GATE(the_gate_is_not_opened_for_nobody),
        TEST_GATE(a_gate_that_is_shut_by_itself_is_opened_again),
        TEST_GATE(an_error_of_opening_is_that_of_all_that_wait),
        TEST_GATE(a_refused_token_is_renewed_and_the_request_sent_again),
        TEST_GATE(a_write_is_sent_again_as_well),
        TEST_GATE(a_second_refusal_is_final),
        TEST_GATE(a_gate_that_stays_open_makes_a_refusal_final),
        TEST_GATE(other_errors_do_not_shut_the_gate),
        TEST_GATE(one_renewal_is_for_all_that_bore_the_old_token),
        TEST_GATE(a_refusal_that_comes_late_does_not_shut_what_is_new),
        TEST_GATE(a_renewal_that_fails_ends_the_request),
        TEST_GATE(opening_may_say_where_requests_go),
        TEST_GATE(messages_name_the_host_that_requests_go_to),
        TEST_GATE(a_place_that_may_not_be_asked_is_an_error_of_all_that_wait),
        TEST_GATE(opening_may_end_before_it_returns),
        TEST_GATE(requests_can_be_freed_while_the_gate_is_being_opened),
        TEST_GATE(what_is_started_when_opening_failed_tries_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
