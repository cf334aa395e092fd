/* The control API: what a test uses to fill the store, to set faults and to look inside. */
#include "control.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "generate.h"
#include "json.h"
#include "sdkhmac.h"
#include "settings.h"

#define SECONDS_MAX 1e9

struct call {
    struct simulator *simulator;
    const struct kind *kind; /* of the collection that the path names */
    const char *id;          /* the part of the path that stood for "*" */
    const cJSON *body;       /* NULL when there was none */
    cJSON *answer;           /* an object to be filled, or replaced */
    struct text text;        /* the answer instead, when it is not empty */
};

/* NULL when all went well, else why not (static text, or kept in the answer). Called under the lock. */
typedef const char *control_fn(struct call *call);

static const char no_such_resource[] = "no such resource";
static const char any_kind[] = "resources"; /* stands for the collection of a resource that has this id */

/* The one that the path names, gone or not; NULL when there is none of its kind. */
static struct resource *find(const struct call *call)
{
    struct resource *resource = store_find(&call->simulator->store, call->id);

    return resource != NULL && resource->kind == call->kind ? resource : NULL;
}

static const char *put_one(struct call *call, const cJSON *partial)
{
    const char *why = kind_check_partial(partial), *id = json_string(partial, "id");
    const struct resource *before = why != NULL || id == NULL ? NULL : store_find(&call->simulator->store, id);

    if (why == NULL && id == NULL) {
        why = "a resource needs an id";
    }
    if (why == NULL && before != NULL && before->kind != call->kind) {
        why = "another kind of resource has this id";
    }
    if (why == NULL) {
        store_put(&call->simulator->store, &call->simulator->tags, call->kind, partial);
    }
    return why;
}

static const char *put_resources(struct call *call)
{
    const cJSON *partial;
    const char *why = NULL;

    if (!cJSON_IsArray(call->body)) {
        return put_one(call, call->body);
    }
    cJSON_ArrayForEach(partial, call->body)
    {
        why = why != NULL ? why : put_one(call, partial);
    }
    return why;
}

static void add_time(struct text *text, const char *name, int64_t when)
{
    char time[CLOCK_TEXT];

    if (when == 0) {
        text_addf(text, ",\"%s\":null", name);
        return;
    }
    clock_rfc3339(when, time);
    text_addf(text, ",\"%s\":\"%s\"", name, time);
}

static void add_token(struct text *text, const char *token)
{
    cJSON *value = token == NULL ? cJSON_CreateNull() : cJSON_CreateString(token);
    char *json = json_print(value);

    text_addf(text, ",\"token\":%s", json);
    free(json);
    cJSON_Delete(value);
}

/* As text, for there may be great numbers of them. */
static void describe(const struct resource *resource, struct text *text)
{
    text_addf(text, "{\"%s\":", resource->kind->name);
    text_add(text, resource->now.json, resource->now.json_length);
    text_addf(text, ",\"kind\":\"%s\",\"etag\":\"%s\",\"version\":%u,\"updates\":%u,\"hidden\":%s,\"unreadable\":%s",
              resource->kind->name, resource->etag, resource->version, resource->updates,
              resource->hidden ? "true" : "false", resource->unreadable ? "true" : "false");
    add_time(text, "created", resource->born);
    add_time(text, "deleted", resource->deleted);
    add_time(text, "gone", resource->gone);
    add_token(text, resource->token);
    text_adds(text, "}");
}

/* Backups are told of even when they are gone. */
static const char *get_resources(struct call *call)
{
    const struct shelf *shelf = &call->simulator->store.shelves[call->kind->id];
    const char *between = "";

    text_addf(&call->text, "{\"%s\":[", call->kind->collection);
    for (size_t i = 0; i < shelf->count; i++) {
        if (shelf->all[i]->gone == 0 || call->kind->source != NULL) {
            text_adds(&call->text, between);
            describe(shelf->all[i], &call->text);
            between = ",";
        }
    }
    text_adds(&call->text, "]}");
    return NULL;
}

