/* The tables of the configuration file, one for each type of account among them. */
#pragma once

#include "attr/field.h"

/* What a key has to do with one way of authentication. */
typedef struct AuthKey {
    const char *auth, *key;
    bool required; /* that way needs it */
    bool shared;   /* it may stand beside others, too */
} AuthKey;

typedef struct AccountType {
    const char *name;
    const Field *fields;
    const char *auth;     /* unless the account says another one */
    const AuthKey *keys;  /* ends with an entry without an auth; NULL: none is special */
    const char *either[2]; /* keys of which it needs one, whatever the auth; NULLs: none */
} AccountType;

/* Ends with an entry without a name. */
extern const AccountType account_types[];
const AccountType *account_type_find(const char *name);

/* The file's own rows; the rows of `accounts` are those of the account's type. */
extern const Field config_fields[];
