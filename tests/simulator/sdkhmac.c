/* Signatures with an access key: SDK-HMAC-SHA256, written from the description of the algorithm. */
#include "sdkhmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEME "SDK-HMAC-SHA256"
#define DATE_FORMAT "%Y%m%dT%H%M%SZ"

/* ---- the header ---- */

/* Takes NAME=VALUE at *at, where the value ends before `end` or with the text; NULL when it is not there. */
static char *take(const char **at, const char *name, const char *end)
{
    size_t length = strlen(name);

    if (strncmp(*at, name, length) != 0) {
        return NULL;
    }
    const char *value = *at + length;
    size_t value_length = strcspn(value, ", ");
    if (value_length == 0 || strncmp(value + value_length, end, strlen(end)) != 0 ||
        (*end == '\0' && value[value_length] != '\0')) {
        return NULL;
    }
    *at = value + value_length + strlen(end);
    return xstrndup(value, value_length);
}

bool sdk_parse(const char *header, struct sdk_authorization *authorization)
{
    const char *at = header + strlen(SCHEME " ");

    if (strncmp(header, SCHEME " ", strlen(SCHEME " ")) != 0) {
        return false;
    }
    authorization->access = take(&at, "Access=", ", ");
    authorization->signed_headers = authorization->access == NULL ? NULL : take(&at, "SignedHeaders=", ", ");
    authorization->signature = authorization->signed_headers == NULL ? NULL : take(&at, "Signature=", "");
    return authorization->signature != NULL;
}

void sdk_authorization_free(struct sdk_authorization *authorization)
{
    free(authorization->access);
    free(authorization->signed_headers);
    free(authorization->signature);
}

bool sdk_is_signed(const char *signed_headers, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = signed_headers; *at != '\0'; at += strcspn(at, ";"), at += *at == ';') {
        if (strcspn(at, ";") == length && strncmp(at, name, length) == 0) {
            return true;
        }
    }
    return false;
}

char *sdk_check_names(const struct request *request, const char *signed_headers)
{
    char *list = xstrdup(signed_headers), *why = NULL, *rest = list;
    const char *name, *before = "";

    while (why == NULL && (name = strsep(&rest, ";")) != NULL) {
        size_t count = 0;
        request_header(request, name, &count);
        if (*name == '\0' || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_")] != '\0') {
            why = xprintf("signed header '%s' is malformed", name);
        } else if (strcmp(before, name) >= 0) {
            why = xprintf("signed headers are not sorted at '%s'", name);
        } else if (count != 1) {
            why = xprintf("signed header %s comes %zu times", name, count);
        }
        before = name;
    }
    free(list);
    return why;
}

bool sdk_parse_date(const char *text, time_t *when)
{
    struct tm parts = {0};
    char again[sizeof("20260105T213140Z") + 8];
    const char *rest = strptime(text, DATE_FORMAT, &parts);

    if (rest == NULL || *rest != '\0') {
        return false;
    }
    *when = timegm(&parts);
    /* Written again it must be the same text: this catches single digits and 31 February. */
    return strftime(again, sizeof(again), DATE_FORMAT, &parts) > 0 && strcmp(again, text) == 0;
}

/* ---- the canonical request ---- */

static void add_encoded(struct text *text, const char *bytes, size_t length)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\0' && strchr(plain, bytes[i]) != NULL) {
            text_add(text, bytes + i, 1);
        } else {
            text_addf(text, "%%%02X", (unsigned char)bytes[i]);
        }
    }
}

/* A '+' in a path is no space, so this is not request_decode. */
static void add_path(struct text *text, const char *path)
{
    for (const char *at = path; *at != '\0'; at++) {
        unsigned byte;
        if (*at == '/') {
            text_adds(text, "/");
        } else if (*at == '%' && strspn(at + 1, "0123456789abcdefABCDEF") >= 2 && sscanf(at + 1, "%2x", &byte) == 1) {
            const char decoded = (char)byte;
            add_encoded(text, &decoded, 1);
            at += 2;
        } else {
            add_encoded(text, at, 1);
        }
    }
    if (text->bytes[text->length - 1] != '/') {
        text_adds(text, "/");
    }
}

static int by_name_and_value(const void *left, const void *right)
{
    const struct pair *one = left, *other = right;
    int names = strcmp(one->name, other->name);

    return names != 0 ? names : strcmp(one->value, other->value);
}

static void add_query(struct text *text, const struct request *request)
{
    struct pair sorted[REQUEST_PARAMETERS];

    memcpy(sorted, request->parameters, sizeof(sorted));
    qsort(sorted, request->parameter_count, sizeof(sorted[0]), by_name_and_value);
    for (size_t i = 0; i < request->parameter_count; i++) {
        text_adds(text, i == 0 ? "" : "&");
        add_encoded(text, sorted[i].name, strlen(sorted[i].name));
        text_adds(text, "=");
        add_encoded(text, sorted[i].value, strlen(sorted[i].value));
    }
}

static void add_headers(struct text *text, const struct request *request, const char *signed_headers)
{
    char *list = xstrdup(signed_headers), *rest = list;
    const char *name;

    while ((name = strsep(&rest, ";")) != NULL) {
        const char *value = request_header(request, name, NULL);
        value = value == NULL ? "" : value + strspn(value, " \t");
        size_t length = strlen(value);
        while (length > 0 && strchr(" \t", value[length - 1]) != NULL) {
            length--;
        }
        text_addf(text, "%s:%.*s\n", name, (int)length, value);
    }
    free(list);
}

static void add_payload(struct text *text, const struct request *request)
{
    const char *told = request_header(request, "X-Sdk-Content-Sha256", NULL);
    char hex[2 * DIGEST_SIZE + 1];

    digest_hex(request->body.bytes, request->body.length, hex);
    text_adds(text, told != NULL ? told : hex);
}

void sdk_sign(const struct request *request, const char *signed_headers, const char *secret,
              struct sdk_signature *signature)
{
    struct text *canonical = &signature->canonical;
    const char *date = request_header(request, "X-Sdk-Date", NULL);
    char hash[2 * DIGEST_SIZE + 1];
    unsigned char code[EVP_MAX_MD_SIZE];

    text_addf(canonical, "%s\n", request->method);
    add_path(canonical, request->path);
    text_adds(canonical, "\n");
    add_query(canonical, request);
    text_adds(canonical, "\n");
    add_headers(canonical, request, signed_headers);
    text_addf(canonical, "\n%s\n", signed_headers);
    add_payload(canonical, request);
    digest_hex(canonical->bytes, canonical->length, hash);
    signature->string_to_sign = xprintf(SCHEME "\n%s\n%s", date == NULL ? "" : date, hash);
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)signature->string_to_sign,
         strlen(signature->string_to_sign), code, NULL);
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        snprintf(signature->hex + 2 * i, 3, "%02x", code[i]);
    }
}

void sdk_signature_free(struct sdk_signature *signature)
{
    text_free(&signature->canonical);
    free(signature->string_to_sign);
}
