/* The provider for Huawei Cloud's Image Management Service (api/huawei-ims.md). */
#include "config.h"

#include "base/endpoint.h"
#include "base/file.h"
#include "cloud/api-error.h"
#include "cloud/json-patch.h"
#include "cloud/login-body.h"
#include "cloud/provider.h"
#include "sign/huawei-sign.h"

#define SECRET_MAX 4096
/* What a page holds unless said otherwise: no server cuts a page of so many, or fewer, short. */
#define PAGE_DEFAULT 500
#define PAGE_ROUND 50

/* Of `auth: accessKey` the first three (security_token: NULL without), of `auth: password` the others. */
typedef struct ImsSecret {
    char *access_key, *secret_key, *security_token;
    char *user, *domain, *password, *region;
} ImsSecret;

static void free_ims_secret(void *secret)
{
    ImsSecret *s = secret;
    free(s->access_key);
    secret_free(s->secret_key);
    secret_free(s->security_token);
    free(s->user);
    free(s->domain);
    secret_free(s->password);
    free(s->region);
    free(s);
}

/* A file's one line; *ret stays NULL when the setting is not there. */
static int read_secret(const Node *settings, const char *key, char **ret, Error **err)
{
    const char *name = node_get_text(settings, key);
    CLEANUP(freep) char *path = NULL;
    CLEANUP(secret_freep) char *text = NULL;
    size_t size;
    if (!name)
        return 0;
    if (file_resolve(name, &path, err) < 0 || file_read_secret(path, SECRET_MAX, &text, &size, err) < 0)
        return error_wrap(err, "%s", key);
    char *stripped = str_strip(text);
    if (!*stripped || strpbrk(stripped, "\r\n"))
        return error_set(err, ERROR_SPEC, "%s: %s must hold one line", key, path);
    *ret = xstrdup(stripped);
    return 0;
}

static char *endpoint_of(const Node *settings, const char *key, const char *service)
{
    const char *endpoint = node_get_text(settings, key), *region = node_get_text(settings, "region");
    if (endpoint)
        return xstrdup(endpoint);
    return region ? xasprintf("https://%s.%s.myhuaweicloud.com", service, region) : NULL;
}

static int open_credential(const Node *settings, Credential **ret, Error **err)
{
    CLEANUP(credential_freep) Credential *c = xcalloc(1, sizeof(*c));
    ImsSecret *secret = xcalloc(1, sizeof(*secret));
    c->provider = &ims_provider;
    c->secret = secret;
    c->endpoint = endpoint_of(settings, "endpoint", "ims");
    c->home = xstrdup(node_get_text(settings, "projectId"));
    if (read_secret(settings, "accessKeyFile", &secret->access_key, err) < 0 ||
        read_secret(settings, "secretKeyFile", &secret->secret_key, err) < 0 ||
        read_secret(settings, "securityTokenFile", &secret->security_token, err) < 0 ||
        read_secret(settings, "passwordFile", &secret->password, err) < 0)
        return -1;
    secret->user = xstrdup(node_get_text(settings, "user"));
    secret->domain = xstrdup(node_get_text(settings, "domain"));
    secret->region = xstrdup(node_get_text(settings, "region"));
    if (secret->password) {
        c->login_endpoint = endpoint_of(settings, "iamEndpoint", "iam");
        c->login_with =
            xasprintf("user %s and the password in %s", secret->user, node_get_text(settings, "passwordFile"));
    }
    if (!c->endpoint || (secret->password && !c->login_endpoint))
        return error_set(err, ERROR_SPEC, "no region: set region, or endpoint%s",
                         secret->password ? " and iamEndpoint" : "");
    if (!c->home && !(secret->password && secret->region))
        return error_set(err, ERROR_SPEC, "no project: set projectId");
    *ret = TAKE(c);
    return 0;
}

/* --- the login --- */

static void fill_login(const Credential *c, Str *target, Str *body)
{
    const ImsSecret *secret = c->secret;
    str_add(target, "/v3/auth/tokens?nocatalog=true");
    login_body_add(&(LoginBody){.user = {.name = secret->user, .domain_name = secret->domain},
                                .password = secret->password,
                                .project = {.id = c->home, .name = secret->region}},
                   body);
}

static const char *login_secret(const Credential *c)
{
    const ImsSecret *secret = c->secret;
    return secret->password;
}

static int take_login(Credential *c, const Node *token, Error **err)
{
    const char *project = node_get_text(node_get(token, "project"), "id");
    if (!project || !*project)
        return error_set(err, ERROR_REJECTED, "the token is for no project: set projectId");
    if (c->home && !streq(c->home, project))
        return error_set(err, ERROR_PROTOCOL, "asked for a token of project %s, got one of %s", c->home, project);
    if (!c->home)
        c->home = xstrdup(project);
    return 0;
}

/* --- requests --- */

static int sign_request(const Credential *c, const HttpSpec *spec, const char *endpoint, usec_t now, HttpHeaders *out,
                        Error **err)
{
    const ImsSecret *secret = c->secret;
    char date[HUAWEI_DATE_SIZE];
    CLEANUP(freep) char *host = endpoint_host(endpoint);
    HuaweiRequest request = {
        .method = spec->method,
        .target = spec->target,
        .host = host,
        .date = huawei_date(now, date),
        .content_type = spec->body ? "application/json" : NULL,
        .project_id = c->home,
        .security_token = secret->security_token,
        .body = spec->body,
        .body_size = spec->body_size,
    };
    CLEANUP(huawei_headers_done) HuaweiHeaders headers = {0};
    if (huawei_sign(&request, secret->access_key, secret->secret_key, &headers, err) < 0)
        return -1;
    for (size_t i = 0; i < headers.n; i++)
        http_headers_add(out, headers.items[i].name, headers.items[i].value);
    return 0;
}

