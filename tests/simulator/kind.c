/* The resource types of the APIs, one table row each: model, defaults, list parameters, writable members. */
#include "kind.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "json.h"
#include "tags.h"

#define FIRST_CREATED 1767225600 /* 2026-01-01T00:00:00Z */

/* ---- models; a property that the API does not describe is among them, for clients must tolerate such ---- */

static const struct field image_fields[] = {
    {"agentFeatures", "{\"isManagementSupported\":true,\"isMonitoringSupported\":true}"},
    {"baseImageId", "\"ocid1.image.oc1.phx.aaaaaaaaw6rrjxqcd4zqf7gwhbwjb2k5yf3hbs5p3lkvb5mdrz6qnxqsmyva\""},
    {"billableSizeInGBs", NULL},
    {"compartmentId", "null"},
    {"createImageAllowed", "true"},
    {"definedTags", "{}"},
    {"displayName", "\"image\""},
    {"freeformTags", "{}"},
    {"futureProperties",
     "{\"revision\":7,\"notes\":[\"A property that this version of the API does not describe\",null,true,1.5e3],"
     "\"displayName\":\"Not the name of the image\",\"lifecycleState\":\"UNHEARD_OF\","
     "\"nested\":{\"id\":\"ocid1.unknown.oc1.phx.aaaaaaaa7yqz3v5c2m4h6k8p\",\"list\":[{\"a\":{\"b\":[]}},{}],"
     "\"text\":\"\\u00e4 \\\"quoted\\\" \\\\ \"}}"},
    {"id", NULL},
    {"launchMode", "\"PARAVIRTUALIZED\""},
    {"launchOptions",
     "{\"bootVolumeType\":\"PARAVIRTUALIZED\",\"firmware\":\"UEFI_64\",\"isConsistentVolumeNamingEnabled\":true,"
     "\"isPvEncryptionInTransitEnabled\":true,\"networkType\":\"PARAVIRTUALIZED\","
     "\"remoteDataVolumeType\":\"PARAVIRTUALIZED\"}"},
    {"lifecycleState", "\"AVAILABLE\""},
    {"listingType", "\"NONE\""},
    {"operatingSystem", "\"Oracle Linux\""},
    {"operatingSystemVersion", "\"9\""},
    {"sizeInMBs", NULL},
    {"timeCreated", NULL},
    {NULL, NULL},
};

static const struct field boot_volume_fields[] = {
    {"autoTunedVpusPerGB", "null"},
    {"availabilityDomain", "\"Uocm:PHX-AD-1\""},
    {"compartmentId", "null"},
    {"definedTags", "{}"},
    {"displayName", "\"boot volume\""},
    {"freeformTags", "{}"},
    {"futureProperties", "{\"lifecycleState\":\"UNHEARD_OF\",\"list\":[{\"id\":1},null]}"},
    {"id", NULL},
    {"imageId", "\"ocid1.image.oc1.phx.aaaaaaaaw6rrjxqcd4zqf7gwhbwjb2k5yf3hbs5p3lkvb5mdrz6qnxqsmyva\""},
    {"isAutoTuneEnabled", "false"},
    {"isHydrated", "true"},
    {"kmsKeyId", "null"},
    {"lifecycleState", "\"AVAILABLE\""},
    {"sizeInGBs", "50"},
    {"sizeInMBs", "51200"},
    {"sourceDetails", "null"},
    {"systemTags", "{}"},
    {"timeCreated", NULL},
    {"volumeGroupId", "null"},
    {"vpusPerGB", "10"},
    {NULL, NULL},
};

static const struct field volume_fields[] = {
    {"autoTunedVpusPerGB", "null"},
    {"availabilityDomain", "\"Uocm:PHX-AD-1\""},
    {"clusterPlacementGroupId", "null"},
    {"compartmentId", "null"},
    {"definedTags", "{}"},
    {"displayName", "\"volume\""},
    {"freeformTags", "{}"},
    {"futureProperties", "{\"lifecycleState\":\"UNHEARD_OF\",\"list\":[{\"id\":1},null]}"},
    {"id", NULL},
    {"isAutoTuneEnabled", "false"},
    {"isHydrated", "true"},
    {"kmsKeyId", "null"},
    {"lifecycleState", "\"AVAILABLE\""},
    {"sizeInGBs", "100"},
    {"sizeInMBs", "102400"},
    {"sourceDetails", "null"},
    {"systemTags", "{}"},
    {"timeCreated", NULL},
    {"volumeGroupId", "null"},
    {"vpusPerGB", "10"},
    {NULL, NULL},
};

