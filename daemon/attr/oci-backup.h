/* The tables of kinds OciVolumeBackup and OciBootVolumeBackup, and of the volumes that they are made of. */
#pragma once

#include "attr/kind.h"

extern const Kind oci_volume_backup, oci_boot_volume_backup;
/* Only looked at: no document declares one. */
extern const Kind oci_volume, oci_boot_volume;
