#include "config.h"

#include "sync/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMPLAINT_MAX ((size_t)16 * 1024) /* bytes of standard error that are looked at: the last ones */
#define COMPLAINT_SHOWN ((size_t)1000)
#define WAIT_STEP_USEC 2000
#define CANNOT_RUN 127

struct Child {
    const char *name; /* borrowed, from argv */
    pid_t pid;
    int out, err;
    Str complaint;
    usec_t deadline; /* monotonic */
    bool ended;
    int status; /* of waitpid */
};

static void close_one(int *fd)
{
    closep(fd);
    *fd = -1;
}

static void kill_all(Child *c)
{
    if (c->ended || c->pid <= 0)
        return;
    kill(-c->pid, SIGKILL); /* its group: what it started goes with it */
    while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
        ;
    c->ended = true;
}

void child_free(Child *c)
{
    if (!c)
        return;
    kill_all(c);
    closep(&c->out);
    closep(&c->err);
    str_done(&c->complaint);
    free(c);
}

/* Without the signal, so that it can say what went wrong. */
static bool limit_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) < 0)
        return false;
    if (limit.rlim_cur > CHILD_FILE_MAX)
        limit.rlim_cur = CHILD_FILE_MAX;
    return setrlimit(RLIMIT_FSIZE, &limit) == 0 && signal(SIGXFSZ, SIG_IGN) != SIG_ERR;
}

/* Between fork and exec: nothing that takes memory or locks. */
static void __attribute__((noreturn))
become(const ChildSetup *setup, const char *program, pid_t parent, int out, int err)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    bool good = null >= 0 && dup2(setup->input >= 0 ? setup->input : null, STDIN_FILENO) >= 0 &&
                dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0 && limit_files() &&
                prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
    if (good)
        execve(program, (char *const *)setup->argv, (char *const *)setup->env);
    _exit(CANNOT_RUN);
}

/* The program's whole path, by the PATH that it is to have. */
static char *find_program(const char *name, const char *const *env)
{
    if (strchr(name, '/'))
        return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
    const char *path = NULL;
    for (; *env && !path; env++)
        if (starts_with(*env, "PATH="))
            path = *env + strlen("PATH=");
    CLEANUP(freep) char *folders = xstrdup(path ? path : "");
    char *rest = folders;
    for (const char *folder = strsep(&rest, ":"); folder; folder = strsep(&rest, ":")) {
        CLEANUP(freep) char *candidate = xasprintf("%s/%s", folder, name);
        if (*folder == '/' && access(candidate, X_OK) == 0)
            return TAKE(candidate);
    }
    return NULL;
}

static int start(const ChildSetup *setup, const char *program, Child *c)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    pid_t parent = getpid();
    if (pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0)
        c->pid = fork();
    if (c->pid == 0)
        become(setup, program, parent, out[1], err[1]);
    int number = errno;
    if (c->pid > 0)
        setpgid(c->pid, c->pid); /* whoever of us comes first */
    c->out = out[0];
    c->err = err[0];
    close_one(&out[1]);
    close_one(&err[1]);
    errno = number;
    return c->pid > 0 ? 0 : -1;
}

