/* The settings that control may change while the simulator runs. */
#include "settings.h"

#include <math.h>
#include <string.h>

#include "clock.h"
#include "sim.h"

#define SECONDS_MAX 1e9

struct setting;

typedef const char *set_fn(const struct setting *setting, struct simulator *simulator, const cJSON *value);

struct setting {
    const char *name;
    set_fn *set;
    size_t offset; /* in struct simulator */
    double least;
};

static const char *set_count(const struct setting *setting, struct simulator *simulator, const cJSON *value)
{
    double number = cJSON_IsBool(value) ? cJSON_IsTrue(value) : cJSON_IsNumber(value) ? value->valuedouble : -1;

    if (number < setting->least || number > SECONDS_MAX) {
        return "this setting is a number, and not less than its least value";
    }
    *(unsigned long *)(void *)((char *)simulator + setting->offset) = (unsigned long)number;
    return NULL;
}

static const char *set_flag(const struct setting *setting, struct simulator *simulator, const cJSON *value)
{
    if (!cJSON_IsBool(value)) {
        return "this setting is a boolean";
    }
    *(bool *)((char *)simulator + setting->offset) = cJSON_IsTrue(value);
    return NULL;
}

static const char *set_span(const struct setting *setting, struct simulator *simulator, const cJSON *value)
{
    if (!cJSON_IsNumber(value) || value->valuedouble < 0 || value->valuedouble > SECONDS_MAX) {
        return "this setting is a number of seconds from 0";
    }
    *(int64_t *)(void *)((char *)simulator + setting->offset) = llround(value->valuedouble * (double)CLOCK_SECOND);
    return NULL;
}

static const char *set_clock_skew(const struct setting *setting, struct simulator *simulator, const cJSON *value)
{
    (void)setting, (void)simulator;
    if (!cJSON_IsNumber(value) || fabs(value->valuedouble) > SECONDS_MAX) {
        return "clockSkewSeconds is a number";
    }
    clock_shift(llround(value->valuedouble * (double)CLOCK_SECOND));
    return NULL;
}

static const char *set_namespaces(const struct setting *setting, struct simulator *simulator, const cJSON *value)
{
    (void)setting;
    return tags_set_namespaces(&simulator->tags, value) ? NULL : "namespaces is an array of names";
}

static const char *set_image_endpoints(const struct setting *setting, struct simulator *simulator, const cJSON *value)
{
    (void)setting;
    return keystone_set_image_endpoints(&simulator->keystone, value);
}

static const char *set_tag_defaults(const struct setting *setting, struct simulator *simulator, const cJSON *value)
{
    const cJSON *space;

    (void)setting;
    cJSON_ArrayForEach(space, value)
    {
        if (!cJSON_IsObject(space)) {
            return "tagDefaults is a map of maps";
        }
    }
    if (!cJSON_IsObject(value)) {
        return "tagDefaults is a map of maps";
    }
    cJSON_Delete(simulator->tag_defaults);
    simulator->tag_defaults = cJSON_Duplicate(value, true);
    return NULL;
}

static const char *set_token_mismatch(const struct setting *setting, struct simulator *simulator, const cJSON *value)
{
    static const char *const names[] = {
        [MISMATCH_INVALIDATED] = "invalidated",
        [MISMATCH_REPLAY] = "replay",
        [MISMATCH_PARAMETER] = "invalid-parameter",
    };

    (void)setting;
    for (size_t i = 0; cJSON_IsString(value) && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], value->valuestring) == 0) {
            simulator->config.token_mismatch = (enum token_mismatch)i;
            return NULL;
        }
    }
    return "tokenMismatch is \"invalidated\", \"replay\" or \"invalid-parameter\"";
}

static const char *set_token_void(const struct setting *setting, struct simulator *simulator, const cJSON *value)
{
    const char *when = cJSON_IsString(value) ? value->valuestring : "";

    (void)setting;
    if (strcmp(when, "deleted") != 0 && strcmp(when, "purged") != 0) {
        return "tokenVoidWhen is \"deleted\" or \"purged\"";
    }
    simulator->config.void_when_deleted = strcmp(when, "deleted") == 0;
    return NULL;
}

#define AT(member) offsetof(struct simulator, member)

static const struct setting settings[] = {
    {"maxLimit", set_count, AT(config.max_limit), 1},
    {"emptyPages", set_count, AT(config.empty_pages), 0},
    {"latencyMs", set_count, AT(config.latency_ms), 0},
    {"backupLimit", set_count, AT(config.backup_limit), 0},
    {"glancePage", set_count, AT(config.glance_page), 1},
    {"glancePageMax", set_count, AT(config.glance_page_max), 1},
    {"tokenBytes", set_count, AT(config.token_bytes), 16},
    {"absentStatus", set_count, AT(config.absent_status), 400},
    {"addReplaces", set_flag, AT(config.add_replaces), 0},
    {"patchAtomic", set_flag, AT(config.patch_atomic), 0},
    {"removeNeedsValue", set_flag, AT(config.remove_needs_value), 0},
    {"numbersRefused", set_flag, AT(config.numbers_refused), 0},
    {"emptyRemoves", set_flag, AT(config.empty_removes), 0},
    {"dataImagesRefuse", set_flag, AT(config.data_images_refuse), 0},
    {"emptyLastPage", set_flag, AT(config.empty_last_page), 0},
    {"tokenFirst", set_flag, AT(config.token_first), 0},
    {"anyHost", set_flag, AT(config.any_host), 0},
    {"onBusyVolume", set_flag, AT(config.on_busy_volume), 0},
    {"requestReceivedSeconds", set_span, AT(config.spans.request_received), 0},
    {"creatingSeconds", set_span, AT(config.spans.creating), 0},
    {"terminatingSeconds", set_span, AT(config.spans.terminating), 0},
    {"terminatedVisibleSeconds", set_span, AT(config.spans.terminated), 0},
    {"tokenSeconds", set_span, AT(config.token_span), 0},
    {"listLagSeconds", set_span, AT(store.list_lag), 0},
    {"getLagSeconds", set_span, AT(store.get_lag), 0},
    {"clockSkewSeconds", set_clock_skew, 0, 0},
    {"imageEndpoints", set_image_endpoints, 0, 0},
    {"namespaces", set_namespaces, 0, 0},
    {"tagDefaults", set_tag_defaults, 0, 0},
    {"tokenMismatch", set_token_mismatch, 0, 0},
    {"tokenVoidWhen", set_token_void, 0, 0},
};

const char *settings_set(struct simulator *simulator, const cJSON *value)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (strcmp(settings[i].name, value->string) == 0) {
            return settings[i].set(&settings[i], simulator, value);
        }
    }
    return "unknown setting";
}
