/* Files for unit tests: a folder of the test's own, and the vectors. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"

#define HELPER __attribute__((unused)) static

/* A folder of the test's own; the caller frees the path, and removes the folder with folder_remove. */
HELPER char *folder_make(void)
{
    const char *parent = getenv("TMPDIR");
    char *path = xasprintf("%s/imagekeeper-test-XXXXXX", parent && *parent ? parent : "/tmp");
    assert_non_null(mkdtemp(path));
    return path;
}

HELPER int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st, (void)type, (void)walk;
    return remove(path);
}

HELPER void folder_remove(char *path)
{
    assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(path);
}

/* A folder as the state of a test. */
HELPER int folder_set_up(void **state)
{
    *state = folder_make();
    return 0;
}

HELPER int folder_tear_down(void **state)
{
    folder_remove(*state);
    return 0;
}

/* Writes folder/name with that mode, whatever the umask, making the folders that `name` has in it. */
HELPER void file_write_mode(const char *folder, const char *name, const char *text, size_t size, mode_t mode)
{
    CLEANUP(freep) char *path = xasprintf("%s/%s", folder, name);
    for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), size);
    assert_int_equal(fchmod(fd, mode), 0);
}

HELPER void file_write(const char *folder, const char *name, const char *text)
{
    file_write_mode(folder, name, text, strlen(text), 0600);
}

/* The whole of a file of tests/data/vectors; the caller frees it. */
HELPER char *read_vector(const char *name)
{
    const char *srcdir = getenv("srcdir");
    CLEANUP(freep) char *path = xasprintf("%s/tests/data/vectors/%s", srcdir ? srcdir : ".", name);
    CLEANUP(error_freep) Error *err = NULL;
    char *text = NULL;
    size_t size = 0;
    if (file_read(path, (size_t)1024 * 1024, &text, &size, &err) < 0)
        fail_msg("%s", err->message);
    return text;
}
