#include "config.h"

#include "base/ini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static Ini *parse(const char *text)
{
    Ini *ini = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (ini_parse(text, strlen(text), "x.ini", &ini, &err) < 0)
        fail_msg("%s", err->message);
    return ini;
}

static void has_value(const char *text, const char *section, const char *key, const char *value)
{
    CLEANUP(ini_freep) Ini *ini = parse(text);
    const IniEntry *entry = ini_get(ini, section, key);
    assert_non_null(entry);
    assert_string_equal(entry->value, value);
}

static void refuse(const char *text, size_t size, const char *message)
{
    Ini *ini = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    assert_int_equal(ini_parse(text, size, "x.ini", &ini, &err), -1);
    assert_null(ini);
    assert_int_equal(err->kind, ERROR_SPEC);
    assert_string_equal(err->message, message);
}

static void refuse_text(const char *text, const char *message)
{
    refuse(text, strlen(text), message);
}

static void trims_keys_and_values(void **state)
{
    (void)state;
    has_value("[a]\n  k \t=  some value \t\r\n", "a", "k", "some value");
}

static void keeps_what_follows_the_first_equals_sign(void **state)
{
    (void)state;
    has_value("[a]\nk=b=c # d", "a", "k", "b=c # d");
}

static void finds_keys_without_regard_to_case(void **state)
{
    (void)state;
    has_value("[a]\nKey_File=x", "a", "key_file", "x");
    has_value("[a]\nkey_file=x", "a", "KEY_FILE", "x");
}

static void tells_sections_apart_by_case(void **state)
{
    (void)state;
    CLEANUP(ini_freep) Ini *ini = parse("[a]\nk=1\n[A]\nk=2\n");
    assert_string_equal(ini_get(ini, "a", "k")->value, "1");
    assert_string_equal(ini_get(ini, "A", "k")->value, "2");
}

static void passes_over_comments_and_empty_lines(void **state)
{
    (void)state;
    has_value("# x=1\n; y\n\n  # z\n[a] ; section\nk=1\n", "a", "k", "1");
}

static void passes_over_a_byte_order_mark(void **state)
{
    (void)state;
    has_value("\xef\xbb\xbf[a]\nk=1", "a", "k", "1");
}

static void reads_a_file_of_windows(void **state)
{
    (void)state;
    has_value("[a]\r\nk=1\r\n\r\nl=2\r\n", "a", "k", "1");
}

static void keeps_an_empty_value(void **state)
{
    (void)state;
    has_value("[a]\nk=", "a", "k", "");
}

static void tells_the_line_of_an_entry(void **state)
{
    (void)state;
    CLEANUP(ini_freep) Ini *ini = parse("# c\n[a]\n\nk=1\n");
    assert_int_equal(ini_get(ini, "a", "k")->line, 4);
}

static void lists_sections_in_order(void **state)
{
    (void)state;
    CLEANUP(ini_freep) Ini *ini = parse("[b]\n[ a ]\n");
    const char *const *sections = ini_sections(ini);
    assert_string_equal(sections[0], "b");
    assert_string_equal(sections[1], "a");
    assert_null(sections[2]);
    assert_true(ini_has_section(ini, "a"));
    assert_false(ini_has_section(ini, "c"));
}

static void knows_whether_any_section_holds_a_key(void **state)
{
    (void)state;
    CLEANUP(ini_freep) Ini *ini = parse("[a]\nempty=\n[b]\nfull=1\n");
    assert_true(ini_holds(ini, "FULL"));
    assert_false(ini_holds(ini, "empty"));
    assert_false(ini_holds(ini, "other"));
}

static void accepts_an_empty_file(void **state)
{
    (void)state;
    CLEANUP(ini_freep) Ini *ini = parse("");
    assert_null(ini_sections(ini)[0]);
    assert_null(ini_get(ini, "a", "k"));
}

static void refuses_a_line_without_meaning_and_does_not_show_it(void **state)
{
    (void)state;
    refuse_text("[a]\nhush\n", "x.ini:2: neither [section] nor key = value nor a comment");
}

static void refuses_what_is_no_key(void **state)
{
    (void)state;
    refuse_text("[a]\nhush hush=1\n", "x.ini:2: what stands before = is no key");
    refuse_text("[a]\n=1\n", "x.ini:2: what stands before = is no key");
}

static void refuses_a_key_before_the_first_section(void **state)
{
    (void)state;
    refuse_text("user=1\n[a]\n", "x.ini:1: user stands before the first [section]");
}

static void refuses_a_key_that_is_there_twice(void **state)
{
    (void)state;
    refuse_text("[a]\nuser=1\nUser=2\n", "x.ini:3: User is already in line 2 of the same section");
}

static void refuses_a_section_that_is_there_twice(void **state)
{
    (void)state;
    refuse_text("[a]\n[b]\n[a]\n", "x.ini:3: section [a] is there a second time");
}

static void refuses_a_broken_section_line(void **state)
{
    (void)state;
    refuse_text("[a\n", "x.ini:1: the ] of the section is missing");
    refuse_text("[ ]\n", "x.ini:1: a section without a name");
    refuse_text("[a\x1b[2J]\n", "x.ini:1: a section name with a control character");
    refuse_text("[a] b\n", "x.ini:1: text after the ] of the section");
}

static void refuses_a_nul_byte(void **state)
{
    (void)state;
    refuse("[a]\0\n", 5, "x.ini: has a NUL byte, so it is no text file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trims_keys_and_values),
        cmocka_unit_test(keeps_what_follows_the_first_equals_sign),
        cmocka_unit_test(finds_keys_without_regard_to_case),
        cmocka_unit_test(tells_sections_apart_by_case),
        cmocka_unit_test(passes_over_comments_and_empty_lines),
        cmocka_unit_test(passes_over_a_byte_order_mark),
        cmocka_unit_test(reads_a_file_of_windows),
        cmocka_unit_test(keeps_an_empty_value),
        cmocka_unit_test(tells_the_line_of_an_entry),
        cmocka_unit_test(lists_sections_in_order),
        cmocka_unit_test(knows_whether_any_section_holds_a_key),
        cmocka_unit_test(accepts_an_empty_file),
        cmocka_unit_test(refuses_a_line_without_meaning_and_does_not_show_it),
        cmocka_unit_test(refuses_what_is_no_key),
        cmocka_unit_test(refuses_a_key_before_the_first_section),
        cmocka_unit_test(refuses_a_key_that_is_there_twice),
        cmocka_unit_test(refuses_a_section_that_is_there_twice),
        cmocka_unit_test(refuses_a_broken_section_line),
        cmocka_unit_test(refuses_a_nul_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
