/* The accounts of a configuration, each open or with the reason why not: one that is broken does not
 * keep the others from their work. */
#pragma once

#include "base/clock.h"
#include "cloud/account.h"
#include "desired/config.h"

typedef struct AccountSlot {
    const AccountConfig *config;
    Account *account; /* NULL: */
    Error *error;     /* why it could not be opened */
    /* A login that was refused is left alone for a while, as the cloud locks a user who tries too often. */
    Error *refusal;     /* of the last round; NULL: there was none */
    unsigned refusals;  /* how many in a row */
    usec_t login_after; /* monotonic; 0: at once */
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
/* Why no round of it can be begun, or NULL. Borrowed. */
const Error *account_slot_trouble(const AccountSlot *slot);
/* At the end of a round: the error by which its credential was refused, or NULL. */
void account_slot_judge(AccountSlot *slot, const Error *refusal);
void accounts_free(Accounts *accounts);
DEFINE_CLEANUP(Accounts, accounts_free)
