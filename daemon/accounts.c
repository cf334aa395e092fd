#include "config.h"

#include "accounts.h"

#define LOGIN_PAUSE_FIRST USEC_PER_MINUTE
#define LOGIN_PAUSE_MAX (15 * USEC_PER_MINUTE)

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

static bool is_resting(const AccountSlot *slot)
{
    return slot->account && clock_monotonic() < slot->login_after;
}

bool account_slot_open(AccountSlot *slot, Http *http, sd_event *loop)
{
    const AccountConfig *config = slot->config;
    if (slot->refusal && !is_resting(slot))
        account_free(TAKE(slot->account));
    if (slot->account)
        return false;
    error_free(TAKE(slot->error));
    return account_open(http, loop, config->name, config->type, config->settings, &slot->account, &slot->error) == 0;
}

const Error *account_slot_trouble(const AccountSlot *slot)
{
    return !slot->account ? slot->error : is_resting(slot) ? slot->refusal : NULL;
}

usec_t login_pause(unsigned refusals)
{
    usec_t pause = LOGIN_PAUSE_FIRST;
    for (unsigned i = 2; i < refusals && pause < LOGIN_PAUSE_MAX; i++)
        pause *= 2;
    return refusals < 2 ? 0 : pause < LOGIN_PAUSE_MAX ? pause : LOGIN_PAUSE_MAX;
}

/* What the files say would make a difference to it; a server that is down passes by itself. */
static bool is_refusal(const Error *error)
{
    return error && !error_policy(error->kind)->retry && error->kind != ERROR_BREAKER && error->kind != ERROR_CANCELLED;
}

void account_slot_judge(AccountSlot *slot, const Error *refusal)
{
    if (!slot->account || is_resting(slot))
        return;
    bool logs_in = slot->account->login != NULL;
    const Error *trouble = logs_in ? login_trouble(slot->account->login) : refusal;
    trouble = is_refusal(trouble) ? trouble : NULL;
    slot->refusals = logs_in && trouble && trouble->kind == ERROR_AUTH ? slot->refusals + 1 : 0;
    usec_t pause = login_pause(slot->refusals);
    slot->login_after = pause ? clock_monotonic() + pause : 0;
    error_free(slot->refusal);
    slot->refusal = error_copy(trouble);
    if (pause)
        error_wrap(&slot->refusal, "left alone for a while, as a user is locked who tries too often");
}

void accounts_free(Accounts *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n; i++) {
        account_free(a->slots[i]->account);
        error_free(a->slots[i]->error);
        error_free(a->slots[i]->refusal);
        free(a->slots[i]);
    }
    free(a->slots);
    free(a);
}
