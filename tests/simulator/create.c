/* The creation of backups: retry token, source volume, tags, and the new resource. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "digest.h"
#include "json.h"
#include "oci.h"
#include "sim.h"

struct create {
    const struct kind *kind;
    const char *token;
    cJSON *body;
    const char *source_id;
    const struct resource *source; /* NULL when there is none that the caller may see */
    cJSON *source_json;
    cJSON *freeform, *defined; /* tags of the new backup */
};

static bool read_request(const struct simulator *simulator, const struct request *request, struct create *create,
                         struct reply *reply)
{
    create->kind = oci_kind(request);
    create->token = request_header(request, "opc-retry-token", NULL);
    create->body = oci_read_body(request, reply);
    if (create->body == NULL || !kind_check_body(create->kind->creatable, create->body, reply)) {
        return false;
    }
    create->source_id = json_string(create->body, create->kind->source);
    create->source = store_visible(&simulator->store, kind_at(create->kind->source_kind), create->source_id);
    create->source_json = create->source == NULL ? NULL : cJSON_Parse(create->source->now.json);
    if (!oci_allowed(simulator, request, create->source == NULL ? NULL : create->source->now.compartment)) {
        oci_not_found(reply, create->source_id);
        return false;
    }
    return true;
}

/* The backup that the token created; NULL when the token is void with it. */
static struct resource *created_before(const struct simulator *simulator, const char *token)
{
    const char *id = token_created(&simulator->tokens, token);
    struct resource *backup = id == NULL ? NULL : store_find(&simulator->store, id);
    bool dying = backup != NULL &&
                 (strcmp(backup->now.state, "TERMINATING") == 0 || strcmp(backup->now.state, "TERMINATED") == 0);

    return backup == NULL || backup->gone != 0 || (dying && simulator->config.void_when_deleted) ? NULL : backup;
}

static void answer_created(const struct resource *backup, struct reply *reply)
{
    oci_answer(backup, reply);
    reply->resource = xstrdup(backup->id);
}

static void replay(struct simulator *simulator, const struct create *create, struct reply *reply)
{
    const struct resource *backup = created_before(simulator, create->token);

    if (backup == NULL) {
        reply_error(reply, "InvalidatedRetryToken", "The opc-retry-token was used before and is no longer valid");
        return;
    }
    reqlog_count(&simulator->log, COUNT_REPLAY);
    answer_created(backup, reply);
}

/* False when the token settles the answer. */
static bool check_token(struct simulator *simulator, const struct request *request, const struct create *create,
                        struct reply *reply)
{
    enum token_state state = create->token == NULL
                                 ? TOKEN_NEW
                                 : token_check(&simulator->tokens, create->token, request->target, &request->body);

    if (state == TOKEN_MISUSE) {
        reqlog_count(&simulator->log, COUNT_TOKEN_MISUSE);
    }
    if (state == TOKEN_REPLAY || (state == TOKEN_MISUSE && simulator->config.token_mismatch == MISMATCH_REPLAY)) {
        replay(simulator, create, reply);
    } else if (state == TOKEN_MISUSE && simulator->config.token_mismatch == MISMATCH_PARAMETER) {
        reply_error(reply, "InvalidParameter", "The opc-retry-token was already used for a different request");
    } else if (state != TOKEN_NEW) {
        reply_error(reply, "InvalidatedRetryToken", "The opc-retry-token was used before and is no longer valid");
    }
    return state == TOKEN_NEW;
}

static bool is_busy(const struct simulator *simulator, const char *source)
{
    const struct group *group = store_group(&simulator->store, source);

    for (size_t i = group == NULL ? 0 : group->count; i > 0; i--) {
        if (lifecycle_in_progress(group->members[i - 1])) {
            return true;
        }
    }
    return false;
}

static unsigned long live_backups(const struct simulator *simulator)
{
    unsigned long live = 0;

    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        const struct shelf *shelf = &simulator->store.shelves[kind];
        for (size_t i = kind_at((enum kind_id)kind)->source == NULL ? shelf->count : 0; i < shelf->count; i++) {
            live += shelf->all[i]->gone == 0;
        }
    }
    return live;
}

static bool check_source(const struct simulator *simulator, const struct create *create, struct reply *reply)
{
    unsigned long limit = simulator->config.backup_limit;

    if (create->source == NULL) {
        oci_not_found(reply, create->source_id);
    } else if (strcmp(create->source->now.state, "AVAILABLE") != 0) {
        reply_error(reply, "IncorrectState", "%s is %s, not AVAILABLE", create->source_id, create->source->now.state);
    } else if (simulator->config.on_busy_volume && is_busy(simulator, create->source_id)) {
        reply_error(reply, "IncorrectState", "Another backup of %s is being made", create->source_id);
    } else if (limit > 0 && live_backups(simulator) >= limit) {
        reply_error(reply, "LimitExceeded", "There are %lu backups already", limit);
    } else {
        return true;
    }
    return false;
}

static void merge_defined(cJSON *tags, cJSON *more)
{
    const cJSON *space;

    cJSON_ArrayForEach(space, more)
    {
        cJSON *known = json_member(tags, space->string);
        json_merge(known != NULL ? known : cJSON_AddObjectToObject(tags, space->string), space);
    }
    cJSON_Delete(more);
}

