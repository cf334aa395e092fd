/* The control API: what a test uses to fill the store, to set faults and to look inside. */
#include "control.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "image.h"
#include "json.h"

#define GENERATE_MAX 1000000

struct call {
    struct simulator *simulator;
    const char *id;    /* the part of the path that stood for "*" */
    const cJSON *body; /* NULL when there was none */
    cJSON *answer;     /* an object to be filled, or replaced */
};

/* NULL when all went well, else why not (static text, or kept in the answer). Called under the lock. */
typedef const char *control_fn(struct call *call);

static const char no_such_image[] = "no such image";

static const char *put_one(struct simulator *simulator, const cJSON *image)
{
    const char *why = image_check_partial(image);

    if (why == NULL && json_string(image, "id") == NULL) {
        why = "an image needs an id";
    }
    if (why == NULL) {
        store_put(&simulator->store, &simulator->tags, image);
    }
    return why;
}

static const char *put_images(struct call *call)
{
    const cJSON *image;
    const char *why = NULL;

    if (!cJSON_IsArray(call->body)) {
        return put_one(call->simulator, call->body);
    }
    cJSON_ArrayForEach(image, call->body)
    {
        why = why != NULL ? why : put_one(call->simulator, image);
    }
    return why;
}

static void describe(const struct image *image, cJSON *answer)
{
    cJSON_AddItemToObject(answer, "image", cJSON_CreateRaw(image->json));
    cJSON_AddStringToObject(answer, "etag", image->etag);
    cJSON_AddNumberToObject(answer, "version", (double)image->version);
    cJSON_AddNumberToObject(answer, "updates", (double)image->updates);
    cJSON_AddBoolToObject(answer, "hidden", image->hidden);
    cJSON_AddBoolToObject(answer, "unreadable", image->unreadable);
}

static const char *get_images(struct call *call)
{
    cJSON *list = cJSON_AddArrayToObject(call->answer, "images");

    for (size_t i = 0; i < call->simulator->store.count; i++) {
        cJSON *item = cJSON_CreateObject();
        describe(call->simulator->store.all[i], item);
        cJSON_AddItemToArray(list, item);
    }
    return NULL;
}

static const char *get_image(struct call *call)
{
    const struct image *image = store_find(&call->simulator->store, call->id);

    if (image == NULL) {
        return no_such_image;
    }
    describe(image, call->answer);
    return NULL;
}

static const char *change_image(struct call *call)
{
    struct image *image = store_find(&call->simulator->store, call->id);
    const char *why = image == NULL ? no_such_image : image_check_partial(call->body);

    if (why == NULL) {
        store_change(&call->simulator->store, &call->simulator->tags, image, call->body);
    }
    return why;
}

static const char *delete_image(struct call *call)
{
    struct image *image = store_find(&call->simulator->store, call->id);

    if (image == NULL) {
        return no_such_image;
    }
    cJSON *change = cJSON_CreateObject();
    cJSON_AddStringToObject(change, "lifecycleState", "DELETED");
    store_change(&call->simulator->store, &call->simulator->tags, image, change);
    cJSON_Delete(change);
    return NULL;
}

static const char *purge_image(struct call *call)
{
    struct image *image = store_find(&call->simulator->store, call->id);

    if (image == NULL) {
        return no_such_image;
    }
    store_purge(&call->simulator->store, image);
    return NULL;
}

/* {"listed":true}: still in lists, but not readable. */
static const char *hide_image(struct call *call)
{
    struct image *image = store_find(&call->simulator->store, call->id);
    bool listed = cJSON_IsTrue(json_member(call->body, "listed"));

    if (image == NULL) {
        return no_such_image;
    }
    image->hidden = !listed;
    image->unreadable = listed;
    return NULL;
}

