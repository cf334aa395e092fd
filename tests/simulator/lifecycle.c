/* The life of backups: states that follow one another by the simulator's clock. */
#include "lifecycle.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "sim.h"

static const struct step {
    const char *state;
    size_t span;      /* its length, in struct spans */
    const char *next; /* NULL: the resource vanishes */
} steps[] = {
    {"REQUEST_RECEIVED", offsetof(struct spans, request_received), "CREATING"},
    {"CREATING", offsetof(struct spans, creating), "AVAILABLE"},
    {"TERMINATING", offsetof(struct spans, terminating), "TERMINATED"},
    {"TERMINATED", offsetof(struct spans, terminated), NULL},
};

static const struct step *find_step(const char *state)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strcmp(steps[i].state, state) == 0) {
            return &steps[i];
        }
    }
    return NULL;
}

void lifecycle_free(struct lifecycle *lifecycle)
{
    free(lifecycle->heap);
    cJSON_Delete(lifecycle->faulty);
    *lifecycle = (struct lifecycle){0};
}

static void push(struct lifecycle *lifecycle, struct timer timer)
{
    size_t at = lifecycle->count++;

    if (at == lifecycle->room) {
        lifecycle->room = lifecycle->room == 0 ? 64 : lifecycle->room * 2;
        lifecycle->heap = xrealloc(lifecycle->heap, lifecycle->room, sizeof(timer));
    }
    for (; at > 0 && lifecycle->heap[(at - 1) / 2].due > timer.due; at = (at - 1) / 2) {
        lifecycle->heap[at] = lifecycle->heap[(at - 1) / 2];
    }
    lifecycle->heap[at] = timer;
}

static struct timer pop(struct lifecycle *lifecycle)
{
    struct timer *heap = lifecycle->heap, first = heap[0], last = heap[--lifecycle->count];
    size_t at = 0;

    for (size_t child = 1; child < lifecycle->count; child = 2 * at + 1) {
        child += child + 1 < lifecycle->count && heap[child + 1].due < heap[child].due;
        if (heap[child].due >= last.due) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return first;
}

void lifecycle_start(struct simulator *simulator, struct resource *backup, int64_t when)
{
    const struct step *step = find_step(backup->now.state);

    backup->ticket++;
    if (step != NULL) {
        const int64_t *span = (const int64_t *)(const void *)((const char *)&simulator->config.spans + step->span);
        push(&simulator->lifecycle, (struct timer){when + *span, backup, backup->ticket});
    }
}

void lifecycle_enter(struct simulator *simulator, struct resource *backup, const char *state, int64_t when)
{
    cJSON *change = cJSON_CreateObject();
    char now[CLOCK_TEXT];

    cJSON_AddStringToObject(change, backup->kind->keys.state, state);
    if (strcmp(state, "CREATING") == 0) {
        clock_rfc3339(when, now);
        cJSON_AddStringToObject(change, "timeCreated", now);
    }
    store_change(&simulator->store, &simulator->tags, backup, change, when);
    cJSON_Delete(change);
    lifecycle_start(simulator, backup, when);
}

static void leave(struct simulator *simulator, struct resource *backup, int64_t when)
{
    const struct step *step = find_step(backup->now.state);

    if (step == NULL) {
        return;
    }
    if (step->next == NULL) {
        store_purge(backup, when);
        return;
    }
    bool fails = backup->doomed && strcmp(step->next, "AVAILABLE") == 0;
    lifecycle_enter(simulator, backup, fails ? "FAULTY" : step->next, when);
}

void lifecycle_run(struct simulator *simulator)
{
    struct lifecycle *lifecycle = &simulator->lifecycle;
    int64_t now = clock_now();

    while (lifecycle->count > 0 && lifecycle->heap[0].due <= now) {
        struct timer timer = pop(lifecycle);
        if (timer.ticket == timer.resource->ticket) {
            leave(simulator, timer.resource, timer.due);
        }
    }
}

bool lifecycle_take_faulty(struct lifecycle *lifecycle, const char *volume)
{
    cJSON *rule;

    cJSON_ArrayForEach(rule, lifecycle->faulty)
    {
        const char *meant = json_string(rule, "volumeId");
        cJSON *left = json_member(rule, "count");
        if (left->valuedouble >= 1 && (meant == NULL || strcmp(meant, volume) == 0)) {
            cJSON_SetNumberValue(left, left->valuedouble - 1);
            return true;
        }
    }
    return false;
}

bool lifecycle_in_progress(const struct resource *backup)
{
    return backup->gone == 0 &&
           (strcmp(backup->now.state, "REQUEST_RECEIVED") == 0 || strcmp(backup->now.state, "CREATING") == 0);
}
