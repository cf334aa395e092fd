#include "config.h"

#include "base/file.h"

#include "../../tests/unit/folder.h"

#include <sys/socket.h>
#include <sys/un.h>

#define LIMIT 64

static char *path_of(void **state, const char *name)
{
    return xasprintf("%s/%s", (const char *)*state, name);
}

/* A file with this text and mode, whatever the umask. The caller frees its path. */
static char *put(void **state, const char *name, const char *text, size_t size, mode_t mode)
{
    file_write_mode(*state, name, text, size, mode);
    return path_of(state, name);
}

static void expect_error(const Error *err, const char *path, const char *part)
{
    assert_non_null(err);
    assert_int_equal(err->kind, ERROR_LOCAL);
    assert_true(starts_with(err->message, path));
    if (!strstr(err->message, part))
        fail_msg("\"%s\" is not in: %s", part, err->message);
}

static void refuse(const char *path, const char *part)
{
    CLEANUP(error_freep) Error *err = NULL;
    char *text = NULL;
    size_t size = 0;
    assert_int_equal(file_read(path, LIMIT, &text, &size, &err), -1);
    assert_null(text);
    expect_error(err, path, part);
}

static void refuse_secret(const char *path, const char *part)
{
    CLEANUP(error_freep) Error *err = NULL;
    char *text = NULL;
    size_t size = 0;
    assert_int_equal(file_read_secret(path, LIMIT, &text, &size, &err), -1);
    assert_null(text);
    expect_error(err, path, part);
    assert_null(strstr(err->message, "hush"));
}

static void accept_secret(const char *path)
{
    CLEANUP(error_freep) Error *err = NULL;
    CLEANUP(secret_freep) char *text = NULL;
    size_t size = 0;
    assert_int_equal(file_read_secret(path, LIMIT, &text, &size, &err), 0);
    assert_string_equal(text, "hush");
    assert_int_equal(size, 4);
}

static void reads_a_whole_file(void **state)
{
    CLEANUP(freep) char *path = put(state, "a", "one\0two", 7, 0644);
    CLEANUP(freep) char *text = NULL;
    size_t size = 0;
    assert_int_equal(file_read(path, LIMIT, &text, &size, NULL), 0);
    assert_int_equal(size, 7);
    assert_memory_equal(text, "one\0two", 8);
}

static void reads_a_file_as_large_as_the_limit(void **state)
{
    char bytes[LIMIT];
    memset(bytes, 'x', sizeof(bytes));
    CLEANUP(freep) char *path = put(state, "a", bytes, sizeof(bytes), 0644);
    CLEANUP(freep) char *text = NULL;
    size_t size = 0;
    assert_int_equal(file_read(path, LIMIT, &text, &size, NULL), 0);
    assert_int_equal(size, LIMIT);
}

static void reads_an_empty_file(void **state)
{
    CLEANUP(freep) char *path = put(state, "a", "", 0, 0644);
    CLEANUP(freep) char *text = NULL;
    size_t size = 1;
    assert_int_equal(file_read(path, LIMIT, &text, &size, NULL), 0);
    assert_int_equal(size, 0);
    assert_string_equal(text, "");
}

static void refuses_a_file_over_the_limit(void **state)
{
    char bytes[LIMIT + 1];
    memset(bytes, 'x', sizeof(bytes));
    CLEANUP(freep) char *path = put(state, "a", bytes, sizeof(bytes), 0644);
    refuse(path, "has 65 bytes, more than the 64");
}

static void refuses_a_file_that_is_not_there(void **state)
{
    CLEANUP(freep) char *path = path_of(state, "nowhere");
    refuse(path, "does not exist");
}

static void refuses_a_directory(void **state)
{
    refuse(*state, "is a directory, not a regular file");
}

static void refuses_a_fifo_without_waiting(void **state)
{
    CLEANUP(freep) char *path = path_of(state, "fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    refuse(path, "is a FIFO");
}

static void refuses_a_device(void **state)
{
    (void)state;
    refuse("/dev/null", "is a device");
}

static void refuses_a_socket(void **state)
{
    CLEANUP(freep) char *path = path_of(state, "socket");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path));
    CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    refuse(path, "is not a regular file");
}

static void what_may_be_read_by_all_and_is_not_says_how(void **state)
{
    CLEANUP(freep) char *path = put(state, "a", "plain", 5, 0600), *text = NULL;
    CLEANUP(freep)
    char *command = xasprintf("has mode 0600, and user 65534 may not read it: mend it with: chmod o+r %s", path);
    CLEANUP(error_freep) Error *err = NULL;
    size_t size = 0;
    assert_int_equal(file_read_plain(path, LIMIT, &text, &size, NULL), 0);
    assert_string_equal(text, "plain");
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(*state, 0755), 0);
    assert_int_equal(seteuid(65534), 0);
    int r = file_read_plain(path, LIMIT, &text, &size, &err);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(r, -1);
    expect_error(err, path, command);
}

static void accepts_a_secret_of_the_owner_alone(void **state)
{
    CLEANUP(freep) char *path = put(state, "a", "hush", 4, 0600);
    accept_secret(path);
}

