#include "config.h"

#include "sign/oci-sign.h"

#include "../../tests/unit/folder.h"

#include <cjson/cJSON.h>

#define N_CASES 20
/* The one case with an order that is not ours: content-type before content-length. */
#define OTHER_ORDER "x-date-update-image"

DEFINE_CLEANUP(cJSON, cJSON_Delete)

static const char *text_of(const cJSON *item, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, key));
}

static int load_cases(void **state)
{
    CLEANUP(freep) char *text = read_vector("oci-signing.json");
    CLEANUP(cJSON_Deletep) cJSON *root = cJSON_Parse(text);
    cJSON *cases = cJSON_DetachItemFromObjectCaseSensitive(root, "cases");
    *state = cases;
    return cJSON_GetArraySize(cases) == N_CASES ? 0 : -1;
}

static int free_cases(void **state)
{
    cJSON_Delete(*state);
    return 0;
}

static PrivateKey *key_of(const cJSON *vector)
{
    CLEANUP(freep) char *pem = read_vector(text_of(vector, "private_key_file"));
    PrivateKey *key = NULL;
    assert_int_equal(private_key_parse(pem, strlen(pem), NULL, "key", &key, NULL), 0);
    return key;
}

static OciRequest request_of(const cJSON *vector)
{
    const cJSON *headers = cJSON_GetObjectItemCaseSensitive(vector, "headers");
    const char *after_scheme = strstr(text_of(vector, "url"), "://") + 3;
    const char *x_date = text_of(headers, "x-date"), *body = text_of(vector, "body");
    return (OciRequest){
        .method = text_of(vector, "method"),
        .target = strchr(after_scheme, '/'),
        .host = text_of(headers, "host"),
        .date = x_date ? x_date : text_of(headers, "date"),
        .body = body,
        .body_size = body ? strlen(body) : 0,
        .x_date = x_date != NULL,
        .unsigned_host = !text_of(headers, "host"),
    };
}

/* The names of signed_header_order with spaces between. */
static char *order_of(const cJSON *vector)
{
    Str names = {0};
    const cJSON *name;
    cJSON_ArrayForEach(name, cJSON_GetObjectItemCaseSensitive(vector, "signed_header_order"))
        str_addf(&names, "%s%s", names.len ? " " : "", cJSON_GetStringValue(name));
    return str_take(&names);
}

/* The signing string of a PUT in the order of the vector, out of its own headers. */
static char *string_in_order_of(const cJSON *vector)
{
    const OciRequest request = request_of(vector);
    const cJSON *headers = cJSON_GetObjectItemCaseSensitive(vector, "headers"), *name;
    Str text = {0};
    cJSON_ArrayForEach(name, cJSON_GetObjectItemCaseSensitive(vector, "signed_header_order"))
    {
        const char *key = cJSON_GetStringValue(name), *value = text_of(headers, key);
        str_addf(&text, "%s%s: ", text.len ? "\n" : "", key);
        if (value)
            str_add(&text, value);
        else
            str_addf(&text, "%s %s", "put", request.target);
    }
    return str_take(&text);
}

static bool is_of_other_order(const cJSON *vector)
{
    return streq(text_of(vector, "name"), OTHER_ORDER);
}

static char *signing_string(const cJSON *vector)
{
    const OciRequest request = request_of(vector);
    return is_of_other_order(vector) ? string_in_order_of(vector) : oci_signing_string(&request);
}

/* The value of one parameter of an Authorization header. The caller frees it. */
static char *parameter(const char *header, const char *name)
{
    CLEANUP(freep) char *start = xasprintf("%s=\"", name);
    const char *p = header + strlen("Signature ");
    while (!starts_with(p, start)) {
        p = strstr(p, "\",");
        assert_non_null(p);
        p += 2;
    }
    p += strlen(start);
    return xstrndup(p, strcspn(p, "\""));
}

static void same_parameter(const char *ours, const char *theirs, const char *name)
{
    CLEANUP(freep) char *a = parameter(ours, name);
    CLEANUP(freep) char *b = parameter(theirs, name);
    assert_string_equal(a, b);
}

static void builds_the_signing_string_of_every_vector(void **state)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, (const cJSON *)*state)
    {
        CLEANUP(freep) char *ours = signing_string(vector);
        assert_string_equal(ours, text_of(vector, "signing_string"));
    }
}

