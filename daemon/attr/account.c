#include "config.h"

#include "attr/account.h"

#include "base/clock.h"
#include "base/str.h"

static const char *const modes[] = {"enforce", "observe", NULL};
static const char *const types[] = {"oci", NULL};
static const char *const oci_auths[] = {"apiKey", NULL};

static const Field oci_fields[] = {
    {"name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 64, .doc = "what specs call the account"},
    {"type", .type = FIELD_ENUM, .flags = FIELD_REQUIRED, .values = types, .doc = "which cloud"},
    {"auth", .type = FIELD_ENUM, .values = oci_auths, .doc = "how requests are signed; apiKey unless said otherwise"},
    {"configFile", .type = FIELD_TEXT, .min = 1, .max = 4096, .doc = "the standard OCI configuration file"},
    {"profile", .type = FIELD_TEXT, .min = 1, .max = 256, .doc = "its profile"},
    {"tenancy", .type = FIELD_TEXT, .min = 1, .max = 255, .prefix = "ocid1.tenancy.", .doc = "OCID of the tenancy"},
    {"user", .type = FIELD_TEXT, .min = 1, .max = 255, .prefix = "ocid1.user.", .doc = "OCID of the user"},
    {"fingerprint", .type = FIELD_TEXT, .min = 47, .max = 47, .doc = "of the user's API key"},
    {"keyFile", .type = FIELD_TEXT, .min = 1, .max = 4096,
     .doc = "the API key: a path, or a systemd credential's name"},
    {"passPhraseFile", .type = FIELD_TEXT, .min = 1, .max = 4096, .doc = "the key's pass phrase, likewise"},
    {"region", .type = FIELD_TEXT, .min = 1, .max = 255, .doc = "long name or short code; overrides the profile's"},
    {"endpoint", .type = FIELD_TEXT, .min = 1, .max = 255, .doc = "replaces the computed one"},
    {"caFile", .type = FIELD_TEXT, .min = 1, .max = 4096, .doc = "certificates to trust, instead of the system's"},
    {"maxConcurrency", .type = FIELD_INT, .min = 1, .max = 64, .doc = "requests at a time; 8 unless said otherwise"},
    {"pageSize", .type = FIELD_TEXT, .min = 1, .max = 32,
     .doc = "items asked for in one list page; auto, or 1 to 1000"},
    {0},
};

const AccountType account_types[] = {{"oci", oci_fields}, {0}};

const AccountType *account_type_find(const char *name)
{
    for (const AccountType *t = account_types; t->name; t++)
        if (streq(t->name, name))
            return t;
    return NULL;
}

static const Field limit_fields[] = {
    {"maxChanges", .type = FIELD_INT, .min = 1, .max = 1000000,
     .doc = "an account with more writes than this in one round has all of them held; 100 unless said otherwise"},
    {"maxDeletes", .type = FIELD_INT, .min = 0, .max = 1000000,
     .doc = "an account with more deletions than this in one round has all of them held; 10 unless said otherwise"},
    {0},
};

const Field config_fields[] = {
    {"specs", .type = FIELD_TEXT, .min = 1, .max = 4096, .doc = "directory of specs, read recursively, or one file"},
    {"interval", .type = FIELD_DURATION, .min = USEC_PER_SEC, .max = 31 * USEC_PER_DAY,
     .doc = "time between full looks; 5m unless said otherwise"},
    {"mode", .type = FIELD_ENUM, .values = modes, .doc = "enforce, or observe: report drift and change nothing"},
    {"limits", .type = FIELD_MAP, .members = limit_fields, .doc = "what holds a round's changes"},
    {"accounts", .type = FIELD_MAP_LIST, .flags = FIELD_REQUIRED, .doc = "the clouds and how to reach them"},
    {0},
};
