#include "config.h"

#include "accounts.h"

#include "base/str.h"

Accounts *accounts_new(const Config *config)
{
    Accounts *a = xcalloc(1, sizeof(*a));
    a->slots = xcalloc(config->n_accounts, sizeof(AccountSlot));
    a->n = config->n_accounts;
    for (size_t i = 0; i < a->n; i++)
        a->slots[i].config = &config->accounts[i];
    return a;
}

static bool is_named(const AccountSlot *slot, const Specs *specs)
{
    for (size_t i = 0; i < specs->n; i++)
        if (streq(specs->items[i].account, slot->config->name))
            return true;
    return false;
}

void accounts_open(Accounts *a, Http *http, sd_event *loop, const Specs *specs)
{
    for (size_t i = 0; i < a->n; i++) {
        AccountSlot *slot = &a->slots[i];
        if (slot->account || !is_named(slot, specs))
            continue;
        error_free(TAKE(slot->error));
        account_open(http, loop, slot->config->name, slot->config->type, slot->config->settings, &slot->account, &slot->error);
    }
}

void accounts_free(Accounts *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n; i++) {
        account_free(a->slots[i].account);
        error_free(a->slots[i].error);
    }
    free(a->slots);
    free(a);
}
