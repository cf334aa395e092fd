#include "config.h"

#include "cloud/oci-region.h"

#include "../../tests/unit/folder.h"

#define ALLOW_ONLY "OCI_ALLOW_ONLY_DEVELOPER_TOOL_CONFIGURATION_REGIONS"
#define TOOL_FILE "OCI_DEVELOPER_TOOL_CONFIGURATION_FILE_PATH"
#define MARS "{\"realmKey\":\"oc99\",\"realmDomainComponent\":\"oracle-mars.com\","
#define MARS_1 MARS "\"regionKey\":\"MRS1\",\"regionIdentifier\":\"Mars-North-1\"}"
#define MARS_2 MARS "\"regionKey\":\"MRS2\",\"regionIdentifier\":\"mars-north-2\"}"

static void has_endpoint(const char *region, const char *expected)
{
    CLEANUP(freep) char *endpoint = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (oci_endpoint("iaas", region, &endpoint, &err) < 0)
        fail_msg("%s", err->message);
    assert_string_equal(endpoint, expected);
}

static void refuse(const char *region, const char *part)
{
    char *endpoint = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    assert_int_equal(oci_endpoint("iaas", region, &endpoint, &err), -1);
    assert_null(endpoint);
    assert_int_equal(err->kind, ERROR_SPEC);
    if (!strstr(err->message, part))
        fail_msg("\"%s\" is not in: %s", part, err->message);
}

static void knows_a_region_of_every_realm(void **state)
{
    (void)state;
    has_endpoint("us-phoenix-1", "https://iaas.us-phoenix-1.oraclecloud.com");
    has_endpoint("us-langley-1", "https://iaas.us-langley-1.oraclegovcloud.com");
    has_endpoint("us-gov-ashburn-1", "https://iaas.us-gov-ashburn-1.oraclegovcloud.com");
    has_endpoint("uk-gov-london-1", "https://iaas.uk-gov-london-1.oraclegovcloud.uk");
    has_endpoint("ap-chiyoda-1", "https://iaas.ap-chiyoda-1.oraclecloud8.com");
    has_endpoint("me-ibri-1", "https://iaas.me-ibri-1.oraclecloud9.com");
    has_endpoint("ap-dcc-canberra-1", "https://iaas.ap-dcc-canberra-1.oraclecloud10.com");
    has_endpoint("eu-dcc-rating-2", "https://iaas.eu-dcc-rating-2.oraclecloud14.com");
    has_endpoint("ap-dcc-gazipur-1", "https://iaas.ap-dcc-gazipur-1.oraclecloud15.com");
    has_endpoint("eu-madrid-2", "https://iaas.eu-madrid-2.oraclecloud.eu");
    has_endpoint("eu-jovanovac-1", "https://iaas.eu-jovanovac-1.oraclecloud20.com");
    has_endpoint("me-alrayyan-1", "https://iaas.me-alrayyan-1.oraclecloud21.com");
    has_endpoint("us-thames-1", "https://iaas.us-thames-1.oraclecloud23.com");
    has_endpoint("eu-crissier-1", "https://iaas.eu-crissier-1.oraclecloud24.com");
    has_endpoint("me-alain-1", "https://iaas.me-alain-1.oraclecloud26.com");
    has_endpoint("me-abudhabi-4", "https://iaas.me-abudhabi-4.oraclecloud29.com");
    has_endpoint("ap-suwon-1", "https://iaas.ap-suwon-1.oraclecloud35.com");
    has_endpoint("us-newark-1", "https://iaas.us-newark-1.oraclecloud42.com");
    has_endpoint("eu-budapest-1", "https://iaas.eu-budapest-1.oraclecloud51.com");
    has_endpoint("sa-riodejaneiro-1", "https://iaas.sa-riodejaneiro-1.oraclecloud52.com");
}

