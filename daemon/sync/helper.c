#include "config.h"

#include "sync/helper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/str.h"
#include "base/vec.h"

int helper_read_token(const char *file, char **ret, Error **err)
{
    CLEANUP(secret_freep) char *text = NULL;
    size_t size;
    if (file_read_secret(file, TOKEN_MAX, &text, &size, err) < 0)
        return -1;
    const char *token = str_strip(text);
    if (!*token || strpbrk(token, "\r\n"))
        return error_set(err, ERROR_LOCAL, "%s: must hold the token on one line and nothing else", file);
    *ret = xstrdup(token);
    return 0;
}

static const char *need(const char *name)
{
    const char *value = getenv(name);
    if (!value)
        fprintf(stderr, "%s is not set\n", name);
    return value;
}

/* Git asks "Password for 'https://user@host':". No other host gets an answer. */
static bool asks_for_host(const char *question, const char *host)
{
    CLEANUP(freep) char *plain = xasprintf("//%s'", host), *with_user = xasprintf("@%s'", host);
    return strstr(question, plain) || strstr(question, with_user);
}

static int answer(const char *question)
{
    const char *file = need(HELPER_TOKEN_FILE), *user = need(HELPER_USER), *host = need(HELPER_HOST);
    CLEANUP(secret_freep) char *token = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (!file || !user || !host)
        return 1;
    if (!asks_for_host(question, host)) {
        fprintf(stderr, "the token is for %s alone\n", host);
        return 1;
    }
    bool wants_user = starts_with(question, "Username");
    if (!wants_user && helper_read_token(file, &token, &err) < 0) {
        fprintf(stderr, "%s\n", err->message);
        return 1;
    }
    return puts(wants_user ? user : token) < 0 || fflush(stdout) != 0;
}

/* With keys alone, known hosts alone, and nothing of the user's or the machine's configuration. */
static const char *const ssh_options[] = {
    "GlobalKnownHostsFile=none",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "BatchMode=yes",
    "ControlPath=none",
    "ConnectTimeout=30",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=4",
    "ForwardAgent=no",
    "ClearAllForwardings=yes",
    "LogLevel=ERROR",
};

static int become_ssh(char **argv)
{
    const char *key = need(HELPER_KEY_FILE), *known_hosts = need(HELPER_KNOWN_HOSTS);
    if (!key || !known_hosts)
        return 1;
    CLEANUP(freep) char *known = xasprintf("UserKnownHostsFile=\"%s\"", known_hosts);
    const char *const first[] = {"ssh", "-F", "none", "-i", key, "-o", known};
    VEC(const char *) words = {0};
    for (size_t i = 0; i < ARRAY_SIZE(first); i++)
        *VEC_ADD(&words) = first[i];
    for (size_t i = 0; i < ARRAY_SIZE(ssh_options); i++) {
        *VEC_ADD(&words) = "-o";
        *VEC_ADD(&words) = ssh_options[i];
    }
    for (char **word = argv + 1; *word; word++)
        *VEC_ADD(&words) = *word;
    *VEC_ADD(&words) = NULL;
    execvp("ssh", (char *const *)words.items);
    fprintf(stderr, "ssh cannot be run: %s\n", strerror(errno));
    VEC_DONE(&words);
    return 127;
}

int helper_main(int argc, char **argv)
{
    const char *role = getenv(HELPER_ROLE);
    if (!role)
        return -1;
    if (streq(role, "ssh"))
        return become_ssh(argv);
    return answer(argc > 1 ? argv[1] : "");
}
