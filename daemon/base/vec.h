/* Growing arrays of any type: VEC(Thing) things = {0}; *VEC_ADD(&things) = thing; VEC_DONE(&things). */
#pragma once

#include "base/alloc.h"

#define VEC(type)          \
    struct {               \
        type *items;       \
        size_t n, size;    \
    }

/* Makes room for one more, uninitialised, and gives its address. What is assigned to it must not look at the vector itself. */
#define VEC_ADD(vec)                                                                           \
    __extension__({                                                                            \
        if ((vec)->n == (vec)->size) {                                                         \
            (vec)->size = (vec)->size ? (vec)->size * 2 : 8;                                   \
            (vec)->items = xrealloc((vec)->items, (vec)->size * sizeof((vec)->items[0]));      \
        }                                                                                      \
        &(vec)->items[(vec)->n++];                                                             \
    })

#define VEC_DONE(vec)                   \
    do {                                \
        free((vec)->items);             \
        (vec)->items = NULL;            \
        (vec)->n = (vec)->size = 0;     \
    } while (0)
