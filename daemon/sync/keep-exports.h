/* The exports of the last commits, and what a run that was killed has left behind. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* Takes away what is half made, in `exports` and in Git's repository, and that as a whole when it has grown out of
 * hand. Only under the lock. */
int exports_clean(const char *directory, Error **err);
/* Leaves the newest `keep` of them, `current` always among them. */
int exports_prune(const char *exports, const char *current, size_t keep, Error **err);
/* How many files (links, too) an export has. */
int exports_count_files(const char *exports, const char *commit, size_t *ret, Error **err);
