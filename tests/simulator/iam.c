/* Identities at Huawei Cloud: users with passwords and projects, access keys, and the tokens that were given out. */
#include "iam.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "digest.h"
#include "huawei.h"
#include "json.h"
#include "sim.h"

static const char default_users[] =
    "{\"exampleuser\":{\"name\":\"exampleuser\",\"password\":\"Example-Password-1\",\"domain\":\"exampleaccount\","
    "\"projects\":[{\"id\":\"0123456789abcdef0123456789abcdef\",\"name\":\"cn-north-4\"}]}}";
static const char default_keys[] = "{\"TESTACCESSKEY0000001\":{\"access\":\"TESTACCESSKEY0000001\","
                                   "\"secret\":\"TestSecretKey000000000000000000000000001\",\"user\":\"exampleuser\"}}";

static void free_token(void *memory)
{
    struct iam_token *token = memory;

    free(token->user);
    free(token->project);
    free(token);
}

void iam_free(struct iam *iam)
{
    cJSON_Delete(iam->users);
    cJSON_Delete(iam->keys);
    table_clear(&iam->tokens, free_token);
    *iam = (struct iam){.last_token = iam->last_token};
}

void iam_reset(struct iam *iam)
{
    iam_free(iam);
    iam->users = cJSON_Parse(default_users);
    iam->keys = cJSON_Parse(default_keys);
}

static void put(cJSON *object, const char *name, const cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    cJSON_AddItemToObject(object, name, cJSON_Duplicate(value, true));
}

const char *iam_put_user(struct iam *iam, const cJSON *user)
{
    const char *name = json_string(user, "name"), *password = json_string(user, "password");
    const cJSON *projects = json_member(user, "projects"), *project;

    cJSON_ArrayForEach(project, projects)
    {
        if (json_string(project, "id") == NULL || json_string(project, "name") == NULL) {
            return "a project has an id and a name";
        }
    }
    if (name == NULL || password == NULL || json_string(user, "domain") == NULL || !cJSON_IsArray(projects) ||
        projects->child == NULL) {
        return "a user has name, password, domain and an array of projects";
    }
    const char *before = json_string(json_member(iam->users, name), "password");
    if (before != NULL && strcmp(before, password) != 0) {
        iam_revoke_tokens(iam, name);
    }
    put(iam->users, name, user);
    return NULL;
}

const char *iam_remove_key(struct iam *iam, const char *access)
{
    const char *user = json_string(iam_key(iam, access), "user");

    if (user == NULL) {
        return "no such access key";
    }
    iam_revoke_tokens(iam, user);
    cJSON_DeleteItemFromObjectCaseSensitive(iam->keys, access);
    return NULL;
}

const char *iam_put_key(struct iam *iam, const cJSON *key)
{
    const char *access = json_string(key, "access"), *user = json_string(key, "user");
    const char *expires = json_string(key, "expiresAt");
    int64_t when;

    if (access == NULL || user == NULL || json_string(key, "secret") == NULL) {
        return "a key has access, secret and user";
    }
    if (json_member(iam->users, user) == NULL) {
        return "no such user";
    }
    if (expires != NULL && !clock_parse_rfc3339(expires, &when)) {
        return "expiresAt is RFC 3339 in UTC";
    }
    if (iam_key(iam, access) != NULL) {
        iam_remove_key(iam, access);
    }
    put(iam->keys, access, key);
    return NULL;
}

void iam_revoke_tokens(struct iam *iam, const char *user)
{
    for (size_t i = 0; i < iam->tokens.slot_count; i++) {
        for (struct table_entry *entry = iam->tokens.slots[i]; entry != NULL; entry = entry->next) {
            struct iam_token *token = entry->value;
            token->revoked = token->revoked || user == NULL || strcmp(token->user, user) == 0;
        }
    }
}

const struct iam_token *iam_token(const struct iam *iam, const char *text)
{
    return table_get(&iam->tokens, text);
}

const cJSON *iam_key(const struct iam *iam, const char *access)
{
    return json_member(iam->keys, access);
}

const cJSON *iam_project(const struct iam *iam, const char *user, const char *member, const char *wanted)
{
    const cJSON *project;

    cJSON_ArrayForEach(project, json_member(json_member(iam->users, user), "projects"))
    {
        if (wanted == NULL || strcmp(json_string(project, member), wanted) == 0) {
            return project;
        }
    }
    return NULL;
}

