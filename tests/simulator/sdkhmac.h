/* Signatures with an access key: SDK-HMAC-SHA256, written from the description of the algorithm. */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "digest.h"
#include "request.h"

#define SDK_WINDOW_SECONDS 900

/* The three texts that lead from a request to its signature. */
struct sdk_signature {
    struct text canonical;
    char *string_to_sign;
    char hex[2 * DIGEST_SIZE + 1];
};

/* What the Authorization header says. */
struct sdk_authorization {
    char *access, *signed_headers, *signature;
};

/* False when the header is anything but the one documented form. */
bool sdk_parse(const char *header, struct sdk_authorization *authorization);
void sdk_authorization_free(struct sdk_authorization *authorization);
/* `signed_headers` is the list as it stands in the Authorization header. */
void sdk_sign(const struct request *request, const char *signed_headers, const char *secret,
              struct sdk_signature *signature);
void sdk_signature_free(struct sdk_signature *signature);
/* Is a name in such a list? */
bool sdk_is_signed(const char *signed_headers, const char *name);
/* NULL when the list is lower-case, sorted, without a name twice, and of headers that came once; else why not, which
 * the caller frees. */
char *sdk_check_names(const struct request *request, const char *signed_headers);
/* Takes exactly 20260105T213140Z and the like. */
bool sdk_parse_date(const char *text, time_t *when);
