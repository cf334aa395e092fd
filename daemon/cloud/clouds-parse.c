#include "config.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/endpoint.h"
#include "base/file.h"
#include "base/str.h"
#include "base/vec.h"
#include "cloud/clouds-file.h"
#include "data/yaml-read.h"

#define SHOWN_MAX 100 /* bytes of a text out of the file in a message */
#define LISTED_MAX 20 /* names of clouds in a message */
#define URL_MAX 2000
#define NAMES_MAX 2
#define LAYERS_MAX 3
#define DEFAULT_DOMAIN "default"

typedef enum SettingName {
    AUTH_TYPE,
    AUTH_URL,
    IDENTITY_VERSION,
    VERIFY,
    INSECURE,
    CA_FILE,
    INTERFACE,
    IMAGE_ENDPOINT,
    PROFILE,
    SYSTEM_SCOPE,
    USER_ID,
    USER_NAME,
    USER_DOMAIN_ID,
    USER_DOMAIN_NAME,
    PASSWORD,
    PROJECT_ID,
    PROJECT_NAME,
    PROJECT_DOMAIN_ID,
    PROJECT_DOMAIN_NAME,
    DOMAIN_ID,
    DOMAIN_NAME,
    DEFAULT_DOMAIN_ID,
    DEFAULT_DOMAIN_NAME,
    CREDENTIAL_ID,
    CREDENTIAL_NAME,
    CREDENTIAL_SECRET,
    SETTING_MAX,
} SettingName;

/* Which of two places wins differs in OpenStack's own tools, too. */
typedef enum Place {
    BESIDE_AUTH, /* of the cloud itself */
    AUTH_FIRST,
    AUTH_LAST,
} Place;

typedef struct SettingRow {
    const char *names[NAMES_MAX]; /* the first that is there wins */
    Place place;
} SettingRow;

static const SettingRow rows[SETTING_MAX] = {
    [AUTH_TYPE] = {{"auth_type", "auth_plugin"}, BESIDE_AUTH},
    [AUTH_URL] = {{"auth_url"}, AUTH_FIRST},
    [IDENTITY_VERSION] = {{"identity_api_version"}, BESIDE_AUTH},
    [VERIFY] = {{"verify"}, BESIDE_AUTH},
    [INSECURE] = {{"insecure"}, BESIDE_AUTH},
    [CA_FILE] = {{"cacert"}, BESIDE_AUTH},
    [INTERFACE] = {{"interface", "endpoint_type"}, BESIDE_AUTH},
    [IMAGE_ENDPOINT] = {{"image_endpoint_override"}, BESIDE_AUTH},
    [PROFILE] = {{"profile", "cloud"}, BESIDE_AUTH},
    [SYSTEM_SCOPE] = {{"system_scope"}, AUTH_FIRST},
    [USER_ID] = {{"user_id"}, AUTH_FIRST},
    [USER_NAME] = {{"username", "user_name"}, AUTH_FIRST},
    [USER_DOMAIN_ID] = {{"user_domain_id"}, AUTH_LAST},
    [USER_DOMAIN_NAME] = {{"user_domain_name"}, AUTH_LAST},
    [PASSWORD] = {{"password"}, AUTH_FIRST},
    [PROJECT_ID] = {{"project_id", "tenant_id"}, AUTH_LAST},
    [PROJECT_NAME] = {{"project_name", "tenant_name"}, AUTH_LAST},
    [PROJECT_DOMAIN_ID] = {{"project_domain_id"}, AUTH_LAST},
    [PROJECT_DOMAIN_NAME] = {{"project_domain_name"}, AUTH_LAST},
    [DOMAIN_ID] = {{"domain_id"}, AUTH_LAST},
    [DOMAIN_NAME] = {{"domain_name"}, AUTH_LAST},
    [DEFAULT_DOMAIN_ID] = {{"default_domain", "default_domain_id"}, AUTH_FIRST},
    [DEFAULT_DOMAIN_NAME] = {{"default_domain_name"}, AUTH_FIRST},
    [CREDENTIAL_ID] = {{"application_credential_id"}, AUTH_FIRST},
    [CREDENTIAL_NAME] = {{"application_credential_name"}, AUTH_FIRST},
    [CREDENTIAL_SECRET] = {{"application_credential_secret"}, AUTH_FIRST},
};

