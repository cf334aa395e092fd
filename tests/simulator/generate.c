/* Fills the store with great numbers of resources. */
#include "generate.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "sim.h"

#define COUNT_MAX 1000000
#define PREFIX "aaaaaaaa"

/* One of the numbered backups. */
struct number {
    unsigned long volume; /* from 1 */
    unsigned long n;      /* of the backup among those of its volume, from 1 */
    unsigned long i;      /* of the backup among all, from 1 */
    int64_t time;
    const char *id, *source;
};

/* How the backups of one call are made: texts with placeholders in them. */
struct pattern {
    const struct kind *kind;
    cJSON *full; /* of which the following are parts, or the whole as text */
    char *json;
    const char *name, *created, *state, *compartment, *prefix;
    int64_t base, step;
};

static cJSON *generated_image(const cJSON *rule, unsigned long number)
{
    const char *compartment = json_string(rule, "compartmentId"), *prefix = json_string(rule, "prefix");
    char *id = xprintf("ocid1.image.oc1.phx.%s%06lu", prefix == NULL ? PREFIX : prefix, number);
    char *name = xprintf("image-%06lu", number);
    cJSON *image = cJSON_Parse("{\"operatingSystem\":\"Oracle Linux\",\"operatingSystemVersion\":\"9\","
                               "\"freeformTags\":{\"team\":\"base\",\"tier\":\"golden\"},"
                               "\"definedTags\":{\"Oracle-Tags\":{\"CreatedBy\":\"someone\","
                               "\"CreatedOn\":\"2026-01-01T00:00:00.000Z\"}}}");

    cJSON_AddStringToObject(image, "id", id);
    cJSON_AddStringToObject(image, "displayName", name);
    cJSON_AddItemToObject(image, "compartmentId",
                          compartment == NULL ? cJSON_CreateNull() : cJSON_CreateString(compartment));
    json_merge(image, json_member(rule, "image"));
    free(id);
    free(name);
    return image;
}

static cJSON *generated_cloud_image(const cJSON *rule, unsigned long number)
{
    const char *owner = json_string(rule, "compartmentId"), *prefix = json_string(rule, "prefix");
    char *id = xprintf("%.8s-0000-4000-8000-%012lx", prefix == NULL ? PREFIX : prefix, number);
    char *name = xprintf("image-%06lu", number);
    cJSON *image = cJSON_CreateObject();

    cJSON_AddStringToObject(image, "id", id);
    cJSON_AddStringToObject(image, "name", name);
    if (owner != NULL) {
        cJSON_AddStringToObject(image, "owner", owner);
    }
    json_merge(image, json_member(rule, "image"));
    free(id);
    free(name);
    return image;
}

static const char *generate_images(struct simulator *simulator, const cJSON *rule)
{
    const char *kind = json_string(rule, "kind");
    bool glance = kind != NULL && strcmp(kind, "glanceImage") == 0;
    bool cloud = glance || (kind != NULL && strcmp(kind, "cloudImage") == 0);
    enum kind_id of = glance ? KIND_GLANCE_IMAGE : cloud ? KIND_CLOUD_IMAGE : KIND_IMAGE;
    double count = json_number(rule, "count", -1);
    const cJSON *image = json_member(rule, "image");
    const char *why = image == NULL ? NULL : kind_check_partial(image);

    if (count < 0 || count > COUNT_MAX || why != NULL) {
        return why != NULL ? why : "count is missing or out of range";
    }
    for (unsigned long number = 1; number <= (unsigned long)count; number++) {
        cJSON *made = cloud ? generated_cloud_image(rule, number) : generated_image(rule, number);
        store_put(&simulator->store, &simulator->tags, kind_at(of), made);
        cJSON_Delete(made);
    }
    return NULL;
}

static void add_number(struct text *text, unsigned long number)
{
    text_addf(text, "%lu", number);
}

