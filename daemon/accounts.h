/* The accounts of a configuration, each open or with the reason why not: one that is broken does not
 * keep the others from their work. */
#pragma once

#include "base/clock.h"
#include "cloud/account.h"
#include "desired/config.h"

typedef struct AccountSlot {
    const AccountConfig *config;
    Account *account;   /* NULL: */
    Error *error;       /* why it could not be opened */
    Error *refusal;     /* by which its credential was refused in the last round; NULL: it was not */
    unsigned refusals;  /* how many logins in a row */
    usec_t login_after; /* monotonic: a refused login is left alone until then; 0: it is not */
} AccountSlot;

typedef struct Accounts {
    AccountSlot **slots;
    size_t n;
} Accounts;

/* One slot for each account of `config`; nothing is opened yet. `config` must outlive it. */
Accounts *accounts_new(const Config *config) __attribute__((returns_nonnull));
/* Opens one that is not open, or whose credential was refused; says in slot->error why it cannot be. No round of it may
 * be under way. True: it has just been opened, with an endpoint that may be another one than before. */
bool account_slot_open(AccountSlot *slot, Http *http, sd_event *loop);
/* Why no round of it can be begun, or NULL. Borrowed. */
const Error *account_slot_trouble(const AccountSlot *slot);
/* At the end of a round: `refusal` is the error by which a credential that signs each request was refused, or NULL.
 * What was refused, or could not log in, is read anew before the next round. */
void account_slot_judge(AccountSlot *slot, const Error *refusal);
/* How long a login rests that was refused so often: not at all the first time, as the credential may just have been
 * changed; then longer each time, since the cloud locks a user who tries too often. */
usec_t login_pause(unsigned refusals);
void accounts_free(Accounts *accounts);
DEFINE_CLEANUP(Accounts, accounts_free)
