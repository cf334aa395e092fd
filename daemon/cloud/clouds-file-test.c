#include "config.h"

#include "cloud/clouds-file.h"

#include "../../tests/unit/folder.h"

#define URL "    auth_url: https://keystone.example:5000\n"
#define USER "    username: alice\n    password: hush\n"
#define AUTH URL USER
#define LAB "clouds:\n lab:\n"
#define WHOLE LAB "  auth:\n" AUTH "    project_name: web\n"
#define CREDENTIAL "    application_credential_id: 21dc\n    application_credential_secret: hush\n"

static void put_mode(const char *name, const char *text, mode_t mode)
{
    file_write_mode(getenv("HOME"), name, text, strlen(text), mode);
}

static void put(const char *name, const char *text)
{
    file_write(getenv("HOME"), name, text);
}

static OpenstackCloud *load(const CloudsFileRequest *request)
{
    OpenstackCloud *cloud = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (openstack_cloud_load(request, &cloud, &err) < 0)
        fail_msg("%s", err->message);
    return cloud;
}

/* Cloud "lab" of ~/clouds.yaml with this text. */
static OpenstackCloud *load_text(const char *text)
{
    put("clouds.yaml", text);
    return load(&(CloudsFileRequest){.file = "~/clouds.yaml", .cloud = "lab"});
}

/* `message`: the whole of it, with ~ for the home directory. */
static void refuse(const CloudsFileRequest *request, ErrorKind kind, const char *message)
{
    OpenstackCloud *cloud = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    assert_int_equal(openstack_cloud_load(request, &cloud, &err), -1);
    assert_null(cloud);
    const char *home = getenv("HOME");
    CLEANUP(str_done) Str shown = {0};
    for (const char *p = err->message; *p; p++) {
        bool here = starts_with(p, home);
        str_addc(&shown, here ? '~' : *p);
        p += here ? strlen(home) - 1 : 0;
    }
    assert_string_equal(str_get(&shown), message);
    assert_int_equal(err->kind, kind);
    assert_null(strstr(err->message, "hush"));
}

static void refuse_text(const char *text, const char *message)
{
    put("clouds.yaml", text);
    refuse(&(CloudsFileRequest){.file = "~/clouds.yaml", .cloud = "lab"}, ERROR_SPEC, message);
}

static void check_text(const char *have, const char *want)
{
    if (!streq_null(have, want))
        fail_msg("\"%s\" in place of \"%s\"", have ? have : "(null)", want ? want : "(null)");
}

static void reads_a_password(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *cloud = load_text(LAB "  region_name: RegionOne\n  auth:\n" AUTH "    project_name: web\n"
                                          "    user_domain_name: staff\n    project_domain_id: d1\n");
    CLEANUP(freep) char *path = xasprintf("%s/clouds.yaml", getenv("HOME"));
    check_text(cloud->file, path);
    check_text(cloud->auth_url, "https://keystone.example:5000/v3");
    check_text(cloud->region, "RegionOne");
    check_text(cloud->interface, "public");
    check_text(cloud->user_name, "alice");
    check_text(cloud->user_domain_name, "staff");
    check_text(cloud->password, "hush");
    check_text(cloud->project_name, "web");
    check_text(cloud->project_domain_id, "d1");
    assert_null(cloud->user_id);
    assert_null(cloud->user_domain_id);
    assert_null(cloud->project_id);
    assert_null(cloud->project_domain_name);
    assert_null(cloud->ca_file);
    assert_null(cloud->image_endpoint);
    assert_null(cloud->credential_secret);
}

static void takes_ids_which_need_no_domain(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *cloud =
        load_text(LAB "  auth:\n" AUTH "    user_id: u1\n    project_id: p1\n    project_name: web\n"
                      "    domain_id: d1\n");
    check_text(cloud->user_id, "u1");
    check_text(cloud->project_id, "p1");
    assert_null(cloud->user_name);
    assert_null(cloud->user_domain_id);
    assert_null(cloud->project_name);
    assert_null(cloud->project_domain_id);
}

static void reads_an_application_credential(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *cloud = load_text(LAB "  auth_type: v3applicationcredential\n  auth:\n" URL CREDENTIAL);
    check_text(cloud->credential_id, "21dc");
    check_text(cloud->credential_secret, "hush");
    assert_null(cloud->password);
    assert_null(cloud->user_id);
    assert_null(cloud->user_name);
    assert_null(cloud->project_id);
}

