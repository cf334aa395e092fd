/* Identities at Huawei Cloud: users with passwords and projects, access keys, and the tokens that were given out. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "service.h"
#include "table.h"

struct iam {
    cJSON *users;        /* by name: {"name", "password", "domain", "projects": [{"id", "name"}]} */
    cJSON *keys;         /* by access key: {"access", "secret", "user", "securityToken", "expiresAt"} */
    struct table tokens; /* text → struct iam_token */
    unsigned long last_token;
};

struct iam_token {
    char *user, *project;
    int64_t expires;
    bool revoked;
};

/* One user with one project and one access key, no tokens. */
void iam_reset(struct iam *iam);
void iam_free(struct iam *iam);

/* For control: NULL, or why not (static text). A user whose password changes loses the tokens, and so does the user
 * of a key that is replaced or removed. */
const char *iam_put_user(struct iam *iam, const cJSON *user);
const char *iam_put_key(struct iam *iam, const cJSON *key);
const char *iam_remove_key(struct iam *iam, const char *access);
/* Of one user, or of all (NULL). */
void iam_revoke_tokens(struct iam *iam, const char *user);

const struct iam_token *iam_token(const struct iam *iam, const char *text);
const cJSON *iam_key(const struct iam *iam, const char *access);
/* A project of a user by its id or name; the first one when `wanted` is NULL; NULL when there is none. */
const cJSON *iam_project(const struct iam *iam, const char *user, const char *member, const char *wanted);

/* A token's text, as long as real ones, which do not fit small buffers. */
char *iam_token_text(const char *prefix, unsigned long number, size_t length);
/* As tokens tell times, with microseconds. */
void iam_add_time(cJSON *object, const char *name, int64_t when);

operation_fn create_token, list_projects;
