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

#define IMS "accounts: [{name: a, type: ims, region: r, "
#define KEYS "accessKeyFile: ak, secretKeyFile: sk"
#define PASSWORD "auth: password, user: u, domain: d, passwordFile: pw"

static void each_auth_needs_keys_of_its_own(void **state)
{
    (void)state;
    assert_problem(IMS "accessKeyFile: ak, secretKeyFile: sk}]\n",
                   "1:12: auth: accessKey needs \"projectId\": id of the project in that region");
    assert_problem(
        IMS "auth: accessKey, projectId: p, secretKeyFile: sk}]\n",
        "1:12: auth: accessKey needs \"accessKeyFile\": the access key (AK): a path, or a systemd credential's name");
    assert_problem(
        IMS "projectId: p, accessKeyFile: ak}]\n",
        "1:12: auth: accessKey needs \"secretKeyFile\": the secret key (SK): a path, or a systemd credential's name");
    assert_problem(IMS "auth: password, domain: d, passwordFile: pw}]\n",
                   "1:12: auth: password needs \"user\": name of the IAM user");
    assert_problem(IMS "auth: password, user: u, passwordFile: pw}]\n",
                   "1:12: auth: password needs \"domain\": name of the account that the user belongs to");
    assert_problem(
        IMS "auth: password, user: u, domain: d}]\n",
        "1:12: auth: password needs \"passwordFile\": the user's password: a path, or a systemd credential's name");
}

static void an_account_of_huawei_cloud_needs_a_place(void **state)
{
    (void)state;
    assert_problem("accounts: [{name: a, type: ims, projectId: p, " KEYS "}]\n",
                   "1:12: type: ims needs \"region\" or \"endpoint\"");
}

static void keys_of_another_auth_are_refused(void **state)
{
    (void)state;
    static const char *const others[] = {"user: u", "domain: d", "passwordFile: pw", "iamEndpoint: \"https://i\""};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        CLEANUP(freep) char *text = xasprintf(IMS "projectId: p, " KEYS ", %s}]\n", others[i]);
        CLEANUP(freep)
        char *expected = xasprintf("1:%zu: %.*s goes with auth: password, and this is accessKey",
                                   strlen(IMS "projectId: p, " KEYS ", ") + 1, (int)strcspn(others[i], ":"), others[i]);
        assert_problem(text, expected);
    }
    static const char *const keys[] = {"accessKeyFile: ak", "secretKeyFile: sk", "securityTokenFile: st"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        CLEANUP(freep) char *text = xasprintf(IMS PASSWORD ", %s}]\n", keys[i]);
        CLEANUP(freep)
        char *expected = xasprintf("1:%zu: %.*s goes with auth: accessKey, and this is password",
                                   strlen(IMS PASSWORD ", ") + 1, (int)strcspn(keys[i], ":"), keys[i]);
        assert_problem(text, expected);
    }
}

static void keys_that_several_can_have_are_taken(void **state)
{
    (void)state;
    CLEANUP(config_freep)
    Config *config =
        good(IMS "projectId: p, " KEYS ", securityTokenFile: st}, {name: b, type: ims, region: r, " PASSWORD "},\n"
                 "  {name: c, type: ims, region: r, projectId: p, iamEndpoint: \"https://i\", " PASSWORD "}]\n");
    assert_int_equal(config->n_accounts, 3);
    assert_string_equal(config_account(config, "c")->type, "ims");
}

static void a_region_is_part_of_a_host(void **state)
{
    (void)state;
    assert_problem("accounts: [{name: a, type: ims, region: x.example/, projectId: p, " KEYS "}]\n",
                   "1:41: region: takes lower-case letters, digits and -, such as ap-southeast-3, not \"x.example/\"");
    assert_problem("accounts: [{name: a, type: ims, region: AP-1, projectId: p, " KEYS "}]\n",
                   "1:41: region: takes lower-case letters, digits and -, such as ap-southeast-3, not \"AP-1\"");
}

static void assert_under(const char *folder, const Node *settings, const char *key, const char *rest)
{
    const char *path = node_get_text(settings, key);
    if (!starts_with(path, folder) || !streq(path + strlen(folder), rest))
        fail_msg("%s: %s", key, path);
}

