/* Verification of the request signature: HTTP Signatures, version 1, rsa-sha256, as strict as the service. */
#include "verify.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "digest.h"

#define SIGNED_MAX 20

struct authorization {
    char *version;
    char *headers;
    char *key_id;
    char *algorithm;
    char *signature;
};

/* clang-format off: one row a line */
static const struct {
    const char *name;
    size_t offset;
} authorization_parameters[] = {
    {"version", offsetof(struct authorization, version)},     {"headers", offsetof(struct authorization, headers)},
    {"keyId", offsetof(struct authorization, key_id)},        {"algorithm", offsetof(struct authorization, algorithm)},
    {"signature", offsetof(struct authorization, signature)},
};
/* clang-format on */

#define AUTHORIZATION_PARAMETERS (sizeof(authorization_parameters) / sizeof(authorization_parameters[0]))

bool verify_load_key(struct verifier *verifier, const char *path)
{
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        return false;
    }
    verifier->key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
    fclose(file);
    return verifier->key != NULL && EVP_PKEY_get_base_id(verifier->key) == EVP_PKEY_RSA;
}

void verify_free(struct verifier *verifier)
{
    EVP_PKEY_free(verifier->key);
    free(verifier->key_id);
    *verifier = (struct verifier){0};
}

static char **authorization_field(struct authorization *authorization, size_t index)
{
    return (char **)(void *)((char *)authorization + authorization_parameters[index].offset);
}

static void authorization_free(struct authorization *authorization)
{
    for (size_t i = 0; i < AUTHORIZATION_PARAMETERS; i++) {
        free(*authorization_field(authorization, i));
    }
}

/* Takes one name="value" at *at; a name that is unknown or comes twice is refused. */
static bool take_parameter(struct authorization *authorization, const char **at)
{
    size_t name_length = strcspn(*at, "=\" ,");
    const char *value = *at + name_length;

    if (value[0] != '=' || value[1] != '"') {
        return false;
    }
    value += 2;
    size_t value_length = strcspn(value, "\"\\");
    if (value[value_length] != '"') {
        return false;
    }
    for (size_t i = 0; i < AUTHORIZATION_PARAMETERS; i++) {
        char **field = authorization_field(authorization, i);
        if (strlen(authorization_parameters[i].name) == name_length &&
            strncmp(*at, authorization_parameters[i].name, name_length) == 0 && *field == NULL) {
            *field = xstrndup(value, value_length);
            *at = value + value_length + 1;
            return true;
        }
    }
    return false;
}

static char *parse_authorization(const char *header, struct authorization *authorization)
{
    static const char scheme[] = "Signature ";
    const char *at = header + strlen(scheme);

    if (strncmp(header, scheme, strlen(scheme)) != 0) {
        return xstrdup("The Authorization header does not have the scheme Signature");
    }
    for (;;) {
        if (!take_parameter(authorization, &at)) {
            return xprintf("The Authorization header is malformed near '%.20s'", at);
        }
        if (*at == '\0') {
            break;
        }
        if (*at != ',') {
            return xprintf("The Authorization header is malformed near '%.20s'", at);
        }
        at += 1 + strspn(at + 1, " ");
    }
    for (size_t i = 0; i < AUTHORIZATION_PARAMETERS; i++) {
        if (*authorization_field(authorization, i) == NULL) {
            return xprintf("The Authorization header lacks %s", authorization_parameters[i].name);
        }
    }
    return NULL;
}

static char *check_authorization(const struct verifier *verifier, const struct authorization *authorization)
{
    if (strcmp(authorization->version, "1") != 0) {
        return xstrdup("The signature version is not \"1\"");
    }
    if (strcmp(authorization->algorithm, "rsa-sha256") != 0) {
        return xstrdup("The signature algorithm is not rsa-sha256");
    }
    if (strcmp(authorization->key_id, verifier->key_id) != 0) {
        return xprintf("The keyId %s is unknown", authorization->key_id);
    }
    return NULL;
}

static bool is_write(const struct request *request)
{
    return strcmp(request->method, "PUT") == 0 || strcmp(request->method, "POST") == 0 ||
           strcmp(request->method, "PATCH") == 0;
}

struct signed_names {
    char *storage;
    const char *names[SIGNED_MAX];
    size_t count;
};

