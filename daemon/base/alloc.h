/*
 * Memory. Inputs are capped and any instant is a safe one to crash at, so running out of memory ends the
 * program with a message instead of adding an error path to every function.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"

#define PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
/* NULL gives NULL. */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n) __attribute__((returns_nonnull));
char *xasprintf(const char *format, ...) PRINTF(1, 2) __attribute__((returns_nonnull));
char *xvasprintf(const char *format, va_list args) PRINTF(1, 0) __attribute__((returns_nonnull));

/* An arena: memory that is given back all at once. Everything that lives as long as one set of specs, or as
 * one round, is in one. Memory from it is zeroed. */
typedef struct Arena Arena;

Arena *arena_new(void) __attribute__((returns_nonnull));
void arena_free(Arena *arena);
DEFINE_CLEANUP(Arena, arena_free)
/* Wipes before it frees: for what secrets were read into. */
void arena_wipe(Arena *arena);
DEFINE_CLEANUP(Arena, arena_wipe)

void *arena_alloc(Arena *arena, size_t size) __attribute__((returns_nonnull));
void *arena_calloc(Arena *arena, size_t n, size_t size) __attribute__((returns_nonnull));
/* NULL gives NULL. */
char *arena_strdup(Arena *arena, const char *s);
char *arena_strndup(Arena *arena, const char *s, size_t n) __attribute__((returns_nonnull));
char *arena_printf(Arena *arena, const char *format, ...) PRINTF(2, 3) __attribute__((returns_nonnull));
