/* OCI's realms and regions: which host serves a region. */
#pragma once

#include "base/error.h"

/* "https://iaas.<region>.<realm domain>" for a long region name or short code in any case. A string with a dot is used
 * whole. Regions outside the built-in table are looked for where OCI's own tools look (developer-tool file,
 * regions-config.json, OCI_REGION_METADATA), and have at last the domain OCI_DEFAULT_REALM or oraclecloud.com; the
 * metadata service is not asked. *ret is the caller's to free. ERROR_SPEC with the nearest known name when it cannot be
 * a region, and when one of those places holds what cannot be used. */
int oci_endpoint(const char *service, const char *region, char **ret, Error **err);
