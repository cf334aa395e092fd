#include "config.h"

#include "http/call.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/str.h"
#include "http/fault-server.h"

#define FILLER "x-filler: 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567\r\n"
#define LINE104                                                                                                        \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const Fault table[] = {
    {.target = "/ok", .first = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: a\r\neTag:  b \r\n\r\nhello"},
    {.target = "/404", .first = "HTTP/1.1 404 Not Found\r\nContent-Length: 15\r\n\r\n{\"code\":\"None\"}"},
    {.target = "/204", .first = "HTTP/1.1 204 No Content\r\n\r\n"},
    {.target = "/302", .first = "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n"},
    {.target = "/early",
     .first = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nx-a: 1\r\n\r\n",
     .second = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
    {.target = "/chunked",
     .first = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n"
              "x-trailer: 1\r\n\r\n"},
    {.target = "/short", .first = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", .end = FAULT_CLOSE},
    {.target = "/short-chunk",
     .first = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
     .end = FAULT_CLOSE},
    {.target = "/bad-chunk",
     .first = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
     .end = FAULT_CLOSE},
    {.target = "/garbage", .first = "\001\002 this is no HTTP at all\r\n\r\n", .end = FAULT_CLOSE},
    {.target = "/bad-length", .first = "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", .end = FAULT_CLOSE},
    {.target = "/headers", .first = "HTTP/1.1 200 OK\r\n", .fill = FILLER, .n_fill = 4000, .end = FAULT_CLOSE},
    {.target = "/header", .first = "HTTP/1.1 200 OK\r\nx: ", .fill = LINE104, .n_fill = 2000, .end = FAULT_CLOSE},
    {.target = "/endless", .first = "HTTP/1.1 200 OK\r\n\r\n", .fill = LINE104, .n_fill = 400000, .end = FAULT_CLOSE},
    {.target = "/huge", .first = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx", .end = FAULT_SILENT},
    {.target = "/page",
     .first = "HTTP/1.1 200 OK\r\nContent-Length: 2080000\r\n\r\n",
     .fill = LINE104,
     .n_fill = 20000},
    {.target = "/reset", .end = FAULT_RESET},
    {.target = "/close", .end = FAULT_CLOSE},
    {.target = "/silent", .end = FAULT_SILENT},
    {.target = "/stalls", .first = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", .end = FAULT_SILENT},
    {.target = "/slow",
     .first = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-a: 1\r\n\r\n",
     .delay_msec = 200,
     .second = "ok"},
    {.target = "/slow-404", .first = "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n", .delay_msec = 50, .second = "ok"},
    {.target = "/worn", .times = 1, .first = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {.target = "/worn", .times = 2, .end = FAULT_CLOSE},
    {.target = "/worn", .first = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {.target = "TLS", .times = 1, .end = FAULT_SILENT},
    {.target = "TLS", .times = 2, .end = FAULT_RESET},
    {.target = "TLS", .times = 3, .end = FAULT_CLOSE},
    {.target = "TLS", .first = "HTTP/1.1 400 Bad Request\r\n\r\n", .end = FAULT_CLOSE},
    {0},
};

typedef struct Fixture {
    FaultServer *server;
    sd_event *loop;
    Http *http;
} Fixture;

/* What became of one call. */
typedef struct Outcome {
    HttpCall *call;
    unsigned n_headers, n_done;
    bool free_in_headers, free_in_done;
    int status, headers_status;
    char *body, *etag;
    Error *error;
} Outcome;

static int set_up(void **state)
{
    Fixture *f = xcalloc(1, sizeof(*f));
    f->server = fault_server_new(table);
    assert_true(sd_event_new(&f->loop) >= 0);
    assert_int_equal(http_new(f->loop, &f->http, NULL), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    http_free(f->http);
    sd_event_unref(f->loop);
    fault_server_free(f->server);
    free(f);
    return 0;
}

static void outcome_done(Outcome *o)
{
    http_call_free(o->call);
    free(o->body);
    free(o->etag);
    error_free(o->error);
}

static void on_headers(void *userdata, const HttpAnswer *answer)
{
    Outcome *o = userdata;
    assert_int_equal(o->n_done, 0);
    o->n_headers++;
    o->headers_status = answer->status;
    if (o->free_in_headers)
        http_call_free(TAKE(o->call));
    assert_int_equal(answer->status, 200);
}

static void on_done(void *userdata, HttpAnswer *answer, const Error *error)
{
    Outcome *o = userdata;
    assert_true(!answer != !error);
    if (o->free_in_done)
        http_call_free(TAKE(o->call));
    o->n_done++;
    o->status = answer ? answer->status : 0;
    o->body = answer ? xstrdup(str_get(&answer->body)) : NULL;
    o->etag = answer ? xstrdup(http_answer_header(answer, "etag")) : NULL;
    o->error = error_copy(error);
}

static int start_send(Fixture *f, HttpSend *send, const char *target, Outcome *o, Error **err)
{
    CLEANUP(freep) char *url = xasprintf("http://127.0.0.1:%u%s", fault_server_port(f->server), target);
    if (!send->url)
        send->url = url;
    if (!send->method)
        send->method = "GET";
    if (!send->timeout)
        send->timeout = 10 * USEC_PER_SEC;
    return http_call_start(f->http, send, on_headers, on_done, o, &o->call, err);
}

static void run_until_done(Fixture *f, const Outcome *o)
{
    while (o->n_done == 0)
        assert_true(sd_event_run(f->loop, 20 * USEC_PER_SEC) >= 0);
}

static void run_for(Fixture *f, usec_t time)
{
    for (usec_t end = clock_monotonic() + time; clock_monotonic() < end;)
        assert_true(sd_event_run(f->loop, end - clock_monotonic()) >= 0);
}

static Outcome ask(Fixture *f, const char *target)
{
    Outcome o = {0};
    assert_int_equal(start_send(f, &(HttpSend){0}, target, &o, NULL), 0);
    assert_int_equal(o.n_done, 0);
    run_until_done(f, &o);
    assert_int_equal(o.n_done, 1);
    return o;
}

static void gives_a_whole_answer(void **state)
{
    CLEANUP(outcome_done) Outcome o = ask(*state, "/ok");
    assert_int_equal(o.status, 200);
    assert_string_equal(o.body, "hello");
    assert_string_equal(o.etag, "b");
    assert_int_equal(o.n_headers, 1);
}

static void any_status_is_an_answer(void **state)
{
    static const struct {
        const char *target;
        int status;
        unsigned n_headers;
        const char *body;
    } rows[] = {{"/404", 404, 0, "{\"code\":\"None\"}"},
                {"/204", 204, 0, ""},
                {"/302", 302, 0, ""},
                {"/early", 200, 1, "ok"},
                {"/chunked", 200, 1, "abcde"},
                {"/slow-404", 404, 0, "ok"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(outcome_done) Outcome o = ask(*state, rows[i].target);
        assert_int_equal(o.status, rows[i].status);
        assert_int_equal(o.n_headers, rows[i].n_headers);
        assert_string_equal(o.body, rows[i].body);
    }
    assert_int_equal(fault_server_requests(((Fixture *)*state)->server, "/ok"), 0);
}

static void tells_apart_what_went_wrong(void **state)
{
    static const struct {
        const char *target;
        ErrorKind kind;
        const char *words;
    } rows[] = {
        {"/short", ERROR_LOST, "the answer was cut short"},
        {"/short-chunk", ERROR_LOST, "the answer was cut short"},
        {"/bad-chunk", ERROR_LOST, "the connection was lost"},
        {"/reset", ERROR_LOST, "the connection was lost"},
        {"/close", ERROR_LOST, "closed before any answer"},
        {"/garbage", ERROR_PROTOCOL, "not an answer of HTTP"},
        {"/bad-length", ERROR_PROTOCOL, "not an answer of HTTP"},
        {"/headers", ERROR_PROTOCOL, "headers are more than 256 KiB"},
        {"/header", ERROR_PROTOCOL, "header"},
        {"/endless", ERROR_PROTOCOL, "the answer is more than 32768 KiB"},
        {"/huge", ERROR_PROTOCOL, "the answer is more than 32768 KiB"},
    };
    Fixture *f = *state;
    CLEANUP(freep) char *host = xasprintf("127.0.0.1:%u: ", fault_server_port(f->server));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(outcome_done) Outcome o = ask(f, rows[i].target);
        assert_non_null(o.error);
        if (o.error->kind != rows[i].kind || !strstr(o.error->message, rows[i].words))
            fail_msg("%s: kind %d: %s", rows[i].target, (int)o.error->kind, o.error->message);
        assert_true(starts_with(o.error->message, host));
    }
}

static void a_large_page_arrives_whole(void **state)
{
    CLEANUP(outcome_done) Outcome o = ask(*state, "/page");
    assert_int_equal(o.status, 200);
    assert_int_equal(strlen(o.body), 2080000);
}

static void gives_up_in_time(void **state)
{
    static const char *const targets[] = {"/silent?key=secret", "/silent", "/stalls"};
    static const char *const words[] = {"closed before", "no answer within 0.3 s", "no whole answer within 0.3 s"};
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
        CLEANUP(outcome_done) Outcome o = {0};
        start_send(*state, &(HttpSend){.timeout = 300 * USEC_PER_MSEC}, targets[i], &o, NULL);
        run_until_done(*state, &o);
        assert_int_equal(o.error->kind, i ? ERROR_TIMEOUT : ERROR_LOST);
        assert_non_null(strstr(o.error->message, words[i]));
        assert_null(strstr(o.error->message, "secret"));
    }
}

static void nothing_was_sent_when_nobody_listens(void **state)
{
    CLEANUP(outcome_done) Outcome o = {0};
    start_send(*state, &(HttpSend){.url = "http://127.0.0.1:1/x?secret"}, "", &o, NULL);
    run_until_done(*state, &o);
    assert_int_equal(o.error->kind, ERROR_CONNECT);
    assert_string_equal(o.error->message, "127.0.0.1:1: connection refused");
}

static void a_handshake_that_breaks_off_is_no_connection(void **state)
{
    static const struct {
        ErrorKind kind;
        const char *words;
    } rows[] = {{ERROR_CONNECT, "connecting timed out after 0.3 s"},
                {ERROR_CONNECT, "reset by peer"},
                {ERROR_CONNECT, ""},
                {ERROR_TLS, "wrong version number"}};
    Fixture *f = *state;
    CLEANUP(freep) char *url = xasprintf("https://127.0.0.1:%u/", fault_server_port(f->server));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(outcome_done) Outcome o = {0};
        start_send(f, &(HttpSend){.url = url, .timeout = i ? 0 : 300 * USEC_PER_MSEC}, "", &o, NULL);
        run_until_done(f, &o);
        if (o.error->kind != rows[i].kind || !strstr(o.error->message, rows[i].words))
            fail_msg("%zu: kind %d: %s", i, (int)o.error->kind, o.error->message);
    }
}

static void a_bad_ca_file_is_named(void **state)
{
    Fixture *f = *state;
    char empty[] = "/tmp/http-call-test-XXXXXX";
    close(mkstemp(empty));
    const char *const files[] = {"/nonexistent/ca.pem", empty};
    CLEANUP(freep) char *url = xasprintf("https://127.0.0.1:%u/", fault_server_port(f->server));
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        CLEANUP(outcome_done) Outcome o = {0};
        start_send(f, &(HttpSend){.url = url, .ca_file = files[i]}, "", &o, NULL);
        run_until_done(f, &o);
        if (o.error->kind != ERROR_TLS || !strstr(o.error->message, files[i]))
            fail_msg("kind %d: %s", (int)o.error->kind, o.error->message);
    }
    unlink(empty);
}

static void refuses_what_may_not_be_asked(void **state)
{
    static const char *const urls[] = {"http://192.0.2.1/",
                                       "http://localhost.example/",
                                       "http://127.0.0.1.example/",
                                       "ftp://127.0.0.1/",
                                       "file:///etc/passwd",
                                       "127.0.0.1",
                                       "http://user:secret@127.0.0.1/"};
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        Outcome o = {0};
        CLEANUP(error_freep) Error *err = NULL;
        assert_int_equal(start_send(*state, &(HttpSend){.url = urls[i]}, "", &o, &err), -1);
        assert_int_equal(err->kind, ERROR_SPEC);
        assert_null(strstr(err->message, "secret"));
    }
}

static void refuses_a_header_with_a_line_break(void **state)
{
    Outcome o = {0};
    const HttpHeader header = {"x-a", "1\r\nx-b: 2"};
    assert_int_equal(start_send(*state, &(HttpSend){.headers = &header, .n_headers = 1}, "/ok", &o, NULL), -1);
}

static void sends_what_was_given_and_no_more(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = {0};
    const HttpHeader headers[] = {{"x-a", "1"}, {"x-empty", ""}, {"content-type", "application/json"}};
    start_send(f, &(HttpSend){.method = "PUT", .headers = headers, .n_headers = 3, .body = "{}\0!", .body_size = 4},
               "/ok", &o, NULL);
    run_until_done(f, &o);
    CLEANUP(freep) char *seen = fault_server_last(f->server);
    CLEANUP(freep)
    char *expected = xasprintf(
        "PUT /ok HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: imagekeeper/" PACKAGE_VERSION
        "\r\nAccept: */*\r\nx-a: 1\r\nx-empty:\r\ncontent-type: application/json\r\nContent-Length: 4\r\n\r\n{}",
        fault_server_port(f->server));
    assert_string_equal(seen, expected);
}

static void an_empty_post_says_so(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = {0};
    start_send(f, &(HttpSend){.method = "POST"}, "/ok", &o, NULL);
    run_until_done(f, &o);
    CLEANUP(freep) char *seen = fault_server_last(f->server);
    assert_non_null(strstr(seen, "Content-Length: 0\r\n"));
    assert_null(strcasestr(seen, "content-type"));
}

static void headers_come_before_a_slow_body(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome o = {0};
    start_send(f, &(HttpSend){0}, "/slow", &o, NULL);
    while (o.n_headers == 0)
        assert_true(sd_event_run(f->loop, 20 * USEC_PER_SEC) >= 0);
    assert_int_equal(o.n_done, 0);
    assert_int_equal(o.headers_status, 200);
    run_until_done(f, &o);
    assert_string_equal(o.body, "ok");
    assert_int_equal(o.n_headers, 1);
}

static void can_be_freed_at_any_moment(void **state)
{
    Fixture *f = *state;
    Outcome never = {0}, running = {0}, stopped = {0};
    start_send(f, &(HttpSend){0}, "/slow", &never, NULL);
    http_call_free(never.call);
    start_send(f, &(HttpSend){0}, "/silent", &running, NULL);
    CLEANUP(outcome_done) Outcome in_headers = {.free_in_headers = true}, in_done = {.free_in_done = true};
    start_send(f, &(HttpSend){0}, "/slow", &in_headers, NULL);
    start_send(f, &(HttpSend){0}, "/ok", &in_done, NULL);
    run_until_done(f, &in_done);
    assert_string_equal(in_done.body, "hello");
    while (in_headers.n_headers == 0)
        assert_true(sd_event_run(f->loop, 20 * USEC_PER_SEC) >= 0);
    run_for(f, 300 * USEC_PER_MSEC);
    http_call_free(running.call);
    start_send(f, &(HttpSend){0}, "/ok", &stopped, NULL);
    while (stopped.n_headers == 0)
        sd_event_run(f->loop, 20 * USEC_PER_SEC);
    http_call_free(stopped.call);
    run_for(f, 50 * USEC_PER_MSEC);
    assert_int_equal(in_headers.n_headers, 1);
    assert_int_equal(never.n_done + running.n_done + stopped.n_done + in_headers.n_done, 0);
}

static void a_connection_is_used_again(void **state)
{
    Fixture *f = *state;
    for (unsigned i = 0; i < 5; i++) {
        CLEANUP(outcome_done) Outcome o = ask(f, "/ok");
        assert_int_equal(o.status, 200);
    }
    assert_int_equal(fault_server_connections(f->server), 1);
}

static void many_at_once_all_end(void **state)
{
    Fixture *f = *state;
    Outcome outcomes[40] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
        start_send(f, &(HttpSend){0}, i % 2 ? "/slow" : "/ok", &outcomes[i], NULL);
    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
        run_until_done(f, &outcomes[i]);
        assert_int_equal(outcomes[i].status, 200);
        outcome_done(&outcomes[i]);
    }
}

/* The connection dies under the second request: libcurl would send it again on a new one. */
static void a_write_is_not_sent_again_on_a_dead_connection(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome first = ask(f, "/worn"), o = {0};
    assert_int_equal(first.status, 200);
    start_send(f, &(HttpSend){.method = "POST", .body = "{}", .body_size = 2}, "/worn", &o, NULL);
    run_until_done(f, &o);
    assert_int_equal(o.error->kind, ERROR_LOST);
    assert_int_equal(fault_server_requests(f->server, "/worn"), 2);
}

static void a_read_is_sent_again_on_a_dead_connection(void **state)
{
    Fixture *f = *state;
    CLEANUP(outcome_done) Outcome first = ask(f, "/worn"), o = ask(f, "/worn");
    assert_int_equal(first.status, 200);
    assert_int_equal(o.status, 200);
    assert_int_equal(fault_server_requests(f->server, "/worn"), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(gives_a_whole_answer),
        TEST(any_status_is_an_answer),
        TEST(tells_apart_what_went_wrong),
        TEST(a_large_page_arrives_whole),
        TEST(gives_up_in_time),
        TEST(nothing_was_sent_when_nobody_listens),
        TEST(a_handshake_that_breaks_off_is_no_connection),
        TEST(a_bad_ca_file_is_named),
        TEST(refuses_what_may_not_be_asked),
        TEST(refuses_a_header_with_a_line_break),
        TEST(sends_what_was_given_and_no_more),
        TEST(an_empty_post_says_so),
        TEST(headers_come_before_a_slow_body),
        TEST(can_be_freed_at_any_moment),
        TEST(a_connection_is_used_again),
        TEST(many_at_once_all_end),
        TEST(a_write_is_not_sent_again_on_a_dead_connection),
        TEST(a_read_is_sent_again_on_a_dead_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
