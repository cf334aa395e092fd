/*
 * What was done, read back from entries of the journal. Pure: an entry's fields come in as bytes that nobody has
 * checked, of any size, and go out as text or JSON.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/str.h"
#include "record/event.h"

/* More of a field is not looked at. */
#define HISTORY_FIELD_MAX ((size_t)1024 * 1024)

/* One entry. */
typedef struct HistoryRecord HistoryRecord;

/* An empty one, of that time (wall). */
HistoryRecord *history_record_new(usec_t time) __attribute__((returns_nonnull));
void history_record_free(HistoryRecord *record);
DEFINE_CLEANUP(HistoryRecord, history_record_free)
/* Takes a field, "NAME=value"; those that are not ours are passed over. */
void history_record_add(HistoryRecord *record, const void *data, size_t size);
/* The text of a field, or NULL. Of a field with several values it is one of them. */
const char *history_record_get(const HistoryRecord *record, EntryField field);

typedef struct HistoryFilter {
    bool events[EVENT_MAX];
    const char *globs[ENTRY_FIELD_MAX]; /* NULL: anything, or nothing at all */
    usec_t since, until;                /* wall, both included */
    const char *instance;               /* of imagekeeperd@NAME alone; NULL: of any */
    const char *folder;                 /* where this program is, with its slash; NULL: not known */
} HistoryFilter;

/* Is it one of those that were asked for, whoever wrote it? */
bool history_is_wanted(const HistoryFilter *filter, const HistoryRecord *record);

/* Both go by what the journal itself notes about the writer. */

/* Was it surely written by us: by a unit of the system's manager, imagekeeperd or imagekeeper-sync or an instance of
 * one, or by root with one of our programs where root alone puts programs, or where we are? */
bool history_is_verified(const HistoryFilter *filter, const HistoryRecord *record);
/* That, or by anybody with one of those programs. Which file was run does not tell whose code ran: who runs a program
 * may load his own into it. */
bool history_is_ours(const HistoryFilter *filter, const HistoryRecord *record);

typedef struct HistoryStyle {
    bool json;
    bool colour;
} HistoryStyle;

/* Adds a wanted record, whole lines that no terminal takes for anything else. */
void history_format(const HistoryFilter *filter, const HistoryRecord *record, const HistoryStyle *style, Str *out);