typedef struct Setting {
    const char *name; /* the one of the row's that was used */
    const char *text; /* borrowed; NULL: nothing is set */
    const char *file;
    Mark mark;
} Setting;

/* What says something of the cloud: the region's own values, secure.yaml, clouds.yaml, the first winning key by key. */
typedef struct Layer {
    const char *file;
    const Node *cloud;
} Layer;

typedef struct Parser {
    const CloudsFileRequest *request;
    Arena *arena;
    const char *file; /* clouds.yaml */
    const char *name; /* of the cloud, fit to be shown */
    Layer layers[LAYERS_MAX];
    size_t n_layers;
    const char *region;
    Setting settings[SETTING_MAX];
} Parser;

/* A text out of a file, in a message. */
static const char *shown(const Parser *p, const char *text)
{
    CLEANUP(freep) char *printable = str_printable(text, SHOWN_MAX);
    return arena_strdup(p->arena, printable);
}

static const char *text_of(const Parser *p, SettingName name)
{
    return p->settings[name].text;
}

static const char *place_of(const Parser *p, const char *file, Mark mark)
{
    return arena_printf(p->arena, "%s:%u:%u: cloud \"%s\"", file, mark.line, mark.column, p->name);
}

/* Where a setting stands, and its name: `clouds.yaml:3:5: cloud "lab": verify`. */
static const char *where(const Parser *p, const Setting *setting)
{
    return arena_printf(p->arena, "%s: %s", place_of(p, setting->file, setting->mark), setting->name);
}

/* What nobody wrote, or wrote as null. */
static bool is_absent(const Node *node)
{
    if (!node || node->type == NODE_NULL)
        return true;
    return node->type == NODE_STRING &&
           (!*node->text || (node->plain && (streq(node->text, "~") || strcasecmp(node->text, "null") == 0)));
}

static bool same_key(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !(*a == '-' && *b == '_'))
            return false;
    return !*a && !*b;
}

/* The value of a key, which may be written with "-" in place of "_"; NULL when it is absent. */
static const Node *get(const Node *map, const char *key)
{
    for (uint32_t i = 0; map && map->type == NODE_MAP && i < map->n; i++)
        if (same_key(map->entries[i].key, key) && !is_absent(map->entries[i].value))
            return map->entries[i].value;
    return NULL;
}

static const Node *find(const Parser *p, bool in_auth, const char *key, const char **ret_file)
{
    for (size_t i = 0; i < p->n_layers; i++) {
        const Node *map = in_auth ? get(p->layers[i].cloud, "auth") : p->layers[i].cloud;
        const Node *value = get(map, key);
        if (!value)
            continue;
        *ret_file = p->layers[i].file;
        return value;
    }
    return NULL;
}

static const Node *find_row(const Parser *p, const SettingRow *row, Setting *setting)
{
    const int n_places = row->place == BESIDE_AUTH ? 1 : 2;
    for (size_t i = 0; i < NAMES_MAX && row->names[i]; i++)
        for (int place = 0; place < n_places; place++) {
            bool in_auth = n_places == 2 && (row->place == AUTH_FIRST) == (place == 0);
            const Node *value = find(p, in_auth, row->names[i], &setting->file);
            setting->name = row->names[i];
            if (value)
                return value;
        }
    return NULL;
}

static int take_setting(Parser *p, SettingName name, Error **err)
{
    Setting *setting = &p->settings[name];
    const Node *value = find_row(p, &rows[name], setting);
    if (!value)
        return 0;
    setting->mark = value->mark;
    if (value->type != NODE_STRING)
        return error_set(err, ERROR_SPEC, "%s must be a text, not %s", where(p, setting), node_type_name(value));
    setting->text = value->text;
    return 0;
}

