/* Routes of the Core Services API: which operation a request asks for, and carrying it out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "service.h"

struct resource;

const struct kind *oci_kind(const struct request *request);
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

/* The operations, each in a file of its own; the route says of which kind. */
operation_fn list_resources, create_backup, update_resource, delete_backup;
