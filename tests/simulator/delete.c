/* The deletion of backups. */
#include <string.h>

#include "clock.h"
#include "json.h"
#include "oci.h"
#include "sim.h"

/* Why the backup cannot be deleted now; NULL when it can. */
static const char *protection(const struct resource *backup)
{
    static const char *const locks[] = {"isPreventDeletionEnabled", "isRetentionLockEnabled",
                                        "isIndefiniteRetentionEnabled"};
    const char *why = NULL;

    if (strcmp(backup->now.state, "AVAILABLE") != 0 && strcmp(backup->now.state, "FAULTY") != 0) {
        return backup->now.state;
    }
    cJSON *json = cJSON_Parse(backup->now.json);
    for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
        why = cJSON_IsTrue(json_member(json, locks[i])) ? locks[i] : why;
    }
    cJSON_Delete(json);
    return why;
}

void delete_backup(struct simulator *simulator, const struct request *request, const struct fired *fired,
                   struct reply *reply)
{
    struct resource *backup = oci_find(simulator, request);
    const char *why;

    (void)fired;
    if (backup == NULL) {
        oci_not_found(reply, request->id);
    } else if (!oci_check_etag(request, backup, reply)) {
        return;
    } else if ((why = protection(backup)) != NULL) {
        reply_error(reply, "IncorrectState", "%s cannot be deleted: %s", backup->id, why);
    } else {
        backup->deleted = clock_now();
        lifecycle_enter(simulator, backup, "TERMINATING", backup->deleted);
        reply->status = 204;
        reply->applied = true;
    }
}
