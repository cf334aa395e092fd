/* The accounts of a configuration, each open or with the reason why not: one that is broken does not
 * keep the others from their work. */
#pragma once

#include "cloud/account.h"
#include "desired/config.h"

typedef struct AccountSlot {
    const AccountConfig *config;
    Account *account; /* NULL: */
    Error *error;     /* why it could not be opened */
} AccountSlot;

typedef struct Accounts {
    AccountSlot **slots;
    size_t n;
} Accounts;

/* One slot for each account of `config`; nothing is opened yet. `config` must outlive it. */
Accounts *accounts_new(const Config *config) __attribute__((returns_nonnull));
/* Opens one that is not open, or whose credential was refused; says in slot->error why it cannot be. No round of it may
 * be under way. */
void account_slot_open(AccountSlot *slot, Http *http, sd_event *loop);
void accounts_free(Accounts *accounts);
DEFINE_CLEANUP(Accounts, accounts_free)
