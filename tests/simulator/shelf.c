/* All resources of one kind, in the orders in which lists give them out. */
#include "shelf.h"

#include <stdlib.h>
#include <string.h>

#include "store.h"
#include "text.h"

typedef int compare_fn(const void *left, const void *right);

static int by_creation(const void *left, const void *right)
{
    const struct resource *one = *(struct resource *const *)left, *other = *(struct resource *const *)right;
    int platform = (one->now.compartment != NULL) - (other->now.compartment != NULL);

    return platform != 0 ? platform : (one->sequence > other->sequence) - (one->sequence < other->sequence);
}

static int by_key(const void *left, const void *right, bool name, bool descending)
{
    const struct resource *one = *(struct resource *const *)left, *other = *(struct resource *const *)right;
    int platform = (one->now.compartment != NULL) - (other->now.compartment != NULL);
    int key = name ? strcmp(one->now.name, other->now.name) : strcmp(one->now.created, other->now.created);

    if (platform != 0) {
        return platform;
    }
    if (key == 0) {
        return by_creation(left, right);
    }
    return descending ? -key : key;
}

static int by_time_asc(const void *left, const void *right)
{
    return by_key(left, right, false, false);
}

static int by_time_desc(const void *left, const void *right)
{
    return by_key(left, right, false, true);
}

static int by_name_asc(const void *left, const void *right)
{
    return by_key(left, right, true, false);
}

static int by_name_desc(const void *left, const void *right)
{
    return by_key(left, right, true, true);
}

static compare_fn *const compare[ORDER_COUNT] = {by_creation, by_time_asc, by_time_desc, by_name_asc, by_name_desc};

void shelf_free(struct shelf *shelf)
{
    free(shelf->all);
    for (size_t i = 0; i < ORDER_COUNT; i++) {
        free(shelf->orders[i]);
    }
    *shelf = (struct shelf){0};
}

void shelf_add(struct shelf *shelf, struct resource *resource)
{
    if (shelf->count == shelf->room) {
        shelf->room = shelf->room == 0 ? 64 : shelf->room * 2;
        shelf->all = xrealloc(shelf->all, shelf->room, sizeof(struct resource *));
    }
    shelf->all[shelf->count++] = resource;
}

/* Where the resource stands, or is to stand, among `count` sorted ones. */
static size_t place(struct resource *const *sorted, size_t count, struct resource *resource, enum shelf_order order)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare[order](&sorted[middle], &resource) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void shelf_take_out(struct shelf *shelf, struct resource *resource)
{
    for (size_t i = 0; i < ORDER_COUNT; i++) {
        struct resource **sorted = shelf->orders[i];
        if (shelf->valid[i]) {
            size_t at = place(sorted, shelf->count, resource, (enum shelf_order)i);
            memmove(sorted + at, sorted + at + 1, (shelf->count - at - 1) * sizeof(struct resource *));
        }
    }
}

static void make_room(struct shelf *shelf, size_t order)
{
    if (shelf->order_room[order] < shelf->count) {
        shelf->order_room[order] = shelf->room;
        shelf->orders[order] = xrealloc(shelf->orders[order], shelf->room, sizeof(struct resource *));
    }
}

void shelf_put_back(struct shelf *shelf, struct resource *resource)
{
    for (size_t i = 0; i < ORDER_COUNT; i++) {
        if (shelf->valid[i]) {
            make_room(shelf, i);
            struct resource **sorted = shelf->orders[i];
            size_t at = place(sorted, shelf->count - 1, resource, (enum shelf_order)i);
            memmove(sorted + at + 1, sorted + at, (shelf->count - 1 - at) * sizeof(struct resource *));
            sorted[at] = resource;
        }
    }
}

void shelf_forget_orders(struct shelf *shelf)
{
    memset(shelf->valid, 0, sizeof(shelf->valid));
}

void shelf_sort(struct resource **items, size_t count, enum shelf_order order)
{
    if (count > 1) {
        qsort(items, count, sizeof(struct resource *), compare[order]);
    }
}

struct resource **shelf_ordered(struct shelf *shelf, enum shelf_order order)
{
    if (!shelf->valid[order] && shelf->count > 0) {
        make_room(shelf, order);
        memcpy(shelf->orders[order], shelf->all, shelf->count * sizeof(struct resource *));
        shelf_sort(shelf->orders[order], shelf->count, order);
        shelf->valid[order] = true;
    }
    return shelf->orders[order];
}
