/* The list of images of IMS: parameters, filters, order and pages. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "huawei.h"
#include "json.h"
#include "sim.h"

#define DEFAULT_LIMIT 500

struct condition;
struct filter;

/* Does the attribute (NULL when it is absent) have the value that was asked for? */
typedef bool match_fn(const struct condition *condition, const struct view *view, const cJSON *json);
/* Is that a value to ask for? */
typedef bool check_fn(const struct filter *filter, const char *value);

struct filter {
    const char *name;
    check_fn *check;   /* NULL: any text */
    const char *words; /* the values that may be asked for, with a space after each; NULL: any */
    match_fn *match;   /* NULL: the parameter says nothing about the image */
    bool parsed;       /* needs the image's JSON */
};

struct condition {
    const struct filter *filter;
    const char *value;
};

/* An image in the list, and what it is sorted by. */
struct item {
    struct resource *image;
    const struct view *view;
    char *key;
    double number;
};

struct ims_list {
    const struct simulator *simulator;
    const struct request *request;
    struct reply *reply;
    struct condition conditions[REQUEST_PARAMETERS];
    size_t condition_count;
    bool parsed, dead; /* is JSON needed; are deleted images asked for? */
    const char *sort_key;
    bool ascending;
    unsigned long limit;
    struct item *items;
    size_t count, room;
};

/* ---- what can be asked for ---- */

