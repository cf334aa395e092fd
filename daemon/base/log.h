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

/* Is it a terminal, and is colour not declined by a NO_COLOR that is not empty (no-color.org)? */
bool log_wants_colour(int fd);

/* `level` is one of syslog's. */
void log_send(const Log *log, int level, const char *message, const LogField *fields, size_t n);

/* The journal looks up who wrote an entry when it comes to read it, and a program that has ended by then is nobody.
 * This is to be called before the end by whoever may have logged just now: it returns once the journal knows who we
 * are, at once when nothing went there. */
void log_finish(const Log *log);
