/*
 * GlanceImage: the rows of an image on any OpenStack cloud (Glance v2, PATCH /v2/images/{image_id}; api/huawei-ims.md,
 * section 12). Glance changes images in every status; one that is still being made belongs to whoever makes it, and
 * waits.
 */
#include "config.h"

#include "attr/glance-image.h"

#include "attr/image-rows.h"
#include "base/str.h"

/* What a 32-bit column of Glance's database holds. */
#define INTEGER_MAX 2147483647
#define TEXT_MAX 65535

static const char *const states[] = {"queued", "saving", "uploading", "importing", "active", "deactivated", "killed", "deleted",
                                     "pending_delete", NULL};
static const char *const writable_states[] = {"active", "deactivated", NULL};
static const char *const visibilities[] = {"public", "private", "shared", "community", NULL};

static const Field fields[];

/* Base attributes that cannot be changed, and names that Glance keeps for itself. */
static const char *const others[] = {
    "id", "status", "owner", "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value", "container_format",
    "disk_format", "created_at", "updated_at", "file", "self", "schema", "direct_url", "location", "locations", "deleted",
    "deleted_at", "stores", "image_id", "extra_properties", NULL};

static int check_property(const char *name, Error **err)
{
    if (starts_with(name, "os_glance"))
        return error_set(err, ERROR_SPEC, "\"%s\" is Glance's own, as all names that begin with os_glance", name);
    return check_free_name(fields, others, name, err);
}

static const Field selector[] = {
    {"owner", .type = FIELD_TEXT, .flags = FIELD_CONTAINER, .min = 1, .max = 255,
     .doc = "id of the project whose images are looked at; the account's own unless said otherwise"},
    IMAGE_NAME_GLOB,
    {"visibility", .type = FIELD_ENUM, .values = visibilities, .doc = "public, private, shared or community"},
    {"protected", .type = FIELD_BOOL, .doc = "cannot it be deleted?"},
    {"os_hidden", .type = FIELD_BOOL, .doc = "is it left out of lists?"},
    {"min_ram", .type = FIELD_INT, .min = 0, .max = INTEGER_MAX, .doc = "least memory, in MB, exactly"},
    {"min_disk", .type = FIELD_INT, .min = 0, .max = INTEGER_MAX, .doc = "least disk, in GB, exactly"},
    IMAGE_STATE(states),
    IMAGE_TAG_CONDITION,
    {"properties", .type = FIELD_FREE, .min = 1, .max = TEXT_MAX, .check_name = check_member_name,
     .doc = "any other attributes that the image must have; \"*\" for any value"},
    {0},
};

static const Field fields[] = {
    KIND_ACCOUNT,
    IMAGE_ID,
    {"selector", .type = FIELD_MAP, .members = selector, .doc = "instead of imageId: every image of a project that meets all conditions"},
    {"name", .type = FIELD_TEXT, .flags = FIELD_ATTRIBUTE, .min = 1, .max = 255, .doc = "the image's name"},
    {"visibility", .type = FIELD_ENUM, .flags = FIELD_ATTRIBUTE, .values = visibilities,
     .doc = "who sees it: public, private, shared or community"},
    {"protected", .type = FIELD_BOOL, .flags = FIELD_ATTRIBUTE, .doc = "cannot it be deleted?"},
    {"os_hidden", .type = FIELD_BOOL, .flags = FIELD_ATTRIBUTE, .doc = "is it left out of lists?"},
    {"min_ram", .type = FIELD_INT, .flags = FIELD_ATTRIBUTE, .min = 0, .max = INTEGER_MAX, .doc = "least memory, in MB"},
    {"min_disk", .type = FIELD_INT, .flags = FIELD_ATTRIBUTE, .min = 0, .max = INTEGER_MAX, .doc = "least disk, in GB"},
    {"tags", .type = FIELD_TEXT_SET, .flags = FIELD_ATTRIBUTE, .min = 1, .max = 255, .doc = "tags that it bears"},
    {"properties", .type = FIELD_FREE, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE, .max = TEXT_MAX, .check_name = check_property,
     .doc = "properties of one's own, all of them texts; null: it must be absent"},
    {0},
};

const Kind glance_image = {
    .name = "GlanceImage",
    OF_GLANCE,
    .account_type = "openstack",
    .collection = "/v2/images",
    .flags = KIND_LOCAL_IDS,
    .fields = fields,
    .writable_states = writable_states,
    .doc = "name, visibility, tags and properties of an image on an OpenStack cloud",
};
