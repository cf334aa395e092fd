/* JSON patches as Glance and IMS take them: an array of add, replace and remove of members (RFC 6902, one level). */
#pragma once

#include "base/str.h"
#include "data/node.h"

/* Adds the array of operations that set `values` (wire names to new values; null: it goes) on an object that is `live`:
 * `replace` for what is there, `add` for what is not, and `remove`. `remove_value`, unless it is NULL, is given to
 * removals as their value, for an API that insists on one. In the order of `values`. */
void json_patch_add(const Node *live, const Node *values, const char *remove_value, Str *out);
