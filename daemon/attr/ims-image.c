/*
 * ImsImage: the rows of a private image on Huawei Cloud (PATCH /v2/cloudimages/{image_id}; api/huawei-ims.md, sections
 * 2, 5 and 6). Almost everything is text there, also what looks like a boolean.
 */
#include "config.h"

#include "attr/ims-image.h"

#include "attr/image-rows.h"
#include "base/str.h"

#define MB_MAX 999999999

static const char *const states[] = {"queued", "saving", "active", "killed", "deleted", "pending_delete", NULL};
static const char *const writable_states[] = {"active", NULL};
static const char *const visibilities[] = {"public", "private", "shared", NULL};
static const char *const os_types[] = {"Linux", "Windows", "Other", NULL};
static const char *const only_true[] = {"true", NULL};
static const char *const true_or_false[] = {"true", "false", NULL};
static const char *const firmware_types[] = {"bios", "uefi", NULL};

/* Letters of other scripts are left to the API, which takes Chinese ones. */
static int check_name(const char *text, Error **err)
{
    if (*text == ' ' || text[strlen(text) - 1] == ' ')
        return error_set(err, ERROR_SPEC, "a space stands at its beginning or end");
    for (const char *p = text; *p; p++) {
        bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (unsigned char)*p >= 0x80;
        if (!letter && !strchr("0123456789-._ ", *p))
            return error_set(err, ERROR_SPEC, "takes letters, digits, -, ., _ and spaces; this has \"%c\"", *p);
    }
    return 0;
}

static int check_description(const char *text, Error **err)
{
    const char *bad = strpbrk(text, "\r\n<>");
    if (!bad)
        return 0;
    if (*bad == '<' || *bad == '>')
        return error_set(err, ERROR_SPEC, "must be without < and >");
    return error_set(err, ERROR_SPEC, "must be one line");
}

static const Field fields[];

/* Members of the model that this call does not change. */
static const char *const others[] = {
    "id", "status", "owner", "visibility", "protected", "min_disk", "max_disk", "size", "virtual_size", "tags", "created_at",
    "updated_at", "active_at", "container_format", "disk_format", "checksum", "file", "self", "schema", "virtual_env_type",
    "os_shutdown_timeout", "enterprise_project_id", "__image_size", "__os_bit", "__os_type", "__os_version", "__platform",
    "__isregistered", "__imagetype", "__image_source_type", "__originalimagename", "__backup_id", "__productcode",
    "__data_origin", "__root_origin", "__lazyloading", "__os_feature_list", "__account_code", "__sequence_num",
    "__system__cmkid", "__image_displayname", "__image_location", "__whole_image", "__support_kvm", "__support_arm",
    "__is_offshelved", "__support_agent_list", "__system_support_market", NULL};

static int check_extra(const char *name, Error **err)
{
    for (const char *p = name; *p; p++)
        if ((*p >= 'A' && *p <= 'Z') || *p == '/' || *p == '~')
            return error_set(err, ERROR_SPEC, "\"%s\" cannot name an attribute: that takes no upper-case letters, / or ~",
                             name);
    return check_free_name(fields, others, name, err);
}

static const Field selector[] = {
    IMAGE_NAME_GLOB,
    {"__os_type", .type = FIELD_ENUM, .values = os_types, .doc = "Linux, Windows or Other"},
    {"__platform", .type = FIELD_TEXT, .min = 1, .max = 255, .doc = "such as Ubuntu, exactly"},
    {"__os_version", .type = FIELD_TEXT, .min = 1, .max = 255, .doc = "such as Ubuntu 24.04 server 64bit, exactly"},
    {"visibility", .type = FIELD_ENUM, .values = visibilities, .doc = "private, or shared with others"},
    IMAGE_STATE(states),
    IMAGE_TAG_CONDITION,
    {"extra", .type = FIELD_FREE, .min = 1, .max = 255, .check_name = check_member_name,
     .doc = "any other attributes that the image must have; \"*\" for any value"},
    {0},
};

