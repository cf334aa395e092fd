/* A plan that was saved by `plan -o json`, for `apply --plan`: exactly this is done, and nothing that has changed
 * since. */
#pragma once

#include "plan/plan.h"

typedef struct SavedPlan SavedPlan;

#define SAVED_PLAN_MAX ((size_t)64 * 1024 * 1024)

/* From the text of such a file; `name` is for messages. ERROR_SPEC when it is none. */
int saved_plan_parse(const char *text, size_t size, const char *name, SavedPlan **ret, Error **err);
void saved_plan_free(SavedPlan *saved);
DEFINE_CLEANUP(SavedPlan, saved_plan_free)

/* Is there a planned change of that account in it? */
bool saved_plan_names(const SavedPlan *saved, const char *account);
/* The account of change number `i`, NULL behind the last one. */
const char *saved_plan_account(const SavedPlan *saved, size_t i);

/* Holds every planned change that the saved plan does not have in exactly this form; adds a held change for what it has
 * and the plan has not, if `plan` is about its account. */
void saved_plan_hold(const SavedPlan *saved, Plan *plan, const char *account);
