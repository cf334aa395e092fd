/* The API's HTTP server: collects each request, has it verified and carried out, and sends the answer. */
#pragma once

#include <microhttpd.h>

#include "sim.h"
#include "tls.h"

/* Binds a port of 127.0.0.1 that the kernel picks; plain HTTP when `tls` is NULL. NULL on failure. */
struct MHD_Daemon *server_start(struct simulator *simulator, const struct tls *tls);
unsigned server_port(struct MHD_Daemon *daemon);