/* Terms of the documents: "true", or the attribute is left out. */
#define SUPPORT(name, words)                                                                                          \
    {                                                                                                                 \
        name, .type = FIELD_ENUM, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE, .values = only_true,                     \
        .doc = words ": true, or null"                                                                                \
    }

static const Field fields[] = {
    KIND_ACCOUNT,
    IMAGE_ID,
    {"selector", .type = FIELD_MAP, .members = selector, .doc = "instead of imageId: every image of the project that meets all conditions"},
    {"name", .type = FIELD_TEXT, .flags = FIELD_ATTRIBUTE, .min = 1, .max = 128, .check = check_name, .doc = "the image's name"},
    {"__description", .type = FIELD_TEXT, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE, .min = 1, .max = 1024, .check = check_description,
     .doc = "what the image is, in one line"},
    {"min_ram", .type = FIELD_INT, .flags = FIELD_ATTRIBUTE | FIELD_AS_TEXT, .min = 0, .max = MB_MAX, .doc = "least memory, in MB"},
    {"max_ram", .type = FIELD_INT, .flags = FIELD_ATTRIBUTE | FIELD_AS_TEXT | FIELD_NULLABLE, .min = 0, .max = MB_MAX,
     .doc = "most memory, in MB; null: no limit"},
    {"hw_firmware_type", .type = FIELD_ENUM, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE, .values = firmware_types, .absent = "bios",
     .doc = "how it boots: bios, which an absent one means, or uefi"},
    {"hw_vif_multiqueue_enabled", .type = FIELD_ENUM, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE, .values = true_or_false,
     .doc = "are several queues for a network card supported?"},
    {"__is_config_init", .type = FIELD_ENUM, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE, .values = true_or_false, .absent = "false",
     .doc = "is the initialisation configured? An absent one means false"},
    SUPPORT("__support_xen", "runs under Xen"),
    SUPPORT("__support_largememory", "supports very large memory"),
    SUPPORT("__support_diskintensive", "supports intensive storage"),
    SUPPORT("__support_highperformance", "supports high-performance computing"),
    {"__support_xen_gpu_type", .type = FIELD_TEXT, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE, .min = 1, .max = 255,
     .doc = "GPUs that it supports under Xen, such as M60_vGPU"},
    {"__support_kvm_gpu_type", .type = FIELD_TEXT, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE, .min = 1, .max = 255,
     .doc = "GPUs that it supports under KVM, with commas"},
    SUPPORT("__support_xen_hana", "supports HANA under Xen"),
    SUPPORT("__support_kvm_infiniband", "supports InfiniBand under KVM"),
    {"__support_fc_inject", .type = FIELD_ENUM, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE, .values = true_or_false,
     .doc = "true: injection through Cloud-Init is not supported"},
    SUPPORT("__support_amd", "runs on AMD processors"),
    SUPPORT("__support_kvm_hi1822_hisriov", "supports SR-IOV of the card Hi1822"),
    SUPPORT("__support_kvm_hi1822_hivirtionet", "supports virtio-net of the card Hi1822"),
    {"extra", .type = FIELD_FREE, .flags = FIELD_ATTRIBUTE | FIELD_NULLABLE, .min = 1, .max = 255, .check_name = check_extra,
     .doc = "attributes of one's own; null: it must be absent"},
    {0},
};

static const char *const exclusive[][2] = {
    {"__support_xen_gpu_type", "__support_xen"},
    {"__support_kvm_gpu_type", "__support_xen"},
    {"__support_xen_hana", "__support_xen"},
    {"__support_kvm_infiniband", "__support_xen"},
    {NULL, NULL},
};

const Kind ims_image = {
    .name = "ImsImage",
    OF_GLANCE,
    .account_type = "ims",
    .collection = "/v2/cloudimages",
    .flags = KIND_OWN_ONLY | KIND_LOCAL_IDS,
    .fields = fields,
    .writable_states = writable_states,
    .exclusive = exclusive,
    .doc = "name, description and other attributes of a private image on Huawei Cloud",
};
