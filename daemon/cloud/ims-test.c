#include "config.h"

#include "../../tests/unit/provider.h"

#define KEYS "\"accessKeyFile\":\"ak\",\"secretKeyFile\":\"sk\""
#define PASSWORD "\"user\":\"u\",\"domain\":\"d\",\"passwordFile\":\"password\""

static int set_up(void **state)
{
    int r = secrets_set_up(state);
    file_write(*state, "ak", "ACCESS\n");
    file_write(*state, "sk", "hush-sk\n");
    file_write(*state, "st", " temporary \n");
    file_write(*state, "password", "hush \"1\"\n");
    return r;
}

static Credential *open_with(const char *settings)
{
    return credential_of(&ims_provider, settings);
}

static void endpoints_are_made_of_the_region(void **state)
{
    (void)state;
    CLEANUP(credential_freep) Credential *keys = open_with("{\"region\":\"ap-1\",\"projectId\":\"p\"," KEYS "}");
    assert_string_equal(keys->endpoint, "https://ims.ap-1.myhuaweicloud.com");
    assert_string_equal(keys->home, "p");
    assert_null(keys->login_endpoint);
    assert_null(keys->token);
    CLEANUP(credential_freep) Credential *password = open_with("{\"region\":\"ap-1\"," PASSWORD "}");
    assert_string_equal(password->endpoint, "https://ims.ap-1.myhuaweicloud.com");
    assert_string_equal(password->login_endpoint, "https://iam.ap-1.myhuaweicloud.com");
    assert_null(password->home);
    assert_string_equal(password->login_with, "user u and the password in password");
}

static void endpoints_that_are_given_are_taken(void **state)
{
    (void)state;
    CLEANUP(credential_freep)
    Credential *keys = open_with("{\"endpoint\":\"https://ims.example\",\"projectId\":\"p\"," KEYS "}");
    assert_string_equal(keys->endpoint, "https://ims.example");
    CLEANUP(credential_freep)
    Credential *password = open_with("{\"region\":\"ap-1\",\"endpoint\":\"https://ims.example\","
                                     "\"iamEndpoint\":\"https://iam.example\",\"projectId\":\"p\"," PASSWORD "}");
    assert_string_equal(password->endpoint, "https://ims.example");
    assert_string_equal(password->login_endpoint, "https://iam.example");
    assert_string_equal(password->home, "p");
}

static void what_is_missing_is_told(void **state)
{
    (void)state;
    assert_not_opened(&ims_provider, "{\"projectId\":\"p\"," KEYS "}", ERROR_SPEC,
                      "no region: set region, or endpoint");
    assert_not_opened(&ims_provider, "{\"endpoint\":\"https://i\",\"projectId\":\"p\"," PASSWORD "}", ERROR_SPEC,
                      "no region: set region, or endpoint and iamEndpoint");
    assert_not_opened(&ims_provider, "{\"region\":\"ap-1\"," KEYS "}", ERROR_SPEC, "no project: set projectId");
    assert_not_opened(&ims_provider, "{\"endpoint\":\"https://i\",\"iamEndpoint\":\"https://j\"," PASSWORD "}",
                      ERROR_SPEC, "no project: set projectId");
}

static void a_secret_is_one_line_that_others_cannot_read(void **state)
{
    file_write(*state, "two", "hush\nhush\n");
    file_write(*state, "blank", " \n");
    file_write(*state, "open", "hush\n");
    CLEANUP(freep) char *path = xasprintf("%s/open", (char *)*state);
    assert_int_equal(chmod(path, 0644), 0);
    static const struct {
        const char *file, *part;
        ErrorKind kind;
    } bad[] = {{"two", "must hold one line", ERROR_SPEC},
               {"blank", "must hold one line", ERROR_SPEC},
               {"nowhere", "secretKeyFile: ", ERROR_LOCAL},
               {"open", "mode 0644", ERROR_LOCAL}};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(freep)
        char *settings = xasprintf(
            "{\"region\":\"ap-1\",\"projectId\":\"p\",\"accessKeyFile\":\"ak\",\"secretKeyFile\":\"%s\"}", bad[i].file);
        assert_not_opened(&ims_provider, settings, bad[i].kind, bad[i].part);
    }
}

