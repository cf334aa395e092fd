/* PATCH of an image of Glance: two media types, which attributes may be changed, and the change itself. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "glance.h"
#include "json.h"
#include "sim.h"

#define TEXT_MAX 255
#define NUMBER_MAX 2147483647.0
#define QUOTA 128

static const char draft4[] = "application/openstack-images-v2.0-json-patch";
static const char draft10[] = "application/openstack-images-v2.1-json-patch";

enum operation { OP_ADD, OP_REPLACE, OP_REMOVE, OP_NONE };

static const char *const operations[] = {[OP_ADD] = "add", [OP_REPLACE] = "replace", [OP_REMOVE] = "remove"};

struct step {
    enum operation op;
    char *name; /* of the attribute */
    const cJSON *value;
};

struct patch {
    const struct request *request;
    struct reply *reply;
    bool older;   /* the form before v2.1 */
    bool movable; /* its status lets the formats be changed */
    struct step *steps;
    size_t count;
    cJSON *image; /* a copy that the operations are done on */
};

/* ---- values: NULL when right, else what they should be ---- */

typedef const char *value_fn(const cJSON *value);

static const char *check_text(const cJSON *value)
{
    return cJSON_IsString(value) ? NULL : "is not of type 'string'";
}

static const char *check_short(const cJSON *value)
{
    if (!cJSON_IsString(value) && !cJSON_IsNull(value)) {
        return "is not of type 'null', 'string'";
    }
    return cJSON_IsString(value) && json_characters(value->valuestring) > TEXT_MAX ? "is too long" : NULL;
}

static const char *check_number(const cJSON *value)
{
    if (!cJSON_IsNumber(value) || value->valuedouble != (double)(int64_t)value->valuedouble) {
        return "is not of type 'integer'";
    }
    return value->valuedouble < 0 || value->valuedouble > NUMBER_MAX ? "is out of range" : NULL;
}

static const char *check_flag(const cJSON *value)
{
    return cJSON_IsBool(value) ? NULL : "is not of type 'boolean'";
}

static const char *check_tags(const cJSON *value)
{
    const cJSON *tag;

    cJSON_ArrayForEach(tag, value)
    {
        if (!cJSON_IsString(tag) || json_characters(tag->valuestring) > TEXT_MAX) {
            return "has an item that is not of type 'string', or is too long";
        }
    }
    return cJSON_IsArray(value) ? NULL : "is not of type 'array'";
}

/* Of another image, or none. */
static const char *check_uuid(const cJSON *value)
{
    const char *text = cJSON_GetStringValue(value);
    bool good = text != NULL && strlen(text) == 36;

    for (size_t i = 0; good && i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        good = dash ? text[i] == '-' : isxdigit((unsigned char)text[i]) != 0;
    }
    return good || cJSON_IsNull(value) ? NULL : "is not an image id";
}

