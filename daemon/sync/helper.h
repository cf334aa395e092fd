/*
 * What Git runs while it fetches is this program itself, in another role: it hands out the token, or becomes ssh with
 * the options that are wanted. The environment names files only; no secret is in it, nor in any argument.
 */
#pragma once

#include "base/error.h"

/* In the environment of Git: "token" or "ssh"; unset in all other processes. */
#define HELPER_ROLE "IMAGEKEEPER_HELPER"
#define HELPER_TOKEN_FILE "IMAGEKEEPER_TOKEN_FILE"
#define HELPER_USER "IMAGEKEEPER_USER"
#define HELPER_HOST "IMAGEKEEPER_HOST" /* host and port that the token is for */
#define HELPER_KEY_FILE "IMAGEKEEPER_SSH_KEY_FILE"
#define HELPER_KNOWN_HOSTS "IMAGEKEEPER_KNOWN_HOSTS_FILE"

#define TOKEN_MAX ((size_t)64 * 1024)

/* The one line that the file holds; wiped and freed by the caller (secret_free). */
int helper_read_token(const char *file, char **ret, Error **err);

/* -1 when this process has no such role, else its exit status. */
int helper_main(int argc, char **argv);
