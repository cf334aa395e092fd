#include "config.h"

#include "attr/account.h"

#include "attr/sync.h"
#include "base/clock.h"
#include "base/str.h"

/* It becomes part of a host's name. */
static int check_region(const char *text, Error **err)
{
    for (const char *p = text; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *p))
            return error_set(err, ERROR_SPEC, "takes lower-case letters, digits and -, such as ap-southeast-3, not \"%s\"",
                             text);
    return 0;
}

static const char *const modes[] = {"enforce", "observe", NULL};
static const char *const types[] = {"oci", "ims", "openstack", NULL};
static const char *const oci_auths[] = {"apiKey", NULL};
static const char *const ims_auths[] = {"accessKey", "password", NULL};

/* What every account has. */
#define ACCOUNT_NAME                                                                                                   \
    {"name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 64, .doc = "what specs call the account"},  \
    {"type", .type = FIELD_ENUM, .flags = FIELD_REQUIRED, .values = types, .doc = "which cloud"}
#define ACCOUNT_REQUESTS                                                                                               \
    {"caFile", .type = FIELD_TEXT, .flags = FIELD_PATH, .min = 1, .max = 4096,                                         \
     .doc = "certificates to trust, instead of the system's"},                                                         \
    {"maxConcurrency", .type = FIELD_INT, .min = 1, .max = 64, .doc = "requests at a time; 8 unless said otherwise"},  \
    {"pageSize", .type = FIELD_TEXT, .min = 1, .max = 32,                                                              \
     .doc = "items asked for in one list page; auto, or 1 to 1000"}
#define ENDPOINT(name, words) {name, .type = FIELD_TEXT, .flags = FIELD_ENDPOINT, .min = 1, .max = 255, .doc = words}
#define SECRET_FILE(name, words)                                                                                       \
    {name, .type = FIELD_TEXT, .flags = FIELD_CREDENTIAL, .min = 1, .max = 4096,                                       \
     .doc = words ": a path, or a systemd credential's name"}

static const Field oci_fields[] = {
    ACCOUNT_NAME,
    {"auth", .type = FIELD_ENUM, .values = oci_auths, .doc = "how requests are signed; apiKey unless said otherwise"},
    {"configFile", .type = FIELD_TEXT, .flags = FIELD_PATH, .min = 1, .max = 4096,
     .doc = "the standard OCI configuration file"},
    {"profile", .type = FIELD_TEXT, .min = 1, .max = 256, .doc = "its profile"},
    {"tenancy", .type = FIELD_TEXT, .min = 1, .max = 255, .prefix = "ocid1.tenancy.", .doc = "OCID of the tenancy"},
    {"user", .type = FIELD_TEXT, .min = 1, .max = 255, .prefix = "ocid1.user.", .doc = "OCID of the user"},
    {"fingerprint", .type = FIELD_TEXT, .min = 47, .max = 47, .doc = "of the user's API key"},
    SECRET_FILE("keyFile", "the API key"),
    SECRET_FILE("passPhraseFile", "the key's pass phrase"),
    {"region", .type = FIELD_TEXT, .min = 1, .max = 255, .doc = "long name or short code; overrides the profile's"},
    ENDPOINT("endpoint", "replaces the computed one"),
    ACCOUNT_REQUESTS,
    {0},
};

static const Field ims_fields[] = {
    ACCOUNT_NAME,
    {"auth", .type = FIELD_ENUM, .values = ims_auths,
     .doc = "accessKey (requests are signed) unless said otherwise, or password (a token of IAM)"},
    {"region", .type = FIELD_TEXT, .min = 1, .max = 64, .check = check_region, .doc = "such as ap-southeast-3"},
    {"projectId", .type = FIELD_TEXT, .min = 1, .max = 64, .doc = "id of the project in that region"},
    SECRET_FILE("accessKeyFile", "the access key (AK)"),
    SECRET_FILE("secretKeyFile", "the secret key (SK)"),
    SECRET_FILE("securityTokenFile", "the security token of temporary keys"),
    {"user", .type = FIELD_TEXT, .min = 1, .max = 255, .doc = "name of the IAM user"},
    {"domain", .type = FIELD_TEXT, .min = 1, .max = 255, .doc = "name of the account that the user belongs to"},
    SECRET_FILE("passwordFile", "the user's password"),
    ENDPOINT("endpoint", "replaces https://ims.<region>.myhuaweicloud.com"),
    ENDPOINT("iamEndpoint", "replaces https://iam.<region>.myhuaweicloud.com"),
    ACCOUNT_REQUESTS,
    {0},
};

static const AuthKey ims_keys[] = {
    {"accessKey", "projectId", .required = true, .shared = true},
    {"accessKey", "accessKeyFile", .required = true},
    {"accessKey", "secretKeyFile", .required = true},
    {"accessKey", "securityTokenFile", .required = false},
    {"password", "user", .required = true},
    {"password", "domain", .required = true},
    {"password", "passwordFile", .required = true},
    {"password", "iamEndpoint", .required = false},
    {0},
};

static const Field openstack_fields[] = {
    ACCOUNT_NAME,
    {"cloud", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 255, .doc = "its name in clouds.yaml"},
    {"cloudsFile", .type = FIELD_TEXT, .flags = FIELD_CREDENTIAL, .min = 1, .max = 4096,
     .doc = "clouds.yaml: a path, or a systemd credential's name; looked for at the usual places unless it is given"},
    {"region", .type = FIELD_TEXT, .min = 1, .max = 255, .doc = "overrides the file's"},
    ACCOUNT_REQUESTS,
    {0},
};

const AccountType account_types[] = {
    {"oci", oci_fields, .auth = NULL},
    {"ims", ims_fields, .auth = "accessKey", .keys = ims_keys, .either = {"region", "endpoint"}},
    {"openstack", openstack_fields, .auth = NULL},
    {0},
};

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
    {"specs", .type = FIELD_TEXT, .flags = FIELD_PATH, .min = 1, .max = 4096, .doc = "directory of specs, read recursively, or one file"},
    {"interval", .type = FIELD_DURATION, .min = USEC_PER_SEC, .max = 31 * USEC_PER_DAY,
     .doc = "time between full looks; 5m unless said otherwise"},
    {"mode", .type = FIELD_ENUM, .values = modes, .doc = "enforce, or observe: report drift and change nothing"},
    {"limits", .type = FIELD_MAP, .members = limit_fields, .doc = "what holds a round's changes"},
    {"sync", .type = FIELD_MAP, .members = sync_fields, .doc = "the repository that the specs come from"},
    {"accounts", .type = FIELD_MAP_LIST, .flags = FIELD_REQUIRED, .doc = "the clouds and how to reach them"},
    {0},
};