static void reads_an_application_credential_by_name(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *cloud =
        load_text(LAB "  auth_type: v3applicationcredential\n  auth:\n" URL
                      "    application_credential_name: images\n    application_credential_secret: hush\n"
                      "    username: alice\n    user_domain_id: d1\n");
    check_text(cloud->credential_name, "images");
    assert_null(cloud->credential_id);
    check_text(cloud->user_name, "alice");
    check_text(cloud->user_domain_id, "d1");
}

static void knows_an_application_credential_without_auth_type(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load_text(LAB "  auth:\n" URL CREDENTIAL);
    check_text(cloud->credential_id, "21dc");
}

static void takes_a_password_before_a_credential_without_auth_type(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load_text(WHOLE CREDENTIAL);
    check_text(cloud->password, "hush");
    assert_null(cloud->credential_id);
    assert_null(cloud->credential_secret);
}

static void accepts_v3password_and_the_old_name_of_auth_type(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load_text(WHOLE "  auth_type: v3password\n");
    check_text(cloud->password, "hush");
    refuse_text(WHOLE "  auth_plugin: v3token\n",
                "~/clouds.yaml:8:16: cloud \"lab\": auth_plugin \"v3token\" is not served: write password, v3password "
                "or v3applicationcredential");
}

static void accepts_old_names_of_projects(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load_text(LAB "  auth:\n" AUTH "    tenant_name: web\n");
    check_text(cloud->project_name, "web");
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *both = load_text(WHOLE "    tenant_name: old\n    tenant_id: t1\n    tenant-name: older\n");
    check_text(both->project_id, "t1");
}

static void takes_hyphens_for_underscores(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *cloud =
        load_text(LAB "  region-name: north\n  auth:\n" AUTH "    project-name: web\n    user-domain-id: d1\n");
    check_text(cloud->region, "north");
    check_text(cloud->project_name, "web");
    check_text(cloud->user_domain_id, "d1");
}

static void takes_settings_beside_auth(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *cloud = load_text(WHOLE "  username: bob\n  project_name: db\n  user_domain_name: staff\n");
    check_text(cloud->user_name, "alice"); /* under auth it wins */
    check_text(cloud->project_name, "db"); /* beside it these win */
    check_text(cloud->user_domain_name, "staff");
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *flat = load_text(
        LAB "  auth_url: https://k.example/\n  username: alice\n  password: hush\n  project_id: p1\n  auth:\n");
    check_text(flat->auth_url, "https://k.example/v3");
}

static void check_domains(const char *lines, const char *user, const char *project)
{
    CLEANUP(freep) char *text = xasprintf("%s%s", WHOLE, lines);
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load_text(text);
    assert_true(!cloud->user_domain_id != !cloud->user_domain_name);
    assert_true(!cloud->project_domain_id != !cloud->project_domain_name);
    CLEANUP(freep)
    char *have = xasprintf("%s%s %s%s", cloud->user_domain_id ? "id:" : "",
                           cloud->user_domain_id ? cloud->user_domain_id : cloud->user_domain_name,
                           cloud->project_domain_id ? "id:" : "",
                           cloud->project_domain_id ? cloud->project_domain_id : cloud->project_domain_name);
    CLEANUP(freep) char *want = xasprintf("%s %s", user, project);
    check_text(have, want);
}

static void falls_back_on_other_domains(void **state)
{
    (void)state;
    check_domains("", "id:default", "id:default");
    check_domains("    user_domain_id: u\n    user_domain_name: x\n    domain_name: all\n", "id:u", "all");
    check_domains("    project_domain_name: p\n    domain_id: all\n    domain_name: x\n", "id:all", "p");
    check_domains("    user_domain_name: u\n  default_domain: d\n", "u", "id:d");
    check_domains("    domain_id: all\n  default_domain: d\n", "id:all", "id:all");
    check_domains("    default_domain_name: d\n", "d", "d");
}

static void takes_null_and_empty_values_for_absent(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *cloud =
        load_text(WHOLE "    user_id: null\n    project_id: ~\n    user_domain_id:\n    domain_id: ''\n"
                        "  verify: Null\n  regions:\n  cacert: ''\n");
    check_text(cloud->user_name, "alice");
    check_text(cloud->project_name, "web");
    check_text(cloud->user_domain_id, "default");
    assert_null(cloud->region);
    assert_null(cloud->ca_file);
}

static void passes_over_what_is_for_other_tools(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *cloud =
        load_text("client: {force_ipv4: true}\n" WHOLE "    trust: [1]\n  networks: [{name: a}]\n other: 1\n");
    check_text(cloud->user_name, "alice");
}

static void accepts_anchors_and_merges(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *cloud = load_text("base: &base\n" AUTH LAB "  auth:\n    <<: *base\n    project_name: web\n");
    check_text(cloud->user_name, "alice");
}

