#include "config.h"

#include "cloud/api-error.h"

#include <stdlib.h>
#include <strings.h>

#include "base/str.h"
#include "data/json-read.h"
#include "data/json-write.h"
#include "http/client.h"

#define CODE_MAX 100
#define MESSAGE_MAX 1000
#define EXCERPT_MAX 200

/* A copy of `text` in which no secret stands; the caller frees it. */
static char *without_secrets(const char *text, const ApiSecrets *secrets)
{
    Str out = {0};
    while (*text) {
        size_t n = 0;
        for (size_t i = 0; i < API_SECRETS_MAX && n == 0; i++)
            if (secrets->items[i] && *secrets->items[i] && starts_with(text, secrets->items[i]))
                n = strlen(secrets->items[i]);
        if (n)
            str_add(&out, "[secret]");
        else
            str_addc(&out, *text);
        text += n ? n : 1;
    }
    return str_take(&out);
}

/* The text of a page of HTML without its head, or of a message with some in it; other text as it is. At most `max`
 * bytes; the caller frees it. */
static char *words(const char *answered, const ApiSecrets *secrets, size_t max)
{
    CLEANUP(freep) char *text = without_secrets(answered, secrets);
    Str out = {0};
    const char *body = strcasestr(text, "<body");
    bool html = body || strcasestr(text, "<br"), in_tag = false;
    for (const char *p = body ? body : text; *p; p++) {
        bool tag_ends = html && *p == '>', space = tag_ends || strchr(" \t\r\n", *p);
        if (tag_ends)
            in_tag = false;
        else if (html && *p == '<')
            in_tag = true;
        if (in_tag)
            continue;
        if (!space)
            str_addc(&out, *p);
        else if (out.len > 0 && out.data[out.len - 1] != ' ')
            str_addc(&out, ' ');
    }
    CLEANUP(freep) char *plain = str_take(&out);
    return str_printable(str_strip(plain), max);
}

/* A code is a text, or a number in some answers; NULL when there is none or only the status again. The caller frees. */
static char *code_text(const Node *value, int status)
{
    CLEANUP(str_done) Str text = {0};
    if (!value || (value->type != NODE_INT && value->type != NODE_STRING))
        return NULL;
    if (value->type == NODE_INT)
        json_write_node(&text, value);
    else
        str_add(&text, value->text);
    char *end;
    if (strtol(str_get(&text), &end, 10) == status && (*end == 0 || *end == ' '))
        return NULL;
    return str_printable(str_get(&text), CODE_MAX);
}

/* One form of the body: where code and message are. */
typedef struct Form {
    const char *inside; /* NULL: the body itself */
    const char *code, *message;
} Form;

static bool read_form(const Node *body, const Form *form, int status, const ApiSecrets *secrets, char **ret_code,
                      char **ret_message)
{
    const Node *from = form->inside ? node_get(body, form->inside) : body;
    const char *message = node_get_text(from, form->message);
    if (!message || !node_get(from, form->code))
        return false;
    *ret_code = code_text(node_get(from, form->code), status);
    *ret_message = words(message, secrets, MESSAGE_MAX);
    return true;
}

static bool read_body(const HttpAnswer *answer, const ApiSecrets *secrets, char **ret_code, char **ret_message)
{
    static const Form forms[] = {
        {"error", "code", "message"}, {NULL, "error_code", "error_msg"}, {NULL, "code", "message"}};
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *body = NULL;
    json_read(arena, str_get(&answer->body), answer->body.len, &body, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
        if (read_form(body, &forms[i], answer->status, secrets, ret_code, ret_message))
            return true;
    return false;
}

static ErrorKind classify(const ApiErrorRule *rules, int status, const char *code)
{
    for (; rules->kind || rules->status; rules++)
        if ((!rules->status || rules->status == status) && (!rules->code || streq_null(rules->code, code)))
            return rules->kind;
    return http_status_kind(status);
}

Error *api_error(const HttpAnswer *answer, const ApiErrorRule *rules, const ApiSecrets *secrets)
{
    static const ApiSecrets none;
    secrets = secrets ? secrets : &none;
    Error *error = NULL;
    CLEANUP(freep) char *code = NULL;
    CLEANUP(freep) char *message = NULL;
    if (read_body(answer, secrets, &code, &message)) {
        error_set(&error, classify(rules, answer->status, code), "%s", message);
    } else {
        /* A proxy may answer with something that is not the API's: a piece of it is all that can be told. */
        CLEANUP(freep) char *piece = words(str_get(&answer->body), secrets, EXCERPT_MAX);
        error_set(&error, classify(rules, answer->status, NULL), "answered %d: %s", answer->status,
                  *piece ? piece : "(nothing)");
    }
    error->status = answer->status;
    free(error->code);
    error->code = TAKE(code);
    return error;
}
