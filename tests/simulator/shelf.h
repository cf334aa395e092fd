/* All resources of one kind, in the orders in which lists give them out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct resource;

enum shelf_order {
    ORDER_CREATION,
    ORDER_TIME_ASC,
    ORDER_TIME_DESC,
    ORDER_NAME_ASC,
    ORDER_NAME_DESC,
    ORDER_COUNT,
};

struct shelf {
    struct resource **all; /* in the order of creation */
    size_t count, room;
    struct resource **orders[ORDER_COUNT];
    size_t order_room[ORDER_COUNT];
    bool valid[ORDER_COUNT];
};

void shelf_free(struct shelf *shelf);
void shelf_add(struct shelf *shelf, struct resource *resource);
/* Around a change of what the orders go by: name, time of creation, compartment. */
void shelf_take_out(struct shelf *shelf, struct resource *resource);
void shelf_put_back(struct shelf *shelf, struct resource *resource);
void shelf_forget_orders(struct shelf *shelf);
/* All of them, platform images first. Valid until the next change. */
struct resource **shelf_ordered(struct shelf *shelf, enum shelf_order order);
/* Sorts any array of resources. */
void shelf_sort(struct resource **items, size_t count, enum shelf_order order);
