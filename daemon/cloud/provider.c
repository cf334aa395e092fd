#include "config.h"

#include "cloud/provider.h"

#include "base/file.h"
#include "base/str.h"

static const Provider *const providers[] = {&oci_provider, &ims_provider, &openstack_provider};

const Provider *provider_find(const char *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(providers); i++)
        if (streq(providers[i]->type, type))
            return providers[i];
    return NULL;
}

void provider_add_object(const Kind *kind, const char *id, Str *out)
{
    str_addf(out, "%s/", kind->collection);
    str_add_percent(out, id);
}

void provider_fill_patch(const Update *update, Str *target, HttpSpec *spec)
{
    provider_add_object(update->kind, update->id, target);
    *spec = (HttpSpec){
        .method = "PATCH",
        .target = str_get(target),
        .body = update->body,
        .body_size = strlen(update->body),
    };
}

void credential_free(Credential *credential)
{
    if (!credential)
        return;
    if (credential->secret)
        credential->provider->free_secret(credential->secret);
    secret_free(credential->token);
    free(credential->login_endpoint);
    free(credential->login_with);
    free(credential->ca_file);
    free(credential->home);
    free(credential->endpoint);
    free(credential);
}
