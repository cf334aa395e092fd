#include "config.h"

#include "../../tests/unit/helper.h"

#include "cloud/api-error.h"

static const ApiErrorRule rules[] = {
    {409, ERROR_TOKEN, "Used"},
    {0, ERROR_CONFLICT, "Used"},
    {0, ERROR_BUSY, "7"},
    {404, ERROR_FORBIDDEN, "Hidden"},
    {404, ERROR_PROTOCOL, NULL},
    {404, ERROR_SERVER, "Late"}, /* behind one that takes all */
    {0},
};

static Error *answered(int status, const char *body)
{
    HttpAnswer answer = {.status = status};
    str_add(&answer.body, body);
    Error *e = api_error(&answer, rules, NULL);
    str_done(&answer.body);
    assert_int_equal(e->status, status);
    return e;
}

/* `code` may be NULL. */
static void assert_error(int status, const char *body, const char *code, const char *message)
{
    CLEANUP(error_freep) Error *e = answered(status, body);
    assert_string_equal(e->message, message);
    if (!streq_null(e->code, code))
        fail_msg("the code of %s is %s", body, e->code ? e->code : "none");
}

static void assert_kind(int status, const char *body, ErrorKind kind)
{
    CLEANUP(error_freep) Error *e = answered(status, body);
    if (e->kind != kind)
        fail_msg("%d with %s is of kind %d", status, body, (int)e->kind);
}

static void each_form_of_a_body_is_read(void **state)
{
    (void)state;
    assert_error(400, "{\"error\":{\"code\":\"IMG.0027\",\"message\":\"no such image\"}}", "IMG.0027", "no such image");
    assert_error(401, "{\"error_code\":\"APIGW.0301\",\"error_msg\":\"bad keys\",\"request_id\":\"r\"}", "APIGW.0301",
                 "bad keys");
    assert_error(400, "{\"code\":\"InvalidParameter\",\"message\":\"limit\"}", "InvalidParameter", "limit");
    assert_error(400, " {\"message\":\"limit\",\"code\":\"InvalidParameter\",\"details\":[{\"x\":1}]}\n",
                 "InvalidParameter", "limit");
}

static void the_first_form_that_is_whole_counts(void **state)
{
    (void)state;
    assert_error(400,
                 "{\"code\":\"C\",\"message\":\"c\",\"error_code\":\"B\",\"error_msg\":\"b\","
                 "\"error\":{\"code\":\"A\",\"message\":\"a\"}}",
                 "A", "a");
    assert_error(400, "{\"code\":\"C\",\"message\":\"c\",\"error_code\":\"B\",\"error_msg\":\"b\",\"error\":\"x\"}",
                 "B", "b");
    assert_error(400, "{\"code\":\"C\",\"message\":\"c\",\"error_msg\":\"b\",\"error\":{\"code\":\"A\"}}", "C", "c");
}

static void a_code_may_be_a_number(void **state)
{
    (void)state;
    assert_error(500, "{\"code\":7,\"message\":\"seven\"}", "7", "seven");
    assert_error(500, "{\"error\":{\"code\":-1,\"message\":\"minus\"}}", "-1", "minus");
    assert_error(500, "{\"error_code\":1.5,\"error_msg\":\"odd\"}", NULL, "odd");
    assert_error(500, "{\"code\":null,\"message\":\"none\"}", NULL, "none");
    assert_error(500, "{\"code\":[\"x\"],\"message\":\"list\"}", NULL, "list");
}

static void a_code_that_is_the_status_again_is_none(void **state)
{
    (void)state;
    assert_error(404, "{\"error\":{\"code\":404,\"title\":\"Not Found\",\"message\":\"gone\"}}", NULL, "gone");
    assert_error(404, "{\"code\":\"404\",\"message\":\"gone\"}", NULL, "gone");
    assert_error(404, "{\"code\":\"404 Not Found\",\"message\":\"gone\"}", NULL, "gone");
    assert_error(404, "{\"code\":\"404.1\",\"message\":\"gone\"}", "404.1", "gone");
    assert_error(404, "{\"code\":403,\"message\":\"gone\"}", "403", "gone");
    assert_error(404, "{\"code\":4040,\"message\":\"gone\"}", "4040", "gone");
}