static const char *get_resource(struct call *call)
{
    const struct resource *resource = find(call);

    if (resource == NULL || (resource->gone != 0 && call->kind->source == NULL)) {
        return no_such_resource;
    }
    describe(resource, &call->text);
    return NULL;
}

/* A state that is set by hand stays. */
static const char *change_resource(struct call *call)
{
    struct resource *resource = find(call);
    const char *why = resource == NULL ? no_such_resource : kind_check_partial(call->body);

    if (why == NULL) {
        resource->ticket += json_member(call->body, call->kind->keys.state) != NULL;
        store_change(&call->simulator->store, &call->simulator->tags, resource, call->body, clock_now());
    }
    return why;
}

/* Attributes that nobody gave it: their names come in an array. */
static const char *strip_resource(struct call *call)
{
    struct resource *resource = find(call);

    if (resource == NULL) {
        return no_such_resource;
    }
    store_strip(&call->simulator->store, &call->simulator->tags, resource, call->body, clock_now());
    return NULL;
}

static const char *delete_resource(struct call *call)
{
    struct resource *resource = find(call);

    if (resource == NULL) {
        return no_such_resource;
    }
    resource->deleted = clock_now();
    lifecycle_enter(call->simulator, resource, call->kind->source != NULL ? "TERMINATING" : call->kind->dead,
                    resource->deleted);
    resource->ticket += call->kind->source == NULL; /* what is no backup stays in that state */
    return NULL;
}

static const char *purge_resource(struct call *call)
{
    struct resource *resource = find(call);

    if (resource == NULL) {
        return no_such_resource;
    }
    store_purge(resource, clock_now());
    return NULL;
}

/* {"listed":true}: still in lists, but not readable. */
static const char *hide_resource(struct call *call)
{
    struct resource *resource = find(call);
    bool listed = cJSON_IsTrue(json_member(call->body, "listed"));

    if (resource == NULL) {
        return no_such_resource;
    }
    resource->hidden = !listed;
    resource->unreadable = listed;
    return NULL;
}

static const char *show_resource(struct call *call)
{
    struct resource *resource = find(call);

    if (resource == NULL) {
        return no_such_resource;
    }
    resource->hidden = resource->unreadable = false;
    return NULL;
}

static const char *put_compartment(struct call *call)
{
    const char *id = json_string(call->body, "id");

    if (id == NULL) {
        return "a compartment needs an id";
    }
    store_compartment(&call->simulator->store, id);
    return NULL;
}

static const char *hide_compartment(struct call *call)
{
    store_compartment(&call->simulator->store, call->id)->hidden = true;
    return NULL;
}

static const char *show_compartment(struct call *call)
{
    store_compartment(&call->simulator->store, call->id)->hidden = false;
    return NULL;
}

static const char *fill_store(struct call *call)
{
    return generate(call->simulator, call->body);
}

static const char *configure(struct call *call)
{
    const cJSON *setting;
    const char *why = cJSON_IsObject(call->body) ? NULL : "the configuration is an object";

    cJSON_ArrayForEach(setting, call->body)
    {
        why = why != NULL ? why : settings_set(call->simulator, setting);
    }
    return why;
}

static const char *add_fault(struct call *call, const cJSON *rule)
{
    char *why = faults_add(&call->simulator->faults, rule);

    if (why == NULL) {
        return NULL;
    }
    cJSON *kept = cJSON_AddStringToObject(call->answer, "reason", why);
    free(why);
    return kept->valuestring;
}

static const char *add_faults(struct call *call)
{
    const cJSON *rule;
    const char *why = NULL;

    if (!cJSON_IsArray(call->body)) {
        return add_fault(call, call->body);
    }
    cJSON_ArrayForEach(rule, call->body)
    {
        why = why != NULL ? why : add_fault(call, rule);
    }
    return why;
}

static const char *clear_faults(struct call *call)
{
    faults_clear(&call->simulator->faults);
    return NULL;
}

