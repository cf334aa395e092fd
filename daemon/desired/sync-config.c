#include "config.h"

#include "desired/sync-config.h"

#include "base/str.h"

#define REF_DEFAULT "main"
#define KEEP_DEFAULT 3
#define USER_DEFAULT "git"

static Verify get_verify(const Node *sync)
{
    const char *verify = node_get_text(sync, "verify");
    if (!verify || streq(verify, "none"))
        return VERIFY_NONE;
    return streq(verify, "ssh") ? VERIFY_SSH : VERIFY_GPG;
}

/* One setting that is there only if `wanted`; `must`: and then always. */
static bool check_pair(const FieldReader *r, const Node *sync, const char *key, bool wanted, bool must,
                       const char *with)
{
    const NodeEntry *e = node_entry(sync, key);
    if (wanted && must && !e)
        problem_add(r->problems, PROBLEM_ERROR, r->file, sync->mark, "%s needs \"%s\": %s", with, key,
                    field_find(sync_fields, key)->doc);
    else if (!wanted && e)
        problem_add(r->problems, PROBLEM_ERROR, r->file, e->mark, "%s goes with %s", key, with);
    else
        return true;
    return false;
}

bool sync_config_check(const FieldReader *r, const Node *sync)
{
    Transport transport = repository_transport(node_get_text(sync, "repository"));
    Verify verify = get_verify(sync);
    bool ssh = transport == TRANSPORT_SSH, https = transport == TRANSPORT_HTTP || transport == TRANSPORT_HTTPS;
    bool good = check_pair(r, sync, "allowedSigners", verify == VERIFY_SSH, true, "verify: ssh");
    good = check_pair(r, sync, "publicKeys", verify == VERIFY_GPG, true, "verify: gpg") && good;
    good = check_pair(r, sync, "sshKeyFile", ssh, true, "an ssh repository") && good;
    good = check_pair(r, sync, "knownHostsFile", ssh, true, "an ssh repository") && good;
    good = check_pair(r, sync, "tokenFile", https, false, "an https repository") && good;
    good = check_pair(r, sync, "user", https && node_get(sync, "tokenFile"), false, "tokenFile") && good;
    return check_pair(r, sync, "caFile", https, false, "an https repository") && good;
}

SyncConfig *sync_config_new(const FieldReader *r, const Node *sync)
{
    const char *ref = node_get_text(sync, "ref"), *user = node_get_text(sync, "user");
    const Node *keep = node_get(sync, "keep"), *rewind = node_get(sync, "allowRewind");
    SyncConfig *c = arena_alloc(r->arena, sizeof(*c));
    *c = (SyncConfig){
        .repository = node_get_text(sync, "repository"),
        .transport = repository_transport(node_get_text(sync, "repository")),
        .ref = ref ? ref : REF_DEFAULT,
        .directory = node_get_text(sync, "directory"),
        .verify = get_verify(sync),
        .allowed_signers = node_get_text(sync, "allowedSigners"),
        .public_keys = node_get_text(sync, "publicKeys"),
        .allow_rewind = rewind && rewind->boolean,
        .keep = keep ? (size_t)keep->integer : KEEP_DEFAULT,
        .ca_file = node_get_text(sync, "caFile"),
        .user = user ? user : USER_DEFAULT,
        .token_file = node_get_text(sync, "tokenFile"),
        .ssh_key_file = node_get_text(sync, "sshKeyFile"),
        .known_hosts_file = node_get_text(sync, "knownHostsFile"),
    };
    return c;
}
