/* The table of kind OciBootVolumeBackupSchedule. */
#pragma once

#include "attr/kind.h"

extern const Kind oci_boot_volume_backup_schedule;
