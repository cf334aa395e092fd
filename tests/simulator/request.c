/* One API request as it came over the wire: raw target, parsed query, headers, body. */
#include "request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?%";

static int hex_digit(char digit)
{
    const char *digits = "0123456789abcdef", *at;

    if (digit >= 'A' && digit <= 'F') {
        digit = (char)(digit - 'A' + 'a');
    }
    at = digit == '\0' ? NULL : strchr(digits, digit);
    return at == NULL ? -1 : (int)(at - digits);
}

char *request_decode(const char *text, size_t length)
{
    char *decoded = xcalloc(1, length + 1);
    size_t used = 0;

    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            decoded[used++] = text[i] == '+' ? ' ' : text[i];
            continue;
        }
        int high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
        int low = i + 2 < length ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0) {
            free(decoded);
            return NULL;
        }
        decoded[used++] = (char)(high * 16 + low);
        i += 2;
    }
    return decoded;
}

static bool add_parameter(struct request *request, const char *piece, size_t length)
{
    const char *equals = memchr(piece, '=', length);

    if (equals == NULL || equals == piece || request->parameter_count == REQUEST_PARAMETERS) {
        return false;
    }
    struct pair *parameter = &request->parameters[request->parameter_count++];
    parameter->name = request_decode(piece, (size_t)(equals - piece));
    parameter->value = request_decode(equals + 1, length - (size_t)(equals - piece) - 1);
    return parameter->name != NULL && parameter->value != NULL;
}

static bool parse_query(struct request *request)
{
    const char *at = request->query;

    while (at != NULL) {
        size_t length = strcspn(at, "&");
        if (!add_parameter(request, at, length)) {
            return false;
        }
        at = at[length] == '&' ? at + length + 1 : NULL;
    }
    return true;
}

struct request *request_new(const char *target)
{
    struct request *request = xcalloc(1, sizeof(*request));
    size_t path_length = strcspn(target, "?");

    request->target = xstrdup(target);
    request->path = xstrndup(target, path_length);
    request->query = target[path_length] == '?' ? xstrdup(target + path_length + 1) : NULL;
    request->bad_query = target[strspn(target, legal)] != '\0' || !parse_query(request);
    return request;
}

void request_free(struct request *request)
{
    for (size_t i = 0; i < request->parameter_count; i++) {
        free(request->parameters[i].name);
        free(request->parameters[i].value);
    }
    free(request->target);
    free(request->path);
    free(request->query);
    free(request->method);
    free(request->id);
    free(request->source);
    free(request->request_id);
    free(request->project);
    free(request->access);
    text_free(&request->body);
    free(request);
}

const char *request_header(const struct request *request, const char *name, size_t *count)
{
    const char *value = NULL;
    size_t found = 0;

    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0) {
            value = value == NULL ? request->headers[i].value : value;
            found++;
        }
    }
    if (count != NULL) {
        *count = found;
    }
    return value;
}

const char *request_parameter(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->parameter_count; i++) {
        if (strcmp(request->parameters[i].name, name) == 0) {
            return request->parameters[i].value;
        }
    }
    return NULL;
}