/* clang-format off */
#define COMMON_BACKUP_FIELDS \
    {"compartmentId", "null"}, \
    {"definedTags", "{}"}, \
    {"displayName", "\"backup\""}, \
    {"expirationTime", "null"}, \
    {"freeformTags", "{}"}, \
    {"futureProperty", "{\"lifecycleState\":\"UNHEARD_OF\"}"}, \
    {"id", NULL}, \
    {"kmsKeyId", "null"}, \
    {"lifecycleState", "\"AVAILABLE\""}, \
    {"sourceType", "\"MANUAL\""}, \
    {"systemTags", "{}"}, \
    {"timeCreated", NULL}, \
    {"timeRequestReceived", NULL}, \
    {"type", "\"INCREMENTAL\""}

static const struct field boot_volume_backup_fields[] = {
    {"bootVolumeId", "null"},
    COMMON_BACKUP_FIELDS,
    {"imageId", "\"ocid1.image.oc1.phx.aaaaaaaaw6rrjxqcd4zqf7gwhbwjb2k5yf3hbs5p3lkvb5mdrz6qnxqsmyva\""},
    {"sizeInGBs", "50"},
    {"sourceBootVolumeBackupId", "null"},
    {"uniqueSizeInGBs", "3"},
    {NULL, NULL},
};

static const struct field volume_backup_fields[] = {
    COMMON_BACKUP_FIELDS,
    {"sizeInGBs", "100"},
    {"sizeInMBs", "102400"},
    {"sourceVolumeBackupId", "null"},
    {"uniqueSizeInGBs", "3"},
    {"uniqueSizeInMbs", "3072"},
    {"volumeId", "null"},
    {NULL, NULL},
};
/* clang-format on */

/* An image of Huawei Cloud: almost all is text. What an image need not have is not here. */
static const struct field cloud_image_fields[] = {
    {"file", NULL},
    {"owner", "\"0123456789abcdef0123456789abcdef\""},
    {"id", NULL},
    {"size", "2"},
    {"self", NULL},
    {"schema", "\"/v2/schemas/image\""},
    {"status", "\"active\""},
    {"tags", "[]"},
    {"visibility", "\"private\""},
    {"name", "\"image\""},
    {"checksum", "\"99914b932bd37a50b983c5e7c90ae93b\""},
    {"protected", "false"},
    {"container_format", "\"bare\""},
    {"min_ram", "0"},
    {"updated_at", NULL},
    {"__os_bit", "\"64\""},
    {"__os_version", "\"Ubuntu 14.04 server 64bit\""},
    {"disk_format", "\"zvhd2\""},
    {"__isregistered", "\"true\""},
    {"__platform", "\"Ubuntu\""},
    {"__os_type", "\"Linux\""},
    {"min_disk", "40"},
    {"virtual_env_type", "\"FusionCompute\""},
    {"__image_source_type", "\"uds\""},
    {"__imagetype", "\"private\""},
    {"created_at", NULL},
    {"active_at", NULL},
    {"virtual_size", "0"},
    {"__originalimagename", "\"33ad552d-1149-471c-8190-ff6776174a00\""},
    {"__backup_id", "\"\""},
    {"__productcode", "\"\""},
    {"__image_size", "\"449261568\""},
    {"__data_origin", "null"},
    {"enterprise_project_id", "\"0\""},
    {"future_property", "{\"status\":\"unheard-of\",\"list\":[{\"id\":1},null,true,1.5e3]}"},
    {NULL, NULL},
};

