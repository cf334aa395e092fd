#include "config.h"

#include "plan/guard.h"

#include <inttypes.h>

/* A selector may match twice as many objects as in the round before, and ten more. */
#define GROWTH_FACTOR 2
#define GROWTH_MORE 10

static void hold_growth(Plan *plan, const Snapshot *snapshot, const Memory *memory)
{
    for (size_t i = 0; i < plan->changes.n; i++) {
        Change *c = &plan->changes.items[i];
        if (c->outcome != OUTCOME_PLANNED || !c->spec->selector)
            continue;
        size_t before, now = snapshot->of[c->spec->index].objects.n;
        if (memory_matches(memory, c->spec, &before) && now > before * GROWTH_FACTOR + GROWTH_MORE)
            change_hold(plan, c, HOLD_GROWTH,
                        "the selector matches %zu objects, %zu in the round before: change the specs, or restart the "
                        "daemon, if that is meant",
                        now, before);
    }
}

/* What others never leave in peace is written at last. */
static void insist(Plan *plan, const Memory *memory, usec_t now)
{
    for (size_t i = 0; i < plan->changes.n; i++)
        plan->changes.items[i].insist = memory_is_out_of_patience(memory, &plan->changes.items[i], now);
}

static void hold_paused(Plan *plan, const Memory *memory, usec_t now, usec_t wall)
{
    for (size_t i = 0; i < plan->changes.n; i++) {
        Change *c = &plan->changes.items[i];
        Rest rest = memory_rest(memory, c);
        char text[RFC3339_SIZE];
        if (c->outcome != OUTCOME_PLANNED || rest.until <= now)
            continue;
        c->next_try = wall + (rest.until - now);
        change_hold(plan, c, rest.hold, "%s; next try at %s", rest.reason, format_rfc3339(c->next_try, text));
    }
}

/* Asked and answered: not asked again, and no difference. */
static void pass_made(Plan *plan, const Memory *memory)
{
    for (size_t i = 0; i < plan->changes.n; i++) {
        Change *c = &plan->changes.items[i];
        if (c->outcome == OUTCOME_PLANNED && memory_was_made(memory, c)) {
            c->made_before = true;
            change_set(plan, c, OUTCOME_DONE, MADE_BEFORE);
        }
    }
}

/* A larger sweep than a round may delete is held whole: what it would be right to delete of it, nobody could tell. */
static void hold_sweep(Plan *plan, const GuardOptions *options)
{
    int64_t n = 0;
    for (size_t i = 0; i < plan->changes.n; i++)
        n += plan->changes.items[i].action == ACTION_DELETE && plan->changes.items[i].outcome == OUTCOME_PLANNED;
    for (size_t i = 0; i < plan->changes.n && n > options->max_deletes; i++)
        if (plan->changes.items[i].action == ACTION_DELETE && plan->changes.items[i].outcome == OUTCOME_PLANNED)
            change_hold(plan, &plan->changes.items[i], HOLD_LIMIT,
                        "%" PRId64 " deletions in one round are more than limits.maxDeletes: %" PRId64 " in %s allows",
                        n, options->max_deletes, options->config_file);
}

static bool is_retention(const Change *change)
{
    return change->series && change->action != ACTION_CREATE;
}

/* Holds what is planned, or of that what retention wants. */
static void hold_planned(Plan *plan, const GuardOptions *options, bool retention_only, size_t n)
{
    for (size_t i = 0; i < plan->changes.n; i++) {
        Change *c = &plan->changes.items[i];
        if (c->outcome == OUTCOME_PLANNED && (!retention_only || is_retention(c)))
            change_hold(plan, c, HOLD_LIMIT,
                        "%zu changes in one round are more than limits.maxChanges: %" PRId64 " in %s allows", n,
                        options->max_changes, options->config_file);
    }
}

/* What can wait is held first: marks on old backups must not cost tonight's. */
static void hold_avalanche(Plan *plan, const GuardOptions *options)
{
    size_t n = plan_count(plan, OUTCOME_PLANNED);
    if ((int64_t)n > options->max_changes)
        hold_planned(plan, options, true, n);
    size_t rest = plan_count(plan, OUTCOME_PLANNED);
    if ((int64_t)rest > options->max_changes)
        hold_planned(plan, options, false, n);
}

void guard_plan(Plan *plan, const Snapshot *snapshot, const GuardOptions *options)
{
    if (options->memory) {
        pass_made(plan, options->memory);
        insist(plan, options->memory, options->now);
        hold_growth(plan, snapshot, options->memory);
        hold_paused(plan, options->memory, options->now, options->wall);
    }
    if (options->saved)
        saved_plan_hold(options->saved, plan, options->account);
    hold_sweep(plan, options);
    hold_avalanche(plan, options);
}