static void requests_are_signed_with_the_keys(void **state)
{
    (void)state;
    CLEANUP(credential_freep)
    Credential *c = open_with("{\"region\":\"ap-1\",\"projectId\":\"p1\",\"securityTokenFile\":\"st\"," KEYS "}");
    CLEANUP(freep) char *read = headers_of(c, &(HttpSpec){.method = "GET", .target = "/v2/cloudimages"});
    assert_true(starts_with(read, "accept: application/json\n"));
    assert_non_null(strstr(read, "\nx-sdk-date: 20260105T213140Z\n"));
    assert_non_null(strstr(read, "\nx-project-id: p1\n"));
    assert_non_null(strstr(read, "\nx-security-token: temporary\n"));
    assert_non_null(strstr(read,
                           "\nauthorization: SDK-HMAC-SHA256 Access=ACCESS, SignedHeaders=host;x-project-id;x-sdk-date;"
                           "x-security-token, Signature="));
    assert_null(strstr(read, "content-type"));
    assert_null(strstr(read, "hush"));
    const HttpSpec spec = {.method = "PATCH", .target = "/v2/cloudimages/a", .body = "[]", .body_size = 2};
    CLEANUP(freep) char *write = headers_of(c, &spec);
    assert_non_null(strstr(write, "\ncontent-type: application/json\n"));
    assert_non_null(strstr(write, "SignedHeaders=content-type;host;"));
}

static void requests_bear_the_token_of_a_login(void **state)
{
    (void)state;
    CLEANUP(credential_freep) Credential *c = open_with("{\"region\":\"ap-1\"," PASSWORD "}");
    CLEANUP(http_headers_done) HttpHeaders none = {0};
    CLEANUP(error_freep) Error *err = NULL;
    const HttpSpec spec = {.method = "GET", .target = "/x"},
                   write = {.method = "PATCH", .target = "/x", .body = "[]", .body_size = 2};
    assert_int_equal(ims_provider.sign(c, &spec, "https://i.example", 1, &none, &err), -1);
    assert_int_equal(err->kind, ERROR_AUTH);
    c->token = xstrdup("t0k");
    CLEANUP(freep) char *read = headers_of(c, &spec), *patch = headers_of(c, &write);
    assert_string_equal(read, "accept: application/json\nx-auth-token: t0k\n");
    assert_string_equal(patch, "accept: application/json\nx-auth-token: t0k\ncontent-type: application/json\n");
}

