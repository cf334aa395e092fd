/* The settings that control may change while the simulator runs. */
#pragma once

#include <cjson/cJSON.h>

struct simulator;

/* Sets one by the member's name. NULL, or why not (static text). */
const char *settings_set(struct simulator *simulator, const cJSON *setting);