static void accepts_a_secret_that_the_group_can_read(void **state)
{
    CLEANUP(freep) char *path = put(state, "a", "hush", 4, 0640);
    accept_secret(path);
}

static void refuses_a_secret_that_the_world_can_read(void **state)
{
    CLEANUP(freep) char *path = put(state, "a", "hush", 4, 0644);
    CLEANUP(freep) char *command = xasprintf("; mend it with: chmod 600 %s", path);
    refuse_secret(path, "mode 0644 lets everybody read this secret");
    refuse_secret(path, command);
}

static void refuses_a_secret_that_the_group_can_write(void **state)
{
    CLEANUP(freep) char *path = put(state, "a", "hush", 4, 0660);
    refuse_secret(path, "mode 0660 lets its group change this secret; mend it with: chmod 600 ");
}

static void refuses_a_secret_that_the_world_can_write(void **state)
{
    CLEANUP(freep) char *path = put(state, "a", "hush", 4, 0602);
    refuse_secret(path, "mode 0602 lets everybody change this secret");
}

static void refuses_an_empty_secret(void **state)
{
    CLEANUP(freep) char *path = put(state, "a", "", 0, 0600);
    refuse_secret(path, "is empty");
}

static void refuses_a_secret_with_a_nul_byte(void **state)
{
    CLEANUP(freep) char *path = put(state, "a", "hush\0hush", 9, 0600);
    refuse_secret(path, "has a NUL byte");
}

static void resolves_to(const char *name, const char *expected)
{
    CLEANUP(freep) char *path = NULL;
    assert_int_equal(file_resolve(name, &path, NULL), 0);
    assert_string_equal(path, expected);
}

static void resolves_a_bare_name_to_a_credential(void **state)
{
    (void)state;
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x.service", 1);
    resolves_to("key", "/run/credentials/x.service/key");
}

static void resolves_a_tilde_to_the_home_directory(void **state)
{
    (void)state;
    setenv("HOME", "/home/me", 1);
    resolves_to("~/.oci/key.pem", "/home/me/.oci/key.pem");
}

static void resolves_a_path_to_itself(void **state)
{
    (void)state;
    resolves_to("/etc/key", "/etc/key");
    resolves_to("./key", "./key");
}

static void refuses_a_bare_name_without_credentials(void **state)
{
    (void)state;
    unsetenv("CREDENTIALS_DIRECTORY");
    CLEANUP(error_freep) Error *err = NULL;
    char *path = NULL;
    assert_int_equal(file_resolve("key", &path, &err), -1);
    expect_error(err, "key", "LoadCredential=key");
}

static void refuses_a_tilde_without_home(void **state)
{
    (void)state;
    unsetenv("HOME");
    CLEANUP(error_freep) Error *err = NULL;
    char *path = NULL;
    assert_int_equal(file_resolve("~/key", &path, &err), -1);
    expect_error(err, "~/key", "HOME is not set");
}

static void refuses_an_empty_name(void **state)
{
    (void)state;
    char *path = NULL;
    assert_int_equal(file_resolve("", &path, NULL), -1);
}

static void replaces_a_file_and_its_mode(void **state)
{
    CLEANUP(freep) char *path = put(state, "f", "a longer text", 13, 0600), *text = NULL;
    size_t size = 0;
    struct stat st;
    assert_int_equal(file_replace(path, 0644, "new", 3, NULL), 0);
    assert_int_equal(file_read(path, LIMIT, &text, &size, NULL), 0);
    assert_string_equal(text, "new");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
}

static void leaves_nothing_of_a_replacement_that_fails(void **state)
{
    CLEANUP(freep) char *path = path_of(state, "d"), *new = path_of(state, "d.new");
    CLEANUP(error_freep) Error *err = NULL;
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(file_replace(path, 0600, "x", 1, &err), -1);
    expect_error(err, path, "cannot be written");
    assert_int_equal(access(new, F_OK), -1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, folder_set_up, folder_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_a_whole_file),
        TEST(reads_a_file_as_large_as_the_limit),
        TEST(reads_an_empty_file),
        TEST(refuses_a_file_over_the_limit),
        TEST(refuses_a_file_that_is_not_there),
        TEST(refuses_a_directory),
        TEST(refuses_a_fifo_without_waiting),
        TEST(refuses_a_device),
        TEST(refuses_a_socket),
        TEST(what_may_be_read_by_all_and_is_not_says_how),
        TEST(accepts_a_secret_of_the_owner_alone),
        TEST(accepts_a_secret_that_the_group_can_read),
        TEST(refuses_a_secret_that_the_world_can_read),
        TEST(refuses_a_secret_that_the_group_can_write),
        TEST(refuses_a_secret_that_the_world_can_write),
        TEST(refuses_an_empty_secret),
        TEST(refuses_a_secret_with_a_nul_byte),
        TEST(resolves_a_bare_name_to_a_credential),
        TEST(resolves_a_tilde_to_the_home_directory),
        TEST(resolves_a_path_to_itself),
        TEST(refuses_a_bare_name_without_credentials),
        TEST(refuses_a_tilde_without_home),
        TEST(refuses_an_empty_name),
        TEST(replaces_a_file_and_its_mode),
        TEST(leaves_nothing_of_a_replacement_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