/* Messages of the reader that show a piece of the file, which may be a secret that wants quotes. */
static const struct {
    const char *begin, *instead;
} tellers[] = {
    {" the alias *", "a text that begins with * needs quotes"},
    {" the tag ", "a text that begins with ! needs quotes"},
    {" duplicate key ", "this key is there a second time in its map"},
};

static int yaml_error(const char *first, Error **err)
{
    for (size_t i = 0; i < ARRAY_SIZE(tellers); i++) {
        const char *begin = strstr(first, tellers[i].begin);
        if (begin)
            return error_set(err, ERROR_SPEC, "%.*s %s", (int)(begin - first), first, tellers[i].instead);
    }
    return error_set(err, ERROR_SPEC, "%s", first);
}

/* The one document of a file; NULL for an empty one. Its text is not lent to the problems: an excerpt could show a
 * secret. */
static int read_document(Arena *arena, const CloudsText *text, const Node **ret, Error **err)
{
    CLEANUP(problems_freep) Problems *problems = problems_new();
    const Node *documents = yaml_read(arena, text->file, text->text, text->size, problems);
    if (problems_errors(problems))
        return yaml_error(problems_first(problems), err);
    if (documents->n > 1)
        return error_set(err, ERROR_SPEC, "%s:%u: a second document begins: write all clouds into one", text->file,
                         documents->items[1]->mark.line);
    *ret = documents->n && !is_absent(documents->items[0]) ? documents->items[0] : NULL;
    return 0;
}

/* The map of all clouds; *ret is NULL when there is none. */
static int read_clouds(Arena *arena, const CloudsText *text, const Node **ret, Error **err)
{
    const Node *top = NULL;
    if (read_document(arena, text, &top, err) < 0)
        return -1;
    const Node *clouds = get(top, "clouds");
    const Node *wrong = top && top->type != NODE_MAP ? top : clouds && clouds->type != NODE_MAP ? clouds : NULL;
    if (wrong)
        return error_set(err, ERROR_SPEC, "%s:%u:%u: %s, not %s, is wanted here", text->file, wrong->mark.line,
                         wrong->mark.column, wrong == top ? "a map with clouds: in it" : "a map of clouds by name",
                         node_type_name(wrong));
    *ret = clouds;
    return 0;
}

static bool holds_secret(const Node *node)
{
    if (get(node, "password") || get(node, "application_credential_secret"))
        return true;
    for (uint32_t i = 0; i < node->n && (node->type == NODE_MAP || node->type == NODE_LIST); i++)
        if (holds_secret(node->type == NODE_MAP ? node->entries[i].value : node->items[i]))
            return true;
    return false;
}

bool openstack_text_holds_secret(const CloudsText *text)
{
    CLEANUP(arena_wipep) Arena *arena = arena_new();
    CLEANUP(problems_freep) Problems *problems = problems_new();
    return holds_secret(yaml_read(arena, text->file, text->text, text->size, problems));
}

static int unknown_cloud(const Parser *p, const Node *const maps[2], Error **err)
{
    VEC(const char *) names = {0};
    for (size_t i = 0; i < 2; i++)
        for (uint32_t k = 0; maps[i] && k < maps[i]->n; k++)
            if (i == 0 || !node_entry(maps[0], maps[i]->entries[k].key))
                *VEC_ADD(&names) = maps[i]->entries[k].key;
    *VEC_ADD(&names) = NULL;
    const char *nearest = nearest_name(p->request->cloud, names.items);
    CLEANUP(str_done) Str list = {0};
    if (nearest)
        str_add(&list, shown(p, nearest));
    for (size_t i = 0; i < LISTED_MAX && names.items[i]; i++)
        if (names.items[i] != nearest)
            str_addf(&list, "%s%s", list.len ? ", " : "", shown(p, names.items[i]));
    if (names.n - 1 > LISTED_MAX)
        str_add(&list, ", …");
    VEC_DONE(&names);
    return error_set(err, ERROR_SPEC, "%s: there is no cloud \"%s\"; the clouds there: %s", p->file, p->name,
                     list.len ? str_get(&list) : "none");
}

