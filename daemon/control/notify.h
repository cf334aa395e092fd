/* What systemd is told: readiness, reloads, and in words how things stand. Without systemd nothing happens. */
#pragma once

#include "base/alloc.h"

void notify_ready(const char *status);
/* RELOADING=1 with the time of it; always followed by notify_ready, also when the new set was refused. */
void notify_reloading(void);
void notify_status(const char *status);
void notify_stopping(void);
