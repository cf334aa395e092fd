/*
 * How a reload ended, told to who asked for it: the daemon keeps count in $RUNTIME_DIRECTORY/reload, replaced
 * atomically, and who sends SIGHUP waits there for the answer. A signal alone has none, and readiness on the
 * notification socket is for systemd's eyes only.
 */
#pragma once

#include <sys/types.h>

#include "base/error.h"

/* The reloads of this process so far. */
typedef struct Reloads {
    const char *folder; /* that this process has claimed (runtime_claim); NULL: nothing is written */
    uint64_t begun;
} Reloads;

/* Before the first file of the new configuration is read. */
int reload_begin(Reloads *reloads, Error **err);
/* After systemd was told READY=1. `refusal` is why the old configuration stays in force, or NULL. */
int reload_end(const Reloads *reloads, const char *refusal, Error **err);

/* Sends SIGHUP to the daemon `pid`, whose runtime folder is ours too, and waits until a reload that began after
 * that has ended. ERROR_SPEC with the daemon's words when it was refused; ERROR_LOCAL when there is no answer. */
int reload_ask(pid_t pid, Error **err);
