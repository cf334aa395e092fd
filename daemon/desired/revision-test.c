#include "config.h"

#include "../../tests/unit/helper.h"

#include "desired/revision.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* `files`: name and text in turn, ends with NULL. */
static void assert_revision(const char *const *files, const char *specs, const char *expected)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    char *folder = folder_make();
    CLEANUP(freep) char *path = xasprintf("%s/%s", folder, specs);
    file_write(folder, "tree/specs/a.yaml", "");
    for (; *files; files += 2)
        file_write(folder, files[0], files[1]);
    const char *revision = revision_find(arena, path);
    folder_remove(folder);
    if (!streq_null(revision, expected))
        fail_msg("%s, not %s", revision ? revision : "none", expected ? expected : "none");
}

static void no_git_no_revision(void **state)
{
    (void)state;
    assert_revision((const char *const[]){NULL}, "tree/specs", NULL);
    assert_revision((const char *const[]){NULL}, "nowhere", NULL);
}

static void an_exported_tree_says_its_own(void **state)
{
    (void)state;
    assert_revision((const char *const[]){"tree/specs/.revision", A "\n", "tree/.git/HEAD", B "\n", NULL}, "tree/specs",
                    A);
    assert_revision((const char *const[]){"tree/specs/.revision", "main\n", "tree/.git/HEAD", B "\n", NULL},
                    "tree/specs", B);
}

static void a_branch_leads_to_its_commit(void **state)
{
    (void)state;
    assert_revision(
        (const char *const[]){"tree/.git/HEAD", "ref: refs/heads/main\n", "tree/.git/refs/heads/main", A "\n", NULL},
        "tree/specs", A);
    assert_revision(
        (const char *const[]){"tree/.git/HEAD", "ref: refs/heads/main\n", "tree/.git/refs/heads/main", A "\n", NULL},
        "tree/specs/a.yaml", A);
}

static void packed_branches_are_found(void **state)
{
    (void)state;
    assert_revision((const char *const[]){"tree/.git/HEAD", "ref: refs/heads/main\n", "tree/.git/packed-refs",
                                          "# pack-refs with: peeled fully-peeled sorted \n" B " refs/heads/main2\n" A
                                          " refs/heads/main\n^" B "\n",
                                          NULL},
                    "tree/specs", A);
}

static void a_loose_branch_wins_over_a_packed_one(void **state)
{
    (void)state;
    assert_revision((const char *const[]){"tree/.git/HEAD", "ref: refs/heads/main\n", "tree/.git/refs/heads/main",
                                          A "\n", "tree/.git/packed-refs", B " refs/heads/main\n", NULL},
                    "tree/specs", A);
}

static void a_linked_work_tree_is_followed(void **state)
{
    (void)state;
    assert_revision((const char *const[]){"tree/.git", "gitdir: ../main/worktrees/w\n", "main/worktrees/w/HEAD",
                                          "ref: refs/heads/x\n", "main/worktrees/w/commondir", "../..\n",
                                          "main/refs/heads/x", A "\n", NULL},
                    "tree/specs", A);
}

static void what_is_no_commit_is_no_revision(void **state)
{
    (void)state;
    static const char *const heads[] = {"",
                                        "main\n",
                                        "ref: ../../secret\n",
                                        "ref: refs/../../../secret\n",
                                        "ref: refs/heads/none\n",
                                        "ref: refs/heads/loop\n",
                                        A "a\n"};
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        assert_revision((const char *const[]){"tree/.git/HEAD", heads[i], "tree/secret", A "\n", "secret", A "\n",
                                              "tree/.git/refs/heads/loop", "ref: refs/heads/loop\n", NULL},
                        "tree/specs", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_git_no_revision),
        cmocka_unit_test(an_exported_tree_says_its_own),
        cmocka_unit_test(a_branch_leads_to_its_commit),
        cmocka_unit_test(packed_branches_are_found),
        cmocka_unit_test(a_loose_branch_wins_over_a_packed_one),
        cmocka_unit_test(a_linked_work_tree_is_followed),
        cmocka_unit_test(what_is_no_commit_is_no_revision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
