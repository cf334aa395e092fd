#include "config.h"

#include "attr/image-rows.h"

#include "base/str.h"

#define UUID_SIZE 36
#define NAME_MAX_BYTES 255

const char *const image_gone_states[] = {"deleted", "pending_delete", NULL};

int check_image_id(const char *text, Error **err)
{
    bool good = strlen(text) == UUID_SIZE;
    for (size_t i = 0; good && i < UUID_SIZE; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        good = dash ? text[i] == '-' : strchr("0123456789abcdef", text[i]) != NULL;
    }
    if (good)
        return 0;
    return error_set(err, ERROR_SPEC, "\"%s\" is no UUID in lower case, such as 33ad552d-1149-471c-8190-ff6776174a00",
                     text);
}

int check_member_name(const char *name, Error **err)
{
    size_t n = strlen(name);
    bool good = n >= 1 && n <= NAME_MAX_BYTES;
    for (const char *p = name; *p; p++)
        good = good && *p > ' ' && *p < 0x7f;
    if (good)
        return 0;
    return error_set(err, ERROR_SPEC,
                     "\"%s\" cannot name an attribute: that takes 1 to %d printable ASCII characters, without spaces",
                     name, NAME_MAX_BYTES);
}

int check_free_name(const Field *fields, const char *const *others, const char *name, Error **err)
{
    if (check_member_name(name, err) < 0)
        return -1;
    const Field *field = field_find(fields, name);
    if (field && field->flags & FIELD_ATTRIBUTE)
        return error_set(err, ERROR_SPEC, "\"%s\" has a key of its own in spec: write it there", name);
    for (; *others; others++)
        if (streq(*others, name))
            return error_set(err, ERROR_SPEC, "\"%s\" is the cloud's own and cannot be changed", name);
    return 0;
}
