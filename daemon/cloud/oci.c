/* The provider for Oracle Cloud Infrastructure: Core Services API 20160918. */
#include "config.h"

#include "base/endpoint.h"
#include "base/str.h"
#include "cloud/api-error.h"
#include "cloud/oci-profile.h"
#include "cloud/oci-region.h"
#include "cloud/provider.h"
#include "data/json-write.h"
#include "sign/oci-sign.h"

static int open_credential(const Node *settings, Credential **ret, Error **err)
{
    OciProfileRequest request = {
        .config_file = node_get_text(settings, "configFile"),
        .profile = node_get_text(settings, "profile"),
        .tenancy = node_get_text(settings, "tenancy"),
        .user = node_get_text(settings, "user"),
        .fingerprint = node_get_text(settings, "fingerprint"),
        .key_file = node_get_text(settings, "keyFile"),
        .pass_phrase_file = node_get_text(settings, "passPhraseFile"),
        .region = node_get_text(settings, "region"),
    };
    CLEANUP(oci_profile_freep) OciProfile *profile = NULL;
    if (oci_profile_load(&request, &profile, err) < 0)
        return -1;
    CLEANUP(credential_freep) Credential *c = xcalloc(1, sizeof(*c));
    c->provider = &oci_provider;
    c->endpoint = xstrdup(node_get_text(settings, "endpoint"));
    if (!c->endpoint && !profile->region)
        return error_set(err, ERROR_SPEC, "no region: set region in the account, in the profile, or OCI_CLI_REGION");
    if (!c->endpoint && oci_endpoint("iaas", profile->region, &c->endpoint, err) < 0)
        return -1;
    c->secret = TAKE(profile);
    *ret = TAKE(c);
    return 0;
}

static void free_profile(void *secret)
{
    oci_profile_free(secret);
}

static int sign(void *userdata, const HttpSpec *spec, const char *endpoint, usec_t now, HttpHeaders *out, Error **err)
{
    const Credential *credential = userdata;
    const OciProfile *profile = credential->secret;
    char date[HTTP_DATE_SIZE];
    CLEANUP(freep) char *host = endpoint_host(endpoint);
    OciRequest request = {
        .method = spec->method,
        .target = spec->target,
        .host = host,
        .date = format_http_date(now, date),
        .body = spec->body,
        .body_size = spec->body_size,
    };
    CLEANUP(freep) char *authorization = NULL;
    if (oci_authorization(&request, profile->key_id, profile->key, &authorization, err) < 0)
        return -1;
    http_headers_add(out, "date", date);
    http_headers_add(out, "accept", "application/json");
    if (oci_signs_body(spec->method)) {
        CLEANUP(freep) char *digest = sha256_base64(spec->body ? spec->body : "", spec->body_size);
        http_headers_add(out, "content-type", "application/json");
        http_headers_add(out, "x-content-sha256", digest);
    }
    http_headers_add(out, "authorization", authorization);
    return 0;
}

/* api/oci.md section 10: what a status, or a code where the status is not enough, means for us. */
static const ApiErrorRule error_rules[] = {
    {400, ERROR_REJECTED, NULL},
    {401, ERROR_AUTH, NULL},
    {402, ERROR_FORBIDDEN, NULL},
    {403, ERROR_FORBIDDEN, NULL},
    {404, ERROR_NOT_FOUND, "NotAuthorizedOrNotFound"},
    {404, ERROR_REJECTED, NULL},
    {409, ERROR_BUSY, "IncorrectState"},
    {409, ERROR_BUSY, "ExternalServerIncorrectState"},
    {409, ERROR_BUSY, "LockConflict"},
    {409, ERROR_CONFLICT, "Conflict"},
    {409, ERROR_TOKEN, "InvalidatedRetryToken"},
    {409, ERROR_REJECTED, NULL},
    {412, ERROR_CONFLICT, NULL},
    {429, ERROR_THROTTLED, NULL},
    {501, ERROR_REJECTED, NULL},
    {0},
};

static Error *read_error(void *userdata, const HttpAnswer *answer)
{
    (void)userdata;
    return api_error(answer, error_rules, NULL);
}

static void add_list_target(const Kind *kind, const char *container, const char *source, unsigned page_size,
                            const char *page, Str *out)
{
    str_addf(out, "%s?compartmentId=", kind->collection);
    str_add_percent(out, container);
    if (source) {
        str_addf(out, "&%s=", kind->source);
        str_add_percent(out, source);
    }
    str_addf(out, "&limit=%u", page_size);
    if (page) {
        str_add(out, "&page=");
        str_add_percent(out, page);
    }
}

static int next_page(const HttpAnswer *answer, const JsonPage *json, unsigned page_size, const char *page, char **ret,
                     Error **err)
{
    (void)json;
    (void)page_size;
    (void)page;
    (void)err;
    const char *token = http_answer_header(answer, "opc-next-page");
    *ret = token && *token ? xstrdup(token) : NULL;
    return 0;
}

static bool refused_page_size(const Error *error)
{
    return error->status == 400 && error->code && streq(error->code, "InvalidParameter");
}

static void add_body(const Node *live, const Node *values, bool doubt, Str *out)
{
    (void)live;
    (void)doubt;
    json_write_node(out, values);
}

static void fill_update(const Update *update, Str *target, HttpSpec *spec)
{
    provider_add_object(update->kind, update->id, target);
    *spec = (HttpSpec){
        .method = "PUT",
        .target = str_get(target),
        .body = update->body,
        .body_size = strlen(update->body),
        .headers = {{"if-match", update->etag}, {update->token ? "opc-retry-token" : NULL, update->token}},
    };
}

static void fill_create(const Creation *creation, Str *target, HttpSpec *spec)
{
    str_add(target, creation->kind->collection);
    *spec = (HttpSpec){
        .method = "POST",
        .target = str_get(target),
        .body = creation->body,
        .body_size = strlen(creation->body),
        .headers = {{"opc-retry-token", creation->token}},
        .safe = true,
    };
}

static void fill_delete(const Deletion *deletion, Str *target, HttpSpec *spec)
{
    provider_add_object(deletion->kind, deletion->id, target);
    *spec = (HttpSpec){.method = "DELETE", .target = str_get(target), .headers = {{"if-match", deletion->etag}}};
}

const Provider oci_provider = {
    .type = "oci",
    .request_id_header = "opc-request-id",
    .page_size_auto = 1000,
    .page_size_contract = 100,
    .open = open_credential,
    .free_secret = free_profile,
    .sign = sign,
    .read_error = read_error,
    .add_list_target = add_list_target,
    .next_page = next_page,
    .refused_page_size = refused_page_size,
    .add_object_target = provider_add_object,
    .add_body = add_body,
    .fill_update = fill_update,
    .fill_create = fill_create,
    .fill_delete = fill_delete,
};
