#include "config.h"

#include "control/notify.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/str.h"

#define STATUS_MAX 1000

/* A line break in it would begin another assignment. */
static void notify_with(const char *before, const char *status)
{
    CLEANUP(freep) char *line = str_printable(status, STATUS_MAX);
    sd_notifyf(0, "%sSTATUS=%s", before, line);
}

void notify_ready(const char *status)
{
    notify_with("READY=1\n", status);
}

void notify_reloading(void)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=Reloading…", clock_monotonic());
}

void notify_status(const char *status)
{
    notify_with("", status);
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1\nSTATUS=Finishing the writes that are on their way…");
}
