/* Verification of the request signature: HTTP Signatures, version 1, rsa-sha256, as strict as the service. */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>

#include "request.h"

#define VERIFY_WINDOW_SECONDS 300

struct verifier {
    EVP_PKEY *key;
    char *key_id;
    unsigned port; /* of the API; the host header must name it */
};

bool verify_load_key(struct verifier *verifier, const char *path);
void verify_free(struct verifier *verifier);
/* NULL when the host header names this service, else why not, which the caller frees. */
char *verify_host(const struct verifier *verifier, const struct request *request);
/* NULL when the request is authentic, else the reason, which the caller frees. */
char *verify_request(const struct verifier *verifier, const struct request *request, bool any_host);