static void signs_the_headers_of_every_vector(void **state)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, (const cJSON *)*state)
    {
        const OciRequest request = request_of(vector);
        CLEANUP(freep) char *ours = oci_signed_headers(&request);
        CLEANUP(freep) char *theirs = order_of(vector);
        if (is_of_other_order(vector)) {
            assert_string_equal(ours, "x-date (request-target) host content-length content-type x-content-sha256");
            assert_string_equal(theirs, "x-date (request-target) host content-type content-length x-content-sha256");
        } else {
            assert_string_equal(ours, theirs);
        }
    }
}

static void makes_the_signature_of_every_vector(void **state)
{
    const cJSON *vector;
    cJSON_ArrayForEach(vector, (const cJSON *)*state)
    {
        CLEANUP(private_key_freep) PrivateKey *key = key_of(vector);
        CLEANUP(freep) char *text = signing_string(vector);
        CLEANUP(freep) char *signature = NULL;
        assert_int_equal(private_key_sign(key, text, strlen(text), &signature, NULL), 0);
        assert_string_equal(signature, text_of(vector, "signature"));
    }
}

static void makes_the_authorization_of_every_vector_in_our_order(void **state)
{
    static const char *const names[] = {"version", "headers", "keyId", "algorithm", "signature"};
    size_t compared = 0;
    const cJSON *vector;
    cJSON_ArrayForEach(vector, (const cJSON *)*state)
    {
        if (is_of_other_order(vector))
            continue;
        const OciRequest request = request_of(vector);
        CLEANUP(private_key_freep) PrivateKey *key = key_of(vector);
        CLEANUP(freep) char *ours = NULL;
        assert_int_equal(oci_authorization(&request, text_of(vector, "key_id"), key, &ours, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
            same_parameter(ours, text_of(vector, "authorization"), names[i]);
        compared++;
    }
    assert_int_equal(compared, N_CASES - 1);
}

static void hashes_and_counts_the_body_of_the_vector_in_another_order(void **state)
{
    const cJSON *vector = *state;
    for (vector = vector->child; vector && !is_of_other_order(vector); vector = vector->next)
        continue;
    assert_non_null(vector);
    const OciRequest request = request_of(vector);
    const cJSON *headers = cJSON_GetObjectItemCaseSensitive(vector, "headers");
    Str expected = {0};
    str_addf(&expected, "\ncontent-length: %s", text_of(headers, "content-length"));
    str_add(&expected, "\ncontent-type: application/json");
    str_addf(&expected, "\nx-content-sha256: %s", text_of(headers, "x-content-sha256"));
    CLEANUP(freep) char *ours = oci_signing_string(&request);
    assert_non_null(strstr(ours, str_get(&expected)));
    str_done(&expected);
}

static void signs_bodies_of_post_put_and_patch_alone(void **state)
{
    (void)state;
    assert_true(oci_signs_body("POST") && oci_signs_body("PUT") && oci_signs_body("PATCH"));
    assert_false(oci_signs_body("GET") || oci_signs_body("HEAD") || oci_signs_body("DELETE"));
}

static void signs_a_body_that_is_not_there_as_empty(void **state)
{
    (void)state;
    const OciRequest request = {.method = "POST", .target = "/x", .host = "h", .date = "d"};
    CLEANUP(freep) char *text = oci_signing_string(&request);
    assert_string_equal(text, "date: d\n(request-target): post /x\nhost: h\ncontent-length: 0\n"
                              "content-type: application/json\n"
                              "x-content-sha256: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_the_signing_string_of_every_vector),
        cmocka_unit_test(signs_the_headers_of_every_vector),
        cmocka_unit_test(makes_the_signature_of_every_vector),
        cmocka_unit_test(makes_the_authorization_of_every_vector_in_our_order),
        cmocka_unit_test(hashes_and_counts_the_body_of_the_vector_in_another_order),
        cmocka_unit_test(signs_bodies_of_post_put_and_patch_alone),
        cmocka_unit_test(signs_a_body_that_is_not_there_as_empty),
    };
    return cmocka_run_group_tests(tests, load_cases, free_cases);
}
