/* Time zones from the files of the tz database: below $TZDIR, or else /usr/share/zoneinfo. */
#pragma once

#include "schedule/zone.h"

/* The zone of an IANA name ("Europe/Berlin"); "UTC" needs no file. ERROR_SPEC when there is no such zone, with the name
 * that was probably meant; ERROR_LOCAL when the database is missing or its file cannot be read. *ret is the caller's to
 * free. */
int zone_load(const char *name, Zone **ret, Error **err);
