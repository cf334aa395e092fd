#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/problem.h"

#define FILE_NAME "specs/images.yaml"

/* One error at a place of `text`, formatted. */
static void assert_shown(const char *text, Mark mark, const char *expected)
{
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(str_done) Str out = {0};
    problems_add_source(problems, FILE_NAME, text, strlen(text));
    problem_add(problems, PROBLEM_ERROR, FILE_NAME, mark, "bad");
    problems_forget_source(problems, FILE_NAME);
    problems_format(problems, false, &out);
    assert_string_equal(str_get(&out), expected);
}

static void shows_place_line_and_caret(void **state)
{
    (void)state;
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(str_done) Str out = {0};
    const char *text = "spec:\n  dispalyName: x\n";
    problems_add_source(problems, FILE_NAME, text, strlen(text));
    problem_add(problems, PROBLEM_ERROR, FILE_NAME, (Mark){2, 3}, "unknown key \"%s\"; did you mean \"%s\"?",
                "dispalyName", "displayName");
    problems_format(problems, false, &out);
    assert_string_equal(str_get(&out), "specs/images.yaml:2:3: error: unknown key \"dispalyName\"; did you mean "
                                       "\"displayName\"?\n"
                                       "    2 |   dispalyName: x\n"
                                       "      |   ^\n");
}

static void shows_a_whole_file_without_place(void **state)
{
    (void)state;
    assert_shown("a: b\n", (Mark){0}, "specs/images.yaml: error: bad\n");
}

static void shows_no_line_when_the_source_is_unknown(void **state)
{
    (void)state;
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(str_done) Str out = {0};
    problem_add(problems, PROBLEM_WARNING, "x.yaml", (Mark){3, 4}, "odd");
    problems_format(problems, false, &out);
    assert_string_equal(str_get(&out), "x.yaml:3:4: warning: odd\n");
}

static void shows_no_line_beyond_the_end(void **state)
{
    (void)state;
    assert_shown("a\n", (Mark){2, 1}, "specs/images.yaml:2:1: error: bad\n");
    assert_shown("a\n", (Mark){9, 1}, "specs/images.yaml:9:1: error: bad\n");
}

static void keeps_tabs_below_tabs(void **state)
{
    (void)state;
    assert_shown("\ta: b", (Mark){1, 3}, "specs/images.yaml:1:3: error: bad\n    1 | \ta: b\n      | \t ^\n");
}

static void counts_characters_not_bytes(void **state)
{
    (void)state;
    assert_shown("\xc3\xa9\xe2\x82\xac: b", (Mark){1, 3},
                 "specs/images.yaml:1:3: error: bad\n    1 | \xc3\xa9\xe2\x82\xac: b\n      |   ^\n");
}

static void shows_control_characters_as_question_marks(void **state)
{
    (void)state;
    assert_shown("\x1b[31m\xc2\x9b\xff"
                 "b",
                 (Mark){1, 1}, "specs/images.yaml:1:1: error: bad\n    1 | ?[31m??b\n      | ^\n");
}

static void shows_direction_marks_as_question_marks(void **state)
{
    (void)state;
    assert_shown("a\xe2\x80\xae: b", (Mark){1, 1}, "specs/images.yaml:1:1: error: bad\n    1 | a?: b\n      | ^\n");
}

static void passes_over_a_byte_order_mark(void **state)
{
    (void)state;
    assert_shown("\xef\xbb\xbf"
                 "a: b",
                 (Mark){1, 1}, "specs/images.yaml:1:1: error: bad\n    1 | a: b\n      | ^\n");
}

static void knows_all_line_ends(void **state)
{
    (void)state;
    assert_shown("a\r\nb\rc\xc2\x85x", (Mark){4, 1}, "specs/images.yaml:4:1: error: bad\n    4 | x\n      | ^\n");
}

static void cuts_long_lines_around_the_column(void **state)
{
    (void)state;
    char text[301];
    memset(text, 'a', 300);
    text[300] = 0;
    text[199] = 'X';
    CLEANUP(str_done) Str expected = {0};
    str_addf(&expected, "specs/images.yaml:1:200: error: bad\n    1 | ...%.60sX%.39s...\n", text, text);
    str_addf(&expected, "      |    %60s^\n", "");
    assert_shown(text, (Mark){1, 200}, str_get(&expected));
    str_clear(&expected);
    str_addf(&expected, "specs/images.yaml:1:5: error: bad\n    1 | %.100s...\n      |     ^\n", text);
    assert_shown(text, (Mark){1, 5}, str_get(&expected));
}

static void cuts_nothing_far_out_in_an_endless_line(void **state)
{
    (void)state;
    CLEANUP(freep) char *text = xcalloc(30001, 1);
    memset(text, 'a', 30000);
    assert_shown(text, (Mark){1, 25000}, "specs/images.yaml:1:25000: error: bad\n");
}

static void puts_the_caret_behind_the_end(void **state)
{
    (void)state;
    assert_shown("a: [", (Mark){1, 5}, "specs/images.yaml:1:5: error: bad\n    1 | a: [\n      |     ^\n");
}

