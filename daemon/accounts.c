#include "config.h"

#include "accounts.h"

Accounts *accounts_new(const Config *config)
{
    Accounts *a = xcalloc(1, sizeof(*a));
    a->slots = xcalloc(config->n_accounts, sizeof(a->slots[0]));
    a->n = config->n_accounts;
    for (size_t i = 0; i < a->n; i++) {
        a->slots[i] = xcalloc(1, sizeof(AccountSlot));
        a->slots[i]->config = &config->accounts[i];
    }
    return a;
}

void account_slot_open(AccountSlot *slot, Http *http, sd_event *loop)
{
    const AccountConfig *config = slot->config;
    if (slot->account && slot->account->refused)
        account_free(TAKE(slot->account));
    if (slot->account)
        return;
    error_free(TAKE(slot->error));
    account_open(http, loop, config->name, config->type, config->settings, &slot->account, &slot->error);
}

void accounts_free(Accounts *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n; i++) {
        account_free(a->slots[i]->account);
        error_free(a->slots[i]->error);
        free(a->slots[i]);
    }
    free(a->slots);
    free(a);
}