static void a_body_of_another_shape_is_shown_as_it_is(void **state)
{
    (void)state;
    assert_error(400, "{\"message\":\"x\"}", NULL, "answered 400: {\"message\":\"x\"}");
    assert_error(400, "{\"code\":\"A\",\"message\":7}", NULL, "answered 400: {\"code\":\"A\",\"message\":7}");
    assert_error(400, "[1]", NULL, "answered 400: [1]");
    assert_error(400, "{\"code\":\"A\",\"message\":\"x\"", NULL, "answered 400: {\"code\":\"A\",\"message\":\"x\"");
    assert_error(503, "try\r\n later ", NULL, "answered 503: try later");
    assert_error(503, "a < b and c > d", NULL, "answered 503: a < b and c > d");
}

static void nothing_is_said_to_be_nothing(void **state)
{
    (void)state;
    assert_error(502, "", NULL, "answered 502: (nothing)");
    assert_error(502, " \r\n\t", NULL, "answered 502: (nothing)");
    assert_error(502, "<html><head><title>x</title></head><body>\n<hr>\n</body></html>", NULL,
                 "answered 502: (nothing)");
    HttpAnswer answer = {.status = 502};
    CLEANUP(error_freep) Error *e = api_error(&answer, rules, NULL);
    assert_string_equal(e->message, "answered 502: (nothing)");
}

static void of_html_the_words_of_its_body_are_shown(void **state)
{
    (void)state;
    assert_error(
        404,
        "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body class=\"a\">\n  <h1>404 Not Found</h1>\n"
        "  No image <i>x</i> found.<br /><br />\n\n\n </body>\n</html>",
        NULL, "answered 404: 404 Not Found No image x found.");
    assert_error(502, "<HTML><BODY><H1>Bad Gateway</H1></BODY></HTML>", NULL, "answered 502: Bad Gateway");
}

static void a_message_may_have_html_in_it(void **state)
{
    (void)state;
    assert_error(404, "{\"message\":\"No image<br /><br />\\n\\n\\n\",\"code\":\"404 Not Found\"}", NULL, "No image");
    assert_error(404, "{\"message\":\"one<BR>two\",\"code\":\"A\"}", "A", "one two");
    assert_error(404, "cut<br /", NULL, "answered 404: cut");
}

static void control_characters_do_not_pass(void **state)
{
    (void)state;
    assert_error(400, "{\"code\":\"A\\u001b[1m\",\"message\":\"a\\u001b[31mb\\nc\\u0007\"}", "A?[1m", "a?[31mb c?");
    assert_error(400, "x\x1b[2Jy\x7fz", NULL, "answered 400: x?[2Jy?z");
}

static void a_huge_answer_is_cut(void **state)
{
    (void)state;
    CLEANUP(str_done) Str code = {0}, message = {0}, body = {0};
    for (unsigned i = 0; i < 5000; i++)
        str_addc(&code, 'c');
    for (unsigned i = 0; i < 5000; i++)
        str_add(&message, "word ");
    str_addf(&body, "{\"code\":\"%s\",\"message\":\"%s\"}", str_get(&code), str_get(&message));
    CLEANUP(error_freep) Error *e = answered(400, str_get(&body)), *plain = answered(400, str_get(&message));
    assert_in_range(strlen(e->code), 90, 110);
    assert_in_range(strlen(e->message), 990, 1010);
    assert_in_range(strlen(plain->message), 190, 230);
}

static void the_first_rule_that_fits_counts(void **state)
{
    (void)state;
    assert_kind(409, "{\"code\":\"Used\",\"message\":\"x\"}", ERROR_TOKEN);
    assert_kind(404, "{\"code\":\"Hidden\",\"message\":\"x\"}", ERROR_FORBIDDEN);
    assert_kind(404, "{\"code\":\"Late\",\"message\":\"x\"}", ERROR_PROTOCOL);
}

