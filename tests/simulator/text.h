/* Growing text and allocation that never fails: out of memory ends the program. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct text {
    char *bytes; /* always ends with a NUL that length does not count; NULL while nothing was added */
    size_t length;
    size_t room;
};

void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t count, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
char *xvprintf(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
char *xprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

void text_add(struct text *text, const void *bytes, size_t length);
void text_adds(struct text *text, const char *string);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_free(struct text *text);
