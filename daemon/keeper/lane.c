#include "config.h"

#include "keeper/lane.h"

#include <unistd.h>

#include "base/str.h"

struct Lane {
    sd_event *loop;
    const LaneHandlers *handlers;
    RoundOptions options;
    VEC(AccountSlot *) slots, added; /* `added` join before the next round */
    char *endpoint;
    Round *round;
    Specs *specs;     /* that the round began with */
    usec_t started;   /* of the round, monotonic */
    usec_t next_look; /* wall: when the round found that something will be due; 0: nothing will */
    uint64_t rounds;
    sd_event_source *timer;
    sd_event_source *round_over; /* ends a round from outside its own callbacks */
    bool look_again;             /* asked for while a round was under way */
};

void lane_free(Lane *lane)
{
    round_free(lane->round);
    specs_free(lane->specs);
    sd_event_source_disable_unref(lane->timer);
    sd_event_source_disable_unref(lane->round_over);
    VEC_DONE(&lane->slots);
    VEC_DONE(&lane->added);
    free(lane->endpoint);
    free(lane);
}

void lane_add(Lane *lane, AccountSlot *slot)
{
    *VEC_ADD(&lane->added) = slot;
}

static void join(Lane *lane)
{
    for (size_t i = 0; i < lane->added.n; i++)
        *VEC_ADD(&lane->slots) = lane->added.items[i];
    lane->added.n = 0;
}

void lane_remove(Lane *lane, AccountSlot *slot)
{
    size_t n = 0;
    for (size_t i = 0; i < lane->slots.n; i++)
        if (lane->slots.items[i] != slot)
            lane->slots.items[n++] = lane->slots.items[i];
    lane->slots.n = n;
}

AccountSlot *const *lane_slots(const Lane *lane, size_t *ret_n)
{
    *ret_n = lane->slots.n;
    return lane->slots.items;
}

const char *lane_endpoint(const Lane *lane)
{
    return lane->endpoint;
}

bool lane_is_busy(const Lane *lane)
{
    return lane->round != NULL;
}

/* --- when --- */

static void arm(Lane *lane, usec_t when)
{
    sd_event_source_set_time(lane->timer, when);
    sd_event_source_set_enabled(lane->timer, SD_EVENT_ONESHOT);
}

void lane_look(Lane *lane)
{
    if (lane->round)
        lane->look_again = true;
    else
        arm(lane, clock_monotonic());
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdU;
    return x ^ (x >> 33);
}

static uint64_t mix_text(uint64_t h, const char *text)
{
    for (; *text; text++)
        h = mix(h + (unsigned char)*text);
    return h;
}

/* Up to 10 % later, by a number that depends on the host, the account and the round: they spread, and the same one does
 * the same again. */
static usec_t next_interval(const Lane *lane)
{
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    uint64_t h = mix_text(mix_text(lane->rounds, host), lane->slots.items[0]->config->name);
    usec_t interval = lane->options.config->interval;
    return interval + mix(h) % (interval / 10 + 1);
}

/* When a slot comes due or a backup is to be looked after, a round begins before the interval is over; but rounds take
 * a tenth of the time at most, however much comes due. */
static usec_t next_round(const Lane *lane)
{
    usec_t now = clock_monotonic(), wall = clock_wall(), took = now - lane->started;
    usec_t by_interval = lane->started + next_interval(lane), due = by_interval;
    if (lane->next_look)
        due = now + (lane->next_look > wall ? lane->next_look - wall : 0);
    if (due < now + 9 * took)
        due = now + 9 * took;
    return due < by_interval ? due : by_interval;
}

/* --- rounds --- */

static void take_results(Lane *lane)
{
    Report report = {.specs = lane->specs};
    report.results = round_results(lane->round, &report.n);
    lane->next_look = 0;
    for (size_t i = 0; i < report.n; i++) {
        usec_t next = report.results[i].plan->next_look;
        lane->next_look = next && (!lane->next_look || next < lane->next_look) ? next : lane->next_look;
    }
    lane->handlers->seen(lane->handlers->userdata, &report, round_snapshot(lane->round),
                         clock_monotonic() - lane->started);
}

static int on_round_over(sd_event_source *source, void *userdata)
{
    (void)source;
    Lane *lane = userdata;
    take_results(lane);
    round_free(TAKE(lane->round));
    specs_free(TAKE(lane->specs));
    if (!lane->handlers->over(lane->handlers->userdata))
        return 0;
    if (lane->look_again)
        lane_look(lane);
    else
        arm(lane, next_round(lane));
    return 0;
}

static void on_round_done(void *userdata)
{
    Lane *lane = userdata;
    sd_event_source_set_enabled(lane->round_over, SD_EVENT_ONESHOT);
}

static void on_changed(void *userdata, const Op *op)
{
    const Lane *lane = userdata;
    lane->handlers->changed(lane->handlers->userdata, lane->specs, op);
}

static int on_time(sd_event_source *source, uint64_t now, void *userdata)
{
    (void)source;
    (void)now;
    Lane *lane = userdata;
    Specs *specs = NULL;
    join(lane);
    if (!lane->handlers->begin(lane->handlers->userdata, lane, &specs) || lane->slots.n == 0)
        return 0;
    lane->look_again = false;
    lane->rounds++;
    lane->started = clock_monotonic();
    if (!specs) {
        arm(lane, lane->started + next_interval(lane));
        return 0;
    }
    lane->specs = specs_ref(specs);
    lane->options.specs = lane->specs;
    lane->options.slots = lane->slots.items;
    lane->options.n_slots = lane->slots.n;
    RoundHandlers handlers = {.changed = on_changed, .done = on_round_done, .userdata = lane};
    lane->round = round_start(lane->loop, &lane->options, &handlers);
    return 0;
}

void lane_stop(Lane *lane)
{
    if (lane->round)
        round_stop(lane->round);
}

Lane *lane_new(sd_event *loop, const char *endpoint, const RoundOptions *round, const LaneHandlers *handlers)
{
    Lane *lane = xcalloc(1, sizeof(*lane));
    lane->loop = loop;
    lane->endpoint = xstrdup(endpoint);
    lane->options = *round;
    lane->handlers = handlers;
    sd_event_add_time(loop, &lane->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_time, lane);
    sd_event_add_defer(loop, &lane->round_over, on_round_over, lane);
    sd_event_source_set_enabled(lane->timer, SD_EVENT_OFF);
    sd_event_source_set_enabled(lane->round_over, SD_EVENT_OFF);
    return lane;
}
