/*
 * `sync:` carried out once. In its directory there are afterwards:
 *
 *     repository.git    what was fetched
 *     exports/<commit>  the specs of the last commits, each with its `.revision`
 *     current           a link to one of them, which is flipped when that is whole
 *     lock              held while this goes on
 *     failure           what was said last of runs that failed (failure.h)
 *
 * At any instant `current` leads to a whole export; what a crash left behind is taken away the next time.
 */
#pragma once

#include "desired/sync-config.h"

typedef struct SyncResult {
    char commit[65]; /* after a failure the one that was wanted; empty: it is not known */
    size_t n_files;
    bool news; /* else it was current already */
    size_t n_submodules;
    const char *submodule; /* the first one that was left out; in the arena */
    const char *directory; /* in the arena; NULL: there was none */
    bool denied;           /* whoever asked may not fetch there: nothing was tried */
    const char *warning;   /* what did not go well and does not matter now; in the arena, or NULL */
} SyncResult;

/* ERROR_REJECTED: the commit may not become current. Anything else may go well the next time. */
int sync_run(const SyncConfig *config, Arena *arena, SyncResult *ret, Error **err);
