#include "config.h"

#include "base/alloc.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ARENA_CHUNK_BYTES ((size_t)64 * 1024)

typedef struct Chunk Chunk;
struct Chunk {
    Chunk *next;
    size_t used, size;
    alignas(max_align_t) unsigned char data[];
};

struct Arena {
    Chunk *head;
};

static void *or_die(void *p)
{
    if (!p) {
        fputs("imagekeeper: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *xmalloc(size_t size)
{
    return or_die(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
    return or_die(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
    return or_die(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s)
{
    return s ? or_die(strdup(s)) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
    return or_die(strndup(s, n));
}

char *xvasprintf(const char *format, va_list args)
{
    char *s = NULL;
    if (vasprintf(&s, format, args) < 0)
        s = NULL;
    return or_die(s);
}

char *xasprintf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *s = xvasprintf(format, args);
    va_end(args);
    return s;
}

Arena *arena_new(void)
{
    return xcalloc(1, sizeof(Arena));
}

void arena_free(Arena *arena)
{
    if (!arena)
        return;
    for (Chunk *c = arena->head, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(arena);
}

void arena_wipe(Arena *arena)
{
    for (Chunk *c = arena ? arena->head : NULL; c; c = c->next)
        explicit_bzero(c->data, c->used);
    arena_free(arena);
}

static Chunk *chunk_add(Arena *arena, size_t size)
{
    Chunk *c = xcalloc(1, sizeof(*c) + size);
    c->size = size;
    /* A big block stands behind the current chunk, which still has room for small ones. */
    if (arena->head && size > ARENA_CHUNK_BYTES) {
        c->next = arena->head->next;
        arena->head->next = c;
    } else {
        c->next = arena->head;
        arena->head = c;
    }
    return c;
}

void *arena_alloc(Arena *arena, size_t size)
{
    const size_t align = sizeof(void *);
    if (size > SIZE_MAX / 2)
        or_die(NULL);
    size = (size + align - 1) & ~(align - 1);
    Chunk *c = arena->head;
    if (!c || c->size - c->used < size)
        c = chunk_add(arena, size > ARENA_CHUNK_BYTES ? size : ARENA_CHUNK_BYTES);
    void *p = c->data + c->used;
    c->used += size;
    return p;
}

void *arena_calloc(Arena *arena, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        or_die(NULL);
    return arena_alloc(arena, n * size);
}

char *arena_strndup(Arena *arena, const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *copy = arena_alloc(arena, len + 1);
    memcpy(copy, s, len);
    return copy;
}

char *arena_strdup(Arena *arena, const char *s)
{
    return s ? arena_strndup(arena, s, strlen(s)) : NULL;
}

char *arena_printf(Arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *s = xvasprintf(format, args);
    va_end(args);
    return arena_strdup(arena, s);
}