/* Adds the value of the placeholder at `at`; returns its length, 0 when there is none. */
static size_t add_placeholder(struct text *text, const char *at, const struct number *number)
{
    static const char *const names[] = {"{volume}", "{n}", "{i}", "{time}", "{created}", "{id}", "{source}"};
    char time[CLOCK_TEXT];
    size_t which = 0;

    while (which < sizeof(names) / sizeof(names[0]) && strncmp(at, names[which], strlen(names[which])) != 0) {
        which++;
    }
    switch (which) {
    case 0:
        add_number(text, number->volume);
        break;
    case 1:
        add_number(text, number->n);
        break;
    case 2:
        add_number(text, number->i);
        break;
    case 3:
        clock_rfc3339_seconds(number->time, time);
        text_adds(text, time);
        break;
    case 4:
        clock_rfc3339(number->time, time);
        text_adds(text, time);
        break;
    case 5:
        text_adds(text, number->id);
        break;
    case 6:
        text_adds(text, number->source);
        break;
    default:
        return 0;
    }
    return strlen(names[which]);
}

static char *expand(const char *pattern, const struct number *number)
{
    struct text text = {0};

    while (*pattern != '\0') {
        size_t plain = strcspn(pattern, "{");
        text_add(&text, pattern, plain);
        pattern += plain;
        size_t length = *pattern == '\0' ? 0 : add_placeholder(&text, pattern, number);
        text_add(&text, pattern, length == 0 && *pattern != '\0' ? 1 : 0);
        pattern += length == 0 && *pattern != '\0' ? 1 : length;
    }
    char *result = xstrndup(text.bytes == NULL ? "" : text.bytes, text.length);
    text_free(&text);
    return result;
}

static const char *string_or(const cJSON *object, const char *name, const char *otherwise)
{
    const char *value = json_string(object, name);

    return value != NULL ? value : otherwise;
}

static const char *compartment_of(const cJSON *rule)
{
    return string_or(rule, "compartmentId", "ocid1.compartment.oc1..generated");
}

/* The name of the source volume's property and the like come from the kind; what the rule says comes last. */
static void make_pattern(const cJSON *rule, struct pattern *pattern)
{
    static const char fixed[] = "{\"id\":\"{id}\",\"timeCreated\":\"{created}\",\"timeRequestReceived\":\"{created}\","
                                "\"definedTags\":{\"Oracle-Tags\":{\"CreatedBy\":\"someone\","
                                "\"CreatedOn\":\"{created}\"}}}";
    cJSON *partial = cJSON_Parse(fixed);

    cJSON_AddStringToObject(partial, pattern->kind->source, "{source}");
    cJSON_AddStringToObject(partial, "displayName", pattern->name);
    cJSON_AddStringToObject(partial, "compartmentId", pattern->compartment);
    json_merge(partial, json_member(rule, "backup"));
    pattern->full = kind_complete(pattern->kind, partial, 0);
    pattern->json = json_print(pattern->full);
    pattern->name = string_or(pattern->full, "displayName", "");
    pattern->created = string_or(pattern->full, "timeCreated", "");
    pattern->state = string_or(pattern->full, "lifecycleState", "");
    pattern->compartment = json_string(pattern->full, "compartmentId");
    cJSON_Delete(partial);
}

static void make_backup(struct store *store, const struct pattern *pattern, struct number *number)
{
    const struct kind *kind = pattern->kind;
    char *id = xprintf("ocid1.%s.oc1.phx.%s%06luaaaa%06lu", kind->type, pattern->prefix, number->volume, number->n);

    number->id = id;
    struct view view = {
        .json = expand(pattern->json, number),
        .name = expand(pattern->name, number),
        .created = expand(pattern->created, number),
        .compartment = store_name(store, pattern->compartment),
        .state = store_name(store, pattern->state),
        .filters = {store_name(store, number->source)},
    };
    view.json_length = strlen(view.json);
    store_put_text(store, kind, id, &view);
    free(id);
}