#define LOGIN_BODY(scope)                                                                                              \
    "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":{\"domain\":{\"name\":\"d\"},"         \
    "\"name\":\"u\",\"password\":\"hush \\\"1\\\"\"}}},\"scope\":{\"project\":{" scope "}}}}"

static void a_login_asks_for_the_project_or_the_regions_own(void **state)
{
    (void)state;
    CLEANUP(credential_freep) Credential *c = open_with("{\"region\":\"ap-1\"," PASSWORD "}");
    assert_login(c, "/v3/auth/tokens?nocatalog=true", LOGIN_BODY("\"name\":\"ap-1\""));
    CLEANUP(credential_freep) Credential *with = open_with("{\"region\":\"ap-1\",\"projectId\":\"p\"," PASSWORD "}");
    assert_login(with, "/v3/auth/tokens?nocatalog=true", LOGIN_BODY("\"id\":\"p\""));
}

static void a_token_tells_the_project(void **state)
{
    (void)state;
    CLEANUP(credential_freep) Credential *c = open_with("{\"region\":\"ap-1\"," PASSWORD "}");
    assert_login_refused(c, "{\"expires_at\":\"x\"}", ERROR_REJECTED, "the token is for no project: set projectId");
    assert_login_refused(c, "{\"project\":{\"id\":\"\"}}", ERROR_REJECTED,
                         "the token is for no project: set projectId");
    assert_null(c->home);
    assert_login_taken(c, "{\"project\":{\"id\":\"p\",\"name\":\"ap-1\"}}");
    assert_string_equal(c->home, "p");
    assert_login_taken(c, "{\"project\":{\"id\":\"p\"}}");
    assert_login_refused(c, "{\"project\":{\"id\":\"q\"}}", ERROR_PROTOCOL,
                         "asked for a token of project p, got one of q");
    assert_string_equal(c->home, "p");
    assert_string_equal(c->endpoint, "https://ims.ap-1.myhuaweicloud.com");
}

static void a_list_is_the_projects_newest_first(void **state)
{
    (void)state;
    assert_list_target(&ims_image, &ims_provider, "p/1", 500, NULL,
                       "/v2/cloudimages?owner=p%2F1&sort_key=created_at&sort_dir=desc&limit=500");
    assert_list_target(&ims_image, &ims_provider, "p", 7, "a b",
                       "/v2/cloudimages?owner=p&sort_key=created_at&sort_dir=desc&limit=7&marker=a%20b");
}

static void one_image_is_a_list_of_it(void **state)
{
    (void)state;
    assert_true(ims_provider.single_is_page);
    assert_string_equal(ims_provider.list_member, "images");
    assert_object_target(&ims_image, &ims_provider, "a&b", "/v2/cloudimages?id=a%26b");
}

static void assert_next_after(unsigned n, unsigned page_size, bool more)
{
    CLEANUP(str_done) Str text = {0};
    CLEANUP(freep) char *last = xasprintf("i%u", n);
    str_add(&text, "{\"images\":[");
    for (unsigned i = 1; i <= n; i++)
        str_addf(&text, "%s{\"id\":\"i%u\"}", i == 1 ? "" : ",", i);
    str_add(&text, "]}");
    assert_next_page(&ims_provider, str_get(&text), page_size, "before", more ? last : NULL);
}

static void a_page_that_could_be_longer_is_the_last(void **state)
{
    (void)state;
    assert_next_after(0, 1, false);
    assert_next_after(0, 500, false);
    assert_next_after(0, 0, false);
    assert_next_after(1, 2, false);
    assert_next_after(499, 500, false);
    assert_next_after(499, 1000, false);
}

static void a_full_page_is_followed_by_another(void **state)
{
    (void)state;
    assert_next_after(1, 1, true);
    assert_next_after(2, 2, true);
    assert_next_after(3, 2, true);
    assert_next_after(500, 500, true);
    /* A larger limit may have been cut down. */
    assert_next_after(500, 501, true);
    assert_next_after(500, 1000, true);
    assert_next_after(700, 1000, true);
}

static void a_write_is_a_patch_with_a_value_for_each_operation(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(str_done) Str body = {0}, target = {0};
    ims_provider.add_body(json_of(arena, "{\"a\":\"1\",\"b\":\"2\"}"), json_of(arena, "{\"a\":null,\"b\":\"3\"}"),
                          false, &body);
    assert_string_equal(str_get(&body), "[{\"op\":\"remove\",\"path\":\"/a\",\"value\":\"\"},"
                                        "{\"op\":\"replace\",\"path\":\"/b\",\"value\":\"3\"}]");
    HttpSpec spec;
    const Update update = {.kind = &ims_image, .id = "x/y", .body = str_get(&body)};
    ims_provider.fill_update(&update, &target, &spec);
    assert_string_equal(spec.method, "PATCH");
    assert_string_equal(spec.target, "/v2/cloudimages/x%2Fy");
    assert_ptr_equal(spec.body, update.body);
    assert_int_equal(spec.body_size, body.len);
    assert_null(spec.headers[0].name);
    assert_false(spec.safe);
}

static void codes_of_the_api_say_what_an_error_means(void **state)
{
    (void)state;
    CLEANUP(credential_freep) Credential *c = open_with("{\"region\":\"ap-1\",\"projectId\":\"p\"," KEYS "}");
    static const struct {
        const char *code;
        ErrorKind kind;
    } codes[] = {{"IMG.0027", ERROR_NOT_FOUND}, {"IMG.0066", ERROR_NOT_FOUND}, {"IMG.0086", ERROR_NOT_FOUND},
                 {"IMG.0144", ERROR_NOT_FOUND}, {"IMG.0030", ERROR_AUTH},      {"IMG.0067", ERROR_AUTH},
                 {"IMG.0087", ERROR_AUTH},      {"IMG.0035", ERROR_CONFLICT},  {"IMG.0046", ERROR_BUSY},
                 {"IMG.0148", ERROR_BUSY},      {"IMG.0026", ERROR_FORBIDDEN}, {"IMG.0047", ERROR_FORBIDDEN},
                 {"IMG.0106", ERROR_FORBIDDEN}, {"IMG.0060", ERROR_THROTTLED}, {"IMG.0187", ERROR_THROTTLED},
                 {"IMG.0061", ERROR_SERVER},    {"IMG.0154", ERROR_SERVER},    {"IMG.0028", ERROR_REJECTED},
                 {"IMG.0141", ERROR_REJECTED},  {"IMG.0168", ERROR_REJECTED},  {"IMG.9999", ERROR_REJECTED}};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        CLEANUP(freep) char *body = xasprintf("{\"error\":{\"code\":\"%s\",\"message\":\"m\"}}", codes[i].code);
        assert_error_kind(c, 400, body, codes[i].kind);
    }
}