/* The defaults with their variables expanded. */
static cJSON *default_tags(const struct simulator *simulator)
{
    cJSON *tags = cJSON_Duplicate(simulator->tag_defaults, true);
    char now[CLOCK_TEXT];

    clock_rfc3339(clock_now(), now);
    for (cJSON *space = tags == NULL ? NULL : tags->child; space != NULL; space = space->next) {
        for (cJSON *entry = space->child; entry != NULL; entry = entry->next) {
            if (cJSON_IsString(entry) && strcmp(entry->valuestring, "${oci.datetime}") == 0) {
                cJSON_SetValuestring(entry, now);
            }
        }
    }
    return tags;
}

/* The volume's tags, over them the defaults, over them those of the request. */
static bool make_tags(struct simulator *simulator, struct create *create, struct reply *reply)
{
    const cJSON *asked = json_member(create->body, "definedTags");
    cJSON *defaults = default_tags(simulator);

    create->freeform = cJSON_CreateObject();
    json_merge(create->freeform, json_member(create->source_json, "freeformTags"));
    json_merge(create->freeform, json_member(create->body, "freeformTags"));
    create->defined = tags_canonical(&simulator->tags, json_member(create->source_json, "definedTags"));
    merge_defined(create->defined, tags_canonical(&simulator->tags, defaults));
    cJSON_Delete(defaults);
    if (!tags_check_known(&simulator->tags, asked, create->defined, reply)) {
        return false;
    }
    merge_defined(create->defined, tags_canonical(&simulator->tags, asked));
    return tags_check_freeform(create->freeform, reply) && tags_check_defined(create->defined, reply);
}

static char *new_id(struct store *store, const struct kind *kind)
{
    char hex[2 * DIGEST_SIZE + 1];
    char *seed = xprintf("%s %lu", kind->type, store->last_sequence + 1);

    digest_hex(seed, strlen(seed), hex);
    free(seed);
    return xprintf("ocid1.%s.oc1.phx.ab%.54s", kind->type, hex);
}

static void copy_member(cJSON *to, const cJSON *from, const char *name)
{
    if (json_member(from, name) != NULL) {
        cJSON_AddItemToObject(to, name, cJSON_Duplicate(json_member(from, name), true));
    }
}

static cJSON *describe(struct simulator *simulator, const struct create *create, int64_t now)
{
    cJSON *backup = cJSON_CreateObject();
    double gigabytes = json_number(create->source_json, "sizeInGBs", 50);
    char *id = new_id(&simulator->store, create->kind), text[CLOCK_TEXT];
    bool volume = create->kind->id == KIND_VOLUME_BACKUP;

    clock_rfc3339(now, text);
    char *name = xprintf("%s%.4s%.2s%.2s%.2s%.2s%.2s", create->kind->type, text, text + 5, text + 8, text + 11,
                         text + 14, text + 17);
    cJSON_AddStringToObject(backup, "id", id);
    cJSON_AddStringToObject(backup, "displayName", name);
    cJSON_AddStringToObject(backup, "timeCreated", text);
    cJSON_AddStringToObject(backup, "timeRequestReceived", text);
    cJSON_AddNumberToObject(backup, "sizeInGBs", gigabytes);
    cJSON_AddNumberToObject(backup, "uniqueSizeInGBs", 3);
    if (volume) {
        cJSON_AddNumberToObject(backup, "sizeInMBs", gigabytes * 1024);
        cJSON_AddNumberToObject(backup, "uniqueSizeInMbs", 3 * 1024);
    } else {
        copy_member(backup, create->source_json, "imageId");
    }
    copy_member(backup, create->source_json, "compartmentId");
    copy_member(backup, create->source_json, "kmsKeyId");
    json_merge(backup, create->body);
    free(name);
    free(id);
    return backup;
}

static void apply(struct simulator *simulator, const struct request *request, struct create *create,
                  struct reply *reply)
{
    int64_t now = clock_now();
    cJSON *json = describe(simulator, create, now);

    cJSON_DeleteItemFromObjectCaseSensitive(json, "freeformTags");
    cJSON_DeleteItemFromObjectCaseSensitive(json, "definedTags");
    cJSON_AddItemToObject(json, "freeformTags", create->freeform);
    cJSON_AddItemToObject(json, "definedTags", create->defined);
    create->freeform = create->defined = NULL;
    cJSON_AddStringToObject(json, "lifecycleState", "REQUEST_RECEIVED");
    struct resource *backup = store_put(&simulator->store, &simulator->tags, create->kind, json);
    cJSON_Delete(json);
    backup->born = now;
    backup->doomed = lifecycle_take_faulty(&simulator->lifecycle, create->source_id);
    lifecycle_start(simulator, backup, now);
    if (create->token != NULL) {
        backup->token = xstrdup(create->token);
        token_bind(&simulator->tokens, create->token, request->target, &request->body);
        token_remember_created(&simulator->tokens, create->token, backup->id);
    }
    reply->applied = true;
    answer_created(backup, reply);
}

void create_backup(struct simulator *simulator, const struct request *request, const struct fired *fired,
                   struct reply *reply)
{
    struct create create = {0};

    (void)fired;
    if (read_request(simulator, request, &create, reply) && check_token(simulator, request, &create, reply) &&
        check_source(simulator, &create, reply) && make_tags(simulator, &create, reply)) {
        apply(simulator, request, &create, reply);
    }
    cJSON_Delete(create.body);
    cJSON_Delete(create.source_json);
    cJSON_Delete(create.freeform);
    cJSON_Delete(create.defined);
}
