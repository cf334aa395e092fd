#include "config.h"

#include "desired/config.h"

#include <stdlib.h>
#include <strings.h>

#include "attr/account.h"
#include "attr/sync.h"
#include "base/endpoint.h"
#include "base/file.h"
#include "base/str.h"
#include "data/yaml-read.h"

#define INTERVAL_DEFAULT (5 * USEC_PER_MINUTE)
#define MAX_CHANGES_DEFAULT 100
#define MAX_DELETES_DEFAULT 10

void config_free(Config *config)
{
    if (!config)
        return;
    arena_free(config->arena);
    free(config);
}

const AccountConfig *config_account(const Config *config, const char *name)
{
    for (size_t i = 0; i < config->n_accounts; i++)
        if (streq(config->accounts[i].name, name))
            return &config->accounts[i];
    return NULL;
}

static int64_t get_int(const Node *map, const char *key, int64_t otherwise)
{
    const Node *n = node_get(map, key);
    return n ? n->integer : otherwise;
}

/* Relative paths belong to the folder of the configuration, ~/ to the home. */
static const Node *anchor_path(const FieldReader *r, const Node *value)
{
    const char *slash = strrchr(r->file, '/');
    CLEANUP(freep) char *expanded = NULL;
    if (value->text[0] == '~')
        return file_expand(value->text, &expanded, NULL) < 0 ? value : node_string(r->arena, expanded);
    if (value->text[0] == '/' || !slash)
        return value;
    return node_string(r->arena, arena_printf(r->arena, "%.*s/%s", (int)(slash - r->file), r->file, value->text));
}

static const Node *anchor_paths(const FieldReader *r, const Field *fields, const Node *settings)
{
    NodeBuilder *b = node_builder_new(r->arena, NODE_MAP, settings->mark);
    for (uint32_t i = 0; i < settings->n; i++) {
        const NodeEntry *e = &settings->entries[i];
        unsigned flags = field_find(fields, e->key)->flags;
        bool is_path = flags & FIELD_PATH || (flags & FIELD_CREDENTIAL && strchr(e->value->text, '/'));
        node_builder_add(b, e->key, e->mark, is_path ? anchor_path(r, e->value) : e->value);
    }
    return node_builder_end(b);
}

/* The repository's address can be a path, too. */
static const SyncConfig *read_sync(const FieldReader *r, const Node *sync)
{
    SyncConfig *c = sync_config_new(r, anchor_paths(r, sync_fields, sync));
    if (c->transport == TRANSPORT_PATH)
        c->repository = anchor_path(r, node_get(sync, "repository"))->text;
    return c;
}

static bool check_endpoint(const char *endpoint, Error **err)
{
    if (endpoint_check(endpoint, err) < 0)
        return false;
    const char *path = strpbrk(strstr(endpoint, "://") + 3, "/?#");
    if (path)
        error_set(err, ERROR_SPEC, "\"%s\" must end with the host (and port): the rest is the API's, leave \"%s\" out",
                  endpoint, path);
    return !path;
}

static bool check_page_size(const FieldReader *r, const Node *page_size)
{
    char *end;
    if (!page_size || streq(page_size->text, "auto"))
        return true;
    long n = strtol(page_size->text, &end, 10);
    if (!*end && n >= 1 && n <= 1000)
        return true;
    problem_add(r->problems, PROBLEM_ERROR, r->file, page_size->mark, "pageSize must be auto or 1 to 1000");
    return false;
}

static bool check_endpoints(const FieldReader *r, const Field *fields, const Node *settings)
{
    bool good = true;
    for (uint32_t i = 0; i < settings->n; i++) {
        const NodeEntry *e = &settings->entries[i];
        CLEANUP(error_freep) Error *err = NULL;
        if (!(field_find(fields, e->key)->flags & FIELD_ENDPOINT) || check_endpoint(e->value->text, &err))
            continue;
        problem_add(r->problems, PROBLEM_ERROR, r->file, e->value->mark, "%s: %s", e->key, err->message);
        good = false;
    }
    return good;
}

/* What one way of authentication needs, and what belongs to another one. */
static bool check_auth(const FieldReader *r, const AccountType *type, const Node *settings)
{
    const char *said = node_get_text(settings, "auth"), *auth = said ? said : type->auth;
    const char *const *either = type->either;
    bool good = !either[0] || node_get(settings, either[0]) || node_get(settings, either[1]);
    if (!good)
        problem_add(r->problems, PROBLEM_ERROR, r->file, settings->mark, "type: %s needs \"%s\" or \"%s\"", type->name,
                    either[0], either[1]);
    for (const AuthKey *k = type->keys; k && k->auth; k++) {
        const NodeEntry *e = node_entry(settings, k->key);
        bool ours = streq(k->auth, auth);
        if (ours && k->required && !e)
            problem_add(r->problems, PROBLEM_ERROR, r->file, settings->mark, "auth: %s needs \"%s\": %s", auth, k->key,
                        field_find(type->fields, k->key)->doc);
        else if (!ours && e && !k->shared)
            problem_add(r->problems, PROBLEM_ERROR, r->file, e->mark, "%s goes with auth: %s, and this is %s", k->key,
                        k->auth, auth);
        else
            continue;
        good = false;
    }
    return good;
}

static bool check_settings(const FieldReader *r, const AccountType *type, const Node *settings)
{
    bool good = check_endpoints(r, type->fields, settings);
    good = check_page_size(r, node_get(settings, "pageSize")) && good;
    return check_auth(r, type, settings) && good;
}

