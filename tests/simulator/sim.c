/* The whole state of the simulator. */
#include "sim.h"

#include <stdlib.h>

#include "clock.h"

#define MILLISECOND (CLOCK_SECOND / 1000)

/* Most tenancies have these. */
static const char default_tags[] = "{\"Oracle-Tags\":{\"CreatedBy\":\"someone\",\"CreatedOn\":\"${oci.datetime}\"}}";

static const struct config default_config = {
    .max_limit = 1000,
    .token_first = true,
    .on_busy_volume = true,
    .void_when_deleted = true,
    .patch_atomic = true,
    .remove_needs_value = true,
    .data_images_refuse = true,
    .absent_status = 404,
    .glance_page = 25,
    .glance_page_max = 1000,
    .token_bytes = 1600,
    .token_span = 86400 * CLOCK_SECOND,
    .spans =
        {
            .request_received = 50 * MILLISECOND,
            .creating = 150 * MILLISECOND,
            .terminating = 50 * MILLISECOND,
            .terminated = 5 * CLOCK_SECOND,
        },
};

static void empty(struct simulator *simulator)
{
    store_free(&simulator->store);
    tags_free(&simulator->tags);
    tokens_free(&simulator->tokens);
    faults_clear(&simulator->faults);
    lifecycle_free(&simulator->lifecycle);
    permits_free(&simulator->permits);
    iam_free(&simulator->iam);
    keystone_free(&simulator->keystone);
    cJSON_Delete(simulator->members);
    simulator->members = NULL;
    cJSON_Delete(simulator->tag_defaults);
    simulator->tag_defaults = NULL;
}

void simulator_reset(struct simulator *simulator)
{
    pthread_mutex_lock(&simulator->lock);
    empty(simulator);
    tags_reset(&simulator->tags);
    iam_reset(&simulator->iam);
    keystone_reset(&simulator->keystone);
    simulator->members = cJSON_CreateObject();
    simulator->config = default_config;
    simulator->tag_defaults = cJSON_Parse(default_tags);
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
    free(simulator->base);
    pthread_mutex_destroy(&simulator->lock);
}