static void takes_short_codes_and_any_case(void **state)
{
    (void)state;
    has_endpoint("phx", "https://iaas.us-phoenix-1.oraclecloud.com");
    has_endpoint("PHX", "https://iaas.us-phoenix-1.oraclecloud.com");
    has_endpoint("EU-Frankfurt-1", "https://iaas.eu-frankfurt-1.oraclecloud.com");
}

static void takes_the_service_for_the_host(void **state)
{
    (void)state;
    CLEANUP(freep) char *endpoint = NULL;
    assert_int_equal(oci_endpoint("auth", "iad", &endpoint, NULL), 0);
    assert_string_equal(endpoint, "https://auth.us-ashburn-1.oraclecloud.com");
}

static void takes_a_string_with_a_dot_whole(void **state)
{
    (void)state;
    has_endpoint("region1.private.example", "https://iaas.region1.private.example");
}

static void falls_back_to_the_commercial_realm(void **state)
{
    (void)state;
    has_endpoint("us-pheonix-1", "https://iaas.us-pheonix-1.oraclecloud.com");
}

static void falls_back_to_the_default_realm_of_the_environment(void **state)
{
    (void)state;
    setenv("OCI_DEFAULT_REALM", "oracle-mars.com", 1);
    has_endpoint("mars-north-1", "https://iaas.mars-north-1.oracle-mars.com");
    has_endpoint("us-phoenix-1", "https://iaas.us-phoenix-1.oraclecloud.com");
}

static void refuses_a_default_realm_that_is_no_domain(void **state)
{
    (void)state;
    setenv("OCI_DEFAULT_REALM", "evil.example/?", 1);
    refuse("mars-north-1", "OCI_DEFAULT_REALM");
}

static void reads_the_metadata_of_the_environment(void **state)
{
    (void)state;
    setenv("OCI_REGION_METADATA", MARS_1, 1);
    has_endpoint("mrs1", "https://iaas.mars-north-1.oracle-mars.com");
}

static void reads_member_names_in_any_case(void **state)
{
    (void)state;
    setenv("OCI_REGION_METADATA",
           "{\"realmkey\":\"x\",\"realmdomaincomponent\":\"x.com\",\"regionkey\":\"y\",\"regionidentifier\":\"y-1\"}",
           1);
    has_endpoint("y-1", "https://iaas.y-1.x.com");
}

static void reads_the_regions_file(void **state)
{
    file_write(*state, ".oci/regions-config.json", "[" MARS_1 "," MARS_2 "]");
    has_endpoint("mars-north-2", "https://iaas.mars-north-2.oracle-mars.com");
}

static void reads_the_developer_tool_file(void **state)
{
    file_write(*state, ".oci/developer-tool-configuration.json",
               "{\"services\":[\"core\"],\"regions\":[" MARS_1 "," MARS_2 "]}");
    has_endpoint("mrs2", "https://iaas.mars-north-2.oracle-mars.com");
}

static void reads_the_developer_tool_file_where_the_environment_says(void **state)
{
    file_write(*state, "tool.json", "{\"regions\":[" MARS_1 "]}");
    setenv(TOOL_FILE, "~/tool.json", 1);
    has_endpoint("mars-north-1", "https://iaas.mars-north-1.oracle-mars.com");
}

static void takes_the_built_in_table_before_any_file(void **state)
{
    file_write(*state, ".oci/regions-config.json",
               "[{\"regionIdentifier\":\"us-phoenix-1\",\"realmDomainComponent\":\"oracle-mars.com\"}]");
    has_endpoint("us-phoenix-1", "https://iaas.us-phoenix-1.oraclecloud.com");
}

static void takes_the_developer_tool_file_alone_when_told_to(void **state)
{
    file_write(*state, ".oci/developer-tool-configuration.json", "{\"regions\":[" MARS_1 "]}");
    file_write(*state, ".oci/regions-config.json", "[" MARS_2 "]");
    setenv(ALLOW_ONLY, "True", 1);
    has_endpoint("mrs1", "https://iaas.mars-north-1.oracle-mars.com");
    has_endpoint("mars-north-2", "https://iaas.mars-north-2.oraclecloud.com");
}

