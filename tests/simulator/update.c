/* UpdateImage: retry token, if-match, state and the change itself. */
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "json.h"
#include "oci.h"
#include "sim.h"

#define RETRY_TOKEN_MAX 64

struct update {
    const char *token;
    const char *if_match;
    cJSON *body;
    struct image *image; /* NULL when there is none that the caller may see */
};

static bool read_headers(const struct request *request, struct update *update, struct reply *reply)
{
    size_t tokens, matches;

    update->token = request_header(request, "opc-retry-token", &tokens);
    update->if_match = request_header(request, "if-match", &matches);
    if (tokens > 1 || matches > 1) {
        reply_error(reply, "InvalidParameter", "opc-retry-token or if-match comes twice");
        return false;
    }
    size_t length = update->token == NULL ? 1 : strlen(update->token);
    if (length < 1 || length > RETRY_TOKEN_MAX) {
        reply_error(reply, "InvalidParameter", "The opc-retry-token has %zu characters, not 1 to %d", length,
                    RETRY_TOKEN_MAX);
        return false;
    }
    return true;
}

static bool read_body(const struct request *request, struct update *update, struct reply *reply)
{
    const char *why = "no body";

    if (request->body.length > 0) {
        update->body = json_parse(request->body.bytes, request->body.length, &why);
    }
    if (update->body == NULL) {
        reply_error(reply, "CannotParseRequest", "The body cannot be parsed: %s", why);
        return false;
    }
    return image_check_update(update->body, reply);
}

/* False when the token settles the answer: a replay, a misuse or a void one. */
static bool check_token(struct simulator *simulator, const struct request *request, const struct update *update,
                        struct reply *reply)
{
    if (update->token == NULL) {
        return true;
    }
    switch (token_check(&simulator->tokens, update->token, request->target, &request->body)) {
    case TOKEN_NEW:
        return true;
    case TOKEN_MISUSE:
        reqlog_count_misuse(&simulator->log);
        reply_error(reply, "InvalidParameter", "The opc-retry-token was already used for a different request");
        return false;
    case TOKEN_REPLAY:
        if (update->image != NULL) {
            token_replay(&simulator->tokens, update->token, reply);
            return false;
        }
        break;
    case TOKEN_VOID:
        break;
    }
    reply_error(reply, "InvalidatedRetryToken", "The opc-retry-token was used before and is no longer valid");
    return false;
}

static bool check_image(const struct request *request, const struct update *update, struct reply *reply)
{
    if (update->image == NULL || update->image->compartment == NULL) {
        reply_error(reply, "NotAuthorizedOrNotFound", "Authorization failed or requested resource not found: %s",
                    request->image_id);
        return false;
    }
    if (update->if_match != NULL && strcmp(update->if_match, update->image->etag) != 0) {
        reply_error(reply, "NoEtagMatch", "The etag %s is not the current one of %s", update->if_match,
                    request->image_id);
        return false;
    }
    return true;
}

static bool is_platform_name(const struct store *store, const char *name)
{
    for (size_t i = 0; i < store->count; i++) {
        if (store->all[i]->compartment == NULL && strcmp(store->all[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool check_content(const struct simulator *simulator, const struct update *update, struct reply *reply)
{
    const char *name = json_string(update->body, "displayName");

    if (strcmp(update->image->state, "AVAILABLE") != 0) {
        reply_error(reply, "IncorrectState", "The image %s is %s, not AVAILABLE", update->image->id,
                    update->image->state);
        return false;
    }
    if (name != NULL && is_platform_name(&simulator->store, name)) {
        reply_error(reply, "InvalidParameter", "displayName '%s' is the name of a platform image", name);
        return false;
    }
    cJSON *now = cJSON_Parse(update->image->json);
    bool good = tags_check_known(&simulator->tags, json_member(update->body, "definedTags"),
                                 json_member(now, "definedTags"), reply);
    cJSON_Delete(now);
    return good;
}

static void apply(struct simulator *simulator, const struct update *update, struct reply *reply)
{
    struct image *image = update->image;

    store_change(&simulator->store, &simulator->tags, image, update->body);
    image->updates++;
    reply->status = 200;
    reply->applied = true;
    reply->etag = xstrdup(image->etag);
    text_add(&reply->body, image->json, image->json_length);
    if (update->token != NULL) {
        token_remember(&simulator->tokens, update->token, reply);
    }
}

void update_image(struct simulator *simulator, const struct request *request, const struct fired *fired,
                  struct reply *reply)
{
    struct update update = {.image = store_visible(&simulator->store, request->image_id)};
    bool token_first = simulator->config.token_first;

    (void)fired;
    if (read_headers(request, &update, reply) && read_body(request, &update, reply) &&
        (!token_first || check_token(simulator, request, &update, reply)) && check_image(request, &update, reply) &&
        (token_first || check_token(simulator, request, &update, reply)) && check_content(simulator, &update, reply)) {
        apply(simulator, &update, reply);
    }
    cJSON_Delete(update.body);
}