/* `what` the layer is, for messages. */
static int check_layer(const Parser *p, const Layer *layer, const char *what, Error **err)
{
    const Node *auth = get(layer->cloud, "auth");
    const Node *wrong = layer->cloud->type != NODE_MAP ? layer->cloud : auth && auth->type != NODE_MAP ? auth : NULL;
    if (!wrong)
        return 0;
    return error_set(err, ERROR_SPEC, "%s%s must be a map, not %s", place_of(p, layer->file, wrong->mark),
                     wrong == auth ? ": auth" : what, node_type_name(wrong));
}

/* The cloud in one file, over which those added before win. */
static int add_layer(Parser *p, const char *file, const Node *cloud, Error **err)
{
    if (is_absent(cloud))
        return 0;
    Layer *layer = &p->layers[p->n_layers++];
    *layer = (Layer){file, cloud};
    return check_layer(p, layer, "", err);
}

static int add_layers(Parser *p, const CloudsText *clouds, const CloudsText *secure, Error **err)
{
    const Node *maps[2] = {0};
    const char *name = p->request->cloud;
    if (read_clouds(p->arena, clouds, &maps[0], err) < 0 ||
        (secure->file && read_clouds(p->arena, secure, &maps[1], err) < 0))
        return -1;
    if (!maps[0] && !maps[1])
        return error_set(err, ERROR_SPEC, "%s: there is no clouds: in it, so it is no clouds.yaml", clouds->file);
    const Node *open = node_get(maps[0], name), *hidden = node_get(maps[1], name);
    if (!open && !hidden)
        return unknown_cloud(p, maps, err);
    if (hidden && add_layer(p, secure->file, hidden, err) < 0)
        return -1;
    return open ? add_layer(p, clouds->file, open, err) : 0;
}

/* What holds in this region alone wins over all else. */
static int add_region_values(Parser *p, const char *file, const Node *region, Error **err)
{
    const Node *values = get(region, "values");
    if (!values)
        return 0;
    memmove(p->layers + 1, p->layers, p->n_layers * sizeof(p->layers[0]));
    p->layers[0] = (Layer){file, values};
    p->n_layers++;
    return check_layer(p, &p->layers[0], ": the values of a region", err);
}

/* Out of a list of names, or of maps with a name: the first, unless the account says which. */
static int take_listed_region(Parser *p, const char *file, const Node *list, Error **err)
{
    for (uint32_t i = 0; i < list->n; i++) {
        const Node *item = list->items[i], *name = item->type == NODE_MAP ? get(item, "name") : item;
        if (is_absent(name) || name->type != NODE_STRING)
            return error_set(err, ERROR_SPEC, "%s: a region must be a name, or a map with a name",
                             place_of(p, file, item->mark));
        if (!p->region)
            p->region = name->text;
        if (streq(p->region, name->text))
            return add_region_values(p, file, item, err);
    }
    return 0;
}

static int take_region(Parser *p, Error **err)
{
    const char *wanted = p->request->region, *file = NULL;
    p->region = wanted && *wanted ? wanted : NULL;
    const Node *regions = find(p, false, "regions", &file);
    if (regions && regions->type == NODE_LIST && regions->n == 0)
        regions = NULL;
    if (!regions)
        regions = find(p, false, "region_name", &file);
    if (!regions)
        return 0;
    if (regions->type == NODE_LIST)
        return take_listed_region(p, file, regions, err);
    if (regions->type != NODE_STRING)
        return error_set(err, ERROR_SPEC, "%s: the regions must be a list, not %s", place_of(p, file, regions->mark),
                         node_type_name(regions));
    size_t n = strcspn(regions->text, ","); /* several with commas between were the list once */
    if (!p->region && n)
        p->region = arena_strndup(p->arena, regions->text, n);
    return 0;
}

