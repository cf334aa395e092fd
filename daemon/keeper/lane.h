/* The accounts at one endpoint, which go round together and at their own pace: a slow cloud holds up no other. */
#pragma once

#include "base/vec.h"
#include "record/report.h"
#include "round.h"

typedef struct Lane Lane;

/* What the lanes ask of whoever runs them, all from the loop. */
typedef struct LaneHandlers {
    /* The time for a round has come; accounts may be moved now. False: not now, and the lane will be told when. Else
     * *ret is what to go by, of which the lane takes a reference of its own; or NULL, and it asks again after an
     * interval. */
    bool (*begin)(void *userdata, Lane *lane, Specs **ret);
    /* One change has ended. */
    void (*changed)(void *userdata, const Specs *specs, const Op *op);
    /* What came of a round. All of it is borrowed, and gone afterwards. */
    void (*seen)(void *userdata, const Report *report, const Snapshot *snapshot, usec_t took);
    /* It is over. False: the lane does not go on; it may be gone by then. */
    bool (*over)(void *userdata);
    void *userdata;
} LaneHandlers;

/* `endpoint` NULL: for one account that could not be opened. `handlers` and what `round` points to must outlive it; its
 * `specs` and `slots` are the lane's. */
Lane *lane_new(sd_event *loop, const char *endpoint, const RoundOptions *round, const LaneHandlers *handlers)
    __attribute__((returns_nonnull));
/* Ends a round at once, whatever is under way. */
void lane_free(Lane *lane);

/* It takes part from the next round on. */
void lane_add(Lane *lane, AccountSlot *slot);
/* No round of the lane may be under way. One without accounts does nothing any more until it gets one. */
void lane_remove(Lane *lane, AccountSlot *slot);
/* Those that take part. */
AccountSlot *const *lane_slots(const Lane *lane, size_t *ret_n);
/* May be NULL. Borrowed. */
const char *lane_endpoint(const Lane *lane);
bool lane_is_busy(const Lane *lane);

/* A round at once, or as soon as the one that is under way is over. */
void lane_look(Lane *lane);
/* The round that is under way gives up its looks, finishes the writes that are on their way, and is over. */
void lane_stop(Lane *lane);