static const char *show_image(struct call *call)
{
    struct image *image = store_find(&call->simulator->store, call->id);

    if (image == NULL) {
        return no_such_image;
    }
    image->hidden = image->unreadable = false;
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

static cJSON *generated_image(const cJSON *rule, unsigned long number)
{
    const char *compartment = json_string(rule, "compartmentId"), *prefix = json_string(rule, "prefix");
    char *id = xprintf("ocid1.image.oc1.phx.%s%06lu", prefix == NULL ? "aaaaaaaa" : prefix, number);
    char *name = xprintf("image-%06lu", number);
    cJSON *image = cJSON_Parse("{\"operatingSystem\":\"Oracle Linux\",\"operatingSystemVersion\":\"9\","
                               "\"freeformTags\":{\"team\":\"base\",\"tier\":\"golden\"},"
                               "\"definedTags\":{\"Oracle-Tags\":{\"CreatedBy\":\"someone\","
                               "\"CreatedOn\":\"2026-01-01T00:00:00.000Z\"}}}");

    cJSON_AddStringToObject(image, "id", id);
    cJSON_AddStringToObject(image, "displayName", name);
    cJSON_AddItemToObject(image, "compartmentId",
                          compartment == NULL ? cJSON_CreateNull() : cJSON_CreateString(compartment));
    json_merge(image, json_member(rule, "image"));
    free(id);
    free(name);
    return image;
}

const char *control_generate(struct simulator *simulator, const cJSON *rule)
{
    double count = json_number(rule, "count", -1);

    if (count < 0 || count > GENERATE_MAX) {
        return "count is missing or out of range";
    }
    if (json_string(rule, "compartmentId") != NULL) {
        store_compartment(&simulator->store, json_string(rule, "compartmentId"));
    }
    for (unsigned long number = 1; number <= (unsigned long)count; number++) {
        cJSON *image = generated_image(rule, number);
        const char *why = put_one(simulator, image);
        cJSON_Delete(image);
        if (why != NULL) {
            return why;
        }
    }
    return NULL;
}

static const char *generate(struct call *call)
{
    return control_generate(call->simulator, call->body);
}

static const char *set_max_limit(struct simulator *simulator, const cJSON *value)
{
    if (!cJSON_IsNumber(value) || value->valuedouble < 1) {
        return "maxLimit is a number from 1";
    }
    simulator->config.max_limit = (unsigned long)value->valuedouble;
    return NULL;
}

static const char *set_empty_pages(struct simulator *simulator, const cJSON *value)
{
    double count = cJSON_IsNumber(value) ? value->valuedouble : cJSON_IsTrue(value);

    if (count < 0) {
        return "emptyPages is a number from 0, or a boolean";
    }
    simulator->config.empty_pages = (unsigned long)count;
    return NULL;
}

static const char *set_clock_skew(struct simulator *simulator, const cJSON *value)
{
    (void)simulator;
    if (!cJSON_IsNumber(value)) {
        return "clockSkewSeconds is a number";
    }
    clock_shift((long)value->valuedouble);
    return NULL;
}

static const char *set_latency(struct simulator *simulator, const cJSON *value)
{
    if (!cJSON_IsNumber(value) || value->valuedouble < 0) {
        return "latencyMs is a number from 0";
    }
    simulator->config.latency_ms = (long)value->valuedouble;
    return NULL;
}

static const char *set_flag(bool *flag, const cJSON *value)
{
    if (!cJSON_IsBool(value)) {
        return "emptyLastPage, tokenFirst and anyHost are booleans";
    }
    *flag = cJSON_IsTrue(value);
    return NULL;
}

static const char *set_empty_last_page(struct simulator *simulator, const cJSON *value)
{
    return set_flag(&simulator->config.empty_last_page, value);
}

static const char *set_token_first(struct simulator *simulator, const cJSON *value)
{
    return set_flag(&simulator->config.token_first, value);
}

static const char *set_any_host(struct simulator *simulator, const cJSON *value)
{
    return set_flag(&simulator->config.any_host, value);
}

static const char *set_namespaces(struct simulator *simulator, const cJSON *value)
{
    return tags_set_namespaces(&simulator->tags, value) ? NULL : "namespaces is an array of names";
}

/* clang-format off: one row a line */
static const struct {
    const char *name;
    const char *(*set)(struct simulator *simulator, const cJSON *value);
} settings[] = {
    {"maxLimit", set_max_limit},          {"emptyPages", set_empty_pages}, {"emptyLastPage", set_empty_last_page},
    {"clockSkewSeconds", set_clock_skew}, {"tokenFirst", set_token_first}, {"latencyMs", set_latency},
    {"namespaces", set_namespaces},       {"anyHost", set_any_host},
};
/* clang-format on */

static const char *set_one(struct simulator *simulator, const cJSON *setting)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (strcmp(settings[i].name, setting->string) == 0) {
            return settings[i].set(simulator, setting);
        }
    }
    return "unknown setting";
}

