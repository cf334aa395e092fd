/*
 * The one logging call. Under the journal (or with it within reach) an entry goes there with its fields; otherwise the
 * same words go to stderr. Code below the programs and record/ does not log: it returns errors.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

#include "base/alloc.h"

typedef enum LogTarget {
    LOG_TARGET_AUTO,    /* the journal if stderr is connected to it, else stderr */
    LOG_TARGET_JOURNAL, /* the journal if there is one, and never stderr: for commands, whose results are elsewhere */
} LogTarget;

typedef struct Log {
    LogTarget target;
    bool under_journal;
    bool colour;
    struct JournalSocket *journal;
} Log;

/* Looks once at where stderr goes. */
Log log_open(LogTarget target);
void log_done(Log *log);

typedef struct LogField {
    const char *name;  /* "IMAGEKEEPER_KIND"; may stand several times */
    const char *value; /* NULL: the field is left out */
} LogField;

/* `level` is one of syslog's. */
void log_send(const Log *log, int level, const char *message, const LogField *fields, size_t n);