static void paths_of_all_clouds_are_relative_to_the_file(void **state)
{
    (void)state;
    setenv("HOME", "/home/somebody", 1);
    CLEANUP(config_freep)
    Config *config = good("accounts:\n"
                          "- {name: a, type: ims, region: r, projectId: p, accessKeyFile: k/ak, secretKeyFile: ./sk, "
                          "securityTokenFile: ../st, caFile: ca}\n"
                          "- {name: b, type: ims, region: r, auth: password, user: u, domain: d, passwordFile: p/w}\n"
                          "- {name: c, type: openstack, cloud: lab, cloudsFile: k/clouds.yaml, caFile: ca.pem}\n"
                          "- {name: d, type: openstack, cloud: lab, cloudsFile: ~/clouds.yaml, caFile: /ca.pem}\n");
    CLEANUP(freep) char *folder = xstrndup(config->file, (size_t)(strrchr(config->file, '/') - config->file));
    const Node *a = config->accounts[0].settings, *c = config->accounts[2].settings, *d = config->accounts[3].settings;
    assert_under(folder, a, "accessKeyFile", "/k/ak");
    assert_under(folder, a, "secretKeyFile", "/./sk");
    assert_under(folder, a, "securityTokenFile", "/../st");
    assert_under(folder, a, "caFile", "/ca");
    assert_under(folder, config->accounts[1].settings, "passwordFile", "/p/w");
    assert_under(folder, c, "cloudsFile", "/k/clouds.yaml");
    assert_under(folder, c, "caFile", "/ca.pem");
    assert_string_equal(node_get_text(d, "cloudsFile"), "/home/somebody/clouds.yaml");
    assert_string_equal(node_get_text(d, "caFile"), "/ca.pem");
}

static void a_bare_name_of_a_secret_is_a_credential(void **state)
{
    (void)state;
    CLEANUP(config_freep)
    Config *config =
        good(IMS "projectId: p, " KEYS ", securityTokenFile: st}, {name: b, type: ims, region: r, " PASSWORD "},\n"
                 "  {name: c, type: openstack, cloud: lab, cloudsFile: clouds.yaml}]\n");
    static const char *const bare[][3] = {{"a", "accessKeyFile", "ak"},
                                          {"a", "secretKeyFile", "sk"},
                                          {"a", "securityTokenFile", "st"},
                                          {"b", "passwordFile", "pw"},
                                          {"c", "cloudsFile", "clouds.yaml"}};
    for (size_t i = 0; i < ARRAY_SIZE(bare); i++)
        assert_string_equal(node_get_text(config_account(config, bare[i][0])->settings, bare[i][1]), bare[i][2]);
}

static void an_openstack_account_needs_a_cloud(void **state)
{
    (void)state;
    assert_problem("accounts: [{name: a, type: openstack}]\n",
                   "1:12: an account needs \"cloud\": its name in clouds.yaml");
}

static void an_endpoint_ends_with_its_host(void **state)
{
    (void)state;
    static const struct {
        const char *text, *rest;
    } bad[] = {{"https://x/v2", "/v2"},
               {"https://x/", "/"},
               {"https://x:1?a", "?a"},
               {"https://x#", "#"},
               {"https://[::1]:1/a/b", "/a/b"}};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(freep) char *text = xasprintf(IMS "endpoint: \"%s\", projectId: p, " KEYS "}]\n", bad[i].text);
        CLEANUP(freep)
        char *expected = xasprintf(
            "1:54: endpoint: \"%s\" must end with the host (and port): the rest is the API's, leave \"%s\" out",
            bad[i].text, bad[i].rest);
        assert_problem(text, expected);
    }
    assert_problem(
        "accounts: [{name: a, type: oci, endpoint: \"https://x/20160918\"}]\n",
        "1:43: endpoint: \"https://x/20160918\" must end with the host (and port): the rest is the API's, leave "
        "\"/20160918\" out");
    assert_problem(IMS "iamEndpoint: \"https://x/v3\", " PASSWORD "}]\n",
                   "1:57: iamEndpoint: \"https://x/v3\" must end with the host (and port): the rest is the API's, "
                   "leave \"/v3\" out");
    assert_problem(IMS "iamEndpoint: \"http://x\", " PASSWORD "}]\n",
                   "1:57: iamEndpoint: http:// is for this machine alone (127.0.0.1, ::1, localhost): use https://x");
}

