/* JSON text: nodes in canonical form (sorted keys, exact integers, no white space) for requests, and a writer that
 * goes along for the programs' own output. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "data/node.h"

/* Adds a node in canonical form: the same value gives the same bytes, whatever the order of its source (1.0 is written
 * 1). NULL, and what is no number, is null; bytes that are not UTF-8 become U+FFFD. */
void json_write_node(Str *out, const Node *node);

/* A value for people: JSON, so that quotes show what is text, without anything that could drive a terminal; NULL is
 * "absent". */
void json_show_node(Str *out, const Node *node);

/* The same JSON, with \u escapes for what could drive a terminal or make a line look like another one. The caller frees
 * it. */
char *json_for_terminal(const char *json) __attribute__((returns_nonnull));

/* A writer of nested objects; {.out = &str} is a new one. Keys are NULL inside arrays and at the top. */
typedef struct JsonWriter {
    Str *out;
    bool comma; /* something stands before in this object or array */
} JsonWriter;

void json_begin_object(JsonWriter *w, const char *key);
void json_end_object(JsonWriter *w);
void json_begin_array(JsonWriter *w, const char *key);
void json_end_array(JsonWriter *w);
/* `value` NULL writes null. Bytes that are not UTF-8 become U+FFFD. */
void json_text(JsonWriter *w, const char *key, const char *value);
void json_integer(JsonWriter *w, const char *key, int64_t value);
void json_real(JsonWriter *w, const char *key, double value, int decimals);
void json_boolean(JsonWriter *w, const char *key, bool value);
void json_node(JsonWriter *w, const char *key, const Node *node);
