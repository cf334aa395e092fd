/* The lists: parameters, filters, order and pages. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "json.h"
#include "oci.h"
#include "sim.h"

#define DEFAULT_LIMIT 100
#define PAGE_TOKEN_MAX 4096

struct listing {
    const struct kind *kind;
    const char *compartment, *name, *state, *source, *page_token;
    const char *values[KIND_FILTERS]; /* asked of the kind's filters */
    unsigned long limit;
    enum shelf_order order;
    struct page page;
    char *filters; /* canonical text of all that must stay the same from page to page */
    int64_t now;
    struct store *store;
    struct resource **items; /* in order */
    size_t count;
};

static const struct parameter *find_parameter(const struct kind *kind, const char *name)
{
    for (const struct parameter *parameter = kind->parameters; parameter->name != NULL; parameter++) {
        if (strcmp(parameter->name, name) == 0) {
            return parameter;
        }
    }
    return NULL;
}

static bool check_parameter(const struct kind *kind, const struct request *request, size_t index, struct reply *reply)
{
    const struct pair *parameter = &request->parameters[index];
    bool known = find_parameter(kind, parameter->name) != NULL;

    if (!known) {
        reply_error(reply, "InvalidParameter", "Unknown query parameter '%s'", parameter->name);
    } else if (request_parameter(request, parameter->name) != parameter->value) {
        reply_error(reply, "InvalidParameter", "The query parameter '%s' comes twice", parameter->name);
    } else if (parameter->value[0] == '\0') {
        reply_error(reply, "InvalidParameter", "The query parameter '%s' is empty", parameter->name);
    } else {
        return true;
    }
    return false;
}

static bool parse_limit(const struct simulator *simulator, const struct request *request, struct listing *listing,
                        struct reply *reply)
{
    const char *text = request_parameter(request, "limit");
    unsigned long most = simulator->config.max_limit;

    listing->limit = DEFAULT_LIMIT < most ? DEFAULT_LIMIT : most;
    if (text == NULL) {
        return true;
    }
    listing->limit = strtoul(text, NULL, 10);
    if (text[strspn(text, "0123456789")] != '\0' || strlen(text) > 9 || listing->limit < 1 || listing->limit > most) {
        reply_error(reply, "InvalidParameter", "limit '%s' is not 1 to %lu", text, most);
        return false;
    }
    return true;
}

static bool parse_sort(const struct request *request, struct listing *listing, struct reply *reply)
{
    const char *by = request_parameter(request, "sortBy"), *order = request_parameter(request, "sortOrder");
    bool descending = order != NULL && strcmp(order, "DESC") == 0;

    if (order != NULL && !descending && strcmp(order, "ASC") != 0) {
        reply_error(reply, "InvalidParameter", "sortOrder '%s' is not ASC or DESC", order);
        return false;
    }
    if (by == NULL && order == NULL) {
        listing->order = ORDER_CREATION;
    } else if (by == NULL || strcmp(by, "TIMECREATED") == 0) {
        listing->order = order == NULL || descending ? ORDER_TIME_DESC : ORDER_TIME_ASC;
    } else if (strcmp(by, "DISPLAYNAME") == 0) {
        listing->order = descending ? ORDER_NAME_DESC : ORDER_NAME_ASC;
    } else {
        reply_error(reply, "InvalidParameter", "sortBy '%s' is not TIMECREATED or DISPLAYNAME", by);
        return false;
    }
    return true;
}

static bool parse_state(const struct request *request, struct listing *listing, struct reply *reply)
{
    listing->state = request_parameter(request, "lifecycleState");
    if (listing->state != NULL && !kind_has_state(listing->kind, listing->state)) {
        reply_error(reply, "InvalidParameter", "lifecycleState '%s' does not exist", listing->state);
        return false;
    }
    return true;
}