static const char *configure(struct call *call)
{
    const cJSON *setting;
    const char *why = cJSON_IsObject(call->body) ? NULL : "the configuration is an object";

    cJSON_ArrayForEach(setting, call->body)
    {
        why = why != NULL ? why : set_one(call->simulator, setting);
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

static const struct control_route {
    const char *method;
    const char *path; /* "*" stands for one part */
    control_fn *handle;
} routes[] = {
    {"POST", "/images", put_images},
    {"GET", "/images", get_images},
    {"GET", "/images/*", get_image},
    {"POST", "/images/*/change", change_image},
    {"POST", "/images/*/delete", delete_image},
    {"POST", "/images/*/purge", purge_image},
    {"POST", "/images/*/hide", hide_image},
    {"POST", "/images/*/show", show_image},
    {"POST", "/compartments", put_compartment},
    {"POST", "/compartments/*/hide", hide_compartment},
    {"POST", "/compartments/*/show", show_compartment},
    {"POST", "/generate", generate},
    {"POST", "/config", configure},
    {"POST", "/faults", add_faults},
    {"GET", "/faults", get_faults},
    {"DELETE", "/faults", clear_faults},
    {"GET", "/statistics", get_statistics},
    {"POST", "/reset", NULL}, /* takes the lock itself */
};

static bool path_matches(const char *pattern, const char *path, char **id)
{
    const char *star = strchr(pattern, '*');
    size_t before = star == NULL ? 0 : (size_t)(star - pattern);

    if (star == NULL) {
        return strcmp(pattern, path) == 0;
    }
    if (strncmp(pattern, path, before) != 0) {
        return false;
    }
    size_t length = strcspn(path + before, "/");
    if (length == 0 || strcmp(path + before + length, star + 1) != 0) {
        return false;
    }
    *id = xstrndup(path + before, length);
    return true;
}

static const struct control_route *find_route(const char *method, const char *path, char **id)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(routes[i].method, method) == 0 && path_matches(routes[i].path, path, id)) {
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
    const char *why = route->handle(call);
    pthread_mutex_unlock(&call->simulator->lock);
    return why;
}

/* Returns the HTTP status. */
static unsigned handle(struct simulator *simulator, const char *method, const char *path, const struct text *sent,
                       struct text *answer)
{
    char *id = NULL;
    const char *why = "no such control call";
    const struct control_route *route = find_route(method, path, &id);
    cJSON *body = sent->length == 0 ? NULL : json_parse(sent->bytes, sent->length, &why);
    struct call call = {.simulator = simulator, .id = id, .body = body, .answer = cJSON_CreateObject()};
    unsigned status = route == NULL ? 404 : 400;

    if (route != NULL && (sent->length == 0 || body != NULL)) {
        why = dispatch(&call, route);
        status = why == NULL ? 200 : why == no_such_image ? 404 : 400;
    }
    if (status != 200) {
        cJSON_AddStringToObject(call.answer, "error", why);
    }
    char *text = json_print(call.answer);
    text_adds(answer, text);
    free(text);
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
