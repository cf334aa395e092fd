#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"

static const char *const names[] = {"displayName", "operatingSystem", "freeformTags", "definedTags", NULL};

static void a_string_grows_and_can_be_taken(void **state)
{
    (void)state;
    Str s = {0};
    assert_string_equal(str_get(&s), "");
    for (int i = 0; i < 1000; i++)
        str_addf(&s, "%d,", i % 10);
    assert_int_equal(s.len, 2000);
    str_clear(&s);
    assert_string_equal(str_get(&s), "");
    str_add(&s, "ab");
    str_addc(&s, 'c');
    str_addn(&s, "def", 2);
    str_addn(&s, NULL, 0);
    CLEANUP(freep) char *taken = str_take(&s);
    assert_string_equal(taken, "abcde");
    assert_int_equal(s.len, 0);
    CLEANUP(freep) char *empty = str_take(&s);
    assert_string_equal(empty, "");
}

static void percent_encodes_all_but_unreserved_bytes(void **state)
{
    (void)state;
    CLEANUP(str_done) Str s = {0};
    str_add_percent(&s, "aZ09-._~ /?&=+%#\n\xc3\xa9");
    assert_string_equal(str_get(&s), "aZ09-._~%20%2F%3F%26%3D%2B%25%23%0A%C3%A9");
}

static void strips_white_space_at_both_ends(void **state)
{
    (void)state;
    char text[] = " \t a b\r\n", blank[] = " \n ", empty[] = "";
    assert_string_equal(str_strip(text), "a b");
    assert_string_equal(str_strip(blank), "");
    assert_string_equal(str_strip(empty), "");
}

static void drops_digits(void **state)
{
    (void)state;
    char text[] = "1 try of 20: port 443", digits[] = "0123456789";
    assert_string_equal(str_drop_digits(text), " try of : port ");
    assert_string_equal(str_drop_digits(digits), "");
}

static void null_equals_null_alone(void **state)
{
    (void)state;
    assert_true(streq_null(NULL, NULL));
    assert_false(streq_null("", NULL));
    assert_false(streq_null(NULL, ""));
    assert_true(streq_null("a", "a"));
}

static void assert_glob(const char *pattern, const char *text, bool expected)
{
    if (glob_match(pattern, text, true, false) != expected)
        fail_msg("\"%s\" %s \"%s\"", pattern, expected ? "must match" : "must not match", text);
}

static void a_pattern_without_stars_matches_itself(void **state)
{
    (void)state;
    assert_glob("", "", true);
    assert_glob("", "a", false);
    assert_glob("a", "", false);
    assert_glob("a.b", "a.b", true);
    assert_glob("a.b", "a.bc", false);
    assert_glob("a.bc", "a.b", false);
    assert_glob("[a]", "a", false);
    assert_glob("[a]", "[a]", true);
    assert_glob("\\*", "*", false);
}

static void one_star_stops_at_dots(void **state)
{
    (void)state;
    assert_glob("*", "", true);
    assert_glob("*", "abc", true);
    assert_glob("*", "a.b", false);
    assert_glob("a.*", "a.b", true);
    assert_glob("a.*", "a.", true);
    assert_glob("a.*", "a", false);
    assert_glob("a.*", "a.b.c", false);
    assert_glob("*.*", "a.b", true);
    assert_glob("*.c", "a.b.c", false);
    assert_glob("definedTags.Cost.*", "definedTags.Cost.Center", true);
    assert_glob("definedTags.*.Center", "definedTags.Cost.Center", true);
    assert_glob("definedTags.*", "definedTags.Cost.Center", false);
}

static void two_stars_do_not(void **state)
{
    (void)state;
    assert_glob("**", "", true);
    assert_glob("**", "a.b.c", true);
    assert_glob("***", "a.b.c", true);
    assert_glob("a.**", "a.b.c", true);
    assert_glob("a.**", "a", false);
    assert_glob("**.c", "a.b.c", true);
    assert_glob("**c", "a.b.c", true);
    assert_glob("a**c", "a.b.c", true);
    assert_glob("**.b.**", "a.b.c", true);
    assert_glob("**.x.**", "a.b.c", false);
}

static void a_question_mark_is_one_byte_but_no_dot(void **state)
{
    (void)state;
    assert_glob("a?c", "abc", true);
    assert_glob("a?c", "a.c", false);
    assert_glob("a?c", "ac", false);
    assert_glob("?", "", false);
    assert_glob("*?", "a", true);
    assert_glob("*?", "", false);
}

static void stars_come_back_to_where_they_may(void **state)
{
    (void)state;
    assert_glob("*ab", "aab", true);
    assert_glob("*a*b", "xaxbxb", true);
    assert_glob("**a.*b", "a.x.a.b", true);
    assert_glob("**a*b.c", "a.ab.abx.axb.c", true);
    assert_glob("*a.*b**c", "xa.yb.z.c", true);
    assert_glob("*a.*b", "a.x.b", false);
    assert_glob("**a*b", "a.b", false);
}

