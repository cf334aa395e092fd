/* Permissions that a test has revoked: what they cover is answered as if it did not exist. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>

struct permits {
    cJSON *revoked; /* array of {"operation", "compartmentId"}; what is absent means any */
};

/* NULL, or why not (static text). */
const char *permits_revoke(struct permits *permits, const cJSON *rule);
/* Takes back all rules that say the same; all rules when `rule` has no member. */
const char *permits_grant(struct permits *permits, const cJSON *rule);
void permits_free(struct permits *permits);
bool permits_allow(const struct permits *permits, const char *operation, const char *compartment);
