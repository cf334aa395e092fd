#include "config.h"

#include "cloud/oci-profile.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/ini.h"
#include "base/str.h"

#define CONFIG_FILE_MAX ((size_t)1024 * 1024)
#define SECRET_FILE_MAX ((size_t)64 * 1024)
#define OCID_MAX 255
#define KEY_BITS_MIN 2048
#define DEFAULT_SECTION "DEFAULT"

typedef enum SettingName {
    TENANCY,
    USER,
    FINGERPRINT,
    KEY_FILE,
    PASS_PHRASE,
    REGION,
    SETTING_MAX,
} SettingName;

/* Where each setting may come from, the first that has it winning: `request` is a member of OciProfileRequest. */
typedef struct SettingRow {
    size_t request;
    const char *yaml, *environment, *key, *alias;
    bool required;
} SettingRow;

static const SettingRow rows[SETTING_MAX] = {
    [TENANCY] = {offsetof(OciProfileRequest, tenancy), "tenancy", "OCI_CLI_TENANCY", "tenancy", NULL, true},
    [USER] = {offsetof(OciProfileRequest, user), "user", "OCI_CLI_USER", "user", NULL, true},
    [FINGERPRINT] = {offsetof(OciProfileRequest, fingerprint), "fingerprint", "OCI_CLI_FINGERPRINT", "fingerprint",
                     NULL, true},
    [KEY_FILE] = {offsetof(OciProfileRequest, key_file), "keyFile", "OCI_CLI_KEY_FILE", "key_file", NULL, true},
    [PASS_PHRASE] = {offsetof(OciProfileRequest, pass_phrase_file), "passPhraseFile", "OCI_CLI_PASSPHRASE",
                     "pass_phrase", "passphrase", false},
    [REGION] = {offsetof(OciProfileRequest, region), "region", "OCI_CLI_REGION", "region", NULL, false},
};

typedef enum Origin {
    FROM_NOWHERE,
    FROM_REQUEST,
    FROM_ENVIRONMENT,
    FROM_FILE,
} Origin;

typedef struct Setting {
    const char *text; /* borrowed */
    Origin origin;
    unsigned line; /* FROM_FILE */
} Setting;

typedef struct Loader {
    const OciProfileRequest *request;
    const char *profile;
    bool profile_named; /* by somebody, in place of being the default */
    char *path;         /* of the configuration file; NULL: there is none, or none is needed */
    Ini *ini;
    Setting settings[SETTING_MAX];
} Loader;

static void loader_done(Loader *loader)
{
    free(loader->path);
    ini_free(loader->ini);
}

static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static const char *requested(const OciProfileRequest *request, SettingName name)
{
    const char *value = *(const char *const *)((const char *)request + rows[name].request);
    return value && *value ? value : NULL;
}

/* The name of a setting where it was set, for messages: "~/.oci/config:3: user". The caller frees it. */
static char *where(const Loader *loader, SettingName name)
{
    const Setting *setting = &loader->settings[name];
    switch (setting->origin) {
    case FROM_FILE:
        return xasprintf("%s:%u: %s", loader->path, setting->line, rows[name].key);
    case FROM_ENVIRONMENT:
        return xstrdup(rows[name].environment);
    default:
        return xasprintf("%s of the account", rows[name].yaml);
    }
}

static bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* *ret is NULL when the file is not there. */
static void path_if_there(const char *name, char **ret)
{
    CLEANUP(freep) char *path = NULL;
    if (file_expand(name, &path, NULL) == 0 && file_exists(path))
        *ret = TAKE(path);
}

/* A file that somebody names must be there; the usual ones need not. */
static int choose_file(Loader *loader, Error **err)
{
    const char *named = loader->request->config_file;
    if (named && *named)
        return file_resolve(named, &loader->path, err);
    named = env("OCI_CLI_CONFIG_FILE");
    if (named)
        return file_expand(named, &loader->path, err);
    path_if_there("~/.oci/config", &loader->path);
    if (loader->path)
        return 0;
    named = env("OCI_CONFIG_FILE");
    if (named)
        return file_expand(named, &loader->path, err);
    path_if_there("~/.oraclebmc/config", &loader->path);
    return 0;
}

