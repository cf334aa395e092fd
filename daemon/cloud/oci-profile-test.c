#include "config.h"

#include "cloud/oci-profile.h"

#include "../../tests/unit/folder.h"

#define FINGERPRINT "90:d2:64:b2:3a:be:26:49:80:18:89:9e:6e:39:b8:c8"
#define IDENTITY "tenancy=ocid1.tenancy.oc1..file\nuser=ocid1.user.oc1..file\nfingerprint=" FINGERPRINT "\n"
#define WHOLE IDENTITY "key_file=~/key.pem\n"

static void put(const char *name, const char *text, mode_t mode)
{
    file_write_mode(getenv("HOME"), name, text, strlen(text), mode);
}

static void put_config(const char *text)
{
    put(".oci/config", text, 0600);
}

static void put_key(const char *name, const char *vector)
{
    CLEANUP(freep) char *text = read_vector(vector);
    put(name, text, 0600);
}

static OciProfile *load(const OciProfileRequest *request)
{
    OciProfile *profile = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (oci_profile_load(request, &profile, &err) < 0)
        fail_msg("%s", err->message);
    return profile;
}

static OciProfile *load_profile(const char *name)
{
    return load(&(OciProfileRequest){.profile = name});
}

/* `part`: of the message, with ~ for the home directory. */
static void refuse(const OciProfileRequest *request, ErrorKind kind, const char *part)
{
    OciProfile *profile = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    assert_int_equal(oci_profile_load(request, &profile, &err), -1);
    assert_null(profile);
    const char *home = getenv("HOME");
    Str shown = {0};
    for (const char *p = err->message; *p; p++) {
        bool here = starts_with(p, home);
        str_addc(&shown, here ? '~' : *p);
        p += here ? strlen(home) - 1 : 0;
    }
    CLEANUP(freep) char *message = str_take(&shown);
    if (!strstr(message, part))
        fail_msg("\"%s\" is not in: %s", part, message);
    assert_int_equal(err->kind, kind);
    assert_null(strstr(message, "hush"));
    assert_null(strstr(message, "test-passphrase"));
}

static void refuse_config(const char *text, ErrorKind kind, const char *part)
{
    put_config(text);
    refuse(&(OciProfileRequest){0}, kind, part);
}

static void reads_the_default_profile(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" WHOLE "region=phx\n");
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile(NULL);
    assert_string_equal(profile->tenancy, "ocid1.tenancy.oc1..file");
    assert_string_equal(profile->user, "ocid1.user.oc1..file");
    assert_string_equal(profile->fingerprint, FINGERPRINT);
    assert_string_equal(profile->region, "phx");
    assert_string_equal(profile->key_id, "ocid1.tenancy.oc1..file/ocid1.user.oc1..file/" FINGERPRINT);
    assert_int_equal(private_key_bits(profile->key), 2048);
}

static void reads_keys_without_regard_to_case(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" IDENTITY "Key_File = ~/key.pem\nREGION = iad\n");
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile(NULL);
    assert_string_equal(profile->region, "iad");
}

static void takes_what_a_profile_lacks_out_of_default(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" WHOLE "region=phx\n[lab]\nuser=ocid1.user.oc1..lab\n");
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile("lab");
    assert_string_equal(profile->user, "ocid1.user.oc1..lab");
    assert_string_equal(profile->tenancy, "ocid1.tenancy.oc1..file");
    assert_string_equal(profile->region, "phx");
}

static void lets_an_empty_value_hide_that_of_default(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" WHOLE "region=phx\n[lab]\nregion=\n");
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile("lab");
    assert_null(profile->region);
}

static void takes_the_profile_of_the_environment(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" WHOLE "[lab]\nregion=iad\n[prod]\nregion=phx\n");
    setenv("OCI_CLI_PROFILE", "lab", 1);
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile(NULL);
    assert_string_equal(profile->region, "iad");
    CLEANUP(oci_profile_freep) OciProfile *requested = load_profile("prod");
    assert_string_equal(requested->region, "phx");
}

static void takes_the_environment_before_the_file(void **state)
{
    (void)state;
    put_config("[DEFAULT]\ntenancy=x\nuser=x\nfingerprint=x\nkey_file=/nowhere\nregion=phx\n");
    setenv("OCI_CLI_TENANCY", "ocid1.tenancy.oc1..env", 1);
    setenv("OCI_CLI_USER", "ocid1.user.oc1..env", 1);
    setenv("OCI_CLI_FINGERPRINT", FINGERPRINT, 1);
    setenv("OCI_CLI_KEY_FILE", "~/key.pem", 1);
    setenv("OCI_CLI_REGION", "iad", 1);
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile(NULL);
    assert_string_equal(profile->key_id, "ocid1.tenancy.oc1..env/ocid1.user.oc1..env/" FINGERPRINT);
    assert_string_equal(profile->region, "iad");
}