static char *canonical_filters(const struct kind *kind, const struct request *request)
{
    struct text filters = {0};

    text_addf(&filters, "%s\n", kind->collection);
    for (const struct parameter *parameter = kind->parameters; parameter->name != NULL; parameter++) {
        const char *value = parameter->repeated ? request_parameter(request, parameter->name) : NULL;
        if (value != NULL) {
            text_addf(&filters, "%s=%zu:%s\n", parameter->name, strlen(value), value);
        }
    }
    return filters.bytes;
}

static bool parse_page(const struct simulator *simulator, const struct request *request, struct listing *listing,
                       struct reply *reply)
{
    listing->page_token = request_parameter(request, "page");
    listing->page.empties = simulator->config.empty_pages;
    if (listing->page_token == NULL) {
        return true;
    }
    if (strlen(listing->page_token) > PAGE_TOKEN_MAX ||
        !page_token_parse(listing->page_token, listing->filters, &listing->page)) {
        reply_error(reply, "InvalidParameter", "The page token is not one of this list with these filters");
        return false;
    }
    return true;
}

static bool check_compartment(const struct simulator *simulator, const struct request *request,
                              const struct listing *listing, struct reply *reply)
{
    const struct compartment *compartment = table_get(&simulator->store.compartments, listing->compartment);

    if (compartment == NULL || compartment->hidden || !oci_allowed(simulator, request, listing->compartment)) {
        oci_not_found(reply, listing->compartment);
        return false;
    }
    return true;
}

static void parse_filters(const struct request *request, struct listing *listing)
{
    const struct kind *kind = listing->kind;

    listing->name = request_parameter(request, "displayName");
    for (size_t i = 0; i < KIND_FILTERS && kind->filters[i] != NULL; i++) {
        listing->values[i] = request_parameter(request, kind->filters[i]);
    }
    listing->source = kind->source == NULL ? NULL : listing->values[0];
    listing->filters = canonical_filters(kind, request);
}

static bool parse(const struct simulator *simulator, const struct request *request, struct listing *listing,
                  struct reply *reply)
{
    for (size_t i = 0; i < request->parameter_count; i++) {
        if (!check_parameter(listing->kind, request, i, reply)) {
            return false;
        }
    }
    listing->compartment = request_parameter(request, "compartmentId");
    if (listing->compartment == NULL) {
        reply_error(reply, "MissingParameter", "compartmentId is required");
        return false;
    }
    parse_filters(request, listing);
    return parse_limit(simulator, request, listing, reply) && parse_sort(request, listing, reply) &&
           parse_state(request, listing, reply) && parse_page(simulator, request, listing, reply) &&
           check_compartment(simulator, request, listing, reply);
}

static bool has_value(const char *value, const char *wanted)
{
    return wanted == NULL || (value != NULL && strcmp(value, wanted) == 0);
}

/* What the list shows of a resource; NULL when it does not list it. Platform images are in every compartment. */
static const struct view *listed(const struct listing *listing, struct resource *resource)
{
    const struct view *view = store_listed(listing->store, resource, listing->now);

    if (view == NULL || !has_value(view->name, listing->name) ||
        (view->compartment != NULL ? strcmp(view->compartment, listing->compartment) != 0
                                   : listing->kind->id != KIND_IMAGE) ||
        (listing->state != NULL && strcasecmp(listing->state, view->state) != 0)) {
        return NULL;
    }
    for (size_t i = 0; i < KIND_FILTERS; i++) {
        if (!has_value(view->filters[i], listing->values[i])) {
            return NULL;
        }
    }
    return view;
}

/* The volume's own backups when the list is of one volume, else all of the kind. */
static void take_items(struct listing *listing)
{
    const struct group *group = listing->source == NULL ? NULL : store_group(listing->store, listing->source);
    struct shelf *shelf = &listing->store->shelves[listing->kind->id];

    if (listing->source == NULL) {
        bool as_made = listing->order == ORDER_CREATION && listing->kind->id != KIND_IMAGE;
        listing->items = as_made ? shelf->all : shelf_ordered(shelf, listing->order);
        listing->count = shelf->count;
    } else if (group != NULL) {
        listing->count = group->count;
        listing->items = xcalloc(group->count, sizeof(struct resource *));
        memcpy(listing->items, group->members, group->count * sizeof(struct resource *));
        shelf_sort(listing->items, listing->count, listing->order);
    }
}

