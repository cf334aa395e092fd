/* INI files as OCI's tools write them: [section], key = value, lines of comment after # or ;. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct Ini Ini;

typedef struct IniEntry {
    const char *section, *key;
    const char *value; /* trimmed; may be a secret */
    unsigned line;
} IniEntry;

/* `name` is for messages: "name:line: …", ERROR_SPEC. Strict: no line without meaning, no section or key twice. */
int ini_parse(const char *text, size_t size, const char *name, Ini **ret, Error **err);
/* Wipes it first. */
void ini_free(Ini *ini);
DEFINE_CLEANUP(Ini, ini_free)

/* The entry, or NULL; sections with regard to case, keys without. */
const IniEntry *ini_get(const Ini *ini, const char *section, const char *key);
/* Does any section have this key, with a value that is not empty? */
bool ini_holds(const Ini *ini, const char *key);
bool ini_has_section(const Ini *ini, const char *section);
/* The names of the sections in their order, NULL-terminated. */
const char *const *ini_sections(const Ini *ini);