static void takes_the_request_before_the_environment(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" WHOLE);
    setenv("OCI_CLI_TENANCY", "ocid1.tenancy.oc1..env", 1);
    setenv("OCI_CLI_REGION", "iad", 1);
    const OciProfileRequest request = {.tenancy = "ocid1.tenancy.oc1..yaml", .region = "fra"};
    CLEANUP(oci_profile_freep) OciProfile *profile = load(&request);
    assert_string_equal(profile->tenancy, "ocid1.tenancy.oc1..yaml");
    assert_string_equal(profile->region, "fra");
}

static void takes_oci_region_last(void **state)
{
    (void)state;
    setenv("OCI_REGION", "lhr", 1);
    put_config("[DEFAULT]\n" WHOLE "[lab]\nregion=phx\n");
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile("lab");
    assert_string_equal(profile->region, "phx");
    CLEANUP(oci_profile_freep) OciProfile *without = load_profile(NULL);
    assert_string_equal(without->region, "lhr");
}

static void leaves_the_region_out_when_nothing_names_one(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" WHOLE);
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile(NULL);
    assert_null(profile->region);
}

static void reads_no_file_when_the_request_is_whole(void **state)
{
    (void)state;
    put_config("this is no INI file\n");
    const OciProfileRequest request = {
        .tenancy = "ocid1.tenancy.oc1..yaml",
        .user = "ocid1.user.oc1..yaml",
        .fingerprint = FINGERPRINT,
        .key_file = "~/key.pem",
    };
    CLEANUP(oci_profile_freep) OciProfile *profile = load(&request);
    assert_string_equal(profile->key_id, "ocid1.tenancy.oc1..yaml/ocid1.user.oc1..yaml/" FINGERPRINT);
}

static void needs_no_file_when_the_environment_has_all(void **state)
{
    (void)state;
    CLEANUP(freep) char *pem = read_vector("oci-test-key.pem");
    setenv("OCI_CLI_TENANCY", "ocid1.tenancy.oc1..env", 1);
    setenv("OCI_CLI_USER", "ocid1.user.oc1..env", 1);
    setenv("OCI_CLI_FINGERPRINT", FINGERPRINT, 1);
    setenv("OCI_CLI_KEY_CONTENT", pem, 1);
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile(NULL);
    assert_string_equal(profile->tenancy, "ocid1.tenancy.oc1..env");
}

static void takes_the_key_of_the_request_before_that_of_the_environment(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" IDENTITY);
    setenv("OCI_CLI_KEY_CONTENT", "hush", 1);
    CLEANUP(oci_profile_freep) OciProfile *profile = load(&(OciProfileRequest){.key_file = "~/key.pem"});
    assert_int_equal(private_key_bits(profile->key), 2048);
}

static void names_the_variable_when_the_key_in_it_is_bad(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" IDENTITY);
    setenv("OCI_CLI_KEY_CONTENT", "hush", 1);
    refuse(&(OciProfileRequest){0}, ERROR_LOCAL, "OCI_CLI_KEY_CONTENT: has no private key");
}

/* Where the file is found: each place holds another region. */
static void expect_region(const OciProfileRequest *request, const char *region)
{
    CLEANUP(oci_profile_freep) OciProfile *profile = load(request);
    assert_string_equal(profile->region, region);
}

static void looks_for_the_file_in_order(void **state)
{
    (void)state;
    const OciProfileRequest none = {0};
    put(".oraclebmc/config", "[DEFAULT]\n" WHOLE "region=old\n", 0600);
    expect_region(&none, "old");
    put("sdk", "[DEFAULT]\n" WHOLE "region=sdk\n", 0600);
    setenv("OCI_CONFIG_FILE", "~/sdk", 1);
    expect_region(&none, "sdk");
    put_config("[DEFAULT]\n" WHOLE "region=usual\n");
    expect_region(&none, "usual");
    put("cli", "[DEFAULT]\n" WHOLE "region=cli\n", 0600);
    setenv("OCI_CLI_CONFIG_FILE", "~/cli", 1);
    expect_region(&none, "cli");
    put("yaml", "[DEFAULT]\n" WHOLE "region=yaml\n", 0600);
    expect_region(&(OciProfileRequest){.config_file = "~/yaml"}, "yaml");
}

