/* OciImage: the rows of an image on OCI (UpdateImage, api 20160918; limits from its UpdateImageDetails). */
#include "config.h"

#include "attr/oci-image.h"

static const char *const states[] = {"PROVISIONING", "IMPORTING", "AVAILABLE", "EXPORTING", "DISABLED", "DELETED", NULL};
static const char *const writable_states[] = {"AVAILABLE", NULL};
static const char *const gone_states[] = {"DELETED", NULL};

static const Field selector[] = {
    {"compartmentId", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_CONTAINER, .min = 1, .max = 255,
     .prefix = "ocid1.", .doc = "OCID of the compartment whose images are looked at (not those of its children)"},
    {"displayName", .type = FIELD_TEXT, .flags = FIELD_GLOB, .min = 1, .max = 255,
     .doc = "a pattern that the image's name must match: * any run of characters, ? one"},
    {"operatingSystem", .type = FIELD_TEXT, .min = 1, .max = 128, .doc = "the image's operating system, exactly"},
    {"operatingSystemVersion", .type = FIELD_TEXT, .min = 1, .max = 128, .doc = "its version, exactly"},
    {"lifecycleState", .type = FIELD_ENUM, .flags = FIELD_STATE | FIELD_FOLD, .values = states,
     .doc = "the image's state; AVAILABLE unless said otherwise"},
    {"freeformTags", .type = FIELD_TAGS, .doc = "free-form tags that the image must bear; \"*\" for any value"},
    {"definedTags", .type = FIELD_TAG_NAMESPACES, .doc = "defined tags that the image must bear; \"*\" for any value"},
    {0},
};

static const Field fields[] = {
    {"account", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 64,
     .doc = "name of the account in the configuration"},
    {"imageId", .wire = "id", .type = FIELD_TEXT, .flags = FIELD_TARGET, .min = 1, .max = 255, .prefix = "ocid1.",
     .doc = "OCID of the image"},
    {"selector", .type = FIELD_MAP, .members = selector, .doc = "instead of imageId: every image that meets all conditions"},
    {"displayName", .type = FIELD_TEXT, .flags = FIELD_ATTRIBUTE, .min = 1, .max = 255, .doc = "the image's name"},
    {"operatingSystem", .type = FIELD_TEXT, .flags = FIELD_ATTRIBUTE, .min = 1, .max = 128,
     .doc = "the image's operating system, such as Oracle Linux"},
    {"operatingSystemVersion", .type = FIELD_TEXT, .flags = FIELD_ATTRIBUTE, .min = 1, .max = 128,
     .doc = "the operating system's version, such as 9"},
    {"freeformTags", .type = FIELD_TAGS, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE,
     .doc = "free-form tags; null: this key must be absent"},
    {"definedTags", .type = FIELD_TAG_NAMESPACES, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE,
     .cloud_writes = "definedTags.Oracle-Tags.**",
     .doc = "defined tags by namespace; null: this key must be absent"},
    {0},
};

const Kind oci_image = {
    .name = "OciImage",
    .noun = "image",
    .account_type = "oci",
    .collection = "/20160918/images",
    .flags = KIND_IF_MATCH | KIND_RETRY_TOKEN | KIND_SHARED_ITEMS,
    .fields = fields,
    .id = "id",
    .container = "compartmentId",
    .state = "lifecycleState",
    .writable_states = writable_states,
    .gone_states = gone_states,
    .doc = "names, operating system and tags of an image on Oracle Cloud Infrastructure",
};
