#include "config.h"

#include "cloud/json-patch.h"

#include "data/json-write.h"

/* A pointer of one step (RFC 6901). */
static void add_path(Str *path, const char *name)
{
    str_addc(path, '/');
    for (; *name; name++) {
        if (*name == '~' || *name == '/')
            str_add(path, *name == '~' ? "~0" : "~1");
        else
            str_addc(path, *name);
    }
}

static bool is_there(const Node *live, const char *name, const JsonPatchRules *rules)
{
    const Node *have = node_get(live, name);
    bool empty = have && have->type == NODE_STRING && !*have->text;
    return have && have->type != NODE_NULL && !(empty && rules->empty_is_absent);
}

static void add_operation(JsonWriter *w, const char *op, const char *name, const Node *value, const char *text)
{
    CLEANUP(str_done) Str path = {0};
    add_path(&path, name);
    json_begin_object(w, NULL);
    json_text(w, "op", op);
    json_text(w, "path", str_get(&path));
    if (value)
        json_node(w, "value", value);
    else if (text)
        json_text(w, "value", text);
    json_end_object(w);
}

void json_patch_add(const Node *live, const Node *values, const JsonPatchRules *rules, Str *out)
{
    JsonWriter w = {.out = out};
    json_begin_array(&w, NULL);
    for (uint32_t i = 0; i < values->n; i++)
        if (values->entries[i].value->type == NODE_NULL)
            add_operation(&w, "remove", values->entries[i].key, NULL, rules->remove_value);
    for (uint32_t i = 0; i < values->n; i++) {
        const NodeEntry *e = &values->entries[i];
        if (e->value->type != NODE_NULL)
            add_operation(&w, is_there(live, e->key, rules) ? "replace" : "add", e->key, e->value, NULL);
    }
    json_end_array(&w);
}