int child_start(const ChildSetup *setup, Child **ret, Error **err)
{
    const char *name = setup->argv[0];
    CLEANUP(freep) char *program = find_program(name, setup->env);
    if (!program)
        return error_set(err, ERROR_LOCAL,
                         "the program %s is not there: install it (or set PATH, and in a unit ExecPaths=)", name);
    CLEANUP(child_freep) Child *child = xcalloc(1, sizeof(*child));
    *child = (Child){.name = name, .pid = -1, .out = -1, .err = -1, .deadline = clock_monotonic() + setup->time};
    if (start(setup, program, child) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be started", program);
    fcntl(child->err, F_SETFL, O_NONBLOCK);
    *ret = TAKE(child);
    return 0;
}

static void hear_complaint(Child *c)
{
    char buffer[4096];
    ssize_t n = read(c->err, buffer, sizeof(buffer));
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_one(&c->err);
    if (n <= 0)
        return;
    str_addn(&c->complaint, buffer, (size_t)n);
    if (c->complaint.len <= COMPLAINT_MAX)
        return;
    size_t drop = c->complaint.len - COMPLAINT_MAX / 2;
    memmove(c->complaint.data, c->complaint.data + drop, c->complaint.len - drop + 1);
    c->complaint.len -= drop;
}

/* Milliseconds until the deadline, for poll; 0: it has passed. */
static int time_left(const Child *c)
{
    usec_t now = clock_monotonic();
    return now >= c->deadline ? 0 : (int)((c->deadline - now) / USEC_PER_MSEC + 1);
}

static int too_long(Child *c, Error **err)
{
    kill_all(c);
    CLEANUP(freep) char *complaint = child_complaint(c);
    return error_set(err, ERROR_TIMEOUT, "%s took too long and was stopped%s%s", c->name, *complaint ? ": " : "",
                     complaint);
}

int child_read(Child *c, char *buffer, size_t size, size_t *ret_n, Error **err)
{
    while (c->out >= 0) {
        struct pollfd fds[] = {{c->out, POLLIN, 0}, {c->err, POLLIN, 0}};
        int left = time_left(c);
        if (left == 0)
            return too_long(c, err);
        if (poll(fds, ARRAY_SIZE(fds), left) <= 0)
            continue;
        if (c->err >= 0 && fds[1].revents)
            hear_complaint(c);
        if (!fds[0].revents)
            continue;
        ssize_t n = read(c->out, buffer, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(err, ERROR_LOCAL, errno, "what %s says cannot be read", c->name);
        *ret_n = (size_t)n;
        if (n == 0)
            close_one(&c->out);
        return 0;
    }
    *ret_n = 0;
    return 0;
}

int child_read_all(Child *c, size_t limit, Str *out, Error **err)
{
    char buffer[16384];
    size_t n = 0;
    do {
        if (child_read(c, buffer, sizeof(buffer), &n, err) < 0)
            return -1;
        if (out->len + n > limit)
            return error_set(err, ERROR_LOCAL, "%s says more than the %zu bytes that are read of it", c->name, limit);
        str_addn(out, buffer, n);
    } while (n > 0);
    return 0;
}

int child_wait(Child *c, int *ret_status, Error **err)
{
    char buffer[4096];
    for (size_t n = 1; n > 0;)
        if (child_read(c, buffer, sizeof(buffer), &n, err) < 0)
            return -1;
    while (!c->ended) {
        if (c->err >= 0) {
            struct pollfd fd = {c->err, POLLIN, 0};
            if (poll(&fd, 1, WAIT_STEP_USEC / 1000) > 0)
                hear_complaint(c);
        } else {
            usleep(WAIT_STEP_USEC);
        }
        pid_t pid = waitpid(c->pid, &c->status, WNOHANG);
        if (pid < 0 && errno != EINTR)
            return error_set_errno(err, ERROR_LOCAL, errno, "the end of %s cannot be told", c->name);
        c->ended = pid == c->pid;
        if (!c->ended && time_left(c) == 0)
            return too_long(c, err);
    }
    while (c->err >= 0) { /* what it said last */
        struct pollfd fd = {c->err, POLLIN, 0};
        if (poll(&fd, 1, 0) <= 0)
            break;
        hear_complaint(c);
    }
    *ret_status = WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 128 + WTERMSIG(c->status);
    return 0;
}

char *child_complaint(const Child *c)
{
    CLEANUP(freep) char *text = xstrdup(str_get(&c->complaint));
    CLEANUP(str_done) Str line = {0};
    char *rest = text;
    for (char *part = strsep(&rest, "\r\n"); part; part = strsep(&rest, "\r\n")) {
        part = str_strip(part);
        if (*part)
            str_addf(&line, "%s%s", line.len ? "; " : "", part);
    }
    size_t skip = line.len > COMPLAINT_SHOWN ? line.len - COMPLAINT_SHOWN : 0;
    return str_printable(str_get(&line) + skip, COMPLAINT_SHOWN);
}
