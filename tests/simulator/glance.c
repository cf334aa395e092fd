/* OpenStack's image service Glance under /image, behind the middleware that checks Keystone's tokens. */
#include "glance.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "keystone.h"
#include "sim.h"

static operation_fn show_glance_image, show_versions;

static const struct route routes[] = {
    {"ListGlanceImages", "GET", KIND_GLANCE_IMAGE, TAKES_QUERY, list_glance_images},
    {"ShowGlanceImage", "GET", KIND_GLANCE_IMAGE, TAKES_ID, show_glance_image},
    {"UpdateGlanceImage", "PATCH", KIND_GLANCE_IMAGE, TAKES_ID | TAKES_BODY, update_glance_image},
    {"ShowGlanceVersions", "GET", KIND_GLANCE_IMAGE, TAKES_OPEN, show_versions},
    {"ShowGlanceVersions", "GET", KIND_GLANCE_IMAGE, TAKES_OPEN, show_versions},
    {"ShowGlanceVersions", "GET", KIND_GLANCE_IMAGE, TAKES_OPEN, show_versions},
    {NULL, NULL, 0, 0, NULL},
};

static const char *const paths[] = {"/image/v2/images", "/image/v2/images/", "/image/v2/images/",
                                    "/image",           "/image/",           "/image/versions"};

/* ---- errors ---- */

static const char *title_of(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {{400, "Bad Request"},
                  {401, "Unauthorized"},
                  {403, "Forbidden"},
                  {404, "Not Found"},
                  {405, "Method Not Allowed"},
                  {409, "Conflict"},
                  {413, "Request Entity Too Large"},
                  {415, "Unsupported Media Type"},
                  {429, "Too Many Requests"},
                  {500, "Internal Server Error"},
                  {502, "Bad Gateway"},
                  {503, "Service Unavailable"},
                  {504, "Gateway Timeout"}};

    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (titles[i].status == status) {
            return titles[i].title;
        }
    }
    return "Error";
}

static void add_escaped(struct text *text, const char *plain)
{
    for (; *plain != '\0'; plain++) {
        const char *entity = *plain == '&'    ? "&amp;"
                             : *plain == '<'  ? "&lt;"
                             : *plain == '>'  ? "&gt;"
                             : *plain == '"'  ? "&quot;"
                             : *plain == '\'' ? "&#x27;"
                                              : NULL;
        if (entity != NULL) {
            text_adds(text, entity);
        } else {
            text_add(text, plain, 1);
        }
    }
}

static void add_html(struct text *text, int status, const char *message)
{
    const char *title = title_of(status);

    text_addf(text, "<html>\n <head>\n  <title>%d %s</title>\n </head>\n <body>\n  <h1>%d %s</h1>\n  ", status, title,
              status, title);
    add_escaped(text, message);
    text_adds(text, "<br /><br />\n\n\n\n </body>\n</html>");
}

/* The code is text here, unlike Keystone's, and the message has traces of the HTML. */
static void add_json(struct text *text, int status, const char *message)
{
    cJSON *body = cJSON_CreateObject();
    char *code = xprintf("%d %s", status, title_of(status)), *told = xprintf("%s<br /><br />\n\n\n", message);

    cJSON_AddStringToObject(body, "message", told);
    cJSON_AddStringToObject(body, "code", code);
    cJSON_AddStringToObject(body, "title", title_of(status));
    char *json = json_print(body);
    text_adds(text, json);
    free(json);
    free(code);
    free(told);
    cJSON_Delete(body);
}

static void add_body(const struct request *request, struct reply *reply, int status, const char *message)
{
    const char *accept = request_header(request, "Accept", NULL);

    text_free(&reply->body);
    if (accept != NULL && (strstr(accept, "*/*") != NULL || strstr(accept, "text/html") != NULL)) {
        add_html(&reply->body, status, message);
        reply_add_header(reply, "Content-Type", "text/html; charset=UTF-8");
    } else if (accept != NULL && strstr(accept, "application/json") != NULL) {
        add_json(&reply->body, status, message);
        reply_add_header(reply, "Content-Type", "application/json");
    } else {
        text_addf(&reply->body, "%d %s\n\n%s\n\n   ", status, title_of(status), message);
        reply_add_header(reply, "Content-Type", "text/plain; charset=UTF-8");
    }
}

/* The same whatever the reason, and before the request gets an id. */
static void refuse_token(const struct request *request, struct reply *reply)
{
    static const char message[] = "This server could not verify that you are authorized to access the document you "
                                  "requested. Either you supplied the wrong credentials (e.g., bad password), or your "
                                  "browser does not understand how to supply the credentials required.";
    char *uri = xprintf("Keystone uri=\"%s/identity\"", request->base);

    reply_status(reply, 401, title_of(401), message);
    add_body(request, reply, 401, message);
    reply_add_header(reply, "WWW-Authenticate", uri);
    reply->no_request_id = true;
    free(uri);
}

static void refuse(const struct request *request, struct reply *reply, int status, const char *code,
                   const char *message)
{
    if (status == 401) {
        refuse_token(request, reply);
        return;
    }
    reply_status(reply, status, code != NULL ? code : title_of(status), message);
    add_body(request, reply, status, message);
}

void glance_error(const struct request *request, struct reply *reply, int status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *message = xvprintf(format, arguments);
    va_end(arguments);
    refuse(request, reply, status, NULL, message);
    free(message);
}

void glance_answer(struct reply *reply, const char *json, size_t length)
{
    reply->status = 200;
    text_add(&reply->body, json, length);
}

/* ---- who may do what ---- */