/* An image of Glance; its extra properties, which are all text, come after these. */
static const struct field glance_image_fields[] = {
    {"name", "\"image\""},
    {"disk_format", "\"qcow2\""},
    {"container_format", "\"bare\""},
    {"visibility", "\"shared\""},
    {"size", "21233664"},
    {"virtual_size", "117440512"},
    {"status", "\"active\""},
    {"checksum", "\"9e107d9d372bb6826bd81d3542a419d6\""},
    {"protected", "false"},
    {"min_ram", "0"},
    {"min_disk", "0"},
    {"owner", "\"5ba9b3a7c31f4d2c8e6f0a1d2b3c4d5e\""},
    {"os_hidden", "false"},
    {"os_hash_algo", "\"sha512\""},
    {"os_hash_value", "\"07e547d9586f6a73f73fbac0435ed76951218fb7d0c8d788a309d785436bbb64"
                      "2e93a252a954f23912547d1e8a3b5ed6e1bfd7097821233fa0538f3db854fee6\""},
    {"id", NULL},
    {"created_at", NULL},
    {"updated_at", NULL},
    {"tags", "[]"},
    {"self", NULL},
    {"file", NULL},
    {"schema", "\"/v2/schemas/image\""},
    {NULL, NULL},
};

/* ---- states ---- */

static const char *const image_states[] = {
    "PROVISIONING", "IMPORTING", "AVAILABLE", "EXPORTING", "DISABLED", "DELETED", NULL,
};
static const char *const volume_states[] = {
    "PROVISIONING", "RESTORING", "AVAILABLE", "TERMINATING", "TERMINATED", "FAULTY", NULL,
};
static const char *const backup_states[] = {
    "CREATING", "AVAILABLE", "TERMINATING", "TERMINATED", "FAULTY", "REQUEST_RECEIVED", NULL,
};

static const char *const cloud_image_states[] = {
    "queued", "saving", "deleted", "killed", "active", "pending_delete", NULL,
};

static const char *const glance_image_states[] = {
    "queued", "saving", "active", "killed", "deleted", "pending_delete", "deactivated", "uploading", "importing", NULL,
};

/* ---- parameters of the lists: name, repeated, filter ---- */

static const struct parameter image_parameters[] = {
    {"compartmentId", true, true},
    {"displayName", true, true},
    {"operatingSystem", true, true},
    {"operatingSystemVersion", true, true},
    {"shape", true, false},
    {"lifecycleState", true, true},
    {"sortBy", true, false},
    {"sortOrder", true, false},
    {"limit", false, false},
    {"page", false, false},
    {NULL, false, false},
};

static const struct parameter boot_volume_parameters[] = {
    {"availabilityDomain", true, true}, {"compartmentId", true, true}, {"limit", false, false}, {"page", false, false},
    {"volumeGroupId", true, true},      {NULL, false, false},
};

static const struct parameter volume_parameters[] = {
    {"availabilityDomain", true, true},
    {"compartmentId", true, true},
    {"limit", false, false},
    {"page", false, false},
    {"displayName", true, true},
    {"sortBy", true, false},
    {"sortOrder", true, false},
    {"volumeGroupId", true, true},
    {"clusterPlacementGroupId", true, true},
    {"lifecycleState", true, true},
    {NULL, false, false},
};

/* clang-format off */
#define COMMON_BACKUP_PARAMETERS \
    {"compartmentId", true, true}, \
    {"displayName", true, true}, \
    {"limit", false, false}, \
    {"page", false, false}, \
    {"sortBy", true, false}, \
    {"sortOrder", true, false}, \
    {"lifecycleState", true, true}
/* clang-format on */

static const struct parameter boot_volume_backup_parameters[] = {
    {"bootVolumeId", true, true},
    {"sourceBootVolumeBackupId", true, true},
    COMMON_BACKUP_PARAMETERS,
    {NULL, false, false},
};

static const struct parameter volume_backup_parameters[] = {
    {"volumeId", true, true},
    {"sourceVolumeBackupId", true, true},
    COMMON_BACKUP_PARAMETERS,
    {NULL, false, false},
};

/* ---- members of request bodies ---- */

