/* What images of Glance's protocol share: GlanceImage, and ImsImage, which is Huawei Cloud's (api/huawei-ims.md). */
#pragma once

#include "attr/kind.h"

/* Field.check: a UUID as these APIs write it, in lower case. */
int check_image_id(const char *text, Error **err);
/* Field.check_name of a condition: any member that an image may have. */
int check_member_name(const char *name, Error **err);
/* May an attribute without a row be called so: at most 255 characters, no attribute of `fields` or `others` (ends with
 * NULL)? For a kind's Field.check_name. */
int check_free_name(const Field *fields, const char *const *others, const char *name, Error **err);

#define IMAGE_ID                                                                                                       \
    {                                                                                                                  \
        "imageId", .wire = "id", .type = FIELD_TEXT, .flags = FIELD_TARGET, .min = 1, .max = 36,                        \
        .check = check_image_id, .doc = "UUID of the image"                                                            \
    }

#define IMAGE_NAME_GLOB                                                                                                \
    {                                                                                                                  \
        "name", .type = FIELD_TEXT, .flags = FIELD_GLOB, .min = 1, .max = 255,                                         \
        .doc = "a pattern that the image's name must match: * any run of characters, ? one"                            \
    }

#define IMAGE_STATE(states)                                                                                            \
    {                                                                                                                  \
        "status", .type = FIELD_ENUM, .flags = FIELD_STATE | FIELD_FOLD, .values = states,                             \
        .doc = "the image's status; what can be changed unless said otherwise: active"                                 \
    }

#define IMAGE_TAG_CONDITION                                                                                            \
    {                                                                                                                  \
        "tags", .type = FIELD_TEXT_SET, .min = 1, .max = 255, .doc = "tags that the image must bear, all of them"      \
    }

/* What is the same of both in the API. */
#define OF_GLANCE                                                                                                      \
    .noun = "image", .id = "id", .container = "owner", .state = "status", .times = {"created_at"},                     \
    .updated = "updated_at", .gone_states = image_gone_states

extern const char *const image_gone_states[];
