#include "config.h"

#include "sign/huawei-sign.h"

#include "../../tests/unit/folder.h"

#include <cjson/cJSON.h>

#include "sign/key.h"

#define N_CASES 12
#define N_QUERIES 1

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define TOKEN "gQpjbi1ub3J0aC00TESTTOKEN"
#define ACCESS_KEY "TESTACCESSKEY0000001"
#define SECRET_KEY "TestSecretKey000000000000000000000000001"

DEFINE_CLEANUP(cJSON, cJSON_Delete)

static const cJSON *member(const cJSON *item, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(item, key);
}

static const char *text_of(const cJSON *item, const char *key)
{
    return cJSON_GetStringValue(member(item, key));
}

static int load_vectors(void **state)
{
    CLEANUP(freep) char *text = read_vector("huawei-signing.json");
    CLEANUP(cJSON_Deletep) cJSON *root = cJSON_Parse(text);
    if (cJSON_GetArraySize(member(root, "cases")) != N_CASES ||
        cJSON_GetArraySize(member(root, "query_encoding")) != N_QUERIES)
        return -1;
    *state = TAKE(root);
    return 0;
}

static int free_vectors(void **state)
{
    cJSON_Delete(*state);
    return 0;
}

static HuaweiRequest request_of(const cJSON *vector)
{
    const cJSON *headers = member(vector, "headers");
    const char *body = text_of(vector, "body");
    return (HuaweiRequest){
        .method = text_of(vector, "method"),
        .target = strchr(strstr(text_of(vector, "url"), "://") + 3, '/'),
        .host = text_of(headers, "host"),
        .date = text_of(headers, "x-sdk-date"),
        .content_type = text_of(headers, "content-type"),
        .project_id = text_of(headers, "x-project-id"),
        .security_token = text_of(headers, "x-security-token"),
        .body = body,
        .body_size = body ? strlen(body) : 0,
    };
}

static void add_param(Str *out, const char *name, const char *value)
{
    str_addc(out, strchr(str_get(out), '?') ? '&' : '?');
    str_add_percent(out, name);
    str_addc(out, '=');
    str_add_percent(out, value);
}

/* `path` with the parameters in the order in which the vector has them. The caller frees it. */
static char *target_of(const char *path, const cJSON *query)
{
    Str target = {0};
    str_add(&target, path);
    const cJSON *param, *value;
    cJSON_ArrayForEach(param, query)
    {
        if (cJSON_IsString(param))
            add_param(&target, param->string, cJSON_GetStringValue(param));
        cJSON_ArrayForEach(value, param)
        {
            add_param(&target, param->string, cJSON_GetStringValue(value));
        }
    }
    return str_take(&target);
}

/* Line `n` of the canonical request, from 0: the method, the URI, the query, the headers. The caller frees it. */
static char *line_of(const HuaweiRequest *request, size_t n)
{
    CLEANUP(secret_freep) char *text = huawei_canonical_request(request);
    const char *line = text;
    for (; n; n--)
        line = strchr(line, '\n') + 1;
    return xstrndup(line, strcspn(line, "\n"));
}

static HuaweiRequest get(const char *target)
{
    return (HuaweiRequest){.method = "GET", .target = target, .host = "h", .date = "20260105T213140Z"};
}

static void same_uri(const char *target, const char *expected)
{
    const HuaweiRequest request = get(target);
    CLEANUP(freep) char *uri = line_of(&request, 1);
    assert_string_equal(uri, expected);
}

static void same_query(const char *target, const char *expected)
{
    const HuaweiRequest request = get(target);
    CLEANUP(freep) char *query = line_of(&request, 2);
    assert_string_equal(query, expected);
}

static void builds_the_canonical_request_of_every_vector(void **state)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, member(*state, "cases"))
    {
        const HuaweiRequest request = request_of(vector);
        CLEANUP(secret_freep) char *text = huawei_canonical_request(&request);
        assert_string_equal(text, text_of(vector, "canonical_request"));
    }
}

