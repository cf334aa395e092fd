#include "config.h"

#include "execute/run.h"

#include "base/map.h"
#include "base/vec.h"

#define AT_ONCE_MAX 64 /* how many of them really send something at a time is the account's maxConcurrency */

/* One change: waiting for its turn, under way, or ended. */
typedef struct Task {
    Run *run;
    Change *change;
    Op *op;
    struct Task *next; /* the one after it on the same object */
    bool is_later;     /* there was one before it: what was looked at is out of date */
    usec_t left_at;    /* when that one wrote the object */
} Task;

struct Run {
    Account *account;
    Plan *plan;
    bool exact;
    RunHandlers handlers;
    sd_event_source *wake;
    Task *tasks;
    VEC(Task *) ready; /* in order; from `first` on not yet begun */
    size_t first;
    unsigned running;
    bool stopping;
};

static void wake(Run *run)
{
    sd_event_source_set_enabled(run->wake, SD_EVENT_ONESHOT);
}

static void op_ended(void *userdata, Op *op)
{
    Task *task = userdata;
    Run *run = task->run;
    if (run->handlers.ended)
        run->handlers.ended(run->handlers.userdata, op);
    if (task->next) {
        task->next->left_at = op_left_at(op);
        *VEC_ADD(&run->ready) = task->next;
    }
    op_free(TAKE(task->op));
    run->running--;
    wake(run);
}

static void hold_rest(Run *run)
{
    for (size_t i = 0; i < run->plan->changes.n; i++)
        if (run->plan->changes.items[i].outcome == OUTCOME_PLANNED)
            change_hold(run->plan, &run->plan->changes.items[i], HOLD_STOPPED, "stopped before it was begun");
}

static int step(sd_event_source *source, void *userdata)
{
    (void)source;
    Run *run = userdata;
    while (!run->stopping && run->first < run->ready.n && run->running < AT_ONCE_MAX) {
        Task *task = run->ready.items[run->first++];
        run->running++;
        OpOptions options = {.exact = run->exact, .look_first = task->is_later, .left_at = task->left_at};
        task->op = op_start(run->account, run->plan, task->change, &options, op_ended, task);
    }
    if (run->running > 0)
        return 0;
    hold_rest(run);
    run->handlers.done(run->handlers.userdata);
    return 0;
}

/* Changes of the same object are linked: its second write needs the etag that the first one leaves. */
static void line_up(Run *run)
{
    CLEANUP(map_freep) Map *last = map_new();
    for (size_t i = 0; i < run->plan->changes.n; i++) {
        Change *change = &run->plan->changes.items[i];
        if (change->outcome != OUTCOME_PLANNED)
            continue;
        Task *task = &run->tasks[i];
        *task = (Task){.run = run, .change = change};
        Task *before = map_put(last, change->target, task);
        task->is_later = before != NULL;
        if (before)
            before->next = task;
        else
            *VEC_ADD(&run->ready) = task;
    }
}

Run *run_start(Account *account, Plan *plan, bool exact, sd_event *loop, const RunHandlers *handlers)
{
    Run *run = xcalloc(1, sizeof(*run));
    *run = (Run){.account = account, .plan = plan, .exact = exact, .handlers = *handlers};
    run->tasks = xcalloc(plan->changes.n, sizeof(Task));
    line_up(run);
    /* Deferred, so that `done` never runs in here. */
    sd_event_add_defer(loop, &run->wake, step, run);
    return run;
}

void run_free(Run *run)
{
    if (!run)
        return;
    for (size_t i = 0; i < run->plan->changes.n; i++)
        op_free(run->tasks[i].op);
    VEC_DONE(&run->ready);
    free(run->tasks);
    sd_event_source_disable_unref(run->wake);
    free(run);
}

void run_stop(Run *run)
{
    run->stopping = true;
    for (size_t i = 0; i < run->plan->changes.n; i++) {
        Task *task = &run->tasks[i];
        if (!task->op || !op_stop(task->op))
            continue;
        op_free(TAKE(task->op));
        run->running--;
    }
    wake(run);
}
