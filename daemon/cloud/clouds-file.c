#include "config.h"

#include "cloud/clouds-file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "data/yaml-read.h"

/* Where OpenStack's own tools look, in their order. */
static const char *const folders[] = {".", "~/.config/openstack", "/etc/openstack"};
static const char *const suffixes[] = {".yaml", ".yml"};

static void text_done(CloudsText *text)
{
    if (text->text)
        explicit_bzero(text->text, text->size);
    free(text->text);
    free(text->file);
    *text = (CloudsText){0};
}

static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* NULL when none is there; else the caller frees it. */
static char *find_in(const char *folder, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        CLEANUP(freep) char *path = xasprintf("%s/%s%s", folder, name, suffixes[i]);
        if (file_exists(path))
            return TAKE(path);
    }
    return NULL;
}

static char *find_usual(const char *name)
{
    char *found = NULL;
    for (size_t i = 0; !found && i < ARRAY_SIZE(folders); i++) {
        CLEANUP(freep) char *folder = NULL;
        if (file_expand(folders[i], &folder, NULL) == 0) /* without a HOME there is no file in it */
            found = find_in(folder, name);
    }
    return found;
}

/* A file that somebody names must be there; the usual ones need not, but one of them must. */
static int choose_clouds(const CloudsFileRequest *request, char **ret, Error **err)
{
    if (request->file && *request->file)
        return file_resolve(request->file, ret, err);
    const char *named = env("OS_CLIENT_CONFIG_FILE");
    if (named)
        return file_expand(named, ret, err);
    *ret = find_usual("clouds");
    if (!*ret)
        return error_set(err, ERROR_LOCAL,
                         "no clouds.yaml is there (./clouds.yaml, ~/.config/openstack/clouds.yaml, "
                         "/etc/openstack/clouds.yaml): write one, or name yours with cloudsFile in the account");
    return 0;
}

/* *ret stays NULL when there is none. */
static int choose_secure(const CloudsFileRequest *request, const char *clouds, char **ret, Error **err)
{
    bool named = request->file && *request->file;
    const char *secure = named ? NULL : env("OS_CLIENT_SECURE_FILE");
    if (secure)
        return file_expand(secure, ret, err);
    const char *slash = strrchr(clouds, '/');
    CLEANUP(freep) char *folder = slash ? xstrndup(clouds, (size_t)(slash - clouds)) : xstrdup(".");
    *ret = find_in(folder, "secure");
    if (!*ret && !named)
        *ret = find_usual("secure");
    return 0;
}

/* Takes `path` over. Only a file with a secret in it needs to be kept from others, which shows once it is read. */
static int read_text(char *path, CloudsText *ret, Error **err)
{
    CLEANUP(text_done) CloudsText text = {.file = path}, secret = {.file = xstrdup(path)};
    if (file_read(path, YAML_SIZE_MAX, &text.text, &text.size, err) < 0)
        return -1;
    bool holds_secret = openstack_text_holds_secret(&text);
    if (holds_secret && file_read_secret(path, YAML_SIZE_MAX, &secret.text, &secret.size, err) < 0)
        return error_wrap(err, "a password or another secret is in this file");
    CloudsText *chosen = holds_secret ? &secret : &text;
    *ret = *chosen;
    *chosen = (CloudsText){0};
    return 0;
}

int openstack_cloud_load(const CloudsFileRequest *request, OpenstackCloud **ret, Error **err)
{
    CLEANUP(text_done) CloudsText clouds = {0}, secure = {0};
    char *path = NULL;
    if (choose_clouds(request, &path, err) < 0 || read_text(path, &clouds, err) < 0 || !clouds.file)
        return -1;
    path = NULL;
    if (choose_secure(request, clouds.file, &path, err) < 0 || (path && read_text(path, &secure, err) < 0))
        return -1;
    return openstack_cloud_parse(request, &clouds, &secure, ret, err);
}

void openstack_cloud_free(OpenstackCloud *cloud)
{
    if (!cloud)
        return;
    char *const plain[] = {
        cloud->file,
        cloud->auth_url,
        cloud->region,
        cloud->interface,
        cloud->ca_file,
        cloud->image_endpoint,
        cloud->user_id,
        cloud->user_name,
        cloud->user_domain_id,
        cloud->user_domain_name,
        cloud->project_id,
        cloud->project_name,
        cloud->project_domain_id,
        cloud->project_domain_name,
        cloud->credential_id,
        cloud->credential_name,
    };
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        free(plain[i]);
    secret_free(cloud->password);
    secret_free(cloud->credential_secret);
    free(cloud);
}
