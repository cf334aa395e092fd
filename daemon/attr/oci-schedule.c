/*
 * OciBootVolumeBackupSchedule: the rows of what is made by the calendar of boot volumes (CreateBootVolumeBackup, api 20160918), and
 * of how long it stays. What no single row can tell is desired/timetable.c's.
 */
#include "config.h"

#include "attr/oci-schedule.h"

#include "attr/oci-backup.h"
#include "attr/oci-rows.h"
#include "schedule/calendar.h"
#include "schedule/keep.h"
#include "schedule/slot.h"

static int check_calendar(const char *text, Error **err)
{
    CLEANUP(calendar_freep) Calendar *calendar = NULL;
    return calendar_parse(text, &calendar, err);
}

static int check_cron(const char *text, Error **err)
{
    CLEANUP(calendar_freep) Calendar *calendar = NULL;
    return calendar_parse_cron(text, &calendar, err);
}

static int check_template(const char *text, Error **err)
{
    return template_check(text, false, err);
}

#define KEEP_ROW(name, what) {name, .type = FIELD_INT, .max = 100000, .doc = what}

/* In the order of KeepClass, whose names they bear. */
static const Field keep_fields[] = {
    KEEP_ROW("last", "so many of the newest"),
    KEEP_ROW("hourly", "the newest of each of the last so many hours that have one"),
    KEEP_ROW("daily", "likewise of days"),
    KEEP_ROW("weekly", "likewise of weeks (from Monday on)"),
    KEEP_ROW("monthly", "likewise of months"),
    KEEP_ROW("yearly", "likewise of years"),
    {0},
};

static const Field schedule_fields[] = {
    KIND_ACCOUNT,
    {"bootVolumeId", .wire = "id", .type = FIELD_TEXT, .flags = FIELD_TARGET, .min = 1, .max = 255, .prefix = "ocid1.",
     .doc = "OCID of the boot volume that backups are made of"},
    {"selector", .type = FIELD_MAP, .members = oci_boot_volume_selector,
     .doc = "instead of bootVolumeId: every boot volume that meets all conditions"},
    {"onCalendar", .type = FIELD_TEXT, .min = 1, .max = 1000, .check = check_calendar,
     .doc = "when, in the calendar syntax of systemd.time(7): \"*-*-* 02:00:00\""},
    {"cron", .type = FIELD_TEXT, .min = 1, .max = 1000, .check = check_cron,
     .doc = "instead of onCalendar: the five fields of crontab(5): \"0 2 * * *\""},
    {"timeZone", .type = FIELD_TEXT, .min = 1, .max = 128, .doc = "IANA name of the zone whose clocks count; UTC unless said otherwise"},
    {"randomizedDelay", .type = FIELD_DURATION, .max = 7 * USEC_PER_DAY,
     .doc = "each volume's backup is made up to so much later, by the same delay every time"},
    {"catchUp", .type = FIELD_DURATION, .min = USEC_PER_MINUTE, .max = 31 * USEC_PER_DAY,
     .doc = "a slot that was missed is still made this long after; 12h unless said otherwise"},
    {"type", .type = FIELD_ENUM, .flags = FIELD_CREATE, .values = oci_backup_types,
     .doc = "FULL or INCREMENTAL (what OCI takes when nothing is said)"},
    {"displayName", .type = FIELD_TEXT, .flags = FIELD_ATTRIBUTE, .min = 1, .max = 1000, .check = check_template,
     .doc = "the backups' name: {schedule}, {volume}, {volumeId}, {slot} and {slot:STRFTIME} are filled in"},
    OCI_TAGS(oci_backup_own_tags),
    {"keep", .type = FIELD_MAP, .members = keep_fields, .doc = "which backups stay; each class counts by itself"},
    {"prune", .type = FIELD_BOOL, .doc = "true: what keep drops is deleted; else it is only reported"},
    {"grace", .type = FIELD_DURATION, .min = USEC_PER_SEC, .max = 3660 * USEC_PER_DAY,
     .doc = "between the mark on a backup and its deletion; 24h unless said otherwise"},
    {0},
};

const Kind oci_boot_volume_backup_schedule = {
    .name = "OciBootVolumeBackupSchedule",
    .noun = "boot volume",
    .account_type = "oci",
    .collection = "/20160918/bootVolumes",
    .fields = schedule_fields,
    .id = "id",
    .container = "compartmentId",
    .state = "lifecycleState",
    .writable_states = oci_block_writable_states,
    .gone_states = oci_block_gone_states,
    .source_kind = &oci_boot_volume,
    .makes = &oci_boot_volume_backup,
    .doc = "backups of boot volumes on Oracle Cloud Infrastructure, made by a calendar, and which of them stay",
};
