/* The control API: what a test uses to fill the store, to set faults and to look inside. */
#pragma once

#include <microhttpd.h>

#include "sim.h"

/* Binds a port of 127.0.0.1 that the kernel picks, in plain HTTP. NULL on failure. */
struct MHD_Daemon *control_start(struct simulator *simulator);
/* Makes `count` images in a compartment; the rule object is that of POST /generate. NULL or why not. */
const char *control_generate(struct simulator *simulator, const cJSON *rule);
