/* Fills the store with great numbers of resources. */
#pragma once

#include <cjson/cJSON.h>

struct simulator;

/* Images by {"count"}, volumes with backups by {"volumes", "backups"}. NULL, or why not (static text). */
const char *generate(struct simulator *simulator, const cJSON *rule);
