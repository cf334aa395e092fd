#include "config.h"

#include "sync/git.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/vec.h"
#include "sync/dir.h"
#include "sync/helper.h"

#define NETWORK_TIME (15 * USEC_PER_MINUTE)
#define LOCAL_TIME (5 * USEC_PER_MINUTE)
#define PATH_DEFAULT "/usr/local/bin:/usr/bin:/bin"
#define OUTPUT_MAX ((size_t)64 * 1024 * 1024)

typedef VEC(const char *) Words;

struct Git {
    const SyncConfig *config;
    Arena *arena;
    const char *folder, *home;
    char *token; /* only to keep it out of messages */
    Words env, options, network_options;
};

void git_free(Git *g)
{
    if (!g)
        return;
    secret_free(g->token);
    VEC_DONE(&g->env);
    VEC_DONE(&g->options);
    VEC_DONE(&g->network_options);
    arena_free(g->arena);
    free(g);
}

const SyncConfig *git_config(const Git *g)
{
    return g->config;
}

/* The file's whole path, without links; it must be there. `what` is its key in the configuration. */
static int whole_path(Git *g, const char *what, const char *name, const char **ret, Error **err)
{
    CLEANUP(freep) char *path = NULL, *real = NULL;
    if (!name)
        return 0;
    if (file_resolve(name, &path, err) < 0)
        return error_wrap(err, "sync.%s", what);
    real = realpath(path, NULL);
    if (!real)
        return error_set_errno(err, ERROR_LOCAL, errno, "sync.%s: %s", what, path);
    *ret = arena_strdup(g->arena, real);
    return 0;
}

static void set_env(Git *g, const char *name, const char *value)
{
    *VEC_ADD(&g->env) = arena_printf(g->arena, "%s=%s", name, value);
}

static void add_option(Words *options, const char *option)
{
    *VEC_ADD(options) = "-c";
    *VEC_ADD(options) = option;
}

static void set_option(const Git *g, Words *options, const char *name, const char *value)
{
    add_option(options, arena_printf(g->arena, "%s=%s", name, value));
}

static const char *const environment[] = {
    "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1",
    "GIT_TERMINAL_PROMPT=0", "GIT_NO_REPLACE_OBJECTS=1",    "LC_ALL=C",
    "GIT_NO_LAZY_FETCH=1", /* else a server of the oldest kind makes git fetch from within a fetch, without end */
};

/* Hooks, filters, submodules, redirects, other servers: nothing but what is asked for. */
static const char *const all_options[] = {
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "credential.helper=",
    "protocol.allow=never",
    "transfer.fsckObjects=true",
    "transfer.bundleURI=false",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "fetch.unpackLimit=1",
    "core.bigFileThreshold=4194305", /* what is larger than a spec may be is never held in memory */
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "log.showSignature=false",
};

static const char *const all_network_options[] = {
    "http.followRedirects=false",
    "http.sslVerify=true",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
};

static void set_base(Git *g)
{
    const char *path = getenv("PATH");
    set_env(g, "PATH", path && *path ? path : PATH_DEFAULT);
    set_env(g, "HOME", g->home);
    for (size_t i = 0; i < ARRAY_SIZE(environment); i++)
        *VEC_ADD(&g->env) = environment[i];
    for (size_t i = 0; i < ARRAY_SIZE(all_options); i++)
        add_option(&g->options, all_options[i]);
    for (size_t i = 0; i < ARRAY_SIZE(all_network_options); i++)
        add_option(&g->network_options, all_network_options[i]);
}

/* This program's own path: Git runs it for the token, or in place of ssh. */
static int set_helper(Git *g, const char *variable, const char *role, Error **err)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "/proc/self/exe cannot be read");
    self[n] = 0;
    set_env(g, variable, self);
    set_env(g, HELPER_ROLE, role);
    return 0;
}

