/* The accounts at one endpoint, which go round together and at their own pace: a slow cloud holds up no other. */
#pragma once

#include "base/vec.h"
#include "record/report.h"
#include "round.h"

typedef struct Lane Lane;

/* What the lanes ask of whoever runs them, all from the loop. */
typedef struct LaneHandlers {
    /* The time for a round has come. False: not now, and the lane will be told when. Else *ret is what to go by, of
     * which the lane takes a reference of its own; or NULL, and it asks again after an interval. */
    bool (*begin)(void *userdata, Specs **ret);
    /* One change has ended. */
    void (*changed)(void *userdata, const Specs *specs, const Op *op);
    /* What came of a round. All of it is borrowed, and gone afterwards. */
    void (*seen)(void *userdata, const Report *report, const Snapshot *snapshot, usec_t took);
    /* It is over. False: the lane does not go on; it may be gone by then. */
    bool (*over)(void *userdata);
    void *userdata;
} LaneHandlers;

/* `endpoint` NULL: for one account that could not be opened. `config`, `handlers` and what `round` points to must
 * outlive it; the other members of `round` are the lane's. */
Lane *lane_new(sd_event *loop, const char *endpoint, const RoundOptions *round, const LaneHandlers *handlers)
    __attribute__((returns_nonnull));
/* Ends a round at once, whatever is under way. */
void lane_free(Lane *lane);

void lane_add(Lane *lane, AccountSlot *slot);
/* May be NULL. Borrowed. */
const char *lane_endpoint(const Lane *lane);
bool lane_is_busy(const Lane *lane);
/* Of the last round. */
const ReportTotals *lane_totals(const Lane *lane);

/* A round at once, or as soon as the one that is under way is over. */
void lane_look(Lane *lane);
/* The round that is under way gives up its looks, finishes the writes that are on their way, and is over. */
void lane_stop(Lane *lane);
