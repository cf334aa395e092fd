/*
 * One look at all live objects of one kind in one account, in as few requests as it takes: a list page shows a thousand
 * of them, so lists are read wherever two or more are wanted, and single reads are for what no list showed.
 *
 * Ids whose container is not known are the problem: the first is read by itself, tells its container, and the list of
 * that one resolves the others. Reading a list goes on only while it pays: once as many pages as there are ids left
 * have shown none of them, they are read one by one.
 */
#pragma once

#include "cloud/account.h"
#include "live/harvest.h"

typedef struct Observer Observer;

typedef void (*observe_done_fn)(void *userdata);

/* Starts a look for those of `specs` that are of `kind` and name this account; the results go to `snapshot`. `done`
 * runs once, from the loop, even if there is nothing to do. `harvest`, unless it is NULL, gets the items of the lists
 * that it wants. */
Observer *observe_start(Account *account, const Kind *kind, const Specs *specs, Snapshot *snapshot, Harvest *harvest,
                        sd_event *loop, observe_done_fn done, void *userdata);
void observe_free(Observer *observer);
DEFINE_CLEANUP(Observer, observe_free)
