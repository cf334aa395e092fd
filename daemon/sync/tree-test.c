#include "config.h"

#include "../../tests/unit/helper.h"

#include "sync/tree.h"

#define ID "0123456789012345678901234567890123456789"

typedef struct Sample {
    Arena *arena;
    Tree tree;
    Error *err;
} Sample;

static void sample_done(Sample *s)
{
    tree_done(&s->tree);
    error_free(s->err);
    arena_free(s->arena);
}

/* Of what ls-tree prints, with ~ for NUL. */
static int parse(Sample *s, const char *listing)
{
    CLEANUP(freep) char *text = xstrdup(listing);
    size_t size = strlen(text);
    for (char *p = text; *p; p++)
        if (*p == '~')
            *p = 0;
    s->arena = arena_new();
    return tree_parse(text, size, s->arena, &s->tree, &s->err);
}

#define BLOB "100644 blob " ID "\t"
#define LINK "120000 blob " ID "\t"

static void only_specs_and_links_are_kept(void **state)
{
    (void)state;
    CLEANUP(sample_done) Sample s = {0};
    assert_int_equal(parse(&s, BLOB "a.yaml~100755 blob " ID "\tx/b.yml~" BLOB "c.txt~" BLOB ".yaml~" LINK
                                    "l~160000 commit " ID "\tvendor~160000 commit " ID "\tvendor2~" BLOB "d.yaml/e~"),
                     0);
    assert_int_equal(s.tree.n_files, 2);
    assert_string_equal(s.tree.files[1].path, "x/b.yml");
    assert_string_equal(s.tree.files[1].id, ID);
    assert_int_equal(s.tree.n_links, 1);
    assert_int_equal(s.tree.n_submodules, 2);
    assert_string_equal(s.tree.submodule, "vendor");
}

static void bad_names_are_refused_wherever_they_are(void **state)
{
    (void)state;
    static const char *const names[] = {
        "..",    "../a.yaml", "a/../b.yaml", ".git", "x/.GIT/config", "/a.yaml", "a//b.yaml",
        "a/./b", "a/",        "a\nb.yaml",   "a\\b", "x/..",          "",        "\x7f.yaml"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        CLEANUP(sample_done) Sample s = {0};
        CLEANUP(freep) char *listing = xasprintf(BLOB "%s~", names[i]);
        if (parse(&s, listing) == 0)
            fail_msg("\"%s\" is taken", names[i]);
        assert_non_null(strstr(s.err->message, "is refused"));
    }
    static const char *const good[] = {"a..b/c.yaml", ".github/x.yaml", "...", "a b.yaml", "\xc3\xa9.yaml"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        CLEANUP(sample_done) Sample s = {0};
        CLEANUP(freep) char *listing = xasprintf(BLOB "%s~", good[i]);
        assert_int_equal(parse(&s, listing), 0);
    }
}

static void what_is_no_listing_is_refused(void **state)
{
    (void)state;
    static const char *const listings[] = {"x~", "100644 blob\ta~", "100644 blob 12\ta~", "100644\ta~", "~"};
    for (size_t i = 0; i < ARRAY_SIZE(listings); i++) {
        CLEANUP(sample_done) Sample s = {0};
        assert_int_equal(parse(&s, listings[i]), -1);
    }
}

/* Where `text` at `path` leads, among a.yaml, x/b.yaml, the link x/l.yaml -> b.yaml and the link top -> x/y. NULL: it
 * is left out; "refused". */
static const char *resolved(Sample *s, const char *path, const char *text)
{
    CLEANUP(freep)
    char *listing = xasprintf(BLOB "a.yaml~" BLOB "x/b.yaml~" BLOB "x/y/c.yaml~" BLOB "readme~" LINK "x/l.yaml~" LINK
                                   "top~" LINK "%s~",
                              path);
    assert_int_equal(parse(s, listing), 0);
    s->tree.links[0].text = "b.yaml";
    s->tree.links[1].text = "x/y";
    s->tree.links[2].text = text;
    return tree_resolve_links(&s->tree, s->arena, &s->err) < 0 ? "refused" : s->tree.links[2].target;
}

static void links_lead_to_what_is_exported_and_nowhere_else(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text, *target;
    } rows[] = {
        {"n.yaml", "a.yaml", "a.yaml"},
        {"n.yaml", "./x/../a.yaml", "a.yaml"},
        {"x/n.yaml", "b.yaml", "../x/b.yaml"},
        {"x/y/n.yaml", "../../a.yaml", "../../a.yaml"},
        {"n.yaml", "x/l.yaml", "x/b.yaml"},
        {"n", "a.yaml", "a.yaml"},
        {"n", "x", "x"},
        {"n", "top", "x/y"},
        {"n", "readme", NULL},
        {"n", "nothing", NULL},
        {"n", ".", NULL},
        {"n.yaml", "readme", "refused"},
        {"n.yaml", "nothing.yaml", "refused"},
        {"n.yaml", "n.yaml", "refused"},
        {"n", "n", NULL},
        {"n.yaml", "", "refused"},
        {"n", "/", "refused"},
        {"n", "/etc/passwd", "refused"},
        {"n", "..", "refused"},
        {"n.yaml", "../a.yaml", "refused"},
        {"x/n.yaml", "../../a.yaml", "refused"},
        {"x/n.yaml", "../../x/b.yaml", "refused"},
        {"n.yaml", "top/../b.yaml", "refused"},
        {"n.yaml", "top/c.yaml", "refused"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(sample_done) Sample s = {0};
        const char *target = resolved(&s, rows[i].path, rows[i].text);
        if (!streq_null(target, rows[i].target))
            fail_msg("%s -> %s: %s", rows[i].path, rows[i].text, target ? target : "left out");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_specs_and_links_are_kept),
        cmocka_unit_test(bad_names_are_refused_wherever_they_are),
        cmocka_unit_test(what_is_no_listing_is_refused),
        cmocka_unit_test(links_lead_to_what_is_exported_and_nowhere_else),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