/* ---- a token for a password ---- */

struct wish {
    const char *name, *password, *domain;
    const char *project_id, *project_name;
};

static const char *read_identity(const cJSON *identity, struct wish *wish)
{
    const cJSON *methods = json_member(identity, "methods"), *password = json_member(identity, "password");
    const cJSON *user = json_member(password, "user"), *domain = json_member(user, "domain");
    const char *method = cJSON_GetArraySize(methods) == 1 ? cJSON_GetStringValue(methods->child) : NULL;

    if (!json_has_only(identity, "methods password ") || !cJSON_IsArray(methods) || method == NULL ||
        strcmp(method, "password") != 0) {
        return "auth.identity.methods is not [\"password\"], or there is more";
    }
    if (!json_has_only(password, "user ") || !json_has_only(user, "name password domain ") ||
        !json_has_only(domain, "name ")) {
        return "auth.identity.password.user is not an object of name, password and domain.name";
    }
    wish->name = json_string(user, "name");
    wish->password = json_string(user, "password");
    wish->domain = json_string(domain, "name");
    return wish->name != NULL && wish->password != NULL && wish->domain != NULL
               ? NULL
               : "name, password and domain.name are required and strings";
}

/* The domain of a project may stand with its name, as Keystone wants it. */
static const char *read_wish(const cJSON *body, struct wish *wish)
{
    const cJSON *auth = json_member(body, "auth"), *scope = json_member(auth, "scope");
    const cJSON *project = json_member(scope, "project");

    if (!json_has_only(body, "auth ") || !json_has_only(auth, "identity scope ")) {
        return "The body is not an object of auth, and that of identity and scope";
    }
    if (!json_has_only(scope, "project ") || !json_has_only(project, "id name domain ")) {
        return "auth.scope.project is not an object of id or name";
    }
    wish->project_id = json_string(project, "id");
    wish->project_name = json_string(project, "name");
    if ((wish->project_id == NULL) == (wish->project_name == NULL)) {
        return "auth.scope.project has an id or a name, and not both";
    }
    return read_identity(json_member(auth, "identity"), wish);
}

static cJSON *find_user(const struct iam *iam, const struct wish *wish)
{
    cJSON *user = json_member(iam->users, wish->name);
    bool good = user != NULL && strcmp(json_string(user, "password"), wish->password) == 0 &&
                strcmp(json_string(user, "domain"), wish->domain) == 0;

    return good ? user : NULL;
}

static const cJSON *find_project(const struct iam *iam, const struct wish *wish)
{
    return wish->project_id != NULL ? iam_project(iam, wish->name, "id", wish->project_id)
                                    : iam_project(iam, wish->name, "name", wish->project_name);
}

char *iam_token_text(const char *prefix, unsigned long number, size_t length)
{
    struct text text = {0};
    char hex[2 * DIGEST_SIZE + 1];

    text_adds(&text, prefix);
    for (unsigned long piece = 0; text.length < length; piece++) {
        char *seed = xprintf("token %lu %lu", number, piece);
        digest_hex(seed, strlen(seed), hex);
        text_adds(&text, hex);
        free(seed);
    }
    text.bytes[length < 8 ? 8 : length] = '\0';
    return text.bytes;
}

void iam_add_time(cJSON *object, const char *name, int64_t when)
{
    char seconds[CLOCK_TEXT];

    clock_rfc3339_seconds(when, seconds);
    seconds[strlen(seconds) - 1] = '\0';
    char *text = xprintf("%s.%06dZ", seconds, (int)(when % CLOCK_SECOND / 1000));
    cJSON_AddStringToObject(object, name, text);
    free(text);
}

static cJSON *domain_of(const cJSON *user)
{
    cJSON *domain = cJSON_CreateObject();

    cJSON_AddStringToObject(domain, "name", json_string(user, "domain"));
    cJSON_AddStringToObject(domain, "id", "fedcba9876543210fedcba9876543210");
    return domain;
}

