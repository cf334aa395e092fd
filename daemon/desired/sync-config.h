/* `sync:` of the configuration: what no single row can tell, and the whole as a struct. */
#pragma once

#include "attr/sync.h"

typedef enum Verify {
    VERIFY_NONE,
    VERIFY_SSH,
    VERIFY_GPG,
} Verify;

/* Paths are whole, or begin where the configuration's own does; NULL: not said. */
typedef struct SyncConfig {
    const char *repository;
    Transport transport;
    const char *ref;
    const char *directory; /* NULL: the usual one */
    Verify verify;
    const char *allowed_signers, *public_keys;
    bool allow_rewind;
    size_t keep;
    const char *ca_file;
    const char *user;
    const char *token_file, *ssh_key_file, *known_hosts_file; /* for file_resolve */
} SyncConfig;

/* Settings that need others, or do not go with them. `sync` is typed by sync_fields. */
bool sync_config_check(const FieldReader *reader, const Node *sync);
/* In the reader's arena; what the settings point to must live as long. */
SyncConfig *sync_config_new(const FieldReader *reader, const Node *sync) __attribute__((returns_nonnull));
