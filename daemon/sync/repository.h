/* The commit that is wanted: which one it is, fetching it, its signature, whether it descends from the last one. */
#pragma once

#include "sync/git.h"

typedef struct Wanted {
    char commit[65];    /* by what the server says */
    const char *source; /* its full ref, or the id. In the arena */
    bool by_id;
} Wanted;

/* Asks the server (for an id only whether it is there at all). */
int repository_find(const Git *git, Arena *arena, Wanted *ret, Error **err);
/* Brings it here. `last` is the commit exported last, or NULL: then no history is fetched with it. */
int repository_fetch(const Git *git, const Wanted *wanted, const char *last, const char **ret_commit, Arena *arena,
                     Error **err);
/* Is the commit here? */
int repository_has(const Git *git, const char *commit, bool *ret, Error **err);
/* An error unless its signature is what `verify` asks for. */
int repository_verify(const Git *git, const char *commit, Error **err);
/* Does `commit` have `last` among its ancestors (or is it the same)? Fetches the history when there is too little of
 * it to tell. */
int repository_descends(const Git *git, const Wanted *wanted, const char *last, const char *commit, bool *ret,
                        Error **err);
/* Packs what many fetches have left behind into one. */
int repository_tidy(const Git *git, const char *directory, Error **err);