static void builds_the_parts_of_the_canonical_request_of_every_vector(void **state)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, member(*state, "cases"))
    {
        const HuaweiRequest request = request_of(vector);
        CLEANUP(freep) char *uri = line_of(&request, 1);
        CLEANUP(freep) char *query = line_of(&request, 2);
        size_t n_headers = (size_t)cJSON_GetArraySize(member(vector, "headers"));
        CLEANUP(freep) char *names = line_of(&request, 4 + n_headers);
        CLEANUP(freep) char *hash = line_of(&request, 5 + n_headers);
        assert_string_equal(uri, text_of(vector, "canonical_uri"));
        assert_string_equal(query, text_of(vector, "canonical_query"));
        assert_string_equal(names, text_of(vector, "signed_headers"));
        assert_string_equal(hash, text_of(vector, "payload_sha256"));
    }
}

static void builds_the_string_to_sign_of_every_vector(void **state)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, member(*state, "cases"))
    {
        const HuaweiRequest request = request_of(vector);
        CLEANUP(freep) char *text = huawei_string_to_sign(&request);
        assert_string_equal(text, text_of(vector, "string_to_sign"));
    }
}

static void makes_the_signature_of_every_vector(void **state)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, member(*state, "cases"))
    {
        const char *text = text_of(vector, "string_to_sign");
        char signature[SHA256_HEX_SIZE];
        assert_int_equal(hmac_sha256_hex(text_of(vector, "secret_key"), text, strlen(text), signature, NULL), 0);
        assert_string_equal(signature, text_of(vector, "signature"));
    }
}

static void sends_the_signed_headers_and_the_authorization_of_every_vector(void **state)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, member(*state, "cases"))
    {
        const HuaweiRequest request = request_of(vector);
        CLEANUP(huawei_headers_done) HuaweiHeaders headers = {0};
        assert_int_equal(
            huawei_sign(&request, text_of(vector, "access_key"), text_of(vector, "secret_key"), &headers, NULL), 0);
        size_t last = headers.n - 1;
        for (size_t i = 0; i < last; i++)
            assert_string_equal(headers.items[i].value, text_of(member(vector, "headers"), headers.items[i].name));
        assert_string_equal(headers.items[last].name, "authorization");
        assert_string_equal(headers.items[last].value, text_of(vector, "authorization"));
        const size_t n_host = request.host ? 1 : 0;
        assert_int_equal(last + n_host, cJSON_GetArraySize(member(vector, "headers")));
    }
}

static void sorts_and_encodes_the_query_of_every_vector(void **state)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, member(*state, "query_encoding"))
    {
        CLEANUP(freep) char *target = target_of("/v2/cloudimages", member(vector, "query"));
        same_query(target, text_of(vector, "canonical_query"));
    }
    cJSON_ArrayForEach(vector, member(*state, "cases"))
    {
        CLEANUP(freep) char *target = target_of("/v2/cloudimages", member(vector, "query"));
        same_query(target, text_of(vector, "canonical_query"));
    }
}

static void ends_the_uri_with_one_slash(void **state)
{
    (void)state;
    same_uri("/v2/images", "/v2/images/");
    same_uri("/v2/images/", "/v2/images/");
    same_uri("/v2/images/?limit=1", "/v2/images/");
    same_uri("/", "/");
    same_uri("", "/");
    same_uri("?limit=1", "/");
}

static void leaves_empty_and_dotted_segments_where_they_are(void **state)
{
    (void)state;
    same_uri("//a//b//", "//a//b//");
    same_uri("/a/./../b", "/a/./../b/");
}

static void encodes_each_segment_of_the_uri_once(void **state)
{
    (void)state;
    same_uri("/a b/~c/\xc3\xa9", "/a%20b/~c/%C3%A9/");
    same_uri("/a%20b/%7ec/%c3%a9", "/a%20b/~c/%C3%A9/");
    same_uri("/a+b/(1)!*':@,;=&$", "/a%2Bb/%281%29%21%2A%27%3A%40%2C%3B%3D%26%24/");
    same_uri("/AZaz09-_.~", "/AZaz09-_.~/");
}

static void keeps_an_escaped_slash_apart_from_a_slash(void **state)
{
    (void)state;
    same_uri("/a%2Fb", "/a%2Fb/");
    same_uri("/a%2fb", "/a%2Fb/");
    same_uri("/a%2F", "/a%2F/");
}

