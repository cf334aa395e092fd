/* What an API's answer says about an error: the bodies that clouds, their gateways and proxies have, and what each
 * means for us. */
#pragma once

#include "base/error.h"
#include "http/call.h"

/* One row of a provider's table; the first that fits counts. */
typedef struct ApiErrorRule {
    int status;       /* 0: any */
    ErrorKind kind;
    const char *code; /* NULL: any, also none */
} ApiErrorRule;

/* Understood are {"error": {"code", "message"}}, {"error_code", "error_msg"} and {"code", "message"}, with codes that
 * are texts or numbers; of HTML and anything else a piece of the text is shown. `rules` ends with a row of zeros;
 * where none fits the status decides. Never NULL. */
Error *api_error(const HttpAnswer *answer, const ApiErrorRule *rules) __attribute__((returns_nonnull));
