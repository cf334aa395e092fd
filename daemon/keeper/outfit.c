#include "config.h"

#include "keeper/outfit.h"

#include "base/str.h"

static Lane *lane_at(Outfit *o, const char *endpoint)
{
    for (size_t i = 0; i < o->lanes.n && endpoint; i++)
        if (streq_null(lane_endpoint(o->lanes.items[i]), endpoint))
            return o->lanes.items[i];
    Lane *lane = lane_new(o->loop, endpoint, &o->round, o->handlers);
    *VEC_ADD(&o->lanes) = lane;
    return lane;
}

static const char *endpoint_of(const AccountSlot *slot)
{
    return slot->account ? slot->account->credential->endpoint : NULL;
}

void outfit_new(Config *config, sd_event *loop, const RoundOptions *round, const LaneHandlers *handlers, Outfit *ret)
{
    *ret = (Outfit){.config = config, .loop = loop, .round = *round, .handlers = handlers};
    ret->round.config = config;
    ret->accounts = accounts_new(config);
    for (size_t i = 0; i < ret->accounts->n; i++) {
        AccountSlot *slot = ret->accounts->slots[i];
        account_slot_open(slot, round->http, loop);
        lane_add(lane_at(ret, endpoint_of(slot)), slot);
    }
}

void outfit_done(Outfit *o)
{
    for (size_t i = 0; i < o->lanes.n; i++)
        lane_free(o->lanes.items[i]);
    VEC_DONE(&o->lanes);
    accounts_free(TAKE(o->accounts));
    config_free(TAKE(o->config));
}

void outfit_open(Outfit *o, Lane *lane)
{
    size_t n;
    AccountSlot *const *slots = lane_slots(lane, &n);
    while (n-- > 0) {
        AccountSlot *slot = slots[n];
        if (!account_slot_open(slot, o->round.http, o->loop) || streq_null(endpoint_of(slot), lane_endpoint(lane)))
            continue;
        Lane *home = lane_at(o, endpoint_of(slot));
        lane_remove(lane, slot);
        lane_add(home, slot);
        lane_look(home);
    }
}

bool outfit_is_idle(const Outfit *o)
{
    for (size_t i = 0; i < o->lanes.n; i++)
        if (lane_is_busy(o->lanes.items[i]))
            return false;
    return true;
}

void outfit_stop(const Outfit *o)
{
    for (size_t i = 0; i < o->lanes.n; i++)
        lane_stop(o->lanes.items[i]);
}

void outfit_look(const Outfit *o)
{
    for (size_t i = 0; i < o->lanes.n; i++)
        lane_look(o->lanes.items[i]);
}
