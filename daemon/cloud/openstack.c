/* The provider for OpenStack: Glance v2 behind Keystone v3 (api/huawei-ims.md, sections 9 and 12). */
#include "config.h"

#include "base/endpoint.h"
#include "base/file.h"
#include "cloud/api-error.h"
#include "cloud/clouds-file.h"
#include "cloud/json-patch.h"
#include "cloud/login-body.h"
#include "cloud/provider.h"

#define PATCH_TYPE "application/openstack-images-v2.1-json-patch"

/* The pages of a walk are named by what the server calls the next one, behind the half of the walk that it belongs to:
 * hidden images are in a list of their own. */
#define SHOWN "shown?"
#define HIDDEN "hidden?"

static void free_cloud(void *secret)
{
    openstack_cloud_free(secret);
}

static int open_credential(const Node *settings, Credential **ret, Error **err)
{
    CloudsFileRequest request = {
        .file = node_get_text(settings, "cloudsFile"),
        .cloud = node_get_text(settings, "cloud"),
        .region = node_get_text(settings, "region"),
    };
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = NULL;
    if (openstack_cloud_load(&request, &cloud, err) < 0)
        return -1;
    CLEANUP(credential_freep) Credential *c = xcalloc(1, sizeof(*c));
    c->provider = &openstack_provider;
    c->login_endpoint = xstrdup(cloud->auth_url);
    c->endpoint = xstrdup(cloud->auth_url); /* until the catalog tells */
    c->login_with = xasprintf("cloud \"%s\" of %s", request.cloud, cloud->file);
    c->ca_file = xstrdup(cloud->ca_file);
    c->secret = TAKE(cloud);
    *ret = TAKE(c);
    return 0;
}

/* --- the login --- */

static void fill_login(const Credential *credential, Str *target, Str *body)
{
    const OpenstackCloud *c = credential->secret;
    str_add(target, "/auth/tokens");
    login_body_add(
        &(LoginBody){.user = {c->user_id, c->user_name, c->user_domain_id, c->user_domain_name},
                     .password = c->credential_secret ? NULL : c->password,
                     .credential_id = c->credential_id,
                     .credential_name = c->credential_name,
                     .credential_secret = c->credential_secret,
                     .project = {c->project_id, c->project_name, c->project_domain_id, c->project_domain_name}},
        body);
}

static const char *login_secret(const Credential *credential)
{
    const OpenstackCloud *c = credential->secret;
    return c->credential_secret ? c->credential_secret : c->password;
}

static bool is_region(const Node *endpoint, const char *region)
{
    return !region || streq_null(node_get_text(endpoint, "region_id"), region) ||
           streq_null(node_get_text(endpoint, "region"), region);
}

/* The URL of the image service, or NULL; `ret_known` gets what the catalog has of it. */
static const char *find_image_service(const Node *catalog, const OpenstackCloud *c, Str *ret_known)
{
    for (uint32_t i = 0; catalog && catalog->type == NODE_LIST && i < catalog->n; i++) {
        const Node *endpoints = node_get(catalog->items[i], "endpoints");
        if (!streq_null(node_get_text(catalog->items[i], "type"), "image") || !endpoints ||
            endpoints->type != NODE_LIST)
            continue;
        for (uint32_t k = 0; k < endpoints->n; k++) {
            const Node *e = endpoints->items[k];
            const char *interface = node_get_text(e, "interface"), *region = node_get_text(e, "region_id");
            if (streq_null(interface, c->interface) && is_region(e, c->region) && node_get_text(e, "url"))
                return node_get_text(e, "url");
            str_addf(ret_known, "%s%s in %s", ret_known->len ? ", " : "", interface ? interface : "?",
                     region ? region : "?");
        }
    }
    return NULL;
}

static void strip_slashes(char *url)
{
    for (size_t n = strlen(url); n > 0 && url[n - 1] == '/'; n--)
        url[n - 1] = 0;
}

/* "v2", "v2.1" */
static bool is_version(const char *segment)
{
    return segment[0] == 'v' && segment[1] && segment[1 + strspn(segment + 1, "0123456789.")] == 0;
}

/* Catalogs name the service with or without its version; paths have it. */
static char *without_version(const char *url)
{
    char *base = xstrdup(url);
    strip_slashes(base);
    char *host = strstr(base, "://"), *last = strrchr(base, '/');
    if (host && last > host + 2 && is_version(last + 1))
        *last = 0;
    strip_slashes(base);
    return base;
}

