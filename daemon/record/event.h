/*
 * What happens and operators act on: one row for one kind of event, each with its MESSAGE_ID; and one row for each
 * field of its entry in the journal. Who writes entries and who reads them back go by these rows.
 */
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

/* "updated" */
const char *event_name(Event event);
const char *event_message_id(Event event);
/* syslog's */
int event_level(Event event);
/* Was something done to the clouds, or was it tried, or should it have been? */
bool event_is_change(Event event);
/* EVENT_MAX: there is none. */
Event event_by_name(const char *name);
Event event_by_message_id(const char *message_id);

typedef enum EntryField {
    ENTRY_MESSAGE_ID,
    ENTRY_EVENT,
    ENTRY_KIND,
    ENTRY_NAME,
    ENTRY_ACCOUNT,
    ENTRY_TARGET,
    ENTRY_ACTION,
    ENTRY_CREATED, /* what was made of the target */
    ENTRY_SLOT,
    ENTRY_LEFT_OUT,  /* how many attributes have no ENTRY_CHANGE */
    ENTRY_CHANGE,    /* one for each attribute, whole in itself: {"path":…,"from":…,"to":…} */
    ENTRY_ATTRIBUTE, /* these three are for searching: the journal keeps neither the order of a field's values nor those
                      */
    ENTRY_FROM,      /* that are equal, so that they cannot be told apart again */
    ENTRY_TO,
    ENTRY_REASON,
    ENTRY_HTTP_STATUS,
    ENTRY_OPC_REQUEST_ID,
    ENTRY_RETRY_TOKEN,
    ENTRY_SPEC, /* file:line */
    ENTRY_REVISION,
    ENTRY_MESSAGE,
    /* What the journal itself adds, and nobody else can. */
    ENTRY_UNIT,
    ENTRY_EXE,
    ENTRY_UID,
    ENTRY_LOGIN_UID, /* who logged in, before sudo */
    ENTRY_PID,
    ENTRY_HOST,
    ENTRY_FIELD_MAX,
} EntryField;

/* How a field is shown as JSON. */
typedef enum EntryType {
    ENTRY_AS_TEXT,
    ENTRY_AS_NUMBER,
    ENTRY_AS_COUNT,   /* of what was left out, by whoever */
    ENTRY_AS_PLACE,   /* two members, `file` and `line` */
    ENTRY_AS_CHANGES, /* a list */
    ENTRY_AS_NOTHING,
} EntryType;

/* "IMAGEKEEPER_KIND" */
const char *entry_field_name(EntryField field);
EntryType entry_field_type(EntryField field);
/* "kind", in JSON; NULL for what is not shown by itself. */
const char *entry_field_member(EntryField field);
/* The field of that name, which need not end in NUL; ENTRY_FIELD_MAX: none of ours. */
EntryField entry_field_find(const char *name, size_t size);

/* Logs it: MESSAGE_ID and IMAGEKEEPER_EVENT are added to `fields`. */
void event_log(const Log *log, Event event, const LogField *fields, size_t n, const char *format, ...) PRINTF(5, 6);
