/* The control API: what a test uses to fill the store, to set faults and to look inside.
 *
 * @ is a collection of the APIs: images, bootVolumes, volumes, bootVolumeBackups, volumeBackups; and of Huawei Cloud
 * cloudimages, whose ids are UUIDs, as are those of OpenStack's glanceimages. Where an id follows, "resources" stands
 * for the collection of whatever has that id.
 *
 *   POST /@                  one resource or an array; needs an id, all else has defaults
 *   GET  /@, /@/ID           everything known, of backups also those that are gone, with token and times
 *   POST /@/ID/change        merges members; a lifecycleState set so stays
 *   POST /@/ID/strip         an array of names: removes these attributes
 *   POST /@/ID/delete        a backup goes through TERMINATING, all else is dead at once
 *   POST /@/ID/purge, /hide, /show
 *   POST /compartments       {"id"}; also /compartments/ID/hide and /show
 *   POST /generate           {"count", "compartmentId", "prefix", "image"}, with "kind": "cloudImage" images of Huawei
 *                            Cloud, where the compartment is the owner and the prefix 8 hexadecimal digits, with
 *                            "kind": "glanceImage" the same of Glance; or
 *                            {"volumes", "backups", "kind": "bootVolume" or "volume", "compartmentId", "prefix",
 *                             "volumeName", "backupName", "baseTime", "stepSeconds", "volume", "backup"}: in texts
 *                            {volume}, {n} (of the volume) and {i} (of all) are numbers from 1, {time} is baseTime and
 *                            (n - 1) steps, {created} the same with milliseconds, {id} and {source} are OCIDs
 *   POST /config             settings by name, see settings.c
 *   GET, POST /clock         {"offsetSeconds"} or {"advanceSeconds"}; the file SIM_CLOCK_FILE moves it too
 *   POST, DELETE /faulty     {"count", "volumeId"}: the next backups (of a volume) become FAULTY
 *   POST /revoke, /grant     {"operation", "compartmentId"}, or one of them
 *   GET, POST, DELETE /faults   see fault.c
 *   POST /iam/users          {"name", "password", "domain", "projects": [{"id", "name"}]}
 *   POST /iam/keys           {"access", "secret", "user", "securityToken", "expiresAt"}, the last two of temporary ones
 *   DELETE /iam/keys/ACCESS
 *   POST /iam/revoke         {"user"}: the tokens of one user, or of all
 *   POST /keystone/users     {"id", "name", "password", "domain": {"id", "name"}, "projects": [{"id", "roles"}]}
 *   POST /keystone/projects  {"id", "name", "domain"}
 *   POST /keystone/credentials
 *                            {"id", "name", "secret", "user", "project", "roles", "expiresAt"}, the last optional
 *   DELETE /keystone/users/ID, /keystone/projects/ID, /keystone/credentials/ID
 *   POST /keystone/revoke    {"user"}: the tokens of one user (by id), or of all
 *   POST /glance/members     {"image", "member", "status"}: an image is shared with a project
 *   POST /signature          {"target", "method", "headers", "body", "signedHeaders", "secret"}: how they are signed
 *   GET  /statistics, POST /reset
 */
#pragma once

#include <microhttpd.h>

#include "sim.h"

/* Binds a port of 127.0.0.1 that the kernel picks, in plain HTTP. NULL on failure. */
struct MHD_Daemon *control_start(struct simulator *simulator);
