/* Huawei Cloud: the image service IMS, the identity service IAM and the gateway in front of both. */
#include "huawei.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "iam.h"
#include "json.h"
#include "sim.h"

static operation_fn show_image;

static const struct route routes[] = {
    {"ListCloudImages", "GET", KIND_CLOUD_IMAGE, TAKES_QUERY, list_cloud_images},
    {"UpdateCloudImage", "PATCH", KIND_CLOUD_IMAGE, TAKES_ID | TAKES_BODY, update_cloud_image},
    {"ShowImage", "GET", KIND_CLOUD_IMAGE, TAKES_ID, show_image},
    {"CreateToken", "POST", KIND_CLOUD_IMAGE, TAKES_QUERY | TAKES_BODY | TAKES_OPEN, create_token},
    {"ListProjects", "GET", KIND_CLOUD_IMAGE, TAKES_QUERY, list_projects},
    {NULL, NULL, 0, 0, NULL},
};

/* Of the routes above; one with an id goes on with it. */
static const char *const paths[] = {
    "/v2/cloudimages", "/v2/cloudimages/", "/v2/images/", "/v3/auth/tokens", "/v3/projects",
};

/* ---- errors ---- */

/* What a status is told with when nothing better is known. */
static const struct {
    int status;
    const char *code, *title;
} usual[] = {
    {400, "IMG.0001", "Bad Request"},
    {401, "APIGW.0301", "Unauthorized"},
    {403, "IMG.0026", "Forbidden"},
    {404, "IMG.0027", "Not Found"},
    {405, "APIGW.0101", "Method Not Allowed"},
    {413, "APIGW.0201", "Request Entity Too Large"},
    {429, "APIGW.0308", "Too Many Requests"},
    {500, "IMG.0061", "Internal Server Error"},
};

/* Of a status that is not in the table, the last row. */
static size_t usual_at(int status)
{
    size_t at = 0;

    while (at < sizeof(usual) / sizeof(usual[0]) - 1 && usual[at].status != status) {
        at++;
    }
    return at;
}

static cJSON *ims_body(const char *code, const char *message)
{
    cJSON *body = cJSON_CreateObject(), *error = cJSON_AddObjectToObject(body, "error");

    cJSON_AddStringToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", message);
    return body;
}

static cJSON *gateway_body(const char *code, const char *message, const char *request_id)
{
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "error_msg", message);
    cJSON_AddStringToObject(body, "error_code", code);
    cJSON_AddStringToObject(body, "request_id", request_id);
    return body;
}

/* As Keystone does it: the code is a number. */
static cJSON *iam_body(int status, const char *title, const char *message)
{
    cJSON *body = cJSON_CreateObject(), *error = cJSON_AddObjectToObject(body, "error");

    cJSON_AddNumberToObject(error, "code", status);
    cJSON_AddStringToObject(error, "message", message);
    cJSON_AddStringToObject(error, "title", title);
    return body;
}

static cJSON *other_body(const char *code, const char *message)
{
    cJSON *body = cJSON_CreateObject();

    cJSON_AddStringToObject(body, "code", code);
    cJSON_AddStringToObject(body, "message", message);
    return body;
}

static void refuse(const struct request *request, struct reply *reply, int status, const char *code,
                   const char *message)
{
    const size_t row = usual_at(status);
    bool iam = code == NULL && strncmp(request->path, "/v3/", 4) == 0 && status != 429;
    cJSON *body;

    code = code != NULL ? code : iam ? usual[row].title : usual[row].code;
    if (iam) {
        body = iam_body(status, code, message);
    } else if (strncmp(code, "APIG", 4) == 0) {
        body = gateway_body(code, message, request->request_id);
    } else if (strncmp(code, "IMG.", 4) == 0) {
        body = ims_body(code, message);
    } else {
        body = other_body(code, message);
    }
    reply_status(reply, status, code, message);
    text_free(&reply->body);
    char *text = json_print(body);
    text_adds(&reply->body, text);
    free(text);
    cJSON_Delete(body);
}

void huawei_error(const struct request *request, struct reply *reply, int status, const char *code, const char *format,
                  ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *message = xvprintf(format, arguments);
    va_end(arguments);
    refuse(request, reply, status, code, message);
    free(message);
}

void ims_error(const struct request *request, struct reply *reply, const char *code, const char *format, ...)
{
    int status = strcmp(code, "IMG.0026") == 0 ? 403 : 400; /* all others are 400, whatever they say */
    va_list arguments;

    va_start(arguments, format);
    char *message = xvprintf(format, arguments);
    va_end(arguments);
    refuse(request, reply, status, code, message);
    free(message);
}

void huawei_answer(struct reply *reply, int status, const cJSON *body)
{
    char *text = json_print(body);

    reply->status = status;
    text_adds(&reply->body, text);
    free(text);
}

