/* One account that is open: its credential, its requests, and the little that is remembered of it while the program
 * runs. */
#pragma once

#include "base/map.h"
#include "cloud/login.h"

/* `error` NULL: requests may be sent. */
typedef void (*account_ready_fn)(void *userdata, const Error *error);

typedef struct Account {
    char *name;
    const Provider *provider;
    Credential *credential;
    HttpClient *client;
    Login *login;           /* NULL: each request is signed by itself */
    account_ready_fn ready; /* who waits for the login; NULL: nobody */
    void *ready_userdata;
    unsigned page_size;
    bool page_size_auto; /* may still fall back to the contract's */
    /* Object id → the container it was last seen in, so that the next look begins with that list. Costs a request when
     * it is lost, nothing else. */
    Map *containers;
    Arena *memory; /* of the map's strings */
} Account;

/* `settings` is typed by the account's rows. Reads credentials, sends nothing. */
int account_open(Http *http, sd_event *loop, const char *name, const char *type, const Node *settings, Account **ret,
                 Error **err);
void account_free(Account *account);
DEFINE_CLEANUP(Account, account_free)

/* Makes sure that requests can be sent and that it is known where to and what is the account's own: at once where there
 * is no login, or one that is good (true, and `ready` does not run); else `ready` runs once, from the loop, unless it
 * is cancelled. One at a time. */
bool account_prepare(Account *account, account_ready_fn ready, void *userdata);
void account_prepare_cancel(Account *account);

/* HTTP tries sent since it was opened. */
unsigned account_sent(const Account *account);

/* "this machine's clock is 400 s behind the cloud's: set it right", or NULL while they agree within 60 s or it is not
 * known. The caller frees it. */
char *account_clock_trouble(const Account *account);

/* The container an object was last seen in, or NULL. */
const char *account_container(const Account *account, const char *id);
void account_remember(Account *account, const char *id, const char *container);
