/* The life of backups: states that follow one another by the simulator's clock. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct resource;
struct simulator;

/* How long each state lasts, in nanoseconds. */
struct spans {
    int64_t request_received, creating, terminating, terminated;
};

/* When a resource leaves its state. */
struct timer {
    int64_t due;
    struct resource *resource;
    unsigned long ticket; /* void when the resource has another one by then */
};

struct lifecycle {
    struct timer *heap; /* the earliest first */
    size_t count, room;
    cJSON *faulty; /* the rules that say which backups fail: {"count", "volumeId"} */
};

void lifecycle_free(struct lifecycle *lifecycle);
/* Lets everything happen that is due by now. Called under the lock, before anything looks at the store. */
void lifecycle_run(struct simulator *simulator);
/* Puts a backup into a state that it leaves by itself when its time is over. */
void lifecycle_enter(struct simulator *simulator, struct resource *backup, const char *state, int64_t when);
/* Starts the time of the state in which a backup was created. */
void lifecycle_start(struct simulator *simulator, struct resource *backup, int64_t when);
/* Takes one from a rule that has some left and means this volume or any. */
bool lifecycle_take_faulty(struct lifecycle *lifecycle, const char *volume);
/* Is it in one of the states that a backup in the making passes through? */
bool lifecycle_in_progress(const struct resource *backup);
