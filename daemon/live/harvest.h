/*
 * The backups that schedules have, picked out of a list of all backups while it is read: of each only what the pure
 * rules need, and of those that no schedule claims nothing at all.
 */
#pragma once

#include "live/live.h"

typedef struct Harvest Harvest;

/* For the schedules of `account` among `specs`; what it finds goes to `snapshot`. `kind` is that of the backups. */
Harvest *harvest_new(const Kind *kind, const Specs *specs, const char *account, Snapshot *snapshot);
void harvest_free(Harvest *harvest);
DEFINE_CLEANUP(Harvest, harvest_free)

/* The schedule is about this volume, of which its container is known. */
void harvest_add(Harvest *harvest, const Spec *schedule, const Live *volume);
/* Where backups are to be looked for: the container, and the volume if it is the only one there that matters to the
 * schedule. Called once for each; may repeat itself. */
void harvest_each_list(const Harvest *harvest, void (*want)(void *userdata, const char *container, const char *volume),
                       void *userdata);

/* One item of a list. ERROR_PROTOCOL where something that is ours cannot be understood. */
int harvest_take(Harvest *harvest, const JsonItem *item, Error **err);
/* A list broke off: nothing is known of the schedules that have backups there. */
void harvest_fail(Harvest *harvest, const char *container, const char *volume, const Error *error);
/* All lists have been read. What two pages showed is one backup, unsure if they showed it differently. */
void harvest_end(Harvest *harvest);
