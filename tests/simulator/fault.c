/* Scripted faults: rules set by control that make the service misbehave for chosen requests. */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "service.h"
#include "sim.h"

/* Returns true when the request must not be carried out. */
typedef bool before_fn(const cJSON *rule, struct simulator *simulator, const struct request *request,
                       struct reply *reply);
typedef void after_fn(const cJSON *rule, struct simulator *simulator, const struct request *request,
                      struct reply *reply);

static before_fn skip, answer_status, answer_redirect, answer_void_token, answer_broken_page, change_now;
static after_fn then_status, break_json, other_json, drop_etag, change_then, answer_other;

struct fault_kind {
    const char *name;
    const char *parameters; /* beyond the common ones, with a space after each; "!" marks a required one */
    before_fn *before;
    after_fn *after;
    enum transport transport;
    bool later_pages; /* only lists, and only from the second page on; always unless told otherwise */
};

static const struct fault_kind kinds[] = {
    {"status", "!status code message headers body ", answer_status, NULL, SEND_NORMAL, false},
    {"delay", "!ms ", NULL, NULL, SEND_NORMAL, false},
    {"close-before", "", skip, NULL, SEND_NOTHING, false},
    {"process-then-close", "", NULL, NULL, SEND_NOTHING, false},
    {"process-then-hang", "", NULL, NULL, SEND_NEVER, false},
    {"process-then-reset", "", NULL, NULL, SEND_RESET, false},
    {"process-then-status", "!status code message headers body ", NULL, then_status, SEND_NORMAL, false},
    {"truncate", "", NULL, NULL, SEND_TRUNCATED, false},
    {"truncate-quietly", "", NULL, NULL, SEND_TRUNCATED_QUIETLY, false},
    {"drip", "!bytesPerSecond ", NULL, NULL, SEND_SLOWLY, false},
    {"invalid-json", "body ", NULL, break_json, SEND_NORMAL, false},
    {"wrong-json", "body ", NULL, other_json, SEND_NORMAL, false},
    {"oversized", "bytes ", NULL, NULL, SEND_OVERSIZED, false},
    {"huge-headers", "bytes ", NULL, NULL, SEND_HUGE_HEADERS, false},
    {"redirect", "!location status ", answer_redirect, NULL, SEND_NORMAL, false},
    {"no-etag", "", NULL, drop_etag, SEND_NORMAL, false},
    {"change-before", "!change image resource strip ", change_now, NULL, SEND_NORMAL, false},
    {"change-after", "!change image resource strip ", NULL, change_then, SEND_NORMAL, false},
    {"echo-other", "!set persist ", NULL, answer_other, SEND_NORMAL, false},
    {"token-invalid", "", answer_void_token, NULL, SEND_NORMAL, false},
    {"hang", "", skip, NULL, SEND_NEVER, false},
    {"break-page", "", answer_broken_page, NULL, SEND_NORMAL, true},
    {"shuffle-page", "set ", NULL, NULL, SEND_NORMAL, true},
    {"reset", "", skip, NULL, SEND_RESET, false},
};

static const char common_parameters[] = "operation method path target times skip fault ms ";

struct fault_rule {
    const struct fault_kind *kind;
    cJSON *json;
    const char *operation; /* NULL for any */
    const char *method;    /* NULL for any */
    const char *path;      /* NULL for any; ends with "*" when it is the beginning of a path */
    const char *target;    /* NULL for any */
    long left;             /* -1 for ever */
    long skip;
    unsigned long fired;
};

static bool listed(const char *list, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = list; *at != '\0'; at += strcspn(at, " ") + 1) {
        const char *word = *at == '!' ? at + 1 : at;
        if (strncmp(word, name, length) == 0 && word[length] == ' ') {
            return true;
        }
    }
    return false;
}