static void takes_a_percent_sign_that_begins_no_escape_as_itself(void **state)
{
    (void)state;
    same_uri("/100%", "/100%25/");
    same_uri("/%4", "/%254/");
    same_uri("/%4/1", "/%254/1/");
    same_uri("/%g1%1g", "/%25g1%251g/");
    same_uri("/%@1%1`%:1", "/%25%401%251%60%25%3A1/");
    same_uri("/%25%2541", "/%25%2541/");
    same_query("/?a=%&b=%4&c=%zz", "a=%25&b=%254&c=%25zz");
}

static void encodes_bytes_that_are_no_text(void **state)
{
    (void)state;
    same_query("/?a=x%00y&a=x%00%ff&a=x%01", "a=x%00y&a=x%00%FF&a=x%01");
    same_uri("/a\x80\x7f%00%0A", "/a%80%7F%00%0A/");
}

static void gives_an_empty_query_where_there_is_none(void **state)
{
    (void)state;
    same_query("/v2/cloudimages", "");
    same_query("/v2/cloudimages?", "");
    same_query("/v2/cloudimages?&&", "");
}

static void keeps_the_equals_sign_of_an_empty_value(void **state)
{
    (void)state;
    same_query("/?marker=&limit=1", "limit=1&marker=");
    same_query("/?marker&limit=1", "limit=1&marker=");
    same_query("/?=1&a=2", "=1&a=2");
    same_query("/?a=1&&b=2&", "a=1&b=2");
}

static void sorts_repeated_names_by_their_values(void **state)
{
    (void)state;
    same_query("/?tag=c&limit=1&tag=a&tag=&tag=b&tag=a", "limit=1&tag=&tag=a&tag=a&tag=b&tag=c");
    same_query("/?n=10&n=9&n=1", "n=1&n=10&n=9");
}

static void sorts_names_as_bytes_and_a_shorter_one_first(void **state)
{
    (void)state;
    same_query("/?b=1&a=1&_=1&B=1&A=1&1=1&0=1&ab=0&a-b=0", "0=1&1=1&A=1&B=1&_=1&a=1&a-b=0&ab=0&b=1");
}

/* Encoded, "%C3%A9" would be before "z". */
static void sorts_what_is_meant_and_not_how_it_is_written(void **state)
{
    (void)state;
    same_query("/?a=%C3%A9&a=z&a=%7A&a=%20", "a=%20&a=z&a=z&a=%C3%A9");
    same_query("/?%C3%A9=1&z=1&%61=1", "a=1&z=1&%C3%A9=1");
    same_query("/?a%2Bb=1&a=2", "a=2&a%2Bb=1");
}

static void encodes_each_value_of_the_query_once(void **state)
{
    (void)state;
    same_query("/?name=a b~\xc3\xa9", "name=a%20b~%C3%A9");
    same_query("/?name=a%20b%7E%c3%a9", "name=a%20b~%C3%A9");
    same_query("/?path=/srv/1?x", "path=%2Fsrv%2F1%3Fx");
    same_query("/?created_at=gte:2026-01-01T00:00:00Z", "created_at=gte%3A2026-01-01T00%3A00%3A00Z");
    same_query("/?a=b=c&d%3De=f", "a=b%3Dc&d%3De=f");
    same_query("/?a=1+1&b=1%2B1&c=%26", "a=1%2B1&b=1%2B1&c=%26");
}

