/* The services that share the simulator: which of them a request is for, and what differs between them. */
#include "service.h"

#include <string.h>

#include "reqlog.h"

/* The last one takes every path that is left. */
static const struct service *const services[] = {&huawei_service, &glance_service, &keystone_service, &oci_service};

#define SERVICES (sizeof(services) / sizeof(services[0]))

const struct service *service_of(const char *path)
{
    size_t at = 0;

    while (at < SERVICES - 1 && !services[at]->claims(path)) {
        at++;
    }
    return services[at];
}

const char *service_operation_at(size_t index)
{
    for (size_t i = 0; i < SERVICES; i++) {
        for (const struct route *route = services[i]->routes; route->operation != NULL; route++) {
            if (index-- == 0) {
                return route->operation;
            }
        }
    }
    return NULL;
}

size_t service_operation_index(const struct route *wanted)
{
    size_t index = 0;

    while (strcmp(service_operation_at(index), wanted->operation) != 0) {
        index++;
    }
    return index;
}

bool service_is_operation(const char *name)
{
    const char *operation;

    for (size_t i = 0; (operation = service_operation_at(i)) != NULL; i++) {
        if (strcmp(operation, name) == 0) {
            return true;
        }
    }
    return strcmp(name, "*") == 0;
}

/* The part of the path after that of the route; NULL when it is another's. */
static const char *path_after(const struct route *route, const char *own, const char *path)
{
    size_t length = strlen(own);
    bool id = (route->takes & TAKES_ID) != 0;

    if (strncmp(path, own, length) != 0) {
        return NULL;
    }
    path += length;
    return (*path != '\0') == id && strchr(path, '/') == NULL ? path : NULL;
}

void service_route(struct request *request, const struct route *routes, const char *const *paths)
{
    for (size_t i = 0; routes[i].operation != NULL; i++) {
        const char *id = path_after(&routes[i], paths[i], request->path);
        if (id == NULL) {
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
}
