#include "config.h"

#include "sign/oci-sign.h"

#include <ctype.h>

#include "base/str.h"

#define SIGNED_MAX 6

/* The signed headers in their order; the one place that knows it. */
typedef struct SignedHeaders {
    struct {
        const char *name;
        char *value;
    } items[SIGNED_MAX];
    size_t n;
} SignedHeaders;

static void headers_done(SignedHeaders *headers)
{
    for (size_t i = 0; i < headers->n; i++)
        free(headers->items[i].value);
    headers->n = 0;
}

/* Takes the value over. */
static void add(SignedHeaders *headers, const char *name, char *value)
{
    headers->items[headers->n].name = name;
    headers->items[headers->n].value = value;
    headers->n++;
}

static char *request_target(const OciRequest *request)
{
    char *target = xasprintf("%s %s", request->method, request->target);
    for (char *p = target; *p != ' '; p++)
        *p = (char)tolower((unsigned char)*p);
    return target;
}

bool oci_signs_body(const char *method)
{
    return streq(method, "POST") || streq(method, "PUT") || streq(method, "PATCH");
}

static void collect(const OciRequest *request, SignedHeaders *headers)
{
    add(headers, request->x_date ? "x-date" : "date", xstrdup(request->date));
    add(headers, "(request-target)", request_target(request));
    if (!request->unsigned_host)
        add(headers, "host", xstrdup(request->host));
    if (!oci_signs_body(request->method))
        return;
    size_t size = request->body ? request->body_size : 0;
    add(headers, "content-length", xasprintf("%zu", size));
    add(headers, "content-type", xstrdup("application/json"));
    add(headers, "x-content-sha256", sha256_base64(request->body, size));
}

char *oci_signing_string(const OciRequest *request)
{
    CLEANUP(headers_done) SignedHeaders headers = {0};
    collect(request, &headers);
    Str text = {0};
    for (size_t i = 0; i < headers.n; i++)
        str_addf(&text, "%s%s: %s", i ? "\n" : "", headers.items[i].name, headers.items[i].value);
    return str_take(&text);
}

char *oci_signed_headers(const OciRequest *request)
{
    CLEANUP(headers_done) SignedHeaders headers = {0};
    collect(request, &headers);
    Str names = {0};
    for (size_t i = 0; i < headers.n; i++)
        str_addf(&names, "%s%s", i ? " " : "", headers.items[i].name);
    return str_take(&names);
}

int oci_authorization(const OciRequest *request, const char *key_id, const PrivateKey *key, char **ret, Error **err)
{
    CLEANUP(freep) char *text = oci_signing_string(request);
    CLEANUP(freep) char *names = oci_signed_headers(request);
    CLEANUP(freep) char *signature = NULL;
    if (private_key_sign(key, text, strlen(text), &signature, err) < 0)
        return -1;
    *ret = xasprintf("Signature version=\"1\",headers=\"%s\",keyId=\"%s\",algorithm=\"rsa-sha256\",signature=\"%s\"",
                     names, key_id, signature);
    return 0;
}
