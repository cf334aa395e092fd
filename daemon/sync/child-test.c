#include "config.h"

#include "../../tests/unit/folder.h"
#include "../../tests/unit/helper.h"

#include <signal.h>

#include "sync/child.h"

static const char *const env[] = {"PATH=/usr/bin:/bin", "ONLY=this", NULL};

static Child *start(const char *script, usec_t time)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    Child *child = NULL;
    assert_int_equal(child_start(&(ChildSetup){argv, env, -1, time}, &child, NULL), 0);
    return child;
}

static void its_output_and_its_status_are_told(void **state)
{
    (void)state;
    CLEANUP(child_freep)
    Child *child = start("printf 'a\\nb'; printf 'one\\n\\n two\\033[1m\\n' >&2; exit 7", USEC_PER_MINUTE);
    CLEANUP(str_done) Str out = {0};
    int status = 0;
    assert_int_equal(child_read_all(child, 100, &out, NULL), 0);
    assert_int_equal(child_wait(child, &status, NULL), 0);
    CLEANUP(freep) char *complaint = child_complaint(child);
    assert_string_equal(str_get(&out), "a\nb");
    assert_int_equal(status, 7);
    assert_string_equal(complaint, "one; two?[1m");
}

static void it_has_no_other_environment_and_no_input(void **state)
{
    (void)state;
    assert_int_equal(setenv("SECRET", "x", 1), 0);
    CLEANUP(child_freep) Child *child = start("env | grep -vE '^(PWD|OLDPWD|SHLVL|_)=' | sort; cat", USEC_PER_MINUTE);
    CLEANUP(str_done) Str out = {0};
    assert_int_equal(child_read_all(child, 1000, &out, NULL), 0);
    assert_string_equal(str_get(&out), "ONLY=this\nPATH=/usr/bin:/bin\n");
}

static void more_output_than_is_wanted_is_an_error(void **state)
{
    (void)state;
    CLEANUP(child_freep) Child *child = start("while :; do echo xxxxxxxxxxxxxxxx; done", USEC_PER_MINUTE);
    CLEANUP(str_done) Str out = {0};
    CLEANUP(error_freep) Error *err = NULL;
    assert_int_equal(child_read_all(child, 100000, &out, &err), -1);
    assert_string_equal(err->message, "sh says more than the 100000 bytes that are read of it");
    assert_true(out.len <= 100000);
}

/* It says so, instead of being killed without a word. */
static void a_file_that_it_writes_has_a_bound(void **state)
{
    (void)state;
    char *folder = folder_make();
    CLEANUP(freep)
    char *script =
        xasprintf("cd %s && truncate -s %zu good && truncate -s %zu bad", folder, CHILD_FILE_MAX, CHILD_FILE_MAX + 1);
    CLEANUP(child_freep) Child *child = start(script, USEC_PER_MINUTE);
    int status = 0;
    assert_int_equal(child_wait(child, &status, NULL), 0);
    CLEANUP(freep) char *complaint = child_complaint(child);
    assert_int_equal(status, 1);
    assert_non_null(strstr(complaint, "bad"));
    assert_non_null(strstr(complaint, "File too large"));
    folder_remove(folder);
}

/* What it started goes with it: here a process that holds the pipe open, and says its number first. */
static void one_that_takes_too_long_is_stopped_with_all_it_started(void **state)
{
    (void)state;
    CLEANUP(child_freep) Child *child = start("sleep 300 & echo $!; echo waiting >&2; wait", USEC_PER_SEC);
    CLEANUP(str_done) Str out = {0};
    CLEANUP(error_freep) Error *err = NULL;
    usec_t begin = clock_monotonic();
    assert_int_equal(child_read_all(child, 100, &out, &err), -1);
    assert_int_equal(err->kind, ERROR_TIMEOUT);
    assert_string_equal(err->message, "sh took too long and was stopped: waiting");
    assert_true(clock_monotonic() - begin < USEC_PER_MINUTE);
    pid_t pid = (pid_t)strtol(str_get(&out), NULL, 10);
    assert_true(pid > 1);
    CLEANUP(freep) char *path = xasprintf("/proc/%d/cmdline", (int)pid);
    for (unsigned i = 0; i < 1000; i++) { /* gone, or nobody has asked for its end yet */
        char byte;
        FILE *f = fopen(path, "r");
        size_t n = f ? fread(&byte, 1, 1, f) : 0;
        if (f)
            fclose(f);
        if (n == 0)
            return;
        usleep(10000);
    }
    fail_msg("process %d is still there", (int)pid);
}

static void the_last_words_of_much_are_kept(void **state)
{
    (void)state;
    CLEANUP(child_freep)
    Child *child = start("i=0; while [ $i -lt 5000 ]; do echo line $i >&2; i=$((i+1)); done", USEC_PER_MINUTE);
    int status = 1;
    assert_int_equal(child_wait(child, &status, NULL), 0);
    assert_int_equal(status, 0);
    CLEANUP(freep) char *complaint = child_complaint(child);
    assert_true(strlen(complaint) <= 1000);
    assert_non_null(strstr(complaint, "; line 4999"));
}

static void a_program_that_is_not_there_is_named(void **state)
{
    (void)state;
    const char *const argv[] = {"no-such-program", NULL};
    Child *child = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    assert_int_equal(child_start(&(ChildSetup){argv, env, -1, USEC_PER_SEC}, &child, &err), -1);
    assert_string_equal(err->message,
                        "the program no-such-program is not there: install it (or set PATH, and in a unit ExecPaths=)");
    assert_null(child);
}

static void one_that_was_killed_says_by_what(void **state)
{
    (void)state;
    CLEANUP(child_freep) Child *child = start("kill -TERM $$", USEC_PER_MINUTE);
    int status = 0;
    assert_int_equal(child_wait(child, &status, NULL), 0);
    assert_int_equal(status, 128 + SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_output_and_its_status_are_told),
        cmocka_unit_test(it_has_no_other_environment_and_no_input),
        cmocka_unit_test(a_file_that_it_writes_has_a_bound),
        cmocka_unit_test(more_output_than_is_wanted_is_an_error),
        cmocka_unit_test(one_that_takes_too_long_is_stopped_with_all_it_started),
        cmocka_unit_test(the_last_words_of_much_are_kept),
        cmocka_unit_test(a_program_that_is_not_there_is_named),
        cmocka_unit_test(one_that_was_killed_says_by_what),
    };
    return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
