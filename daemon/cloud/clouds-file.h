/* The identity of an OpenStack account, out of clouds.yaml (and secure.yaml) as OpenStack's own tools read them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct CloudsFileRequest {
    const char *file; /* cloudsFile: a path, a systemd credential's bare name, or NULL: the usual places */
    const char *cloud;
    const char *region; /* overrides the file's; may be NULL */
} CloudsFileRequest;

/* User, project and their domains are each named one way, by id or by name, the other being NULL; what an id makes
 * needless (the domain of a project that has one) is NULL as well. */
typedef struct OpenstackCloud {
    char *file;           /* where it was found: for messages */
    char *auth_url;       /* ends with /v3, which is added when the file's has no version */
    char *region;         /* NULL: any */
    char *interface;      /* public, internal or admin */
    char *ca_file;        /* NULL: the system's */
    char *image_endpoint; /* without "/" at its end; NULL: the catalog's */
    char *user_id, *user_name, *user_domain_id, *user_domain_name, *password;
    char *project_id, *project_name, *project_domain_id, *project_domain_name;
    /* Of an application credential, which has its project and, named by id, its user; all NULL: a password. */
    char *credential_id, *credential_name, *credential_secret;
} OpenstackCloud;

/* ERROR_SPEC or ERROR_LOCAL: which file, cloud and key, what is wrong, what to do. No secret is ever in a message. */
int openstack_cloud_load(const CloudsFileRequest *request, OpenstackCloud **ret, Error **err);
/* Wipes the secrets. */
void openstack_cloud_free(OpenstackCloud *cloud);
DEFINE_CLEANUP(OpenstackCloud, openstack_cloud_free)

typedef struct CloudsText {
    char *file; /* its path; NULL: there is no such file */
    char *text;
    size_t size;
} CloudsText;

/* As openstack_cloud_load, of files that are read already; `request->file` does not matter. */
int openstack_cloud_parse(const CloudsFileRequest *request, const CloudsText *clouds, const CloudsText *secure,
                          OpenstackCloud **ret, Error **err);
/* Is a password or another secret in it, of any cloud? */
bool openstack_text_holds_secret(const CloudsText *text);