/* Index after the resource that ended the page before; where it stood when it is no more. */
static size_t start_index(const struct listing *listing)
{
    const struct page *page = &listing->page;

    if (page->offset > 0 && page->offset <= listing->count &&
        listing->items[page->offset - 1]->sequence == page->sequence) {
        return page->offset;
    }
    for (size_t i = 0; page->sequence != 0 && i < listing->count; i++) {
        if (listing->items[i]->sequence == page->sequence) {
            return i + 1;
        }
    }
    return page->offset < listing->count ? page->offset : listing->count;
}

static void add_item(struct reply *reply, const char *json, size_t length)
{
    text_add(&reply->body, ",", reply->body.length > 1 ? 1 : 0);
    text_add(&reply->body, json, length);
}

/* A resource of the page before comes again, with other content. */
static unsigned long add_shuffled(const cJSON *rule, const struct listing *listing, size_t start, struct reply *reply)
{
    while (start > 0 && listed(listing, listing->items[start - 1]) == NULL) {
        start--;
    }
    if (start == 0) {
        return 0;
    }
    const struct view *view = listed(listing, listing->items[start - 1]);
    cJSON *json = cJSON_Parse(view->json);
    const cJSON *set = json_member(rule, "set");
    if (set != NULL) {
        json_merge(json, set);
    } else {
        char *name = xprintf("%s-shuffled", view->name);
        cJSON_ReplaceItemInObjectCaseSensitive(json, "displayName", cJSON_CreateString(name));
        free(name);
    }
    char *text = json_print(json);
    add_item(reply, text, strlen(text));
    free(text);
    cJSON_Delete(json);
    return 1;
}

static bool more_after(const struct listing *listing, size_t at)
{
    while (at < listing->count && listed(listing, listing->items[at]) == NULL) {
        at++;
    }
    return at < listing->count;
}

static void add_page(const struct simulator *simulator, const struct listing *listing, const struct fired *fired,
                     struct reply *reply)
{
    size_t at = start_index(listing);
    const cJSON *shuffle = listing->page_token == NULL ? NULL : fault_shuffle(fired);
    unsigned long given = shuffle == NULL ? 0 : add_shuffled(shuffle, listing, at, reply);
    unsigned long last = listing->page.sequence;

    for (; at < listing->count && given < listing->limit; at++) {
        const struct view *view = listed(listing, listing->items[at]);
        if (view != NULL) {
            add_item(reply, view->json, view->json_length);
            last = listing->items[at]->sequence;
            given++;
        }
    }
    if (more_after(listing, at) || (simulator->config.empty_last_page && given > 0)) {
        struct page next = {.offset = at, .sequence = last, .empties = simulator->config.empty_pages};
        reply->next_page = page_token_make(&next, listing->filters);
    }
}

static void answer_page(const struct simulator *simulator, struct listing *listing, const struct fired *fired,
                        struct reply *reply)
{
    reply->status = 200;
    text_adds(&reply->body, "[");
    if (listing->page.empties > 0) {
        struct page same = listing->page;
        same.empties--;
        reply->next_page = page_token_make(&same, listing->filters);
    } else {
        take_items(listing);
        add_page(simulator, listing, fired, reply);
    }
    text_adds(&reply->body, "]");
}

void list_resources(struct simulator *simulator, const struct request *request, const struct fired *fired,
                    struct reply *reply)
{
    struct listing listing = {.kind = oci_kind(request), .now = clock_now(), .store = &simulator->store};

    if (parse(simulator, request, &listing, reply)) {
        answer_page(simulator, &listing, fired, reply);
    }
    if (listing.source != NULL) {
        free(listing.items);
    }
    free(listing.filters);
}