static const char *get_faults(struct call *call)
{
    cJSON_Delete(call->answer);
    call->answer = faults_list(&call->simulator->faults);
    return NULL;
}

static const char *get_statistics(struct call *call)
{
    unsigned long connections = atomic_load(&call->simulator->connections);

    cJSON_Delete(call->answer);
    call->answer =
        reqlog_statistics(&call->simulator->log, connections - atomic_load(&call->simulator->connection_base));
    return NULL;
}

static const char *get_clock(struct call *call)
{
    char now[CLOCK_TEXT];

    clock_rfc3339(clock_now(), now);
    cJSON_AddStringToObject(call->answer, "now", now);
    cJSON_AddNumberToObject(call->answer, "offsetSeconds", (double)clock_shifted() / (double)CLOCK_SECOND);
    cJSON_AddNumberToObject(call->answer, "fileOffsetSeconds", (double)clock_shifted_by_file() / (double)CLOCK_SECOND);
    return NULL;
}

static const char *set_clock(struct call *call)
{
    const cJSON *offset = json_member(call->body, "offsetSeconds"), *step = json_member(call->body, "advanceSeconds");
    const cJSON *given = offset != NULL ? offset : step;

    if (cJSON_GetArraySize(call->body) != 1 || !cJSON_IsNumber(given) || fabs(given->valuedouble) > SECONDS_MAX) {
        return "the clock takes a number offsetSeconds or advanceSeconds";
    }
    int64_t span = llround(given->valuedouble * (double)CLOCK_SECOND);
    if (offset != NULL) {
        clock_shift(span);
    } else {
        clock_advance(span);
    }
    lifecycle_run(call->simulator);
    return get_clock(call);
}

static const char *add_faulty(struct call *call)
{
    const cJSON *volume = json_member(call->body, "volumeId");
    double count = json_number(call->body, "count", -1);

    if (count < 0 || cJSON_GetArraySize(call->body) != 1 + (volume != NULL) ||
        (volume != NULL && !cJSON_IsString(volume))) {
        return "a rule for faulty backups has a count, and the volumeId that it is about";
    }
    if (call->simulator->lifecycle.faulty == NULL) {
        call->simulator->lifecycle.faulty = cJSON_CreateArray();
    }
    cJSON_AddItemToArray(call->simulator->lifecycle.faulty, cJSON_Duplicate(call->body, true));
    return NULL;
}

static const char *clear_faulty(struct call *call)
{
    cJSON_Delete(call->simulator->lifecycle.faulty);
    call->simulator->lifecycle.faulty = NULL;
    return NULL;
}

static const char *revoke_right(struct call *call)
{
    return permits_revoke(&call->simulator->permits, call->body);
}

static const char *grant_right(struct call *call)
{
    return permits_grant(&call->simulator->permits, call->body);
}

static const char *put_user(struct call *call)
{
    return iam_put_user(&call->simulator->iam, call->body);
}

static const char *put_key(struct call *call)
{
    return iam_put_key(&call->simulator->iam, call->body);
}

static const char *remove_key(struct call *call)
{
    return iam_remove_key(&call->simulator->iam, call->id);
}

static const char *revoke_tokens(struct call *call)
{
    iam_revoke_tokens(&call->simulator->iam, json_string(call->body, "user"));
    return NULL;
}

static const char *put_keystone_user(struct call *call)
{
    return keystone_put_user(&call->simulator->keystone, call->body);
}

static const char *remove_keystone_user(struct call *call)
{
    return keystone_remove_user(&call->simulator->keystone, call->id);
}

static const char *put_keystone_project(struct call *call)
{
    return keystone_put_project(&call->simulator->keystone, call->body);
}

static const char *remove_keystone_project(struct call *call)
{
    return keystone_remove_project(&call->simulator->keystone, call->id);
}

static const char *put_credential(struct call *call)
{
    return keystone_put_credential(&call->simulator->keystone, call->body);
}

static const char *remove_credential(struct call *call)
{
    return keystone_remove_credential(&call->simulator->keystone, call->id);
}