static void check_region(const char *lines, const char *wanted, const char *region)
{
    CLEANUP(freep) char *text = xasprintf("%s%s", WHOLE, lines);
    put("clouds.yaml", text);
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *cloud = load(&(CloudsFileRequest){.file = "~/clouds.yaml", .cloud = "lab", .region = wanted});
    check_text(cloud->region, region);
}

static void chooses_the_region(void **state)
{
    (void)state;
    check_region("", NULL, NULL);
    check_region("", "", NULL);
    check_region("", "south", "south");
    check_region("  region_name: north\n", NULL, "north");
    check_region("  region_name: north\n", "south", "south");
    check_region("  region_name: north,south\n", NULL, "north");
    check_region("  region_name: [north, south]\n", NULL, "north");
    check_region("  region_name: ',south'\n", NULL, NULL);
    check_region("  regions: [north, south]\n  region_name: west\n", NULL, "north");
    check_region("  regions: [north, south]\n", "south", "south");
    check_region("  regions: [north, south]\n", "west", "west");
    check_region("  regions: [{name: north}, south]\n", NULL, "north");
    check_region("  regions: []\n  region_name: west\n", NULL, "west");
}

static void takes_what_holds_in_the_region_alone(void **state)
{
    (void)state;
    put("clouds.yaml", WHOLE "  regions:\n  - name: north\n    values: {auth: {project_name: db}}\n  - name: south\n"
                             "    values: {auth: {auth_url: 'https://south.example'}, interface: internal}\n");
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *north = load(&(CloudsFileRequest){.file = "~/clouds.yaml", .cloud = "lab"});
    check_text(north->project_name, "db");
    check_text(north->interface, "public");
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *south = load(&(CloudsFileRequest){.file = "~/clouds.yaml", .cloud = "lab", .region = "south"});
    check_text(south->project_name, "web");
    check_text(south->auth_url, "https://south.example/v3");
    check_text(south->interface, "internal");
    check_text(south->user_name, "alice");
}

static void refuses_bad_regions(void **state)
{
    (void)state;
    refuse_text(WHOLE "  regions: {a: b}\n",
                "~/clouds.yaml:8:12: cloud \"lab\": the regions must be a list, not a map");
    refuse_text(WHOLE "  regions: [{values: {}}]\n",
                "~/clouds.yaml:8:13: cloud \"lab\": a region must be a name, or a map with a name");
    refuse_text(WHOLE "  regions: [[a]]\n",
                "~/clouds.yaml:8:13: cloud \"lab\": a region must be a name, or a map with a name");
    refuse_text(WHOLE "  regions: [{name: a, values: [b]}]\n",
                "~/clouds.yaml:8:31: cloud \"lab\": the values of a region must be a map, not a list");
}

static void check_interface(const char *line, const char *interface)
{
    CLEANUP(freep) char *text = xasprintf("%s  %s\n", WHOLE, line);
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load_text(text);
    check_text(cloud->interface, interface);
}

static void chooses_the_interface(void **state)
{
    (void)state;
    check_interface("interface: internal", "internal");
    check_interface("interface: adminURL", "admin");
    check_interface("endpoint_type: publicURL", "public");
    check_interface("endpoint_type: internalURL", "internal");
    refuse_text(WHOLE "  interface: privat\n",
                "~/clouds.yaml:8:14: cloud \"lab\": interface \"privat\" must be public, internal or admin");
    refuse_text(WHOLE "  interface: [public]\n",
                "~/clouds.yaml:8:14: cloud \"lab\": interface must be a text, not a list");
}

static void check_url(const char *url, const char *auth_url)
{
    CLEANUP(freep)
    char *text = xasprintf(LAB "  auth:\n" USER "    project_id: p1\n    auth_url: %s\n  image_endpoint_override: %s\n",
                           url, url);
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load_text(text);
    check_text(cloud->auth_url, auth_url);
    assert_true(starts_with(url, cloud->image_endpoint));
    assert_int_not_equal(cloud->image_endpoint[strlen(cloud->image_endpoint) - 1], '/');
}

static void ends_the_address_with_the_version(void **state)
{
    (void)state;
    check_url("https://k.example", "https://k.example/v3");
    check_url("https://k.example/", "https://k.example/v3");
    check_url("https://k.example/v3", "https://k.example/v3");
    check_url("https://k.example/v3//", "https://k.example/v3");
    check_url("https://k.example/identity", "https://k.example/identity/v3");
    check_url("https://v3", "https://v3/v3");
    check_url("https://k.example/vault", "https://k.example/vault/v3");
    check_url("https://k.example/v", "https://k.example/v/v3");
    check_url("http://127.0.0.1:5000", "http://127.0.0.1:5000/v3");
}