static const struct fault_kind *find_kind(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

static char *check_types(const cJSON *rule)
{
    static const char *const objects[] = {"change", "set", "headers"};
    static const char *const numbers[] = {"times", "skip", "ms", "status", "bytes", "bytesPerSecond"};

    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        const cJSON *member = json_member(rule, objects[i]);
        if (member != NULL && !cJSON_IsObject(member)) {
            return xprintf("'%s' is not an object", objects[i]);
        }
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const cJSON *member = json_member(rule, numbers[i]);
        if (member != NULL && !cJSON_IsNumber(member)) {
            return xprintf("'%s' is not a number", numbers[i]);
        }
    }
    if (json_member(rule, "strip") != NULL && !cJSON_IsArray(json_member(rule, "strip"))) {
        return xstrdup("'strip' is not an array");
    }
    return NULL;
}

static char *check_parameters(const struct fault_kind *kind, const cJSON *rule)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, rule)
    {
        if (!listed(common_parameters, member->string) && !listed(kind->parameters, member->string)) {
            return xprintf("the fault %s has no parameter '%s'", kind->name, member->string);
        }
    }
    for (const char *at = kind->parameters; *at != '\0'; at += strcspn(at, " ") + 1) {
        char *name = xstrndup(at + 1, strcspn(at, " ") - 1);
        bool missing = *at == '!' && json_member(rule, name) == NULL;
        free(name);
        if (missing) {
            return xprintf("the fault %s needs the parameter '%.*s'", kind->name, (int)strcspn(at, " ") - 1, at + 1);
        }
    }
    return NULL;
}

char *faults_add(struct faults *faults, const cJSON *json)
{
    const struct fault_kind *kind = find_kind(json_string(json, "fault"));
    const char *operation = json_string(json, "operation");

    if (!cJSON_IsObject(json) || kind == NULL) {
        return xstrdup("a fault rule is an object with a known \"fault\"");
    }
    if (operation != NULL && !service_is_operation(operation)) {
        return xprintf("unknown operation '%s'", operation);
    }
    char *why = check_parameters(kind, json);
    why = why != NULL ? why : check_types(json);
    if (why != NULL) {
        return why;
    }
    faults->rules = xrealloc(faults->rules, faults->count + 1, sizeof(*faults->rules));
    struct fault_rule *rule = &faults->rules[faults->count++];
    *rule = (struct fault_rule){.kind = kind, .json = cJSON_Duplicate(json, true)};
    rule->operation = json_string(rule->json, "operation");
    rule->operation = rule->operation == NULL || strcmp(rule->operation, "*") == 0 ? NULL : rule->operation;
    rule->method = json_string(rule->json, "method");
    rule->path = json_string(rule->json, "path");
    rule->target = json_string(rule->json, "target");
    rule->left = (long)json_number(json, "times", kind->later_pages ? -1 : 1);
    rule->skip = (long)json_number(json, "skip", 0);
    return NULL;
}

void faults_clear(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        cJSON_Delete(faults->rules[i].json);
    }
    free(faults->rules);
    *faults = (struct faults){0};
}

cJSON *faults_list(const struct faults *faults)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < faults->count; i++) {
        const struct fault_rule *rule = &faults->rules[i];
        cJSON *item = cJSON_Duplicate(rule->json, true);
        cJSON_AddNumberToObject(item, "left", (double)rule->left);
        cJSON_AddNumberToObject(item, "skipLeft", (double)rule->skip);
        cJSON_AddNumberToObject(item, "fired", (double)rule->fired);
        cJSON_AddItemToArray(list, item);
    }
    return list;
}

static bool path_matches(const char *pattern, const char *path)
{
    size_t length = strcspn(pattern, "*");

    return strncmp(pattern, path, length) == 0 && (pattern[length] == '*' || path[length] == '\0');
}

static bool matches(const struct fault_rule *rule, const struct request *request)
{
    const char *target = request->service->target(request);

    if (rule->operation != NULL &&
        (request->route == NULL || strcmp(rule->operation, request->route->operation) != 0)) {
        return false;
    }
    if ((rule->method != NULL && strcmp(rule->method, request->method) != 0) ||
        (rule->path != NULL && !path_matches(rule->path, request->path))) {
        return false;
    }
    if (rule->target != NULL && (target == NULL || strcmp(rule->target, target) != 0)) {
        return false;
    }
    return !rule->kind->later_pages || request_parameter(request, request->service->page_parameter) != NULL;
}