static void refuses_a_named_file_that_is_not_there(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" WHOLE);
    setenv("OCI_CLI_CONFIG_FILE", "~/nowhere", 1);
    refuse(&(OciProfileRequest){0}, ERROR_LOCAL, "~/nowhere: does not exist");
}

static void says_what_to_do_without_any_file(void **state)
{
    (void)state;
    refuse(&(OciProfileRequest){0}, ERROR_SPEC,
           "no OCI configuration file is there (~/.oci/config), and tenancy is not set");
}

static void names_file_profile_and_key_of_what_is_missing(void **state)
{
    (void)state;
    refuse_config("[DEFAULT]\n" IDENTITY, ERROR_SPEC, "~/.oci/config: profile [DEFAULT] has no key_file");
    put_config("[DEFAULT]\nuser=x\n[lab]\n");
    refuse(&(OciProfileRequest){.profile = "lab"}, ERROR_SPEC,
           "~/.oci/config: profile [lab] has no tenancy, nor has [DEFAULT]");
}

static void lists_the_profiles_when_one_is_unknown(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" WHOLE "[lab]\n[prod]\n");
    refuse(&(OciProfileRequest){.profile = "prdo"}, ERROR_SPEC,
           "~/.oci/config: there is no profile [prdo]; the profiles there: prod, DEFAULT, lab");
}

static void lists_the_profiles_when_there_is_no_default(void **state)
{
    (void)state;
    refuse_config("[prod]\n" WHOLE, ERROR_SPEC, "there is no profile [DEFAULT]; the profiles there: prod");
}

static void names_the_line_of_a_broken_file(void **state)
{
    (void)state;
    refuse_config("[DEFAULT]\nhush\n", ERROR_SPEC, "~/.oci/config:2: neither");
}

static void points_a_session_profile_to_its_auth(void **state)
{
    (void)state;
    refuse_config(
        "[DEFAULT]\ntenancy=ocid1.tenancy.oc1..file\nsecurity_token_file=x\n", ERROR_SPEC,
        "~/.oci/config:3: profile [DEFAULT] is of a session token (security_token_file) and has no user: set auth: "
        "securityToken");
}

static void refuses_the_text_of_a_key_in_the_file(void **state)
{
    (void)state;
    refuse_config("[DEFAULT]\n" IDENTITY "key_content=hush\n", ERROR_SPEC, "key_content is not accepted here");
}

static void refuses_what_is_no_ocid(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" WHOLE "[lab]\nuser=ocid1.tenancy.oc1..x\n");
    refuse(&(OciProfileRequest){.profile = "lab"}, ERROR_SPEC,
           "~/.oci/config:7: user: \"ocid1.tenancy.oc1..x\" is no OCID of a user (ocid1.user.…)");
    refuse(&(OciProfileRequest){.tenancy = "x"}, ERROR_SPEC, "tenancy of the account: \"x\" is no OCID of a tenancy");
    refuse(&(OciProfileRequest){.tenancy = "ocid1.tenancy."}, ERROR_SPEC, "is no OCID of a tenancy");
    refuse(&(OciProfileRequest){.tenancy = "ocid1.tenancy.oc1..a\",b"}, ERROR_SPEC, "is no OCID of a tenancy");
}

static void decrypts_with_the_pass_phrase_of_the_profile(void **state)
{
    (void)state;
    put_key("locked.pem", "oci-test-key-encrypted.pem");
    put_config("[DEFAULT]\n" IDENTITY "key_file=~/locked.pem\npass_phrase=test-passphrase\n");
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile(NULL);
    assert_string_equal(profile->fingerprint, FINGERPRINT);
}

static void knows_passphrase_as_another_name(void **state)
{
    (void)state;
    put_key("locked.pem", "oci-test-key-encrypted-traditional.pem");
    put_config("[DEFAULT]\n" IDENTITY "key_file=~/locked.pem\npassphrase=test-passphrase\n");
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile(NULL);
    assert_string_equal(profile->fingerprint, FINGERPRINT);
}

