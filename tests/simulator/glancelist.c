/* The list of images of Glance: filters, order and pages. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "glance.h"
#include "json.h"
#include "sim.h"

#define NUMBER_DIGITS 15

struct condition;

/* Is the value one to ask for? Fills the reply when not. */
typedef bool check_fn(const struct condition *condition, const struct request *request, struct reply *reply);
typedef bool match_fn(const struct condition *condition, const struct view *view, const cJSON *json);

/* A query parameter; what is not in the table is the name of an attribute. */
struct filter {
    const char *name;
    check_fn *check; /* NULL: any text */
    match_fn *match; /* NULL: it does not ask for an attribute, or is looked at elsewhere */
    bool repeated;   /* may come more than once */
};

struct condition {
    const struct filter *filter;
    const struct pair *parameter;
};

struct sort {
    char *key; /* as it was asked for */
    bool ascending;
};

/* An image in the list; its JSON only when the order needs it. */
struct item {
    struct resource *image;
    const struct view *view;
    cJSON *json;
};

struct glance_list {
    const struct simulator *simulator;
    const struct request *request;
    struct reply *reply;
    struct condition conditions[REQUEST_PARAMETERS];
    size_t condition_count;
    struct sort sorts[2 * REQUEST_PARAMETERS];
    size_t sort_count;
    bool sort_parsed; /* does the order need the JSON? */
    unsigned long limit;
    struct item *items;
    size_t count, room;
};

/* ---- what can be asked for ---- */

