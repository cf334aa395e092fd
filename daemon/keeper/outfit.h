/* One configuration with what hangs on it: its accounts, and the lanes they go round in. It is replaced as a whole. */
#pragma once

#include "keeper/lane.h"

typedef struct Outfit {
    Config *config; /* NULL: none */
    Accounts *accounts;
    VEC(Lane *) lanes;
    sd_event *loop;
    RoundOptions round;
    const LaneHandlers *handlers;
} Outfit;

/* Opens the accounts of `config`, which becomes the outfit's. `round` and `handlers` as for lane_new; its `config` is
 * set here. */
void outfit_new(Config *config, sd_event *loop, const RoundOptions *round, const LaneHandlers *handlers, Outfit *ret);
void outfit_done(Outfit *o);

/* Before a round of that lane: opens those of its accounts that are not open, and moves each to the lane of its
 * endpoint, which is known only now: accounts that see the same objects must go round together. */
void outfit_open(Outfit *o, Lane *lane);

/* Is no round under way? */
bool outfit_is_idle(const Outfit *o);
void outfit_stop(const Outfit *o);
void outfit_look(const Outfit *o);
