/* The accounts of a configuration that documents name, each open or with the reason why not: one that is broken does not
 * keep the others from their work. */
#pragma once

#include "cloud/account.h"
#include "desired/config.h"
#include "desired/spec.h"

typedef struct AccountSlot {
    const AccountConfig *config;
    Account *account; /* NULL: */
    Error *error;     /* why it could not be opened */
} AccountSlot;

typedef struct Accounts {
    AccountSlot *slots;
    size_t n;
} Accounts;

/* One slot for each account of `config`; nothing is opened yet. `config` must outlive it. */
Accounts *accounts_new(const Config *config) __attribute__((returns_nonnull));
/* Opens those that documents of `specs` name and that are not open, trying again what failed before. */
void accounts_open(Accounts *accounts, Http *http, sd_event *loop, const Specs *specs);
void accounts_free(Accounts *accounts);
DEFINE_CLEANUP(Accounts, accounts_free)