void faults_pick(struct faults *faults, const struct request *request, struct fired *fired)
{
    for (size_t i = 0; i < faults->count; i++) {
        struct fault_rule *rule = &faults->rules[i];
        if (rule->left == 0 || !matches(rule, request)) {
            continue;
        }
        if (rule->skip > 0) {
            rule->skip--;
            continue;
        }
        rule->left -= rule->left > 0;
        rule->fired++;
        *fired = (struct fired){.kind = rule->kind, .rule = cJSON_Duplicate(rule->json, true)};
        return;
    }
}

const char *fault_name(const struct fired *fired)
{
    return fired->kind == NULL ? NULL : fired->kind->name;
}

enum transport fault_transport(const struct fired *fired)
{
    return fired->kind == NULL ? SEND_NORMAL : fired->kind->transport;
}

long fault_delay_ms(const struct fired *fired)
{
    return (long)json_number(fired->rule, "ms", 0);
}

const cJSON *fault_shuffle(const struct fired *fired)
{
    return fired->kind != NULL && strcmp(fired->kind->name, "shuffle-page") == 0 ? fired->rule : NULL;
}

void fault_add_shuffled(const cJSON *rule, const struct view *last, struct text *body)
{
    cJSON *json = cJSON_Parse(last->json);
    const cJSON *set = json_member(rule, "set");

    if (set != NULL) {
        json_merge(json, set);
    } else {
        char *name = xprintf("%s-shuffled", last->name);
        cJSON_ReplaceItemInObjectCaseSensitive(json, "name", cJSON_CreateString(name));
        free(name);
    }
    char *text = json_print(json);
    text_adds(body, text);
    free(text);
    cJSON_Delete(json);
}

bool fault_before(const struct fired *fired, struct simulator *simulator, const struct request *request,
                  struct reply *reply)
{
    return fired->kind != NULL && fired->kind->before != NULL &&
           fired->kind->before(fired->rule, simulator, request, reply);
}

void fault_after(const struct fired *fired, struct simulator *simulator, const struct request *request,
                 struct reply *reply)
{
    if (fired->kind != NULL && fired->kind->after != NULL) {
        fired->kind->after(fired->rule, simulator, request, reply);
    }
}

void fault_done(struct fired *fired)
{
    cJSON_Delete(fired->rule);
    *fired = (struct fired){0};
}

static bool skip(const cJSON *rule, struct simulator *simulator, const struct request *request, struct reply *reply)
{
    (void)rule, (void)simulator, (void)request, (void)reply;
    return true;
}

static void replace_body(struct reply *reply, const char *body)
{
    text_free(&reply->body);
    text_adds(&reply->body, body);
}

static bool answer_status(const cJSON *rule, struct simulator *simulator, const struct request *request,
                          struct reply *reply)
{
    int status = (int)json_number(rule, "status", 500);
    const char *code = json_string(rule, "code"), *message = json_string(rule, "message");
    const char *body = json_string(rule, "body");
    const cJSON *header;

    (void)simulator;
    request->service->refuse(request, reply, status, code, message != NULL ? message : "A scripted fault");
    if (body != NULL) {
        replace_body(reply, body);
        reply_drop_header(reply, "Content-Type");
    }
    if (body != NULL && body[0] == '<' && cJSON_GetObjectItem(json_member(rule, "headers"), "content-type") == NULL) {
        reply_add_header(reply, "Content-Type", "text/html");
    }
    cJSON_ArrayForEach(header, json_member(rule, "headers"))
    {
        if (cJSON_IsString(header)) {
            reply_add_header(reply, header->string, header->valuestring);
        }
    }
    return true;
}

/* The request has been carried out, yet it is told an error. */
static void then_status(const cJSON *rule, struct simulator *simulator, const struct request *request,
                        struct reply *reply)
{
    answer_status(rule, simulator, request, reply);
}

static bool answer_redirect(const cJSON *rule, struct simulator *simulator, const struct request *request,
                            struct reply *reply)
{
    const char *location = json_string(rule, "location");

    (void)simulator;
    request->service->refuse(request, reply, (int)json_number(rule, "status", 307), "TemporaryRedirect",
                             "The resource is elsewhere");
    reply_add_header(reply, "Location", location == NULL ? "/" : location);
    return true;
}

