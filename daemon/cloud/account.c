#include "config.h"

#include "cloud/account.h"

#include <inttypes.h>

#include "base/str.h"

#define CONCURRENCY_DEFAULT 8
#define CLOCK_SUSPECT (60 * (int64_t)USEC_PER_SEC)

/* An OCID may be anything; what it stands for in memory is bounded all the same. */
#define REMEMBERED_MAX 200000

void account_free(Account *account)
{
    if (!account)
        return;
    login_free(account->login);
    http_client_free(account->client);
    credential_free(account->credential);
    map_free(account->containers);
    arena_free(account->memory);
    free(account->name);
    free(account);
}

static void set_page_size(Account *a, const char *setting)
{
    a->page_size_auto = !setting || streq(setting, "auto");
    a->page_size = a->page_size_auto ? a->provider->page_size_auto : (unsigned)strtoul(setting, NULL, 10);
}

/* --- the login --- */

static bool is_open(void *userdata)
{
    const Account *a = userdata;
    return login_is_good(a->login);
}

static void open_gate(void *userdata)
{
    const Account *a = userdata;
    login_begin(a->login);
}

static bool shut_gate(void *userdata)
{
    const Account *a = userdata;
    return login_forget(a->login);
}

static void logged_in(void *userdata, const Error *error)
{
    Account *a = userdata;
    account_ready_fn ready = a->ready;
    a->ready = NULL;
    http_client_opened(a->client, a->credential->endpoint, error);
    if (ready)
        ready(a->ready_userdata, error);
}

bool account_prepare(Account *account, account_ready_fn ready, void *userdata)
{
    if (!account->login || login_is_good(account->login))
        return true;
    account->ready = ready;
    account->ready_userdata = userdata;
    login_begin(account->login);
    return false;
}

void account_prepare_cancel(Account *account)
{
    account->ready = NULL;
}

unsigned account_sent(const Account *account)
{
    return http_client_sent(account->client) + (account->login ? login_sent(account->login) : 0);
}

/* --- */

int account_open(Http *http, sd_event *loop, const char *name, const char *type, const Node *settings, Account **ret,
                 Error **err)
{
    CLEANUP(account_freep) Account *a = xcalloc(1, sizeof(*a));
    a->name = xstrdup(name);
    a->provider = provider_find(type);
    a->containers = map_new();
    a->memory = arena_new();
    if (a->provider->open(settings, &a->credential, err) < 0)
        return error_wrap(err, "account \"%s\"", name);
    set_page_size(a, node_get_text(settings, "pageSize"));
    const Node *concurrency = node_get(settings, "maxConcurrency");
    const char *ca_file = node_get_text(settings, "caFile");
    ca_file = ca_file ? ca_file : a->credential->ca_file;
    HttpGate gate = {.is_open = is_open, .open = open_gate, .shut = shut_gate, .userdata = a};
    HttpClientOptions options = {
        .endpoint = a->credential->endpoint,
        .ca_file = ca_file,
        .max_concurrency = concurrency ? (unsigned)concurrency->integer : CONCURRENCY_DEFAULT,
        .sign = a->provider->sign,
        .read_error = a->provider->read_error,
        .request_id_header = a->provider->request_id_header,
        .gate = a->credential->login_endpoint ? &gate : NULL,
        .userdata = a->credential,
    };
    if (http_client_new(http, loop, &options, &a->client, err) < 0 ||
        (options.gate && login_new(http, loop, a->credential, ca_file, logged_in, a, &a->login, err) < 0))
        return error_wrap(err, "account \"%s\"", name);
    *ret = TAKE(a);
    return 0;
}

char *account_clock_trouble(const Account *account)
{
    int64_t difference;
    if (!http_client_clock_difference(account->client, &difference) ||
        (difference <= CLOCK_SUSPECT && difference >= -CLOCK_SUSPECT))
        return NULL;
    return xasprintf("this machine's clock is %" PRId64 " s %s the cloud's: set it right",
                     (difference < 0 ? -difference : difference) / (int64_t)USEC_PER_SEC,
                     difference < 0 ? "ahead of" : "behind");
}

const char *account_container(const Account *account, const char *id)
{
    return map_get(account->containers, id);
}

void account_remember(Account *account, const char *id, const char *container)
{
    const char *before = map_get(account->containers, id);
    if ((before && streq(before, container)) || map_size(account->containers) >= REMEMBERED_MAX)
        return;
    /* Thousands of objects share a few containers: one copy of each name. */
    CLEANUP(freep) char *key = xasprintf("container %s", container);
    char *shared = map_get(account->containers, key);
    if (!shared) {
        shared = arena_strdup(account->memory, container);
        map_put(account->containers, arena_strdup(account->memory, key), shared);
    }
    map_put(account->containers, arena_strdup(account->memory, id), shared);
}