/* The type says which rows hold for the rest, so it is looked at first. */
static bool read_account(const FieldReader *r, Config *config, const Node *node)
{
    const char *type_name = node_get_text(node, "type");
    const AccountType *type = type_name ? account_type_find(type_name) : NULL;
    if (!type)
        type = &account_types[0]; /* whose rows complain about the type */
    const Node *settings = fields_read(r, type->fields, node, "an account");
    if (!settings || !check_settings(r, type, settings))
        return false;
    const Node *name = node_get(settings, "name");
    const AccountConfig *other = config_account(config, name->text);
    if (other) {
        problem_add(r->problems, PROBLEM_ERROR, r->file, name->mark, "account \"%s\" is already there, in line %u",
                    name->text, other->mark.line);
        return false;
    }
    config->accounts[config->n_accounts++] = (AccountConfig){
        .name = name->text,
        .type = type->name,
        .settings = anchor_paths(r, type->fields, settings),
        .mark = name->mark,
    };
    return true;
}

/* `accounts` is a list of maps whose rows depend on their type: checked one by one, the rest by the table. */
static const Node *read_top(const FieldReader *r, const Node *node, Config *config)
{
    const NodeEntry *accounts = node_entry(node, "accounts");
    const Node *typed = fields_read(r, config_fields, node, "the configuration");
    if (!accounts || accounts->value->type != NODE_LIST)
        return NULL;
    config->accounts = arena_calloc(config->arena, accounts->value->n + 1, sizeof(AccountConfig));
    bool good = true;
    for (uint32_t i = 0; i < accounts->value->n; i++)
        good = read_account(r, config, accounts->value->items[i]) && good;
    const Node *sync = node_get(typed, "sync");
    if (sync)
        good = sync_config_check(r, sync) && good;
    return good ? typed : NULL;
}

static void fill(Config *config, const FieldReader *r, const Node *top)
{
    const Node *specs = node_get(top, "specs");
    const char *mode = node_get_text(top, "mode");
    const Node *sync = node_get(top, "sync");
    config->sync = sync ? read_sync(r, sync) : NULL;
    config->specs = specs ? anchor_path(r, specs)->text : NULL;
    config->interval = (usec_t)get_int(top, "interval", INTERVAL_DEFAULT);
    config->observe = mode && streq(mode, "observe");
    config->max_changes = get_int(node_get(top, "limits"), "maxChanges", MAX_CHANGES_DEFAULT);
    config->max_deletes = get_int(node_get(top, "limits"), "maxDeletes", MAX_DELETES_DEFAULT);
}

/* Secrets have no place in this file; one that stands there by mistake must not be shown with what is wrong about it.
 */
static bool names_a_secret(const char *word, size_t n)
{
    static const char *const parts[] = {"key", "secret", "pass", "token"};
    CLEANUP(freep) char *name = xstrndup(word, n);
    if (n >= 4 && strcasecmp(name + n - 4, "file") == 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (strcasestr(name, parts[i]))
            return true;
    return false;
}

/* A copy in which stars stand for the values of such keys, so that all places stay where they are. */
static char *without_secrets(const char *text, size_t size)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
    char *copy = memcpy(xcalloc(1, size + 1), text, size);
    for (char *p = copy; p < copy + size;) {
        size_t n = strspn(p, word), quote = p[n] == '"' || p[n] == '\'';
        if (n == 0 || p[n + quote] != ':' || !names_a_secret(p, n)) {
            p += n ? n : 1;
            continue;
        }
        p += n + quote + 1;
        for (; *p && !strchr(",}\r\n", *p); p++)
            if (*p != ' ')
                *p = '*';
    }
    return copy;
}

int config_load(const char *file, Problems *problems, Config **ret, Error **err)
{
    CLEANUP(freep) char *text = NULL;
    size_t size;
    if (file_read_plain(file, YAML_SIZE_MAX, &text, &size, err) < 0)
        return error_wrap(err, "the configuration cannot be read");
    CLEANUP(config_freep) Config *config = xcalloc(1, sizeof(*config));
    config->arena = arena_new();
    config->file = arena_strdup(config->arena, file);
    FieldReader reader = {config->arena, config->file, problems};
    size_t errors_before = problems_errors(problems);

    CLEANUP(freep) char *shown = without_secrets(text, size);
    problems_add_source(problems, file, shown, size);
    const Node *documents = yaml_read(config->arena, file, text, size, problems);
    if (documents->n > 1)
        problem_add(problems, PROBLEM_ERROR, file, documents->items[1]->mark, "the configuration is one document");
    if (documents->n == 0 && problems_errors(problems) == errors_before)
        problem_add(problems, PROBLEM_ERROR, file, (Mark){0}, "the configuration is empty");
    const Node *top = documents->n == 1 ? documents->items[0] : NULL;
    if (top && top->type != NODE_MAP)
        fields_read(&reader, config_fields, top, "the configuration"); /* says what it should be */
    else if (top)
        top = read_top(&reader, top, config);
    if (top && problems_errors(problems) == errors_before)
        fill(config, &reader, top);
    problems_forget_source(problems, file);
    if (problems_errors(problems) > errors_before)
        return error_set(err, ERROR_SPEC, "%s", problems_first(problems));
    *ret = TAKE(config);
    return 0;
}
