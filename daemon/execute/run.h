/* All changes of one account's plan: made side by side, those of one object one after another. */
#pragma once

#include "execute/op.h"

typedef struct Run Run;

typedef struct RunHandlers {
    /* One change has ended. May be NULL. */
    void (*ended)(void *userdata, const Op *op);
    /* All have. Once, from the loop, even if there was nothing to do. */
    void (*done)(void *userdata);
    void *userdata;
} RunHandlers;

/* Makes every planned change; `exact` as in OpOptions. `plan` must outlive it, and gets no further changes meanwhile.
 */
Run *run_start(Account *account, Plan *plan, bool exact, sd_event *loop, const RunHandlers *handlers);
void run_free(Run *run);
DEFINE_CLEANUP(Run, run_free)

/* Writes that are on their way go to their end, nothing new begins; `done` runs when that is so. */
void run_stop(Run *run);
