/* OCI request signing: HTTP Signatures (draft-cavage-http-signatures-08), which Oracle calls version 1, rsa-sha256. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "sign/key.h"

/* One request as it will go on the wire. */
typedef struct OciRequest {
    const char *method; /* "GET" */
    const char *target; /* path and query */
    const char *host;   /* with ":port" when it is not the scheme's default */
    const char *date;   /* RFC 1123, GMT */
    const char *body;   /* NULL: none */
    size_t body_size;
    bool x_date;        /* the date goes into x-date */
    bool unsigned_host; /* the federation call of instance principals does not sign host */
} OciRequest;

/* Do requests of this method sign content-length, content-type and x-content-sha256 (also with an empty body)? */
bool oci_signs_body(const char *method);
/* The text to sign, in the order date (request-target) host content-length content-type x-content-sha256. The caller
 * frees it. */
char *oci_signing_string(const OciRequest *request);
/* The names in that order, with spaces between: headers="…". The caller frees it. */
char *oci_signed_headers(const OciRequest *request);
/* The value of the Authorization header. *ret is the caller's to free. */
int oci_authorization(const OciRequest *request, const char *key_id, const PrivateKey *key, char **ret, Error **err);
