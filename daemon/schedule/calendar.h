/*
 * When: the calendar grammar of systemd.time(7), and cron(5)'s five fields, as sets of years, months, days, hours,
 * minutes and seconds; and which instants they name. Pure.
 *
 * Instants are those that `systemd-analyze calendar` gives, but for the nights on which clocks change: a time that
 * falls into the gap is made at the first instant after it (several of them are one), and one in the repeated hour at
 * its first occurrence. Where systemd 252 departs from its manual the manual counts: a step without an end starts anew
 * with each year, month, day, hour or minute, and in a list every day before the month's end may be as far as the 28th
 * from it.
 */
#pragma once

#include "schedule/zone.h"

typedef struct Calendar Calendar;

/* "Mon..Fri *-*-* 02:00:00", "daily", … ERROR_SPEC with a message that says what is wrong with which part of the text.
 */
int calendar_parse(const char *text, Calendar **ret, Error **err);
/* "0 2 * * 1-5", "@daily", … Likewise. Days of the month and of the week that are both restricted (do not begin with *)
 * are alternatives (crontab(5)). */
int calendar_parse_cron(const char *text, Calendar **ret, Error **err);
void calendar_free(Calendar *calendar);
DEFINE_CLEANUP(Calendar, calendar_free)

/* The IANA name of the zone at the end of the text, or NULL; not known to exist. "UTC" for UTC, and for @SECONDS, which
 * is one instant whatever the zone. */
const char *calendar_zone(const Calendar *calendar);

/* The first instant after `after`, resp. the last one before `before`; both exclusive. False: there is none (until
 * 2199, from 1970 on). */
bool calendar_next(const Calendar *calendar, const Zone *zone, usec_t after, usec_t *ret);
bool calendar_previous(const Calendar *calendar, const Zone *zone, usec_t before, usec_t *ret);
/* Is this one of its instants? */
bool calendar_has(const Calendar *calendar, const Zone *zone, usec_t instant);
