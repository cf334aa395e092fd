/*
 * Huawei Cloud request signing with an access key: SDK-HMAC-SHA256. Pure: one request in, the headers to send out.
 *
 * Where the rules come from: [D] api/huawei-ims.md section 10, which is drawn from Huawei Cloud's "API Request
 * Signing Guide" and its SDKs; [S] the signers of the SDKs v3 for Go, Python and Node.js, where [D] is silent; [V]
 * tests/data/vectors/huawei-signing.json, published by Huawei Cloud or made with the Node.js signer; [R] RFC 3986;
 * [O] our own, where none of them says anything.
 *
 *   canonical request   method, URI, query, headers, names of the headers and hash of the body, joined by LF, none at
 *                       the end [D V]
 *   method              upper case [D]
 *   URI                 the path, each segment percent-encoded, "/" added at the end when none is there; the request
 *                       line keeps the path as it is [D V]. "//" and "/./" stay: the guide speaks of paths without
 *                       such parts, the signers take none away [S]
 *   percent-encoding    A-Z a-z 0-9 - _ . ~ stay, all other bytes are %XX in upper case; a space is %20 [D V]. An
 *                       escape in the target is taken for the byte it means, so that nothing is encoded twice [S:
 *                       Python]; a path's %2F stays %2F, a "%" that begins no escape is %25 [O]; a "+" is a plus,
 *                       never a space [R]
 *   query               parameters sorted by name and by value, name=value joined by "&", with "=" also for an empty
 *                       value; "" without a query [D V]. Sorted as bytes before they are encoded; names keep their
 *                       case, which some Go signers make lower [S]. What is empty between two "&" is no parameter [O]
 *   headers             "name:value" LF each, names in lower case and sorted, values without the white space at their
 *                       ends; signed is content-type, host, x-project-id, x-sdk-date and x-security-token, those that
 *                       are sent [D V]. White space inside a value stays [S]
 *   body                lower-case hex of SHA-256 of its exact bytes, of nothing too; always hashed, never
 *                       UNSIGNED-PAYLOAD, whatever the content type [D V]
 *   string to sign      SDK-HMAC-SHA256 LF date LF lower-case hex of SHA-256 of the canonical request [D V]
 *   signature           lower-case hex of HMAC-SHA-256 of it, keyed with the secret key's text; no key is derived [D V]
 */
#pragma once

#include <stddef.h>

#include "base/clock.h"
#include "base/error.h"

/* One request as it will go on the wire. White space at the ends of header values is not sent. */
typedef struct HuaweiRequest {
    const char *method;         /* "GET" */
    const char *target;         /* path and query: all of the URL from its first slash on, an endpoint's own path too */
    const char *host;           /* with ":port" when it is not the scheme's default; NULL: not signed */
    const char *date;           /* x-sdk-date, from huawei_date; may differ by 15 minutes from the gateway's clock */
    const char *content_type;   /* NULL: none, or sent unsigned */
    const char *project_id;     /* NULL: none */
    const char *security_token; /* of temporary keys: a secret; NULL: none */
    const char *body;           /* NULL: none */
    size_t body_size;
} HuaweiRequest;

#define HUAWEI_HEADERS_MAX 5

/* {0} is empty. */
typedef struct HuaweiHeaders {
    struct {
        const char *name; /* lower case */
        char *value;
    } items[HUAWEI_HEADERS_MAX];
    size_t n;
} HuaweiHeaders;

/* Wipes and empties it. */
void huawei_headers_done(HuaweiHeaders *headers);

#define HUAWEI_DATE_SIZE 20
/* "20260105T213140Z". Years up to 9999. */
char *huawei_date(usec_t wall, char buffer[static HUAWEI_DATE_SIZE]);

/* The two texts on the way to the signature, for tests and for a server that checks one; nothing is refused here. The
 * first has the security token in it: the caller wipes and frees it (secret_free). The caller frees the second. */
char *huawei_canonical_request(const HuaweiRequest *request);
char *huawei_string_to_sign(const HuaweiRequest *request);

/* What is to be sent with the request, all but host, which the HTTP client makes of the URL: the signed headers with
 * the very values that were signed, then authorization. ERROR_SPEC when a key or a header's value is empty, or has
 * something in it that cannot be sent; the message says which and shows no value. */
int huawei_sign(const HuaweiRequest *request, const char *access_key, const char *secret_key, HuaweiHeaders *ret,
                Error **err);
