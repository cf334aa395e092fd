/*
 * OciVolumeBackup and OciBootVolumeBackup: the rows of backups on OCI (UpdateVolumeBackup, UpdateBootVolumeBackup, api
 * 20160918). Their updates take if-match and no retry token. Backups get copies of their volume's tags.
 */
#include "config.h"

#include "attr/oci-backup.h"

#include "attr/oci-rows.h"
#include "schedule/slot.h"

static const char *const states[] = {"REQUEST_RECEIVED", "CREATING", "AVAILABLE", "FAULTY", "TERMINATING", "TERMINATED", NULL};
static const char *const volume_states[] = {"PROVISIONING", "RESTORING", "AVAILABLE", "TERMINATING", "TERMINATED", "FAULTY", NULL};
const char *const oci_block_writable_states[] = {"AVAILABLE", NULL};
const char *const oci_block_gone_states[] = {"TERMINATING", "TERMINATED", NULL};
const char *const oci_backup_types[] = {"FULL", "INCREMENTAL", NULL};
static const char *const source_types[] = {"MANUAL", "SCHEDULED", NULL};

const char *const oci_backup_own_tags[] = {IDENTITY_TAG, PRUNE_TAG, NULL};

#define VOLUME_CONDITION(name, noun)                                                           \
    {                                                                                          \
        name, .type = FIELD_TEXT, .min = 1, .max = 255, .prefix = "ocid1.",                    \
        .doc = "OCID of the " noun " that the backup was made of"                              \
    }

#define TYPE_CONDITIONS                                                                                               \
    {"type", .type = FIELD_ENUM, .flags = FIELD_FOLD, .values = oci_backup_types, .doc = "the backup's type, FULL or INCREMENTAL"}, \
    {"sourceType", .type = FIELD_ENUM, .flags = FIELD_FOLD, .values = source_types,                                   \
     .doc = "MANUAL (ours too), or SCHEDULED by a backup policy of OCI"}

/* What is the same of volumes and backups in the API. */
#define OF_BLOCK_STORAGE                                                                                               \
    .account_type = "oci", .flags = KIND_IF_MATCH, .id = "id", .container = "compartmentId", .state = "lifecycleState", \
    .times = {"timeRequestReceived", "timeCreated"},                                                                   \
    .writable_states = oci_block_writable_states, .gone_states = oci_block_gone_states, .failed_state = "FAULTY"

static const Field volume_backup_selector[] = {
    OCI_COMPARTMENT("volume backups"),
    VOLUME_CONDITION("volumeId", "volume"),
    OCI_DISPLAY_NAME_GLOB("backup"),
    TYPE_CONDITIONS,
    OCI_STATE("backup", states),
    OCI_TAG_CONDITIONS("backup"),
    {0},
};

static const Field volume_backup_fields[] = {
    KIND_ACCOUNT,
    {"volumeBackupId", .wire = "id", .type = FIELD_TEXT, .flags = FIELD_TARGET, .min = 1, .max = 255, .prefix = "ocid1.",
     .doc = "OCID of the volume backup"},
    {"selector", .type = FIELD_MAP, .members = volume_backup_selector,
     .doc = "instead of volumeBackupId: every volume backup that meets all conditions"},
    OCI_DISPLAY_NAME("backup"),
    OCI_TAGS(oci_backup_own_tags),
    {0},
};

const Kind oci_volume_backup = {
    .name = "OciVolumeBackup",
    .noun = "volume backup",
    OF_BLOCK_STORAGE,
    .collection = "/20160918/volumeBackups",
    .fields = volume_backup_fields,
    .source = "volumeId",
    .source_kind = &oci_volume,
    .doc = "name and tags of a block volume backup on Oracle Cloud Infrastructure",
};

static const Field boot_volume_backup_selector[] = {
    OCI_COMPARTMENT("boot volume backups"),
    VOLUME_CONDITION("bootVolumeId", "boot volume"),
    OCI_DISPLAY_NAME_GLOB("backup"),
    TYPE_CONDITIONS,
    OCI_STATE("backup", states),
    OCI_TAG_CONDITIONS("backup"),
    {0},
};

static const Field boot_volume_backup_fields[] = {
    KIND_ACCOUNT,
    {"bootVolumeBackupId", .wire = "id", .type = FIELD_TEXT, .flags = FIELD_TARGET, .min = 1, .max = 255, .prefix = "ocid1.",
     .doc = "OCID of the boot volume backup"},
    {"selector", .type = FIELD_MAP, .members = boot_volume_backup_selector,
     .doc = "instead of bootVolumeBackupId: every boot volume backup that meets all conditions"},
    {"bootVolumeId", .type = FIELD_TEXT, .flags = FIELD_SOURCE, .min = 1, .max = 255, .prefix = "ocid1.",
     .doc = "instead of both: OCID of the boot volume of which one backup is to exist"},
    {"type", .type = FIELD_ENUM, .flags = FIELD_CREATE, .values = oci_backup_types,
     .doc = "with bootVolumeId: how it is made, FULL or INCREMENTAL (what OCI takes when nothing is said)"},
    OCI_DISPLAY_NAME("backup"),
    OCI_TAGS(oci_backup_own_tags),
    {0},
};

const Kind oci_boot_volume_backup = {
    .name = "OciBootVolumeBackup",
    .noun = "boot volume backup",
    OF_BLOCK_STORAGE,
    .collection = "/20160918/bootVolumeBackups",
    .fields = boot_volume_backup_fields,
    .source = "bootVolumeId",
    .source_kind = &oci_boot_volume,
    .doc = "name and tags of a boot volume backup on Oracle Cloud Infrastructure",
};

/* Of a volume its backups bear copies of the tags; a schedule needs its name, too. */
#define VOLUME_FIELDS(noun)                                                                                          \
    {"id", .type = FIELD_TEXT, .flags = FIELD_TARGET, .min = 1, .max = 255, .prefix = "ocid1.", .doc = "OCID of the " noun}, \
    OCI_DISPLAY_NAME(noun),                                                                                          \
    OCI_TAGS(NULL)

static const Field volume_fields[] = {VOLUME_FIELDS("volume"), {0}};

const Kind oci_volume = {
    .name = "OciVolume",
    .noun = "volume",
    OF_BLOCK_STORAGE,
    .collection = "/20160918/volumes",
    .fields = volume_fields,
    .doc = "a block volume, which backups are made of",
};

const Field oci_boot_volume_selector[] = {
    OCI_COMPARTMENT("boot volumes"),
    OCI_DISPLAY_NAME_GLOB("boot volume"),
    OCI_STATE("boot volume", volume_states),
    OCI_TAG_CONDITIONS("boot volume"),
    {0},
};

static const Field boot_volume_fields[] = {
    VOLUME_FIELDS("boot volume"),
    {"selector", .type = FIELD_MAP, .members = oci_boot_volume_selector, .doc = "every boot volume that meets all conditions"},
    {0},
};

const Kind oci_boot_volume = {
    .name = "OciBootVolume",
    .noun = "boot volume",
    OF_BLOCK_STORAGE,
    .collection = "/20160918/bootVolumes",
    .fields = boot_volume_fields,
    .doc = "a boot volume, which backups are made of",
};
