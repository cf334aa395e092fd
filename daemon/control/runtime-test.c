#include "config.h"

#include "../../tests/unit/helper.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "control/runtime.h"

typedef struct World {
    char *folder;
} World;

static int set_up(void **state)
{
    char folder[] = "/tmp/ik-runtime-XXXXXX";
    World *w = *state = xcalloc(1, sizeof(*w));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    w->folder = xstrdup(folder);
    return 0;
}

static int tear_down(void **state)
{
    World *w = *state;
    CLEANUP(freep) char *command = xasprintf("rm -r %s", w->folder);
    assert_int_equal(system(command), 0);
    free(w->folder);
    free(w);
    return 0;
}

static void assert_refused(const char *folder, const char *words)
{
    CLEANUP(error_freep) Error *err = NULL;
    int fd = -1;
    assert_int_equal(runtime_claim(folder, &fd, &err), -1);
    assert_non_null(strstr(err->message, words));
    assert_int_equal(fd, -1);
}

static int claim(const char *folder)
{
    CLEANUP(error_freep) Error *err = NULL;
    int fd = -1;
    if (runtime_claim(folder, &fd, &err) < 0)
        fail_msg("%s", err->message);
    return fd;
}

static void a_claim_lasts_as_long_as_who_made_it(void **state)
{
    const World *w = *state;
    assert_false(runtime_is_claimed(w->folder));
    for (int i = 0; i < 3; i++) {
        int fd = claim(w->folder);
        assert_true(runtime_is_claimed(w->folder));
        assert_refused(w->folder, "another imagekeeperd");
        assert_true(runtime_is_claimed(w->folder));
        close(fd);
        assert_false(runtime_is_claimed(w->folder)); /* what it left behind says nothing */
    }
}

static void a_claim_of_one_that_was_killed_is_over(void **state)
{
    const World *w = *state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = -1;
        alarm(300); /* a failed assertion of ours leaves nobody to end it */
        if (runtime_claim(w->folder, &fd, NULL) == 0 && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_true(runtime_is_claimed(w->folder));
    assert_refused(w->folder, "another imagekeeperd");
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_false(runtime_is_claimed(w->folder));
    close(claim(w->folder));
    close(ready[0]);
    close(ready[1]);
}

/* Opens all that is there, as far as it may, and holds every lock that it can get. */
static void hold_what_can_be_held(const char *folder)
{
    static const char *const names[] = {"", "/imagekeeperd.lock", "/imagekeeperd.socket"};
    struct flock whole = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        CLEANUP(freep) char *path = xasprintf("%s%s", folder, names[i]);
        int fd = open(path, O_RDONLY); // NOLINT(android-cloexec-open): it stays open
        if (fd < 0)
            continue;
        flock(fd, LOCK_EX | LOCK_NB);
        fcntl(fd, F_OFD_SETLK, &whole);
    }
}

/* 0: all is as it should be, for somebody else. */
static int be_somebody_else(const char *folder)
{
    if (setgid(65534) < 0 || setuid(65534) < 0)
        return 1;
    if (runtime_is_claimed(folder) || runtime_claim(folder, &(int){0}, NULL) == 0)
        return 2;
    hold_what_can_be_held(folder);
    return 0;
}

static void nobody_else_can_keep_a_daemon_from_it_and_everybody_may_ask(void **state)
{
    const World *w = *state;
    if (geteuid() != 0)
        skip();
    int told[2], go_on[2];
    char byte;
    assert_int_equal(pipe(told), 0);
    assert_int_equal(pipe(go_on), 0);
    close(claim(w->folder));
    pid_t pid = fork();
    if (pid == 0) {
        int result = be_somebody_else(w->folder);
        if (write(told[1], "x", 1) != 1 || read(go_on[0], &byte, 1) != 1)
            _exit(3);
        _exit(result ? result : runtime_is_claimed(w->folder) ? 0 : 4);
    }
    assert_int_equal(read(told[0], &byte, 1), 1);
    mode_t before = umask(0077);
    int fd = claim(w->folder);
    umask(before);
    int status;
    assert_int_equal(write(go_on[1], "x", 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(fd);
    close(told[0]), close(told[1]), close(go_on[0]), close(go_on[1]);
}

static void nothing_can_be_sent_there(void **state)
{
    const World *w = *state;
    int fd = claim(w->folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/imagekeeperd.socket", w->folder);
    int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(sendto(other, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof(address)), -1);
    close(other);
    close(fd);
}

static void a_folder_may_have_a_long_name(void **state)
{
    const World *w = *state;
    CLEANUP(freep) char *folder = xasprintf("%s/%0200d", w->folder, 0);
    assert_int_equal(mkdir(folder, 0755), 0);
    int fd = claim(folder);
    assert_true(runtime_is_claimed(folder));
    assert_refused(folder, "another imagekeeperd");
    close(fd);
    assert_false(runtime_is_claimed(folder));
    assert_false(runtime_is_claimed("/nowhere"));
    assert_refused("/nowhere", "/nowhere");
}

int main(void)
{
    alarm(300); /* a bound on hanging */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_claim_lasts_as_long_as_who_made_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_claim_of_one_that_was_killed_is_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_else_can_keep_a_daemon_from_it_and_everybody_may_ask, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_can_be_sent_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_may_have_a_long_name, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
