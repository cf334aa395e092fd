#include "config.h"

#include "../../tests/unit/provider.h"

#define USER "username: alice, password: hush, user_domain_name: staff"
#define SETTINGS "{\"cloudsFile\":\"clouds.yaml\",\"cloud\":\"lab\"}"

/* The cloud `lab` with members of `auth`, and `more` of its own, each after a comma. */
static void put_cloud(const char *folder, const char *auth, const char *more)
{
    CLEANUP(freep)
    char *text = xasprintf("clouds: {lab: {auth: {auth_url: 'https://keystone.example:5000', %s}%s}}\n", auth, more);
    file_write(folder, "clouds.yaml", text);
}

static Credential *cloud_with(const char *folder, const char *auth, const char *more)
{
    put_cloud(folder, auth, more);
    return credential_of(&openstack_provider, SETTINGS);
}

static Credential *cloud_of(const char *folder, const char *more)
{
    return cloud_with(folder, USER ", project_id: p", more);
}

static void a_cloud_of_the_file_is_opened(void **state)
{
    CLEANUP(credential_freep) Credential *c = cloud_of(*state, ", cacert: /etc/ca.pem");
    CLEANUP(freep) char *with = xasprintf("cloud \"lab\" of %s/clouds.yaml", (char *)*state);
    assert_string_equal(c->login_endpoint, "https://keystone.example:5000/v3");
    assert_string_equal(c->endpoint, "https://keystone.example:5000/v3");
    assert_string_equal(c->login_with, with);
    assert_string_equal(c->ca_file, "/etc/ca.pem");
    assert_null(c->home);
    assert_null(c->token);
}

static void what_is_wrong_in_the_file_is_told(void **state)
{
    put_cloud(*state, USER, "");
    assert_not_opened(&openstack_provider, SETTINGS, ERROR_SPEC, "project");
    assert_not_opened(&openstack_provider, "{\"cloudsFile\":\"clouds.yaml\",\"cloud\":\"lob\"}", ERROR_SPEC, "\"lob\"");
    assert_not_opened(&openstack_provider, "{\"cloudsFile\":\"nowhere\",\"cloud\":\"lab\"}", ERROR_LOCAL, "nowhere");
}

#define ALICE "\"domain\":{\"name\":\"staff\"},\"name\":\"alice\""
#define METHOD(name, value) "{\"auth\":{\"identity\":{\"" name "\":{" value "},\"methods\":[\"" name "\"]}"
#define BY_PASSWORD(user, project)                                                                                     \
    METHOD("password", "\"user\":{" user ",\"password\":\"hush\"}") ",\"scope\":{\"project\":{" project "}}}}"

static void assert_logs_in(const char *folder, const char *auth, const char *body)
{
    CLEANUP(credential_freep) Credential *c = cloud_with(folder, auth, "");
    assert_login(c, "/auth/tokens", body);
}

static void a_password_comes_with_its_project(void **state)
{
    assert_logs_in(*state, USER ", project_id: p", BY_PASSWORD(ALICE, "\"id\":\"p\""));
    assert_logs_in(*state, USER ", project_name: web, project_domain_name: d",
                   BY_PASSWORD(ALICE, "\"domain\":{\"name\":\"d\"},\"name\":\"web\""));
    assert_logs_in(*state, USER ", project_name: web, project_domain_id: d1",
                   BY_PASSWORD(ALICE, "\"domain\":{\"id\":\"d1\"},\"name\":\"web\""));
}

static void a_user_is_named_by_id_or_within_a_domain(void **state)
{
    assert_logs_in(
        *state, "user_id: u1, password: hush, project_id: p",
        METHOD("password",
               "\"user\":{\"id\":\"u1\",\"password\":\"hush\"}") ",\"scope\":{\"project\":{\"id\":\"p\"}}}}");
    assert_logs_in(*state, "username: alice, user_domain_id: d2, password: hush, project_id: p",
                   BY_PASSWORD("\"domain\":{\"id\":\"d2\"},\"name\":\"alice\"", "\"id\":\"p\""));
}

static void an_application_credential_brings_its_project(void **state)
{
    assert_logs_in(*state, "application_credential_id: 21dc, application_credential_secret: hush",
                   METHOD("application_credential", "\"id\":\"21dc\",\"secret\":\"hush\"") "}}");
    assert_logs_in(
        *state,
        "application_credential_name: robot, application_credential_secret: hush, username: alice, "
        "user_domain_name: staff",
        METHOD("application_credential", "\"name\":\"robot\",\"secret\":\"hush\",\"user\":{" ALICE "}") "}}");
    assert_logs_in(
        *state, "application_credential_name: robot, application_credential_secret: hush, user_id: u1",
        METHOD("application_credential", "\"name\":\"robot\",\"secret\":\"hush\",\"user\":{\"id\":\"u1\"}") "}}");
}