static bool check_string(const cJSON *value, size_t limit, struct reply *reply)
{
    if (!cJSON_IsString(value)) {
        reply_error(reply, "InvalidParameter", "%s is not a string", value->string);
        return false;
    }
    size_t characters = json_characters(value->valuestring);
    if (characters < 1 || characters > limit) {
        reply_error(reply, "InvalidParameter", "%s has %zu characters, not 1 to %zu", value->string, characters, limit);
        return false;
    }
    return true;
}

static bool check_freeform(const cJSON *value, size_t limit, struct reply *reply)
{
    (void)limit;
    return tags_check_freeform(value, reply);
}

static bool check_defined(const cJSON *value, size_t limit, struct reply *reply)
{
    (void)limit;
    return tags_check_defined(value, reply);
}

static bool check_boolean(const cJSON *value, size_t limit, struct reply *reply)
{
    (void)limit;
    if (!cJSON_IsBool(value)) {
        reply_error(reply, "InvalidParameter", "%s is not a boolean", value->string);
    }
    return cJSON_IsBool(value);
}

static bool is_one_of(const char *text, const char *one, const char *other)
{
    return text != NULL && (strcmp(text, one) == 0 || strcmp(text, other) == 0);
}

static bool check_type(const cJSON *value, size_t limit, struct reply *reply)
{
    bool good = is_one_of(cJSON_GetStringValue(value), "FULL", "INCREMENTAL");

    (void)limit;
    if (!good) {
        reply_error(reply, "InvalidParameter", "type is not FULL or INCREMENTAL");
    }
    return good;
}

static bool check_retention(const cJSON *value, size_t limit, struct reply *reply)
{
    double amount = json_number(value, "retentionTimeAmount", 0);
    bool good = cJSON_IsObject(value) && cJSON_GetArraySize(value) == 2 &&
                is_one_of(json_string(value, "retentionTimeUnit"), "DAYS", "YEARS") && amount >= 1 &&
                amount == (double)(long)amount;

    (void)limit;
    if (!good) {
        reply_error(reply, "InvalidParameter", "retentionPeriod is not a unit (DAYS, YEARS) and a whole amount");
    }
    return good;
}

static const struct member image_updatable[] = {
    {"displayName", check_string, 255, false},
    {"operatingSystem", check_string, 128, false},
    {"operatingSystemVersion", check_string, 128, false},
    {"freeformTags", check_freeform, 0, false},
    {"definedTags", check_defined, 0, false},
    {NULL, NULL, 0, false},
};

/* clang-format off */
#define BACKUP_MEMBERS \
    {"displayName", check_string, 255, false}, \
    {"freeformTags", check_freeform, 0, false}, \
    {"definedTags", check_defined, 0, false}, \
    {"kmsKeyId", check_string, 255, false}, \
    {"retentionPeriod", check_retention, 0, false}, \
    {"isPreventDeletionEnabled", check_boolean, 0, false}, \
    {"isRetentionLockEnabled", check_boolean, 0, false}, \
    {"isIndefiniteRetentionEnabled", check_boolean, 0, false}
/* clang-format on */

static const struct member backup_updatable[] = {
    BACKUP_MEMBERS,
    {NULL, NULL, 0, false},
};

static const struct member boot_volume_backup_creatable[] = {
    {"bootVolumeId", check_string, 255, true},
    {"type", check_type, 0, false},
    BACKUP_MEMBERS,
    {NULL, NULL, 0, false},
};

static const struct member volume_backup_creatable[] = {
    {"volumeId", check_string, 255, true},
    {"type", check_type, 0, false},
    BACKUP_MEMBERS,
    {NULL, NULL, 0, false},
};

/* ---- the table ---- */

#define OCI_KEYS                                                                                                       \
    {                                                                                                                  \
        "displayName", "lifecycleState", "timeCreated", "compartmentId", NULL                                          \
    }
#define IMS_KEYS                                                                                                       \
    {                                                                                                                  \
        "name", "status", "created_at", "owner", "updated_at"                                                          \
    }

