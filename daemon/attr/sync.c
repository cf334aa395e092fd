#include "config.h"

#include "attr/sync.h"

#include "base/endpoint.h"
#include "base/str.h"

#define HTTP_SCHEME "http://"
#define HTTPS_SCHEME "https://"
#define SSH_SCHEME "ssh://"

bool is_commit_id(const char *text)
{
    size_t n = strspn(text, "0123456789abcdef");
    return (n == 40 || n == 64) && !text[n];
}

Transport repository_transport(const char *repository)
{
    if (starts_with(repository, HTTPS_SCHEME))
        return TRANSPORT_HTTPS;
    if (starts_with(repository, HTTP_SCHEME))
        return TRANSPORT_HTTP;
    if (starts_with(repository, SSH_SCHEME))
        return TRANSPORT_SSH;
    const char *colon = strchr(repository, ':'), *slash = strchr(repository, '/');
    return colon && (!slash || colon < slash) ? TRANSPORT_SSH : TRANSPORT_PATH;
}

const char *repository_host(const char *repository, size_t *ret_size)
{
    const char *host = strstr(repository, "://") + 3;
    *ret_size = strcspn(host, "/?#");
    return host;
}

static bool has_unfit(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            return true;
    return false;
}

static int check_url(const char *url, Error **err)
{
    size_t size;
    if (endpoint_check(url, err) < 0)
        return -1;
    const char *host = repository_host(url, &size);
    if (memchr(host, '@', size))
        return error_set(err, ERROR_SPEC, "must not have a user or a password before its host: say `user`, and the "
                                          "file of the token as `tokenFile`");
    return 0;
}

/* What does not say its host plainly could be taken for an option of ssh. */
static int check_ssh(const char *address, Error **err)
{
    const char *host = starts_with(address, SSH_SCHEME) ? address + strlen(SSH_SCHEME) : address;
    size_t size = strcspn(host, starts_with(address, SSH_SCHEME) ? "/" : ":");
    const char *at = memchr(host, '@', size);
    if (at && memchr(host, ':', (size_t)(at - host)))
        return error_set(err, ERROR_SPEC, "must not have a password before its host: ssh goes by `sshKeyFile`");
    const char *name = at ? at + 1 : host;
    if (size == 0 || name == host + size || *host == '-' || *name == '-')
        return error_set(err, ERROR_SPEC, "has no host's name in it");
    if (!host[size] || !host[size + 1])
        return error_set(err, ERROR_SPEC, "has no path after its host");
    return 0;
}

static int check_repository(const char *text, Error **err)
{
    if (has_unfit(text) || *text == '-')
        return error_set(err, ERROR_SPEC, "must be an https or ssh address or a path, without spaces");
    const char *scheme = strstr(text, "://");
    switch (repository_transport(text)) {
    case TRANSPORT_HTTP:
    case TRANSPORT_HTTPS:
        return check_url(text, err);
    case TRANSPORT_SSH:
        if (scheme && !starts_with(text, SSH_SCHEME))
            return error_set(err, ERROR_SPEC, "takes https:// and ssh:// addresses and paths, not %.*s://",
                             (int)(scheme - text), text);
        return check_ssh(text, err);
    case TRANSPORT_PATH:
        break;
    }
    return 0;
}

/* The rules of git-check-ref-format(1). */
static int check_ref(const char *text, Error **err)
{
    static const char *const never[] = {"..", "@{", "//", "/.", ".lock/", NULL};
    size_t n = strlen(text);
    bool good = !has_unfit(text) && !strpbrk(text, "~^:?*[\\") && !strchr("-./", *text) && !strchr("./", text[n - 1]) &&
                !streq(text, "@") && !(n >= 5 && streq(text + n - 5, ".lock"));
    for (size_t i = 0; never[i]; i++)
        good = good && !strstr(text, never[i]);
    if (!good)
        return error_set(err, ERROR_SPEC, "must be the name of a branch or tag, or a whole commit id, not \"%s\"",
                         text);
    return 0;
}

static int check_user(const char *text, Error **err)
{
    if (has_unfit(text))
        return error_set(err, ERROR_SPEC, "must be a name without spaces");
    return 0;
}

static const char *const verifications[] = {"none", "ssh", "gpg", NULL};

#define A_PATH(name, words) {name, .type = FIELD_TEXT, .flags = FIELD_PATH, .min = 1, .max = 4096, .doc = words}
#define A_CREDENTIAL(name, words)                                                                                      \
    {name, .type = FIELD_TEXT, .flags = FIELD_CREDENTIAL, .min = 1, .max = 4096,                                       \
     .doc = words ": a path, or a systemd credential's name"}

const Field sync_fields[] = {
    {"repository", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 4096, .check = check_repository,
     .doc = "what is fetched: an https or ssh address, or a path"},
    {"ref", .type = FIELD_TEXT, .min = 1, .max = 255, .check = check_ref,
     .doc = "a branch, a tag or a commit id; main unless said otherwise"},
    A_PATH("directory", "where the specs go; $STATE_DIRECTORY, or else /var/lib/imagekeeper-sync, unless said otherwise"),
    {"verify", .type = FIELD_ENUM, .values = verifications,
     .doc = "which signatures commits must have: none, unless said otherwise, ssh or gpg"},
    A_PATH("allowedSigners", "who may sign with ssh, as ssh-keygen(1) has it"),
    A_PATH("publicKeys", "the keys of those who may sign with gpg"),
    {"allowRewind", .type = FIELD_BOOL, .doc = "true: take also a commit that does not descend from the last one"},
    {"keep", .type = FIELD_INT, .min = 1, .max = 1000, .doc = "how many of the last commits stay; 3 unless said otherwise"},
    A_PATH("caFile", "certificates to trust, instead of the system's"),
    {"user", .type = FIELD_TEXT, .min = 1, .max = 255, .check = check_user,
     .doc = "whose token it is; git unless said otherwise"},
    A_CREDENTIAL("tokenFile", "the token or password for https"),
    A_CREDENTIAL("sshKeyFile", "the private key for ssh"),
    A_CREDENTIAL("knownHostsFile", "the host keys that are trusted, as ssh-keyscan(1) writes them"),
    {0},
};