#define TOKEN(catalog) "{\"project\":{\"id\":\"p\"},\"catalog\":" catalog "}"
#define URL(interface, region, url) "{\"interface\":\"" interface "\",\"region_id\":\"" region "\",\"url\":\"" url "\"}"
#define IMAGE(endpoints) "{\"type\":\"image\",\"endpoints\":[" endpoints "]}"

static const char catalog[] =
    TOKEN("[{\"type\":\"identity\",\"endpoints\":[" URL("public", "one", "https://keystone") "]}," IMAGE(
        URL("admin", "one", "https://admin.one") "," URL("public", "one", "https://public.one") "," URL(
            "internal", "two", "https://internal.two") "," URL("public", "two", "https://public.two")) "]");

static void assert_endpoint(const char *folder, const char *more, const char *token, const char *endpoint)
{
    CLEANUP(credential_freep) Credential *c = cloud_of(folder, more);
    assert_login_taken(c, token);
    assert_string_equal(c->endpoint, endpoint);
    assert_string_equal(c->home, "p");
    assert_string_equal(c->login_endpoint, "https://keystone.example:5000/v3");
}

static void the_catalog_names_the_service(void **state)
{
    assert_endpoint(*state, "", catalog, "https://public.one");
    assert_endpoint(*state, ", region_name: two", catalog, "https://public.two");
    assert_endpoint(*state, ", interface: admin", catalog, "https://admin.one");
    assert_endpoint(*state, ", interface: internal, region_name: two", catalog, "https://internal.two");
    assert_endpoint(*state, ", region_name: old",
                    TOKEN("[" IMAGE("{\"interface\":\"public\",\"region\":\"old\",\"url\":\"https://old\"}") "]"),
                    "https://old");
}

static void what_is_no_service_is_passed_over(void **state)
{
    assert_endpoint(*state, "",
                    TOKEN("[7,{\"type\":\"image\"},{\"type\":\"image\",\"endpoints\":{\"a\":7}}," IMAGE(
                        "7,{\"interface\":\"public\"}") "," IMAGE(URL("public", "one", "https://second")) "]"),
                    "https://second");
}

static void the_version_is_left_out_of_the_service(void **state)
{
    static const char *const urls[][2] = {{"https://g.example", "https://g.example"},
                                          {"https://g.example/", "https://g.example"},
                                          {"https://g.example:9292//", "https://g.example:9292"},
                                          {"https://g.example/v2", "https://g.example"},
                                          {"https://g.example/v2/", "https://g.example"},
                                          {"https://g.example/v2.15/", "https://g.example"},
                                          {"https://g.example/image//v2//", "https://g.example/image"},
                                          {"https://g.example/image", "https://g.example/image"},
                                          {"https://g.example/vault", "https://g.example/vault"},
                                          {"https://g.example/v2/image", "https://g.example/v2/image"},
                                          {"http://127.0.0.1:9292/v2", "http://127.0.0.1:9292"}};
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        CLEANUP(freep) char *token = xasprintf(TOKEN("[" IMAGE(URL("public", "one", "%s")) "]"), urls[i][0]);
        assert_endpoint(*state, "", token, urls[i][1]);
    }
}

static void an_endpoint_of_the_file_overrides_the_catalog(void **state)
{
    assert_endpoint(*state, ", image_endpoint_override: 'https://mine.example/image/v2/'", catalog,
                    "https://mine.example/image");
    assert_endpoint(*state, ", image_endpoint_override: 'https://mine.example'", TOKEN("[]"), "https://mine.example");
    assert_endpoint(*state, ", image_endpoint_override: 'https://mine.example'", "{\"project\":{\"id\":\"p\"}}",
                    "https://mine.example");
}

/* `known`: what the catalog has. */
static void assert_no_service(const char *folder, const char *more, const char *token, const char *wanted,
                              const char *known)
{
    CLEANUP(credential_freep) Credential *c = cloud_of(folder, more);
    CLEANUP(freep)
    char *message = xasprintf("the catalog has no image service with interface %s; it has: %s. Correct region_name or "
                              "interface in %s/clouds.yaml, or set image_endpoint_override there",
                              wanted, known, folder);
    assert_login_refused(c, token, ERROR_REJECTED, message);
    assert_null(c->home);
}

static void without_a_service_it_is_told_what_the_catalog_has(void **state)
{
    assert_no_service(*state, ", region_name: six", catalog, "public in region six",
                      "admin in one, public in one, internal in two, public in two");
    assert_no_service(*state, "", TOKEN("[" IMAGE(URL("admin", "a\\u001b", "https://x") ",{}") "]"), "public",
                      "admin in a?, ? in ?");
    assert_no_service(*state, "", TOKEN("[]"), "public", "none");
    assert_no_service(*state, "", TOKEN("{}"), "public", "none");
    assert_no_service(*state, "", "{\"project\":{\"id\":\"p\"}}", "public", "none");
}

