/*
 * The name of one backup: (schedule, volume, slot), and everything that is derived from it and never from now: the
 * identity tag that the backup bears, the delay of its volume, its display name. Pure.
 */
#pragma once

#include "base/str.h"
#include "schedule/zone.h"

#define IDENTITY_TAG "imagekeeper"          /* key of the free-form tag that says whose a backup is */
#define PRUNE_TAG "imagekeeper-prune-after" /* key of the one that says when it may be deleted */
#define PRUNE_NEVER "never"                 /* its value: kept for good, by somebody's hand */

/* "2026-11-22T01:00:00Z"; a slot that is not a whole second shows its fraction. Returns the buffer. */
char *slot_format(usec_t slot, char buffer[static RFC3339_SIZE]);
/* "db-nightly@2026-11-22T01:00:00Z". */
void slot_add_tag(Str *out, const char *schedule, usec_t slot);
/* Reads such a tag. False: it is none of a schedule. *ret_size is the length of the schedule's name, with which the tag
 * begins. Only the form that slot_add_tag writes is taken. */
bool slot_read_tag(const char *tag, size_t *ret_size, usec_t *ret_slot);

/* How much later than the slot the volume's backup is made: less than `max`, the same for ever, spread evenly. 0 for
 * max 0. */
usec_t slot_delay(const char *schedule, const char *volume_id, usec_t max);

/* What fills a template. */
typedef struct SlotName {
    const char *schedule;
    const char *volume; /* display name */
    const char *volume_id;
    usec_t slot;
    const Zone *zone;
} SlotName;

/* Is `text` a template: {schedule}, {volume}, {volumeId}, {slot}, {slot:STRFTIME}, and {{ and }} for braces? ERROR_SPEC
 * with the part that is wrong (an unknown name with the nearest known one). With `one_off`, only {volume} and
 * {volumeId}. */
int template_check(const char *text, bool one_off, Error **err);
/* Fills a template that has been checked. {slot} is 20261122T010000Z; strftime's letters are in the C locale, and in
 * the zone. */
void template_fill(const char *text, const SlotName *name, Str *out);

#define DISPLAY_NAME_MAX 255 /* characters, not bytes: what the API takes */
/* Cuts a filled name to what the API takes, never in the middle of a character. */
void slot_cut_name(Str *name);
