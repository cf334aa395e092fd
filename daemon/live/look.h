/*
 * The look at one kind of object in one account, in the order in which one thing tells where the next is found: the
 * volumes that backups are to be made of (they tell the compartment), the objects, and the volumes whose tags the
 * objects bear copies of, where a document wants `tags: exact`.
 */
#pragma once

#include "live/sources.h"

typedef struct Look Look;

/* Starts it; the results go to `snapshot`. `done` runs once, from the loop. */
Look *look_start(Account *account, const Kind *kind, const Specs *specs, Snapshot *snapshot, sd_event *loop,
                 observe_done_fn done, void *userdata);
/* What `snapshot` has from it may not be used any more. */
void look_free(Look *look);
DEFINE_CLEANUP(Look, look_free)
