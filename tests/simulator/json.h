/* JSON stricter than cJSON reads it, and small helpers around cJSON. */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* NULL and a reason (static text) when the bytes are not one strict JSON value: bad UTF-8, control characters,
 * NUL escapes, trailing bytes and duplicate members are all refused. */
cJSON *json_parse(const char *bytes, size_t length, const char **why);

/* Number of characters of UTF-8 text. */
size_t json_characters(const char *text);
/* The member's text, or NULL when it is absent or no string. */
const char *json_string(const cJSON *object, const char *name);
double json_number(const cJSON *object, const char *name, double otherwise);
/* Exact-case lookup. */
cJSON *json_member(const cJSON *object, const char *name);
/* Puts a copy of each member of `changes` into `object`, replacing what is there. */
void json_merge(cJSON *object, const cJSON *changes);
/* Is it an object with no other members than these, each with a space after it? */
bool json_has_only(const cJSON *object, const char *names);
/* Prints without white space and gives the value back. */
char *json_print(const cJSON *value);