static int read_ini(const char *path, bool secret, Ini **ret, Error **err)
{
    char *text = NULL;
    size_t size = 0;
    int r = secret ? file_read_secret(path, CONFIG_FILE_MAX, &text, &size, err)
                   : file_read(path, CONFIG_FILE_MAX, &text, &size, err);
    if (r < 0)
        return -1;
    r = ini_parse(text, size, path, ret, err);
    explicit_bzero(text, size);
    free(text);
    return r;
}

/* Only a file with a pass phrase in it needs to be kept from others, which shows once it is read. */
static int read_file(Loader *loader, Error **err)
{
    if (choose_file(loader, err) < 0)
        return -1;
    if (!loader->path)
        return 0;
    CLEANUP(ini_freep) Ini *ini = NULL;
    if (read_ini(loader->path, false, &ini, err) < 0)
        return -1;
    if (!ini_holds(ini, rows[PASS_PHRASE].key) && !ini_holds(ini, rows[PASS_PHRASE].alias)) {
        loader->ini = TAKE(ini);
        return 0;
    }
    if (read_ini(loader->path, true, &loader->ini, err) < 0)
        return error_wrap(err, "a pass_phrase is in this file");
    return 0;
}

/* An empty value in the profile hides that of [DEFAULT]. */
static const IniEntry *file_entry(const Loader *loader, const char *key, const char *alias)
{
    const char *const sections[] = {loader->profile, DEFAULT_SECTION};
    for (size_t i = 0; loader->ini && i < ARRAY_SIZE(sections); i++) {
        const IniEntry *entry = ini_get(loader->ini, sections[i], key);
        if (!entry && alias)
            entry = ini_get(loader->ini, sections[i], alias);
        if (entry)
            return *entry->value ? entry : NULL;
    }
    return NULL;
}

static Setting look_up(const Loader *loader, SettingName name)
{
    const SettingRow *row = &rows[name];
    const char *text = requested(loader->request, name);
    if (text)
        return (Setting){text, FROM_REQUEST, 0};
    text = env(row->environment);
    if (text)
        return (Setting){text, FROM_ENVIRONMENT, 0};
    const IniEntry *entry = file_entry(loader, row->key, row->alias);
    if (entry)
        return (Setting){entry->value, FROM_FILE, entry->line};
    text = name == REGION ? env("OCI_REGION") : NULL;
    return (Setting){text, text ? FROM_ENVIRONMENT : FROM_NOWHERE, 0};
}

/* The text of a key may stand in the environment in place of its file, unless imagekeeper's own configuration names
 * one. */
static const char *key_content(const Loader *loader)
{
    return loader->settings[KEY_FILE].origin == FROM_REQUEST ? NULL : env("OCI_CLI_KEY_CONTENT");
}

/* SETTING_MAX when none is missing. */
static SettingName first_missing(const Loader *loader)
{
    for (SettingName name = 0; name < SETTING_MAX; name++)
        if (rows[name].required && !loader->settings[name].text && !(name == KEY_FILE && key_content(loader)))
            return name;
    return SETTING_MAX;
}

static int unknown_profile(const Loader *loader, Error **err)
{
    const char *const *sections = ini_sections(loader->ini);
    const char *nearest = nearest_name(loader->profile, sections);
    Str list = {0};
    if (nearest)
        str_add(&list, nearest);
    for (; *sections; sections++)
        if (*sections != nearest)
            str_addf(&list, "%s%s", list.len ? ", " : "", *sections);
    error_set(err, ERROR_SPEC, "%s: there is no profile [%s]; the profiles there: %s", loader->path, loader->profile,
              list.len ? str_get(&list) : "none");
    str_done(&list);
    return -1;
}