static bool is_one_of(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

static int check_tls(const Parser *p, Error **err)
{
    static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no", "off", "0"};
    const char *verify = text_of(p, VERIFY), *insecure = text_of(p, INSECURE);
    bool verified = !verify || is_one_of(verify, yes, ARRAY_SIZE(yes));
    if (verified && (!insecure || is_one_of(insecure, no, ARRAY_SIZE(no))))
        return 0;
    const Setting *wrong = &p->settings[verified ? INSECURE : VERIFY];
    return error_set(err, ERROR_SPEC,
                     "%s: \"%s\" is refused: TLS is always verified: leave it out, and name the file of the cloud's "
                     "own certificate authority with cacert",
                     where(p, wrong), shown(p, wrong->text));
}

static int check_identity_version(const Parser *p, Error **err)
{
    const Setting *version = &p->settings[IDENTITY_VERSION];
    const char *text = version->text ? version->text : "3";
    text += *text == 'v';
    if (*text != '2' || (text[1] && text[1] != '.'))
        return 0;
    return error_set(err, ERROR_SPEC, "%s: \"%s\" is served no more: write 3, or leave it out", where(p, version),
                     shown(p, version->text));
}

/* Without a password an application credential is meant, even where auth_type does not say so. */
static int find_auth_type(const Parser *p, bool *ret_credential, Error **err)
{
    const Setting *type = &p->settings[AUTH_TYPE];
    bool credential = text_of(p, CREDENTIAL_ID) || text_of(p, CREDENTIAL_NAME) || text_of(p, CREDENTIAL_SECRET);
    if (!type->text)
        *ret_credential = credential && !text_of(p, PASSWORD);
    else if (streq(type->text, "v3applicationcredential"))
        *ret_credential = true;
    else if (!streq(type->text, "password") && !streq(type->text, "v3password"))
        return error_set(err, ERROR_SPEC,
                         "%s \"%s\" is not served: write password, v3password or v3applicationcredential",
                         where(p, type), shown(p, type->text));
    else if (credential && !text_of(p, PASSWORD))
        return error_set(err, ERROR_SPEC,
                         "%s is %s, but there is an application credential and no password: write "
                         "v3applicationcredential",
                         where(p, type), type->text);
    return 0;
}

/* The address without "/" at its end, for the caller to free; NULL with *err set when it is a bad one. One that could
 * hold a password is not shown. */
static char *take_url(const Parser *p, const Setting *setting, Error **err)
{
    size_t n = strlen(setting->text);
    bool good = n <= URL_MAX;
    for (const char *c = setting->text; *c && good; c++)
        good = *c > ' ' && *c <= '~' && !strchr("\"<>\\^`{|}?#", *c);
    if (!good || strchr(setting->text, '@')) {
        error_set(err, ERROR_SPEC, "%s %s", where(p, setting),
                  good ? "holds a user name or password: leave out what is before @"
                       : "is no address (https://host/path): too long, or with a character that none has");
        return NULL;
    }
    while (n && setting->text[n - 1] == '/')
        n--;
    CLEANUP(freep) char *url = xstrndup(setting->text, n);
    if (endpoint_check(url, err) == 0)
        return TAKE(url);
    error_wrap(err, "%s", where(p, setting));
    return NULL;
}

static int missing(const Parser *p, const char *what, const char *todo, Error **err)
{
    return error_set(err, ERROR_SPEC, "%s: cloud \"%s\" has no %s: %s", p->file, p->name, what, todo);
}

/* The version that a URL ends with, "v3" or "v2.0", or NULL. */
static const char *url_version(const char *url)
{
    const char *last = strrchr(strstr(url, "://") + 3, '/');
    if (!last || last[1] != 'v' || !last[2] || last[2 + strspn(last + 2, "0123456789.")])
        return NULL;
    return last + 1;
}

static int take_auth_url(const Parser *p, OpenstackCloud *cloud, Error **err)
{
    const Setting *setting = &p->settings[AUTH_URL];
    const char *todo = "write auth_url: https://… (the address of Keystone) under auth";
    if (!setting->text && text_of(p, PROFILE))
        todo = arena_printf(p->arena, "its vendor profile \"%s\" is not known here: %s", shown(p, text_of(p, PROFILE)),
                            todo);
    if (!setting->text)
        return missing(p, "auth_url", todo, err);
    CLEANUP(freep) char *url = take_url(p, setting, err);
    if (!url)
        return -1;
    const char *version = url_version(url);
    if (version && !streq(version, "v3"))
        return error_set(err, ERROR_SPEC, "%s ends with /%s: only version 3 is served: end it with /v3",
                         where(p, setting), version);
    cloud->auth_url = version ? TAKE(url) : xasprintf("%s/v3", url);
    return 0;
}

/* Relative paths belong to the folder of the file, ~/ to the home. */
static int take_ca_file(const Parser *p, OpenstackCloud *cloud, Error **err)
{
    const Setting *setting = &p->settings[CA_FILE];
    if (!setting->text)
        return 0;
    const char *slash = strrchr(setting->file, '/');
    if (starts_with(setting->text, "~/")) {
        if (file_expand(setting->text, &cloud->ca_file, err) < 0)
            return error_wrap(err, "%s", where(p, setting));
    } else if (*setting->text == '/' || !slash) {
        cloud->ca_file = xstrdup(setting->text);
    } else {
        cloud->ca_file = xasprintf("%.*s/%s", (int)(slash - setting->file), setting->file, setting->text);
    }
    return 0;
}

static int take_interface(const Parser *p, OpenstackCloud *cloud, Error **err)
{
    static const char *const names[] = {"public", "internal", "admin"};
    const Setting *setting = &p->settings[INTERFACE];
    const char *text = setting->text ? setting->text : names[0];
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t n = strlen(names[i]);
        if (starts_with(text, names[i]) && (!text[n] || streq(text + n, "URL"))) {
            cloud->interface = xstrdup(names[i]);
            return 0;
        }
    }
    return error_set(err, ERROR_SPEC, "%s \"%s\" must be public, internal or admin", where(p, setting), shown(p, text));
}

