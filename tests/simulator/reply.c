/* What one API request is answered with, before it goes to the HTTP library. */
#include "reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"

static const struct {
    const char *code;
    int status;
} codes[] = {
    {"InvalidParameter", 400},
    {"CannotParseRequest", 400},
    {"MissingParameter", 400},
    {"LimitExceeded", 400},
    {"QuotaExceeded", 400},
    {"NotAuthenticated", 401},
    {"NotAuthorized", 403},
    {"NotAuthorizedOrNotFound", 404},
    {"NotFound", 404},
    {"NamespaceNotFound", 404},
    {"MethodNotAllowed", 405},
    {"IncorrectState", 409},
    {"InvalidatedRetryToken", 409},
    {"Conflict", 409},
    {"NoEtagMatch", 412},
    {"PayloadTooLarge", 413},
    {"UnprocessableEntity", 422},
    {"TooManyRequests", 429},
    {"RequestHeaderFieldsTooLarge", 431},
    {"InternalServerError", 500},
    {"MethodNotImplemented", 501},
    {"ServiceUnavailable", 503},
};

const char *reply_code_for(int status)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].status == status) {
            return codes[i].code;
        }
    }
    return "Unknown";
}

void reply_status(struct reply *reply, int status, const char *code, const char *message)
{
    bool applied = reply->applied;
    char *resource = reply->resource;
    cJSON *body = cJSON_CreateObject();

    reply->resource = NULL;
    reply_clear(reply);
    reply->applied = applied;
    reply->resource = resource;
    reply->status = status;
    reply->code = xstrdup(code);
    reply->message = xstrdup(message);
    cJSON_AddStringToObject(body, "code", code);
    cJSON_AddStringToObject(body, "message", message);
    char *text = json_print(body);
    text_adds(&reply->body, text);
    free(text);
    cJSON_Delete(body);
}

void reply_error(struct reply *reply, const char *code, const char *format, ...)
{
    int status = 500;
    va_list arguments;

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(codes[i].code, code) == 0) {
            status = codes[i].status;
        }
    }
    va_start(arguments, format);
    char *message = xvprintf(format, arguments);
    va_end(arguments);
    reply_status(reply, status, code, message);
    free(message);
}

void reply_add_header(struct reply *reply, const char *name, const char *value)
{
    if (reply->header_count < REPLY_HEADERS) {
        reply->headers[reply->header_count++] = (struct pair){xstrdup(name), xstrdup(value)};
    }
}

void reply_drop_header(struct reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        if (strcasecmp(reply->headers[i].name, name) == 0) {
            free(reply->headers[i].name);
            free(reply->headers[i].value);
            reply->headers[i--] = reply->headers[--reply->header_count];
        }
    }
}

void reply_clear(struct reply *reply)
{
    free(reply->code);
    free(reply->message);
    free(reply->etag);
    free(reply->next_page);
    free(reply->resource);
    text_free(&reply->body);
    for (size_t i = 0; i < reply->header_count; i++) {
        free(reply->headers[i].name);
        free(reply->headers[i].value);
    }
    *reply = (struct reply){0};
}