static void refuse_url(const char *url, const char *message)
{
    CLEANUP(freep) char *text = xasprintf(LAB "  auth:\n    auth_url: %s\n" USER "    project_id: p1\n", url);
    CLEANUP(freep) char *whole = xasprintf("~/clouds.yaml:4:15: cloud \"lab\": auth_url%s", message);
    refuse_text(text, whole);
}

static void refuses_bad_addresses(void **state)
{
    (void)state;
    static const char no_address[] = " is no address (https://host/path): too long, or with a character that none has";
    refuse_url("k.example", ": \"k.example\" must begin with https://");
    refuse_url("http://k.example", ": http:// is for this machine alone (127.0.0.1, ::1, localhost): use "
                                   "https://k.example");
    refuse_url("https://", ": \"https:\" must begin with https://");
    refuse_url("https://alice:hush@k.example", " holds a user name or password: leave out what is before @");
    refuse_url("ftp:alice:hush@k.example", " holds a user name or password: leave out what is before @");
    refuse_url("https://k.example?hush", no_address);
    refuse_url("https://k.example/#hush", no_address);
    refuse_url("'https://k.example/ hush'", no_address);
    refuse_url("'https://{region_name}.example'", no_address);
    refuse_url("\"https://k.example/\\nhush\"", no_address);
    refuse_url("https://k.example/ä", no_address);
    refuse_url("https://k.example/v2.0", " ends with /v2.0: only version 3 is served: end it with /v3");
    refuse_url("[https://k.example]", " must be a text, not a list");
    refuse_text(WHOLE "  image_endpoint_override: http://g.example\n",
                "~/clouds.yaml:8:28: cloud \"lab\": image_endpoint_override: http:// is for this machine alone "
                "(127.0.0.1, ::1, localhost): use https://g.example");
}

static void check_ca_file(const char *cacert, const char *want)
{
    CLEANUP(freep) char *text = xasprintf("%s  cacert: %s\n", WHOLE, cacert);
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load_text(text);
    CLEANUP(freep) char *path = *want == '/' ? xstrdup(want) : xasprintf("%s/%s", getenv("HOME"), want);
    check_text(cloud->ca_file, path);
}

static void resolves_the_ca_file(void **state)
{
    (void)state;
    check_ca_file("/etc/ca.pem", "/etc/ca.pem");
    check_ca_file("ca.pem", "ca.pem");
    check_ca_file("pki/ca.pem", "pki/ca.pem");
    check_ca_file("~/pki/ca.pem", "pki/ca.pem");
    unsetenv("HOME");
    char file[] = "clouds.yaml", text[] = WHOLE "  cacert: ~/ca.pem\n";
    OpenstackCloud *cloud = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    assert_int_equal(openstack_cloud_parse(&(CloudsFileRequest){.cloud = "lab"},
                                           &(CloudsText){file, text, strlen(text)}, &(CloudsText){0}, &cloud, &err),
                     -1);
    assert_true(starts_with(err->message, "clouds.yaml:8:11: cloud \"lab\": cacert: ~/ca.pem: HOME is not set"));
}

static void refuses_to_leave_tls_unverified(void **state)
{
    (void)state;
#define REFUSED                                                                                                        \
    " is refused: TLS is always verified: leave it out, and name the file of the cloud's own certificate authority "   \
    "with cacert"
    refuse_text(WHOLE "  verify: false\n", "~/clouds.yaml:8:11: cloud \"lab\": verify: \"false\"" REFUSED);
    refuse_text(WHOLE "  verify: No\n", "~/clouds.yaml:8:11: cloud \"lab\": verify: \"No\"" REFUSED);
    refuse_text(WHOLE "  verify: /etc/ca.pem\n", "~/clouds.yaml:8:11: cloud \"lab\": verify: \"/etc/ca.pem\"" REFUSED);
    refuse_text(WHOLE "  insecure: true\n", "~/clouds.yaml:8:13: cloud \"lab\": insecure: \"true\"" REFUSED);
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load_text(WHOLE "  verify: True\n  insecure: false\n");
    check_text(cloud->user_name, "alice");
}

