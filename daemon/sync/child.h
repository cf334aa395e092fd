/* Programs that are run: without a shell, in an environment made from nothing, with a deadline, their output bounded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"

typedef struct ChildSetup {
    const char *const *argv; /* argv[0] is looked for in PATH; ends with NULL */
    const char *const *env;  /* all there is; ends with NULL */
    int input;               /* becomes its standard input; -1: nothing to read */
    usec_t time;             /* how long it may take in all */
} ChildSetup;

typedef struct Child Child;

/* What it writes into one file, and no more: a server that sends without end does not fill the disk. */
#define CHILD_FILE_MAX ((size_t)1024 * 1024 * 1024)

/* It dies with us, and so do what it runs when its pipes break. ERROR_LOCAL when it cannot be run. */
int child_start(const ChildSetup *setup, Child **ret, Error **err);
/* Kills it, if it is still there, with all that it started. */
void child_free(Child *child);
DEFINE_CLEANUP(Child, child_free)

/* Up to `size` bytes of its standard output; *ret_n is 0 at the end. ERROR_TIMEOUT after the deadline. */
int child_read(Child *child, char *buffer, size_t size, size_t *ret_n, Error **err);
/* All that is left of it, or ERROR_LOCAL when that is more than `limit` bytes. */
int child_read_all(Child *child, size_t limit, Str *out, Error **err);
/* Waits for its end, reading what is left and forgetting it. *ret_status is its exit status, or 128 and the signal. */
int child_wait(Child *child, int *ret_status, Error **err);
/* What it said on standard error so far: its last lines on one line, fit to be shown. The caller frees it. */
char *child_complaint(const Child *child) __attribute__((returns_nonnull));