static int set_http(Git *g, Error **err)
{
    const SyncConfig *c = g->config;
    const char *ca_file = NULL, *token_file = NULL;
    if (whole_path(g, "caFile", c->ca_file, &ca_file, err) < 0 ||
        whole_path(g, "tokenFile", c->token_file, &token_file, err) < 0)
        return -1;
    if (ca_file)
        set_option(g, &g->network_options, "http.sslCAInfo", ca_file);
    if (!token_file)
        return 0;
    if (helper_read_token(token_file, &g->token, err) < 0)
        return error_wrap(err, "sync.tokenFile");
    size_t size;
    const char *host = repository_host(c->repository, &size);
    set_env(g, HELPER_HOST, arena_strndup(g->arena, host, size));
    set_env(g, HELPER_USER, c->user);
    set_env(g, HELPER_TOKEN_FILE, token_file);
    return set_helper(g, "GIT_ASKPASS", "token", err);
}

static int set_ssh(Git *g, Error **err)
{
    const char *key_file = NULL, *known_hosts = NULL;
    CLEANUP(secret_freep) char *key = NULL;
    size_t size;
    if (whole_path(g, "sshKeyFile", g->config->ssh_key_file, &key_file, err) < 0 ||
        whole_path(g, "knownHostsFile", g->config->known_hosts_file, &known_hosts, err) < 0)
        return -1;
    if (file_read_secret(key_file, TOKEN_MAX, &key, &size, err) < 0)
        return error_wrap(err, "sync.sshKeyFile");
    set_env(g, HELPER_KEY_FILE, key_file);
    set_env(g, HELPER_KNOWN_HOSTS, known_hosts);
    set_env(g, "GIT_SSH_VARIANT", "ssh");
    return set_helper(g, "GIT_SSH", "ssh", err);
}

static int set_transport(Git *g, Error **err)
{
    static const char *const protocols[] = {[TRANSPORT_PATH] = "protocol.file.allow",
                                            [TRANSPORT_HTTP] = "protocol.http.allow",
                                            [TRANSPORT_HTTPS] = "protocol.https.allow",
                                            [TRANSPORT_SSH] = "protocol.ssh.allow"};
    const SyncConfig *c = g->config;
    CLEANUP(freep) char *real = c->transport == TRANSPORT_PATH ? realpath(c->repository, NULL) : NULL;
    if (c->transport == TRANSPORT_PATH && !real)
        return error_set_errno(err, ERROR_LOCAL, errno, "sync.repository: %s", c->repository);
    set_option(g, &g->network_options, protocols[c->transport], "always");
    set_option(g, &g->network_options, "remote." GIT_REMOTE ".url", real ? real : c->repository);
    if (c->transport == TRANSPORT_SSH)
        return set_ssh(g, err);
    return c->transport == TRANSPORT_PATH ? 0 : set_http(g, err);
}

/* A keyring of its own that holds the given keys alone, all of them trusted. */
static int make_keyring(Git *g, const char *keys, Error **err)
{
    const char *folder = arena_printf(g->arena, "%s/gnupg", g->home);
    if (dir_make(folder, 0700, err) < 0)
        return -1;
    static const char settings[] = "trust-model always\nno-autostart\nno-auto-key-retrieve\nno-auto-key-locate\n";
    const char *file = arena_printf(g->arena, "%s/gpg.conf", folder);
    const char *common = arena_printf(g->arena, "%s/common.conf", folder); /* without it newer ones ask a daemon */
    if (dir_write(file, settings, strlen(settings), NULL, err) < 0 || dir_write(common, "", 0, NULL, err) < 0)
        return -1;
    set_env(g, "GNUPGHOME", folder);
    *VEC_ADD(&g->env) = NULL;
    g->env.n--;
    const char *const words[] = {"gpg", "--batch", "--quiet", "--no-tty", "--import", "--", keys, NULL};
    CLEANUP(child_freep) Child *child = NULL;
    int status = 0;
    if (child_start(&(ChildSetup){words, g->env.items, -1, LOCAL_TIME}, &child, err) < 0 ||
        child_wait(child, &status, err) < 0)
        return error_wrap(err, "verify: gpg");
    if (status == 0)
        return 0;
    CLEANUP(freep) char *complaint = child_complaint(child);
    return error_set(err, ERROR_LOCAL, "sync.publicKeys: gpg does not take %s: %s", keys, complaint);
}