static int take_services(const Parser *p, OpenstackCloud *cloud, Error **err)
{
    const Setting *image = &p->settings[IMAGE_ENDPOINT];
    if (take_auth_url(p, cloud, err) < 0 || take_ca_file(p, cloud, err) < 0 || take_interface(p, cloud, err) < 0)
        return -1;
    cloud->image_endpoint = image->text ? take_url(p, image, err) : NULL;
    return image->text && !cloud->image_endpoint ? -1 : 0;
}

/* A name means something within a domain alone: its own, else the one said once for all, else Keystone's default. */
static void take_domain(const Parser *p, SettingName id, SettingName name, char **ret_id, char **ret_name)
{
    const SettingName order[] = {id, name, DOMAIN_ID, DOMAIN_NAME, DEFAULT_DOMAIN_ID, DEFAULT_DOMAIN_NAME};
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        const char *text = text_of(p, order[i]);
        if (!text)
            continue;
        *(i % 2 ? ret_name : ret_id) = xstrdup(text);
        return;
    }
    *ret_id = xstrdup(DEFAULT_DOMAIN);
}

static int take_user(const Parser *p, OpenstackCloud *cloud, Error **err)
{
    cloud->user_id = xstrdup(text_of(p, USER_ID));
    if (cloud->user_id)
        return 0;
    cloud->user_name = xstrdup(text_of(p, USER_NAME));
    if (!cloud->user_name)
        return missing(p, "username", "write username (or user_id) under auth", err);
    take_domain(p, USER_DOMAIN_ID, USER_DOMAIN_NAME, &cloud->user_domain_id, &cloud->user_domain_name);
    return 0;
}

static int refuse_scope(const Parser *p, SettingName name, Error **err)
{
    return error_set(err, ERROR_SPEC,
                     "%s is no scope for images, which belong to a project: write project_name (or project_id) under "
                     "auth in its place",
                     where(p, &p->settings[name]));
}

