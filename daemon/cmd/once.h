/* One round from the command line: what `plan` and `apply` have in common. */
#pragma once

#include "cmd/command.h"
#include "plan/saved.h"

/* Goes through once, prints the report, and returns the exit status. `saved` may be NULL. */
int once_run(const CommandOptions *options, bool plan_only, const SavedPlan *saved);