static void refuses_old_versions_of_the_identity_api(void **state)
{
    (void)state;
    refuse_text(WHOLE "  identity_api_version: 2\n", "~/clouds.yaml:8:25: cloud \"lab\": identity_api_version: \"2\" "
                                                     "is served no more: write 3, or leave it out");
    refuse_text(WHOLE "  identity_api_version: '2.0'\n", "~/clouds.yaml:8:25: cloud \"lab\": identity_api_version: "
                                                         "\"2.0\" is served no more: write 3, or leave it out");
    refuse_text(WHOLE "  identity_api_version: v2.0\n", "~/clouds.yaml:8:25: cloud \"lab\": identity_api_version: "
                                                        "\"v2.0\" is served no more: write 3, or leave it out");
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load_text(WHOLE "  identity_api_version: 3\n");
    check_text(cloud->user_name, "alice");
}

static void refuses_other_ways_to_authenticate(void **state)
{
    (void)state;
    refuse_text(WHOLE "  auth_type: v3oidcpassword\n",
                "~/clouds.yaml:8:14: cloud \"lab\": auth_type \"v3oidcpassword\" is not served: write password, "
                "v3password or v3applicationcredential");
    refuse_text(LAB "  auth_type: password\n  auth:\n" URL CREDENTIAL,
                "~/clouds.yaml:3:14: cloud \"lab\": auth_type is password, but there is an application credential and "
                "no password: write v3applicationcredential");
}

static void refuses_scopes_without_a_project(void **state)
{
    (void)state;
#define NO_SCOPE                                                                                                       \
    " is no scope for images, which belong to a project: write project_name (or project_id) under auth in its place"
    refuse_text(LAB "  auth:\n" AUTH "    system_scope: all\n",
                "~/clouds.yaml:7:19: cloud \"lab\": system_scope" NO_SCOPE);
    refuse_text(LAB "  auth:\n" AUTH "    domain_name: staff\n",
                "~/clouds.yaml:7:18: cloud \"lab\": domain_name" NO_SCOPE);
    refuse_text(LAB "  auth:\n" AUTH "    domain_id: d1\n", "~/clouds.yaml:7:16: cloud \"lab\": domain_id" NO_SCOPE);
    refuse_text(LAB "  auth:\n" URL CREDENTIAL "    project_name: web\n",
                "~/clouds.yaml:7:19: cloud \"lab\": project_name: an application credential has its project: leave it "
                "out");
    refuse_text(LAB "  auth:\n" URL CREDENTIAL "    system_scope: all\n",
                "~/clouds.yaml:7:19: cloud \"lab\": system_scope: an application credential has its project: leave it "
                "out");
}

static void names_what_is_missing(void **state)
{
    (void)state;
#define HAS_NO "~/clouds.yaml: cloud \"lab\" has no "
    refuse_text(LAB, HAS_NO "auth_url: write auth_url: https://… (the address of Keystone) under auth");
    refuse_text(LAB "  auth:\n" URL, HAS_NO "username: write username (or user_id) under auth");
    refuse_text(LAB "  auth:\n" AUTH,
                HAS_NO "project: images belong to one: write project_name (or project_id) under auth");
    refuse_text(LAB "  auth:\n" URL "    user_id: u1\n    project_id: p1\n",
                HAS_NO "password: write password under auth, here or in secure.yaml");
    refuse_text(LAB "  auth:\n" URL "    application_credential_id: 21dc\n",
                HAS_NO "application_credential_secret: write application_credential_secret under auth, here or in "
                       "secure.yaml");
    refuse_text(LAB "  auth:\n" URL "    application_credential_secret: hush\n",
                HAS_NO "application_credential_id: write application_credential_id (or application_credential_name "
                       "and username) under auth");
    refuse_text(LAB "  auth:\n" URL "    application_credential_secret: hush\n    application_credential_name: i\n",
                "an application credential that is named needs its user: " HAS_NO
                "username: write username (or user_id) under auth");
}

static void says_that_vendor_profiles_are_not_known(void **state)
{
    (void)state;
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load_text(WHOLE "  profile: vexxhost\n");
    check_text(cloud->user_name, "alice");
    refuse_text(LAB "  profile: vexxhost\n  auth:\n" USER,
                HAS_NO "auth_url: its vendor profile \"vexxhost\" is not known here: write auth_url: https://… (the "
                       "address of Keystone) under auth");
    refuse_text(LAB "  cloud: \"a\\x1bb\"\n",
                HAS_NO "auth_url: its vendor profile \"a?b\" is not known here: write auth_url: https://… (the address "
                       "of Keystone) under auth");
}

