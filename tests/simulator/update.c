/* The updates: retry token where there is one, if-match, state and the change itself. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "oci.h"
#include "sim.h"

struct update {
    const char *token;
    cJSON *body;
    struct resource *resource; /* NULL when there is none that the caller may see */
};

/* False when the token settles the answer: a replay, a misuse or a void one. */
static bool check_token(struct simulator *simulator, const struct request *request, const struct update *update,
                        struct reply *reply)
{
    if (update->token == NULL) {
        return true;
    }
    switch (token_check(&simulator->tokens, update->token, request->target, &request->body)) {
    case TOKEN_NEW:
        token_bind(&simulator->tokens, update->token, request->target, &request->body);
        return true;
    case TOKEN_MISUSE:
        reqlog_count(&simulator->log, COUNT_TOKEN_MISUSE);
        reply_error(reply, "InvalidParameter", "The opc-retry-token was already used for a different request");
        return false;
    case TOKEN_REPLAY:
        if (update->resource != NULL) {
            reqlog_count(&simulator->log, COUNT_REPLAY);
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

static bool check_resource(const struct request *request, const struct update *update, struct reply *reply)
{
    if (update->resource == NULL || update->resource->now.compartment == NULL) {
        oci_not_found(reply, request->id);
        return false;
    }
    return oci_check_etag(request, update->resource, reply);
}

static bool is_platform_name(struct store *store, const struct kind *kind, const char *name)
{
    const struct shelf *shelf = &store->shelves[kind->id];

    for (size_t i = 0; i < shelf->count; i++) {
        const struct resource *other = shelf->all[i];
        if (other->now.compartment == NULL && other->gone == 0 && strcmp(other->now.name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Images must be AVAILABLE; a backup may be in any state but those after its deletion. */
static bool is_updatable(const struct resource *resource)
{
    return resource->kind->source == NULL
               ? strcmp(resource->now.state, "AVAILABLE") == 0
               : strcmp(resource->now.state, "TERMINATING") != 0 && strcmp(resource->now.state, "TERMINATED") != 0;
}

static bool check_content(struct simulator *simulator, const struct update *update, struct reply *reply)
{
    const struct resource *resource = update->resource;
    const char *name = json_string(update->body, "displayName");

    if (!is_updatable(resource)) {
        reply_error(reply, "IncorrectState", "%s is %s", resource->id, resource->now.state);
        return false;
    }
    if (name != NULL && resource->kind->id == KIND_IMAGE && is_platform_name(&simulator->store, resource->kind, name)) {
        reply_error(reply, "InvalidParameter", "displayName '%s' is the name of a platform image", name);
        return false;
    }
    cJSON *now = cJSON_Parse(resource->now.json);
    bool good = tags_check_known(&simulator->tags, json_member(update->body, "definedTags"),
                                 json_member(now, "definedTags"), reply);
    cJSON_Delete(now);
    return good;
}

static void apply(struct simulator *simulator, const struct update *update, struct reply *reply)
{
    struct resource *resource = update->resource;

    store_change(&simulator->store, &simulator->tags, resource, update->body, clock_now());
    resource->updates++;
    reply->applied = true;
    reply->no_request_id = resource->kind->source != NULL;
    oci_answer(resource, reply);
    if (update->token != NULL) {
        token_remember(&simulator->tokens, update->token, reply);
    }
}

void update_resource(struct simulator *simulator, const struct request *request, const struct fired *fired,
                     struct reply *reply)
{
    struct update update = {
        .token = request_header(request, "opc-retry-token", NULL),
        .body = oci_read_body(request, reply),
        .resource = oci_find(simulator, request),
    };
    bool token_first = simulator->config.token_first;

    (void)fired;
    if (update.body != NULL && kind_check_body(oci_kind(request)->updatable, update.body, reply) &&
        (!token_first || check_token(simulator, request, &update, reply)) && check_resource(request, &update, reply) &&
        (token_first || check_token(simulator, request, &update, reply)) && check_content(simulator, &update, reply)) {
        apply(simulator, &update, reply);
    }
    cJSON_Delete(update.body);
}