static cJSON *describe(const struct iam_token *token, const cJSON *user, const cJSON *project, bool catalog)
{
    cJSON *body = cJSON_CreateObject(), *described = cJSON_AddObjectToObject(body, "token");
    cJSON *methods = cJSON_AddArrayToObject(described, "methods"), *roles = cJSON_AddArrayToObject(described, "roles");
    cJSON *role = cJSON_CreateObject(), *who = cJSON_AddObjectToObject(described, "user");
    cJSON *what = cJSON_Duplicate(project, true);

    iam_add_time(described, "expires_at", token->expires);
    iam_add_time(described, "issued_at", clock_now());
    cJSON_AddItemToArray(methods, cJSON_CreateString("password"));
    cJSON_AddStringToObject(role, "name", "op_gated_ims");
    cJSON_AddStringToObject(role, "id", "0");
    cJSON_AddItemToArray(roles, role);
    cJSON_AddStringToObject(who, "name", token->user);
    cJSON_AddItemToObject(who, "domain", domain_of(user));
    cJSON_AddItemToObject(what, "domain", domain_of(user));
    cJSON_AddItemToObject(described, "project", what);
    if (catalog) {
        cJSON_AddArrayToObject(described, "catalog");
    }
    return body;
}

static void give(struct simulator *simulator, const cJSON *user, const cJSON *project, bool catalog,
                 struct reply *reply)
{
    struct iam_token *token = xcalloc(1, sizeof(*token));
    char *text = iam_token_text("MIIF", ++simulator->iam.last_token, simulator->config.token_bytes);

    token->user = xstrdup(json_string(user, "name"));
    token->project = xstrdup(json_string(project, "id"));
    token->expires = clock_now() + simulator->config.token_span;
    table_put(&simulator->iam.tokens, text, token);
    cJSON *body = describe(token, user, project, catalog);
    huawei_answer(reply, 201, body);
    reply_add_header(reply, "X-Subject-Token", text);
    cJSON_Delete(body);
    free(text);
}

void create_token(struct simulator *simulator, const struct request *request, const struct fired *fired,
                  struct reply *reply)
{
    struct wish wish = {0};
    const char *why = NULL, *nocatalog = request_parameter(request, "nocatalog");
    cJSON *body = NULL;

    (void)fired;
    if (!huawei_is_json(request) || request->parameter_count > (nocatalog != NULL)) {
        why = "The Content-Type is not application/json, or there is a query parameter beside nocatalog";
    } else if (request->body.length == 0) {
        why = "The body is empty";
    } else {
        body = json_parse(request->body.bytes, request->body.length, &why);
        why = body == NULL ? why : read_wish(body, &wish);
    }
    const cJSON *user = why != NULL ? NULL : find_user(&simulator->iam, &wish);
    const cJSON *project = user == NULL ? NULL : find_project(&simulator->iam, &wish);
    if (why != NULL) {
        huawei_error(request, reply, 400, NULL, "%s", why);
    } else if (user == NULL) {
        huawei_error(request, reply, 401, NULL, "The username or password is wrong.");
    } else if (project == NULL) {
        huawei_error(request, reply, 401, NULL, "The user has no access to the project.");
    } else {
        give(simulator, user, project, nocatalog == NULL || strcasecmp(nocatalog, "true") != 0, reply);
    }
    cJSON_Delete(body);
}

/* ---- the projects of a caller ---- */

static const char *user_of(const struct simulator *simulator, const struct request *request)
{
    const char *text = request_header(request, "X-Auth-Token", NULL);
    const struct iam_token *token = text == NULL ? NULL : iam_token(&simulator->iam, text);

    return token != NULL ? token->user : json_string(iam_key(&simulator->iam, request->access), "user");
}

void list_projects(struct simulator *simulator, const struct request *request, const struct fired *fired,
                   struct reply *reply)
{
    const char *name = request_parameter(request, "name");
    const cJSON *user = json_member(simulator->iam.users, user_of(simulator, request)), *project;
    cJSON *body = cJSON_CreateObject(), *projects = cJSON_AddArrayToObject(body, "projects");

    (void)fired;
    cJSON_ArrayForEach(project, json_member(user, "projects"))
    {
        if (name == NULL || strcmp(json_string(project, "name"), name) == 0) {
            cJSON *item = cJSON_Duplicate(project, true);
            cJSON_AddBoolToObject(item, "enabled", true);
            cJSON_AddItemToArray(projects, item);
        }
    }
    if (request->parameter_count > (name != NULL)) {
        huawei_error(request, reply, 400, NULL, "There is a query parameter beside name");
    } else {
        huawei_answer(reply, 200, body);
    }
    cJSON_Delete(body);
}