static void a_service_without_tls_elsewhere_is_refused(void **state)
{
    CLEANUP(credential_freep) Credential *c = cloud_of(*state, "");
    CLEANUP(error_freep) Error *err = take_login(c, TOKEN("[" IMAGE(URL("public", "one", "http://g.example/v2")) "]"));
    assert_non_null(err);
    assert_true(starts_with(err->message, "the image service of the catalog (image_endpoint_override in "));
    assert_non_null(strstr(err->message, "would replace it): http:// is for this machine alone"));
    assert_string_equal(c->endpoint, "https://keystone.example:5000/v3");
    assert_null(c->home);
}

static void a_token_is_for_a_project(void **state)
{
    CLEANUP(credential_freep) Credential *c = cloud_of(*state, "");
    CLEANUP(freep) char *message = xasprintf("the token is for no project: name one in %s/clouds.yaml", (char *)*state);
    assert_login_refused(c, "{\"catalog\":[]}", ERROR_REJECTED, message);
    assert_login_refused(c, "{\"project\":{\"id\":\"\"},\"catalog\":[]}", ERROR_REJECTED, message);
    assert_login_refused(c, "{\"project\":{\"id\":7}}", ERROR_REJECTED, message);
}

static void a_later_login_may_move_the_service(void **state)
{
    CLEANUP(credential_freep) Credential *c = cloud_of(*state, "");
    assert_login_taken(c, catalog);
    const char *home = c->home;
    assert_login_taken(c, "{\"project\":{\"id\":\"p\"},\"catalog\":[" IMAGE(URL("public", "one", "https://new")) "]}");
    assert_string_equal(c->endpoint, "https://new");
    assert_ptr_equal(c->home, home); /* looks under way hold on to it */
    CLEANUP(error_freep) Error *err = take_login(c, "{\"project\":{\"id\":\"q\"},\"catalog\":[]}");
    assert_non_null(err);
    assert_string_equal(c->home, "p");
}

static void requests_bear_the_token(void **state)
{
    CLEANUP(credential_freep) Credential *c = cloud_of(*state, "");
    CLEANUP(http_headers_done) HttpHeaders none = {0};
    CLEANUP(error_freep) Error *err = NULL;
    const HttpSpec spec = {.method = "GET", .target = "/v2/images"};
    assert_int_equal(openstack_provider.sign(c, &spec, "https://g.example", 1, &none, &err), -1);
    assert_int_equal(err->kind, ERROR_AUTH);
    c->token = xstrdup("t0k");
    CLEANUP(freep) char *headers = headers_of(c, &spec);
    assert_string_equal(headers, "accept: application/json\nx-auth-token: t0k\n");
}

#define LIST(hidden, limit)                                                                                            \
    "/v2/images?owner=p%2F1&visibility=all&os_hidden=" hidden "&sort_key=created_at&sort_dir=desc&limit=" limit

static void a_walk_has_a_half_of_hidden_images(void **state)
{
    (void)state;
    assert_list_target(&glance_image, &openstack_provider, "p/1", 1000, NULL, LIST("false", "1000"));
    assert_next_page(&openstack_provider, "{\"images\":[]}", 1000, NULL, "hidden?");
    assert_list_target(&glance_image, &openstack_provider, "p/1", 7, "hidden?", LIST("true", "7"));
    assert_next_page(&openstack_provider, "{\"images\":[]}", 1000, "hidden?", NULL);
}

static void the_query_of_the_next_page_is_kept(void **state)
{
    (void)state;
    static const char more[] = "{\"images\":[{\"id\":\"a\"}],\"next\":\"/image/v2/images?marker=a%20&limit=2?x\"}";
    assert_next_page(&openstack_provider, more, 1000, NULL, "shown?marker=a%20&limit=2?x");
    assert_next_page(&openstack_provider, more, 1000, "shown?marker=0", "shown?marker=a%20&limit=2?x");
    assert_next_page(&openstack_provider, more, 1000, "hidden?", "hidden?marker=a%20&limit=2?x");
    assert_next_page(&openstack_provider, more, 1000, "hidden?marker=0", "hidden?marker=a%20&limit=2?x");
    assert_list_target(&glance_image, &openstack_provider, "p", 7, "shown?marker=a%20&limit=2?x",
                       "/v2/images?marker=a%20&limit=2?x");
    assert_list_target(&glance_image, &openstack_provider, "p", 7, "hidden?marker=a", "/v2/images?marker=a");
}

