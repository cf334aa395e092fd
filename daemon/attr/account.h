/* The tables of the configuration file, one for each type of account among them. */
#pragma once

#include "attr/field.h"

typedef struct AccountType {
    const char *name;
    const Field *fields;
} AccountType;

/* Ends with an entry without a name. */
extern const AccountType account_types[];
const AccountType *account_type_find(const char *name);

/* The file's own rows; the rows of `accounts` are those of the account's type. */
extern const Field config_fields[];