static bool is_among(const char *text, const char *words)
{
    size_t length = strlen(text);

    for (const char *at = words; *at != '\0'; at += strcspn(at, " ") + 1) {
        if (strcspn(at, " ") == length && strncmp(at, text, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool check_words(const struct condition *condition, const struct request *request, struct reply *reply,
                        const char *words)
{
    bool good = is_among(condition->parameter->value, words);

    if (!good) {
        glance_error(request, reply, 400, "Invalid value '%s' for '%s' filter.", condition->parameter->value,
                     condition->parameter->name);
    }
    return good;
}

static bool check_flag(const struct condition *condition, const struct request *request, struct reply *reply)
{
    return check_words(condition, request, reply, "true false ");
}

static bool check_visibility(const struct condition *condition, const struct request *request, struct reply *reply)
{
    return check_words(condition, request, reply, "community public private shared all ");
}

static bool check_member_status(const struct condition *condition, const struct request *request, struct reply *reply)
{
    return check_words(condition, request, reply, "pending accepted rejected all ");
}

static bool check_number(const struct condition *condition, const struct request *request, struct reply *reply)
{
    const char *value = condition->parameter->value;
    bool good = value[0] != '\0' && strlen(value) <= NUMBER_DIGITS && value[strspn(value, "0123456789")] == '\0';

    if (!good) {
        glance_error(request, reply, 400, "%s param must be a positive integer", condition->parameter->name);
    }
    return good;
}

static bool check_unavailable(const struct condition *condition, const struct request *request, struct reply *reply)
{
    glance_error(request, reply, 400, "The \"%s\" filter is no longer available on v2.", condition->parameter->name);
    return false;
}

/* OPERATOR:REST, or REST alone, which means "eq:". Text before a colon that is no operator is an error. */
static const char *split(const char *value, char op[8])
{
    size_t length = strcspn(value, ":");

    if (value[length] == '\0') {
        strcpy(op, "eq");
        return value;
    }
    length = length < 7 ? length : 7;
    memcpy(op, value, length);
    op[length] = '\0';
    return strchr(value, ':') + 1;
}

static bool check_operator(const struct condition *condition, const struct request *request, struct reply *reply)
{
    char op[8];

    split(condition->parameter->value, op);
    if (!is_among(op, "in eq ")) {
        glance_error(request, reply, 400, "Unable to filter by unknown operator '%s'.", op);
        return false;
    }
    return true;
}

/* A time has colons of its own. */
static bool read_time(const char *value, char op[8], char time[CLOCK_TEXT])
{
    const char *rest = split(value, op);
    int64_t when;

    if (!is_among(op, "gt gte lt lte eq neq ")) {
        rest = value;
        strcpy(op, "eq");
    }
    if (!clock_parse_rfc3339(rest, &when)) {
        return false;
    }
    clock_rfc3339_seconds(when, time);
    return true;
}

static bool check_time(const struct condition *condition, const struct request *request, struct reply *reply)
{
    char op[8], time[CLOCK_TEXT];
    bool good = read_time(condition->parameter->value, op, time);

    if (!good) {
        glance_error(request, reply, 400, "Bad \"%s\" query filter format. Use ISO 8601 DateTime notation.",
                     condition->parameter->name);
    }
    return good;
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
    char *text = attribute_text(json, condition->parameter->name);
    bool same = text != NULL && strcmp(text, condition->parameter->value) == 0;

    (void)view;
    free(text);
    return same;
}

/* Is it in a list with commas, in which an item with a comma in it stands in double quotes? */
static bool is_listed(const char *list, const char *text)
{
    while (*list != '\0') {
        bool quoted = *list == '"';
        size_t length = quoted ? strcspn(list + 1, "\"") : strcspn(list, ",");
        if (strlen(text) == length && strncmp(list + quoted, text, length) == 0) {
            return true;
        }
        list += quoted;
        list += length;
        list += strcspn(list, ",");
        list += *list == ',';
    }
    return false;
}

static bool match_operator(const struct condition *condition, const struct view *view, const cJSON *json)
{
    char op[8], *has = attribute_text(json, condition->parameter->name);
    const char *wanted = split(condition->parameter->value, op);
    bool good = has != NULL && (strcmp(op, "in") == 0 ? is_listed(wanted, has) : strcmp(wanted, has) == 0);

    (void)view;
    free(has);
    return good;
}

static bool match_time(const struct condition *condition, const struct view *view, const cJSON *json)
{
    const char *has = json_string(json, condition->parameter->name);
    char op[8], wanted[CLOCK_TEXT];

    (void)view;
    if (has == NULL || !read_time(condition->parameter->value, op, wanted)) {
        return false;
    }
    int order = strcmp(has, wanted);
    return is_among(op, order < 0 ? "lt lte neq " : order == 0 ? "lte gte eq " : "gt gte neq ");
}

/* NAME_min or NAME_max */
static bool match_range(const struct condition *condition, const struct view *view, const cJSON *json)
{
    const char *end = condition->parameter->name + strlen(condition->parameter->name) - 4;
    char *name = xstrndup(condition->parameter->name, (size_t)(end - condition->parameter->name));
    double wanted = strtod(condition->parameter->value, NULL), has = json_number(json, name, -1);

    (void)view;
    free(name);
    return has >= 0 && (strcmp(end, "_min") == 0 ? has >= wanted : has <= wanted);
}

static bool match_tag(const struct condition *condition, const struct view *view, const cJSON *json)
{
    const cJSON *tag;

    (void)view;
    cJSON_ArrayForEach(tag, json_member(json, "tags"))
    {
        if (cJSON_IsString(tag) && strcmp(tag->valuestring, condition->parameter->value) == 0) {
            return true;
        }
    }
    return false;
}

static bool match_owner(const struct condition *condition, const struct view *view, const cJSON *json)
{
    (void)json;
    return view->compartment != NULL && strcmp(view->compartment, condition->parameter->value) == 0;
}

static const struct filter filters[] = {
    {"limit", check_number, NULL, false},
    {"marker", NULL, NULL, false},
    {"sort", NULL, NULL, false},
    {"sort_key", NULL, NULL, true},
    {"sort_dir", NULL, NULL, true},
    {"member_status", check_member_status, NULL, false},
    {"visibility", check_visibility, NULL, false},
    {"os_hidden", check_flag, NULL, false},
    {"changes-since", check_unavailable, NULL, false},
    {"protected", check_flag, match_attribute, false},
    {"owner", NULL, match_owner, false},
    {"tag", NULL, match_tag, true},
    {"name", check_operator, match_operator, false},
    {"id", check_operator, match_operator, false},
    {"status", check_operator, match_operator, false},
    {"container_format", check_operator, match_operator, false},
    {"disk_format", check_operator, match_operator, false},
    {"created_at", check_time, match_time, false},
    {"updated_at", check_time, match_time, false},
    {"size_min", check_number, match_range, false},
    {"size_max", check_number, match_range, false},
    {"min_ram_min", check_number, match_range, false},
    {"min_ram_max", check_number, match_range, false},
    {"min_disk_min", check_number, match_range, false},
    {"min_disk_max", check_number, match_range, false},
};

/* Any other attribute, an extra property too. */
static const struct filter attribute_filter = {"", NULL, match_attribute, false};

/* ---- the request ---- */

static const struct filter *find_filter(const char *name)
{
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        if (strcmp(filters[i].name, name) == 0) {
            return &filters[i];
        }
    }
    return &attribute_filter;
}

static bool take_parameter(struct glance_list *list, const struct pair *parameter)
{
    const struct condition condition = {find_filter(parameter->name), parameter};

    if (!condition.filter->repeated && request_parameter(list->request, parameter->name) != parameter->value) {
        glance_error(list->request, list->reply, 400, "The query parameter '%s' comes twice", parameter->name);
        return false;
    }
    if (condition.filter->check != NULL && !condition.filter->check(&condition, list->request, list->reply)) {
        return false;
    }
    if (condition.filter->match != NULL) {
        list->conditions[list->condition_count++] = condition;
    }
    return true;
}

static bool add_key(struct glance_list *list, const char *key, size_t length)
{
    struct sort *sort = &list->sorts[list->sort_count++];

    sort->key = xstrndup(key, length);
    if (!is_among(sort->key, "name status container_format disk_format size id created_at updated_at ")) {
        glance_error(list->request, list->reply, 400, "Invalid sort key: %s.", sort->key);
        return false;
    }
    list->sort_parsed = list->sort_parsed || !is_among(sort->key, "name status id created_at ");
    return true;
}

static bool read_direction(struct glance_list *list, const char *direction, size_t length, bool *ascending)
{
    char *text = xstrndup(direction, length);
    bool good = is_among(text, "asc desc ");

    *ascending = strcmp(text, "asc") == 0;
    if (!good) {
        glance_error(list->request, list->reply, 400, "Invalid sort direction: %s", text);
    }
    free(text);
    return good;
}

/* sort=name:asc,size */
static bool parse_new_sort(struct glance_list *list, const char *sort)
{
    for (const char *at = sort; list->sort_count < REQUEST_PARAMETERS; at++) {
        size_t length = strcspn(at, ","), key = strcspn(at, ":,");
        struct sort *added = &list->sorts[list->sort_count];
        if (!add_key(list, at, key) ||
            (key < length && !read_direction(list, at + key + 1, length - key - 1, &added->ascending))) {
            return false;
        }
        at += length;
        if (*at == '\0') {
            return true;
        }
    }
    glance_error(list->request, list->reply, 400, "There are too many sort keys");
    return false;
}

/* One direction is for all keys; else there are as many as keys. */
static bool parse_old_sort(struct glance_list *list, bool *all)
{
    bool directions[REQUEST_PARAMETERS] = {false};
    size_t count = 0;

    for (size_t i = 0; i < list->request->parameter_count; i++) {
        const struct pair *parameter = &list->request->parameters[i];
        size_t length = strlen(parameter->value);
        if ((strcmp(parameter->name, "sort_key") == 0 && !add_key(list, parameter->value, length)) ||
            (strcmp(parameter->name, "sort_dir") == 0 &&
             !read_direction(list, parameter->value, length, &directions[count++]))) {
            return false;
        }
    }
    if (list->sort_count == 0) {
        add_key(list, "created_at", strlen("created_at"));
    }
    if (count > 1 && count != list->sort_count) {
        glance_error(list->request, list->reply, 400, "Number of sort dirs does not match the number of sort keys");
        return false;
    }
    for (size_t i = 0; i < list->sort_count; i++) {
        list->sorts[i].ascending = directions[count > 1 ? i : 0];
    }
    *all = count == 1 && directions[0];
    return true;
}

/* Whatever is asked for, the order is a total one. */
static bool parse_sort(struct glance_list *list)
{
    static const char *const last[] = {"created_at", "id"};
    const char *sort = request_parameter(list->request, "sort");
    bool old =
        request_parameter(list->request, "sort_key") != NULL || request_parameter(list->request, "sort_dir") != NULL;
    bool ascending = false;

    if (sort != NULL && old) {
        glance_error(list->request, list->reply, 400, "Old and new sorting syntax cannot be combined");
        return false;
    }
    if (!(sort != NULL ? parse_new_sort(list, sort) : parse_old_sort(list, &ascending))) {
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        bool there = false;
        for (size_t at = 0; at < list->sort_count; at++) {
            there = there || strcmp(list->sorts[at].key, last[i]) == 0;
        }
        if (!there) {
            list->sorts[list->sort_count].ascending = ascending;
            add_key(list, last[i], strlen(last[i]));
        }
    }
    return true;
}

static bool parse(struct glance_list *list)
{
    const struct config *config = &list->simulator->config;
    const char *limit = request_parameter(list->request, "limit");

    for (size_t i = 0; i < list->request->parameter_count; i++) {
        if (!take_parameter(list, &list->request->parameters[i])) {
            return false;
        }
    }
    list->limit = limit != NULL ? strtoul(limit, NULL, 10) : config->glance_page;
    list->limit = list->limit < config->glance_page_max ? list->limit : config->glance_page_max;
    return parse_sort(list);
}

/* ---- the items ---- */

static bool matches(const struct glance_list *list, const struct view *view)
{
    cJSON *json = list->condition_count > 0 ? cJSON_Parse(view->json) : NULL;
    bool good = true;

    for (size_t i = 0; good && i < list->condition_count; i++) {
        good = list->conditions[i].filter->match(&list->conditions[i], view, json);
    }
    cJSON_Delete(json);
    return good;
}

/* In the text, for parsing every image would take long; inside of strings the quotes look different. */
static bool is_hidden(const struct view *view)
{
    return strstr(view->json, "\"os_hidden\":true") != NULL;
}

static bool is(const char *text, const char *wanted)
{
    return text != NULL && strcmp(text, wanted) == 0;
}

/* By who may see it in lists: one's own, public ones, and what was shared and accepted; a community's when asked. */
static bool is_visible(const struct glance_list *list, const struct resource *image, const struct view *view)
{
    const struct request *request = list->request;
    const char *wanted = request_parameter(request, "visibility"),
               *status = request_parameter(request, "member_status");
    bool own = glance_owns(request, view);

    if (wanted != NULL && strcmp(wanted, "all") != 0 && !is(view->filters[0], wanted)) {
        return false;
    }
    if (is(view->filters[0], "community") && wanted == NULL) {
        return own;
    }
    if (own || request->admin || is(view->filters[0], "public") || is(view->filters[0], "community")) {
        return true;
    }
    const char *membership = glance_membership(list->simulator, request, image->id);
    return is(view->filters[0], "shared") && membership != NULL &&
           (is(status, "all") || is(membership, status == NULL ? "accepted" : status));
}

/* What a list with these parameters would show of an image, NULL for nothing. */
static const struct view *visible(const struct glance_list *list, struct resource *image)
{
    const struct view *view = store_listed(&list->simulator->store, image, clock_now());
    const struct compartment *owner = view == NULL || view->compartment == NULL
                                          ? NULL
                                          : table_get(&list->simulator->store.compartments, view->compartment);
    bool hidden = is(request_parameter(list->request, "os_hidden"), "true");

    return view == NULL || (owner != NULL && owner->hidden) || is(view->state, "deleted") ||
                   is(view->state, "killed") || is_hidden(view) != hidden || !is_visible(list, image, view)
               ? NULL
               : view;
}

static struct item make_item(const struct glance_list *list, struct resource *image, const struct view *view)
{
    return (struct item){image, view, list->sort_parsed ? cJSON_Parse(view->json) : NULL};
}

static const char *key_of(const struct item *item, const char *key)
{
    const char *text = strcmp(key, "name") == 0         ? item->view->name
                       : strcmp(key, "status") == 0     ? item->view->state
                       : strcmp(key, "created_at") == 0 ? item->view->created
                       : strcmp(key, "id") == 0         ? item->image->id
                                                        : json_string(item->json, key);

    return text == NULL ? "" : text;
}

static int by_keys(const void *left, const void *right, void *context)
{
    const struct glance_list *list = context;
    const struct item *one = left, *other = right;
    int order = 0;

    for (size_t i = 0; order == 0 && i < list->sort_count; i++) {
        const struct sort *sort = &list->sorts[i];
        if (strcmp(sort->key, "size") == 0) {
            double first = json_number(one->json, "size", -1), second = json_number(other->json, "size", -1);
            order = (first > second) - (first < second);
        } else {
            order = strcmp(key_of(one, sort->key), key_of(other, sort->key));
        }
        order = sort->ascending ? order : -order;
    }
    return order;
}

static void take_all(struct glance_list *list)
{
    const struct shelf *shelf = &list->simulator->store.shelves[KIND_GLANCE_IMAGE];

    for (size_t i = 0; i < shelf->count; i++) {
        const struct view *view = visible(list, shelf->all[i]);
        if (view == NULL || !matches(list, view)) {
            continue;
        }
        if (list->count == list->room) {
            list->room = list->room == 0 ? 64 : list->room * 2;
            list->items = xrealloc(list->items, list->room, sizeof(*list->items));
        }
        list->items[list->count++] = make_item(list, shelf->all[i], view);
    }
    if (list->count > 1) {
        qsort_r(list->items, list->count, sizeof(*list->items), by_keys, list);
    }
}

/* Where the page begins; false when the marker is no image that the caller sees. The marker itself need not be in the
 * list. */
static bool find_start(struct glance_list *list, size_t *start, struct item *marker)
{
    const char *id = request_parameter(list->request, "marker");
    struct resource *image = id == NULL ? NULL : glance_find(list->simulator, list->request, id);

    if (id == NULL) {
        return true;
    }
    if (image == NULL) {
        glance_error(list->request, list->reply, 400, "No image found with ID %s", id);
        return false;
    }
    *marker = make_item(list, image, &image->now);
    while (*start < list->count && by_keys(&list->items[*start], marker, list) <= 0) {
        ++*start;
    }
    return true;
}

/* ---- the answer ---- */

static void add_encoded(struct text *text, const char *plain)
{
    static const char free_ones[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *plain != '\0'; plain++) {
        if (*plain == ' ') {
            text_adds(text, "+");
        } else if (strchr(free_ones, *plain) != NULL) {
            text_add(text, plain, 1);
        } else {
            text_addf(text, "%%%02X", (unsigned)(unsigned char)*plain);
        }
    }
}

static void add_pair(struct text *text, const char **between, const char *name, const char *value)
{
    text_adds(text, *between);
    add_encoded(text, name);
    text_adds(text, "=");
    add_encoded(text, value);
    *between = "&";
}

/* A path without the prefix that the service is behind. Of a parameter that came more than once Glance keeps the last
 * value alone. */
static void add_link(const struct request *request, const char *name, const char *marker, struct text *body)
{
    struct text link = {0};
    const char *between = "?";

    text_adds(&link, "/v2/images");
    for (size_t i = 0; i < request->parameter_count; i++) {
        const struct pair *parameter = &request->parameters[i];
        const char *last = parameter->value;
        for (size_t at = i + 1; at < request->parameter_count; at++) {
            last = strcmp(request->parameters[at].name, parameter->name) == 0 ? request->parameters[at].value : last;
        }
        if (strcmp(parameter->name, "marker") != 0 && request_parameter(request, parameter->name) == parameter->value) {
            add_pair(&link, &between, parameter->name, last);
        }
    }
    if (marker != NULL) {
        add_pair(&link, &between, "marker", marker);
    }
    text_addf(body, ",\"%s\":\"%s\"", name, link.bytes);
    text_free(&link);
}

static void add_items(struct glance_list *list, size_t at, const struct item *marker, const struct fired *fired)
{
    const cJSON *shuffle = marker->image == NULL ? NULL : fault_shuffle(fired);
    struct text *body = &list->reply->body;
    const char *last = NULL;
    unsigned long given = 0;

    text_adds(body, "{\"images\":[");
    if (shuffle != NULL) {
        fault_add_shuffled(shuffle, marker->view, body);
        given++;
    }
    for (; at < list->count && given < list->limit; at++, given++) {
        text_adds(body, given == 0 ? "" : ",");
        text_add(body, list->items[at].view->json, list->items[at].view->json_length);
        last = list->items[at].image->id;
    }
    text_adds(body, "]");
    add_link(list->request, "first", NULL, body);
    if (last != NULL && given == list->limit) {
        add_link(list->request, "next", last, body);
    }
    text_adds(body, ",\"schema\":\"/v2/schemas/images\"}");
}

static void answer(struct glance_list *list, const struct fired *fired)
{
    struct item marker = {0};
    size_t at = 0;

    if (find_start(list, &at, &marker)) {
        list->reply->status = 200;
        add_items(list, at, &marker, fired);
    }
    cJSON_Delete(marker.json);
}

void list_glance_images(struct simulator *simulator, const struct request *request, const struct fired *fired,
                        struct reply *reply)
{
    struct glance_list list = {.simulator = simulator, .request = request, .reply = reply};

    if (!glance_allowed(simulator, request)) {
        glance_error(request, reply, 403, "You are not authorized to complete get_images action.");
    } else if (parse(&list)) {
        take_all(&list);
        answer(&list, fired);
    }
    for (size_t i = 0; i < list.count; i++) {
        cJSON_Delete(list.items[i].json);
    }
    for (size_t i = 0; i < list.sort_count; i++) {
        free(list.sorts[i].key);
    }
    free(list.items);
}
