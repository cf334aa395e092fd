/* The services that share the simulator: which of them a request is for, and what differs between them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kind.h"
#include "reply.h"
#include "request.h"

struct fired;
struct simulator;

typedef void operation_fn(struct simulator *simulator, const struct request *request, const struct fired *fired,
                          struct reply *reply);

/* What an operation of a service with fixed paths takes. */
enum {
    TAKES_ID = 1,    /* the path ends with the resource's id */
    TAKES_QUERY = 2, /* query parameters */
    TAKES_BODY = 4,
    TAKES_OPEN = 8, /* no authentication */
};

/* An operation of a service. */
struct route {
    const char *operation; /* different from those of all services */
    const char *method;
    enum kind_id kind;
    unsigned takes; /* flags, of OCI its own */
    operation_fn *carry_out;
};

struct service {
    const char *request_id_header;
    bool uuid_request_ids;      /* "req-" and a UUID, as OpenStack makes them */
    const char *page_parameter; /* a list request that has it is for a later page */
    const struct route *routes; /* the last one has no operation */
    bool (*claims)(const char *path);
    /* Fills route, known_path, id and source. */
    void (*route)(struct request *request);
    /* What a fault rule may name as its target; NULL when the request names nothing. */
    const char *(*target)(const struct request *request);
    /* False, and an error, when the request is not authentic. Called without the lock. */
    bool (*authenticate)(struct simulator *simulator, struct request *request, bool any_host, struct reply *reply);
    /* Carries an authentic request out. The caller holds the simulator's lock. */
    void (*process)(struct simulator *simulator, const struct request *request, const struct fired *fired,
                    struct reply *reply);
    /* An error in the service's own form; without a code, a usual one for the status. */
    void (*refuse)(const struct request *request, struct reply *reply, int status, const char *code,
                   const char *message);
};

extern const struct service oci_service, huawei_service, glance_service, keystone_service;

/* There is always one. */
const struct service *service_of(const char *path);
/* Over the operations of all services; NULL past the last one. */
const char *service_operation_at(size_t index);
size_t service_operation_index(const struct route *route);
/* Fills route, known_path and id of a request for a service with one path for each of its routes. */
void service_route(struct request *request, const struct route *routes, const char *const *paths);
bool service_is_operation(const char *name);