static char *make_volume(struct simulator *simulator, const cJSON *rule, const struct pattern *pattern,
                         unsigned long volume)
{
    const struct kind *kind = kind_at(pattern->kind->source_kind);
    const struct number number = {.volume = volume, .i = volume, .id = "", .source = ""};
    char *id = xprintf("ocid1.%s.oc1.phx.%s%06lu", kind->type, pattern->prefix, volume);
    char *name = expand(string_or(rule, "volumeName", "volume-{volume}"), &number);
    cJSON *partial = cJSON_CreateObject();

    cJSON_AddStringToObject(partial, "id", id);
    cJSON_AddStringToObject(partial, "displayName", name);
    cJSON_AddStringToObject(partial, "compartmentId", pattern->compartment);
    json_merge(partial, json_member(rule, "volume"));
    store_put(&simulator->store, &simulator->tags, kind, partial);
    cJSON_Delete(partial);
    free(name);
    return id;
}

static void make_all(struct simulator *simulator, const cJSON *rule, const struct pattern *pattern,
                     unsigned long volumes, unsigned long backups)
{
    struct number number = {0};

    for (number.volume = 1; number.volume <= volumes; number.volume++) {
        char *source = make_volume(simulator, rule, pattern, number.volume);
        number.source = source;
        for (number.n = 1; number.n <= backups; number.n++) {
            number.i++;
            number.time = pattern->base + (int64_t)(number.n - 1) * pattern->step;
            make_backup(&simulator->store, pattern, &number);
        }
        free(source);
    }
}

static const char *check_volumes(struct simulator *simulator, const cJSON *rule, const struct pattern *pattern)
{
    const cJSON *volume = json_member(rule, "volume"), *backup = json_member(rule, "backup");
    const struct number first = {.volume = 1, .id = "", .source = ""};
    double volumes = json_number(rule, "volumes", -1), backups = json_number(rule, "backups", 0);

    if (volumes < 0 || backups < 0 || volumes + volumes * backups > COUNT_MAX) {
        return "volumes or backups is out of range";
    }
    if ((volume != NULL && kind_check_partial(volume) != NULL) ||
        (backup != NULL && kind_check_partial(backup) != NULL)) {
        return "volume and backup are resources, in part";
    }
    char *id =
        xprintf("ocid1.%s.oc1.phx.%s%06lu", kind_at(pattern->kind->source_kind)->type, pattern->prefix, first.volume);
    bool taken = store_find(&simulator->store, id) != NULL;
    free(id);
    return taken ? "these were generated before: use another prefix" : NULL;
}

static const char *generate_volumes(struct simulator *simulator, const cJSON *rule)
{
    const char *of = string_or(rule, "kind", "bootVolume");
    const char *base = string_or(rule, "baseTime", "2026-01-01T00:00:00Z");
    struct pattern pattern = {
        .kind = kind_at(strcmp(of, "volume") == 0 ? KIND_VOLUME_BACKUP : KIND_BOOT_VOLUME_BACKUP),
        .name = string_or(rule, "backupName", "backup-{volume}-{n}"),
        .compartment = compartment_of(rule),
        .prefix = string_or(rule, "prefix", PREFIX),
        .step = (int64_t)(json_number(rule, "stepSeconds", 3600) * (double)CLOCK_SECOND),
    };

    if (strcmp(of, "volume") != 0 && strcmp(of, "bootVolume") != 0) {
        return "kind is \"bootVolume\" or \"volume\"";
    }
    if (!clock_parse_rfc3339(base, &pattern.base)) {
        return "baseTime is RFC 3339 in UTC";
    }
    const char *why = check_volumes(simulator, rule, &pattern);
    if (why != NULL) {
        return why;
    }
    make_pattern(rule, &pattern);
    shelf_forget_orders(&simulator->store.shelves[pattern.kind->id]);
    make_all(simulator, rule, &pattern, (unsigned long)json_number(rule, "volumes", 0),
             (unsigned long)json_number(rule, "backups", 0));
    cJSON_Delete(pattern.full);
    free(pattern.json);
    return NULL;
}

const char *generate(struct simulator *simulator, const cJSON *rule)
{
    if (json_string(rule, "compartmentId") != NULL) {
        store_compartment(&simulator->store, json_string(rule, "compartmentId"));
    }
    return json_member(rule, "volumes") != NULL ? generate_volumes(simulator, rule) : generate_images(simulator, rule);
}
