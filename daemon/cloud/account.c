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
    HttpClientOptions options = {
        .endpoint = a->credential->endpoint,
        .ca_file = node_get_text(settings, "caFile"),
        .max_concurrency = concurrency ? (unsigned)concurrency->integer : CONCURRENCY_DEFAULT,
        .sign = a->provider->sign,
        .read_error = a->provider->read_error,
        .request_id_header = a->provider->request_id_header,
        .userdata = a->credential,
    };
    if (http_client_new(http, loop, &options, &a->client, err) < 0)
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
