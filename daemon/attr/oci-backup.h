/* The tables of kinds OciVolumeBackup and OciBootVolumeBackup, and of the volumes that they are made of. */
#pragma once

#include "attr/kind.h"

/* FULL, INCREMENTAL. */
extern const char *const oci_backup_types[];
/* Keys of the free-form tags that say whose a backup is, and when it may be deleted. */
extern const char *const oci_backup_own_tags[];

extern const Kind oci_volume_backup, oci_boot_volume_backup;
/* States of volumes and backups. */
extern const char *const oci_block_writable_states[], *const oci_block_gone_states[];
/* The conditions on boot volumes. */
extern const Field oci_boot_volume_selector[];
/* Only looked at: no document declares one. */
extern const Kind oci_volume, oci_boot_volume;
