/* Routes of the Core Services API: which operation a request asks for, and carrying it out. */
#include "oci.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "sim.h"

#define BASE "/20160918/"
#define RETRY_TOKEN_MAX 64

static operation_fn get_resource;

/* What an operation takes. */
enum {
    ID = 1,       /* the path goes on with one more part, the resource's id */
    QUERY = 2,    /* query parameters */
    TOKEN = 4,    /* the header opc-retry-token */
    IF_MATCH = 8, /* the header if-match */
    BODY = 16,
};

static const struct route routes[] = {
    {"ListImages", "GET", KIND_IMAGE, QUERY, list_resources},
    {"GetImage", "GET", KIND_IMAGE, ID, get_resource},
    {"UpdateImage", "PUT", KIND_IMAGE, ID | TOKEN | IF_MATCH | BODY, update_resource},
    {"ListBootVolumes", "GET", KIND_BOOT_VOLUME, QUERY, list_resources},
    {"GetBootVolume", "GET", KIND_BOOT_VOLUME, ID, get_resource},
    {"ListVolumes", "GET", KIND_VOLUME, QUERY, list_resources},
    {"GetVolume", "GET", KIND_VOLUME, ID, get_resource},
    {"ListBootVolumeBackups", "GET", KIND_BOOT_VOLUME_BACKUP, QUERY, list_resources},
    {"GetBootVolumeBackup", "GET", KIND_BOOT_VOLUME_BACKUP, ID, get_resource},
    {"CreateBootVolumeBackup", "POST", KIND_BOOT_VOLUME_BACKUP, TOKEN | BODY, create_backup},
    {"UpdateBootVolumeBackup", "PUT", KIND_BOOT_VOLUME_BACKUP, ID | IF_MATCH | BODY, update_resource},
    {"DeleteBootVolumeBackup", "DELETE", KIND_BOOT_VOLUME_BACKUP, ID | IF_MATCH, delete_backup},
    {"ListVolumeBackups", "GET", KIND_VOLUME_BACKUP, QUERY, list_resources},
    {"GetVolumeBackup", "GET", KIND_VOLUME_BACKUP, ID, get_resource},
    {"CreateVolumeBackup", "POST", KIND_VOLUME_BACKUP, TOKEN | BODY, create_backup},
    {"UpdateVolumeBackup", "PUT", KIND_VOLUME_BACKUP, ID | IF_MATCH | BODY, update_resource},
    {"DeleteVolumeBackup", "DELETE", KIND_VOLUME_BACKUP, ID | IF_MATCH, delete_backup},
    {NULL, NULL, 0, 0, NULL},
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]) - 1)

/* The part of the path after the collection: "" for the collection itself, NULL when it is another's. */
static const char *path_after(const struct route *route, const char *path)
{
    const char *collection = kind_at(route->kind)->collection;
    size_t base = strlen(BASE), length = strlen(collection);

    if (strncmp(path, BASE, base) != 0 || strncmp(path + base, collection, length) != 0) {
        return NULL;
    }
    path += base + length;
    return *path == '\0' ? path : *path == '/' && path[1] != '\0' && strchr(path + 1, '/') == NULL ? path + 1 : NULL;
}

static char *source_of(const struct request *request)
{
    const char *name = oci_kind(request)->source;
    cJSON *body = name == NULL ? NULL : cJSON_ParseWithLength(request->body.bytes, request->body.length);
    const char *source = json_string(body, name);
    char *copy = source == NULL ? NULL : xstrdup(source);

    cJSON_Delete(body);
    return copy;
}

static void route_request(struct request *request)
{
    for (size_t i = 0; i < ROUTES; i++) {
        const char *id = path_after(&routes[i], request->path);
        if (id == NULL || (*id != '\0') != ((routes[i].takes & ID) != 0)) {
            continue;
        }
        request->known_path = true;
        if (*id != '\0' && request->id == NULL) {
            request->id = request_decode(id, strlen(id));
        }
        if (strcmp(routes[i].method, request->method) == 0) {
            request->route = &routes[i];
        }
    }
    if (request->route != NULL && request->id == NULL && request->body.length > 0) {
        request->source = source_of(request);
    }
}

const struct kind *oci_kind(const struct request *request)
{
    return kind_at(request->route->kind);
}

/* The resource, the source volume of a create, or the compartment of a list. */
static const char *target_of(const struct request *request)
{
    const char *named = request->id != NULL ? request->id : request->source;

    return named != NULL ? named : request_parameter(request, "compartmentId");
}

