/* Routes of the Core Services API: which operation a request asks for, and carrying it out. */
#include "oci.h"

#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define BASE "/20160918"

typedef void operation_fn(struct simulator *simulator, const struct request *request, const struct fired *fired,
                          struct reply *reply);

static operation_fn get_image;

struct route {
    const char *operation;
    const char *method;
    const char *path;
    bool takes_image; /* the path goes on with one more part, the image's id */
    operation_fn *carry_out;
};

static const struct route routes[] = {
    {"ListImages", "GET", BASE "/images", false, list_images},
    {"GetImage", "GET", BASE "/images/", true, get_image},
    {"UpdateImage", "PUT", BASE "/images/", true, update_image},
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static bool path_matches(const struct route *route, const char *path)
{
    size_t length = strlen(route->path);

    if (!route->takes_image) {
        return strcmp(path, route->path) == 0;
    }
    return strncmp(path, route->path, length) == 0 && path[length] != '\0' && strchr(path + length, '/') == NULL;
}

void oci_route(struct request *request)
{
    for (size_t i = 0; i < ROUTES; i++) {
        if (!path_matches(&routes[i], request->path)) {
            continue;
        }
        request->known_path = true;
        if (routes[i].takes_image && request->image_id == NULL) {
            const char *id = request->path + strlen(routes[i].path);
            request->image_id = request_decode(id, strlen(id));
        }
        if (strcmp(routes[i].method, request->method) == 0) {
            request->route = &routes[i];
        }
    }
}

const char *oci_operation_name(const struct route *route)
{
    return route->operation;
}

size_t oci_operation_index(const struct route *route)
{
    return (size_t)(route - routes);
}

const char *oci_operation_at(size_t index)
{
    return index < ROUTES ? routes[index].operation : NULL;
}

const char *oci_target(const struct request *request)
{
    return request->image_id != NULL ? request->image_id : request_parameter(request, "compartmentId");
}

static bool good_request_id(const char *id)
{
    return id[0] != '\0' && id[strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static bool check_request(const struct request *request, struct reply *reply)
{
    const char *id = request_header(request, "opc-request-id", NULL);

    if (request->too_many_headers) {
        reply_error(reply, "RequestHeaderFieldsTooLarge", "Too many headers");
    } else if (!request->known_path) {
        reply_error(reply, "NotFound", "No operation has the path %s", request->path);
    } else if (request->route == NULL) {
        reply_error(reply, "MethodNotAllowed", "The method %s is not allowed here", request->method);
    } else if (request->bad_query) {
        reply_error(reply, "InvalidParameter", "The request target is malformed");
    } else if (id != NULL && !good_request_id(id)) {
        reply_error(reply, "InvalidParameter", "The opc-request-id is not of [A-Za-z0-9-_.]+");
    } else if (strcmp(request->method, "GET") == 0 && request->body.length > 0) {
        reply_error(reply, "CannotParseRequest", "A GET has no body");
    } else if (request->route->takes_image && request->query != NULL) {
        reply_error(reply, "InvalidParameter", "This operation has no query parameters");
    } else if (request->route->takes_image && request->image_id == NULL) {
        reply_error(reply, "InvalidParameter", "The image id is malformed");
    } else {
        return true;
    }
    return false;
}

void oci_process(struct simulator *simulator, const struct request *request, const struct fired *fired,
                 struct reply *reply)
{
    if (check_request(request, reply)) {
        request->route->carry_out(simulator, request, fired, reply);
    }
}

static void get_image(struct simulator *simulator, const struct request *request, const struct fired *fired,
                      struct reply *reply)
{
    const struct image *image = store_visible(&simulator->store, request->image_id);

    (void)fired;
    if (image == NULL) {
        reply_error(reply, "NotAuthorizedOrNotFound", "Authorization failed or requested resource not found: %s",
                    request->image_id);
        return;
    }
    reply->status = 200;
    reply->etag = xstrdup(image->etag);
    text_add(&reply->body, image->json, image->json_length);
}