static int missing(const Loader *loader, SettingName name, Error **err)
{
    const SettingRow *row = &rows[name];
    if (!loader->ini)
        return error_set(
            err, ERROR_SPEC,
            "no OCI configuration file is there (~/.oci/config), and %s is not set: write %s in the account, or "
            "profile [%s] with %s into that file",
            row->key, row->yaml, loader->profile, row->key);
    const IniEntry *entry = name == USER ? file_entry(loader, "security_token_file", NULL) : NULL;
    if (entry)
        return error_set(err, ERROR_SPEC,
                         "%s:%u: profile [%s] is of a session token (security_token_file) and has no user: set auth: "
                         "securityToken in the account",
                         loader->path, entry->line, loader->profile);
    entry = name == KEY_FILE ? file_entry(loader, "key_content", NULL) : NULL;
    if (entry)
        return error_set(
            err, ERROR_SPEC,
            "%s:%u: profile [%s]: key_content is not accepted here: put the key into a file of its own and name "
            "it with key_file",
            loader->path, entry->line, loader->profile);
    return error_set(err, ERROR_SPEC, "%s: profile [%s] has no %s%s", loader->path, loader->profile, row->key,
                     streq(loader->profile, DEFAULT_SECTION) ? "" : ", nor has [" DEFAULT_SECTION "]");
}

static int gather(Loader *loader, Error **err)
{
    const OciProfileRequest *request = loader->request;
    const char *named = request->profile && *request->profile ? request->profile : env("OCI_CLI_PROFILE");
    loader->profile = named ? named : DEFAULT_SECTION;
    loader->profile_named = named != NULL;
    bool whole = requested(request, TENANCY) && requested(request, USER) && requested(request, FINGERPRINT) &&
                 requested(request, KEY_FILE);
    if (!whole && read_file(loader, err) < 0)
        return -1;
    for (SettingName name = 0; name < SETTING_MAX; name++)
        loader->settings[name] = look_up(loader, name);
    SettingName gap = first_missing(loader);
    if (loader->ini && !ini_has_section(loader->ini, loader->profile) && (loader->profile_named || gap != SETTING_MAX))
        return unknown_profile(loader, err);
    return gap == SETTING_MAX ? 0 : missing(loader, gap, err);
}

/* Loosely: OCIDs have had several forms. But it will stand between quotes in a header. */
static int check_ocid(const Loader *loader, SettingName name, const char *prefix, Error **err)
{
    const char *text = loader->settings[name].text;
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-");
    if (starts_with(text, prefix) && text[strlen(prefix)] && !text[n] && n <= OCID_MAX)
        return 0;
    CLEANUP(freep) char *place = where(loader, name);
    return error_set(err, ERROR_SPEC, "%s: \"%s\" is no OCID of a %s (%s…)", place, text, rows[name].key, prefix);
}

static int check_fingerprint(const Loader *loader, Error **err)
{
    const char *text = loader->settings[FINGERPRINT].text;
    size_t n = 0;
    while (n < FINGERPRINT_SIZE - 1 && (n % 3 == 2 ? text[n] == ':' : isxdigit((unsigned char)text[n])))
        n++;
    if (n == FINGERPRINT_SIZE - 1 && !text[n])
        return 0;
    CLEANUP(freep) char *place = where(loader, FINGERPRINT);
    return error_set(err, ERROR_SPEC, "%s: \"%s\" is no fingerprint (16 pairs of hex digits with colons between)",
                     place, text);
}

static int read_pass_phrase(const Loader *loader, char **ret, Error **err)
{
    const Setting *setting = &loader->settings[PASS_PHRASE];
    if (setting->origin != FROM_REQUEST) {
        *ret = xstrdup(setting->text);
        return 0;
    }
    CLEANUP(freep) char *path = NULL;
    size_t size;
    if (file_resolve(setting->text, &path, err) < 0 || file_read_secret(path, SECRET_FILE_MAX, ret, &size, err) < 0)
        return error_wrap(err, "%s", rows[PASS_PHRASE].yaml);
    (*ret)[strcspn(*ret, "\r\n")] = 0; /* editors end the last line */
    return 0;
}

