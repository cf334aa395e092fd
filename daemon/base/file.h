/* Reading files within bounds, and the rule on who may read a secret. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* The whole of a regular file of at most `limit` bytes, NUL-terminated in addition. *ret is the caller's to free.
 * ERROR_LOCAL with the path, what is wrong, and what to do. An empty file is no error. */
int file_read(const char *path, size_t limit, char **ret, size_t *ret_size, Error **err);

/* As file_read, for a file without secrets, which may be made readable for everybody: the error says how. */
int file_read_plain(const char *path, size_t limit, char **ret, size_t *ret_size, Error **err);

/* As file_read, for a file that holds a secret: refused when the world can read it or anyone but its owner can write
 * it, with the mode it has and the command that mends it. Empty files and files with NUL bytes are refused. The caller
 * wipes and frees (secret_free). */
int file_read_secret(const char *path, size_t limit, char **ret, size_t *ret_size, Error **err);

/* All of it, however often the kernel stops in between. 0; or -1 with errno. */
int file_write_whole(int fd, const char *text, size_t size);

/* Puts a file of that content in the place of what is at `path`, whole or not at all: readers never see a part of it. A
 * loss of power may bring the old one back. ERROR_LOCAL with the path. */
int file_replace(const char *path, unsigned mode, const char *text, size_t size, Error **err);

/* Wipes and frees a NUL-terminated secret; NULL is fine. */
void secret_free(char *secret);
DEFINE_CLEANUP(char, secret_free)

/* Makes sure that 0, 1 and 2 are open, so that no file or socket of ours takes their place and gets what is meant for
 * the terminal. One that was closed cannot be written to. */
void file_occupy_standard_streams(void);

/* "~/x" is under $HOME; all else is itself. *ret is the caller's to free. ERROR_LOCAL when HOME is not set. */
int file_expand(const char *path, char **ret, Error **err);

/* The path that a configured name means: a bare name (no slash) is a systemd credential, $CREDENTIALS_DIRECTORY/name;
 * all else is as with file_expand. *ret is the caller's to free. */
int file_resolve(const char *name, char **ret, Error **err);
