/* The one cleanup idiom: an owner is declared with CLEANUP(xp), and TAKE() hands the thing over. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

/* Moves a pointer out of its variable, which becomes NULL, so that its cleanup does nothing. */
#define TAKE(pointer)                                                                                                  \
    __extension__({                                                                                                    \
        __typeof__(pointer) taken_ = (pointer);                                                                        \
        (pointer) = NULL;                                                                                              \
        taken_;                                                                                                        \
    })

/* Makes `function##p`, the cleanup of a variable of type `type *`. `function` must accept NULL. */
#define DEFINE_CLEANUP(type, function)                                                                                 \
    static inline void function##p(type **p)                                                                           \
    {                                                                                                                  \
        function(*p);                                                                                                  \
        *p = NULL;                                                                                                     \
    }

static inline void freep(void *p)
{
    free(*(void **)p);
}

static inline void closep(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
