#include "config.h"

#include "cloud/api-error.h"

#include <strings.h>

#include "base/str.h"
#include "data/json-read.h"
#include "data/json-write.h"
#include "http/client.h"

#define CODE_MAX 100
#define MESSAGE_MAX 1000
#define EXCERPT_MAX 200

/* A code is a text, or a number in some answers; the caller frees it. NULL: there is none. */
static char *code_text(const Node *body, const char *member)
{
    const Node *value = node_get(body, member);
    CLEANUP(str_done) Str text = {0};
    if (value && value->type == NODE_INT)
        json_write_node(&text, value);
    return value && value->type == NODE_INT ? str_take(&text) : str_printable(node_get_text(body, member), CODE_MAX);
}

/* Writes both or none. */
static bool read_form(const Node *body, const char *code_member, const char *message_member, char **ret_code,
                      char **ret_message)
{
    CLEANUP(freep) char *code = code_text(body, code_member);
    CLEANUP(freep) char *message = str_printable(node_get_text(body, message_member), MESSAGE_MAX);
    if (!code || !message)
        return false;
    *ret_code = TAKE(code);
    *ret_message = TAKE(message);
    return true;
}

static bool read_body(const HttpAnswer *answer, char **ret_code, char **ret_message)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *body = NULL;
    json_read(arena, str_get(&answer->body), answer->body.len, &body, NULL);
    return read_form(node_get(body, "error"), "code", "message", ret_code, ret_message) ||
           read_form(body, "error_code", "error_msg", ret_code, ret_message) ||
           read_form(body, "code", "message", ret_code, ret_message);
}

/* The words of an HTML page, without its head; other text as it is. The caller frees it. */
static char *words(const char *text)
{
    Str out = {0};
    const char *body = strcasestr(text, "<body");
    bool html = body != NULL, in_tag = false;
    for (const char *p = body ? body : text; *p; p++) {
        bool space = *p == ' ' || *p == '\t' || *p == '\n' || *p == '\r' || (html && *p == '>');
        if (html && *p == '<')
            in_tag = true;
        if (space && !in_tag && out.len > 0 && out.data[out.len - 1] != ' ')
            str_addc(&out, ' ');
        else if (!space && !in_tag)
            str_addc(&out, *p);
        if (html && *p == '>') {
            in_tag = false;
            if (out.len > 0 && out.data[out.len - 1] != ' ')
                str_addc(&out, ' ');
        }
    }
    CLEANUP(freep) char *plain = str_take(&out);
    return str_printable(str_strip(plain), EXCERPT_MAX);
}

static ErrorKind classify(const ApiErrorRule *rules, int status, const char *code)
{
    for (; rules->kind || rules->status; rules++)
        if ((!rules->status || rules->status == status) && (!rules->code || streq_null(rules->code, code)))
            return rules->kind;
    return http_status_kind(status);
}

Error *api_error(const HttpAnswer *answer, const ApiErrorRule *rules)
{
    Error *error = NULL;
    CLEANUP(freep) char *code = NULL;
    CLEANUP(freep) char *message = NULL;
    if (read_body(answer, &code, &message)) {
        error_set(&error, classify(rules, answer->status, code), "%s", message);
    } else {
        /* A proxy may answer with something that is not the API's: a piece of it is all that can be told. */
        CLEANUP(freep) char *piece = words(str_get(&answer->body));
        error_set(&error, classify(rules, answer->status, NULL), "answered %d: %s", answer->status,
                  *piece ? piece : "(nothing)");
    }
    error->status = answer->status;
    free(error->code);
    error->code = TAKE(code);
    return error;
}