#define ACCOUNT "accounts: [{name: a, type: oci}]\n"
#define REPOSITORY "sync: {repository: \"https://git.example/a\""

static void what_is_not_said_of_sync_has_its_default(void **state)
{
    (void)state;
    CLEANUP(config_freep) Config *none = good(ACCOUNT), *config = good(ACCOUNT REPOSITORY "}\n");
    assert_null(none->sync);
    assert_string_equal(config->sync->repository, "https://git.example/a");
    assert_int_equal(config->sync->transport, TRANSPORT_HTTPS);
    assert_string_equal(config->sync->ref, "main");
    assert_null(config->sync->directory);
    assert_int_equal(config->sync->verify, VERIFY_NONE);
    assert_false(config->sync->allow_rewind);
    assert_int_equal(config->sync->keep, 3);
    assert_string_equal(config->sync->user, "git");
}

static void paths_of_sync_are_relative_to_the_file_and_names_of_secrets_are_credentials(void **state)
{
    (void)state;
    CLEANUP(config_freep)
    Config *config = good(ACCOUNT "sync: {repository: up, directory: /d, verify: ssh, allowedSigners: s, allowRewind: true, keep: 7}\n");
    CLEANUP(config_freep) Config *by_ssh = good(ACCOUNT "sync: {repository: \"h:a\", sshKeyFile: key, knownHostsFile: ./k}\n");
    assert_non_null(strstr(config->sync->repository, "/up"));
    assert_string_equal(config->sync->directory, "/d");
    assert_int_equal(config->sync->verify, VERIFY_SSH);
    assert_int_equal(config->sync->allowed_signers[0], '/');
    assert_true(config->sync->allow_rewind);
    assert_int_equal(config->sync->keep, 7);
    assert_string_equal(by_ssh->sync->repository, "h:a");
    assert_string_equal(by_ssh->sync->ssh_key_file, "key");
    assert_non_null(strstr(by_ssh->sync->known_hosts_file, "/./k"));
}

static void settings_of_sync_that_need_each_other(void **state)
{
    (void)state;
    assert_problem(ACCOUNT REPOSITORY ", verify: ssh}\n",
                   "2:7: verify: ssh needs \"allowedSigners\": who may sign with ssh, as ssh-keygen(1) has it");
    assert_problem(ACCOUNT REPOSITORY ", publicKeys: k}\n", "2:45: publicKeys goes with verify: gpg");
    assert_problem(ACCOUNT REPOSITORY ", user: me}\n", "2:45: user goes with tokenFile");
    assert_problem(ACCOUNT REPOSITORY ", sshKeyFile: k}\n", "2:45: sshKeyFile goes with an ssh repository");
    assert_problem(ACCOUNT "sync: {repository: /a, tokenFile: k}\n", "2:24: tokenFile goes with an https repository");
    assert_problem(ACCOUNT "sync: {repository: \"h:a\", sshKeyFile: k}\n",
                   "2:7: an ssh repository needs \"knownHostsFile\": the host keys that are trusted, as ssh-keyscan(1) writes "
                   "them: a path, or a systemd credential's name");
    assert_problem(ACCOUNT "sync: {ref: main}\n",
                   "2:7: sync needs \"repository\": what is fetched: an https or ssh address, or a path");
    assert_problem(ACCOUNT REPOSITORY ", tokenfile: x}\n", "2:45: unknown key \"tokenfile\" in sync; did you mean \"tokenFile\"?");
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
        cmocka_unit_test(each_auth_needs_keys_of_its_own),
        cmocka_unit_test(an_account_of_huawei_cloud_needs_a_place),
        cmocka_unit_test(keys_of_another_auth_are_refused),
        cmocka_unit_test(keys_that_several_can_have_are_taken),
        cmocka_unit_test(a_region_is_part_of_a_host),
        cmocka_unit_test(paths_of_all_clouds_are_relative_to_the_file),
        cmocka_unit_test(a_bare_name_of_a_secret_is_a_credential),
        cmocka_unit_test(an_openstack_account_needs_a_cloud),
        cmocka_unit_test(an_endpoint_ends_with_its_host),
        cmocka_unit_test(what_is_not_said_of_sync_has_its_default),
        cmocka_unit_test(paths_of_sync_are_relative_to_the_file_and_names_of_secrets_are_credentials),
        cmocka_unit_test(settings_of_sync_that_need_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