static void lists_the_clouds_when_one_is_unknown(void **state)
{
    (void)state;
    put("clouds.yaml", "clouds: {dev: {}, prod: {}, lab: {}}\n");
    put("secure.yaml", "clouds: {lab: {}, spare: {}}\n");
    refuse(&(CloudsFileRequest){.file = "~/clouds.yaml", .cloud = "prdo"}, ERROR_SPEC,
           "~/clouds.yaml: there is no cloud \"prdo\"; the clouds there: prod, dev, lab, spare");
    refuse(&(CloudsFileRequest){.file = "~/clouds.yaml"}, ERROR_SPEC,
           "~/clouds.yaml: which of its clouds is meant? Name it with cloud in the account");
    put("secure.yaml", "");
    refuse_text("clouds: {}\n", "~/clouds.yaml: there is no cloud \"lab\"; the clouds there: none");
    Str many = {0};
    str_add(&many, "clouds:\n");
    for (int i = 10; i < 40; i++)
        str_addf(&many, " c%d: {}\n", i);
    refuse_text(str_get(&many), "~/clouds.yaml: there is no cloud \"lab\"; the clouds there: c10, c11, c12, c13, c14, "
                                "c15, c16, c17, c18, c19, c20, c21, c22, c23, c24, c25, c26, c27, c28, c29, …");
    str_done(&many);
}

static void names_the_place_of_bad_yaml(void **state)
{
    (void)state;
    refuse_text("clouds:\n lab: {\n", "~/clouds.yaml:3:1: did not find expected node content, while parsing a flow "
                                      "node");
    refuse_text("a: 1\n---\nb: 2\n", "~/clouds.yaml:3: a second document begins: write all clouds into one");
    refuse_text("", "~/clouds.yaml: there is no clouds: in it, so it is no clouds.yaml");
    refuse_text("cloud: {}\n", "~/clouds.yaml: there is no clouds: in it, so it is no clouds.yaml");
    refuse_text("- lab\n", "~/clouds.yaml:1:1: a map with clouds: in it, not a list, is wanted here");
    refuse_text("clouds: [lab]\n", "~/clouds.yaml:1:9: a map of clouds by name, not a list, is wanted here");
    refuse_text("clouds: {lab: [a]}\n", "~/clouds.yaml:1:15: cloud \"lab\" must be a map, not a list");
    refuse_text("clouds: {lab: {auth: a}}\n", "~/clouds.yaml:1:22: cloud \"lab\": auth must be a map, not a string");
}

static void keeps_secrets_out_of_messages(void **state)
{
    (void)state;
    refuse_text(LAB "  auth:\n    password: *hush\n", "~/clouds.yaml:4:15: a text that begins with * needs quotes");
    refuse_text(LAB "  auth:\n    password: !hush 1\n", "~/clouds.yaml:4:15: a text that begins with ! needs quotes");
    refuse_text(LAB "  auth:\n    password: {hush, hush}\n",
                "~/clouds.yaml:4:22: this key is there a second time in its map");
    refuse_text(LAB "  auth:\n    auth_url: https://k.example\n    username: a\n    project_id: b\n"
                    "    password: [hush]\n",
                "~/clouds.yaml:7:15: cloud \"lab\": password must be a text, not a list");
    refuse_text(LAB "  auth:\n    auth_url: https://k.example\n    password: @hush\n",
                "~/clouds.yaml:5:15: found character that cannot start any token, while scanning for the next token; "
                "put quotes around a text that begins with it");
}

static void merges_secure_yaml_beside_the_file(void **state)
{
    (void)state;
    put("clouds.yaml", LAB "  interface: internal\n  auth:\n" URL "    username: alice\n    project_name: web\n"
                           "    password: old\n");
    put("secure.yaml", LAB "  region_name: north\n  auth: {password: hush, username: ~}\n other: {auth: {}}\n");
    CLEANUP(openstack_cloud_freep)
    OpenstackCloud *cloud = load(&(CloudsFileRequest){.file = "~/clouds.yaml", .cloud = "lab"});
    check_text(cloud->password, "hush");
    check_text(cloud->user_name, "alice");
    check_text(cloud->interface, "internal");
    check_text(cloud->region, "north");
    CLEANUP(freep) char *path = xasprintf("%s/clouds.yaml", getenv("HOME"));
    check_text(cloud->file, path);
}

static void takes_a_cloud_that_secure_yaml_alone_has(void **state)
{
    (void)state;
    put("secure.yml", WHOLE "  cacert: ca.pem\n");
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load_text("clouds:\n");
    check_text(cloud->password, "hush");
}

static void does_not_mind_an_empty_secure_yaml(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "# nothing\n", "---\n", "clouds:\n", "clouds: {lab: }\n", "other: 1\n"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        put("secure.yaml", texts[i]);
        CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load_text(WHOLE);
        check_text(cloud->password, "hush");
    }
}