static int sign(void *userdata, const HttpSpec *spec, const char *endpoint, usec_t now, HttpHeaders *out, Error **err)
{
    const Credential *c = userdata;
    http_headers_add(out, "accept", "application/json");
    if (!c->login_endpoint)
        return sign_request(c, spec, endpoint, now, out, err);
    if (!c->token)
        return error_set(err, ERROR_AUTH, "there is no token");
    http_headers_add(out, "x-auth-token", c->token);
    if (spec->body)
        http_headers_add(out, "content-type", "application/json");
    return 0;
}

/* api/huawei-ims.md section 7: most errors are 400, and the code tells. */
static const ApiErrorRule error_rules[] = {
    {0, ERROR_NOT_FOUND, "IMG.0027"}, /* absent, or its id is wrong */
    {0, ERROR_NOT_FOUND, "IMG.0066"},
    {0, ERROR_NOT_FOUND, "IMG.0086"},
    {0, ERROR_NOT_FOUND, "IMG.0144"},
    {0, ERROR_AUTH, "IMG.0030"}, /* project id or token wrong */
    {0, ERROR_AUTH, "IMG.0067"},
    {0, ERROR_AUTH, "IMG.0087"},
    {0, ERROR_CONFLICT, "IMG.0035"}, /* an attribute is there that should not, or the other way round */
    {0, ERROR_BUSY, "IMG.0046"},     /* its state */
    {0, ERROR_BUSY, "IMG.0148"},     /* it is being exported */
    {0, ERROR_FORBIDDEN, "IMG.0026"},
    {0, ERROR_FORBIDDEN, "IMG.0047"}, /* not the owner */
    {0, ERROR_FORBIDDEN, "IMG.0106"},
    {0, ERROR_THROTTLED, "IMG.0060"},
    {0, ERROR_THROTTLED, "IMG.0187"},
    {0, ERROR_SERVER, "IMG.0061"}, /* unknown system error */
    {0, ERROR_SERVER, "IMG.0154"}, /* the enterprise project service */
    {0, ERROR_AUTH, "APIGW.0301"},
    {0, ERROR_AUTH, "APIGW.0303"}, /* also clocks that are 15 minutes apart */
    {0, ERROR_THROTTLED, "APIGW.0308"},
    {0, ERROR_AUTH, "APIG.0301"},
    {0, ERROR_AUTH, "APIG.0303"},
    {0, ERROR_THROTTLED, "APIG.0308"},
    {408, ERROR_SERVER, NULL},
    {501, ERROR_REJECTED, NULL},
    {0},
};

static Error *read_error(void *userdata, const HttpAnswer *answer)
{
    const Credential *c = userdata;
    const ImsSecret *secret = c->secret;
    return api_error(answer, error_rules, &(ApiSecrets){{c->token, secret->security_token, secret->secret_key}});
}

/* --- reading and writing --- */

/* By age, the newest first: what comes while the list is read stands before it. */
static void add_list_target(const Kind *kind, const char *container, const char *source, unsigned page_size,
                            const char *page, Str *out)
{
    (void)source;
    str_addf(out, "%s?owner=", kind->collection);
    str_add_percent(out, container);
    str_addf(out, "&sort_key=created_at&sort_dir=desc&limit=%u", page_size);
    if (page) {
        str_add(out, "&marker=");
        str_add_percent(out, page);
    }
}

/* The answer does not tell: the list ends with a page that is shorter than it could be. A limit above the default may
 * have been cut down to that; and one that is cut down further, without a word, is cut to a round number. */
static int next_page(const HttpAnswer *answer, const JsonPage *json, unsigned page_size, const char *page, char **ret,
                     Error **err)
{
    (void)answer;
    (void)page;
    (void)err;
    const char *last = NULL;
    unsigned n = 0;
    for (const JsonItem *item = json ? json_page_next(json, NULL) : NULL; item; item = json_page_next(json, item)) {
        last = json_item_text(item, "id");
        n++;
    }
    bool full = n >= (page_size < PAGE_DEFAULT ? page_size : PAGE_DEFAULT) || n % PAGE_ROUND == 0;
    *ret = n > 0 && full ? xstrdup(last) : NULL;
    return 0;
}

/* The largest limit is not documented. */
static bool refused_page_size(const Error *error)
{
    return error->status == 400 && error->kind == ERROR_REJECTED;
}

/* The call that lists also shows one; it knows the images of all enterprise projects, and needs no other permission. */
static void add_object_target(const Kind *kind, const char *id, Str *out)
{
    str_addf(out, "%s?id=", kind->collection);
    str_add_percent(out, id);
}

/* The documents want a value with every operation. */
static void add_body(const Node *live, const Node *values, bool doubt, Str *out)
{
    json_patch_add(live, values, &(JsonPatchRules){.remove_value = "", .empty_is_absent = doubt}, out);
}

const Provider ims_provider = {
    .type = "ims",
    .request_id_header = "x-request-id",
    .page_size_auto = 1000,
    .page_size_contract = PAGE_DEFAULT,
    .open = open_credential,
    .free_secret = free_ims_secret,
    .fill_login = fill_login,
    .take_login = take_login,
    .login_secret = login_secret,
    .sign = sign,
    .read_error = read_error,
    .add_list_target = add_list_target,
    .list_member = "images",
    .next_page = next_page,
    .refused_page_size = refused_page_size,
    .single_is_page = true,
    .add_object_target = add_object_target,
    .add_body = add_body,
    .fill_update = provider_fill_patch,
};
