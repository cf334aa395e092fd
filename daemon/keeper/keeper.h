/* The daemon: a Keeper owns the loop, the configuration, the specs and the accounts, and goes round. */
#pragma once

#include "base/error.h"
#include "base/log.h"

typedef struct KeeperOptions {
    const char *config_file;
    const char *specs; /* --specs, or NULL */
} KeeperOptions;

/* Runs until SIGTERM or SIGINT. 0; or -1 when it cannot begin (a broken configuration), after having said why. */
int keeper_run(const KeeperOptions *options, const Log *log);
