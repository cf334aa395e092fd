/*
 * The identity of an OCI account with `auth: apiKey`: out of imagekeeper's own configuration, the environment and the
 * standard OCI configuration file, in this order of precedence; and the key that proves it.
 */
#pragma once

#include "base/error.h"
#include "sign/key.h"

/* What imagekeeper.yaml says of it; every member may be NULL. Borrowed. With tenancy, user, fingerprint and key_file no
 * configuration file is read. */
typedef struct OciProfileRequest {
    const char *config_file, *profile;
    const char *tenancy, *user, *fingerprint, *key_file, *pass_phrase_file, *region;
} OciProfileRequest;

typedef struct OciProfile {
    char *tenancy, *user, *fingerprint;
    char *region; /* as written, a name or a short code; NULL when nothing names one: an endpoint may make up for it */
    char *key_id; /* tenancy/user/fingerprint */
    PrivateKey *key;
} OciProfile;

/* ERROR_SPEC or ERROR_LOCAL: which file, profile and key, what is wrong, what to do. No secret is ever in a message. */
int oci_profile_load(const OciProfileRequest *request, OciProfile **ret, Error **err);
void oci_profile_free(OciProfile *profile);
DEFINE_CLEANUP(OciProfile, oci_profile_free)