/* The text of the key, and the name it has in messages. */
static int read_key_text(const Loader *loader, char **ret, char **ret_name, Error **err)
{
    const Setting *setting = &loader->settings[KEY_FILE];
    const char *content = key_content(loader);
    if (content) {
        *ret = xstrdup(content);
        *ret_name = xstrdup("OCI_CLI_KEY_CONTENT");
        return 0;
    }
    CLEANUP(freep) char *path = NULL;
    CLEANUP(freep) char *place = where(loader, KEY_FILE);
    size_t size;
    int r = setting->origin == FROM_REQUEST ? file_resolve(setting->text, &path, err)
                                            : file_expand(setting->text, &path, err);
    if (r < 0 || file_read_secret(path, SECRET_FILE_MAX, ret, &size, err) < 0)
        return error_wrap(err, "%s", place);
    *ret_name = TAKE(path);
    return 0;
}

static int check_key(const Loader *loader, const PrivateKey *key, const char *name, char own[static FINGERPRINT_SIZE],
                     Error **err)
{
    int bits = private_key_bits(key);
    if (bits < KEY_BITS_MIN)
        return error_set(err, ERROR_LOCAL, "%s: has %d bits; OCI takes RSA keys from %d bits on", name, bits,
                         KEY_BITS_MIN);
    if (private_key_fingerprint(key, own, err) < 0)
        return error_wrap(err, "%s", name);
    if (strcasecmp(own, loader->settings[FINGERPRINT].text) == 0)
        return 0;
    CLEANUP(freep) char *place = where(loader, FINGERPRINT);
    return error_set(err, ERROR_SPEC, "%s is %s, but the key in %s has %s: one of them belongs to another key", place,
                     loader->settings[FINGERPRINT].text, name, own);
}

static int load_key(const Loader *loader, OciProfile *profile, Error **err)
{
    CLEANUP(secret_freep) char *text = NULL, *pass_phrase = NULL;
    CLEANUP(freep) char *name = NULL;
    if (read_pass_phrase(loader, &pass_phrase, err) < 0 || read_key_text(loader, &text, &name, err) < 0 || !text ||
        private_key_parse(text, strlen(text), pass_phrase, name, &profile->key, err) < 0)
        return -1;
    char own[FINGERPRINT_SIZE];
    if (check_key(loader, profile->key, name, own, err) < 0)
        return -1;
    profile->fingerprint = xstrdup(own);
    return 0;
}

int oci_profile_load(const OciProfileRequest *request, OciProfile **ret, Error **err)
{
    CLEANUP(loader_done) Loader loader = {.request = request};
    if (gather(&loader, err) < 0 || check_ocid(&loader, TENANCY, "ocid1.tenancy.", err) < 0 ||
        check_ocid(&loader, USER, "ocid1.user.", err) < 0 || check_fingerprint(&loader, err) < 0)
        return -1;
    CLEANUP(oci_profile_freep) OciProfile *profile = xcalloc(1, sizeof(*profile));
    if (load_key(&loader, profile, err) < 0)
        return -1;
    profile->tenancy = xstrdup(loader.settings[TENANCY].text);
    profile->user = xstrdup(loader.settings[USER].text);
    profile->region = xstrdup(loader.settings[REGION].text);
    profile->key_id = xasprintf("%s/%s/%s", profile->tenancy, profile->user, profile->fingerprint);
    *ret = TAKE(profile);
    return 0;
}

void oci_profile_free(OciProfile *profile)
{
    if (!profile)
        return;
    free(profile->tenancy);
    free(profile->user);
    free(profile->fingerprint);
    free(profile->region);
    free(profile->key_id);
    private_key_free(profile->key);
    free(profile);
}
