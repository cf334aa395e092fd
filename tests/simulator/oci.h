/* Routes of the Core Services API: which operation a request asks for, and carrying it out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "reply.h"
#include "request.h"

struct fired;
struct simulator;

/* Fills route, known_path and image_id. */
void oci_route(struct request *request);
const char *oci_operation_name(const struct route *route);
size_t oci_operation_index(const struct route *route);
/* NULL past the last operation. */
const char *oci_operation_at(size_t index);
/* The image, or the compartment of a list; NULL when the request names none. */
const char *oci_target(const struct request *request);
/* Carries an authentic request out. The caller holds the simulator's lock. */
void oci_process(struct simulator *simulator, const struct request *request, const struct fired *fired,
                 struct reply *reply);

/* The operations, each in a file of its own. */
void list_images(struct simulator *simulator, const struct request *request, const struct fired *fired,
                 struct reply *reply);
void update_image(struct simulator *simulator, const struct request *request, const struct fired *fired,
                  struct reply *reply);