static void names_secure_yaml_where_it_is_bad(void **state)
{
    (void)state;
    put("secure.yaml", "clouds: {lab: {auth: [hush]}}\n");
    refuse_text(WHOLE, "~/secure.yaml:1:22: cloud \"lab\": auth must be a map, not a list");
    put("secure.yaml", "clouds: {lab: {verify: off}}\n");
    refuse_text(WHOLE "  verify: true\n", "~/secure.yaml:1:24: cloud \"lab\": verify: \"off\"" REFUSED);
    put("secure.yaml", "[\n");
    refuse_text(WHOLE, "~/secure.yaml:2:1: did not find expected node content, while parsing a flow node");
}

static void expect_user(const CloudsFileRequest *request, const char *user)
{
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = load(request);
    check_text(cloud->user_name, user);
}

static void put_user(const char *name, const char *user)
{
    CLEANUP(freep)
    char *text = xasprintf("%s  auth: {auth_url: 'https://k.example', username: %s, password: hush, "
                           "project_id: p}\n",
                           LAB, user);
    put(name, text);
}

static void looks_for_the_file_in_order(void **state)
{
    (void)state;
    const CloudsFileRequest usual = {.cloud = "lab"};
    put_user(".config/openstack/clouds.yml", "yml");
    expect_user(&usual, "yml");
    put_user(".config/openstack/clouds.yaml", "home");
    expect_user(&usual, "home");
    put_user("here/clouds.yaml", "here");
    expect_user(&usual, "here");
    put_user("named.yaml", "env");
    setenv("OS_CLIENT_CONFIG_FILE", "~/named.yaml", 1);
    expect_user(&usual, "env");
    put_user("clouds.yaml", "explicit");
    expect_user(&(CloudsFileRequest){.file = "~/clouds.yaml", .cloud = "lab"}, "explicit");
}

static void put_secure(const char *name, const char *user)
{
    CLEANUP(freep) char *text = xasprintf("clouds: {lab: {auth: {username: %s}}}\n", user);
    put(name, text);
}

static void looks_for_secure_yaml_in_order(void **state)
{
    (void)state;
    const CloudsFileRequest usual = {.cloud = "lab"}, named = {.file = "~/clouds.yaml", .cloud = "lab"};
    put_user("clouds.yaml", "nobody");
    put_user(".config/openstack/clouds.yaml", "nobody");
    put_secure("here/secure.yaml", "here");
    expect_user(&usual, "here");
    put_secure(".config/openstack/secure.yaml", "beside");
    expect_user(&usual, "beside");
    put_secure("named.yaml", "env");
    setenv("OS_CLIENT_SECURE_FILE", "~/named.yaml", 1);
    expect_user(&usual, "env");
    expect_user(&named, "nobody"); /* one that is named has its own beside it, or none */
    setenv("OS_CLIENT_SECURE_FILE", "~/nowhere.yaml", 1);
    refuse(&usual, ERROR_LOCAL, "~/nowhere.yaml: does not exist");
}

static void resolves_a_bare_name_as_a_credential(void **state)
{
    (void)state;
    const CloudsFileRequest request = {.file = "clouds", .cloud = "lab"};
    put_user("clouds", "credential");
    setenv("CREDENTIALS_DIRECTORY", getenv("HOME"), 1);
    expect_user(&request, "credential");
    put_secure("secure.yaml", "beside");
    expect_user(&request, "beside");
    unsetenv("CREDENTIALS_DIRECTORY");
    refuse(&request, ERROR_LOCAL,
           "clouds: a bare name is a systemd credential, but CREDENTIALS_DIRECTORY is not set: add "
           "LoadCredential=clouds:… to the unit, or write a path (./clouds)");
}

static void says_where_it_looked(void **state)
{
    (void)state;
    if (access("/etc/openstack/clouds.yaml", F_OK) == 0)
        skip();
    refuse(&(CloudsFileRequest){.cloud = "lab"}, ERROR_LOCAL,
           "no clouds.yaml is there (./clouds.yaml, ~/.config/openstack/clouds.yaml, /etc/openstack/clouds.yaml): "
           "write one, or name yours with cloudsFile in the account");
    unsetenv("HOME");
    CLEANUP(error_freep) Error *err = NULL;
    OpenstackCloud *cloud = NULL;
    assert_int_equal(openstack_cloud_load(&(CloudsFileRequest){.cloud = "lab"}, &cloud, &err), -1);
    assert_true(starts_with(err->message, "no clouds.yaml is there"));
}

static void refuses_a_named_file_that_is_not_there(void **state)
{
    (void)state;
    put_user(".config/openstack/clouds.yaml", "home");
    refuse(&(CloudsFileRequest){.file = "~/nowhere", .cloud = "lab"}, ERROR_LOCAL, "~/nowhere: does not exist");
    setenv("OS_CLIENT_CONFIG_FILE", "~/nowhere", 1);
    refuse(&(CloudsFileRequest){.cloud = "lab"}, ERROR_LOCAL, "~/nowhere: does not exist");
}

