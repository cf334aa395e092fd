#include "config.h"

#include "attr/field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/vec.h"

#define TAG_KEY_MAX 100
#define TAG_VALUE_MAX 256

const Field *field_find(const Field *fields, const char *name)
{
    for (; fields->name; fields++)
        if (streq(fields->name, name))
            return fields;
    return NULL;
}

static void problem(const FieldReader *r, Mark mark, const char *format, ...) PRINTF(3, 4);
static void problem(const FieldReader *r, Mark mark, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *text = xvasprintf(format, args);
    va_end(args);
    problem_add(r->problems, PROBLEM_ERROR, r->file, mark, "%s", text);
}

static size_t count_characters(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

/* An empty scalar is not among them: what somebody forgot to write must not take anything away. */
bool scalar_is_null(const Node *node)
{
    return node->type == NODE_STRING && node->plain && (streq(node->text, "~") || strcasecmp(node->text, "null") == 0);
}

/* The text of a scalar that has one, or NULL after a problem. */
static const char *scalar_text(const FieldReader *r, const Field *f, const Node *node)
{
    if (node->type != NODE_STRING) {
        problem(r, node->mark, "%s must be a single value, not %s", f->name, node_type_name(node));
        return NULL;
    }
    if (node->plain && !*node->text) {
        bool may_be_empty = f->type == FIELD_TEXT && f->min == 0;
        problem(r, node->mark, "%s has no value%s", f->name,
                may_be_empty                ? "; write \"\" for an empty text"
                : f->flags & FIELD_REQUIRED ? ""
                                            : ": write one, or leave it out");
        return NULL;
    }
    return node->text;
}

static bool check_length(const FieldReader *r, const Field *f, const Node *node)
{
    int64_t n = (int64_t)count_characters(node->text);
    if (n >= f->min && (!f->max || n <= f->max))
        return true;
    if (n == 0)
        problem(r, node->mark, "%s must not be empty", f->name);
    else if (n < f->min)
        problem(r, node->mark, "%s must have at least %" PRId64 " characters; this has %" PRId64, f->name, f->min, n);
    else
        problem(r, node->mark, "%s must have at most %" PRId64 " characters; this has %" PRId64, f->name, f->max, n);
    return false;
}

/* What is no attribute of the cloud's is shown as it is: a control character in it would pass for something else in a
 * log. */
static bool check_printable(const FieldReader *r, const Field *f, const Node *node)
{
    if (f->flags & FIELD_ATTRIBUTE)
        return true;
    for (const unsigned char *p = (const unsigned char *)node->text; *p; p++)
        if (*p < ' ' || *p == 0x7f) {
            problem(r, node->mark, "%s holds a control character%s", f->name, *p == '\n' ? " (a line break)" : "");
            return false;
        }
    return true;
}

static const Node *read_text(const FieldReader *r, const Field *f, const Node *node)
{
    const char *text = scalar_text(r, f, node);
    if (!text || !check_length(r, f, node) || !check_printable(r, f, node))
        return NULL;
    if (f->prefix && !starts_with(text, f->prefix)) {
        problem(r, node->mark, "%s must begin with \"%s\", as this does not: \"%s\"", f->name, f->prefix, text);
        return NULL;
    }
    CLEANUP(error_freep) Error *err = NULL;
    if (f->check && f->check(text, &err) < 0) {
        problem(r, node->mark, "%s: %s", f->name, err->message);
        return NULL;
    }
    return node;
}

static const Node *read_enum(const FieldReader *r, const Field *f, const Node *node)
{
    const char *text = scalar_text(r, f, node);
    if (!text)
        return NULL;
    for (const char *const *v = f->values; *v; v++)
        if (streq(*v, text) || ((f->flags & FIELD_FOLD) && strcasecmp(*v, text) == 0))
            return node;
    CLEANUP(str_done) Str list = {0};
    for (const char *const *v = f->values; *v; v++)
        str_addf(&list, "%s%s", v == f->values ? "" : v[1] ? ", " : " or ", *v);
    problem(r, node->mark, "%s must be %s%s, not \"%s\"", f->name, str_get(&list),
            f->flags & FIELD_NULLABLE ? ", or null if it must be absent" : "", text);
    return NULL;
}

static const Node *read_bool(const FieldReader *r, const Field *f, const Node *node)
{
    const char *text = scalar_text(r, f, node);
    if (!text)
        return NULL;
    if (streq(text, "true") || streq(text, "false"))
        return node_bool(*text == 't');
    problem(r, node->mark, "%s must be true or false, not \"%s\"", f->name, text);
    return NULL;
}

static const Node *read_int(const FieldReader *r, const Field *f, const Node *node)
{
    const char *text = scalar_text(r, f, node);
    if (!text)
        return NULL;
    const char *digits = text + (*text == '-');
    errno = 0;
    char *end;
    int64_t value = strtoll(text, &end, 10);
    if (*digits < '0' || *digits > '9' || *end) {
        problem(r, node->mark, "%s must be a whole number, not \"%s\"", f->name, text);
        return NULL;
    }
    if (errno || value < f->min || (f->max && value > f->max)) {
        if (f->max)
            problem(r, node->mark, "%s must be %" PRId64 " to %" PRId64 ", not %s", f->name, f->min, f->max, text);
        else
            problem(r, node->mark, "%s must be at least %" PRId64 ", not %s", f->name, f->min, text);
        return NULL;
    }
    return node_int(r->arena, value);
}

/* In the largest unit that gives a whole number. */
static char *duration_text(int64_t usec)
{
    static const struct {
        const char *name;
        usec_t usec;
    } units[] = {{"d", 24 * USEC_PER_HOUR}, {"h", USEC_PER_HOUR}, {"m", USEC_PER_MINUTE}, {"s", USEC_PER_SEC}};
    size_t i = 0;
    while (i + 1 < ARRAY_SIZE(units) && (usec_t)usec % units[i].usec)
        i++;
    return xasprintf("%" PRIu64 "%s", (usec_t)usec / units[i].usec, units[i].name);
}

static const Node *read_duration(const FieldReader *r, const Field *f, const Node *node)
{
    const char *text = scalar_text(r, f, node);
    usec_t value;
    if (!text)
        return NULL;
    if (parse_duration(text, &value) < 0) {
        problem(r, node->mark, "%s must be a duration such as 90s, 5m or 1h30m, not \"%s\"", f->name, text);
        return NULL;
    }
    if ((int64_t)value < f->min || (f->max && (int64_t)value > f->max)) {
        bool low = (int64_t)value < f->min;
        CLEANUP(freep) char *limit = duration_text(low ? f->min : f->max);
        problem(r, node->mark, "%s must be at %s %s, not %s", f->name, low ? "least" : "most", limit, text);
        return NULL;
    }
    return node_int(r->arena, (int64_t)value);
}

static const Node *read_time(const FieldReader *r, const Field *f, const Node *node)
{
    const char *text = scalar_text(r, f, node);
    usec_t value;
    if (!text)
        return NULL;
    if (parse_rfc3339(text, &value) < 0) {
        problem(r, node->mark, "%s must be a time such as 2026-12-01T00:00:00Z, not \"%s\"", f->name, text);
        return NULL;
    }
    return node_int(r->arena, (int64_t)value);
}

/* OCI's rule for free-form keys (api: "Limits on Tags"), which holds for namespaces and keys of defined tags as well.
 */
static bool check_tag_key(const FieldReader *r, const Field *f, const NodeEntry *entry)
{
    size_t n = strlen(entry->key);
    bool good = n >= 1 && n <= TAG_KEY_MAX;
    for (const char *p = entry->key; *p; p++)
        good = good && *p > ' ' && *p < 0x7f && *p != '.';
    if (!good)
        problem(r, entry->mark,
                "%s: \"%s\" cannot name a tag or a namespace: that takes 1 to %d printable ASCII "
                "characters, without dots and spaces",
                f->name, entry->key, TAG_KEY_MAX);
    return good;
}

bool field_reserves(const Field *field, const char *key)
{
    for (const char *const *k = field->reserved; k && *k; k++)
        if (streq(*k, key))
            return true;
    return false;
}

static bool check_tag_is_free(const FieldReader *r, const Field *f, const NodeEntry *entry)
{
    if (!field_reserves(f, entry->key))
        return true;
    problem(r, entry->mark,
            "%s.%s is a tag that imagekeeper writes itself, to know its backups again: choose another key", f->name,
            entry->key);
    return false;
}

static bool check_tag_value(const FieldReader *r, const Field *f, const NodeEntry *entry)
{
    const Node *v = entry->value;
    if (v->type == NODE_STRING && v->plain && !*v->text) {
        problem(r, v->mark, "%s.%s has no value; write \"\" for an empty one%s", f->name, entry->key,
                f->flags & FIELD_NULLABLE ? ", or null if the key must be absent" : "");
        return false;
    }
    if (scalar_is_null(v)) {
        if (!(f->flags & FIELD_NULLABLE))
            problem(r, v->mark, "%s.%s cannot be null here: write a value", f->name, entry->key);
        return f->flags & FIELD_NULLABLE;
    }
    if (v->type != NODE_STRING) {
        problem(r, v->mark, "%s.%s must be a single value, not %s", f->name, entry->key, node_type_name(v));
        return false;
    }
    if (count_characters(v->text) > TAG_VALUE_MAX) {
        problem(r, v->mark, "%s.%s must have at most %d characters; this has %zu", f->name, entry->key, TAG_VALUE_MAX,
                count_characters(v->text));
        return false;
    }
    return true;
}

/* Keys that differ in case alone are one key to the API. */
static bool check_folded_keys(const FieldReader *r, const Field *f, const Node *map)
{
    bool good = true;
    for (uint32_t i = 0; i < map->n; i++)
        for (uint32_t j = 0; j < i; j++)
            if (strcasecmp(map->entries[i].key, map->entries[j].key) == 0) {
                problem(r, map->entries[i].mark,
                        "%s: \"%s\" and \"%s\" are the same key to the API, which ignores case", f->name,
                        map->entries[j].key, map->entries[i].key);
                good = false;
            }
    return good;
}

static bool check_is_map(const FieldReader *r, const char *name, const Node *node)
{
    if (node->type == NODE_MAP)
        return true;
    if (node->type == NODE_STRING && node->plain && !*node->text)
        problem(r, node->mark, "%s has no value; it must be a map", name);
    else
        problem(r, node->mark, "%s must be a map, not %s", name, node_type_name(node));
    return false;
}

/* What is null becomes NODE_NULL; a map without any is kept as it is. */
static const Node *read_tags(const FieldReader *r, const Field *f, const Node *node)
{
    if (!check_is_map(r, f->name, node))
        return NULL;
    bool good = !(f->flags & FIELD_FOLD) || check_folded_keys(r, f, node), nulls = false;
    for (uint32_t i = 0; i < node->n; i++) {
        const NodeEntry *e = &node->entries[i];
        good = check_tag_key(r, f, e) && check_tag_is_free(r, f, e) && check_tag_value(r, f, e) && good;
        nulls = nulls || scalar_is_null(e->value);
    }
    if (!good || !nulls)
        return good ? node : NULL;
    NodeBuilder *b = node_builder_new(r->arena, NODE_MAP, node->mark);
    for (uint32_t i = 0; i < node->n; i++) {
        const NodeEntry *e = &node->entries[i];
        node_builder_add(b, e->key, e->mark, scalar_is_null(e->value) ? node_null() : e->value);
    }
    return node_builder_end(b);
}

/* What typing made of a map: nothing else is kept of one that it left as it is. */
static const Node *end_typed(NodeBuilder *b, const Node *map, bool good, bool changed)
{
    if (good && changed)
        return node_builder_end(b);
    node_builder_free(b);
    return good ? map : NULL;
}

static const Node *read_tag_namespaces(const FieldReader *r, const Field *f, const Node *node)
{
    if (!check_is_map(r, f->name, node))
        return NULL;
    bool good = check_folded_keys(r, f, node), changed = false;
    NodeBuilder *b = node_builder_new(r->arena, NODE_MAP, node->mark);
    for (uint32_t i = 0; i < node->n; i++) {
        const NodeEntry *e = &node->entries[i];
        CLEANUP(freep) char *name = xasprintf("%s.%s", f->name, e->key);
        Field tags = *f;
        tags.name = name;
        tags.flags |= FIELD_FOLD;
        const Node *typed = NULL;
        if (scalar_is_null(e->value))
            problem(r, e->value->mark, "%s cannot be null: name its keys, as in {key: %s}", name,
                    f->flags & FIELD_NULLABLE ? "null" : "value");
        else if (check_tag_key(r, f, e))
            typed = read_tags(r, &tags, e->value);
        good = good && typed;
        changed = changed || typed != e->value;
        node_builder_add(b, e->key, e->mark, typed);
    }
    return end_typed(b, node, good, changed);
}

static bool check_is_list(const FieldReader *r, const Field *f, const Node *node)
{
    if (node->type == NODE_LIST)
        return true;
    if (node->type == NODE_STRING && node->plain && !*node->text)
        problem(r, node->mark, "%s has no value; it must be a list", f->name);
    else
        problem(r, node->mark, "%s must be a list, not %s", f->name, node_type_name(node));
    return false;
}

static const Node *read_text_list(const FieldReader *r, const Field *f, const Node *node)
{
    if (!check_is_list(r, f, node))
        return NULL;
    bool good = true;
    for (uint32_t i = 0; i < node->n; i++)
        good = read_text(r, f, node->items[i]) && good;
    return good ? node : NULL;
}

static const Node *read_set_item(const FieldReader *r, const Field *f, const Node *node)
{
    if (!scalar_is_null(node))
        return read_text(r, f, node);
    problem(r, node->mark, "%s cannot hold null: leave it out, or write it in quotes", f->name);
    return NULL;
}

static const Node *read_text_set(const FieldReader *r, const Field *f, const Node *node)
{
    if (!check_is_list(r, f, node))
        return NULL;
    bool good = true;
    CLEANUP(node_builder_freep) NodeBuilder *b = node_builder_new(r->arena, NODE_MAP, node->mark);
    for (uint32_t i = 0; i < node->n; i++) {
        const Node *item = read_set_item(r, f, node->items[i]);
        good = good && item;
        if (item && node_builder_find(b, item->text)) {
            problem(r, item->mark, "%s: \"%s\" is there twice", f->name, item->text);
            good = false;
        } else if (item) {
            node_builder_add(b, item->text, item->mark, item);
        }
    }
    return good ? node_builder_end(TAKE(b)) : NULL;
}

static bool check_free_name(const FieldReader *r, const Field *f, const NodeEntry *entry)
{
    CLEANUP(error_freep) Error *err = NULL;
    if (f->check_name(entry->key, &err) == 0)
        return true;
    problem(r, entry->mark, "%s: %s", f->name, err->message);
    return false;
}

/* The value of an attribute without a row: a text by the limits of the field, or a null. */
static const Node *read_free_value(const FieldReader *r, const Field *f, const NodeEntry *entry)
{
    CLEANUP(freep) char *name = xasprintf("%s.%s", f->name, entry->key);
    Field value = *f;
    value.name = name;
    value.type = FIELD_TEXT;
    if (!scalar_is_null(entry->value))
        return read_text(r, &value, entry->value);
    if (!(f->flags & FIELD_NULLABLE))
        problem(r, entry->value->mark, "%s cannot be null here: write a value", name);
    return f->flags & FIELD_NULLABLE ? node_null() : NULL;
}

static const Node *read_free(const FieldReader *r, const Field *f, const Node *node)
{
    if (!check_is_map(r, f->name, node))
        return NULL;
    bool good = true;
    CLEANUP(node_builder_freep) NodeBuilder *b = node_builder_new(r->arena, NODE_MAP, node->mark);
    for (uint32_t i = 0; i < node->n; i++) {
        const NodeEntry *e = &node->entries[i];
        const Node *value = read_free_value(r, f, e);
        good = check_free_name(r, f, e) && value && good;
        if (good)
            node_builder_add(b, e->key, e->mark, value);
    }
    return good ? node_builder_end(TAKE(b)) : NULL;
}

static const Node *read_map(const FieldReader *r, const Field *f, const Node *node)
{
    if (!f->members) /* not known: anything may stand there */
        return check_is_map(r, f->name, node) ? node : NULL;
    return fields_read(r, f->members, node, f->name);
}

/* Without rows of its own: they depend on what is in the maps, and who needs the list reads them one by one. */
static const Node *read_map_list(const FieldReader *r, const Field *f, const Node *node)
{
    if (!check_is_list(r, f, node))
        return NULL;
    if (!f->members)
        return node;
    bool good = true;
    NodeBuilder *b = node_builder_new(r->arena, NODE_LIST, node->mark);
    for (uint32_t i = 0; i < node->n; i++) {
        const Node *typed = fields_read(r, f->members, node->items[i], f->name);
        good = good && typed;
        node_builder_add(b, NULL, (Mark){0}, typed);
    }
    const Node *list = node_builder_end(b);
    return good ? list : NULL;
}

static const struct {
    const char *name;
    const Node *(*read)(const FieldReader *reader, const Field *field, const Node *node);
} types[FIELD_TYPE_MAX] = {
    [FIELD_TEXT] = {"text", read_text},
    [FIELD_ENUM] = {"one of a few words", read_enum},
    [FIELD_BOOL] = {"true or false", read_bool},
    [FIELD_INT] = {"a whole number", read_int},
    [FIELD_DURATION] = {"a duration such as 5m", read_duration},
    [FIELD_TIME] = {"a time such as 2026-12-01T00:00:00Z", read_time},
    [FIELD_TAGS] = {"a map of tags", read_tags},
    [FIELD_TAG_NAMESPACES] = {"a map of namespaces of tags", read_tag_namespaces},
    [FIELD_TEXT_LIST] = {"a list of texts", read_text_list},
    [FIELD_TEXT_SET] = {"a list of texts, each once", read_text_set},
    [FIELD_FREE] = {"a map of attributes", read_free},
    [FIELD_MAP] = {"a map", read_map},
    [FIELD_MAP_LIST] = {"a list of maps", read_map_list},
};

const char *field_type_name(const Field *field)
{
    return types[field->type].name;
}

static const Node *read_value(const FieldReader *r, const Field *f, const Node *node)
{
    if (!scalar_is_null(node))
        return types[f->type].read(r, f, node);
    if (f->flags & FIELD_NULLABLE && !field_is_map(f))
        return node_null();
    if (f->flags & FIELD_REQUIRED)
        problem(r, node->mark, "%s cannot be null", f->name);
    else if (f->flags & FIELD_NULLABLE)
        problem(r, node->mark,
                "%s cannot be null: leave it out, or name the keys that must be absent, as in {key: null}", f->name);
    else
        problem(r, node->mark, "%s cannot be null: leave it out if nothing is to be said about it", f->name);
    return NULL;
}

char *names_hint(const char *word, const char *const *names)
{
    const char *nearest = nearest_name(word, names);
    if (nearest)
        return xasprintf("; did you mean \"%s\"?", nearest);
    Str text = {0};
    for (const char *const *n = names; *n; n++)
        str_addf(&text, "%s%s", n == names ? "; known: " : ", ", *n);
    return str_take(&text);
}

static void report_unknown(const FieldReader *r, const Field *fields, const NodeEntry *entry, const char *what)
{
    VEC(const char *) names = {0};
    for (; fields->name; fields++)
        *VEC_ADD(&names) = fields->name;
    *VEC_ADD(&names) = NULL;
    CLEANUP(freep) char *hint = names_hint(entry->key, names.items);
    problem(r, entry->mark, "unknown key \"%s\" in %s%s", entry->key, what, hint);
    VEC_DONE(&names);
}

static bool check_required(const FieldReader *r, const Field *fields, const Node *node, const char *what)
{
    bool good = true;
    for (; fields->name; fields++)
        if (fields->flags & FIELD_REQUIRED && !node_get(node, fields->name)) {
            problem(r, node->mark, "%s needs \"%s\": %s", what, fields->name, fields->doc);
            good = false;
        }
    return good;
}

const Node *fields_read(const FieldReader *r, const Field *fields, const Node *node, const char *what)
{
    if (!check_is_map(r, what, node))
        return NULL;
    bool good = check_required(r, fields, node, what), changed = false;
    NodeBuilder *b = node_builder_new(r->arena, NODE_MAP, node->mark);
    for (uint32_t i = 0; i < node->n; i++) {
        const NodeEntry *e = &node->entries[i];
        const Field *f = field_find(fields, e->key);
        if (!f)
            report_unknown(r, fields, e, what);
        const Node *typed = f ? read_value(r, f, e->value) : NULL;
        good = good && typed;
        changed = changed || typed != e->value;
        node_builder_add(b, e->key, e->mark, typed);
    }
    return end_typed(b, node, good, changed);
}
