#include "config.h"

#include "record/event.h"

#include "base/str.h"
#include "base/vec.h"

static const struct {
    const char *name;       /* in history */
    const char *message_id; /* never changes */
    int level;              /* syslog's */
    bool is_change;
} rows[EVENT_MAX] = {
    [EVENT_STARTED] = {"started", "44611f9125bc4437b8b230d5395531f7", LOG_INFO, false},
    [EVENT_STOPPING] = {"stopping", "a7bd534e8100407a923d6a4853484cbf", LOG_INFO, false},
    [EVENT_SPECS_LOADED] = {"specs-loaded", "acafc6d48930402c99d58c461226efed", LOG_INFO, false},
    [EVENT_SPECS_REJECTED] = {"specs-rejected", "0777f894d7594f3891d01f09dbb09d71", LOG_ERR, false},
    [EVENT_RELOADED] = {"reloaded", "b557874af4294b56bc667efe143a95f9", LOG_INFO, false},
    [EVENT_RELOAD_REFUSED] = {"reload-refused", "9d9176b489544741a9f98deb3ca99a3e", LOG_ERR, false},
    [EVENT_DRIFT] = {"drift", "47ec216ec6cc4cb6ae255c58fadeb6e5", LOG_NOTICE, false},
    [EVENT_UPDATED] = {"updated", "a317932121644fcb8f4c51ae845839ca", LOG_NOTICE, true},
    [EVENT_CREATED] = {"created", "33fa1b10b4854a18acdf49690583027d", LOG_NOTICE, true},
    [EVENT_DELETED] = {"deleted", "bb166fabfb9b41cb80760ef06503f4bf", LOG_NOTICE, true},
    [EVENT_AVAILABLE] = {"available", "3d2472aa550644adb36d3b2cfff75c8b", LOG_NOTICE, true},
    [EVENT_FAULTY] = {"faulty", "77486a3ae1644314bf8d3a3c116380e0", LOG_ERR, true},
    [EVENT_MISSED] = {"missed", "16b63c4b4fcc40f3a4fcd5f9f052c877", LOG_WARNING, true},
    [EVENT_VANISHED] = {"vanished", "2f5846f055464311bf7d7874b3d1ad93", LOG_WARNING, false},
    [EVENT_SLOT_DELETED] = {"slot-deleted", "d7a70d36fb5247159a09fe1e668f9942", LOG_WARNING, false},
    [EVENT_LIMIT] = {"limit", "9abb84a689ae4b6b84bbc4507c82727a", LOG_WARNING, false},
    [EVENT_HELD] = {"held", "23358c9c95904cc89bdfe5405ebb61d5", LOG_WARNING, true},
    [EVENT_FAILED] = {"failed", "44167391693445f1afdb726545144d6a", LOG_ERR, true},
    [EVENT_ACCESS_UNCERTAIN] = {"access-uncertain", "52d79c8e21424f559b9cd87fc16d20f3", LOG_ERR, true},
    [EVENT_NOT_CONVERGING] = {"not-converging", "5b653b0560b2454495c311cc2b60d956", LOG_ERR, true},
    [EVENT_ACCOUNT_FAILED] = {"account-failed", "122d024e5fa44a918184493fa542ac6f", LOG_ERR, true},
    [EVENT_RECOVERED] = {"recovered", "49fd1597201141f2968e5fdd706e2c8f", LOG_NOTICE, false},
    [EVENT_CLOCK] = {"clock", "d2fd7c965c854211b11be39aefb5d370", LOG_WARNING, false},
    [EVENT_SPECS_FETCHED] = {"specs-fetched", "c8b05692b84b4be88f8909650fcc115c", LOG_NOTICE, false},
    [EVENT_SYNC_REFUSED] = {"sync-refused", "527a1174dbcb43398773622bf913716c", LOG_ERR, false},
    [EVENT_SYNC_FAILED] = {"sync-failed", "dfb68c2946064f04a1b74f59a50b2dcc", LOG_ERR, false},
};