static void codes_of_the_gateway_say_what_an_error_means(void **state)
{
    (void)state;
    CLEANUP(credential_freep) Credential *c = open_with("{\"region\":\"ap-1\",\"projectId\":\"p\"," KEYS "}");
    static const struct {
        const char *number;
        ErrorKind kind;
    } codes[] = {{"0301", ERROR_AUTH}, {"0303", ERROR_AUTH}, {"0308", ERROR_THROTTLED}, {"0201", ERROR_REJECTED}};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        for (unsigned k = 0; k < 2; k++) {
            CLEANUP(freep)
            char *body = xasprintf("{\"error_code\":\"%s.%s\",\"error_msg\":\"m\",\"request_id\":\"r\"}",
                                   k ? "APIG" : "APIGW", codes[i].number);
            assert_error_kind(c, 400, body, codes[i].kind);
        }
}

static void without_a_code_the_status_says_what_an_error_means(void **state)
{
    (void)state;
    CLEANUP(credential_freep) Credential *c = open_with("{\"region\":\"ap-1\",\"projectId\":\"p\"," KEYS "}");
    static const struct {
        int status;
        ErrorKind kind;
    } statuses[] = {{400, ERROR_REJECTED}, {401, ERROR_AUTH},   {403, ERROR_FORBIDDEN}, {404, ERROR_NOT_FOUND},
                    {408, ERROR_SERVER},   {409, ERROR_BUSY},   {429, ERROR_THROTTLED}, {500, ERROR_SERVER},
                    {501, ERROR_REJECTED}, {502, ERROR_SERVER}, {503, ERROR_SERVER},    {504, ERROR_SERVER}};
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
        assert_error_kind(c, statuses[i].status, "<html><body>x</body></html>", statuses[i].kind);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, secrets_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(endpoints_are_made_of_the_region),
        TEST(endpoints_that_are_given_are_taken),
        TEST(what_is_missing_is_told),
        TEST(a_secret_is_one_line_that_others_cannot_read),
        TEST(requests_are_signed_with_the_keys),
        TEST(requests_bear_the_token_of_a_login),
        TEST(a_login_asks_for_the_project_or_the_regions_own),
        TEST(a_token_tells_the_project),
        TEST(a_list_is_the_projects_newest_first),
        TEST(one_image_is_a_list_of_it),
        TEST(a_page_that_could_be_longer_is_the_last),
        TEST(a_full_page_is_followed_by_another),
        TEST(a_write_is_a_patch_with_a_value_for_each_operation),
        TEST(codes_of_the_api_say_what_an_error_means),
        TEST(codes_of_the_gateway_say_what_an_error_means),
        TEST(without_a_code_the_status_says_what_an_error_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
