/* OpenStack's identity service Keystone under /identity: users, projects, application credentials and tokens. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "service.h"
#include "table.h"

/* All by id. */
struct keystone {
    cJSON *users;           /* {"id", "name", "password", "domain": {"id", "name"}, "projects": [{"id", "roles"}]} */
    cJSON *projects;        /* {"id", "name", "domain"} */
    cJSON *credentials;     /* {"id", "name", "secret", "user", "project", "roles", "expiresAt"} */
    cJSON *image_endpoints; /* [{"interface", "region", "url"}] in place of the usual ones; NULL for those */
    struct table tokens;    /* text → struct keystone_token */
    unsigned long last_token;
};

struct keystone_token {
    char *user;       /* id */
    char *project;    /* id, NULL of a token without a scope */
    char *credential; /* id, NULL of a token for a password */
    bool reader, member, admin;
    int64_t expires;
    bool revoked;
};

/* One user with one project and one application credential, no tokens. */
void keystone_reset(struct keystone *keystone);
void keystone_free(struct keystone *keystone);

/* For control: NULL, or why not (static text). A user whose password changes loses the tokens; what is removed takes
 * the tokens along that were given for it. */
const char *keystone_put_user(struct keystone *keystone, const cJSON *user);
const char *keystone_put_project(struct keystone *keystone, const cJSON *project);
const char *keystone_put_credential(struct keystone *keystone, const cJSON *credential);
const char *keystone_remove_user(struct keystone *keystone, const char *id);
const char *keystone_remove_project(struct keystone *keystone, const char *id);
const char *keystone_remove_credential(struct keystone *keystone, const char *id);
/* Of one user, or of all (NULL). */
void keystone_revoke_tokens(struct keystone *keystone, const char *user);
/* An array in which "{base}" stands for the simulator's own base, or null. */
const char *keystone_set_image_endpoints(struct keystone *keystone, const cJSON *endpoints);

/* NULL when it is unknown, revoked or expired. */
const struct keystone_token *keystone_token(const struct keystone *keystone, const char *text);