static bool is_among(const cJSON *value, const char *const *words, size_t count)
{
    for (size_t i = 0; cJSON_IsString(value) && i < count; i++) {
        if (strcmp(value->valuestring, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

#define IS_AMONG(value, words) is_among(value, words, sizeof(words) / sizeof((words)[0]))

static const char *check_visibility(const cJSON *value)
{
    static const char *const words[] = {"community", "public", "private", "shared"};

    return IS_AMONG(value, words) ? NULL : "is not one of ['community', 'public', 'private', 'shared']";
}

static const char *check_container(const cJSON *value)
{
    static const char *const words[] = {"ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"};

    return cJSON_IsNull(value) || IS_AMONG(value, words) ? NULL : "is not one of the container formats";
}

static const char *check_disk(const cJSON *value)
{
    static const char *const words[] = {"ami", "ari",   "aki", "vhd",   "vhdx", "vmdk",
                                        "raw", "qcow2", "vdi", "ploop", "iso"};

    return cJSON_IsNull(value) || IS_AMONG(value, words) ? NULL : "is not one of the disk formats";
}

/* ---- attributes ---- */

static const struct base {
    const char *name;
    value_fn *check;
} bases[] = {
    {"name", check_short},       {"visibility", check_visibility}, {"protected", check_flag},
    {"os_hidden", check_flag},   {"min_ram", check_number},        {"min_disk", check_number},
    {"tags", check_tags},        {"owner", check_short},           {"container_format", check_container},
    {"disk_format", check_disk},
};

/* NULL for an extra property. */
static const struct base *find_base(const char *name)
{
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        if (strcmp(bases[i].name, name) == 0) {
            return &bases[i];
        }
    }
    return NULL;
}

static bool is_read_only(const char *name)
{
    static const char *const names[] = {"created_at",   "updated_at",   "status",       "checksum", "size",
                                        "virtual_size", "direct_url",   "self",         "file",     "schema",
                                        "id",           "os_hash_algo", "os_hash_value"};
    const cJSON value = {.type = cJSON_String, .valuestring = (char *)name};

    return IS_AMONG(&value, names);
}

/* The last two are told nowhere, but Glance has them inside and fails over them. */
static bool is_reserved(const char *name)
{
    return strcmp(name, "location") == 0 || strcmp(name, "deleted") == 0 || strcmp(name, "deleted_at") == 0 ||
           strcmp(name, "image_id") == 0 || strcmp(name, "extra_properties") == 0 || strncmp(name, "os_glance", 9) == 0;
}

/* ---- the form of an operation ---- */

static bool fail(const struct patch *patch, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool fail(const struct patch *patch, int status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *message = xvprintf(format, arguments);
    va_end(arguments);
    glance_error(patch->request, patch->reply, status, "%s", message);
    free(message);
    return false;
}

static enum operation read_op(const char *name)
{
    int op = OP_ADD;

    while (op < OP_NONE && (name == NULL || strcmp(operations[op], name) != 0)) {
        op++;
    }
    return (enum operation)op;
}

/* {"op", "path", "value"} */
static const char *read_newer(const struct patch *patch, const cJSON *item, struct step *step)
{
    const cJSON *path = json_member(item, "path");

    step->op = read_op(json_string(item, "op"));
    if (!json_has_only(item, "op path value ")) {
        fail(patch, 400, "An operation has other members than op, path and value");
    } else if (step->op == OP_NONE) {
        fail(patch, 400, "Invalid or missing `op`. It must be one of the following: add, remove, replace.");
    } else if (!cJSON_IsString(path)) {
        fail(patch, 400, "Unable to find 'path' in JSON Schema change");
    } else {
        return path->valuestring;
    }
    return NULL;
}

/* {"add": PATH, "value"}, and so on */
static const char *read_older(const struct patch *patch, const cJSON *item, struct step *step)
{
    const cJSON *path = NULL;

    step->op = OP_NONE;
    for (int op = OP_ADD; op < OP_NONE; op++) {
        const cJSON *member = json_member(item, operations[op]);
        if (member != NULL && path != NULL) {
            path = NULL;
            break;
        }
        if (member != NULL) {
            path = member;
            step->op = (enum operation)op;
        }
    }
    if (!cJSON_IsString(path) || !json_has_only(item, "add replace remove value ")) {
        fail(patch, 400,
             "Operation objects must contain exactly one member named \"add\", \"remove\", or "
             "\"replace\".");
        return NULL;
    }
    return path->valuestring;
}

/* Without white space around it. */
static char *trim(struct text *text)
{
    static const char white[] = " \t\r\n";
    char *start = text->bytes + strspn(text->bytes, white), *end = text->bytes + text->length;

    while (end > start && strchr(white, end[-1]) != NULL) {
        end--;
    }
    char *trimmed = xstrndup(start, (size_t)(end - start));
    text_free(text);
    return trimmed;
}

/* The name that a pointer of one level means; NULL when it is malformed. */
static char *decode_pointer(const char *pointer)
{
    struct text name = {0};

    if (pointer[0] != '/' || pointer[1] == '\0') {
        return NULL;
    }
    for (const char *at = pointer + 1; *at != '\0'; at++) {
        bool escape = *at == '~' && (at[1] == '0' || at[1] == '1');
        if (*at == '/' || (*at == '~' && !escape)) {
            text_free(&name);
            return NULL;
        }
        at += escape;
        text_adds(&name, escape ? (*at == '0' ? "~" : "/") : (char[]){*at, '\0'});
    }
    return trim(&name);
}

/* Locations, the one attribute with a second level, are shown to nobody here and cannot be changed. */
static bool is_location(const char *pointer, enum operation op)
{
    const char *second = strncmp(pointer, "/locations/", 11) == 0 ? pointer + 11 : "";

    return op == OP_REPLACE ? strcmp(pointer, "/locations") == 0 : *second != '\0' && strchr(second, '/') == NULL;
}

static bool check_path(const struct patch *patch, const char *pointer, struct step *step)
{
    if (is_location(pointer, step->op)) {
        return fail(patch, 403, "It's not allowed to change locations if locations are invisible.");
    }
    step->name = decode_pointer(pointer);
    if (step->name == NULL || strcmp(step->name, "locations") == 0) {
        return fail(patch, 400, "Invalid JSON pointer for this resource: '%s'", pointer);
    }
    if (is_read_only(step->name)) {
        return fail(patch, 403, "Attribute '%s' is read-only.", step->name);
    }
    if (is_reserved(step->name)) {
        return fail(patch, 403, "Attribute '%s' is reserved.", step->name);
    }
    if (json_characters(step->name) > TEXT_MAX) {
        return fail(patch, 400, "The name of a property is too long: %s", step->name);
    }
    return true;
}

static bool check_value(const struct patch *patch, const struct step *step)
{
    const struct base *base = find_base(step->name);

    if (step->op == OP_REMOVE) {
        return true;
    }
    if (step->value == NULL) {
        return fail(patch, 400, "Operation \"%s\" requires a member named \"value\".", operations[step->op]);
    }
    bool image = strcmp(step->name, "kernel_id") == 0 || strcmp(step->name, "ramdisk_id") == 0;
    const char *why = (base != NULL ? base->check : image ? check_uuid : check_text)(step->value);
    return why == NULL || fail(patch, 400, "Provided object does not match schema 'image': %s %s", step->name, why);
}

static bool read_step(const struct patch *patch, const cJSON *item, struct step *step)
{
    if (!cJSON_IsObject(item)) {
        return fail(patch, 400, "Operations must be JSON objects.");
    }
    step->value = json_member(item, "value");
    const char *pointer = (patch->older ? read_older : read_newer)(patch, item, step);
    return pointer != NULL && check_path(patch, pointer, step) && check_value(patch, step);
}

/* All of them are looked at before anything else is. */
static bool read_steps(struct patch *patch, const cJSON *body)
{
    const cJSON *item;

    if (!cJSON_IsArray(body)) {
        return fail(patch, 400, "Request body must be a JSON array of operation objects.");
    }
    patch->steps = xcalloc((size_t)cJSON_GetArraySize(body), sizeof(*patch->steps));
    cJSON_ArrayForEach(item, body)
    {
        if (!read_step(patch, item, &patch->steps[patch->count++])) {
            return false;
        }
    }
    return true;
}

/* In just this case; the type may have parameters. */
static bool is_type(const char *given, const char *type)
{
    size_t length = strlen(type);

    return strncmp(given, type, length) == 0 && strchr("; ", given[length]) != NULL;
}

static bool check_type(struct patch *patch)
{
    size_t count;
    const char *type = request_header(patch->request, "Content-Type", &count);

    patch->older = count == 1 && is_type(type, draft4);
    if (!patch->older && (count != 1 || !is_type(type, draft10))) {
        char *accept = xprintf("%s, %s", draft4, draft10);
        glance_error(patch->request, patch->reply, 415, "The media type is not one that can be patched with.");
        reply_add_header(patch->reply, "Accept-Patch", accept);
        free(accept);
        return false;
    }
    return true;
}

/* ---- doing them ---- */

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Sorted, and each once: Glance keeps a set. */
static cJSON *tidy_tags(const cJSON *tags)
{
    size_t count = (size_t)cJSON_GetArraySize(tags), used = 0;
    const char **texts = xcalloc(count, sizeof(*texts));
    cJSON *tidy = cJSON_CreateArray();
    const cJSON *tag;

    cJSON_ArrayForEach(tag, tags)
    {
        texts[used++] = tag->valuestring;
    }
    qsort(texts, count, sizeof(*texts), by_text);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(texts[i - 1], texts[i]) != 0) {
            cJSON_AddItemToArray(tidy, cJSON_CreateString(texts[i]));
        }
    }
    free(texts);
    return tidy;
}

static void set_value(cJSON *image, const struct step *step)
{
    cJSON *value = strcmp(step->name, "tags") == 0 ? tidy_tags(step->value) : cJSON_Duplicate(step->value, true);

    if (json_member(image, step->name) != NULL) {
        cJSON_ReplaceItemInObjectCaseSensitive(image, step->name, value);
    } else {
        cJSON_AddItemToObject(image, step->name, value);
    }
}

static bool check_base(const struct patch *patch, const struct step *step)
{
    bool format = strcmp(step->name, "container_format") == 0 || strcmp(step->name, "disk_format") == 0;

    if (step->op == OP_REMOVE) {
        return fail(patch, 403, "Property %s may not be removed.", step->name);
    }
    if (strcmp(step->name, "owner") == 0 && !patch->request->admin) {
        return fail(patch, 403, "Owner can't be updated by non admin.");
    }
    if (strcmp(step->name, "visibility") == 0 && strcmp(step->value->valuestring, "public") == 0 &&
        !patch->request->admin) {
        return fail(patch, 403, "You are not authorized to complete publicize_image action.");
    }
    if (step->op == OP_ADD && patch->older) {
        return fail(patch, 409, "Property %s already present.", step->name);
    }
    if (format && !patch->movable) {
        return fail(patch, 403, "Attribute %s can be only replaced for a queued image.", step->name);
    }
    return true;
}

static bool check_extra(const struct patch *patch, const struct step *step)
{
    bool present = json_member(patch->image, step->name) != NULL;

    if (step->op != OP_ADD && !present) {
        return fail(patch, 409, "Property %s does not exist.", step->name);
    }
    if (step->op == OP_ADD && present && patch->older) {
        return fail(patch, 409, "Property %s already present.", step->name);
    }
    return true;
}

static bool do_step(const struct patch *patch, const struct step *step)
{
    bool base = find_base(step->name) != NULL;

    if (!(base ? check_base : check_extra)(patch, step)) {
        return false;
    }
    if (step->op == OP_REMOVE) {
        cJSON_DeleteItemFromObjectCaseSensitive(patch->image, step->name);
    } else {
        set_value(patch->image, step);
    }
    return true;
}

static int count_extra(const cJSON *image)
{
    int count = cJSON_GetArraySize(image);

    for (const struct field *field = kind_at(KIND_GLANCE_IMAGE)->fields; field->name != NULL; field++) {
        count -= json_member(image, field->name) != NULL;
    }
    return count;
}

/* What was too much before may stay, and become less. */
static bool check_quotas(const struct patch *patch, const cJSON *before)
{
    int extra = count_extra(patch->image), tags = cJSON_GetArraySize(json_member(patch->image, "tags"));
    const char *what = extra > QUOTA && extra > count_extra(before) ? "properties" : NULL;

    if (tags > QUOTA && tags > cJSON_GetArraySize(json_member(before, "tags"))) {
        what = "tags";
    }
    return what == NULL || fail(patch, 413, "The limit has been exceeded on the number of allowed image %s.", what);
}

static bool do_steps(const struct patch *patch)
{
    cJSON *before = cJSON_Duplicate(patch->image, true);
    bool good = true;

    for (size_t i = 0; good && i < patch->count; i++) {
        good = do_step(patch, &patch->steps[i]);
    }
    good = good && check_quotas(patch, before);
    cJSON_Delete(before);
    return good;
}

static bool may_change(const struct simulator *simulator, const struct request *request, const struct resource *image)
{
    return glance_allowed(simulator, request) &&
           (request->admin || (request->member && glance_owns(request, &image->now)));
}

/* All operations or none; without any the image stays as it is, its time of change included. */
static void change(struct simulator *simulator, struct resource *image, struct patch *patch)
{
    patch->image = cJSON_Parse(image->now.json);
    patch->movable = strcmp(image->now.state, "queued") == 0 || strcmp(image->now.state, "importing") == 0;
    if (!do_steps(patch)) {
        return;
    }
    if (patch->count > 0) {
        store_replace(&simulator->store, &simulator->tags, image, patch->image, clock_now());
        image->updates++;
        patch->reply->applied = true;
    }
    glance_answer(patch->reply, image->now.json, image->now.json_length);
}

static void patch_image(struct simulator *simulator, struct patch *patch)
{
    const struct request *request = patch->request;
    struct resource *image = glance_find(simulator, request, request->id);

    if (image == NULL || !request->reader) {
        glance_error(request, patch->reply, 404, "No image found with ID %s", request->id);
    } else if (!may_change(simulator, request, image)) {
        glance_error(request, patch->reply, 403, "You are not authorized to complete modify_image action.");
    } else {
        change(simulator, image, patch);
    }
}

void update_glance_image(struct simulator *simulator, const struct request *request, const struct fired *fired,
                         struct reply *reply)
{
    struct patch patch = {.request = request, .reply = reply};
    const char *why = NULL;
    cJSON *body = NULL;

    (void)fired;
    if (check_type(&patch)) {
        body = json_parse(request->body.bytes, request->body.length, &why);
        if (body == NULL) {
            glance_error(request, reply, 400, "Malformed JSON in request body: %s.", why);
        } else if (read_steps(&patch, body)) {
            patch_image(simulator, &patch);
        }
    }
    for (size_t i = 0; i < patch.count; i++) {
        free(patch.steps[i].name);
    }
    free(patch.steps);
    cJSON_Delete(patch.image);
    cJSON_Delete(body);
}
