/* A commit's specs as a folder of their own, written by ourselves: no checkout, no filters, nothing of it is run. */
#pragma once

#include "sync/git.h"

typedef struct Exported {
    size_t n_files; /* links among them */
    size_t n_submodules;
    const char *submodule; /* the first one; in the arena */
} Exported;

/* Makes the folder `path`, which must not be there, with the commit's specs and `.revision`, all of it safe on the
 * disk. A file that is the same in the folder `before` (NULL: there is none) keeps its modification time. */
int export_commit(const Git *git, const char *commit, const char *path, const char *before, Arena *arena, Exported *ret,
                  Error **err);