static const char *revoke_keystone_tokens(struct call *call)
{
    keystone_revoke_tokens(&call->simulator->keystone, json_string(call->body, "user"));
    return NULL;
}

/* Somebody shares an image with a project, which accepts that or not. */
static const char *put_member(struct call *call)
{
    const char *image = json_string(call->body, "image"), *project = json_string(call->body, "member");
    const char *status = json_string(call->body, "status");
    cJSON *members = call->simulator->members;

    if (image == NULL || project == NULL || status == NULL || cJSON_GetArraySize(call->body) != 3) {
        return "a member has image, member (a project's id) and status";
    }
    if (json_member(members, image) == NULL) {
        cJSON_AddObjectToObject(members, image);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(json_member(members, image), project);
    cJSON_AddStringToObject(json_member(members, image), project, status);
    return NULL;
}

/* The request that the body tells of, which borrows from it. */
static struct request *told_request(const cJSON *body)
{
    const char *content = json_string(body, "body");
    struct request *request = request_new(json_string(body, "target"));
    const cJSON *header;

    request->method = xstrdup(json_string(body, "method"));
    cJSON_ArrayForEach(header, json_member(body, "headers"))
    {
        if (request->header_count < REQUEST_HEADERS && cJSON_IsString(header)) {
            request->headers[request->header_count++] = (struct pair){header->string, header->valuestring};
        }
    }
    if (content != NULL) {
        text_adds(&request->body, content);
    }
    return request;
}

static const char *show_signature(struct call *call)
{
    static const char *const needed[] = {"target", "method", "signedHeaders", "secret"};
    struct sdk_signature signature = {0};

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (json_string(call->body, needed[i]) == NULL) {
            return "a request to sign has target, method, signedHeaders and secret";
        }
    }
    struct request *request = told_request(call->body);
    sdk_sign(request, json_string(call->body, "signedHeaders"), json_string(call->body, "secret"), &signature);
    cJSON_AddStringToObject(call->answer, "canonicalRequest", signature.canonical.bytes);
    cJSON_AddStringToObject(call->answer, "stringToSign", signature.string_to_sign);
    cJSON_AddStringToObject(call->answer, "signature", signature.hex);
    sdk_signature_free(&signature);
    request_free(request);
    return NULL;
}

static const struct control_route {
    const char *method;
    const char *path; /* "@" stands for a collection of the APIs, or any when an id follows; "*" for one part */
    control_fn *handle;
} routes[] = {
    {"POST", "/compartments", put_compartment},
    {"POST", "/compartments/*/hide", hide_compartment},
    {"POST", "/compartments/*/show", show_compartment},
    {"POST", "/generate", fill_store},
    {"POST", "/config", configure},
    {"GET", "/clock", get_clock},
    {"POST", "/clock", set_clock},
    {"POST", "/faulty", add_faulty},
    {"DELETE", "/faulty", clear_faulty},
    {"POST", "/revoke", revoke_right},
    {"POST", "/grant", grant_right},
    {"POST", "/faults", add_faults},
    {"GET", "/faults", get_faults},
    {"DELETE", "/faults", clear_faults},
    {"GET", "/statistics", get_statistics},
    {"POST", "/iam/users", put_user},
    {"POST", "/iam/keys", put_key},
    {"DELETE", "/iam/keys/*", remove_key},
    {"POST", "/iam/revoke", revoke_tokens},
    {"POST", "/keystone/users", put_keystone_user},
    {"DELETE", "/keystone/users/*", remove_keystone_user},
    {"POST", "/keystone/projects", put_keystone_project},
    {"DELETE", "/keystone/projects/*", remove_keystone_project},
    {"POST", "/keystone/credentials", put_credential},
    {"DELETE", "/keystone/credentials/*", remove_credential},
    {"POST", "/keystone/revoke", revoke_keystone_tokens},
    {"POST", "/glance/members", put_member},
    {"POST", "/signature", show_signature},
    {"POST", "/reset", NULL}, /* takes the lock itself */
    {"POST", "/@", put_resources},
    {"GET", "/@", get_resources},
    {"GET", "/@/*", get_resource},
    {"POST", "/@/*/change", change_resource},
    {"POST", "/@/*/strip", strip_resource},
    {"POST", "/@/*/delete", delete_resource},
    {"POST", "/@/*/purge", purge_resource},
    {"POST", "/@/*/hide", hide_resource},
    {"POST", "/@/*/show", show_resource},
};

