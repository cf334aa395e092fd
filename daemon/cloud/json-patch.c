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

void json_patch_add(const Node *live, const Node *values, const char *remove_value, Str *out)
{
    JsonWriter w = {.out = out};
    json_begin_array(&w, NULL);
    for (uint32_t i = 0; i < values->n; i++) {
        const NodeEntry *e = &values->entries[i];
        const Node *have = node_get(live, e->key);
        bool goes = e->value->type == NODE_NULL, absent = !have || have->type == NODE_NULL;
        CLEANUP(str_done) Str path = {0};
        add_path(&path, e->key);
        json_begin_object(&w, NULL);
        json_text(&w, "op", goes ? "remove" : absent ? "add" : "replace");
        json_text(&w, "path", str_get(&path));
        if (!goes)
            json_node(&w, "value", e->value);
        else if (remove_value)
            json_text(&w, "value", remove_value);
        json_end_object(&w);
    }
    json_end_array(&w);
}
