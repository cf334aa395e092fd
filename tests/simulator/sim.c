/* The whole state of the simulator. */
#include "sim.h"

#include "clock.h"

static void empty(struct simulator *simulator)
{
    store_free(&simulator->store);
    tags_free(&simulator->tags);
    tokens_free(&simulator->tokens);
    faults_clear(&simulator->faults);
}

void simulator_reset(struct simulator *simulator)
{
    pthread_mutex_lock(&simulator->lock);
    empty(simulator);
    tags_reset(&simulator->tags);
    simulator->config = (struct config){.max_limit = 1000, .token_first = true};
    clock_shift(0);
    pthread_mutex_unlock(&simulator->lock);
    reqlog_reset(&simulator->log);
    atomic_store(&simulator->connection_base, atomic_load(&simulator->connections));
}

void simulator_free(struct simulator *simulator)
{
    empty(simulator);
    verify_free(&simulator->verifier);
    reqlog_close(&simulator->log);
    pthread_mutex_destroy(&simulator->lock);
}