static void each_half_ends_without_a_next_page(void **state)
{
    (void)state;
    assert_next_page(&openstack_provider, "{\"images\":[{\"id\":\"a\"}]}", 1, "shown?marker=0", "hidden?");
    assert_next_page(&openstack_provider, "{\"images\":[{\"id\":\"a\"}]}", 1, "hidden?marker=0", NULL);
    assert_next_page(&openstack_provider, "{\"images\":[],\"next\":null}", 1, "shown?marker=0", "hidden?");
    assert_next_page(&openstack_provider, "{\"images\":[],\"next\":null}", 1, "hidden?marker=0", NULL);
}

static void one_image_is_an_object(void **state)
{
    (void)state;
    assert_false(openstack_provider.single_is_page);
    assert_string_equal(openstack_provider.list_member, "images");
    assert_object_target(&glance_image, &openstack_provider, "a/b", "/v2/images/a%2Fb");
}

static void a_write_is_a_patch_of_glances_own_type(void **state)
{
    (void)state;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(str_done) Str body = {0}, target = {0};
    openstack_provider.add_body(json_of(arena, "{\"a\":\"1\"}"), json_of(arena, "{\"a\":null,\"tags\":[\"x\"]}"), false,
                                &body);
    assert_string_equal(str_get(&body),
                        "[{\"op\":\"remove\",\"path\":\"/a\"},{\"op\":\"add\",\"path\":\"/tags\",\"value\":[\"x\"]}]");
    HttpSpec spec;
    const Update update = {.kind = &glance_image, .id = "x/y", .body = str_get(&body)};
    openstack_provider.fill_update(&update, &target, &spec);
    assert_string_equal(spec.method, "PATCH");
    assert_string_equal(spec.target, "/v2/images/x%2Fy");
    assert_ptr_equal(spec.body, update.body);
    assert_int_equal(spec.body_size, body.len);
    assert_string_equal(spec.headers[0].name, "content-type");
    assert_string_equal(spec.headers[0].value, "application/openstack-images-v2.1-json-patch");
    assert_null(spec.headers[1].name);
    assert_false(spec.safe);
}

static void a_next_page_that_is_not_understood_is_no_end(void **state)
{
    (void)state;
    static const char *const next[] = {"7", "{}", "true", "\"/v2/images\"", "\"/v2/images?\"", "\"\""};
    for (size_t i = 0; i < ARRAY_SIZE(next); i++) {
        CLEANUP(freep) char *text = xasprintf("{\"images\":[],\"next\":%s}", next[i]);
        assert_no_page(&openstack_provider, text, NULL);
    }
}

static void the_status_says_what_an_error_means(void **state)
{
    CLEANUP(credential_freep) Credential *c = cloud_of(*state, "");
    static const struct {
        int status;
        ErrorKind kind;
    } statuses[] = {{400, ERROR_REJECTED}, {401, ERROR_AUTH},     {403, ERROR_FORBIDDEN}, {404, ERROR_NOT_FOUND},
                    {409, ERROR_CONFLICT}, {413, ERROR_REJECTED}, {415, ERROR_REJECTED},  {429, ERROR_THROTTLED},
                    {500, ERROR_SERVER},   {501, ERROR_REJECTED}, {503, ERROR_SERVER}};
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        assert_error_kind(c, statuses[i].status, "<html><body>x</body></html>", statuses[i].kind);
        assert_error_kind(c, statuses[i].status, "{\"code\":\"x\",\"message\":\"m\"}", statuses[i].kind);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, secrets_set_up, secrets_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cloud_of_the_file_is_opened),
        TEST(what_is_wrong_in_the_file_is_told),
        TEST(a_password_comes_with_its_project),
        TEST(a_user_is_named_by_id_or_within_a_domain),
        TEST(an_application_credential_brings_its_project),
        TEST(the_catalog_names_the_service),
        TEST(what_is_no_service_is_passed_over),
        TEST(the_version_is_left_out_of_the_service),
        TEST(an_endpoint_of_the_file_overrides_the_catalog),
        TEST(without_a_service_it_is_told_what_the_catalog_has),
        TEST(a_service_without_tls_elsewhere_is_refused),
        TEST(a_token_is_for_a_project),
        TEST(a_later_login_may_move_the_service),
        TEST(requests_bear_the_token),
        TEST(a_walk_has_a_half_of_hidden_images),
        TEST(the_query_of_the_next_page_is_kept),
        TEST(each_half_ends_without_a_next_page),
        TEST(one_image_is_an_object),
        TEST(a_write_is_a_patch_of_glances_own_type),
        TEST(a_next_page_that_is_not_understood_is_no_end),
        TEST(the_status_says_what_an_error_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