static void decrypts_with_the_pass_phrase_of_the_environment(void **state)
{
    (void)state;
    put_key("locked.pem", "oci-test-key-encrypted.pem");
    put_config("[DEFAULT]\n" IDENTITY "key_file=~/locked.pem\npass_phrase=wrong\n");
    setenv("OCI_CLI_PASSPHRASE", "test-passphrase", 1);
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile(NULL);
    assert_string_equal(profile->fingerprint, FINGERPRINT);
}

static void decrypts_with_the_pass_phrase_in_a_file_of_the_request(void **state)
{
    (void)state;
    put_key("locked.pem", "oci-test-key-encrypted.pem");
    put_config("[DEFAULT]\n" IDENTITY "key_file=~/locked.pem\n");
    put("phrase", "test-passphrase\n", 0600);
    setenv("CREDENTIALS_DIRECTORY", getenv("HOME"), 1);
    CLEANUP(oci_profile_freep) OciProfile *profile = load(&(OciProfileRequest){.pass_phrase_file = "phrase"});
    assert_string_equal(profile->fingerprint, FINGERPRINT);
}

static void says_that_a_key_is_encrypted(void **state)
{
    (void)state;
    put_key("locked.pem", "oci-test-key-encrypted.pem");
    refuse_config("[DEFAULT]\n" IDENTITY "key_file=~/locked.pem\n", ERROR_LOCAL,
                  "~/locked.pem: is encrypted: set pass_phrase in the profile (or passPhraseFile)");
}

static void says_that_the_pass_phrase_is_wrong(void **state)
{
    (void)state;
    put_key("locked.pem", "oci-test-key-encrypted.pem");
    refuse_config("[DEFAULT]\n" IDENTITY "key_file=~/locked.pem\npass_phrase=hush\n", ERROR_LOCAL,
                  "~/locked.pem: the pass phrase is wrong");
}

static void does_not_mind_a_pass_phrase_inherited_by_a_plain_key(void **state)
{
    (void)state;
    put_config("[DEFAULT]\npass_phrase=hush\n[lab]\n" WHOLE);
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile("lab");
    assert_string_equal(profile->fingerprint, FINGERPRINT);
}

static void accepts_a_readable_file_without_a_pass_phrase(void **state)
{
    (void)state;
    put(".oci/config", "[DEFAULT]\n" WHOLE, 0644);
    CLEANUP(oci_profile_freep) OciProfile *profile = load_profile(NULL);
    assert_string_equal(profile->fingerprint, FINGERPRINT);
}

static void refuses_a_readable_file_with_a_pass_phrase(void **state)
{
    (void)state;
    put(".oci/config", "[DEFAULT]\n" WHOLE "[other]\npass_phrase=hush\n", 0644);
    refuse(&(OciProfileRequest){0}, ERROR_LOCAL, "~/.oci/config: mode 0644 lets everybody read this secret");
}

static void refuses_a_readable_key(void **state)
{
    (void)state;
    CLEANUP(freep) char *pem = read_vector("oci-test-key.pem");
    put("key.pem", pem, 0644);
    refuse_config("[DEFAULT]\n" WHOLE, ERROR_LOCAL,
                  "~/.oci/config:5: key_file: ~/key.pem: mode 0644 lets everybody read this secret");
}

static void refuses_a_small_key(void **state)
{
    (void)state;
    put_key("key.pem", "oci-published-test-key.pem");
    refuse_config("[DEFAULT]\n" WHOLE, ERROR_LOCAL, "~/key.pem: has 1024 bits; OCI takes RSA keys from 2048 bits on");
}

static void shows_both_fingerprints_when_they_differ(void **state)
{
    (void)state;
    put_key("key.pem", "oci-test-leaf-key.pem");
    put_config("[DEFAULT]\n" WHOLE);
    refuse(&(OciProfileRequest){0}, ERROR_SPEC,
           "~/.oci/config:4: fingerprint is " FINGERPRINT ", but the key in ~/key.pem has ");
}

static void takes_a_fingerprint_in_upper_case(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" WHOLE);
    const OciProfileRequest request = {.fingerprint = "90:D2:64:B2:3A:BE:26:49:80:18:89:9E:6E:39:B8:C8"};
    CLEANUP(oci_profile_freep) OciProfile *profile = load(&request);
    assert_string_equal(profile->fingerprint, FINGERPRINT);
}

static void refuses_what_is_no_fingerprint(void **state)
{
    (void)state;
    static const char *const bad[] = {"90:d2", FINGERPRINT ":00", "90-d2",
                                      "zz:d2:64:b2:3a:be:26:49:80:18:89:9e:6e:39:b8:c8"};
    put_config("[DEFAULT]\n" WHOLE);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        refuse(&(OciProfileRequest){.fingerprint = bad[i]}, ERROR_SPEC, "fingerprint of the account: \"");
}

