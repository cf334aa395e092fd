/* JSON patches as Glance and IMS take them: an array of add, replace and remove of members (RFC 6902, one level). */
#pragma once

#include "base/str.h"
#include "data/node.h"

typedef struct JsonPatchRules {
    const char *remove_value; /* value of removals, for an API that insists on one; NULL: they have none */
    bool empty_is_absent;     /* what is an empty text in `live` is added, and not replaced */
} JsonPatchRules;

/* Adds the array of operations that set `values` (wire names to new values; null: it goes) on an object that is `live`:
 * `remove`, then `replace` for what is there and `add` for what is not, each in the order of `values`. What goes makes
 * room for what cannot stand beside it. */
void json_patch_add(const Node *live, const Node *values, const JsonPatchRules *rules, Str *out);
