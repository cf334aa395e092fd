#include "config.h"

#include "../../tests/unit/helper.h"

static Config *load(const char *text, char **ret_problem)
{
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(error_freep) Error *err = NULL;
    char *folder = folder_make();
    CLEANUP(freep) char *file = xasprintf("%s/c.yaml", folder);
    Config *config = NULL;
    file_write(folder, "c.yaml", text);
    int r = config_load(file, problems, &config, &err);
    assert_int_equal(r < 0, err != NULL);
    assert_int_equal(r < 0, !config);
    const char *first = problems_first(problems);
    *ret_problem = r < 0 && first ? xstrdup(first + strlen(file) + 1) : NULL;
    folder_remove(folder);
    return config;
}

static void assert_problem(const char *text, const char *expected)
{
    CLEANUP(freep) char *problem = NULL;
    CLEANUP(config_freep) Config *config = load(text, &problem);
    assert_null(config);
    assert_string_equal(problem, expected);
}

static Config *good(const char *text)
{
    char *problem = NULL;
    Config *config = load(text, &problem);
    if (!config)
        fail_msg("%s", problem);
    return config;
}

static void what_is_not_said_has_its_default(void **state)
{
    (void)state;
    CLEANUP(config_freep) Config *config = good("accounts: [{name: a, type: oci}]\n");
    assert_null(config->specs);
    assert_int_equal(config->interval, 5 * USEC_PER_MINUTE);
    assert_int_equal(config->max_changes, 100);
    assert_false(config->observe);
}

static void what_is_said_holds(void **state)
{
    (void)state;
    CLEANUP(config_freep)
    Config *config = good("specs: /s\ninterval: 1s\nmode: observe\nlimits: {maxChanges: 7}\naccounts: [{name: a, type: "
                          "oci}, {name: b, type: oci}]\n");
    assert_string_equal(config->specs, "/s");
    assert_int_equal(config->interval, USEC_PER_SEC);
    assert_int_equal(config->max_changes, 7);
    assert_true(config->observe);
    assert_int_equal(config->n_accounts, 2);
    assert_string_equal(config_account(config, "b")->type, "oci");
    assert_null(config_account(config, "c"));
}

static void paths_are_relative_to_the_file(void **state)
{
    setenv("HOME", "/home/somebody", 1);
    (void)state;
    CLEANUP(config_freep)
    Config *config = good("specs: s/t\naccounts:\n- {name: a, type: oci, configFile: c, caFile: ./d, keyFile: k, "
                          "passPhraseFile: p/q}\n- {name: b, type: oci, configFile: ~/c, keyFile: /k}\n");
    const Node *a = config->accounts[0].settings, *b = config->accounts[1].settings;
    CLEANUP(freep) char *folder = xstrndup(config->file, (size_t)(strrchr(config->file, '/') - config->file));
    assert_true(starts_with(config->specs, folder) && streq(config->specs + strlen(folder), "/s/t"));
    assert_true(starts_with(node_get_text(a, "configFile"), folder));
    assert_true(starts_with(node_get_text(a, "caFile"), folder));
    assert_true(starts_with(node_get_text(a, "passPhraseFile"), folder));
    assert_string_equal(node_get_text(a, "keyFile"), "k"); /* a bare name is a credential */
    assert_string_equal(node_get_text(b, "configFile"), "/home/somebody/c");
    assert_string_equal(node_get_text(b, "keyFile"), "/k");
}

static void accounts_have_names_of_their_own(void **state)
{
    (void)state;
    assert_problem("accounts: [{name: a, type: oci},\n {name: a, type: oci}]\n",
                   "2:9: account \"a\" is already there, in line 1");
}

static void endpoints_and_page_sizes_are_checked(void **state)
{
    (void)state;
    assert_problem("accounts: [{name: a, type: oci, endpoint: ftp://x}]\n",
                   "1:43: endpoint: \"ftp://x\" must begin with https://");
    assert_problem("accounts: [{name: a, type: oci, pageSize: 1001}]\n", "1:43: pageSize must be auto or 1 to 1000");
    CLEANUP(config_freep)
    Config *config = good("accounts: [{name: a, type: oci, pageSize: 1000, endpoint: \"http://[::1]:1\"}, "
                          "{name: b, type: oci, pageSize: auto}]\n");
    assert_int_equal(config->n_accounts, 2);
}

static void a_file_is_one_map(void **state)
{
    (void)state;
    assert_problem("", " the configuration is empty");
    assert_problem("x\n", "1:1: the configuration must be a map, not a string");
    assert_problem("accounts: []\n--- \naccounts: []\n", "3:1: the configuration is one document");
    assert_problem("accounts: [\n", "2:1: did not find expected node content, while parsing a flow node");
}

static void a_file_that_cannot_be_read_is_no_problem_in_it(void **state)
{
    (void)state;
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(error_freep) Error *err = NULL;
    CLEANUP(config_freep) Config *config = NULL;
    assert_int_equal(config_load("/nowhere/c.yaml", problems, &config, &err), -1);
    assert_int_equal(problems_count(problems), 0);
    assert_int_equal(err->kind, ERROR_LOCAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(what_is_said_holds),
        cmocka_unit_test(paths_are_relative_to_the_file),
        cmocka_unit_test(accounts_have_names_of_their_own),
        cmocka_unit_test(endpoints_and_page_sizes_are_checked),
        cmocka_unit_test(a_file_is_one_map),
        cmocka_unit_test(a_file_that_cannot_be_read_is_no_problem_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
