/* status.json as it is read again: what it says of the daemon's health, and its words for people. */
#pragma once

#include "base/clock.h"
#include "base/str.h"
#include "data/node.h"

typedef enum Health {
    HEALTH_IN_SYNC,     /* or suspended, which ends by itself */
    HEALTH_DIFFERENCES, /* something differs, waits or is held */
    HEALTH_ERRORS,
} Health;

Health status_health(const Node *status);

/* Has a round been over when this was told? Before that it says nothing of any object. */
bool status_is_seen(const Node *status);

/* Why what was told may not be so any more: nobody tells it (`running` false), or it is older than three intervals.
 * NULL: it may be relied on. The caller frees it. */
char *status_doubt(const Node *status, bool running, usec_t now);

/* All of it; with `failed` only the objects that are not well. */
void status_show(const Node *status, bool failed, Str *out);
/* All of it on a screen of that size, what is not well first; what does not fit is counted. */
void status_show_screen(const Node *status, bool failed, size_t rows, size_t columns, Str *out);
/* The objects whose state or reason is another one than `before` (NULL: all), and those that are told of no more,
 * unless their document cannot be looked at; with `failed` only those that are not well, or were not. */
void status_show_changes(const Node *before, const Node *status, bool failed, Str *out);
