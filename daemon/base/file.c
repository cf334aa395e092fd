#include "config.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

static const char *type_name(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "directory";
    case S_IFIFO:
        return "FIFO";
    case S_IFSOCK:
        return "socket";
    default:
        return "device";
    }
}

static int open_error(const char *path, int number, Error **err)
{
    switch (number) {
    case ENOENT:
        return error_set(err, ERROR_LOCAL, "%s: does not exist", path);
    case ENXIO: /* a socket, or a device that nothing stands behind */
        return error_set(err, ERROR_LOCAL, "%s: is not a regular file", path);
    case EACCES:
        return error_set(err, ERROR_LOCAL, "%s: user %ju may not read it, or may not search a directory above it", path,
                         (uintmax_t)geteuid());
    default:
        return error_set_errno(err, ERROR_LOCAL, number, "%s: cannot be opened", path);
    }
}

static int check_regular(int fd, const char *path, size_t limit, struct stat *st, Error **err)
{
    if (fstat(fd, st) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s: cannot be examined", path);
    if (!S_ISREG(st->st_mode))
        return error_set(err, ERROR_LOCAL, "%s: is a %s, not a regular file", path, type_name(st->st_mode));
    if ((uintmax_t)st->st_size > limit)
        return error_set(err, ERROR_LOCAL, "%s: has %jd bytes, more than the %zu that are read of such a file", path,
                         (intmax_t)st->st_size, limit);
    return 0;
}

/* O_NONBLOCK: opening a FIFO must not wait for its writer. O_NOCTTY: a terminal must not become ours. */
static int open_regular(const char *path, size_t limit, struct stat *st, Error **err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return open_error(path, errno, err);
    if (check_regular(fd, path, limit, st, err) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Takes a read that falls short of the size, or goes past it, for a file that is being written. */
static int read_whole(int fd, const char *path, size_t size, char *buffer, Error **err)
{
    size_t have = 0;
    while (have <= size) {
        ssize_t n = read(fd, buffer + have, size + 1 - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(err, ERROR_LOCAL, errno, "%s: cannot be read", path);
        if (n == 0)
            break;
        have += (size_t)n;
    }
    if (have != size)
        return error_set(err, ERROR_LOCAL, "%s: changed while it was read", path);
    buffer[size] = 0;
    return 0;
}

static int read_open(int fd, const char *path, const struct stat *st, char **ret, size_t *ret_size, Error **err)
{
    size_t size = (size_t)st->st_size;
    char *buffer = xmalloc(size + 1);
    if (read_whole(fd, path, size, buffer, err) < 0) {
        explicit_bzero(buffer, size + 1);
        free(buffer);
        return -1;
    }
    *ret = buffer;
    *ret_size = size;
    return 0;
}

int file_read(const char *path, size_t limit, char **ret, size_t *ret_size, Error **err)
{
    struct stat st = {0};
    CLEANUP(closep) int fd = open_regular(path, limit, &st, err);
    return fd < 0 ? -1 : read_open(fd, path, &st, ret, ret_size, err);
}

int file_read_plain(const char *path, size_t limit, char **ret, size_t *ret_size, Error **err)
{
    struct stat st;
    if (stat(path, &st) == 0 && faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0 && errno == EACCES)
        return error_set(err, ERROR_LOCAL,
                         "%s: has mode %04o, and user %ju may not read it: mend it with: chmod o+r %s", path,
                         st.st_mode & 07777, (uintmax_t)geteuid(), path);
    return file_read(path, limit, ret, ret_size, err);
}

/* The command that leaves the secret readable to us: root's file is read through its group. */
static char *mending(const char *path, const struct stat *st)
{
    if (st->st_uid == geteuid())
        return xasprintf("chmod 600 %s", path);
    if (st->st_gid == getegid() || group_member(st->st_gid))
        return xasprintf("chmod 640 %s", path);
    return xasprintf("chgrp %ju %s && chmod 640 %s", (uintmax_t)getegid(), path, path);
}

static int check_secret(const char *path, const struct stat *st, Error **err)
{
    unsigned mode = st->st_mode & 07777;
    CLEANUP(freep) char *mend = mending(path, st);
    if (mode & S_IROTH)
        return error_set(err, ERROR_LOCAL, "%s: mode %04o lets everybody read this secret; mend it with: %s", path,
                         mode, mend);
    if (mode & (S_IWGRP | S_IWOTH))
        return error_set(err, ERROR_LOCAL, "%s: mode %04o lets %s change this secret; mend it with: %s", path, mode,
                         mode & S_IWOTH ? "everybody" : "its group", mend);
    if (st->st_size == 0)
        return error_set(err, ERROR_LOCAL, "%s: is empty", path);
    return 0;
}

int file_read_secret(const char *path, size_t limit, char **ret, size_t *ret_size, Error **err)
{
    struct stat st = {0};
    CLEANUP(closep) int fd = open_regular(path, limit, &st, err);
    if (fd < 0 || check_secret(path, &st, err) < 0)
        return -1;
    char *text = NULL;
    size_t size = 0;
    if (read_open(fd, path, &st, &text, &size, err) < 0)
        return -1;
    if (memchr(text, 0, size)) { /* secret_free would wipe only what is before it */
        explicit_bzero(text, size);
        free(text);
        return error_set(err, ERROR_LOCAL, "%s: has a NUL byte, so it is no text file", path);
    }
    *ret = text;
    *ret_size = size;
    return 0;
}

int file_write_whole(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        text += n;
        size -= (size_t)n;
    }
    return 0;
}

/* O_NOFOLLOW: whoever else may write to the directory must not choose what is overwritten. */
int file_replace(const char *path, unsigned mode, const char *text, size_t size, Error **err)
{
    CLEANUP(freep) char *new = xasprintf("%s.new", path);
    CLEANUP(closep) int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
    if (fd >= 0 && fchmod(fd, (mode_t)mode) == 0 && file_write_whole(fd, text, size) == 0 && rename(new, path) == 0)
        return 0;
    int number = errno;
    if (fd >= 0)
        unlink(new);
    return error_set_errno(err, ERROR_LOCAL, number, "%s: cannot be written", path);
}

void file_occupy_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, as those three are */
    while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
}

void secret_free(char *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, strlen(secret));
    free(secret);
}

int file_expand(const char *path, char **ret, Error **err)
{
    if (!starts_with(path, "~/")) {
        *ret = xstrdup(path);
        return 0;
    }
    const char *home = getenv("HOME");
    if (!home || !*home)
        return error_set(err, ERROR_LOCAL, "%s: HOME is not set, so it is not known where ~ is: write the whole path",
                         path);
    *ret = xasprintf("%s/%s", home, path + 2);
    return 0;
}

int file_resolve(const char *name, char **ret, Error **err)
{
    if (!*name)
        return error_set(err, ERROR_LOCAL, "the name of a file is empty");
    if (strchr(name, '/'))
        return file_expand(name, ret, err);
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    if (!directory || !*directory)
        return error_set(err, ERROR_LOCAL,
                         "%s: a bare name is a systemd credential, but CREDENTIALS_DIRECTORY is not set: add "
                         "LoadCredential=%s:… to the unit, or write a path (./%s)",
                         name, name, name);
    *ret = xasprintf("%s/%s", directory, name);
    return 0;
}
