/*
 * The volumes behind backups. A backup bears copies of its volume's tags, which nobody declared and which are no drift: where a
 * document wants `tags: exact`, its objects' volumes are looked at too, to tell the copies from the rest.
 */
#pragma once

#include "live/observe.h"

typedef struct Sources Sources;

/* After the look at this kind of object: looks for the sources of those that need it, and puts them into the Live objects of
 * `snapshot`. One that cannot be read leaves no error, only a `source` of NULL. `done` runs once, from the loop; NULL is
 * returned, and `done` does not run, where there is nothing to look for. */
Sources *sources_start(Account *account, const Kind *kind, const Specs *specs, Snapshot *snapshot, sd_event *loop,
                       observe_done_fn done, void *userdata);
void sources_free(Sources *sources);
DEFINE_CLEANUP(Sources, sources_free)
