/* Any bytes as a YAML file: whatever is read is well formed, and comes back the same through JSON. */
#include "config.h"

#include <assert.h>
#include <stdint.h>

#include "data/json-read.h"
#include "data/json-write.h"
#include "data/yaml-read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_node(const Node *node, size_t depth)
{
    assert(depth <= YAML_DEPTH_MAX);
    assert(node->mark.line && node->mark.column);
    assert(node->type == NODE_STRING || node->type == NODE_LIST || node->type == NODE_MAP);
    for (uint32_t i = 0; node->type == NODE_LIST && i < node->n; i++)
        check_node(node->items[i], depth + 1);
    for (uint32_t i = 0; node->type == NODE_MAP && i < node->n; i++) {
        assert(node->entries[i].mark.line);
        assert(node_entry(node, node->entries[i].key) == &node->entries[i]); /* so there is no other */
        check_node(node->entries[i].value, depth + 1);
    }
}

static void check_round_trip(Arena *arena, const Node *node)
{
    CLEANUP(str_done) Str text = {0};
    CLEANUP(error_freep) Error *err = NULL;
    const Node *again = NULL;
    json_write_node(&text, node);
    int r = json_read(arena, text.data, text.len, &again, &err);
    assert(r == 0);
    assert(node_equal(node, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(str_done) Str shown = {0};
    problems_add_source(problems, "input.yaml", text, size);
    const Node *documents = yaml_read(arena, "input.yaml", text, size, problems);
    problems_forget_source(problems, "input.yaml");
    problems_format(problems, false, &shown);
    assert((problems_count(problems) > 0) == (shown.len > 0));
    assert((problems_errors(problems) > 0) == (problems_first(problems) != NULL));
    assert(documents->type == NODE_LIST);
    for (uint32_t i = 0; i < documents->n; i++) {
        check_node(documents->items[i], 0);
        check_round_trip(arena, documents->items[i]);
    }
    return 0;
}
