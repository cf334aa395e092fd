/* Folders and files that are made anew, and taken away. */
#pragma once

#include <sys/stat.h>
#include <time.h>

#include "base/error.h"

/* It is there afterwards, with that mode whatever the umask; its parent must be there. */
int dir_make(const char *path, mode_t mode, Error **err);
/* A new file, mode 0644 whatever the umask, safe on the disk; one that is there already is an error. `modified` is its
 * modification time; NULL: now. */
int dir_write(const char *path, const char *bytes, size_t size, const struct timespec *modified, Error **err);
/* Makes sure that what was made in it is on the disk. */
int dir_flush(const char *path, Error **err);
/* It is gone afterwards, with all in it. Links are not followed. */
int dir_remove(const char *path, Error **err);
