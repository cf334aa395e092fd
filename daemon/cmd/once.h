/* One round from the command line: what `plan`, `apply` and `calendar` have in common. */
#pragma once

#include "cmd/command.h"
#include "plan/saved.h"
#include "record/report.h"
#include "round.h"

typedef struct Once Once;

/* Goes through one round with all accounts of the configuration; `options` says the rest. 0, or -1 after having said
 * what failed. */
int once_go(const RoundOptions *options, Once **ret);
void once_free(Once *once);
DEFINE_CLEANUP(Once, once_free)
const Round *once_round(const Once *once);

/* How results are shown on standard output. *ret_folder is the caller's to free, after the style. */
ReportStyle once_style(const CommandOptions *options, const Config *config, char **ret_folder);

/* Goes through once, prints the report, and returns the exit status. `saved` may be NULL. */
int once_run(const CommandOptions *options, bool plan_only, const SavedPlan *saved);