static bool good_request_id(const char *id)
{
    return id[0] != '\0' && id[strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

/* A header that only some operations take: refused by the others, and when it comes twice. */
static bool check_header(const struct request *request, const char *name, unsigned what, struct reply *reply)
{
    size_t count;
    const char *value = request_header(request, name, &count);

    if (value != NULL && (request->route->takes & what) == 0) {
        reply_error(reply, "InvalidParameter", "%s takes no %s", request->route->operation, name);
        return false;
    }
    if (count > 1) {
        reply_error(reply, "InvalidParameter", "The header %s comes twice", name);
        return false;
    }
    return true;
}

static bool check_headers(const struct request *request, struct reply *reply)
{
    const char *id = request_header(request, "opc-request-id", NULL);

    if (id != NULL && !good_request_id(id)) {
        reply_error(reply, "InvalidParameter", "The opc-request-id is not of [A-Za-z0-9-_.]+");
        return false;
    }
    if (!check_header(request, "opc-retry-token", TOKEN, reply) ||
        !check_header(request, "if-match", IF_MATCH, reply)) {
        return false;
    }
    const char *token = request_header(request, "opc-retry-token", NULL);
    size_t length = token == NULL ? 1 : strlen(token);
    if (length < 1 || length > RETRY_TOKEN_MAX) {
        reply_error(reply, "InvalidParameter", "The opc-retry-token has %zu characters, not 1 to %d", length,
                    RETRY_TOKEN_MAX);
        return false;
    }
    return true;
}

static bool check_request(const struct request *request, struct reply *reply)
{
    if (request->too_many_headers) {
        reply_error(reply, "RequestHeaderFieldsTooLarge", "Too many headers");
    } else if (!request->known_path) {
        reply_error(reply, "NotFound", "No operation has the path %s", request->path);
    } else if (request->route == NULL) {
        reply_error(reply, "MethodNotAllowed", "The method %s is not allowed here", request->method);
    } else if (request->bad_query) {
        reply_error(reply, "InvalidParameter", "The request target is malformed");
    } else if ((request->route->takes & BODY) == 0 && request->body.length > 0) {
        reply_error(reply, "CannotParseRequest", "A %s has no body", request->method);
    } else if ((request->route->takes & QUERY) == 0 && request->query != NULL) {
        reply_error(reply, "InvalidParameter", "This operation has no query parameters");
    } else if ((request->route->takes & ID) != 0 && request->id == NULL) {
        reply_error(reply, "InvalidParameter", "The id is malformed");
    } else {
        return check_headers(request, reply);
    }
    return false;
}

static void process(struct simulator *simulator, const struct request *request, const struct fired *fired,
                    struct reply *reply)
{
    if (check_request(request, reply)) {
        request->route->carry_out(simulator, request, fired, reply);
    }
}

bool oci_allowed(const struct simulator *simulator, const struct request *request, const char *compartment)
{
    return permits_allow(&simulator->permits, request->route->operation, compartment);
}

struct resource *oci_find(const struct simulator *simulator, const struct request *request)
{
    struct resource *resource = store_visible(&simulator->store, oci_kind(request), request->id);

    return resource != NULL && oci_allowed(simulator, request, resource->now.compartment) ? resource : NULL;
}

void oci_not_found(struct reply *reply, const char *id)
{
    reply_error(reply, "NotAuthorizedOrNotFound", "Authorization failed or requested resource not found: %s", id);
}

bool oci_check_etag(const struct request *request, const struct resource *resource, struct reply *reply)
{
    const char *if_match = request_header(request, "if-match", NULL);

    if (if_match != NULL && strcmp(if_match, resource->etag) != 0) {
        reply_error(reply, "NoEtagMatch", "The etag %s is not the current one of %s", if_match, resource->id);
        return false;
    }
    return true;
}

cJSON *oci_read_body(const struct request *request, struct reply *reply)
{
    const char *why = "no body";
    cJSON *body = request->body.length == 0 ? NULL : json_parse(request->body.bytes, request->body.length, &why);

    if (body == NULL) {
        reply_error(reply, "CannotParseRequest", "The body cannot be parsed: %s", why);
    }
    return body;
}

void oci_answer(const struct resource *resource, struct reply *reply)
{
    reply->status = 200;
    reply->etag = xstrdup(resource->etag);
    text_add(&reply->body, resource->now.json, resource->now.json_length);
}

static void get_resource(struct simulator *simulator, const struct request *request, const struct fired *fired,
                         struct reply *reply)
{
    const struct resource *resource = oci_find(simulator, request);

    (void)fired;
    if (resource == NULL) {
        oci_not_found(reply, request->id);
        return;
    }
    oci_answer(resource, reply);
}

static bool claims(const char *path)
{
    (void)path;
    return true;
}

static bool authenticate(struct simulator *simulator, struct request *request, bool any_host, struct reply *reply)
{
    char *why = verify_request(&simulator->verifier, request, any_host);

    if (why != NULL) {
        reply_error(reply, "NotAuthenticated", "%s", why);
        free(why);
        return false;
    }
    return true;
}

static void refuse(const struct request *request, struct reply *reply, int status, const char *code,
                   const char *message)
{
    (void)request;
    reply_status(reply, status, code != NULL ? code : reply_code_for(status), message);
}

const struct service oci_service = {
    .request_id_header = "opc-request-id",
    .page_parameter = "page",
    .routes = routes,
    .claims = claims,
    .route = route_request,
    .target = target_of,
    .authenticate = authenticate,
    .process = process,
    .refuse = refuse,
};