static void signs_and_sends_header_values_without_the_white_space_at_their_ends(void **state)
{
    (void)state;
    const HuaweiRequest tidy = {
        .method = "GET",
        .target = "/",
        .host = "h:8443",
        .date = "20260105T213140Z",
        .content_type = "text/x;  a=b",
        .project_id = "p",
        .security_token = TOKEN,
    };
    HuaweiRequest loose = tidy;
    loose.method = "get";
    loose.host = " h:8443";
    loose.date = "20260105T213140Z\r\n";
    loose.content_type = "\t text/x;  a=b \t";
    loose.project_id = " p";
    loose.security_token = TOKEN "\n";
    CLEANUP(secret_freep) char *text = huawei_canonical_request(&loose);
    assert_string_equal(text, "GET\n/\n\ncontent-type:text/x;  a=b\nhost:h:8443\nx-project-id:p\n"
                              "x-sdk-date:20260105T213140Z\nx-security-token:" TOKEN "\n\n"
                              "content-type;host;x-project-id;x-sdk-date;x-security-token\n" EMPTY_SHA256);
    CLEANUP(huawei_headers_done) HuaweiHeaders a = {0};
    CLEANUP(huawei_headers_done) HuaweiHeaders b = {0};
    assert_int_equal(huawei_sign(&tidy, ACCESS_KEY, SECRET_KEY, &a, NULL), 0);
    assert_int_equal(huawei_sign(&loose, ACCESS_KEY, SECRET_KEY, &b, NULL), 0);
    assert_int_equal(a.n, 5);
    assert_int_equal(b.n, a.n);
    for (size_t i = 0; i < a.n; i++) {
        assert_string_equal(a.items[i].name, b.items[i].name);
        assert_string_equal(a.items[i].value, b.items[i].value);
    }
}

static void hashes_a_body_that_is_not_there_as_empty(void **state)
{
    (void)state;
    HuaweiRequest request = get("/");
    request.body_size = 7;
    CLEANUP(freep) char *none = line_of(&request, 7);
    assert_string_equal(none, EMPTY_SHA256);
    request.body = "";
    request.body_size = 0;
    CLEANUP(freep) char *empty = line_of(&request, 7);
    assert_string_equal(empty, EMPTY_SHA256);
}

static void hashes_the_whole_body_whatever_is_in_it(void **state)
{
    (void)state;
    HuaweiRequest request = get("/");
    request.body = "a\0b, and what is no part of it";
    request.body_size = 3;
    char expected[SHA256_HEX_SIZE];
    sha256_hex("a\0b", 3, expected);
    CLEANUP(freep) char *hash = line_of(&request, 7);
    assert_string_equal(hash, expected);
}