static int take_login(Credential *credential, const Node *token, Error **err)
{
    const OpenstackCloud *c = credential->secret;
    CLEANUP(str_done) Str known = {0};
    const char *project = node_get_text(node_get(token, "project"), "id");
    const char *url = c->image_endpoint;
    if (!project || !*project)
        return error_set(err, ERROR_REJECTED, "the token is for no project: name one in %s", c->file);
    if (!url)
        url = find_image_service(node_get(token, "catalog"), c, &known);
    if (!url) {
        CLEANUP(freep) char *printable = str_printable(known.len ? str_get(&known) : "none", 300);
        return error_set(err, ERROR_REJECTED,
                         "the catalog has no image service with interface %s%s%s; it has: %s. Correct region_name or "
                         "interface in %s, or set image_endpoint_override there",
                         c->interface, c->region ? " in region " : "", c->region ? c->region : "", printable, c->file);
    }
    CLEANUP(freep) char *endpoint = without_version(url);
    if (endpoint_check(endpoint, err) < 0)
        return error_wrap(err, "the image service of the catalog (image_endpoint_override in %s would replace it)",
                          c->file);
    /* Looks under way hold on to what is known already. */
    if (credential->home && !streq(credential->home, project))
        return error_set(err, ERROR_PROTOCOL, "the token is of project %s, the one before was of %s", project,
                         credential->home);
    if (!credential->home)
        credential->home = xstrdup(project);
    if (!streq(credential->endpoint, endpoint)) {
        free(credential->endpoint);
        credential->endpoint = TAKE(endpoint);
    }
    return 0;
}

/* --- requests --- */

static int sign(void *userdata, const HttpSpec *spec, const char *endpoint, usec_t now, HttpHeaders *out, Error **err)
{
    const Credential *c = userdata;
    (void)spec;
    (void)endpoint;
    (void)now;
    if (!c->token)
        return error_set(err, ERROR_AUTH, "there is no token");
    http_headers_add(out, "accept", "application/json");
    http_headers_add(out, "x-auth-token", c->token);
    return 0;
}

static const ApiErrorRule error_rules[] = {
    {409, ERROR_CONFLICT, NULL}, /* a property is not what it was: gone, or there */
    {501, ERROR_REJECTED, NULL},
    {0},
};

static Error *read_error(void *userdata, const HttpAnswer *answer)
{
    const Credential *c = userdata;
    return api_error(answer, error_rules, &(ApiSecrets){{c->token}});
}

/* --- reading and writing --- */

static void add_list_target(const Kind *kind, const char *container, const char *source, unsigned page_size,
                            const char *page, Str *out)
{
    (void)source;
    bool hidden = page && starts_with(page, HIDDEN);
    const char *query = page ? strchr(page, '?') + 1 : "";
    str_addf(out, "%s?", kind->collection);
    if (*query) {
        str_add(out, query);
        return;
    }
    str_add(out, "owner=");
    str_add_percent(out, container);
    str_addf(out, "&visibility=all&os_hidden=%s&sort_key=created_at&sort_dir=desc&limit=%u", hidden ? "true" : "false",
             page_size);
}

/* The server names the next page by a path that knows nothing of what stands before it: only the query counts. */
static int next_page(const HttpAnswer *answer, const JsonPage *json, unsigned page_size, const char *page, char **ret,
                     Error **err)
{
    (void)answer;
    (void)page_size;
    bool hidden = page && starts_with(page, HIDDEN);
    const char *next = NULL;
    *ret = NULL;
    if (!json)
        return 0;
    if (json_page_text(json, "next", &next, err) < 0)
        return -1;
    const char *query = next ? strchr(next, '?') : NULL;
    if (next && (!query || !query[1]))
        return error_set(err, ERROR_PROTOCOL, "the list names a next page without saying which");
    if (next)
        *ret = xasprintf("%s%s", hidden ? HIDDEN : SHOWN, query + 1);
    else
        *ret = hidden ? NULL : xstrdup(HIDDEN);
    return 0;
}

static void add_body(const Node *live, const Node *values, bool doubt, Str *out)
{
    json_patch_add(live, values, &(JsonPatchRules){.empty_is_absent = doubt}, out);
}

static void fill_update(const Update *update, Str *target, HttpSpec *spec)
{
    provider_fill_patch(update, target, spec);
    spec->headers[0] = (HttpHeader){"content-type", PATCH_TYPE};
}

const Provider openstack_provider = {
    .type = "openstack",
    .request_id_header = "x-openstack-request-id",
    .page_size_auto = 1000,
    .page_size_contract = 1000,
    .open = open_credential,
    .free_secret = free_cloud,
    .fill_login = fill_login,
    .take_login = take_login,
    .login_secret = login_secret,
    .sign = sign,
    .read_error = read_error,
    .add_list_target = add_list_target,
    .list_member = "images",
    .next_page = next_page,
    .add_object_target = provider_add_object,
    .add_body = add_body,
    .fill_update = fill_update,
};
