#include "config.h"

#include "control/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/str.h"

#define FOLDER "/run/imagekeeper"

char *runtime_folder(const char *instance)
{
    const char *given = getenv("RUNTIME_DIRECTORY");
    /* systemd puts several into one variable; the first is ours. */
    if (given && *given && !instance)
        return xstrndup(given, strcspn(given, ":"));
    return instance ? xasprintf(FOLDER "-%s", instance) : xstrdup(FOLDER);
}

static char *lock_of(const char *folder)
{
    return xasprintf("%s/imagekeeperd.lock", folder);
}

int runtime_claim(const char *folder, int *ret_fd, Error **err)
{
    CLEANUP(freep) char *path = lock_of(folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s", path);
    fchmod(fd, 0644); /* whoever may read the status may ask, whatever the umask */
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return error_set(err, ERROR_LOCAL, "%s: another imagekeeperd tells its status there", folder);
    }
    *ret_fd = fd;
    return 0;
}

bool runtime_is_claimed(const char *folder)
{
    CLEANUP(freep) char *path = lock_of(folder);
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;
}
