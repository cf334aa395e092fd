/* The folder for what the daemon tells while it runs: $RUNTIME_DIRECTORY, as systemd names it, or /run/imagekeeper. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* Of the instance of that name (NULL: the one without), which has its folder beside that one: systemd takes a unit's
 * folder away with all that is below it. The caller frees it. */
char *runtime_folder(const char *instance) __attribute__((returns_nonnull));

/* Makes the folder this daemon's own for as long as it runs. *ret_fd is the caller's to close; -1 with ERROR_LOCAL when
 * another daemon has it, or it cannot be written to. */
int runtime_claim(const char *folder, int *ret_fd, Error **err);
/* Does a daemon run that has claimed it? Anybody may ask, and nobody harms a daemon by it. */
bool runtime_is_claimed(const char *folder);
