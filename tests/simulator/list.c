/* ListImages: parameters, filters, order and pages. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "oci.h"
#include "sim.h"

#define DEFAULT_LIMIT 100
#define PAGE_TOKEN_MAX 4096

struct listing {
    const char *compartment, *name, *system, *system_version, *state, *page_token;
    unsigned long limit;
    enum store_order order;
    struct page page;
    char *filters; /* canonical text of all that must stay the same from page to page */
};

/* clang-format off: one row a line */
static const struct {
    const char *name;
    bool filter; /* must be repeated with every page */
} parameters[] = {
    {"compartmentId", true}, {"displayName", true},    {"operatingSystem", true}, {"operatingSystemVersion", true},
    {"shape", true},         {"lifecycleState", true}, {"sortBy", true},          {"sortOrder", true},
    {"limit", false},        {"page", false},
};
/* clang-format on */

#define PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

static bool check_parameter(const struct request *request, size_t index, struct reply *reply)
{
    const struct pair *parameter = &request->parameters[index];
    bool known = false;

    for (size_t i = 0; i < PARAMETERS; i++) {
        known = known || strcmp(parameters[i].name, parameter->name) == 0;
    }
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
    static const char *const states[] = {"PROVISIONING", "IMPORTING", "AVAILABLE", "EXPORTING", "DISABLED", "DELETED"};

    listing->state = request_parameter(request, "lifecycleState");
    for (size_t i = 0; listing->state != NULL && i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcasecmp(states[i], listing->state) == 0) {
            return true;
        }
    }
    if (listing->state != NULL) {
        reply_error(reply, "InvalidParameter", "lifecycleState '%s' does not exist", listing->state);
    }
    return listing->state == NULL;
}

static char *canonical_filters(const struct request *request)
{
    struct text filters = {0};

    for (size_t i = 0; i < PARAMETERS; i++) {
        const char *value = parameters[i].filter ? request_parameter(request, parameters[i].name) : NULL;
        if (value != NULL) {
            text_addf(&filters, "%s=%zu:%s\n", parameters[i].name, strlen(value), value);
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

static bool check_compartment(const struct simulator *simulator, const struct listing *listing, struct reply *reply)
{
    const struct compartment *compartment = table_get(&simulator->store.compartments, listing->compartment);

    if (compartment == NULL || compartment->hidden) {
        reply_error(reply, "NotAuthorizedOrNotFound", "Authorization failed or requested resource not found: %s",
                    listing->compartment);
        return false;
    }
    return true;
}

static bool parse(const struct simulator *simulator, const struct request *request, struct listing *listing,
                  struct reply *reply)
{
    for (size_t i = 0; i < request->parameter_count; i++) {
        if (!check_parameter(request, i, reply)) {
            return false;
        }
    }
    listing->compartment = request_parameter(request, "compartmentId");
    if (listing->compartment == NULL) {
        reply_error(reply, "MissingParameter", "compartmentId is required");
        return false;
    }
    listing->name = request_parameter(request, "displayName");
    listing->system = request_parameter(request, "operatingSystem");
    listing->system_version = request_parameter(request, "operatingSystemVersion");
    listing->filters = canonical_filters(request);
    return parse_limit(simulator, request, listing, reply) && parse_sort(request, listing, reply) &&
           parse_state(request, listing, reply) && parse_page(simulator, request, listing, reply) &&
           check_compartment(simulator, listing, reply);
}

static bool is_listed(const struct listing *listing, const struct image *image)
{
    return !image->hidden && (image->compartment == NULL || strcmp(image->compartment, listing->compartment) == 0) &&
           (listing->name == NULL || strcmp(listing->name, image->name) == 0) &&
           (listing->system == NULL || strcmp(listing->system, image->system) == 0) &&
           (listing->system_version == NULL || strcmp(listing->system_version, image->system_version) == 0) &&
           (listing->state == NULL || strcasecmp(listing->state, image->state) == 0);
}

/* Index after the image that ended the page before; where it stood when it is gone. */
static size_t start_index(const struct page *page, struct image *const *images, size_t count)
{
    for (size_t i = 0; page->sequence != 0 && i < count; i++) {
        if (images[i]->sequence == page->sequence) {
            return i + 1;
        }
    }
    return page->offset < count ? page->offset : count;
}

static void add_image(struct reply *reply, const char *json, size_t length)
{
    text_add(&reply->body, ",", reply->body.length > 1 ? 1 : 0);
    text_add(&reply->body, json, length);
}

/* An image of the page before comes again, with other content. */
static unsigned long add_shuffled(const cJSON *rule, const struct listing *listing, struct image *const *images,
                                  size_t start, struct reply *reply)
{
    while (start > 0 && !is_listed(listing, images[start - 1])) {
        start--;
    }
    if (start == 0) {
        return 0;
    }
    cJSON *json = cJSON_Parse(images[start - 1]->json);
    const cJSON *set = json_member(rule, "set");
    if (set != NULL) {
        json_merge(json, set);
    } else {
        char *name = xprintf("%s-shuffled", images[start - 1]->name);
        cJSON_ReplaceItemInObjectCaseSensitive(json, "displayName", cJSON_CreateString(name));
        free(name);
    }
    char *text = json_print(json);
    add_image(reply, text, strlen(text));
    free(text);
    cJSON_Delete(json);
    return 1;
}

static bool more_after(const struct listing *listing, struct image *const *images, size_t at, size_t count)
{
    while (at < count && !is_listed(listing, images[at])) {
        at++;
    }
    return at < count;
}

static void add_page(const struct simulator *simulator, const struct listing *listing, const struct fired *fired,
                     struct image *const *images, struct reply *reply)
{
    size_t count = simulator->store.count;
    size_t at = start_index(&listing->page, images, count);
    const cJSON *shuffle = listing->page_token == NULL ? NULL : fault_shuffle(fired);
    unsigned long given = shuffle == NULL ? 0 : add_shuffled(shuffle, listing, images, at, reply);
    unsigned long last = listing->page.sequence;

    for (; at < count && given < listing->limit; at++) {
        if (is_listed(listing, images[at])) {
            add_image(reply, images[at]->json, images[at]->json_length);
            last = images[at]->sequence;
            given++;
        }
    }
    if (more_after(listing, images, at, count) || (simulator->config.empty_last_page && given > 0)) {
        struct page next = {.offset = at, .sequence = last, .empties = simulator->config.empty_pages};
        reply->next_page = page_token_make(&next, listing->filters);
    }
}

void list_images(struct simulator *simulator, const struct request *request, const struct fired *fired,
                 struct reply *reply)
{
    struct listing listing = {0};

    if (parse(simulator, request, &listing, reply)) {
        reply->status = 200;
        text_adds(&reply->body, "[");
        if (listing.page.empties > 0) {
            struct page same = listing.page;
            same.empties--;
            reply->next_page = page_token_make(&same, listing.filters);
        } else {
            add_page(simulator, &listing, fired, store_ordered(&simulator->store, listing.order), reply);
        }
        text_adds(&reply->body, "]");
    }
    free(listing.filters);
}