bool glance_allowed(const struct simulator *simulator, const struct request *request)
{
    return request->reader && permits_allow(&simulator->permits, request->route->operation, request->project);
}

bool glance_owns(const struct request *request, const struct view *view)
{
    return view->compartment != NULL && strcmp(view->compartment, request->project) == 0;
}

const char *glance_membership(const struct simulator *simulator, const struct request *request, const char *image)
{
    return json_string(json_member(simulator->members, image), request->project);
}

/* One image by its id: those of a community and those whose sharing nobody accepted yet can be read, too. */
static bool sees(const struct simulator *simulator, const struct request *request, const struct resource *image)
{
    const char *visibility = image->now.filters[0] == NULL ? "" : image->now.filters[0];

    return request->admin || glance_owns(request, &image->now) || strcmp(visibility, "public") == 0 ||
           strcmp(visibility, "community") == 0 ||
           (strcmp(visibility, "shared") == 0 && glance_membership(simulator, request, image->id) != NULL);
}

struct resource *glance_find(const struct simulator *simulator, const struct request *request, const char *id)
{
    const struct kind *kind = kind_at(KIND_GLANCE_IMAGE);
    struct resource *image = store_visible(&simulator->store, kind, id);

    return image == NULL || strcmp(image->now.state, kind->dead) == 0 || !sees(simulator, request, image) ? NULL
                                                                                                          : image;
}

static void show_glance_image(struct simulator *simulator, const struct request *request, const struct fired *fired,
                              struct reply *reply)
{
    const struct resource *image =
        glance_allowed(simulator, request) ? glance_find(simulator, request, request->id) : NULL;

    (void)fired;
    if (image == NULL) {
        glance_error(request, reply, 404, "No image found with ID %s", request->id);
    } else {
        glance_answer(reply, image->now.json, image->now.json_length);
    }
}

/* Open to everybody; only under its own name is the list no choice to be made. */
static void show_versions(struct simulator *simulator, const struct request *request, const struct fired *fired,
                          struct reply *reply)
{
    static const char *const ids[] = {"v2.15", "v2.9", "v2.7", "v2.6", "v2.5", "v2.4", "v2.3", "v2.2", "v2.1", "v2.0"};

    (void)fired;
    reply->status = strcmp(request->path, "/image/versions") == 0 ? 200 : 300;
    text_adds(&reply->body, "{\"versions\":[");
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        text_addf(&reply->body,
                  "%s{\"id\":\"%s\",\"status\":\"%s\",\"links\":[{\"rel\":\"self\",\"href\":\"%s/image/v2/\"}]}",
                  i == 0 ? "" : ",", ids[i], i == 0 ? "CURRENT" : "SUPPORTED", simulator->base);
    }
    text_adds(&reply->body, "]}");
}

/* ---- the service ---- */

static bool claims(const char *path)
{
    return strcmp(path, "/image") == 0 || strncmp(path, "/image/", 7) == 0;
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

static bool take_token(const struct simulator *simulator, struct request *request)
{
    size_t count;
    const char *text = request_header(request, "X-Auth-Token", &count);
    const struct keystone_token *token = count == 1 ? keystone_token(&simulator->keystone, text) : NULL;

    if (token == NULL) {
        return false;
    }
    request->project = xstrdup(token->project == NULL ? "" : token->project);
    request->by = "token";
    request->reader = token->reader;
    request->member = token->member;
    request->admin = token->admin;
    return true;
}

static void refuse_method(const struct request *request, struct reply *reply)
{
    glance_error(request, reply, 405, "The method %s is not allowed for this resource.", request->method);
    reply_add_header(reply, "Allow", request->id != NULL ? "GET, PATCH" : "GET");
}

/* The middleware comes first: without a token nobody learns what paths there are. */
static bool authenticate(struct simulator *simulator, struct request *request, bool any_host, struct reply *reply)
{
    (void)any_host;
    pthread_mutex_lock(&simulator->lock);
    bool open = request->route != NULL && (request->route->takes & TAKES_OPEN) != 0;
    bool authentic = !request->too_many_headers && (open || take_token(simulator, request));
    pthread_mutex_unlock(&simulator->lock);
    if (request->too_many_headers) {
        glance_error(request, reply, 413, "There are too many headers.");
    } else if (!authentic) {
        refuse_token(request, reply);
    } else if (!request->known_path) {
        glance_error(request, reply, 404, "The resource could not be found.");
    } else if (request->route == NULL) {
        refuse_method(request, reply);
    } else if (request->bad_query) {
        glance_error(request, reply, 400, "The request target is malformed.");
    } else {
        return true;
    }
    return false;
}

static void process(struct simulator *simulator, const struct request *request, const struct fired *fired,
                    struct reply *reply)
{
    unsigned takes = request->route->takes;

    if ((takes & TAKES_QUERY) == 0 && request->query != NULL) {
        glance_error(request, reply, 400, "This call has no query parameters.");
    } else if ((takes & TAKES_BODY) == 0 && request->body.length > 0) {
        glance_error(request, reply, 400, "This call has no body.");
    } else if ((takes & TAKES_ID) != 0 && request->id == NULL) {
        glance_error(request, reply, 404, "The image id is malformed.");
    } else {
        request->route->carry_out(simulator, request, fired, reply);
    }
}

const struct service glance_service = {
    .request_id_header = "x-openstack-request-id",
    .uuid_request_ids = true,
    .page_parameter = "marker",
    .routes = routes,
    .claims = claims,
    .route = route_request,
    .target = target_of,
    .authenticate = authenticate,
    .process = process,
    .refuse = refuse,
};
