/* What IAM and Keystone are asked for a token with: the same body (api/huawei-ims.md, section 9). */
#pragma once

#include "base/str.h"

/* A thing that has an id, or a name within a domain that has one or the other; a name may do without. All borrowed. */
typedef struct LoginReference {
    const char *id;
    const char *name, *domain_id, *domain_name;
} LoginReference;

typedef struct LoginBody {
    LoginReference user;
    const char *password; /* NULL: by the application credential */
    const char *credential_id, *credential_name, *credential_secret;
    LoginReference project; /* not of an application credential, which has its own */
} LoginBody;

/* Adds it to `out`, which holds secrets then. */
void login_body_add(const LoginBody *body, Str *out);
