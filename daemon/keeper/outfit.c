#include "config.h"

#include "keeper/outfit.h"

#include "base/str.h"

static Lane *lane_at(const Outfit *o, const char *endpoint)
{
    for (size_t i = 0; i < o->n_lanes && endpoint; i++)
        if (streq_null(lane_endpoint(o->lanes[i]), endpoint))
            return o->lanes[i];
    return NULL;
}

void outfit_new(Config *config, sd_event *loop, const RoundOptions *round, const LaneHandlers *handlers, Outfit *ret)
{
    RoundOptions options = *round;
    options.config = config;
    *ret = (Outfit){.config = config, .accounts = accounts_new(config)};
    ret->lanes = xcalloc(ret->accounts->n, sizeof(ret->lanes[0]));
    for (size_t i = 0; i < ret->accounts->n; i++) {
        AccountSlot *slot = ret->accounts->slots[i];
        account_slot_open(slot, options.http, loop);
        const char *endpoint = slot->account ? slot->account->credential->endpoint : NULL;
        Lane *lane = lane_at(ret, endpoint);
        if (!lane)
            lane = ret->lanes[ret->n_lanes++] = lane_new(loop, endpoint, &options, handlers);
        lane_add(lane, slot);
    }
}

void outfit_done(Outfit *o)
{
    for (size_t i = 0; i < o->n_lanes; i++)
        lane_free(o->lanes[i]);
    free(TAKE(o->lanes));
    o->n_lanes = 0;
    accounts_free(TAKE(o->accounts));
    config_free(TAKE(o->config));
}

bool outfit_is_idle(const Outfit *o)
{
    for (size_t i = 0; i < o->n_lanes; i++)
        if (lane_is_busy(o->lanes[i]))
            return false;
    return true;
}

void outfit_stop(const Outfit *o)
{
    for (size_t i = 0; i < o->n_lanes; i++)
        lane_stop(o->lanes[i]);
}

void outfit_look(const Outfit *o)
{
    for (size_t i = 0; i < o->n_lanes; i++)
        lane_look(o->lanes[i]);
}

ReportTotals outfit_totals(const Outfit *o)
{
    ReportTotals sum = {0};
    for (size_t i = 0; i < o->n_lanes; i++)
        report_totals_add(&sum, lane_totals(o->lanes[i]));
    return sum;
}