static bool path_matches(const char *pattern, const char *path, const struct kind **kind, char **id)
{
    for (; *pattern != '\0'; pattern++) {
        size_t length = strcspn(path, "/");
        bool any =
            *pattern == '@' && pattern[1] == '/' && length == strlen(any_kind) && strncmp(path, any_kind, length) == 0;
        if (*pattern == '@') {
            *kind = kind_of_collection(path, length);
        } else if (*pattern == '*') {
            free(*id);
            *id = xstrndup(path, length);
        } else {
            length = 1;
        }
        bool same = *pattern == '@' ? any || *kind != NULL : *pattern == '*' ? length > 0 : *pattern == *path;
        if (!same) {
            return false;
        }
        path += length;
    }
    return *path == '\0';
}

static const struct control_route *find_route(const char *method, const char *path, const struct kind **kind, char **id)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(routes[i].method, method) == 0 && path_matches(routes[i].path, path, kind, id)) {
            return &routes[i];
        }
    }
    return NULL;
}

static const char *dispatch(struct call *call, const struct control_route *route)
{
    if (route->handle == NULL) {
        simulator_reset(call->simulator);
        return NULL;
    }
    pthread_mutex_lock(&call->simulator->lock);
    lifecycle_run(call->simulator);
    if (call->kind == NULL && call->id != NULL) {
        const struct resource *resource = store_find(&call->simulator->store, call->id);
        call->kind = resource == NULL ? NULL : resource->kind;
    }
    const char *why = route->handle(call);
    pthread_mutex_unlock(&call->simulator->lock);
    return why;
}

/* Returns the HTTP status. */
static unsigned handle(struct simulator *simulator, const char *method, const char *path, const struct text *sent,
                       struct text *answer)
{
    char *id = NULL;
    const struct kind *kind = NULL;
    const char *why = "no such control call";
    const struct control_route *route = find_route(method, path, &kind, &id);
    cJSON *body = sent->length == 0 ? NULL : json_parse(sent->bytes, sent->length, &why);
    struct call call = {
        .simulator = simulator,
        .kind = kind,
        .id = id,
        .body = body,
        .answer = cJSON_CreateObject(),
    };
    unsigned status = route == NULL ? 404 : 400;

    if (route != NULL && (sent->length == 0 || body != NULL)) {
        why = dispatch(&call, route);
        status = why == NULL ? 200 : why == no_such_resource ? 404 : 400;
    }
    if (status != 200) {
        cJSON_AddStringToObject(call.answer, "error", why);
    }
    if (call.text.length > 0) {
        *answer = call.text;
    } else {
        char *text = json_print(call.answer);
        text_adds(answer, text);
        free(text);
    }
    cJSON_Delete(call.answer);
    cJSON_Delete(body);
    free(id);
    return status;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **context)
{
    struct text *body = *context;

    (void)version;
    if (body == NULL) {
        *context = xcalloc(1, sizeof(*body));
        return MHD_YES;
    }
    if (*size > 0) {
        text_add(body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    struct text answer = {0};
    unsigned status = handle(cls, method, url, body, &answer);
    struct MHD_Response *response = MHD_create_response_from_buffer(answer.length, answer.bytes, MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct text *body = *context;

    (void)cls, (void)connection, (void)code;
    if (body != NULL) {
        text_free(body);
        free(body);
        *context = NULL;
    }
}

struct MHD_Daemon *control_start(struct simulator *simulator)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL, on_request,
                            simulator, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                            MHD_OPTION_END);
}
