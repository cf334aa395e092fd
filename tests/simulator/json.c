/* JSON stricter than cJSON reads it, and small helpers around cJSON. */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Length of the UTF-8 sequence at `bytes`, 0 when it is not a valid one. */
static size_t utf8_sequence(const unsigned char *bytes, size_t left)
{
    unsigned long code;
    size_t size;

    if (bytes[0] < 0x80) {
        return 1;
    }
    size = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
    if (bytes[0] < 0xc2 || bytes[0] > 0xf4 || left < size) {
        return 0;
    }
    code = bytes[0] & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (bytes[i] & 0x3f);
    }
    if ((size == 3 && code < 0x800) || (size == 4 && code < 0x10000) || code > 0x10ffff ||
        (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    return size;
}

static const char *check_bytes(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    bool quoted = false;

    for (size_t i = 0, step; i < length; i += step) {
        step = utf8_sequence(bytes + i, length - i);
        if (step == 0) {
            return "invalid UTF-8";
        }
        if (bytes[i] < 0x20 && (quoted || (bytes[i] != '\t' && bytes[i] != '\n' && bytes[i] != '\r'))) {
            return "control character";
        }
        if (!quoted && step > 1) {
            return "character outside a string";
        }
        if (quoted && bytes[i] == '\\' && i + 1 < length) {
            if (length - i >= 6 && memcmp(bytes + i, "\\u0000", 6) == 0) {
                return "NUL character";
            }
            step = 2;
        } else if (bytes[i] == '"') {
            quoted = !quoted;
        }
    }
    return NULL;
}

static bool has_duplicates(const cJSON *value)
{
    for (const cJSON *item = value->child; item != NULL; item = item->next) {
        if (cJSON_IsObject(value)) {
            for (const cJSON *other = item->next; other != NULL; other = other->next) {
                if (strcmp(item->string, other->string) == 0) {
                    return true;
                }
            }
        }
        if (has_duplicates(item)) {
            return true;
        }
    }
    return false;
}

cJSON *json_parse(const char *bytes, size_t length, const char **why)
{
    const char *end = NULL;

    *why = check_bytes(bytes, length);
    if (*why != NULL) {
        return NULL;
    }
    cJSON *value = cJSON_ParseWithLengthOpts(bytes, length, &end, false);
    if (value == NULL) {
        *why = "not JSON";
        return NULL;
    }
    for (; end < bytes + length; end++) {
        if (strchr(" \t\r\n", *end) == NULL || *end == '\0') {
            cJSON_Delete(value);
            *why = "bytes after the JSON value";
            return NULL;
        }
    }
    if (has_duplicates(value)) {
        cJSON_Delete(value);
        *why = "duplicate member";
        return NULL;
    }
    return value;
}

size_t json_characters(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++) {
        count += (*text & 0xc0) != 0x80;
    }
    return count;
}

cJSON *json_member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *json_string(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(json_member(object, name));
}

double json_number(const cJSON *object, const char *name, double otherwise)
{
    const cJSON *member = json_member(object, name);

    return cJSON_IsNumber(member) ? member->valuedouble : otherwise;
}

void json_merge(cJSON *object, const cJSON *changes)
{
    const cJSON *change;

    cJSON_ArrayForEach(change, changes)
    {
        cJSON *copy = cJSON_Duplicate(change, true);
        if (json_member(object, change->string) != NULL) {
            cJSON_ReplaceItemInObjectCaseSensitive(object, change->string, copy);
        } else {
            cJSON_AddItemToObject(object, change->string, copy);
        }
    }
}

char *json_print(const cJSON *value)
{
    char *text = cJSON_PrintUnformatted(value);

    return text != NULL ? text : xstrdup("null");
}

bool json_has_only(const cJSON *object, const char *names)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, object)
    {
        char *word = xprintf("%s ", member->string);
        const char *at = strstr(names, word);
        bool known = at != NULL && (at == names || at[-1] == ' ');
        free(word);
        if (!known) {
            return false;
        }
    }
    return cJSON_IsObject(object);
}
