/* What an API's answer says about an error: the bodies that clouds, their gateways and proxies have, and what each
 * means for us. */
#pragma once

#include "base/error.h"
#include "http/call.h"

/* One row of a provider's table; the first that fits counts. */
typedef struct ApiErrorRule {
    int status; /* 0: any */
    ErrorKind kind;
    const char *code; /* NULL: any, also none */
} ApiErrorRule;

#define API_SECRETS_MAX 4

/* What must not be shown although an answer repeats what was sent; NULLs among them are passed over. */
typedef struct ApiSecrets {
    const char *items[API_SECRETS_MAX];
} ApiSecrets;

/* Understood are {"error": {"code", "message"}}, {"error_code", "error_msg"} and {"code", "message"}, with codes that
 * are texts or numbers; of HTML and anything else a piece of the text is shown. `rules` ends with a row of zeros;
 * where none fits the status decides. `secrets` may be NULL. Never NULL. */
Error *api_error(const HttpAnswer *answer, const ApiErrorRule *rules, const ApiSecrets *secrets)
    __attribute__((returns_nonnull));