static void without_parts_a_star_matches_anything(void **state)
{
    (void)state;
    assert_true(glob_match("ol*", "ol.9.golden", false, false));
    assert_true(glob_match("ol?9", "ol.9", false, false));
    assert_true(glob_match("*golden*", "ol.9 golden.x", false, false));
    assert_false(glob_match("*golden", "ol.9 golden.x", false, false));
}

static void case_counts_unless_folded(void **state)
{
    (void)state;
    assert_false(glob_match("Ops.*", "ops.a", true, false));
    assert_true(glob_match("Ops.*X", "oPS.ax", true, true));
    assert_false(glob_match("\xc3\x84", "\xc3\xa4", true, true)); /* ASCII alone is folded */
}

/* The plain definition, exponential as it is. */
static bool matches_by_definition(const char *p, const char *t)
{
    if (*p == '*') {
        bool deep = p[1] == '*';
        const char *rest = p;
        while (*rest == '*')
            rest++;
        for (const char *at = t;; at++) {
            if (matches_by_definition(rest, at))
                return true;
            if (!*at || (!deep && *at == '.'))
                return false;
        }
    }
    if (!*t || !*p)
        return *t == *p;
    return (*p == *t || (*p == '?' && *t != '.')) && matches_by_definition(p + 1, t + 1);
}

static void matches_as_the_plain_definition_does(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 200000; i++) {
        char pattern[9] = "", text[10] = "";
        for (int k = 0; k < 8 && (seed = seed * 6364136223846793005U + 1442695040888963407U) >> 61; k++)
            pattern[k] = "**?ab..*"[seed >> 33 & 7];
        for (int k = 0; k < 9 && (seed = seed * 6364136223846793005U + 1442695040888963407U) >> 61; k++)
            text[k] = "aab."[seed >> 33 & 3];
        assert_glob(pattern, text, matches_by_definition(pattern, text));
    }
}

static void hostile_patterns_cost_little_time(void **state)
{
    (void)state;
    char stars[301] = "", deep[301] = "", both[301] = "", text[401] = "";
    for (int i = 0; i + 3 < 300; i += 3) {
        memcpy(stars + i, "a*a", 3);
        memcpy(deep + i, "**a", 3);
        memcpy(both + i, i % 2 ? "**a" : "*aa", 3);
    }
    memset(text, 'a', 400);
    strcat(stars, "b");
    strcat(deep, "b");
    strcat(both, "b");
    usec_t before = clock_monotonic();
    assert_glob(stars, text, false);
    assert_glob(deep, text, false);
    assert_glob(both, text, false);
    assert_true(clock_monotonic() - before < 5 * USEC_PER_SEC);
}

static void finds_the_name_that_was_meant(void **state)
{
    (void)state;
    assert_string_equal(nearest_name("displayNam", names), "displayName");
    assert_string_equal(nearest_name("DisplayName", names), "displayName");
    assert_string_equal(nearest_name("display_name", names), "displayName");
    assert_string_equal(nearest_name("freeFormTag", names), "freeformTags");
    assert_string_equal(nearest_name("oepratingSystem", names), "operatingSystem");
}

static void suggests_nothing_when_no_name_is_near(void **state)
{
    (void)state;
    static const char *const none[] = {NULL};
    assert_null(nearest_name("hypervisor", names));
    assert_null(nearest_name("x", names));
    assert_null(nearest_name("", names));
    assert_null(nearest_name("displayName", none));
}

static void prefers_the_nearest_and_then_the_first(void **state)
{
    (void)state;
    static const char *const few[] = {"prod1", "prod", "prod2", NULL}, *const alike[] = {"lab1", "lab2", NULL};
    assert_string_equal(nearest_name("prd", few), "prod");
    assert_string_equal(nearest_name("lab3", alike), "lab1");
}

static void words_too_long_to_compare_have_no_neighbour(void **state)
{
    (void)state;
    char word[5001] = "";
    memset(word, 'd', 5000);
    const char *const long_names[] = {word, NULL};
    assert_null(nearest_name(word, names));
    assert_null(nearest_name("displayName", long_names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_string_grows_and_can_be_taken),
        cmocka_unit_test(percent_encodes_all_but_unreserved_bytes),
        cmocka_unit_test(strips_white_space_at_both_ends),
        cmocka_unit_test(drops_digits),
        cmocka_unit_test(null_equals_null_alone),
        cmocka_unit_test(a_pattern_without_stars_matches_itself),
        cmocka_unit_test(one_star_stops_at_dots),
        cmocka_unit_test(two_stars_do_not),
        cmocka_unit_test(a_question_mark_is_one_byte_but_no_dot),
        cmocka_unit_test(stars_come_back_to_where_they_may),
        cmocka_unit_test(without_parts_a_star_matches_anything),
        cmocka_unit_test(case_counts_unless_folded),
        cmocka_unit_test(matches_as_the_plain_definition_does),
        cmocka_unit_test(hostile_patterns_cost_little_time),
        cmocka_unit_test(finds_the_name_that_was_meant),
        cmocka_unit_test(suggests_nothing_when_no_name_is_near),
        cmocka_unit_test(prefers_the_nearest_and_then_the_first),
        cmocka_unit_test(words_too_long_to_compare_have_no_neighbour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