static bool is_signed(const struct signed_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Splits at single spaces; the names must be lower-case and different. */
static char *split_names(const char *list, struct signed_names *names)
{
    char *next;

    names->storage = xstrdup(list);
    for (char *name = names->storage; name != NULL; name = next) {
        next = strchr(name, ' ');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (*name == '\0' || names->count == SIGNED_MAX || is_signed(names, name) ||
            name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-()")] != '\0') {
            return xprintf("The list of signed headers is malformed at '%s'", name);
        }
        names->names[names->count++] = name;
    }
    return NULL;
}

static char *check_signed_names(const struct request *request, const struct signed_names *names)
{
    static const char *const always[] = {"(request-target)", "host", NULL};
    static const char *const writes[] = {"content-length", "content-type", "x-content-sha256", NULL};
    const char *date = request_header(request, "x-date", NULL) != NULL ? "x-date" : "date";

    if (!is_signed(names, date)) {
        return xprintf("The required header %s is not signed", date);
    }
    for (size_t i = 0; always[i] != NULL; i++) {
        if (!is_signed(names, always[i])) {
            return xprintf("The required header %s is not signed", always[i]);
        }
    }
    for (size_t i = 0; is_write(request) && writes[i] != NULL; i++) {
        if (!is_signed(names, writes[i])) {
            return xprintf("The required header %s is not signed", writes[i]);
        }
    }
    return NULL;
}

static char *check_date(const struct request *request)
{
    const char *text = request_header(request, "x-date", NULL);
    time_t when, now = clock_seconds();

    text = text != NULL ? text : request_header(request, "date", NULL);
    if (text == NULL || !clock_parse_rfc1123(text, &when)) {
        return xprintf("The date '%s' is not RFC 1123 in GMT", text == NULL ? "" : text);
    }
    if (when < now - VERIFY_WINDOW_SECONDS || when > now + VERIFY_WINDOW_SECONDS) {
        char from[CLOCK_TEXT], to[CLOCK_TEXT];
        clock_rfc1123(now - VERIFY_WINDOW_SECONDS, from);
        clock_rfc1123(now + VERIFY_WINDOW_SECONDS, to);
        return xprintf("Date '%s' is not within allowed clock skew. Current allowed window is from %s to %s", text,
                       from, to);
    }
    return NULL;
}

char *verify_host(const struct verifier *verifier, const struct request *request)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    const char *host = request_header(request, "host", NULL);

    for (size_t i = 0; host != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
        char *good = xprintf("%s:%u", names[i], verifier->port);
        bool same = strcmp(good, host) == 0;
        free(good);
        if (same) {
            return NULL;
        }
    }
    return xprintf("The host '%s' is not this service", host == NULL ? "" : host);
}

static char *check_body_headers(const struct request *request)
{
    const char *length = request_header(request, "content-length", NULL);
    const char *type = request_header(request, "content-type", NULL);
    const char *sent = request_header(request, "x-content-sha256", NULL);
    unsigned char digest[DIGEST_SIZE];
    char digits[32];

    snprintf(digits, sizeof(digits), "%zu", request->body.length);
    if (length == NULL || strcmp(length, digits) != 0) {
        return xprintf("The content-length '%s' is not %s", length == NULL ? "" : length, digits);
    }
    if (type == NULL || strcmp(type, "application/json") != 0) {
        return xprintf("The content-type '%s' is not application/json", type == NULL ? "" : type);
    }
    digest_sha256(request->body.bytes, request->body.length, digest);
    char *wanted = digest_base64(digest, sizeof(digest));
    bool same = sent != NULL && strcmp(sent, wanted) == 0;
    free(wanted);
    return same ? NULL : xprintf("The x-content-sha256 '%s' does not match the body", sent == NULL ? "" : sent);
}

static char *signing_string(const struct request *request, const struct signed_names *names, struct text *string)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->names[i];
        size_t count;
        text_addf(string, "%s%s: ", i == 0 ? "" : "\n", name);
        if (strcmp(name, "(request-target)") == 0) {
            for (const char *at = request->method; *at != '\0'; at++) {
                char lower = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
                text_add(string, &lower, 1);
            }
            text_addf(string, " %s", request->target);
            continue;
        }
        const char *value = request_header(request, name, &count);
        if (count != 1) {
            return xprintf("The signed header %s comes %zu times", name, count);
        }
        text_adds(string, value);
    }
    return NULL;
}

static char *check_signature(const struct verifier *verifier, const struct text *string, const char *signature)
{
    size_t length = 0;
    unsigned char *bytes = digest_unbase64(signature, &length);

    if (bytes == NULL) {
        return xstrdup("The signature is not Base64");
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, verifier->key) == 1 &&
                EVP_DigestVerify(context, bytes, length, (unsigned char *)string->bytes, string->length) == 1;
    EVP_MD_CTX_free(context);
    free(bytes);
    return good ? NULL : xprintf("The signature does not match. Expected signing string: %s", string->bytes);
}

static char *check_signed(const struct verifier *verifier, const struct request *request, bool any_host,
                          const struct authorization *authorization, struct signed_names *names, struct text *string)
{
    char *why = check_authorization(verifier, authorization);

    why = why != NULL ? why : split_names(authorization->headers, names);
    why = why != NULL ? why : check_signed_names(request, names);
    why = why != NULL ? why : signing_string(request, names, string);
    why = why != NULL ? why : check_date(request);
    why = why != NULL || any_host ? why : verify_host(verifier, request);
    why = why != NULL || !is_write(request) ? why : check_body_headers(request);
    return why != NULL ? why : check_signature(verifier, string, authorization->signature);
}

char *verify_request(const struct verifier *verifier, const struct request *request, bool any_host)
{
    struct authorization authorization = {0};
    struct signed_names names = {0};
    struct text string = {0};
    size_t count;
    const char *header = request_header(request, "authorization", &count);

    if (count != 1) {
        return xprintf("The Authorization header comes %zu times", count);
    }
    if (request_header(request, "transfer-encoding", NULL) != NULL) {
        return xstrdup("Transfer-Encoding is not supported");
    }
    char *why = parse_authorization(header, &authorization);
    if (why == NULL) {
        why = check_signed(verifier, request, any_host, &authorization, &names, &string);
    }
    authorization_free(&authorization);
    free(names.storage);
    text_free(&string);
    return why;
}