bool huawei_is_json(const struct request *request)
{
    static const char type[] = "application/json";
    size_t count;
    const char *given = request_header(request, "Content-Type", &count);

    if (count != 1 || strncasecmp(given, type, strlen(type)) != 0) {
        return false;
    }
    given += strlen(type);
    given += strspn(given, " ");
    if (*given == '\0') {
        return true;
    }
    given += *given == ';';
    given += strspn(given, " ");
    return strcasecmp(given, "charset=utf-8") == 0 || strcasecmp(given, "charset=utf8") == 0;
}

/* ---- the service ---- */

static bool claims(const char *path)
{
    return strncmp(path, "/v2/", 4) == 0 || strncmp(path, "/v3/", 4) == 0;
}

static void route_request(struct request *request)
{
    service_route(request, routes, paths);
}

/* The image, or the owner that a list asks for. */
static const char *target_of(const struct request *request)
{
    const char *id = request->id != NULL ? request->id : request_parameter(request, "id");

    return id != NULL ? id : request_parameter(request, "owner");
}

/* What the gateway refuses before it asks who calls. */
static bool check_request(const struct request *request, struct reply *reply)
{
    if (request->too_many_headers) {
        huawei_error(request, reply, 413, "APIGW.0201", "Too many headers");
    } else if (!request->known_path) {
        huawei_error(request, reply, 404, "APIGW.0101", "The API does not exist: %s", request->path);
    } else if (request->route == NULL) {
        huawei_error(request, reply, 405, "APIGW.0101", "The API has no method %s", request->method);
    } else if (request->bad_query) {
        huawei_error(request, reply, 400, "APIGW.0201", "The request target is malformed");
    } else {
        return true;
    }
    return false;
}

static bool authenticate(struct simulator *simulator, struct request *request, bool any_host, struct reply *reply)
{
    const char *code = "APIGW.0301";

    if (!check_request(request, reply)) {
        return false;
    }
    if ((request->route->takes & TAKES_OPEN) != 0) {
        return true;
    }
    pthread_mutex_lock(&simulator->lock);
    char *why = huawei_check_authentic(simulator, request, any_host, &code);
    pthread_mutex_unlock(&simulator->lock);
    if (why != NULL) {
        huawei_error(request, reply, 401, code, "Incorrect IAM authentication information: %s", why);
        free(why);
        return false;
    }
    return true;
}

static void process(struct simulator *simulator, const struct request *request, const struct fired *fired,
                    struct reply *reply)
{
    unsigned takes = request->route->takes;

    if ((takes & TAKES_QUERY) == 0 && request->query != NULL) {
        ims_error(request, reply, "IMG.0001", "This API has no query parameters");
    } else if ((takes & TAKES_BODY) == 0 && request->body.length > 0) {
        ims_error(request, reply, "IMG.0001", "This API has no body");
    } else if ((takes & TAKES_ID) != 0 && request->id == NULL) {
        ims_error(request, reply, "IMG.0027", "The image id is malformed");
    } else {
        request->route->carry_out(simulator, request, fired, reply);
    }
}

/* ---- images ---- */

bool ims_sees(const struct view *view, const char *project)
{
    bool own = view->compartment != NULL && strcmp(view->compartment, project) == 0;

    return own || (view->filters[0] != NULL && strcmp(view->filters[0], "private") != 0);
}

bool ims_allowed(const struct simulator *simulator, const struct request *request, struct reply *reply)
{
    bool allowed = permits_allow(&simulator->permits, request->route->operation, request->project);

    if (!allowed) {
        ims_error(request, reply, "IMG.0026", "You do not have the rights to perform the operation");
    }
    return allowed;
}

struct resource *ims_find(const struct simulator *simulator, const struct request *request, struct reply *reply)
{
    const struct kind *kind = kind_at(KIND_CLOUD_IMAGE);
    struct resource *image = store_visible(&simulator->store, kind, request->id);

    if (image == NULL || strcmp(image->now.state, kind->dead) == 0 || !ims_sees(&image->now, request->project)) {
        huawei_error(request, reply, (int)simulator->config.absent_status, "IMG.0027", "The image %s does not exist",
                     request->id);
        return NULL;
    }
    return image;
}

void ims_answer(const struct resource *image, struct reply *reply)
{
    reply->status = 200;
    text_add(&reply->body, image->now.json, image->now.json_length);
}

/* The OpenStack-compatible read, in which absent images are always 404. */
static void show_image(struct simulator *simulator, const struct request *request, const struct fired *fired,
                       struct reply *reply)
{
    (void)fired;
    if (!ims_allowed(simulator, request, reply)) {
        return;
    }
    const struct resource *image = ims_find(simulator, request, reply);
    if (image == NULL) {
        huawei_error(request, reply, 404, "IMG.0027", "The image %s does not exist", request->id);
        return;
    }
    ims_answer(image, reply);
}

const struct service huawei_service = {
    .request_id_header = "X-Request-Id",
    .page_parameter = "marker",
    .routes = routes,
    .claims = claims,
    .route = route_request,
    .target = target_of,
    .authenticate = authenticate,
    .process = process,
    .refuse = refuse,
};