static bool answer_void_token(const cJSON *rule, struct simulator *simulator, const struct request *request,
                              struct reply *reply)
{
    const char *token = request_header(request, "opc-retry-token", NULL);

    (void)rule;
    if (token != NULL) {
        token_void(&simulator->tokens, token, request->target, &request->body);
    }
    reply_error(reply, "InvalidatedRetryToken", "The opc-retry-token was used before and is no longer valid");
    return true;
}

static bool answer_broken_page(const cJSON *rule, struct simulator *simulator, const struct request *request,
                               struct reply *reply)
{
    (void)rule, (void)simulator;
    request->service->refuse(request, reply, 500, NULL, "A scripted fault on a later page");
    return true;
}

/* Somebody else's change, and removal of attributes. */
static void change_target(const cJSON *rule, struct simulator *simulator, const struct request *request)
{
    const char *image = json_string(rule, "image"), *named = json_string(rule, "resource");
    const char *id = image != NULL ? image : named != NULL ? named : request->service->target(request);
    const cJSON *change = json_member(rule, "change");
    struct resource *resource = id == NULL ? NULL : store_find(&simulator->store, id);

    if (resource != NULL && kind_check_partial(change) == NULL) {
        store_change(&simulator->store, &simulator->tags, resource, change, clock_now());
    }
    if (resource != NULL && json_member(rule, "strip") != NULL) {
        store_strip(&simulator->store, &simulator->tags, resource, json_member(rule, "strip"), clock_now());
    }
}

static bool change_now(const cJSON *rule, struct simulator *simulator, const struct request *request,
                       struct reply *reply)
{
    (void)reply;
    change_target(rule, simulator, request);
    return false;
}

static void change_then(const cJSON *rule, struct simulator *simulator, const struct request *request,
                        struct reply *reply)
{
    (void)reply;
    change_target(rule, simulator, request);
}

static void break_json(const cJSON *rule, struct simulator *simulator, const struct request *request,
                       struct reply *reply)
{
    const char *body = json_string(rule, "body");

    (void)simulator, (void)request;
    replace_body(reply, body != NULL ? body : "{\"id\":\"ocid1.image\",,\"displayName\":}");
}

static void other_json(const cJSON *rule, struct simulator *simulator, const struct request *request,
                       struct reply *reply)
{
    const cJSON *body = json_member(rule, "body");
    char *text = body == NULL ? xstrdup("[1,2]") : cJSON_IsString(body) ? xstrdup(body->valuestring) : json_print(body);

    (void)simulator, (void)request;
    replace_body(reply, text);
    free(text);
}

static void drop_etag(const cJSON *rule, struct simulator *simulator, const struct request *request,
                      struct reply *reply)
{
    (void)rule, (void)simulator, (void)request;
    free(reply->etag);
    reply->etag = NULL;
}

/* The stored resource gets other values, or only the answer has them; lists answer so for each item. */
static void answer_other(const cJSON *rule, struct simulator *simulator, const struct request *request,
                         struct reply *reply)
{
    const cJSON *set = json_member(rule, "set");
    const char *id = request->id != NULL ? request->id : reply->resource;
    struct resource *resource = id == NULL ? NULL : store_find(&simulator->store, id);
    cJSON *body = reply->body.bytes == NULL || reply->code != NULL ? NULL : cJSON_Parse(reply->body.bytes);

    if (body == NULL) {
        return;
    }
    const cJSON *list = cJSON_IsArray(body) ? body : request->id == NULL ? json_member(body, "images") : NULL;
    if (list == NULL) {
        json_merge(body, set);
    }
    for (cJSON *item = list != NULL ? list->child : NULL; item != NULL; item = item->next) {
        json_merge(item, set);
    }
    char *text = json_print(body);
    replace_body(reply, text);
    free(text);
    cJSON_Delete(body);
    if (resource != NULL && cJSON_IsTrue(json_member(rule, "persist")) && kind_check_partial(set) == NULL) {
        store_change(&simulator->store, &simulator->tags, resource, set, clock_now());
        free(reply->etag);
        reply->etag = xstrdup(resource->etag);
    }
}
