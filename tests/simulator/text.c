/* Growing text and allocation that never fails: out of memory ends the program. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *memory)
{
    if (memory == NULL) {
        fputs("oci-simulator: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *xcalloc(size_t count, size_t size)
{
    return or_die(calloc(count == 0 ? 1 : count, size));
}

void *xrealloc(void *old, size_t count, size_t size)
{
    return or_die(reallocarray(old, count == 0 ? 1 : count, size));
}

char *xstrdup(const char *text)
{
    return or_die(strdup(text));
}

char *xstrndup(const char *text, size_t length)
{
    return or_die(strndup(text, length));
}

char *xvprintf(const char *format, va_list arguments)
{
    char *result = NULL;

    if (vasprintf(&result, format, arguments) < 0) {
        or_die(NULL);
    }
    return result;
}

char *xprintf(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *result = xvprintf(format, arguments);
    va_end(arguments);
    return result;
}

void text_add(struct text *text, const void *bytes, size_t length)
{
    if (text->room - text->length <= length) {
        text->room = (text->length + length + 1) * 2;
        text->bytes = xrealloc(text->bytes, text->room, 1);
    }
    if (length > 0) {
        memcpy(text->bytes + text->length, bytes, length);
    }
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_adds(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *piece = xvprintf(format, arguments);
    va_end(arguments);
    text_adds(text, piece);
    free(piece);
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}
