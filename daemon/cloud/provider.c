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