static void cleans_messages_and_names(void **state)
{
    (void)state;
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(str_done) Str out = {0};
    problem_add(problems, PROBLEM_ERROR, "a\nb.yaml", (Mark){0}, "key \"\x1b]\"");
    problems_format(problems, false, &out);
    assert_string_equal(str_get(&out), "a?b.yaml: error: key \"?]\"\n");
}

static void sorts_by_file_line_column_and_arrival(void **state)
{
    (void)state;
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(str_done) Str out = {0};
    problem_add(problems, PROBLEM_ERROR, "b", (Mark){1, 1}, "6");
    problem_add(problems, PROBLEM_ERROR, "a", (Mark){10, 1}, "5");
    problem_add(problems, PROBLEM_ERROR, "a", (Mark){2, 9}, "3");
    problem_add(problems, PROBLEM_ERROR, "a", (Mark){2, 9}, "4");
    problem_add(problems, PROBLEM_ERROR, "a", (Mark){2, 1}, "2");
    problem_add(problems, PROBLEM_ERROR, "a", (Mark){0}, "1");
    problems_format(problems, false, &out);
    assert_string_equal(str_get(&out), "a: error: 1\na:2:1: error: 2\na:2:9: error: 3\na:2:9: error: 4\n"
                                       "a:10:1: error: 5\nb:1:1: error: 6\n");
}

static void colours_for_a_terminal(void **state)
{
    (void)state;
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(str_done) Str out = {0};
    problems_add_source(problems, "a", "x", 1);
    problem_add(problems, PROBLEM_ERROR, "a", (Mark){1, 1}, "bad");
    problem_add(problems, PROBLEM_WARNING, "b", (Mark){0}, "odd");
    problems_format(problems, true, &out);
    assert_string_equal(str_get(&out), "\033[1ma:1:1:\033[0m \033[1;31merror:\033[0m bad\n"
                                       "    1 | x\n      | \033[1;32m^\033[0m\n"
                                       "\033[1mb:\033[0m \033[1;35mwarning:\033[0m odd\n");
}

static void counts_errors_and_warnings(void **state)
{
    (void)state;
    CLEANUP(problems_freep) Problems *problems = problems_new();
    problem_add(problems, PROBLEM_ERROR, "a", (Mark){0}, "x");
    problem_add(problems, PROBLEM_WARNING, "a", (Mark){0}, "x");
    assert_int_equal(problems_errors(problems), 1);
    assert_int_equal(problems_count(problems), 2);
}

static void shows_a_hundred_and_the_number_of_the_rest(void **state)
{
    (void)state;
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(str_done) Str out = {0};
    for (uint32_t i = 1; i <= 5000; i++)
        problem_add(problems, PROBLEM_ERROR, "a", (Mark){i, 1}, "x");
    problems_format(problems, false, &out);
    assert_non_null(strstr(str_get(&out), "a:100:1: error: x\n... and 4900 more problems\n"));
    assert_null(strstr(str_get(&out), "a:101:"));
    assert_int_equal(problems_count(problems), 5000);
}

static void gives_the_first_error_in_one_line(void **state)
{
    (void)state;
    CLEANUP(problems_freep) Problems *problems = problems_new();
    assert_null(problems_first(problems));
    problem_add(problems, PROBLEM_WARNING, "a", (Mark){1, 1}, "odd");
    assert_null(problems_first(problems));
    problem_add(problems, PROBLEM_ERROR, "b", (Mark){1, 2}, "bad");
    assert_string_equal(problems_first(problems), "b:1:2: bad");
    problem_add(problems, PROBLEM_ERROR, "a", (Mark){0}, "worse");
    assert_string_equal(problems_first(problems), "a: worse");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_place_line_and_caret),
        cmocka_unit_test(shows_a_whole_file_without_place),
        cmocka_unit_test(shows_no_line_when_the_source_is_unknown),
        cmocka_unit_test(shows_no_line_beyond_the_end),
        cmocka_unit_test(keeps_tabs_below_tabs),
        cmocka_unit_test(counts_characters_not_bytes),
        cmocka_unit_test(shows_control_characters_as_question_marks),
        cmocka_unit_test(shows_direction_marks_as_question_marks),
        cmocka_unit_test(passes_over_a_byte_order_mark),
        cmocka_unit_test(knows_all_line_ends),
        cmocka_unit_test(cuts_long_lines_around_the_column),
        cmocka_unit_test(cuts_nothing_far_out_in_an_endless_line),
        cmocka_unit_test(puts_the_caret_behind_the_end),
        cmocka_unit_test(cleans_messages_and_names),
        cmocka_unit_test(sorts_by_file_line_column_and_arrival),
        cmocka_unit_test(colours_for_a_terminal),
        cmocka_unit_test(counts_errors_and_warnings),
        cmocka_unit_test(shows_a_hundred_and_the_number_of_the_rest),
        cmocka_unit_test(gives_the_first_error_in_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