static void accepts_a_readable_file_without_a_secret(void **state)
{
    (void)state;
    put_mode("clouds.yaml", LAB "  auth:\n" URL "    username: alice\n    project_id: p1\n    password:\n", 0644);
    put("secure.yaml", "clouds: {lab: {auth: {password: hush}}}\n");
    expect_user(&(CloudsFileRequest){.file = "~/clouds.yaml", .cloud = "lab"}, "alice");
}

static void refuses_a_file_with_a_secret_that_others_can_touch(void **state)
{
    (void)state;
    const CloudsFileRequest request = {.file = "~/clouds.yaml", .cloud = "lab"};
#define SECRET_IN "a password or another secret is in this file: "
    put_mode("clouds.yaml", WHOLE, 0644);
    refuse(&request, ERROR_LOCAL,
           SECRET_IN "~/clouds.yaml: mode 0644 lets everybody read this secret; mend it with: chmod 600 ~/clouds.yaml");
    put_mode("clouds.yaml", LAB "  auth:\n" URL " other:\n  auth:\n" CREDENTIAL, 0660);
    refuse(&request, ERROR_LOCAL,
           SECRET_IN
           "~/clouds.yaml: mode 0660 lets its group change this secret; mend it with: chmod 600 ~/clouds.yaml");
    put("clouds.yaml", WHOLE);
    put_mode("secure.yaml", "clouds: {lab: {auth: {password: hush}}}\n", 0604);
    refuse(&request, ERROR_LOCAL,
           SECRET_IN "~/secure.yaml: mode 0604 lets everybody read this secret; mend it with: chmod 600 ~/secure.yaml");
}

static int make_home(void **state)
{
    static const char *const variables[] = {"CREDENTIALS_DIRECTORY", "OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"};
    static const char *const made[] = {".config", ".config/openstack", "here"};
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        unsetenv(variables[i]);
    char *home = folder_make();
    *state = home;
    if (setenv("HOME", home, 1) < 0 || chdir(home) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(made); i++)
        if (mkdir(made[i], 0700) < 0)
            return -1;
    return chdir("here");
}

static int remove_home(void **state)
{
    return chdir("/") < 0 ? -1 : folder_tear_down(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_home, remove_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_a_password),
        TEST(takes_ids_which_need_no_domain),
        TEST(reads_an_application_credential),
        TEST(reads_an_application_credential_by_name),
        TEST(knows_an_application_credential_without_auth_type),
        TEST(takes_a_password_before_a_credential_without_auth_type),
        TEST(accepts_v3password_and_the_old_name_of_auth_type),
        TEST(accepts_old_names_of_projects),
        TEST(takes_hyphens_for_underscores),
        TEST(takes_settings_beside_auth),
        TEST(falls_back_on_other_domains),
        TEST(takes_null_and_empty_values_for_absent),
        TEST(passes_over_what_is_for_other_tools),
        TEST(accepts_anchors_and_merges),
        TEST(chooses_the_region),
        TEST(takes_what_holds_in_the_region_alone),
        TEST(refuses_bad_regions),
        TEST(chooses_the_interface),
        TEST(ends_the_address_with_the_version),
        TEST(refuses_bad_addresses),
        TEST(resolves_the_ca_file),
        TEST(refuses_to_leave_tls_unverified),
        TEST(refuses_old_versions_of_the_identity_api),
        TEST(refuses_other_ways_to_authenticate),
        TEST(refuses_scopes_without_a_project),
        TEST(names_what_is_missing),
        TEST(says_that_vendor_profiles_are_not_known),
        TEST(lists_the_clouds_when_one_is_unknown),
        TEST(names_the_place_of_bad_yaml),
        TEST(keeps_secrets_out_of_messages),
        TEST(merges_secure_yaml_beside_the_file),
        TEST(takes_a_cloud_that_secure_yaml_alone_has),
        TEST(does_not_mind_an_empty_secure_yaml),
        TEST(names_secure_yaml_where_it_is_bad),
        TEST(looks_for_the_file_in_order),
        TEST(looks_for_secure_yaml_in_order),
        TEST(resolves_a_bare_name_as_a_credential),
        TEST(says_where_it_looked),
        TEST(refuses_a_named_file_that_is_not_there),
        TEST(accepts_a_readable_file_without_a_secret),
        TEST(refuses_a_file_with_a_secret_that_others_can_touch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