/* RFC 4231, test cases 2 and 6: the second key is longer than a block of SHA-256. */
static void computes_the_hmac_of_the_rfc(void **state)
{
    (void)state;
    char mac[SHA256_HEX_SIZE], key[132];
    const char *text = "what do ya want for nothing?";
    assert_int_equal(hmac_sha256_hex("Jefe", text, strlen(text), mac, NULL), 0);
    assert_string_equal(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key) - 1);
    key[sizeof(key) - 1] = 0;
    text = "Test Using Larger Than Block-Size Key - Hash Key First";
    assert_int_equal(hmac_sha256_hex(key, text, strlen(text), mac, NULL), 0);
    assert_string_equal(mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void writes_the_date_as_the_header_has_it(void **state)
{
    (void)state;
    char date[HUAWEI_DATE_SIZE];
    usec_t wall = 0;
    assert_int_equal(parse_rfc3339("2026-01-05T21:31:40.999Z", &wall), 0);
    assert_string_equal(huawei_date(wall, date), "20260105T213140Z");
    assert_string_equal(huawei_date(0, date), "19700101T000000Z");
    assert_int_equal(parse_rfc3339("9999-12-31T23:59:59Z", &wall), 0);
    assert_string_equal(huawei_date(wall, date), "99991231T235959Z");
}

#define UNFIT_KEY " has white space or another character in it that no key has"
#define UNFIT_HEADER " has a line break or another control character in it"

static void refuse(const HuaweiRequest *request, const char *access_key, const char *secret_key, const char *message)
{
    HuaweiHeaders headers = {0};
    CLEANUP(error_freep) Error *err = NULL;
    assert_int_equal(huawei_sign(request, access_key, secret_key, &headers, &err), -1);
    assert_int_equal(headers.n, 0);
    assert_int_equal(err->kind, ERROR_SPEC);
    assert_string_equal(err->message, message);
}

static void refuses_keys_that_cannot_be_meant_and_does_not_show_them(void **state)
{
    (void)state;
    const HuaweiRequest request = get("/");
    static const char *const unfit[] = {"AK ", "A K", "AK\n", "AK\r", "A\x7f", "A\xc3\xa9"};
    for (size_t i = 0; i < ARRAY_SIZE(unfit); i++) {
        refuse(&request, unfit[i], SECRET_KEY, "the access key" UNFIT_KEY);
        refuse(&request, ACCESS_KEY, unfit[i], "the secret key" UNFIT_KEY);
    }
    refuse(&request, "A,K", SECRET_KEY, "the access key" UNFIT_KEY);
    refuse(&request, "", SECRET_KEY, "the access key is empty");
    refuse(&request, ACCESS_KEY, "", "the secret key is empty");
}

static void refuses_header_values_that_cannot_be_sent_and_does_not_show_them(void **state)
{
    (void)state;
    HuaweiRequest request = get("/");
    request.security_token = "abc\r\nx-other: def";
    refuse(&request, ACCESS_KEY, SECRET_KEY, "x-security-token" UNFIT_HEADER);
    request.security_token = "abc\x7fghi";
    refuse(&request, ACCESS_KEY, SECRET_KEY, "x-security-token" UNFIT_HEADER);
    request.security_token = " \n";
    refuse(&request, ACCESS_KEY, SECRET_KEY, "x-security-token is empty");
    request = get("/");
    request.host = "";
    refuse(&request, ACCESS_KEY, SECRET_KEY, "host is empty");
    request = get("/");
    request.project_id = "a\tb";
    refuse(&request, ACCESS_KEY, SECRET_KEY, "x-project-id" UNFIT_HEADER);
}

static void forgets_the_headers(void **state)
{
    (void)state;
    HuaweiRequest request = get("/");
    request.security_token = TOKEN;
    HuaweiHeaders headers = {0};
    assert_int_equal(huawei_sign(&request, ACCESS_KEY, SECRET_KEY, &headers, NULL), 0);
    huawei_headers_done(&headers);
    assert_int_equal(headers.n, 0);
    assert_null(headers.items[0].value);
    huawei_headers_done(&headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_the_canonical_request_of_every_vector),
        cmocka_unit_test(builds_the_parts_of_the_canonical_request_of_every_vector),
        cmocka_unit_test(builds_the_string_to_sign_of_every_vector),
        cmocka_unit_test(makes_the_signature_of_every_vector),
        cmocka_unit_test(sends_the_signed_headers_and_the_authorization_of_every_vector),
        cmocka_unit_test(sorts_and_encodes_the_query_of_every_vector),
        cmocka_unit_test(ends_the_uri_with_one_slash),
        cmocka_unit_test(leaves_empty_and_dotted_segments_where_they_are),
        cmocka_unit_test(encodes_each_segment_of_the_uri_once),
        cmocka_unit_test(keeps_an_escaped_slash_apart_from_a_slash),
        cmocka_unit_test(takes_a_percent_sign_that_begins_no_escape_as_itself),
        cmocka_unit_test(encodes_bytes_that_are_no_text),
        cmocka_unit_test(gives_an_empty_query_where_there_is_none),
        cmocka_unit_test(keeps_the_equals_sign_of_an_empty_value),
        cmocka_unit_test(sorts_repeated_names_by_their_values),
        cmocka_unit_test(sorts_names_as_bytes_and_a_shorter_one_first),
        cmocka_unit_test(sorts_what_is_meant_and_not_how_it_is_written),
        cmocka_unit_test(encodes_each_value_of_the_query_once),
        cmocka_unit_test(signs_and_sends_header_values_without_the_white_space_at_their_ends),
        cmocka_unit_test(hashes_a_body_that_is_not_there_as_empty),
        cmocka_unit_test(hashes_the_whole_body_whatever_is_in_it),
        cmocka_unit_test(computes_the_hmac_of_the_rfc),
        cmocka_unit_test(writes_the_date_as_the_header_has_it),
        cmocka_unit_test(refuses_keys_that_cannot_be_meant_and_does_not_show_them),
        cmocka_unit_test(refuses_header_values_that_cannot_be_sent_and_does_not_show_them),
        cmocka_unit_test(forgets_the_headers),
    };
    return cmocka_run_group_tests(tests, load_vectors, free_vectors);
}