static int set_verification(Git *g, Error **err)
{
    const char *signers = NULL, *keys = NULL;
    if (whole_path(g, "allowedSigners", g->config->allowed_signers, &signers, err) < 0 ||
        whole_path(g, "publicKeys", g->config->public_keys, &keys, err) < 0)
        return -1;
    if (signers) {
        set_option(g, &g->options, "gpg.format", "ssh");
        set_option(g, &g->options, "gpg.ssh.allowedSignersFile", signers);
    }
    return keys ? make_keyring(g, keys, err) : 0;
}

static int set_up(Git *g, Error **err)
{
    if (dir_make(g->home, 0700, err) < 0 || dir_make(g->folder, 0700, err) < 0)
        return -1;
    set_base(g);
    if (set_transport(g, err) < 0 || set_verification(g, err) < 0)
        return -1;
    *VEC_ADD(&g->env) = NULL;
    const char *const words[] = {"init", "--bare", "--quiet", "--template=", NULL};
    return git_run(g, &(GitCommand){.words = words}, NULL, NULL, err);
}

int git_new(const SyncConfig *config, const char *directory, Git **ret, Error **err)
{
    CLEANUP(git_freep) Git *git = xcalloc(1, sizeof(*git));
    git->config = config;
    git->arena = arena_new();
    git->folder = arena_printf(git->arena, "%s/repository.git", directory);
    git->home = arena_printf(git->arena, "%s/home", directory);
    if (set_up(git, err) < 0)
        return -1;
    *ret = TAKE(git);
    return 0;
}

static void add_all(Words *words, const Words *more)
{
    for (size_t i = 0; i < more->n; i++) {
        const char *word = more->items[i];
        *VEC_ADD(words) = word;
    }
}

int git_start(const Git *g, const GitCommand *command, Child **ret, Error **err)
{
    CLEANUP(freep) char *folder = xasprintf("--git-dir=%s", g->folder);
    Words words = {0};
    *VEC_ADD(&words) = "git";
    *VEC_ADD(&words) = folder;
    add_all(&words, &g->options);
    if (command->network)
        add_all(&words, &g->network_options);
    for (const char *const *word = command->words; *word; word++)
        *VEC_ADD(&words) = *word;
    *VEC_ADD(&words) = NULL;
    ChildSetup setup = {words.items, g->env.items, command->input ? command->input : -1,
                        command->network ? NETWORK_TIME : LOCAL_TIME};
    int r = child_start(&setup, ret, err);
    VEC_DONE(&words);
    return r;
}

/* Servers choose what Git shows of them; the token they may have from us. */
static char *without_token(const Git *g, const char *text)
{
    Str clean = {0};
    for (const char *hit; g->token && (hit = strstr(text, g->token)); text = hit + strlen(g->token)) {
        str_addn(&clean, text, (size_t)(hit - text));
        str_add(&clean, "***");
    }
    str_add(&clean, text);
    return str_take(&clean);
}

int git_failed(const Git *g, const char *what, const Child *child, int status, Error **err)
{
    CLEANUP(freep) char *complaint = child_complaint(child), *clean = without_token(g, complaint);
    return error_set(err, ERROR_LOCAL, "git %s ended with status %d%s%s", what, status, *clean ? ": " : "", clean);
}

int git_run(const Git *g, const GitCommand *command, Str *out, int *ret_status, Error **err)
{
    CLEANUP(child_freep) Child *child = NULL;
    int status = 0;
    if (git_start(g, command, &child, err) < 0)
        return -1;
    if (out && child_read_all(child, OUTPUT_MAX, out, err) < 0)
        return -1;
    if (child_wait(child, &status, err) < 0)
        return -1;
    if (status != 0 && !ret_status)
        return git_failed(g, command->words[0], child, status, err);
    if (ret_status)
        *ret_status = status;
    return 0;
}
