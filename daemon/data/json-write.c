#include "config.h"

#include "data/json-write.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

static void add_escaped(Str *out, unsigned char c)
{
    static const char letters[32] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    if (c == '"' || c == '\\') {
        char escaped[] = {'\\', (char)c};
        str_addn(out, escaped, sizeof(escaped));
    } else if (letters[c]) {
        char escaped[] = {'\\', letters[c]};
        str_addn(out, escaped, sizeof(escaped));
    } else {
        str_addf(out, "\\u%04X", c);
    }
}

static void add_string(Str *out, const char *text)
{
    size_t size = strlen(text), from = 0, at = 0;
    str_addc(out, '"');
    while (at < size) {
        unsigned char c = (unsigned char)text[at];
        size_t n = utf8_length(text + at, size - at);
        if (n && c >= 0x20 && c != '"' && c != '\\') {
            at += n;
            continue;
        }
        str_addn(out, text + from, at - from);
        if (n)
            add_escaped(out, c);
        else
            str_add(out, "\xef\xbf\xbd"); /* U+FFFD */
        from = ++at;
    }
    str_addn(out, text + from, at - from);
    str_addc(out, '"');
}

static void add_integer(Str *out, int64_t value)
{
    char digits[24];
    (void)snprintf(digits, sizeof(digits), "%" PRId64, value);
    str_add(out, digits);
}

/* Printed by libc, whose decimal point depends on the locale and may be any text. */
static void add_number_text(Str *out, const char *digits)
{
    for (const char *p = digits; *p;) {
        size_t n = strspn(p, "0123456789+-e");
        str_addn(out, p, n);
        p += n;
        n = strcspn(p, "0123456789+-e");
        if (n)
            str_addc(out, '.');
        p += n;
    }
}

static void add_double(Str *out, double value)
{
    char digits[40];
    if (!isfinite(value)) {
        str_add(out, "null"); /* JSON has no such number */
        return;
    }
    if (fabs(value) < TWO_TO_63 && (double)(int64_t)value == value) {
        add_integer(out, (int64_t)value); /* 1.0 equals 1 and is written like it */
        return;
    }
    for (int precision = 1; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof(digits), "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    add_number_text(out, digits);
}

static void add_list(Str *out, const Node *list)
{
    str_addc(out, '[');
    for (uint32_t i = 0; i < list->n; i++) {
        if (i)
            str_addc(out, ',');
        json_write_node(out, list->items[i]);
    }
    str_addc(out, ']');
}

static void add_map(Str *out, const Node *map)
{
    CLEANUP(freep) const NodeEntry **sorted = node_sorted_entries(map);
    str_addc(out, '{');
    for (uint32_t i = 0; i < map->n; i++) {
        if (i)
            str_addc(out, ',');
        add_string(out, sorted[i]->key);
        str_addc(out, ':');
        json_write_node(out, sorted[i]->value);
    }
    str_addc(out, '}');
}

/* Recursion is as deep as the nodes, which the readers keep to 64. */
void json_write_node(Str *out, const Node *node)
{
    node = node ? node : node_null();
    switch (node->type) {
    case NODE_NULL:
        str_add(out, "null");
        break;
    case NODE_BOOL:
        str_add(out, node->boolean ? "true" : "false");
        break;
    case NODE_INT:
        add_integer(out, node->integer);
        break;
    case NODE_DOUBLE:
        add_double(out, node->number);
        break;
    case NODE_STRING:
        add_string(out, node->text);
        break;
    case NODE_LIST:
        add_list(out, node);
        break;
    case NODE_MAP:
        add_map(out, node);
        break;
    }
}

void json_show_node(Str *out, const Node *node)
{
    CLEANUP(str_done) Str exact = {0};
    if (node)
        json_write_node(&exact, node);
    CLEANUP(freep) char *shown = str_printable(node ? str_get(&exact) : "absent", SIZE_MAX);
    str_add(out, shown);
}

/* But for line breaks, which are between texts alone, all of them are within texts, where an escape means the same, and
 * within the first 65,536 characters. */
char *json_for_terminal(const char *json)
{
    Str out = {0};
    size_t size = strlen(json);
    for (size_t at = 0, n; at < size; at += n) {
        const unsigned char *p = (const unsigned char *)json + at;
        n = utf8_step(json + at, size - at);
        if (p[0] == '\n' || !utf8_is_unfit(json + at, n))
            str_addn(&out, json + at, n);
        else if (n == 1)
            str_addf(&out, "\\u%04X", p[0]);
        else if (n == 2)
            str_addf(&out, "\\u%04X", (unsigned)(p[0] & 0x1f) << 6 | (p[1] & 0x3f));
        else
            str_addf(&out, "\\u%04X", (unsigned)(p[0] & 0x0f) << 12 | (unsigned)(p[1] & 0x3f) << 6 | (p[2] & 0x3f));
    }
    return str_take(&out);
}

static void begin_value(JsonWriter *w, const char *key)
{
    if (w->comma)
        str_addc(w->out, ',');
    w->comma = true;
    if (!key)
        return;
    add_string(w->out, key);
    str_addc(w->out, ':');
}

void json_begin_object(JsonWriter *w, const char *key)
{
    begin_value(w, key);
    str_addc(w->out, '{');
    w->comma = false;
}

void json_end_object(JsonWriter *w)
{
    str_addc(w->out, '}');
    w->comma = true;
}

void json_begin_array(JsonWriter *w, const char *key)
{
    begin_value(w, key);
    str_addc(w->out, '[');
    w->comma = false;
}

void json_end_array(JsonWriter *w)
{
    str_addc(w->out, ']');
    w->comma = true;
}

void json_text(JsonWriter *w, const char *key, const char *value)
{
    begin_value(w, key);
    if (value)
        add_string(w->out, value);
    else
        str_add(w->out, "null");
}

void json_integer(JsonWriter *w, const char *key, int64_t value)
{
    begin_value(w, key);
    add_integer(w->out, value);
}

void json_real(JsonWriter *w, const char *key, double value, int decimals)
{
    begin_value(w, key);
    if (!isfinite(value)) {
        str_add(w->out, "null");
        return;
    }
    CLEANUP(freep) char *digits = xasprintf("%.*f", decimals, value);
    add_number_text(w->out, digits);
}

void json_boolean(JsonWriter *w, const char *key, bool value)
{
    begin_value(w, key);
    str_add(w->out, value ? "true" : "false");
}

void json_node(JsonWriter *w, const char *key, const Node *node)
{
    begin_value(w, key);
    json_write_node(w->out, node);
}
