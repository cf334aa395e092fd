/*
 * Problems found in files: every one of them is collected with its place, so that they can all be shown at once, the
 * way a compiler does: `file:line:column: error: message`, the line itself, a caret.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "data/node.h"

typedef enum ProblemLevel {
    PROBLEM_ERROR,
    PROBLEM_WARNING,
} ProblemLevel;

typedef struct Problems Problems;

Problems *problems_new(void) __attribute__((returns_nonnull));
void problems_free(Problems *problems);
DEFINE_CLEANUP(Problems, problems_free)

/* Lends the text of `file` so that excerpts can be cut from it, which is done when a problem is added; ends with
 * problems_forget_source, before the text goes. */
void problems_add_source(Problems *problems, const char *file, const char *text, size_t size);
void problems_forget_source(Problems *problems, const char *file);

/* Adds one. `file` and the message are copied, control characters in them become '?'. A mark of {0,0} means the file as
 * a whole. Of more than 1000 the rest is only counted. */
void problem_add(Problems *problems, ProblemLevel level, const char *file, Mark mark, const char *format, ...)
    PRINTF(5, 6);

size_t problems_errors(const Problems *problems);
size_t problems_count(const Problems *problems);

/* Adds all of them to `out` as text, sorted by file and place; `colour` for a terminal. At most 100 are shown, then the
 * number of the rest. */
void problems_format(const Problems *problems, bool colour, Str *out);
/* "file:line:column: message" of the first error, or NULL. Borrowed. */
const char *problems_first(Problems *problems);
