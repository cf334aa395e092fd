#include "config.h"

#include "control/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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

/*
 * The claim is a socket that is bound there: it is answered for as long as the daemon lives, whoever asks takes
 * nothing, and nobody else can bind one. A lock could be held against the daemon by whoever may open the file to ask
 * about it.
 */
typedef struct Place {
    struct sockaddr_un address;
    int folder; /* held open where its path is longer than an address may be; else -1 */
} Place;

static void place_done(Place *p)
{
    closep(&p->folder);
}

static int find_place(const char *folder, Place *ret, Error **err)
{
    static const char name[] = "imagekeeperd.socket";
    Place p = {.address.sun_family = AF_UNIX, .folder = -1};
    CLEANUP(freep) char *path = xasprintf("%s/%s", folder, name);
    if (strlen(path) >= sizeof(p.address.sun_path)) {
        p.folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (p.folder < 0)
            return error_set_errno(err, ERROR_LOCAL, errno, "%s", folder);
        free(path);
        path = xasprintf("/proc/self/fd/%d/%s", p.folder, name);
    }
    memcpy(p.address.sun_path, path, strlen(path) + 1);
    *ret = p;
    return 0;
}

/* 0, or what prevents it. */
static int reach(const Place *p)
{
    CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    return connect(fd, (const struct sockaddr *)&p->address, sizeof(p->address)) < 0 ? errno : 0;
}

/* Two that start at the same time do it one after the other. Only who may claim can open this file. */
static int take_turn(const char *folder, int *ret_fd, Error **err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    CLEANUP(freep) char *path = xasprintf("%s/imagekeeperd.lock", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s", path);
    if (fcntl(fd, F_OFD_SETLKW, &whole) < 0) {
        int number = errno;
        close(fd);
        return error_set_errno(err, ERROR_LOCAL, number, "%s cannot be locked", path);
    }
    *ret_fd = fd;
    return 0;
}

/* Nothing can be sent to it, and everybody may ask for it, whatever the umask. */
static int bind_there(const Place *p, int fd)
{
    const char *path = p->address.sun_path;
    if (unlink(path) < 0 && errno != ENOENT)
        return -1;
    return bind(fd, (const struct sockaddr *)&p->address, sizeof(p->address)) < 0 || shutdown(fd, SHUT_RD) < 0 ||
                   chmod(path, 0666) < 0
               ? -1
               : 0;
}

int runtime_claim(const char *folder, int *ret_fd, Error **err)
{
    CLEANUP(place_done) Place place = {.folder = -1};
    CLEANUP(closep) int turn = -1;
    if (find_place(folder, &place, err) < 0 || take_turn(folder, &turn, err) < 0)
        return -1;
    if (reach(&place) == 0)
        return error_set(err, ERROR_LOCAL, "%s: another imagekeeperd tells its status there", folder);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind_there(&place, fd) < 0) {
        error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be claimed", folder);
        closep(&fd);
        return -1;
    }
    *ret_fd = fd;
    return 0;
}

bool runtime_is_claimed(const char *folder)
{
    CLEANUP(place_done) Place place = {.folder = -1};
    return find_place(folder, &place, NULL) == 0 && reach(&place) == 0;
}