static const struct {
    const char *name;
    const char *member; /* in JSON */
    EntryType type;
} field_rows[ENTRY_FIELD_MAX] = {
    [ENTRY_MESSAGE_ID] = {"MESSAGE_ID", "messageId", ENTRY_AS_TEXT},
    [ENTRY_EVENT] = {"IMAGEKEEPER_EVENT", NULL, ENTRY_AS_NOTHING}, /* the id says it too, and rules */
    [ENTRY_KIND] = {"IMAGEKEEPER_KIND", "kind", ENTRY_AS_TEXT},
    [ENTRY_NAME] = {"IMAGEKEEPER_NAME", "name", ENTRY_AS_TEXT},
    [ENTRY_ACCOUNT] = {"IMAGEKEEPER_ACCOUNT", "account", ENTRY_AS_TEXT},
    [ENTRY_TARGET] = {"IMAGEKEEPER_TARGET", "target", ENTRY_AS_TEXT},
    [ENTRY_ACTION] = {"IMAGEKEEPER_ACTION", "action", ENTRY_AS_TEXT},
    [ENTRY_CREATED] = {"IMAGEKEEPER_CREATED", "created", ENTRY_AS_TEXT},
    [ENTRY_SLOT] = {"IMAGEKEEPER_SLOT", "slot", ENTRY_AS_TEXT},
    [ENTRY_LEFT_OUT] = {"IMAGEKEEPER_ATTRIBUTES_LEFT_OUT", "attributesLeftOut", ENTRY_AS_COUNT},
    [ENTRY_CHANGE] = {"IMAGEKEEPER_CHANGE", "attributes", ENTRY_AS_CHANGES},
    [ENTRY_ATTRIBUTE] = {"IMAGEKEEPER_ATTRIBUTE", NULL, ENTRY_AS_NOTHING},
    [ENTRY_FROM] = {"IMAGEKEEPER_FROM", NULL, ENTRY_AS_NOTHING},
    [ENTRY_TO] = {"IMAGEKEEPER_TO", NULL, ENTRY_AS_NOTHING},
    [ENTRY_REASON] = {"IMAGEKEEPER_REASON", "reason", ENTRY_AS_TEXT},
    [ENTRY_HTTP_STATUS] = {"IMAGEKEEPER_HTTP_STATUS", "status", ENTRY_AS_NUMBER},
    [ENTRY_OPC_REQUEST_ID] = {"IMAGEKEEPER_OPC_REQUEST_ID", "opcRequestId", ENTRY_AS_TEXT},
    [ENTRY_RETRY_TOKEN] = {"IMAGEKEEPER_RETRY_TOKEN", "retryToken", ENTRY_AS_TEXT},
    [ENTRY_SPEC] = {"IMAGEKEEPER_SPEC", "file", ENTRY_AS_PLACE},
    [ENTRY_REVISION] = {"IMAGEKEEPER_REVISION", "revision", ENTRY_AS_TEXT},
    [ENTRY_MESSAGE] = {"MESSAGE", "message", ENTRY_AS_TEXT},
    [ENTRY_UNIT] = {"_SYSTEMD_UNIT", "unit", ENTRY_AS_TEXT},
    [ENTRY_EXE] = {"_EXE", "exe", ENTRY_AS_TEXT},
    [ENTRY_UID] = {"_UID", "uid", ENTRY_AS_NUMBER},
    [ENTRY_LOGIN_UID] = {"_AUDIT_LOGINUID", "loginUid", ENTRY_AS_NUMBER},
    [ENTRY_PID] = {"_PID", "pid", ENTRY_AS_NUMBER},
    [ENTRY_HOST] = {"_HOSTNAME", "host", ENTRY_AS_TEXT},
};

const char *event_name(Event event)
{
    return rows[event].name;
}

const char *event_message_id(Event event)
{
    return rows[event].message_id;
}

int event_level(Event event)
{
    return rows[event].level;
}

bool event_is_change(Event event)
{
    return rows[event].is_change;
}

Event event_by_name(const char *name)
{
    Event event = 0;
    while (event < EVENT_MAX && !streq(rows[event].name, name))
        event++;
    return event;
}

Event event_by_message_id(const char *message_id)
{
    Event event = 0;
    while (event < EVENT_MAX && !streq(rows[event].message_id, message_id))
        event++;
    return event;
}

const char *entry_field_name(EntryField field)
{
    return field_rows[field].name;
}

EntryType entry_field_type(EntryField field)
{
    return field_rows[field].type;
}

const char *entry_field_member(EntryField field)
{
    return field_rows[field].member;
}

EntryField entry_field_find(const char *name, size_t size)
{
    EntryField field = 0;
    while (field < ENTRY_FIELD_MAX &&
           (strlen(field_rows[field].name) != size || memcmp(field_rows[field].name, name, size) != 0))
        field++;
    return field;
}

void event_log(const Log *log, Event event, const LogField *fields, size_t n, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *message = xvasprintf(format, args);
    va_end(args);
    VEC(LogField) all = {0};
    *VEC_ADD(&all) = (LogField){entry_field_name(ENTRY_MESSAGE_ID), rows[event].message_id};
    *VEC_ADD(&all) = (LogField){entry_field_name(ENTRY_EVENT), rows[event].name};
    for (size_t i = 0; i < n; i++)
        *VEC_ADD(&all) = fields[i];
    log_send(log, rows[event].level, message, all.items, all.n);
    VEC_DONE(&all);
}
