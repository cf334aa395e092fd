/* Permissions that a test has revoked: what they cover is answered as if it did not exist. */
#include "permit.h"

#include <string.h>

#include "json.h"
#include "service.h"

static const char *check(const cJSON *rule)
{
    const char *operation = json_string(rule, "operation");
    const cJSON *member;

    cJSON_ArrayForEach(member, rule)
    {
        if (!cJSON_IsString(member) ||
            (strcmp(member->string, "operation") != 0 && strcmp(member->string, "compartmentId") != 0)) {
            return "a permission is an object with the names \"operation\" and \"compartmentId\", or one of them";
        }
    }
    return operation == NULL || service_is_operation(operation) ? NULL : "unknown operation";
}

const char *permits_revoke(struct permits *permits, const cJSON *rule)
{
    const char *why = cJSON_IsObject(rule) ? check(rule) : "a permission is an object";

    if (why == NULL) {
        permits->revoked = permits->revoked != NULL ? permits->revoked : cJSON_CreateArray();
        cJSON_AddItemToArray(permits->revoked, cJSON_Duplicate(rule, true));
    }
    return why;
}

const char *permits_grant(struct permits *permits, const cJSON *rule)
{
    const char *why = check(rule);
    cJSON *next;

    for (cJSON *one = permits->revoked == NULL || why != NULL ? NULL : permits->revoked->child; one != NULL;
         one = next) {
        next = one->next;
        if (rule == NULL || rule->child == NULL || cJSON_Compare(rule, one, true)) {
            cJSON_Delete(cJSON_DetachItemViaPointer(permits->revoked, one));
        }
    }
    return why;
}

void permits_free(struct permits *permits)
{
    cJSON_Delete(permits->revoked);
    permits->revoked = NULL;
}

static bool means(const cJSON *rule, const char *name, const char *value)
{
    const char *meant = json_string(rule, name);

    return meant == NULL || strcmp(meant, "*") == 0 || (value != NULL && strcmp(meant, value) == 0);
}

bool permits_allow(const struct permits *permits, const char *operation, const char *compartment)
{
    const cJSON *rule;

    cJSON_ArrayForEach(rule, permits->revoked)
    {
        if (means(rule, "operation", operation) && means(rule, "compartmentId", compartment)) {
            return false;
        }
    }
    return true;
}
