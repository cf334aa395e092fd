/* Growing strings, and the few questions about strings that libc does not answer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"

/* A growing string; {0} is an empty one. `data` is NUL-terminated once anything was added, else NULL. */
typedef struct Str {
    char *data;
    size_t len, size;
} Str;

void str_done(Str *s);
void str_add(Str *s, const char *text);
void str_addn(Str *s, const char *bytes, size_t n);
void str_addc(Str *s, char c);
void str_addf(Str *s, const char *format, ...) PRINTF(2, 3);
/* Adds `text` as the value of one URL query parameter or path segment: RFC 3986 unreserved bytes stay, all else is %XX.
 */
void str_add_percent(Str *s, const char *text);
/* Empties it, keeping the memory. */
void str_clear(Str *s);
/* The text, "" when nothing was added. Borrowed. */
const char *str_get(const Str *s);
/* Hands the text over to the caller, who frees it; `s` is empty afterwards. Never NULL. */
char *str_take(Str *s) __attribute__((returns_nonnull));

static inline bool streq(const char *a, const char *b)
{
    return *a == *b && strcmp(a, b) == 0; /* most differ at once, which is no call */
}

/* NULL equals NULL alone. */
static inline bool streq_null(const char *a, const char *b)
{
    return a && b ? streq(a, b) : a == b;
}

static inline bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* At most `max` bytes of a text that came from outside, with `?` for what could drive a terminal or fake a line of a
 * log. NULL gives NULL; the caller frees it. */
char *str_printable(const char *text, size_t max);

/* Takes out all digits, in place: of a message that leaves what tries, seconds, times and ports do not change. */
char *str_drop_digits(char *text);

/* Strips white space at both ends, in place; returns the new beginning. */
char *str_strip(char *s);

/* `*` matches any run of bytes but dots, `**` any run, `?` one character that is no dot. All else is literal. With
 * `fold`, ASCII letters match without regard to case. For names that have no parts use `dots` false: `*` then matches
 * anything. */
bool glob_match(const char *pattern, const char *text, bool dots, bool fold);

/* The one of `names` (NULL-terminated) that `word` most likely meant, or NULL when none is near. */
const char *nearest_name(const char *word, const char *const *names);