static const struct kind kinds[KIND_COUNT] = {
    [KIND_IMAGE] =
        {
            .name = "image",
            .collection = "images",
            .type = "image",
            .keys = OCI_KEYS,
            .states = image_states,
            .dead = "DELETED",
            .fields = image_fields,
            .parameters = image_parameters,
            .updatable = image_updatable,
            .filters = {"operatingSystem", "operatingSystemVersion"},
        },
    [KIND_BOOT_VOLUME] =
        {
            .id = KIND_BOOT_VOLUME,
            .name = "bootVolume",
            .collection = "bootVolumes",
            .type = "bootvolume",
            .keys = OCI_KEYS,
            .states = volume_states,
            .dead = "TERMINATED",
            .fields = boot_volume_fields,
            .parameters = boot_volume_parameters,
            .filters = {"availabilityDomain", "volumeGroupId"},
        },
    [KIND_VOLUME] =
        {
            .id = KIND_VOLUME,
            .name = "volume",
            .collection = "volumes",
            .type = "volume",
            .keys = OCI_KEYS,
            .states = volume_states,
            .dead = "TERMINATED",
            .fields = volume_fields,
            .parameters = volume_parameters,
            .filters = {"availabilityDomain", "volumeGroupId", "clusterPlacementGroupId"},
        },
    [KIND_BOOT_VOLUME_BACKUP] =
        {
            .id = KIND_BOOT_VOLUME_BACKUP,
            .name = "bootVolumeBackup",
            .collection = "bootVolumeBackups",
            .type = "bootvolumebackup",
            .keys = OCI_KEYS,
            .states = backup_states,
            .dead = "TERMINATED",
            .fields = boot_volume_backup_fields,
            .parameters = boot_volume_backup_parameters,
            .updatable = backup_updatable,
            .creatable = boot_volume_backup_creatable,
            .filters = {"bootVolumeId", "sourceBootVolumeBackupId"},
            .source = "bootVolumeId",
            .source_kind = KIND_BOOT_VOLUME,
        },
    [KIND_VOLUME_BACKUP] =
        {
            .id = KIND_VOLUME_BACKUP,
            .name = "volumeBackup",
            .collection = "volumeBackups",
            .type = "volumebackup",
            .keys = OCI_KEYS,
            .states = backup_states,
            .dead = "TERMINATED",
            .fields = volume_backup_fields,
            .parameters = volume_backup_parameters,
            .updatable = backup_updatable,
            .creatable = volume_backup_creatable,
            .filters = {"volumeId", "sourceVolumeBackupId"},
            .source = "volumeId",
            .source_kind = KIND_VOLUME,
        },
    [KIND_CLOUD_IMAGE] =
        {
            .id = KIND_CLOUD_IMAGE,
            .name = "cloudImage",
            .collection = "cloudimages",
            .type = "cloudimage",
            .keys = IMS_KEYS,
            .states = cloud_image_states,
            .dead = "deleted",
            .fields = cloud_image_fields,
            .filters = {"visibility", "__imagetype", "enterprise_project_id"},
        },
    [KIND_GLANCE_IMAGE] =
        {
            .id = KIND_GLANCE_IMAGE,
            .name = "glanceImage",
            .collection = "glanceimages",
            .type = "glanceimage",
            .keys = IMS_KEYS,
            .states = glance_image_states,
            .dead = "deleted",
            .fields = glance_image_fields,
            .filters = {"visibility"},
        },
};

const struct kind *kind_at(enum kind_id id)
{
    return &kinds[id];
}

const struct kind *kind_of_collection(const char *collection, size_t length)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strlen(kinds[i].collection) == length && strncmp(kinds[i].collection, collection, length) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

bool kind_has_state(const struct kind *kind, const char *state)
{
    for (size_t i = 0; kind->states[i] != NULL; i++) {
        if (strcasecmp(kind->states[i], state) == 0) {
            return true;
        }
    }
    return false;
}

/* What is made from the rest of the image. */
static cJSON *cloud_image_value(const char *name, const cJSON *partial, unsigned long sequence)
{
    const char *known = json_string(partial, "created_at");
    char created[CLOCK_TEXT];

    if (strcmp(name, "file") == 0 || strcmp(name, "self") == 0) {
        char *path = xprintf("/v2/images/%s%s", json_string(partial, "id"), name[0] == 'f' ? "/file" : "");
        cJSON *value = cJSON_CreateString(path);
        free(path);
        return value;
    }
    clock_rfc3339_seconds((FIRST_CREATED + 60 * (int64_t)sequence) * CLOCK_SECOND, created);
    return cJSON_CreateString(known != NULL ? known : created);
}

