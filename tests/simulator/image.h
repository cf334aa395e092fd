/* The Image model of the API: every field with a default, and the fields that UpdateImage may change. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "reply.h"
#include "tags.h"

/* A full image out of a partial one. Content depends on the partial image and the sequence number alone. */
cJSON *image_complete(const cJSON *partial, unsigned long sequence);
/* The checks of an UpdateImage body that need no image: members, types, lengths. Fills `reply` when false. */
bool image_check_update(const cJSON *body, struct reply *reply);
/* For control: NULL when a partial image may be stored, else why not (static text). */
const char *image_check_partial(const cJSON *partial);
