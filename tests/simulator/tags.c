/* Free-form and defined tags: their limits, and the registry of tag namespaces and keys with their case. */
#include "tags.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"

#define FREEFORM_MAX 10
#define DEFINED_MAX 64
#define DEFINED_BYTES_MAX 5120
#define KEY_MAX 100
#define VALUE_MAX 256
#define AUTOMATIC "Oracle-Tags"

static const char *const default_namespaces[] = {"Ops", "Operations", "Cost", AUTOMATIC};

static void add_namespace(struct tags *tags, const char *name)
{
    tags->namespaces = xrealloc(tags->namespaces, tags->count + 1, sizeof(*tags->namespaces));
    tags->namespaces[tags->count++] = (struct tag_namespace){.name = xstrdup(name)};
}

void tags_free(struct tags *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        struct tag_namespace *space = &tags->namespaces[i];
        for (size_t k = 0; k < space->key_count; k++) {
            free(space->keys[k]);
        }
        free(space->keys);
        free(space->name);
    }
    free(tags->namespaces);
    *tags = (struct tags){0};
}

void tags_reset(struct tags *tags)
{
    tags_free(tags);
    for (size_t i = 0; i < sizeof(default_namespaces) / sizeof(default_namespaces[0]); i++) {
        add_namespace(tags, default_namespaces[i]);
    }
}

bool tags_set_namespaces(struct tags *tags, const cJSON *names)
{
    const cJSON *name;

    if (!cJSON_IsArray(names)) {
        return false;
    }
    cJSON_ArrayForEach(name, names)
    {
        if (!cJSON_IsString(name)) {
            return false;
        }
    }
    tags_free(tags);
    cJSON_ArrayForEach(name, names)
    {
        add_namespace(tags, name->valuestring);
    }
    return true;
}

static struct tag_namespace *find_namespace(const struct tags *tags, const char *name)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (strcasecmp(tags->namespaces[i].name, name) == 0) {
            return &tags->namespaces[i];
        }
    }
    return NULL;
}

static const char *canonical_key(struct tag_namespace *space, const char *key)
{
    for (size_t i = 0; i < space->key_count; i++) {
        if (strcasecmp(space->keys[i], key) == 0) {
            return space->keys[i];
        }
    }
    space->keys = xrealloc(space->keys, space->key_count + 1, sizeof(*space->keys));
    space->keys[space->key_count] = xstrdup(key);
    return space->keys[space->key_count++];
}

static bool good_key(const char *key)
{
    size_t length = strlen(key);

    for (size_t i = 0; i < length; i++) {
        if (key[i] <= ' ' || key[i] > '~' || key[i] == '.') {
            return false;
        }
    }
    return length >= 1 && length <= KEY_MAX;
}

static bool check_entry(const cJSON *entry, const char *where, struct reply *reply)
{
    if (!good_key(entry->string)) {
        reply_error(reply, "InvalidParameter", "%s: the key '%s' is not 1-%d printable ASCII without '.' and space",
                    where, entry->string, KEY_MAX);
        return false;
    }
    if (!cJSON_IsString(entry)) {
        reply_error(reply, "InvalidParameter", "%s: the value of '%s' is not a string", where, entry->string);
        return false;
    }
    if (json_characters(entry->valuestring) > VALUE_MAX) {
        reply_error(reply, "InvalidParameter", "%s: the value of '%s' has more than %d characters", where,
                    entry->string, VALUE_MAX);
        return false;
    }
    return true;
}

bool tags_check_freeform(const cJSON *asked, struct reply *reply)
{
    const cJSON *entry;

    if (!cJSON_IsObject(asked)) {
        reply_error(reply, "InvalidParameter", "freeformTags is not a map");
        return false;
    }
    if (cJSON_GetArraySize(asked) > FREEFORM_MAX) {
        reply_error(reply, "InvalidParameter", "freeformTags has more than %d entries", FREEFORM_MAX);
        return false;
    }
    cJSON_ArrayForEach(entry, asked)
    {
        if (!check_entry(entry, "freeformTags", reply)) {
            return false;
        }
    }
    return true;
}

/* Names of one level must differ in more than case. */
static bool check_case_twins(const cJSON *map, struct reply *reply)
{
    for (const cJSON *one = map->child; one != NULL; one = one->next) {
        for (const cJSON *other = one->next; other != NULL; other = other->next) {
            if (strcasecmp(one->string, other->string) == 0) {
                reply_error(reply, "InvalidParameter", "definedTags: '%s' and '%s' are the same name", one->string,
                            other->string);
                return false;
            }
        }
    }
    return true;
}

static bool check_namespace(const cJSON *space, struct reply *reply)
{
    const cJSON *entry;

    if (!good_key(space->string) || !cJSON_IsObject(space)) {
        reply_error(reply, "InvalidParameter", "definedTags: the namespace '%s' is no map or has a bad name",
                    space->string);
        return false;
    }
    cJSON_ArrayForEach(entry, space)
    {
        if (!check_entry(entry, "definedTags", reply)) {
            return false;
        }
    }
    return check_case_twins(space, reply);
}

bool tags_check_defined(const cJSON *asked, struct reply *reply)
{
    const cJSON *space;
    int count = 0;

    if (!cJSON_IsObject(asked)) {
        reply_error(reply, "InvalidParameter", "definedTags is not a map of maps");
        return false;
    }
    cJSON_ArrayForEach(space, asked)
    {
        if (!check_namespace(space, reply)) {
            return false;
        }
        count += cJSON_GetArraySize(space);
    }
    char *text = json_print(asked);
    size_t bytes = strlen(text);
    free(text);
    if (count > DEFINED_MAX || bytes > DEFINED_BYTES_MAX) {
        reply_error(reply, "InvalidParameter", "definedTags has more than %d entries or %d bytes", DEFINED_MAX,
                    DEFINED_BYTES_MAX);
        return false;
    }
    return check_case_twins(asked, reply);
}

bool tags_check_known(const struct tags *tags, const cJSON *asked, const cJSON *current, struct reply *reply)
{
    const cJSON *space, *entry;

    cJSON_ArrayForEach(space, asked)
    {
        if (find_namespace(tags, space->string) == NULL) {
            reply_error(reply, "NamespaceNotFound", "The tag namespace '%s' does not exist", space->string);
            return false;
        }
        if (strcasecmp(space->string, AUTOMATIC) != 0) {
            continue;
        }
        const cJSON *automatic = cJSON_GetObjectItem(current, AUTOMATIC);
        cJSON_ArrayForEach(entry, space)
        {
            const char *now = cJSON_GetStringValue(cJSON_GetObjectItem(automatic, entry->string));
            if (now == NULL || strcmp(now, entry->valuestring) != 0) {
                reply_error(reply, "InvalidParameter", "The tag %s.%s is set by the service and cannot be changed",
                            AUTOMATIC, entry->string);
                return false;
            }
        }
    }
    return true;
}

cJSON *tags_canonical(struct tags *tags, const cJSON *asked)
{
    cJSON *result = cJSON_CreateObject();
    const cJSON *space, *entry;

    cJSON_ArrayForEach(space, asked)
    {
        if (space->child == NULL) {
            continue;
        }
        if (find_namespace(tags, space->string) == NULL) {
            add_namespace(tags, space->string);
        }
        struct tag_namespace *known = find_namespace(tags, space->string);
        cJSON *target = cJSON_AddObjectToObject(result, known->name);
        cJSON_ArrayForEach(entry, space)
        {
            cJSON_AddItemToObject(target, canonical_key(known, entry->string), cJSON_Duplicate(entry, true));
        }
    }
    return result;
}