static cJSON *default_value(const struct kind *kind, const struct field *field, const cJSON *partial,
                            unsigned long sequence)
{
    char created[CLOCK_TEXT];

    if (field->json != NULL) {
        return cJSON_Parse(field->json);
    }
    if (kind->id == KIND_CLOUD_IMAGE || kind->id == KIND_GLANCE_IMAGE) {
        return cloud_image_value(field->name, partial, sequence);
    }
    if (strcmp(field->name, "billableSizeInGBs") == 0) {
        return cJSON_CreateNumber((double)(3 + sequence % 40));
    }
    if (strcmp(field->name, "sizeInMBs") == 0) {
        return cJSON_CreateNumber((double)(47694 + sequence % 7 * 1024));
    }
    clock_rfc3339((FIRST_CREATED + 60 * (int64_t)sequence) * CLOCK_SECOND, created);
    return cJSON_CreateString(created);
}

cJSON *kind_complete(const struct kind *kind, const cJSON *partial, unsigned long sequence)
{
    cJSON *full = cJSON_CreateObject();
    const cJSON *more;

    for (const struct field *field = kind->fields; field->name != NULL; field++) {
        const cJSON *given = json_member(partial, field->name);
        cJSON_AddItemToObject(full, field->name,
                              given != NULL ? cJSON_Duplicate(given, true)
                                            : default_value(kind, field, partial, sequence));
    }
    cJSON_ArrayForEach(more, partial)
    {
        if (json_member(full, more->string) == NULL) {
            cJSON_AddItemToObject(full, more->string, cJSON_Duplicate(more, true));
        }
    }
    return full;
}

static const struct member *find_member(const struct member *members, const char *name)
{
    for (; members->name != NULL; members++) {
        if (strcmp(members->name, name) == 0) {
            return members;
        }
    }
    return NULL;
}

bool kind_check_body(const struct member *members, const cJSON *body, struct reply *reply)
{
    const cJSON *given;

    if (!cJSON_IsObject(body)) {
        reply_error(reply, "InvalidParameter", "The body is not a JSON object");
        return false;
    }
    for (const struct member *member = members; member->name != NULL; member++) {
        if (member->required && json_member(body, member->name) == NULL) {
            reply_error(reply, "MissingParameter", "%s is required", member->name);
            return false;
        }
    }
    if (body->child == NULL) {
        reply_error(reply, "InvalidParameter", "The body has no property to update");
        return false;
    }
    cJSON_ArrayForEach(given, body)
    {
        const struct member *member = find_member(members, given->string);
        if (member == NULL) {
            reply_error(reply, "InvalidParameter", "Unrecognized property '%s'", given->string);
            return false;
        }
        if (!member->check(given, member->limit, reply)) {
            return false;
        }
    }
    return true;
}

const char *kind_check_partial(const cJSON *partial)
{
    static const char *const texts[] = {
        "id",         "compartmentId", "displayName",    "timeCreated", "operatingSystem", "operatingSystemVersion",
        "volumeId",   "bootVolumeId",  "lifecycleState", "name",        "status",          "owner",
        "created_at", "updated_at"};
    const cJSON *tags = json_member(partial, "definedTags"), *space;

    if (!cJSON_IsObject(partial)) {
        return "a resource is a JSON object";
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const cJSON *member = json_member(partial, texts[i]);
        if (member != NULL && !cJSON_IsString(member) && !cJSON_IsNull(member)) {
            return "a resource's names, states and times are strings or null";
        }
    }
    if (tags != NULL && !cJSON_IsObject(tags) && !cJSON_IsNull(tags)) {
        return "definedTags is a map of maps or null";
    }
    cJSON_ArrayForEach(space, tags)
    {
        if (!cJSON_IsObject(space)) {
            return "definedTags is a map of maps or null";
        }
    }
    return NULL;
}
