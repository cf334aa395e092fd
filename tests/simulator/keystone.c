/* OpenStack's identity service Keystone under /identity: users, projects, application credentials and tokens. */
#include "keystone.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "digest.h"
#include "json.h"
#include "sim.h"

#define REGION "RegionOne"

static operation_fn create_keystone_token, show_version;

static const struct route routes[] = {
    {"CreateKeystoneToken", "POST", KIND_GLANCE_IMAGE, TAKES_QUERY | TAKES_BODY, create_keystone_token},
    {"ShowKeystoneVersion", "GET", KIND_GLANCE_IMAGE, 0, show_version},
    {"ShowKeystoneVersion", "GET", KIND_GLANCE_IMAGE, 0, show_version},
    {NULL, NULL, 0, 0, NULL},
};

static const char *const paths[] = {"/identity/v3/auth/tokens", "/identity/v3", "/identity/v3/"};

static const char default_users[] =
    "{\"7c2f9e4d1b3a4c5d8e9f0a1b2c3d4e5f\":{\"id\":\"7c2f9e4d1b3a4c5d8e9f0a1b2c3d4e5f\",\"name\":\"demo\","
    "\"password\":\"Demo-Password-1\",\"domain\":{\"id\":\"default\",\"name\":\"Default\"},"
    "\"projects\":[{\"id\":\"5ba9b3a7c31f4d2c8e6f0a1d2b3c4d5e\",\"roles\":[\"member\",\"reader\"]}]}}";
static const char default_projects[] =
    "{\"5ba9b3a7c31f4d2c8e6f0a1d2b3c4d5e\":{\"id\":\"5ba9b3a7c31f4d2c8e6f0a1d2b3c4d5e\",\"name\":\"demo\","
    "\"domain\":{\"id\":\"default\",\"name\":\"Default\"}}}";
static const char default_credentials[] =
    "{\"a1b2c3d4e5f60718293a4b5c6d7e8f90\":{\"id\":\"a1b2c3d4e5f60718293a4b5c6d7e8f90\",\"name\":\"demo-credential\","
    "\"secret\":\"Demo-Credential-Secret-1\",\"user\":\"7c2f9e4d1b3a4c5d8e9f0a1b2c3d4e5f\","
    "\"project\":\"5ba9b3a7c31f4d2c8e6f0a1d2b3c4d5e\",\"roles\":[\"member\",\"reader\"]}}";

/* ---- what is known, and control over it ---- */

static void free_token(void *memory)
{
    struct keystone_token *token = memory;

    free(token->user);
    free(token->project);
    free(token->credential);
    free(token);
}

void keystone_free(struct keystone *keystone)
{
    cJSON_Delete(keystone->users);
    cJSON_Delete(keystone->projects);
    cJSON_Delete(keystone->credentials);
    cJSON_Delete(keystone->image_endpoints);
    table_clear(&keystone->tokens, free_token);
    *keystone = (struct keystone){.last_token = keystone->last_token};
}

void keystone_reset(struct keystone *keystone)
{
    keystone_free(keystone);
    keystone->users = cJSON_Parse(default_users);
    keystone->projects = cJSON_Parse(default_projects);
    keystone->credentials = cJSON_Parse(default_credentials);
}

/* Those of one user, project or credential; what is NULL means any. */
static void revoke(struct keystone *keystone, const char *user, const char *project, const char *credential)
{
    for (size_t i = 0; i < keystone->tokens.slot_count; i++) {
        for (struct table_entry *entry = keystone->tokens.slots[i]; entry != NULL; entry = entry->next) {
            struct keystone_token *token = entry->value;
            bool meant =
                (user == NULL || strcmp(token->user, user) == 0) &&
                (project == NULL || (token->project != NULL && strcmp(token->project, project) == 0)) &&
                (credential == NULL || (token->credential != NULL && strcmp(token->credential, credential) == 0));
            token->revoked = token->revoked || meant;
        }
    }
}

void keystone_revoke_tokens(struct keystone *keystone, const char *user)
{
    revoke(keystone, user, NULL, NULL);
}

