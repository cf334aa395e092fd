/* Routes of the Core Services API: which operation a request asks for, and carrying it out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kind.h"
#include "reply.h"
#include "request.h"

struct fired;
struct resource;
struct simulator;

/* Fills route, known_path, id and source. */
void oci_route(struct request *request);
const char *oci_operation_name(const struct route *route);
size_t oci_operation_index(const struct route *route);
/* NULL past the last operation. */
const char *oci_operation_at(size_t index);
bool oci_is_operation(const char *name);
const struct kind *oci_kind(const struct request *request);
/* The resource, the source volume of a create, or the compartment of a list; NULL when the request names none. */
const char *oci_target(const struct request *request);
/* Carries an authentic request out. The caller holds the simulator's lock. */
void oci_process(struct simulator *simulator, const struct request *request, const struct fired *fired,
                 struct reply *reply);

/* The rest is for the operations. */

/* The resource that the path names; NULL when there is none that the caller may see. */
struct resource *oci_find(const struct simulator *simulator, const struct request *request);
void oci_not_found(struct reply *reply, const char *id);
/* May this operation be done in this compartment? */
bool oci_allowed(const struct simulator *simulator, const struct request *request, const char *compartment);
/* False, and 412, when the request has an if-match that is not the current etag. */
bool oci_check_etag(const struct request *request, const struct resource *resource, struct reply *reply);
/* NULL and an error when the body is not JSON. */
cJSON *oci_read_body(const struct request *request, struct reply *reply);
/* Answers with the resource as it is. */
void oci_answer(const struct resource *resource, struct reply *reply);

typedef void operation_fn(struct simulator *simulator, const struct request *request, const struct fired *fired,
                          struct reply *reply);

/* The operations, each in a file of its own; the route says of which kind. */
operation_fn list_resources, create_backup, update_resource, delete_backup;