static void resolves_the_key_file_of_the_request_as_a_credential(void **state)
{
    (void)state;
    put_config("[DEFAULT]\n" IDENTITY);
    setenv("CREDENTIALS_DIRECTORY", getenv("HOME"), 1);
    CLEANUP(oci_profile_freep) OciProfile *profile = load(&(OciProfileRequest){.key_file = "key.pem"});
    assert_string_equal(profile->fingerprint, FINGERPRINT);
}

static void takes_a_relative_key_file_of_the_file_from_the_current_directory(void **state)
{
    (void)state;
    setenv("CREDENTIALS_DIRECTORY", getenv("HOME"), 1);
    refuse_config("[DEFAULT]\n" IDENTITY "key_file=key.pem\n", ERROR_LOCAL, "key_file: key.pem: does not exist");
}

static int make_home(void **state)
{
    static const char *const variables[] = {
        "CREDENTIALS_DIRECTORY", "OCI_CLI_CONFIG_FILE", "OCI_CLI_FINGERPRINT", "OCI_CLI_KEY_CONTENT",
        "OCI_CLI_KEY_FILE",      "OCI_CLI_PASSPHRASE",  "OCI_CLI_PROFILE",     "OCI_CLI_REGION",
        "OCI_CLI_TENANCY",       "OCI_CLI_USER",        "OCI_CONFIG_FILE",     "OCI_REGION",
    };
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        unsetenv(variables[i]);
    char *home = folder_make();
    *state = home;
    if (setenv("HOME", home, 1) < 0)
        return -1;
    CLEANUP(freep) char *oci = xasprintf("%s/.oci", home);
    CLEANUP(freep) char *oraclebmc = xasprintf("%s/.oraclebmc", home);
    if (mkdir(oci, 0700) < 0 || mkdir(oraclebmc, 0700) < 0)
        return -1;
    put_key("key.pem", "oci-test-key.pem");
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_home, folder_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_the_default_profile),
        TEST(reads_keys_without_regard_to_case),
        TEST(takes_what_a_profile_lacks_out_of_default),
        TEST(lets_an_empty_value_hide_that_of_default),
        TEST(takes_the_profile_of_the_environment),
        TEST(takes_the_environment_before_the_file),
        TEST(takes_the_request_before_the_environment),
        TEST(takes_oci_region_last),
        TEST(leaves_the_region_out_when_nothing_names_one),
        TEST(reads_no_file_when_the_request_is_whole),
        TEST(needs_no_file_when_the_environment_has_all),
        TEST(takes_the_key_of_the_request_before_that_of_the_environment),
        TEST(names_the_variable_when_the_key_in_it_is_bad),
        TEST(looks_for_the_file_in_order),
        TEST(refuses_a_named_file_that_is_not_there),
        TEST(says_what_to_do_without_any_file),
        TEST(names_file_profile_and_key_of_what_is_missing),
        TEST(lists_the_profiles_when_one_is_unknown),
        TEST(lists_the_profiles_when_there_is_no_default),
        TEST(names_the_line_of_a_broken_file),
        TEST(points_a_session_profile_to_its_auth),
        TEST(refuses_the_text_of_a_key_in_the_file),
        TEST(refuses_what_is_no_ocid),
        TEST(decrypts_with_the_pass_phrase_of_the_profile),
        TEST(knows_passphrase_as_another_name),
        TEST(decrypts_with_the_pass_phrase_of_the_environment),
        TEST(decrypts_with_the_pass_phrase_in_a_file_of_the_request),
        TEST(says_that_a_key_is_encrypted),
        TEST(says_that_the_pass_phrase_is_wrong),
        TEST(does_not_mind_a_pass_phrase_inherited_by_a_plain_key),
        TEST(accepts_a_readable_file_without_a_pass_phrase),
        TEST(refuses_a_readable_file_with_a_pass_phrase),
        TEST(refuses_a_readable_key),
        TEST(refuses_a_small_key),
        TEST(shows_both_fingerprints_when_they_differ),
        TEST(takes_a_fingerprint_in_upper_case),
        TEST(refuses_what_is_no_fingerprint),
        TEST(resolves_the_key_file_of_the_request_as_a_credential),
        TEST(takes_a_relative_key_file_of_the_file_from_the_current_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
