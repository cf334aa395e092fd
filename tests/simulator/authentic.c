/* Who sends a request to Huawei Cloud: a token of IAM, or a signature with an access key. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "huawei.h"
#include "iam.h"
#include "json.h"
#include "sdkhmac.h"
#include "sim.h"

/* A project that the caller names must be the one that the token is for. */
static char *check_token(const struct simulator *simulator, struct request *request, const char *text)
{
    const struct iam_token *token = iam_token(&simulator->iam, text);
    const char *project = request_header(request, "X-Project-Id", NULL);
    char expired[CLOCK_TEXT];

    if (token == NULL) {
        return xstrdup("decrypt token fail");
    }
    if (token->revoked) {
        return xstrdup("token has been revoked");
    }
    if (token->expires <= clock_now()) {
        clock_rfc3339(token->expires, expired);
        return xprintf("token expires, expires_at: %s", expired);
    }
    if (project != NULL && strcmp(project, token->project) != 0) {
        return xprintf("the token is not for the project %s", project);
    }
    request->project = xstrdup(token->project);
    request->access = xstrdup("");
    request->by = "token";
    return NULL;
}

/* Headers that matter must be signed when they are there; the host always, unless any will do. */
static char *check_signed(const struct request *request, const char *signed_headers, bool any_host)
{
    static const char *const names[] = {"x-project-id", "x-security-token", "x-sdk-content-sha256", "host"};
    char *why = sdk_check_names(request, signed_headers);

    if (why == NULL && !sdk_is_signed(signed_headers, "x-sdk-date")) {
        why = xstrdup("x-sdk-date is not signed");
    }
    for (size_t i = 0; why == NULL && i < sizeof(names) / sizeof(names[0]) - any_host; i++) {
        if (request_header(request, names[i], NULL) != NULL && !sdk_is_signed(signed_headers, names[i])) {
            why = xprintf("%s is not signed", names[i]);
        }
    }
    return why;
}

static char *check_date(const struct request *request, const char **code)
{
    const char *text = request_header(request, "X-Sdk-Date", NULL);
    time_t when, now = clock_seconds();

    if (!sdk_parse_date(text, &when)) {
        return xprintf("the X-Sdk-Date '%s' is not YYYYMMDDTHHMMSSZ", text);
    }
    if (when < now - SDK_WINDOW_SECONDS || when > now + SDK_WINDOW_SECONDS) {
        *code = "APIGW.0303";
        return xprintf("time difference too large: X-Sdk-Date is %s", text);
    }
    return NULL;
}

/* Temporary keys come with their token, and permanent ones without any. */
static char *check_temporary(const struct request *request, const cJSON *key)
{
    const char *wanted = json_string(key, "securityToken"), *expires = json_string(key, "expiresAt");
    const char *given = request_header(request, "X-Security-Token", NULL);
    int64_t end = INT64_MAX;

    if ((wanted == NULL) != (given == NULL) || (wanted != NULL && strcmp(wanted, given) != 0)) {
        return xstrdup("verify security token fail");
    }
    if (expires != NULL && clock_parse_rfc3339(expires, &end) && end <= clock_now()) {
        return xprintf("security token expires, expires_at: %s", expires);
    }
    return NULL;
}

static char *check_payload(const struct request *request)
{
    const char *told = request_header(request, "X-Sdk-Content-Sha256", NULL);
    char hex[2 * DIGEST_SIZE + 1];

    digest_hex(request->body.bytes, request->body.length, hex);
    return told == NULL || strcmp(told, "UNSIGNED-PAYLOAD") == 0 || strcmp(told, hex) == 0
               ? NULL
               : xstrdup("X-Sdk-Content-Sha256 does not match the body");
}

static char *check_hmac(const struct request *request, const struct sdk_authorization *authorization, const cJSON *key)
{
    struct sdk_signature wanted = {0};
    char *why = NULL;

    sdk_sign(request, authorization->signed_headers, json_string(key, "secret"), &wanted);
    if (strcmp(wanted.hex, authorization->signature) != 0) {
        why = xprintf("verify aksk signature fail, canonicalRequest:%s, stringToSign:%s", wanted.canonical.bytes,
                      wanted.string_to_sign);
    }
    sdk_signature_free(&wanted);
    return why;
}

static char *take_project(const struct simulator *simulator, struct request *request, const cJSON *key)
{
    const char *named = request_header(request, "X-Project-Id", NULL);
    const cJSON *project = iam_project(&simulator->iam, json_string(key, "user"), "id", named);

    if (project == NULL) {
        return xprintf("verify projectId fail: %s", named);
    }
    request->project = xstrdup(json_string(project, "id"));
    request->access = xstrdup(json_string(key, "access"));
    request->by = "signature";
    return NULL;
}

static char *check_signature(const struct simulator *simulator, struct request *request, bool any_host,
                             const char *header, const char **code)
{
    struct sdk_authorization authorization = {0};
    char *why = NULL;

    if (!sdk_parse(header, &authorization)) {
        sdk_authorization_free(&authorization);
        return xstrdup("the Authorization header is malformed");
    }
    const cJSON *key = iam_key(&simulator->iam, authorization.access);
    if (key == NULL) {
        why = xprintf("Get secretKey failed,ak:%s,err:ak not exist", authorization.access);
    }
    why = why != NULL ? why : check_signed(request, authorization.signed_headers, any_host);
    why = why != NULL ? why : check_date(request, code);
    why = why != NULL || any_host ? why : verify_host(&simulator->verifier, request);
    why = why != NULL ? why : check_payload(request);
    why = why != NULL ? why : check_hmac(request, &authorization, key);
    why = why != NULL ? why : check_temporary(request, key);
    why = why != NULL ? why : take_project(simulator, request, key);
    sdk_authorization_free(&authorization);
    return why;
}

char *huawei_check_authentic(const struct simulator *simulator, struct request *request, bool any_host,
                             const char **code)
{
    static const char *const single[] = {"X-Auth-Token", "Authorization", "X-Project-Id", "X-Security-Token",
                                         "X-Sdk-Content-Sha256"};
    const char *token = request_header(request, "X-Auth-Token", NULL);
    const char *signature = request_header(request, "Authorization", NULL);

    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        size_t count;
        request_header(request, single[i], &count);
        if (count > 1) {
            return xprintf("the header %s comes twice", single[i]);
        }
    }
    if (token == NULL && signature == NULL) {
        return xstrdup("x-auth-token not found");
    }
    if (token != NULL && signature != NULL) {
        return xstrdup("there is a token and a signature");
    }
    return token != NULL ? check_token(simulator, request, token)
                         : check_signature(simulator, request, any_host, signature, code);
}
