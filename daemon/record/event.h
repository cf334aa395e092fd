/* What happens and operators act on: one row for one kind of event, each with its MESSAGE_ID. */
#pragma once

#include "base/log.h"

typedef enum Event {
    EVENT_STARTED,
    EVENT_STOPPING,
    EVENT_SPECS_LOADED,
    EVENT_SPECS_REJECTED,
    EVENT_RELOADED,
    EVENT_RELOAD_REFUSED,
    EVENT_DRIFT, /* found, and only reported */
    EVENT_UPDATED,
    EVENT_CREATED,
    EVENT_DELETED,
    EVENT_AVAILABLE,    /* a backup that was asked for is there */
    EVENT_FAULTY,       /* or became nothing */
    EVENT_MISSED,       /* slots of a schedule */
    EVENT_VANISHED,     /* a volume of a schedule */
    EVENT_SLOT_DELETED, /* the backup of a slot, by somebody else */
    EVENT_LIMIT,        /* a schedule will need a higher one */
    EVENT_HELD,
    EVENT_FAILED, /* reading or writing an object */
    EVENT_ACCESS_UNCERTAIN,
    EVENT_NOT_CONVERGING,
    EVENT_ACCOUNT_FAILED, /* many documents of an account, for one reason */
    EVENT_RECOVERED,
    EVENT_CLOCK,
    EVENT_SPECS_FETCHED, /* a commit has become current */
    EVENT_SYNC_REFUSED,  /* a commit must not */
    EVENT_SYNC_FAILED,
    EVENT_MAX,
} Event;

/* Logs it: MESSAGE_ID and IMAGEKEEPER_EVENT are added to `fields`. */
void event_log(const Log *log, Event event, const LogField *fields, size_t n, const char *format, ...) PRINTF(5, 6);
