/* Any bytes as JSON: what is read has one canonical form, whole or as a page. */
#include "config.h"

#include <assert.h>
#include <stdint.h>

#include "data/json-read.h"
#include "data/json-write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(Arena *arena, const Node *node)
{
    CLEANUP(str_done) Str text = {0};
    CLEANUP(str_done) Str text_again = {0};
    const Node *again = NULL;
    json_write_node(&text, node);
    int r = json_read(arena, text.data, text.len, &again, NULL);
    assert(r == 0);
    assert(node_equal(node, again));
    json_write_node(&text_again, again);
    assert(streq(text.data, text_again.data));
}

static void check_error(const Error *err)
{
    assert(err->kind == ERROR_PROTOCOL);
    for (const char *p = err->message; *p; p++)
        assert(*p >= 0x20 && *p < 0x7f);
}

static void check_page(Arena *arena, const char *text, size_t size, const char *member, const Node *whole)
{
    CLEANUP(json_page_freep) JsonPage *page = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (json_page_parse(text, size, member, &page, &err) < 0) {
        check_error(err);
        return;
    }
    const Node *items = member ? node_get(whole, member) : whole;
    uint32_t n = 0;
    for (const JsonItem *item = json_page_next(page, NULL); item; item = json_page_next(page, item), n++) {
        const Node *node = NULL, *named = NULL;
        json_item_text(item, "a");
        int r = json_item_whole(item, arena, &node, NULL);
        int r_named = json_item_node(item, "a", arena, &named, NULL);
        assert(r < 0 || r_named == 0);
        assert(!whole || (r == 0 && node_equal(node, items->items[n])));
        assert(r < 0 || node_equal(named, node_get(node, "a")));
    }
    assert(!whole || n == items->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(error_freep) Error *err = NULL;
    const Node *node = NULL;
    if (json_read(arena, text, size, &node, &err) < 0)
        check_error(err);
    else
        check_round_trip(arena, node);
    check_page(arena, text, size, NULL, node);
    check_page(arena, text, size, "a", node);
    return 0;
}
