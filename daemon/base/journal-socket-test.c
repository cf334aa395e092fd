#include "config.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/journal-socket.h"
#include "base/str.h"

#define FOLDER "/run/systemd/journal"
#define TOO_MANY 2000 /* for the journal's queue; net.unix.max_dgram_qlen is some 10 to 512 */

/* A journal in a mount namespace of this process, which reads when it is told to; -1: none can be made. */
static int open_journal(void)
{
    static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = FOLDER "/socket"};
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    if ((mkdir("/run/systemd", 0755) < 0 && errno != EEXIST) || (mkdir(FOLDER, 0755) < 0 && errno != EEXIST) ||
        mount("tmpfs", FOLDER, "tmpfs", 0, NULL) < 0)
        return -1;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* The next message; NULL: there is none. The caller frees it. */
static char *receive(int journal)
{
    char entry[4096];
    ssize_t n = recv(journal, entry, sizeof(entry) - 1, 0);
    if (n < 0)
        return NULL;
    entry[n] = 0;
    assert_true(starts_with(entry, "MESSAGE="));
    return xstrndup(entry + 8, strcspn(entry + 8, "\n"));
}

static void send_entry(JournalSocket *s)
{
    char message[] = "MESSAGE=entry";
    const struct iovec part = {message, strlen(message)};
    journal_socket_send(s, &part, 1);
}

static size_t receive_all(int journal, char **ret_last)
{
    size_t n = 0;
    for (char *message; (message = receive(journal)); n++) {
        free(*ret_last);
        *ret_last = message;
    }
    return n;
}

static void what_was_lost_is_told_once_even_when_only_the_notice_goes_through(void **state)
{
    (void)state;
    int journal = open_journal();
    if (journal < 0)
        skip();
    CLEANUP(freep) char *first = NULL, *notice = NULL, *second = NULL, *last = NULL;
    JournalSocket *s = journal_socket_new();
    assert_false(journal_socket_was_used(s));
    for (int i = 0; i < TOO_MANY; i++)
        send_entry(s);
    assert_true(journal_socket_was_used(s));
    first = receive(journal); /* room for one more */
    send_entry(s);
    size_t queued = receive_all(journal, &notice);
    CLEANUP(freep)
    char *expected =
        xasprintf("%zu entries could not be written to the journal, which took none for a while", TOO_MANY - queued);
    assert_string_equal(first, "entry");
    assert_string_equal(notice, expected);
    send_entry(s); /* after one that was lost with the notice */
    second = receive(journal);
    assert_string_equal(second, "1 entry could not be written to the journal, which took none for a while");
    assert_int_equal(receive_all(journal, &last), 1);
    assert_string_equal(last, "entry");
    send_entry(s);
    assert_int_equal(receive_all(journal, &last), 1);
    journal_socket_free(s);
    close(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_lost_is_told_once_even_when_only_the_notice_goes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