static bool check_words(const struct filter *filter, const char *value)
{
    size_t length = strlen(value);

    for (const char *at = filter->words; *at != '\0'; at += strcspn(at, " ") + 1) {
        if (strcspn(at, " ") == length && strncmp(at, value, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool check_number(const struct filter *filter, const char *value)
{
    (void)filter;
    return strlen(value) <= 9 && value[strspn(value, "0123456789")] == '\0';
}

static const struct {
    const char *name;
    bool less, equal, more;
} operators[] = {
    {"gte:", false, true, true}, {"gt:", false, false, true}, {"lte:", true, true, false},
    {"lt:", true, false, false}, {"eq:", false, true, false}, {"neq:", true, false, true},
};

/* Splits OPERATOR:TIME, in both forms of times; false when it is something else. */
static bool parse_time(const char *value, size_t *which, char time[CLOCK_TEXT])
{
    int64_t when;

    for (*which = 0; *which < sizeof(operators) / sizeof(operators[0]); ++*which) {
        size_t length = strlen(operators[*which].name);
        if (strncmp(value, operators[*which].name, length) != 0) {
            continue;
        }
        char *text = strchr(value + length, ' ') == NULL ? xstrdup(value + length) : xprintf("%sZ", value + length);
        char *space = strchr(text, ' ');
        if (space != NULL) {
            *space = 'T';
        }
        bool good = strlen(text) == strlen("2026-01-05T21:31:40Z") && clock_parse_rfc3339(text, &when);
        free(text);
        if (good) {
            clock_rfc3339_seconds(when, time);
        }
        return good;
    }
    return false;
}

static bool check_time(const struct filter *filter, const char *value)
{
    char time[CLOCK_TEXT];
    size_t which;

    (void)filter;
    return parse_time(value, &which, time);
}

/* ---- what images have ---- */

/* The text of an attribute; the caller frees it. NULL when it is absent or null. */
static char *attribute_text(const cJSON *json, const char *name)
{
    const cJSON *value = json_member(json, name);

    return value == NULL || cJSON_IsNull(value) ? NULL
           : cJSON_IsString(value)              ? xstrdup(value->valuestring)
                                                : json_print(value);
}

static bool match_attribute(const struct condition *condition, const struct view *view, const cJSON *json)
{
    char *text = attribute_text(json, condition->filter->name);
    bool same = text != NULL && strcmp(text, condition->value) == 0;

    (void)view;
    free(text);
    return same;
}

static bool match_view(const struct condition *condition, const struct view *view, const cJSON *json)
{
    const char *name = condition->filter->name;
    const char *value = strcmp(name, "owner") == 0         ? view->compartment
                        : strcmp(name, "status") == 0      ? view->state
                        : strcmp(name, "name") == 0        ? view->name
                        : strcmp(name, "visibility") == 0  ? view->filters[0]
                        : strcmp(name, "__imagetype") == 0 ? view->filters[1]
                                                           : view->filters[2];

    (void)json;
    return value != NULL && strcmp(value, condition->value) == 0;
}

static bool match_enterprise_project(const struct condition *condition, const struct view *view, const cJSON *json)
{
    return strcmp(condition->value, "all_granted_eps") == 0 || match_view(condition, view, json);
}

static bool match_flag(const struct condition *condition, const struct view *view, const cJSON *json)
{
    char *text = attribute_text(json, condition->filter->name);
    bool same = strcmp(text == NULL ? "false" : text, condition->value) == 0;

    (void)view;
    free(text);
    return same;
}

static bool match_architecture(const struct condition *condition, const struct view *view, const cJSON *json)
{
    const char *arm = json_string(json, "__support_arm");

    (void)view;
    return (arm != NULL && strcmp(arm, "true") == 0) == (strcmp(condition->value, "arm") == 0);
}

/* An old tag "a.b" is asked for as "a=b". */
static bool match_tag(const struct condition *condition, const struct view *view, const cJSON *json)
{
    char *old = xstrdup(condition->value), *equals = strchr(old, '=');
    const cJSON *tag;
    bool found = false;

    (void)view;
    if (equals != NULL) {
        *equals = '.';
    }
    cJSON_ArrayForEach(tag, json_member(json, "tags"))
    {
        const char *text = cJSON_GetStringValue(tag);
        found = found || (text != NULL && (strcmp(text, condition->value) == 0 || strcmp(text, old) == 0));
    }
    free(old);
    return found;
}

static bool match_time(const struct condition *condition, const struct view *view, const cJSON *json)
{
    const char *has = json_string(json, condition->filter->name);
    char wanted[CLOCK_TEXT];
    size_t which;

    (void)view;
    if (has == NULL || !parse_time(condition->value, &which, wanted)) {
        return false;
    }
    int order = strcmp(has, wanted);
    return order < 0 ? operators[which].less : order == 0 ? operators[which].equal : operators[which].more;
}

#define SUPPORT(name)                                                                                                  \
    {                                                                                                                  \
        name, NULL, NULL, match_attribute, true                                                                        \
    }

static const struct filter filters[] = {
    {"__imagetype", check_words, "gold private shared market ", match_view, false},
    {"visibility", check_words, "public private shared ", match_view, false},
    {"owner", NULL, NULL, match_view, false},
    {"id", NULL, NULL, NULL, false},
    {"name", NULL, NULL, match_view, false},
    {"status", check_words, "queued saving deleted killed active ", match_view, false},
    {"__isregistered", check_words, "true false ", match_attribute, true},
    {"protected", check_words, "true false ", match_attribute, true},
    {"container_format", NULL, NULL, match_attribute, true},
    {"disk_format", check_words, "vhd zvhd raw qcow2 zvhd2 iso ", match_attribute, true},
    {"min_ram", check_number, NULL, match_attribute, true},
    {"min_disk", check_number, NULL, match_attribute, true},
    {"__os_bit", check_words, "32 64 ", match_attribute, true},
    {"__os_type", check_words, "Linux Windows Other ", match_attribute, true},
    SUPPORT("__platform"),
    SUPPORT("__os_version"),
    {"virtual_env_type", check_words, "FusionCompute Ironic DataImage IsoImage ", match_attribute, true},
    {"architecture", check_words, "x86 arm ", match_architecture, true},
    {"flavor_id", NULL, NULL, NULL, false},
    {"enterprise_project_id", NULL, NULL, match_enterprise_project, false},
    {"__whole_image", check_words, "true false ", match_flag, true},
    SUPPORT("__system__cmkid"),
    SUPPORT("__support_kvm"),
    SUPPORT("__support_xen"),
    SUPPORT("__support_largememory"),
    SUPPORT("__support_diskintensive"),
    SUPPORT("__support_highperformance"),
    SUPPORT("__support_xen_gpu_type"),
    SUPPORT("__support_kvm_gpu_type"),
    SUPPORT("__support_xen_hana"),
    SUPPORT("__support_kvm_infiniband"),
    {"tag", NULL, NULL, match_tag, true},
    {"member_status", check_words, "accepted rejected pending ", NULL, false},
    {"created_at", check_time, NULL, match_time, true},
    {"updated_at", check_time, NULL, match_time, true},
    {"limit", check_number, NULL, NULL, false},
    {"marker", NULL, NULL, NULL, false},
    {"sort_key", check_words, "name container_format disk_format status id size created_at ", NULL, false},
    {"sort_dir", check_words, "asc desc ", NULL, false},
};

/* ---- the request ---- */

static const struct filter *find_filter(const char *name)
{
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        if (strcmp(filters[i].name, name) == 0) {
            return &filters[i];
        }
    }
    return NULL;
}

static bool take_parameter(struct ims_list *list, const struct pair *parameter)
{
    const struct filter *filter = find_filter(parameter->name);

    if (filter == NULL) {
        ims_error(list->request, list->reply, "IMG.0001", "Unknown query parameter '%s'", parameter->name);
    } else if (request_parameter(list->request, parameter->name) != parameter->value) {
        ims_error(list->request, list->reply, "IMG.0001", "The query parameter '%s' comes twice", parameter->name);
    } else if (parameter->value[0] == '\0' || (filter->check != NULL && !filter->check(filter, parameter->value))) {
        ims_error(list->request, list->reply, "IMG.0001", "The query parameter %s has the wrong value '%s'",
                  parameter->name, parameter->value);
    } else {
        if (filter->match != NULL) {
            list->conditions[list->condition_count++] = (struct condition){filter, parameter->value};
            list->parsed = list->parsed || filter->parsed;
        }
        return true;
    }
    return false;
}

static bool is(const char *text, const char *wanted)
{
    return text != NULL && strcmp(text, wanted) == 0;
}

static bool parse(struct ims_list *list)
{
    const struct request *request = list->request;
    const char *limit = request_parameter(request, "limit"), *key = request_parameter(request, "sort_key");
    unsigned long most = list->simulator->config.max_limit;

    for (size_t i = 0; i < request->parameter_count; i++) {
        if (!take_parameter(list, &request->parameters[i])) {
            return false;
        }
    }
    list->dead = is(request_parameter(request, "status"), kind_at(KIND_CLOUD_IMAGE)->dead);
    list->sort_key = key != NULL ? key : "created_at";
    list->ascending = is(request_parameter(request, "sort_dir"), "asc");
    list->limit = limit != NULL ? strtoul(limit, NULL, 10) : DEFAULT_LIMIT < most ? DEFAULT_LIMIT : most;
    if (list->limit < 1 || list->limit > most) {
        ims_error(request, list->reply, "IMG.0001", "limit '%s' is not 1 to %lu", limit, most);
        return false;
    }
    if (request_parameter(request, "member_status") != NULL &&
        !is(request_parameter(request, "visibility"), "shared")) {
        ims_error(request, list->reply, "IMG.0001", "member_status needs visibility=shared");
        return false;
    }
    return true;
}

/* ---- the items ---- */

static bool matches(const struct ims_list *list, const struct view *view)
{
    cJSON *json = list->parsed ? cJSON_Parse(view->json) : NULL;
    bool good = true;

    for (size_t i = 0; good && i < list->condition_count; i++) {
        good = list->conditions[i].filter->match(&list->conditions[i], view, json);
    }
    cJSON_Delete(json);
    return good;
}

/* What a list with these parameters would show of an image, NULL for nothing. */
static const struct view *visible(const struct ims_list *list, struct resource *image)
{
    const struct view *view = store_listed(&list->simulator->store, image, clock_now());
    const struct compartment *owner = view == NULL || view->compartment == NULL
                                          ? NULL
                                          : table_get(&list->simulator->store.compartments, view->compartment);
    bool dead = view != NULL && strcmp(view->state, kind_at(KIND_CLOUD_IMAGE)->dead) == 0;

    return view == NULL || (owner != NULL && owner->hidden) || dead != list->dead ||
                   !ims_sees(view, list->request->project)
               ? NULL
               : view;
}

static struct item make_item(const struct ims_list *list, struct resource *image, const struct view *view)
{
    struct item item = {.image = image, .view = view};

    if (strcmp(list->sort_key, "name") == 0) {
        item.key = xstrdup(view->name);
    } else if (strcmp(list->sort_key, "created_at") == 0) {
        item.key = xstrdup(view->created);
    } else {
        cJSON *json = cJSON_Parse(view->json);
        item.key = attribute_text(json, list->sort_key);
        item.key = item.key == NULL ? xstrdup("") : item.key;
        item.number = strcmp(list->sort_key, "size") == 0 ? json_number(json, "size", 0) : 0;
        cJSON_Delete(json);
    }
    return item;
}

/* Ascending; what is the same goes by the id, so that every walk is stable. */
static int by_key(const void *left, const void *right)
{
    const struct item *one = left, *other = right;
    int order = (one->number > other->number) - (one->number < other->number);

    order = order != 0 || one->number != 0 ? order : strcmp(one->key, other->key);
    return order != 0 ? order : strcmp(one->image->id, other->image->id);
}

static int by_key_descending(const void *left, const void *right)
{
    return by_key(right, left);
}

static void take(struct ims_list *list, struct resource *image)
{
    const struct view *view = image == NULL ? NULL : visible(list, image);

    if (view == NULL || !matches(list, view)) {
        return;
    }
    if (list->count == list->room) {
        list->room = list->room == 0 ? 64 : list->room * 2;
        list->items = xrealloc(list->items, list->room, sizeof(*list->items));
    }
    list->items[list->count++] = make_item(list, image, view);
}

static struct resource *find(const struct ims_list *list, const char *id)
{
    struct resource *image = store_find(&list->simulator->store, id);

    return image != NULL && image->kind->id == KIND_CLOUD_IMAGE ? image : NULL;
}

static void take_all(struct ims_list *list)
{
    const char *id = request_parameter(list->request, "id");
    const struct shelf *shelf = &list->simulator->store.shelves[KIND_CLOUD_IMAGE];

    if (id != NULL) {
        take(list, find(list, id));
    }
    for (size_t i = 0; id == NULL && i < shelf->count; i++) {
        take(list, shelf->all[i]);
    }
    if (list->count > 1) {
        qsort(list->items, list->count, sizeof(*list->items), list->ascending ? by_key : by_key_descending);
    }
}

/* Where the page begins; false when the marker is no image that the caller sees. */
static bool find_start(struct ims_list *list, size_t *start, struct item *marker)
{
    const char *id = request_parameter(list->request, "marker");
    struct resource *image = id == NULL ? NULL : find(list, id);
    const struct view *view = image == NULL ? NULL : visible(list, image);

    if (id == NULL) {
        return true;
    }
    if (view == NULL) {
        ims_error(list->request, list->reply, "IMG.0027", "The marker %s is no image", id);
        return false;
    }
    *marker = make_item(list, image, view);
    while (*start < list->count &&
           (list->ascending ? by_key(&list->items[*start], marker) : by_key(marker, &list->items[*start])) <= 0) {
        ++*start;
    }
    return true;
}

/* ---- the answer ---- */

static void answer(struct ims_list *list, const struct fired *fired)
{
    struct item marker = {0};
    size_t at = 0;

    if (find_start(list, &at, &marker)) {
        const cJSON *shuffle = marker.image == NULL ? NULL : fault_shuffle(fired);
        unsigned long given = 0;
        list->reply->status = 200;
        text_adds(&list->reply->body, "{\"images\":[");
        if (shuffle != NULL) {
            fault_add_shuffled(shuffle, marker.view, &list->reply->body);
            given++;
        }
        for (; at < list->count && given < list->limit; at++, given++) {
            text_adds(&list->reply->body, given == 0 ? "" : ",");
            text_add(&list->reply->body, list->items[at].view->json, list->items[at].view->json_length);
        }
        text_adds(&list->reply->body, "]}");
    }
    free(marker.key);
}

void list_cloud_images(struct simulator *simulator, const struct request *request, const struct fired *fired,
                       struct reply *reply)
{
    struct ims_list list = {.simulator = simulator, .request = request, .reply = reply};

    if (ims_allowed(simulator, request, reply) && parse(&list)) {
        take_all(&list);
        answer(&list, fired);
    }
    for (size_t i = 0; i < list.count; i++) {
        free(list.items[i].key);
    }
    free(list.items);
}
