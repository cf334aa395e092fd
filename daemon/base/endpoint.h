/* The rule on which addresses may be talked to: https anywhere, plain http on this machine alone. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* Is `url` an https URL, or an http one whose host is 127.0.0.0/8, ::1 or localhost? Else ERROR_SPEC says what is
 * wrong. */
int endpoint_check(const char *url, Error **err);
/* Host and port of a URL as they stand in it, without the scheme's default port: what the host header is. The caller
 * frees it. */
char *endpoint_host(const char *url);
