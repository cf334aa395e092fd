/*
 * What is planned and yet not done: too many changes at once, a selector that suddenly matches far more, an object that
 * is to be left alone for a while, a saved plan that says something else. Pure; holds changes by writing it into them.
 */
#pragma once

#include "plan/memory.h"
#include "plan/plan.h"
#include "plan/saved.h"

typedef struct GuardOptions {
    int64_t max_changes;     /* of one account in one round */
    int64_t max_deletes;     /* likewise, of deletions */
    const char *config_file; /* where those limits are set: for the message */
    const char *account;     /* whose plan it is */
    const Memory *memory;    /* of earlier rounds, or NULL */
    const SavedPlan *saved;  /* `apply --plan`, or NULL */
    usec_t now, wall;        /* monotonic, and the wall clock's for messages */
} GuardOptions;

void guard_plan(Plan *plan, const Snapshot *snapshot, const GuardOptions *options);
