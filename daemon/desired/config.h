/* imagekeeper.yaml: read whole and checked, or refused with every problem in it. */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "base/error.h"
#include "data/node.h"
#include "data/problem.h"
#include "desired/sync-config.h"

#define CONFIG_FILE_DEFAULT "/etc/imagekeeper/imagekeeper.yaml"

typedef struct AccountConfig {
    const char *name, *type;
    const Node *settings; /* typed by the rows of its type */
    Mark mark;
} AccountConfig;

typedef struct Config {
    Arena *arena;
    const char *file;
    const char *specs; /* NULL when it is not said */
    usec_t interval;
    bool observe;
    int64_t max_changes, max_deletes;
    AccountConfig *accounts;
    size_t n_accounts;
    const SyncConfig *sync; /* NULL when there is none */
} Config;

/* What is wrong in the file goes to `problems`; a file that cannot be read at all to `err`. Paths in it that are
 * relative are relative to its own folder. */
int config_load(const char *file, Problems *problems, Config **ret, Error **err);
void config_free(Config *config);
DEFINE_CLEANUP(Config, config_free)

const AccountConfig *config_account(const Config *config, const char *name);
