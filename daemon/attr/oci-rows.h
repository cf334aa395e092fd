/* Rows that several kinds on OCI share: the same attributes have the same limits and the same writers everywhere. */
#pragma once

#include "attr/kind.h"

#define OCI_COMPARTMENT(nouns)                                                                                        \
    {                                                                                                                 \
        "compartmentId", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_CONTAINER, .min = 1, .max = 255,         \
        .prefix = "ocid1.", .doc = "OCID of the compartment whose " nouns " are looked at (not those of its children)" \
    }

#define OCI_DISPLAY_NAME_GLOB(noun)                                                            \
    {                                                                                          \
        "displayName", .type = FIELD_TEXT, .flags = FIELD_GLOB, .min = 1, .max = 255,          \
        .doc = "a pattern that the " noun "'s name must match: * any run of characters, ? one" \
    }

#define OCI_STATE(noun, states_)                                                                \
    {                                                                                           \
        "lifecycleState", .type = FIELD_ENUM, .flags = FIELD_STATE | FIELD_FOLD, .values = states_, \
        .doc = "the " noun "'s state; AVAILABLE unless said otherwise"                          \
    }

#define OCI_TAG_CONDITIONS(noun)                                                                                      \
    {"freeformTags", .type = FIELD_TAGS, .doc = "free-form tags that the " noun " must bear; \"*\" for any value"},   \
    {"definedTags", .type = FIELD_TAG_NAMESPACES, .doc = "defined tags that the " noun " must bear; \"*\" for any value"}

#define OCI_DISPLAY_NAME(noun)                                                                                        \
    {                                                                                                                 \
        "displayName", .type = FIELD_TEXT, .flags = FIELD_ATTRIBUTE, .min = 1, .max = 255, .doc = "the " noun "'s name" \
    }

/* `reserved_`: the keys of free-form tags that are imagekeeper's own on such objects, or NULL. */
#define OCI_TAGS(reserved_)                                                                                           \
    {"freeformTags", .type = FIELD_TAGS, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE, .reserved = reserved_,            \
     .doc = "free-form tags; null: this key must be absent"},                                                         \
    {"definedTags", .type = FIELD_TAG_NAMESPACES, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE,                          \
     .cloud_writes = "definedTags.Oracle-Tags.**", .doc = "defined tags by namespace; null: this key must be absent"}
