/* The whole state of the simulator. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "fault.h"
#include "reqlog.h"
#include "store.h"
#include "tags.h"
#include "token.h"
#include "verify.h"

struct config {
    unsigned long max_limit;
    unsigned long empty_pages; /* before every real page */
    bool empty_last_page;
    bool token_first; /* is a retry token looked at before if-match? */
    bool any_host;
    long latency_ms;
};

struct simulator {
    pthread_mutex_t lock; /* over everything up to `log` */
    struct store store;
    struct tags tags;
    struct tokens tokens;
    struct faults faults;
    struct config config;
    struct reqlog log; /* has a lock of its own */
    struct verifier verifier;
    int stop_fd;                  /* becomes readable, and stays so, when the program ends */
    atomic_ulong connections;     /* accepted so far; the last one's id */
    atomic_ulong connection_base; /* of them before the last reset */
};

/* Empty store, default configuration, no faults, statistics at nought. Takes the lock. */
void simulator_reset(struct simulator *simulator);
void simulator_free(struct simulator *simulator);
