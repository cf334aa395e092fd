#include "config.h"

#include "sync/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>

#include "base/file.h"

#define WALK_DESCRIPTORS 32

int dir_make(const char *path, mode_t mode, Error **err)
{
    struct stat st;
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        return error_set_errno(err, ERROR_LOCAL, errno, "the directory %s cannot be made", path);
    if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return error_set(err, ERROR_LOCAL, "%s is not a directory: take it away", path);
    if ((st.st_mode & 07777) != mode && chmod(path, mode) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "the mode of %s cannot be set", path);
    return 0;
}

int dir_write(const char *path, const char *bytes, size_t size, const struct timespec *modified, Error **err)
{
    const struct timespec times[] = {{.tv_nsec = UTIME_NOW},
                                     modified ? *modified : (struct timespec){.tv_nsec = UTIME_NOW}};
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be made", path);
    if (file_write_whole(fd, bytes, size) < 0 || fchmod(fd, 0644) < 0 || futimens(fd, times) < 0 || fsync(fd) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be written", path);
    return 0;
}

int dir_flush(const char *path, Error **err)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be flushed to the disk", path);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st, (void)type, (void)walk;
    return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

int dir_remove(const char *path, Error **err)
{
    if (nftw(path, remove_one, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return 0;
    return error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be removed", path);
}