static void refuses_a_file_that_is_not_json(void **state)
{
    file_write(*state, ".oci/regions-config.json", "regions: []\n");
    refuse("mars-north-1", ".oci/regions-config.json: ");
}

static void refuses_a_region_in_a_file_without_its_domain(void **state)
{
    file_write(*state, ".oci/regions-config.json", "[{\"regionIdentifier\":\"mars-north-1\"}]");
    refuse("mars-north-1", "realmDomainComponent");
}

static void passes_over_other_things_in_a_file(void **state)
{
    file_write(*state, ".oci/regions-config.json", "[1, null, {\"regionIdentifier\":7}, " MARS_1 "]");
    has_endpoint("mars-north-1", "https://iaas.mars-north-1.oracle-mars.com");
}

static void works_without_a_home_directory(void **state)
{
    (void)state;
    unsetenv("HOME");
    has_endpoint("mars-north-1", "https://iaas.mars-north-1.oraclecloud.com");
}

static void uses_dual_stack_hosts_when_told_to(void **state)
{
    (void)state;
    setenv("OCI_DUAL_STACK_ENDPOINT_ENABLED", "TRUE", 1);
    has_endpoint("phx", "https://iaas.us-phoenix-1.ds.oci.oraclecloud.com");
    setenv("OCI_DUAL_STACK_ENDPOINT_ENABLED", "1", 1);
    has_endpoint("phx", "https://iaas.us-phoenix-1.oraclecloud.com");
}

static void refuses_what_cannot_be_part_of_a_host_name(void **state)
{
    (void)state;
    refuse("us_phoenix_1",
           "\"us_phoenix_1\" cannot be a region: write it as in us-phoenix-1; did you mean us-phoenix-1?");
    refuse("", "cannot be a region");
    refuse("-x", "cannot be a region");
    refuse("x.", "cannot be a region");
    refuse("a..b", "cannot be a region");
    refuse("a/b", "cannot be a region");
    refuse("a.b:1", "cannot be a region");
}

static int make_home(void **state)
{
    static const char *const variables[] = {
        ALLOW_ONLY, TOOL_FILE, "OCI_DEFAULT_REALM", "OCI_REGION_METADATA", "OCI_DUAL_STACK_ENDPOINT_ENABLED",
    };
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        unsetenv(variables[i]);
    char *home = folder_make();
    *state = home;
    CLEANUP(freep) char *directory = xasprintf("%s/.oci", home);
    return mkdir(directory, 0700) < 0 ? -1 : setenv("HOME", home, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_home, folder_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(knows_a_region_of_every_realm),
        TEST(takes_short_codes_and_any_case),
        TEST(takes_the_service_for_the_host),
        TEST(takes_a_string_with_a_dot_whole),
        TEST(falls_back_to_the_commercial_realm),
        TEST(falls_back_to_the_default_realm_of_the_environment),
        TEST(refuses_a_default_realm_that_is_no_domain),
        TEST(reads_the_metadata_of_the_environment),
        TEST(reads_member_names_in_any_case),
        TEST(reads_the_regions_file),
        TEST(reads_the_developer_tool_file),
        TEST(reads_the_developer_tool_file_where_the_environment_says),
        TEST(takes_the_built_in_table_before_any_file),
        TEST(takes_the_developer_tool_file_alone_when_told_to),
        TEST(refuses_a_file_that_is_not_json),
        TEST(refuses_a_region_in_a_file_without_its_domain),
        TEST(passes_over_other_things_in_a_file),
        TEST(works_without_a_home_directory),
        TEST(uses_dual_stack_hosts_when_told_to),
        TEST(refuses_what_cannot_be_part_of_a_host_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
