/* The table of `sync:` in the configuration, and what a repository's address and a ref may look like. */
#pragma once

#include "attr/field.h"

typedef enum Transport {
    TRANSPORT_PATH,
    TRANSPORT_HTTP, /* on this machine alone */
    TRANSPORT_HTTPS,
    TRANSPORT_SSH, /* ssh://host/path or host:path */
} Transport;

extern const Field sync_fields[];

/* By the form of a `repository` that has passed its row's check. */
Transport repository_transport(const char *repository);
/* Host and port as they stand in an http or https URL; *ret_size bytes of `repository`. */
const char *repository_host(const char *repository, size_t *ret_size);
/* A whole commit id: 40 or 64 hexadecimal digits in lower case. */
bool is_commit_id(const char *text);
