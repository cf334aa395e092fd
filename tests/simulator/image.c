/* The Image model of the API: every field with a default, and the fields that UpdateImage may change. */
#include "image.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"

#define FIRST_IMAGE_CREATED 1767225600 /* 2026-01-01T00:00:00Z */

static const struct {
    const char *name;
    const char *json; /* NULL: depends on the sequence number, or has no default */
} fields[] = {
    {"agentFeatures", "{\"isManagementSupported\":true,\"isMonitoringSupported\":true}"},
    {"baseImageId", "\"ocid1.image.oc1.phx.aaaaaaaaw6rrjxqcd4zqf7gwhbwjb2k5yf3hbs5p3lkvb5mdrz6qnxqsmyva\""},
    {"billableSizeInGBs", NULL},
    {"compartmentId", "null"},
    {"createImageAllowed", "true"},
    {"definedTags", "{}"},
    {"displayName", "\"image\""},
    {"freeformTags", "{}"},
    /* Not in the model: properties appear over time, and clients must tolerate them. */
    {"futureProperties",
     "{\"revision\":7,\"notes\":[\"A property that this version of the API does not describe\",null,true,1.5e3],"
     "\"displayName\":\"Not the name of the image\",\"lifecycleState\":\"UNHEARD_OF\","
     "\"nested\":{\"id\":\"ocid1.unknown.oc1.phx.aaaaaaaa7yqz3v5c2m4h6k8p\",\"list\":[{\"a\":{\"b\":[]}},{}],"
     "\"text\":\"\\u00e4 \\\"quoted\\\" \\\\ \"}}"},
    {"id", NULL},
    {"launchMode", "\"PARAVIRTUALIZED\""},
    {"launchOptions",
     "{\"bootVolumeType\":\"PARAVIRTUALIZED\",\"firmware\":\"UEFI_64\",\"isConsistentVolumeNamingEnabled\":true,"
     "\"isPvEncryptionInTransitEnabled\":true,\"networkType\":\"PARAVIRTUALIZED\","
     "\"remoteDataVolumeType\":\"PARAVIRTUALIZED\"}"},
    {"lifecycleState", "\"AVAILABLE\""},
    {"listingType", "\"NONE\""},
    {"operatingSystem", "\"Oracle Linux\""},
    {"operatingSystemVersion", "\"9\""},
    {"sizeInMBs", NULL},
    {"timeCreated", NULL},
};

static cJSON *default_value(const char *name, const char *json, unsigned long sequence)
{
    char created[CLOCK_TEXT];

    if (json != NULL) {
        return cJSON_Parse(json);
    }
    if (strcmp(name, "billableSizeInGBs") == 0) {
        return cJSON_CreateNumber((double)(3 + sequence % 40));
    }
    if (strcmp(name, "sizeInMBs") == 0) {
        return cJSON_CreateNumber((double)(47694 + sequence % 7 * 1024));
    }
    clock_rfc3339((time_t)(FIRST_IMAGE_CREATED + 60 * sequence), created);
    return cJSON_CreateString(created);
}

cJSON *image_complete(const cJSON *partial, unsigned long sequence)
{
    cJSON *image = cJSON_CreateObject();

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const cJSON *given = json_member(partial, fields[i].name);
        cJSON *value =
            given != NULL ? cJSON_Duplicate(given, true) : default_value(fields[i].name, fields[i].json, sequence);
        cJSON_AddItemToObject(image, fields[i].name, value);
    }
    json_merge(image, partial);
    return image;
}

typedef bool check_fn(const cJSON *value, size_t limit, struct reply *reply);

static bool check_string(const cJSON *value, size_t limit, struct reply *reply)
{
    if (!cJSON_IsString(value)) {
        reply_error(reply, "InvalidParameter", "%s is not a string", value->string);
        return false;
    }
    size_t characters = json_characters(value->valuestring);
    if (characters < 1 || characters > limit) {
        reply_error(reply, "InvalidParameter", "%s has %zu characters, not 1 to %zu", value->string, characters, limit);
        return false;
    }
    return true;
}

static bool check_freeform(const cJSON *value, size_t limit, struct reply *reply)
{
    (void)limit;
    return tags_check_freeform(value, reply);
}

static bool check_defined(const cJSON *value, size_t limit, struct reply *reply)
{
    (void)limit;
    return tags_check_defined(value, reply);
}

static const struct updatable {
    const char *name;
    check_fn *check;
    size_t limit;
} updatable[] = {
    {"displayName", check_string, 255},
    {"operatingSystem", check_string, 128},
    {"operatingSystemVersion", check_string, 128},
    {"freeformTags", check_freeform, 0},
    {"definedTags", check_defined, 0},
};

static const struct updatable *find_updatable(const char *name)
{
    for (size_t i = 0; i < sizeof(updatable) / sizeof(updatable[0]); i++) {
        if (strcmp(updatable[i].name, name) == 0) {
            return &updatable[i];
        }
    }
    return NULL;
}

bool image_check_update(const cJSON *body, struct reply *reply)
{
    const cJSON *member;

    if (!cJSON_IsObject(body)) {
        reply_error(reply, "InvalidParameter", "The body is not a JSON object");
        return false;
    }
    if (body->child == NULL) {
        reply_error(reply, "InvalidParameter", "The body has no property to update");
        return false;
    }
    cJSON_ArrayForEach(member, body)
    {
        const struct updatable *field = find_updatable(member->string);
        if (field == NULL) {
            reply_error(reply, "InvalidParameter", "Unrecognized property '%s'", member->string);
            return false;
        }
        if (!field->check(member, field->limit, reply)) {
            return false;
        }
    }
    return true;
}

const char *image_check_partial(const cJSON *partial)
{
    static const char *const texts[] = {"displayName", "operatingSystem", "operatingSystemVersion", "timeCreated"};
    const cJSON *tags = json_member(partial, "definedTags"), *space;

    if (!cJSON_IsObject(partial)) {
        return "an image is a JSON object";
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const cJSON *member = json_member(partial, texts[i]);
        if (member != NULL && !cJSON_IsString(member) && !cJSON_IsNull(member)) {
            return "an image's names and times are strings or null";
        }
    }
    if (tags != NULL && !cJSON_IsObject(tags) && !cJSON_IsNull(tags)) {
        return "definedTags is a map of maps or null";
    }
    cJSON_ArrayForEach(space, tags)
    {
        if (!cJSON_IsObject(space)) {
            return "definedTags is a map of maps or null";
        }
    }
    return NULL;
}
