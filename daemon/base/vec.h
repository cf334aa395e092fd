/* Growing arrays of any type: VEC(Thing) things = {0}; *VEC_ADD(&things) = thing; VEC_DONE(&things). */
#pragma once

#include "base/alloc.h"

#define VEC(type)                                                                                                      \
    struct {                                                                                                           \
        type *items;                                                                                                   \
        size_t n, size;                                                                                                \
    }

/* Makes room for one more, uninitialised, and gives its address. What is assigned to it must not look at the vector
 * itself. */
#define VEC_ADD(vec)                                                                                                   \
    __extension__({                                                                                                    \
        __typeof__(vec) vec_ = (vec);                                                                                  \
        if (vec_->n == vec_->size) {                                                                                   \
            vec_->size = vec_->size ? vec_->size * 2 : 8;                                                              \
            vec_->items = xrealloc(vec_->items, vec_->size * sizeof(vec_->items[0]));                                  \
        }                                                                                                              \
        &vec_->items[vec_->n++];                                                                                       \
    })

#define VEC_DONE(vec)                                                                                                  \
    do {                                                                                                               \
        free((vec)->items);                                                                                            \
        (vec)->items = NULL;                                                                                           \
        (vec)->n = (vec)->size = 0;                                                                                    \
    } while (0)