static void put(cJSON *object, const cJSON *value)
{
    const char *id = json_string(value, "id");

    cJSON_DeleteItemFromObjectCaseSensitive(object, id);
    cJSON_AddItemToObject(object, id, cJSON_Duplicate(value, true));
}

static bool has_strings(const cJSON *object, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (json_string(object, names[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static bool is_domain(const cJSON *domain)
{
    return json_string(domain, "id") != NULL && json_string(domain, "name") != NULL;
}

static bool is_names(const cJSON *names)
{
    const cJSON *name;

    cJSON_ArrayForEach(name, names)
    {
        if (!cJSON_IsString(name)) {
            return false;
        }
    }
    return cJSON_IsArray(names);
}

const char *keystone_put_user(struct keystone *keystone, const cJSON *user)
{
    static const char *const names[] = {"id", "name", "password"};
    const cJSON *projects = json_member(user, "projects"), *project;

    if (!has_strings(user, names, 3) || !is_domain(json_member(user, "domain")) || !cJSON_IsArray(projects)) {
        return "a user has id, name, password, domain with id and name, and an array of projects";
    }
    cJSON_ArrayForEach(project, projects)
    {
        if (json_string(project, "id") == NULL || !is_names(json_member(project, "roles"))) {
            return "a project of a user has an id and an array of the names of roles";
        }
    }
    const char *id = json_string(user, "id");
    const char *before = json_string(json_member(keystone->users, id), "password");
    if (before != NULL && strcmp(before, json_string(user, "password")) != 0) {
        keystone_revoke_tokens(keystone, id);
    }
    put(keystone->users, user);
    return NULL;
}

const char *keystone_put_project(struct keystone *keystone, const cJSON *project)
{
    static const char *const names[] = {"id", "name"};

    if (!has_strings(project, names, 2) || !is_domain(json_member(project, "domain"))) {
        return "a project has id, name and a domain with id and name";
    }
    put(keystone->projects, project);
    return NULL;
}

const char *keystone_put_credential(struct keystone *keystone, const cJSON *credential)
{
    static const char *const names[] = {"id", "name", "secret", "user", "project"};
    const char *expires = json_string(credential, "expiresAt");
    int64_t when;

    if (!has_strings(credential, names, 5) || !is_names(json_member(credential, "roles"))) {
        return "an application credential has id, name, secret, user, project and an array of the names of roles";
    }
    if (json_member(keystone->users, json_string(credential, "user")) == NULL) {
        return "no such user";
    }
    if (expires != NULL && !clock_parse_rfc3339(expires, &when)) {
        return "expiresAt is RFC 3339 in UTC";
    }
    keystone_remove_credential(keystone, json_string(credential, "id"));
    put(keystone->credentials, credential);
    return NULL;
}

const char *keystone_remove_user(struct keystone *keystone, const char *id)
{
    if (json_member(keystone->users, id) == NULL) {
        return "no such user";
    }
    revoke(keystone, id, NULL, NULL);
    cJSON_DeleteItemFromObjectCaseSensitive(keystone->users, id);
    return NULL;
}

const char *keystone_remove_project(struct keystone *keystone, const char *id)
{
    if (json_member(keystone->projects, id) == NULL) {
        return "no such project";
    }
    revoke(keystone, NULL, id, NULL);
    cJSON_DeleteItemFromObjectCaseSensitive(keystone->projects, id);
    return NULL;
}

const char *keystone_remove_credential(struct keystone *keystone, const char *id)
{
    if (json_member(keystone->credentials, id) == NULL) {
        return "no such application credential";
    }
    revoke(keystone, NULL, NULL, id);
    cJSON_DeleteItemFromObjectCaseSensitive(keystone->credentials, id);
    return NULL;
}

const char *keystone_set_image_endpoints(struct keystone *keystone, const cJSON *endpoints)
{
    static const char *const names[] = {"interface", "region", "url"};
    const cJSON *endpoint;

    if (!cJSON_IsArray(endpoints) && !cJSON_IsNull(endpoints)) {
        return "imageEndpoints is an array or null";
    }
    cJSON_ArrayForEach(endpoint, endpoints)
    {
        if (!has_strings(endpoint, names, 3)) {
            return "an endpoint has interface, region and url";
        }
    }
    cJSON_Delete(keystone->image_endpoints);
    keystone->image_endpoints = cJSON_IsNull(endpoints) ? NULL : cJSON_Duplicate(endpoints, true);
    return NULL;
}

const struct keystone_token *keystone_token(const struct keystone *keystone, const char *text)
{
    const struct keystone_token *token = table_get(&keystone->tokens, text);

    return token == NULL || token->revoked || token->expires <= clock_now() ? NULL : token;
}

/* ---- answers ---- */

static void answer(struct reply *reply, int status, const cJSON *body)
{
    char *text = json_print(body);

    text_free(&reply->body);
    reply->status = status;
    text_adds(&reply->body, text);
    reply_add_header(reply, "Vary", "X-Auth-Token");
    free(text);
}

static const char *title_of(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {{400, "Bad Request"},        {401, "Unauthorized"},          {403, "Forbidden"},
                  {404, "Not Found"},          {405, "Method Not Allowed"},    {413, "Request Entity Too Large"},
                  {429, "Too Many Requests"},  {500, "Internal Server Error"}, {502, "Bad Gateway"},
                  {503, "Service Unavailable"}};

    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (titles[i].status == status) {
            return titles[i].title;
        }
    }
    return "Error";
}

static void refuse(const struct request *request, struct reply *reply, int status, const char *code,
                   const char *message)
{
    const char *title = code != NULL ? code : title_of(status);
    cJSON *body = cJSON_CreateObject(), *error = cJSON_AddObjectToObject(body, "error");

    cJSON_AddNumberToObject(error, "code", status);
    cJSON_AddStringToObject(error, "message", message);
    cJSON_AddStringToObject(error, "title", title);
    reply_status(reply, status, title, message);
    answer(reply, status, body);
    if (status == 401) {
        char *uri = xprintf("Keystone uri=\"%s/identity\"", request->base);
        reply_add_header(reply, "WWW-Authenticate", uri);
        free(uri);
    }
    cJSON_Delete(body);
}

/* All that is wrong with credentials is told in the same words. */
static void refuse_credentials(const struct request *request, struct reply *reply)
{
    refuse(request, reply, 401, NULL, "The request you have made requires authentication.");
}

/* Except for one: of a credential that is not there, as when it was removed, the id is told. */
static void refuse_absent(const struct request *request, struct reply *reply, const char *id)
{
    char *message = xprintf("Could not find Application Credential: %s.", id);

    refuse(request, reply, 404, NULL, message);
    free(message);
}

static void show_version(struct simulator *simulator, const struct request *request, const struct fired *fired,
                         struct reply *reply)
{
    char *text = xprintf("{\"version\":{\"id\":\"v3.14\",\"status\":\"stable\",\"updated\":\"2020-04-07T00:00:00Z\","
                         "\"links\":[{\"rel\":\"self\",\"href\":\"%s/identity/v3/\"}],"
                         "\"media-types\":[{\"base\":\"application/json\","
                         "\"type\":\"application/vnd.openstack.identity-v3+json\"}]}}",
                         simulator->base);
    cJSON *body = cJSON_Parse(text);

    (void)request, (void)fired;
    answer(reply, 200, body);
    cJSON_Delete(body);
    free(text);
}

/* ---- what a caller asks for ---- */

/* Somebody or something by its id, or by its name in a domain that is named either way. */
struct reference {
    const char *id, *name, *domain_id, *domain_name;
};

struct wish {
    bool credential; /* else a password */
    struct reference user, by, project;
    bool scoped;
    const char *secret; /* password, or secret of the credential, which is `by` id or by name and user */
};

/* The members are known, and strings where they are there. */
static bool check_members(const cJSON *object, const char *names)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, object)
    {
        if (!cJSON_IsString(member) && strcmp(member->string, "domain") != 0 && strcmp(member->string, "user") != 0) {
            return false;
        }
    }
    return json_has_only(object, names);
}

/* By id alone, or by name and domain. */
static bool read_reference(const cJSON *object, struct reference *reference)
{
    const cJSON *domain = json_member(object, "domain");

    reference->id = json_string(object, "id");
    reference->name = json_string(object, "name");
    reference->domain_id = json_string(domain, "id");
    reference->domain_name = json_string(domain, "name");
    if (domain != NULL &&
        (!check_members(domain, "id name ") || (reference->domain_id == NULL) == (reference->domain_name == NULL))) {
        return false;
    }
    return reference->id != NULL ? reference->name == NULL && domain == NULL
                                 : reference->name != NULL && domain != NULL;
}

static const char *read_password(const cJSON *identity, struct wish *wish)
{
    const cJSON *password = json_member(identity, "password"), *user = json_member(password, "user");

    if (!json_has_only(identity, "methods password ") || !json_has_only(password, "user ") ||
        !check_members(user, "id name domain password ")) {
        return "auth.identity.password.user is not an object of id, or name and domain, and password";
    }
    wish->secret = json_string(user, "password");
    if (wish->secret == NULL || !read_reference(user, &wish->user)) {
        return "Invalid input for field identity/password/user: id, or name and domain, and password must be present.";
    }
    return NULL;
}

static const char *read_credential(const cJSON *identity, struct wish *wish)
{
    const cJSON *credential = json_member(identity, "application_credential"), *user = json_member(credential, "user");

    if (!json_has_only(identity, "methods application_credential ") ||
        !check_members(credential, "id name secret user ") ||
        (user != NULL && !check_members(user, "id name domain "))) {
        return "auth.identity.application_credential is not an object of id, or name and user, and secret";
    }
    wish->credential = true;
    wish->secret = json_string(credential, "secret");
    wish->by = (struct reference){.id = json_string(credential, "id"), .name = json_string(credential, "name")};
    bool by_id = wish->by.id != NULL && wish->by.name == NULL && user == NULL;
    bool by_name = wish->by.id == NULL && wish->by.name != NULL && read_reference(user, &wish->user);
    return wish->secret != NULL && (by_id || by_name)
               ? NULL
               : "Invalid input for field identity/application_credential: id, or name and user, and secret must be "
                 "present.";
}

static const char *read_wish(const cJSON *body, struct wish *wish)
{
    const cJSON *auth = json_member(body, "auth"), *identity = json_member(auth, "identity");
    const cJSON *scope = json_member(auth, "scope"), *project = json_member(scope, "project");
    const cJSON *methods = json_member(identity, "methods");
    const char *method =
        cJSON_IsArray(methods) && cJSON_GetArraySize(methods) == 1 ? cJSON_GetStringValue(methods->child) : NULL;

    if (!json_has_only(body, "auth ") || !json_has_only(auth, "identity scope ")) {
        return "The body is not an object of auth, and that of identity and scope";
    }
    wish->scoped = scope != NULL;
    if (wish->scoped && (!json_has_only(scope, "project ") || !check_members(project, "id name domain ") ||
                         !read_reference(project, &wish->project))) {
        return "Invalid input for field scope/project: id, or name and domain, must be present.";
    }
    if (method != NULL && strcmp(method, "password") == 0) {
        return read_password(identity, wish);
    }
    return method != NULL && strcmp(method, "application_credential") == 0
               ? read_credential(identity, wish)
               : "auth.identity.methods is not [\"password\"] or [\"application_credential\"]";
}

/* ---- who that is ---- */

static bool same(const char *wanted, const char *has)
{
    return wanted == NULL || (has != NULL && strcmp(wanted, has) == 0);
}

static const cJSON *find(const cJSON *all, const struct reference *reference)
{
    const cJSON *one;

    cJSON_ArrayForEach(one, all)
    {
        const cJSON *domain = json_member(one, "domain");
        if (same(reference->id, json_string(one, "id")) && same(reference->name, json_string(one, "name")) &&
            same(reference->domain_id, json_string(domain, "id")) &&
            same(reference->domain_name, json_string(domain, "name"))) {
            return one;
        }
    }
    return NULL;
}

/* A user has any number of credentials, and only their names are different. */
static const cJSON *find_credential(const struct keystone *keystone, const struct wish *wish)
{
    const cJSON *user = wish->by.id != NULL ? NULL : find(keystone->users, &wish->user), *one;
    int64_t end;

    cJSON_ArrayForEach(one, keystone->credentials)
    {
        const char *expires = json_string(one, "expiresAt");
        bool meant = wish->by.id != NULL ? same(wish->by.id, json_string(one, "id"))
                                         : user != NULL && same(json_string(user, "id"), json_string(one, "user")) &&
                                               same(wish->by.name, json_string(one, "name"));
        if (meant) {
            bool late = expires != NULL && clock_parse_rfc3339(expires, &end) && end <= clock_now();
            return late || !same(wish->secret, json_string(one, "secret")) ? NULL : one;
        }
    }
    return NULL;
}

/* What a token is to be made of; the JSON belongs to the store of identities. */
struct grant {
    const cJSON *user, *project, *roles, *credential;
};

static bool grant_credential(const struct keystone *keystone, const struct wish *wish, struct grant *grant)
{
    grant->credential = find_credential(keystone, wish);
    if (grant->credential == NULL) {
        return false;
    }
    grant->user = json_member(keystone->users, json_string(grant->credential, "user"));
    grant->project = json_member(keystone->projects, json_string(grant->credential, "project"));
    grant->roles = json_member(grant->credential, "roles");
    return grant->user != NULL && grant->project != NULL;
}

static bool grant_password(const struct keystone *keystone, const struct wish *wish, struct grant *grant)
{
    const cJSON *one;

    grant->user = find(keystone->users, &wish->user);
    if (grant->user == NULL || !same(wish->secret, json_string(grant->user, "password"))) {
        return false;
    }
    if (!wish->scoped) {
        return true;
    }
    grant->project = find(keystone->projects, &wish->project);
    cJSON_ArrayForEach(one, json_member(grant->user, "projects"))
    {
        if (grant->project != NULL && same(json_string(grant->project, "id"), json_string(one, "id"))) {
            grant->roles = json_member(one, "roles");
        }
    }
    return grant->roles != NULL;
}

static bool has_role(const struct grant *grant, const char *name)
{
    const cJSON *role;

    cJSON_ArrayForEach(role, grant->roles)
    {
        if (strcmp(cJSON_GetStringValue(role), name) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- the token ---- */

/* The same for the same text. */
static void add_id(cJSON *object, const char *of)
{
    char hex[2 * DIGEST_SIZE + 1];

    digest_hex(of, strlen(of), hex);
    hex[32] = '\0';
    cJSON_AddStringToObject(object, "id", hex);
}

/* With the simulator's own base in place of "{base}". */
static char *expand(const char *url, const char *base)
{
    const char *at = strstr(url, "{base}");

    return at == NULL ? xstrdup(url) : xprintf("%.*s%s%s", (int)(at - url), url, base, at + strlen("{base}"));
}

static void add_endpoint(cJSON *endpoints, const char *interface, const char *region, const char *pattern,
                         const char *base)
{
    cJSON *endpoint = cJSON_CreateObject();
    char *url = expand(pattern, base), *seed = xprintf("%s %s %s", interface, region, pattern);

    add_id(endpoint, seed);
    cJSON_AddStringToObject(endpoint, "interface", interface);
    cJSON_AddStringToObject(endpoint, "region_id", region);
    cJSON_AddStringToObject(endpoint, "url", url);
    cJSON_AddStringToObject(endpoint, "region", region);
    cJSON_AddItemToArray(endpoints, endpoint);
    free(url);
    free(seed);
}

/* Returns its endpoints, still without any. */
static cJSON *add_service(cJSON *catalog, const char *type, const char *name)
{
    cJSON *service = cJSON_CreateObject(), *endpoints = cJSON_AddArrayToObject(service, "endpoints");

    cJSON_AddStringToObject(service, "type", type);
    cJSON_AddStringToObject(service, "name", name);
    add_id(service, type);
    cJSON_AddItemToArray(catalog, service);
    return endpoints;
}

static void add_usual(cJSON *endpoints, const char *url, const char *base)
{
    static const char *const interfaces[] = {"public", "internal", "admin"};

    for (size_t i = 0; i < sizeof(interfaces) / sizeof(interfaces[0]); i++) {
        add_endpoint(endpoints, interfaces[i], REGION, url, base);
    }
}

static void add_catalog(const struct simulator *simulator, cJSON *token)
{
    cJSON *catalog = cJSON_AddArrayToObject(token, "catalog");
    const cJSON *own = simulator->keystone.image_endpoints, *one;

    add_usual(add_service(catalog, "identity", "keystone"), "{base}/identity", simulator->base);
    if (own == NULL) {
        add_usual(add_service(catalog, "image", "glance"), "{base}/image", simulator->base);
    } else if (own->child != NULL) {
        cJSON *endpoints = add_service(catalog, "image", "glance");
        cJSON_ArrayForEach(one, own)
        {
            add_endpoint(endpoints, json_string(one, "interface"), json_string(one, "region"), json_string(one, "url"),
                         simulator->base);
        }
    }
}

/* Id, name and domain of a user or a project. */
static cJSON *identify(const cJSON *object)
{
    cJSON *identity = cJSON_CreateObject();

    cJSON_AddItemToObject(identity, "domain", cJSON_Duplicate(json_member(object, "domain"), true));
    cJSON_AddStringToObject(identity, "id", json_string(object, "id"));
    cJSON_AddStringToObject(identity, "name", json_string(object, "name"));
    return identity;
}

static void add_roles(cJSON *token, const cJSON *names)
{
    cJSON *roles = cJSON_AddArrayToObject(token, "roles");
    const cJSON *name;

    cJSON_ArrayForEach(name, names)
    {
        cJSON *role = cJSON_CreateObject();
        add_id(role, name->valuestring);
        cJSON_AddStringToObject(role, "name", name->valuestring);
        cJSON_AddItemToArray(roles, role);
    }
}

static cJSON *describe(const struct simulator *simulator, const struct grant *grant, int64_t expires, bool catalog)
{
    cJSON *body = cJSON_CreateObject(), *token = cJSON_AddObjectToObject(body, "token");
    cJSON *methods = cJSON_AddArrayToObject(token, "methods"), *user = identify(grant->user);

    cJSON_AddItemToArray(methods,
                         cJSON_CreateString(grant->credential != NULL ? "application_credential" : "password"));
    cJSON_AddNullToObject(user, "password_expires_at");
    cJSON_AddItemToObject(token, "user", user);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(token, "audit_ids"), cJSON_CreateString("Wey5Sv4rT9eyCzR9Fa1PkA"));
    iam_add_time(token, "expires_at", expires);
    iam_add_time(token, "issued_at", clock_now());
    if (grant->credential != NULL) {
        cJSON *credential = cJSON_AddObjectToObject(token, "application_credential");
        cJSON_AddStringToObject(credential, "id", json_string(grant->credential, "id"));
        cJSON_AddStringToObject(credential, "name", json_string(grant->credential, "name"));
        cJSON_AddBoolToObject(credential, "restricted", true);
    }
    if (grant->project != NULL) {
        cJSON_AddItemToObject(token, "project", identify(grant->project));
        cJSON_AddBoolToObject(token, "is_domain", false);
        add_roles(token, grant->roles);
    }
    if (grant->project != NULL && catalog) {
        add_catalog(simulator, token);
    }
    return body;
}

static char *copy(const cJSON *object, const char *name)
{
    return object == NULL ? NULL : xstrdup(json_string(object, name));
}

static void give(struct simulator *simulator, const struct grant *grant, bool catalog, struct reply *reply)
{
    struct keystone *keystone = &simulator->keystone;
    struct keystone_token *token = xcalloc(1, sizeof(*token));
    char *text = iam_token_text("gAAAAAB", ++keystone->last_token, simulator->config.token_bytes);

    token->user = copy(grant->user, "id");
    token->project = copy(grant->project, "id");
    token->credential = copy(grant->credential, "id");
    token->admin = has_role(grant, "admin");
    token->member = token->admin || has_role(grant, "member");
    token->reader = token->member || has_role(grant, "reader");
    token->expires = clock_now() + simulator->config.token_span;
    table_put(&keystone->tokens, text, token);
    cJSON *body = describe(simulator, grant, token->expires, catalog);
    answer(reply, 201, body);
    reply_add_header(reply, "X-Subject-Token", text);
    cJSON_Delete(body);
    free(text);
}

static bool is_json(const struct request *request)
{
    static const char type[] = "application/json";
    size_t count;
    const char *given = request_header(request, "Content-Type", &count);

    return count == 1 && strncasecmp(given, type, strlen(type)) == 0 && strchr("; ", given[strlen(type)]) != NULL;
}

/* The one parameter that comes without "=" and a value. */
static bool is_bare_nocatalog(const struct request *request)
{
    return request->query != NULL && strcmp(request->query, "nocatalog") == 0;
}

static void create_keystone_token(struct simulator *simulator, const struct request *request, const struct fired *fired,
                                  struct reply *reply)
{
    const char *nocatalog = request_parameter(request, "nocatalog"), *why = NULL;
    bool catalog = nocatalog == NULL && !is_bare_nocatalog(request);
    struct grant grant = {0};
    struct wish wish = {0};
    cJSON *body = NULL;

    (void)fired;
    if (!is_json(request) || request->parameter_count > (nocatalog != NULL)) {
        why = "The Content-Type is not application/json, or there is a query parameter beside nocatalog";
    } else {
        body = json_parse(request->body.bytes, request->body.length, &why);
        why = body == NULL ? why : read_wish(body, &wish);
    }
    if (why != NULL) {
        refuse(request, reply, 400, NULL, why);
    } else if (wish.credential && wish.scoped) {
        refuse(request, reply, 401, NULL,
               "Error authenticating with application credential: Application credentials cannot request a scope.");
    } else if (wish.by.id != NULL && json_member(simulator->keystone.credentials, wish.by.id) == NULL) {
        refuse_absent(request, reply, wish.by.id);
    } else if (!(wish.credential ? grant_credential : grant_password)(&simulator->keystone, &wish, &grant)) {
        refuse_credentials(request, reply);
    } else {
        give(simulator, &grant, catalog, reply);
    }
    cJSON_Delete(body);
}

/* ---- the service ---- */

static bool claims(const char *path)
{
    return strcmp(path, "/identity") == 0 || strncmp(path, "/identity/", 10) == 0;
}

static void route_request(struct request *request)
{
    service_route(request, routes, paths);
}

static const char *target_of(const struct request *request)
{
    (void)request;
    return NULL;
}

/* The operations are open to everybody: nobody has a token before. */
static bool check_request(struct simulator *simulator, struct request *request, bool any_host, struct reply *reply)
{
    (void)simulator, (void)any_host;
    if (request->too_many_headers) {
        refuse(request, reply, 413, NULL, "There are too many headers.");
    } else if (!request->known_path) {
        refuse(request, reply, 404, NULL, "The resource could not be found.");
    } else if (request->route == NULL) {
        refuse(request, reply, 405, NULL, "The method is not allowed for the requested URL.");
    } else if (request->bad_query && !is_bare_nocatalog(request)) {
        refuse(request, reply, 400, NULL, "The request target is malformed.");
    } else {
        return true;
    }
    return false;
}

static void process(struct simulator *simulator, const struct request *request, const struct fired *fired,
                    struct reply *reply)
{
    if ((request->route->takes & TAKES_QUERY) == 0 && request->query != NULL) {
        refuse(request, reply, 400, NULL, "There are no query parameters.");
    } else if ((request->route->takes & TAKES_BODY) == 0 && request->body.length > 0) {
        refuse(request, reply, 400, NULL, "There is no body.");
    } else {
        request->route->carry_out(simulator, request, fired, reply);
    }
}

const struct service keystone_service = {
    .request_id_header = "x-openstack-request-id",
    .uuid_request_ids = true,
    .page_parameter = "marker",
    .routes = routes,
    .claims = claims,
    .route = route_request,
    .target = target_of,
    .authenticate = check_request,
    .process = process,
    .refuse = refuse,
};
