/*
 * JSON (cJSON) into nodes, strictly: trailing bytes, duplicate keys, NULs, invalid UTF-8, nesting over 64 and
 * numbers that a double would change (whole ones from 2^53 on, 1e300 among them) are errors (ERROR_PROTOCOL). Whole
 * numbers become NODE_INT, others NODE_DOUBLE. Names are matched with regard to case.
 *
 * A list page of a cloud has thousands of items of which few are ours: a page is parsed once, its items are looked at
 * where they are, and only what is wanted becomes a Node.
 */
#pragma once

#include <stddef.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/node.h"

/* A whole text into a Node of `arena`. `text` needs no NUL at its end. */
int json_read(Arena *arena, const char *text, size_t size, const Node **ret, Error **err);

typedef struct JsonPage JsonPage;
typedef struct JsonItem JsonItem; /* one item of a page; lives as long as the page */

/* Parses a page whose items are the array `member` of an object, or the text's own array if `member` is NULL. */
int json_page_parse(const char *text, size_t size, const char *member, JsonPage **ret, Error **err);
void json_page_free(JsonPage *page);
DEFINE_CLEANUP(JsonPage, json_page_free)
/* The next item, or NULL; start with NULL. O(1). */
const JsonItem *json_page_next(const JsonPage *page, const JsonItem *item);
/* A text member of the page's own object (`next` of Glance); NULL when it is absent or null, an error when it is no
 * text. Borrowed from the page. */
int json_page_text(const JsonPage *page, const char *key, const char **ret, Error **err);

/* The text of a string member of an item, or NULL. Borrowed from the page. */
const char *json_item_text(const JsonItem *item, const char *key);
/* The same of a member of a member that is an object. */
const char *json_item_text_in(const JsonItem *item, const char *member, const char *key);
/* A member as a Node in `arena`, checked strictly; *ret is NULL when it is absent. */
int json_item_node(const JsonItem *item, const char *key, Arena *arena, const Node **ret, Error **err);
/* The whole item as a Node. */
int json_item_whole(const JsonItem *item, Arena *arena, const Node **ret, Error **err);
