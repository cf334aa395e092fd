/*
 * The token that all requests of an account bear (IAM of Huawei Cloud, Keystone of OpenStack): asked for before the
 * first of them, again before its end, and once it was refused. What to ask and what the answer tells besides is the
 * provider's; the token is in the header X-Subject-Token, and its end in token.expires_at (api/huawei-ims.md, 9).
 */
#pragma once

#include "cloud/provider.h"

typedef struct Login Login;

/* Once for each login_begin, from the loop; `error` NULL: credential->token is good. */
typedef void (*login_done_fn)(void *userdata, const Error *error);

/* `credential` must outlive it. `ca_file` NULL: the system's. */
int login_new(Http *http, sd_event *loop, Credential *credential, const char *ca_file, login_done_fn done,
              void *userdata, Login **ret, Error **err);
void login_free(Login *login);
DEFINE_CLEANUP(Login, login_free)

/* Is there a token that will be good for a while? By the monotonic clock: a wall clock may be wrong. */
bool login_is_good(const Login *login);
/* Asks for a token; nothing happens while one is being asked for. */
void login_begin(Login *login);
/* It was refused. False: so was the one before, a moment ago, and another one will not help. */
bool login_forget(Login *login);
/* HTTP tries sent for it since it was made. */
unsigned login_sent(const Login *login);