static void a_rule_without_a_status_holds_for_any(void **state)
{
    (void)state;
    assert_kind(400, "{\"code\":\"Used\",\"message\":\"x\"}", ERROR_CONFLICT);
    assert_kind(500, "{\"error\":{\"code\":\"Used\",\"message\":\"x\"}}", ERROR_CONFLICT);
    assert_kind(429, "{\"error_code\":7,\"error_msg\":\"x\"}", ERROR_BUSY);
    assert_kind(400, "{\"code\":\"used\",\"message\":\"x\"}", ERROR_REJECTED);
}

static void a_rule_without_a_code_holds_for_any_and_for_none(void **state)
{
    (void)state;
    assert_kind(404, "{\"code\":\"Used2\",\"message\":\"x\"}", ERROR_PROTOCOL);
    assert_kind(404, "{\"code\":404,\"message\":\"x\"}", ERROR_PROTOCOL);
    assert_kind(404, "", ERROR_PROTOCOL);
}

static void without_a_rule_the_status_decides(void **state)
{
    (void)state;
    static const struct {
        int status;
        ErrorKind kind;
    } cases[] = {{300, ERROR_PROTOCOL},  {400, ERROR_REJECTED}, {401, ERROR_AUTH},     {403, ERROR_FORBIDDEN},
                 {405, ERROR_REJECTED},  {409, ERROR_BUSY},     {412, ERROR_CONFLICT}, {413, ERROR_REJECTED},
                 {429, ERROR_THROTTLED}, {500, ERROR_SERVER},   {501, ERROR_SERVER},   {503, ERROR_SERVER}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_kind(cases[i].status, "{\"code\":\"Hidden\",\"message\":\"x\"}", cases[i].kind);
        assert_kind(cases[i].status, "<body>Used</body>", cases[i].kind);
    }
}

static void a_secret_that_an_answer_repeats_is_not_shown(void **state)
{
    (void)state;
    const ApiSecrets secrets = {{NULL, "tok-12", "", "tok-1"}};
    HttpAnswer answer = {.status = 401};
    str_add(&answer.body, "{\"error_code\":\"APIGW.0301\",\"error_msg\":\"tok-1 of (tok-12), tok-1\"}");
    Error *e = api_error(&answer, rules, &secrets);
    assert_string_equal(e->message, "[secret] of ([secret]), [secret]");
    error_free(e);
    str_clear(&answer.body);
    /* Also where it would be cut off. */
    for (int i = 0; i < 400; i++)
        str_add(&answer.body, i % 2 ? "tok-12" : "x");
    e = api_error(&answer, rules, &secrets);
    assert_null(strstr(e->message, "tok"));
    error_free(e);
    str_done(&answer.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_of_a_body_is_read),
        cmocka_unit_test(the_first_form_that_is_whole_counts),
        cmocka_unit_test(a_code_may_be_a_number),
        cmocka_unit_test(a_code_that_is_the_status_again_is_none),
        cmocka_unit_test(a_body_of_another_shape_is_shown_as_it_is),
        cmocka_unit_test(nothing_is_said_to_be_nothing),
        cmocka_unit_test(of_html_the_words_of_its_body_are_shown),
        cmocka_unit_test(a_message_may_have_html_in_it),
        cmocka_unit_test(control_characters_do_not_pass),
        cmocka_unit_test(a_huge_answer_is_cut),
        cmocka_unit_test(the_first_rule_that_fits_counts),
        cmocka_unit_test(a_rule_without_a_status_holds_for_any),
        cmocka_unit_test(a_rule_without_a_code_holds_for_any_and_for_none),
        cmocka_unit_test(a_secret_that_an_answer_repeats_is_not_shown),
        cmocka_unit_test(without_a_rule_the_status_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
