/* OciImage: the rows of an image on OCI (UpdateImage, api 20160918; limits from its UpdateImageDetails). */
#include "config.h"

#include "attr/oci-image.h"

#include "attr/oci-rows.h"

static const char *const states[] = {"PROVISIONING", "IMPORTING", "AVAILABLE", "EXPORTING", "DISABLED", "DELETED", NULL};
static const char *const writable_states[] = {"AVAILABLE", NULL};
static const char *const gone_states[] = {"DELETED", NULL};

static const Field selector[] = {
    OCI_COMPARTMENT("images"),
    OCI_DISPLAY_NAME_GLOB("image"),
    {"operatingSystem", .type = FIELD_TEXT, .min = 1, .max = 128, .doc = "the image's operating system, exactly"},
    {"operatingSystemVersion", .type = FIELD_TEXT, .min = 1, .max = 128, .doc = "its version, exactly"},
    OCI_STATE("image", states),
    OCI_TAG_CONDITIONS("image"),
    {0},
};

static const Field fields[] = {
    KIND_ACCOUNT,
    {"imageId", .wire = "id", .type = FIELD_TEXT, .flags = FIELD_TARGET, .min = 1, .max = 255, .prefix = "ocid1.",
     .doc = "OCID of the image"},
    {"selector", .type = FIELD_MAP, .members = selector, .doc = "instead of imageId: every image that meets all conditions"},
    OCI_DISPLAY_NAME("image"),
    {"operatingSystem", .type = FIELD_TEXT, .flags = FIELD_ATTRIBUTE, .min = 1, .max = 128,
     .doc = "the image's operating system, such as Oracle Linux"},
    {"operatingSystemVersion", .type = FIELD_TEXT, .flags = FIELD_ATTRIBUTE, .min = 1, .max = 128,
     .doc = "the operating system's version, such as 9"},
    OCI_TAGS(NULL),
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
