/* Free-form and defined tags: their limits, and the registry of tag namespaces and keys with their case. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "reply.h"

struct tag_namespace {
    char *name;
    char **keys; /* in the case in which each was first created */
    size_t key_count;
};

struct tags {
    struct tag_namespace *namespaces;
    size_t count;
};

void tags_reset(struct tags *tags);
void tags_free(struct tags *tags);
/* Replaces the set of namespaces by a JSON array of names. */
bool tags_set_namespaces(struct tags *tags, const cJSON *names);

/* The checks fill `reply` with an error and return false. */
bool tags_check_freeform(const cJSON *asked, struct reply *reply);
/* Shape and limits alone. */
bool tags_check_defined(const cJSON *asked, struct reply *reply);
/* Namespaces must exist, automatic tags (Oracle-Tags) may be left out but not changed. */
bool tags_check_known(const struct tags *tags, const cJSON *asked, const cJSON *current, struct reply *reply);
/* A copy in the registry's case; unknown namespaces and keys are created. Empty namespaces are dropped. */
cJSON *tags_canonical(struct tags *tags, const cJSON *asked);