static int take_project(const Parser *p, OpenstackCloud *cloud, Error **err)
{
    if (text_of(p, SYSTEM_SCOPE))
        return refuse_scope(p, SYSTEM_SCOPE, err);
    cloud->project_id = xstrdup(text_of(p, PROJECT_ID));
    if (cloud->project_id)
        return 0;
    cloud->project_name = xstrdup(text_of(p, PROJECT_NAME));
    if (!cloud->project_name && (text_of(p, DOMAIN_ID) || text_of(p, DOMAIN_NAME)))
        return refuse_scope(p, text_of(p, DOMAIN_ID) ? DOMAIN_ID : DOMAIN_NAME, err);
    if (!cloud->project_name)
        return missing(p, "project", "images belong to one: write project_name (or project_id) under auth", err);
    take_domain(p, PROJECT_DOMAIN_ID, PROJECT_DOMAIN_NAME, &cloud->project_domain_id, &cloud->project_domain_name);
    return 0;
}

static int take_password(const Parser *p, OpenstackCloud *cloud, Error **err)
{
    if (take_user(p, cloud, err) < 0 || take_project(p, cloud, err) < 0)
        return -1;
    cloud->password = xstrdup(text_of(p, PASSWORD));
    return cloud->password ? 0 : missing(p, "password", "write password under auth, here or in secure.yaml", err);
}

/* Keystone refuses a scope along with it: better to say so before anything is sent. */
static int take_credential(const Parser *p, OpenstackCloud *cloud, Error **err)
{
    static const SettingName scopes[] = {PROJECT_ID, PROJECT_NAME, SYSTEM_SCOPE};
    for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
        if (text_of(p, scopes[i]))
            return error_set(err, ERROR_SPEC, "%s: an application credential has its project: leave it out",
                             where(p, &p->settings[scopes[i]]));
    cloud->credential_id = xstrdup(text_of(p, CREDENTIAL_ID));
    if (!cloud->credential_id) {
        cloud->credential_name = xstrdup(text_of(p, CREDENTIAL_NAME));
        if (!cloud->credential_name)
            return missing(p, "application_credential_id",
                           "write application_credential_id (or application_credential_name and username) under auth",
                           err);
        if (take_user(p, cloud, err) < 0)
            return error_wrap(err, "an application credential that is named needs its user");
    }
    cloud->credential_secret = xstrdup(text_of(p, CREDENTIAL_SECRET));
    if (!cloud->credential_secret)
        return missing(p, "application_credential_secret",
                       "write application_credential_secret under auth, here or in secure.yaml", err);
    return 0;
}

static int take_identity(const Parser *p, OpenstackCloud *cloud, Error **err)
{
    bool credential = false;
    if (find_auth_type(p, &credential, err) < 0 || take_services(p, cloud, err) < 0)
        return -1;
    return credential ? take_credential(p, cloud, err) : take_password(p, cloud, err);
}

int openstack_cloud_parse(const CloudsFileRequest *request, const CloudsText *clouds, const CloudsText *secure,
                          OpenstackCloud **ret, Error **err)
{
    CLEANUP(arena_wipep) Arena *arena = arena_new();
    Parser p = {.request = request, .arena = arena, .file = clouds->file};
    if (!request->cloud || !*request->cloud)
        return error_set(err, ERROR_SPEC, "%s: which of its clouds is meant? Name it with cloud in the account",
                         clouds->file);
    p.name = shown(&p, request->cloud);
    if (add_layers(&p, clouds, secure, err) < 0 || take_region(&p, err) < 0)
        return -1;
    for (SettingName name = 0; name < SETTING_MAX; name++)
        if (take_setting(&p, name, err) < 0)
            return -1;
    CLEANUP(openstack_cloud_freep) OpenstackCloud *cloud = xcalloc(1, sizeof(*cloud));
    if (check_tls(&p, err) < 0 || check_identity_version(&p, err) < 0 || take_identity(&p, cloud, err) < 0)
        return -1;
    cloud->file = xstrdup(clouds->file);
    cloud->region = xstrdup(p.region);
    *ret = TAKE(cloud);
    return 0;
}
