#include "config.h"

#include "live/live.h"

#include <strings.h>

#include "base/map.h"
#include "base/str.h"
#include "data/json-write.h"

Snapshot *snapshot_new(size_t n_specs)
{
    Snapshot *s = xcalloc(1, sizeof(*s));
    s->arena = arena_new();
    s->of = xcalloc(n_specs, sizeof(Observed));
    s->n = n_specs;
    return s;
}

void snapshot_free(Snapshot *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        Observed *observed = &s->of[i];
        for (size_t k = 0; k < observed->series.n; k++)
            VEC_DONE(&observed->series.items[k]->made);
        VEC_DONE(&observed->series);
        VEC_DONE(&observed->strays);
        VEC_DONE(&observed->objects);
        error_free(observed->error);
    }
    VEC_DONE(&s->orphans);
    free(s->of);
    arena_free(s->arena);
    free(s);
}

static const char *text_or_null(const Node *object, const char *member)
{
    return member ? node_get_text(object, member) : NULL;
}

static bool is_map_or_null(const Node *value)
{
    return !value || value->type == NODE_MAP || value->type == NODE_NULL;
}

static bool is_list_of_texts(const Node *value)
{
    if (!value || value->type == NODE_NULL)
        return true;
    for (uint32_t i = 0; value->type == NODE_LIST && i < value->n; i++)
        if (value->items[i]->type != NODE_STRING)
            return false;
    return value->type == NODE_LIST;
}

/* Tags of a type that we do not understand would be taken for none, and written over. */
static int check_tags(const Kind *kind, const Node *object, const char *id, Error **err)
{
    for (const Field *f = kind->fields; f->name; f++) {
        if (!(f->flags & FIELD_ATTRIBUTE) || (f->type != FIELD_TAGS && f->type != FIELD_TAG_NAMESPACES))
            continue;
        const Node *tags = node_get(object, field_wire(f));
        bool good = is_map_or_null(tags);
        for (uint32_t i = 0; good && f->type == FIELD_TAG_NAMESPACES && tags && tags->type == NODE_MAP && i < tags->n;
             i++)
            good = is_map_or_null(tags->entries[i].value);
        if (!good)
            return error_set(err, ERROR_PROTOCOL, "%s of %s are not tags", field_wire(f), id);
    }
    return 0;
}

bool id_is_sane(const char *id)
{
    for (const char *p = id; *p; p++)
        if (*p <= ' ' || *p >= 0x7f)
            return false;
    return *id;
}

/* Where the members of an object come from: an item of a page, or a node. */
typedef struct Source {
    const JsonItem *item;
    const Node *node;
    Arena *arena;
} Source;

static usec_t read_time(const Source *source, const char *member)
{
    const char *text = source->node ? node_get_text(source->node, member) : json_item_text(source->item, member);
    usec_t time;
    return text && parse_rfc3339(text, &time) == 0 ? time : 0;
}

static usec_t when_born(const Kind *kind, const Source *source)
{
    for (size_t i = 0; i < ARRAY_SIZE(kind->times) && kind->times[i]; i++) {
        usec_t time = read_time(source, kind->times[i]);
        if (time)
            return time;
    }
    return 0;
}

usec_t item_born(const Kind *kind, const JsonItem *item)
{
    return when_born(kind, &(Source){.item = item});
}

static bool is_foreign(const LiveReader *reader, const char *container)
{
    if (reader->kind->flags & KIND_SHARED_ITEMS && !container)
        return true;
    return reader->kind->flags & KIND_OWN_ONLY && reader->home && !streq_null(container, reader->home);
}

/* `object` has every member that is kept. */
static int finish(const LiveReader *reader, const Node *object, const Source *source, const char *etag, Live **ret,
                  Error **err)
{
    const Kind *kind = reader->kind;
    Arena *arena = source->arena;
    const char *id = node_get_text(object, kind->id);
    if (!id || !*id)
        return error_set(err, ERROR_PROTOCOL, "the answer holds %s without %s", kind->noun, kind->id);
    if (!id_is_sane(id))
        return error_set(err, ERROR_PROTOCOL, "the answer holds %s with an %s that can be none", kind->noun, kind->id);
    const Node *container = kind->container ? node_get(object, kind->container) : NULL;
    if (container && container->type != NODE_STRING && container->type != NODE_NULL)
        return error_set(err, ERROR_PROTOCOL, "%s of %s is %s", kind->container, id, node_type_name(container));
    Live *live = arena_alloc(arena, sizeof(*live));
    *live = (Live){
        .kind = kind,
        .id = id,
        .cloud = kind->flags & KIND_LOCAL_IDS ? reader->cloud : NULL,
        .container = text_or_null(object, kind->container),
        .state = text_or_null(object, kind->state),
        .etag = arena_strdup(arena, etag),
        .object = object,
        .source_id = text_or_null(object, kind->source),
    };
    live->born = when_born(kind, source);
    live->updated = kind->updated ? read_time(source, kind->updated) : 0;
    live->foreign = is_foreign(reader, live->container);
    if (kind->state && !live->state)
        return error_set(err, ERROR_PROTOCOL, "the answer does not say the %s of %s", kind->state, id);
    if (check_tags(kind, object, id, err) < 0)
        return -1;
    *ret = live;
    return 0;
}

static int get(const Source *source, const char *member, const Node **ret, Error **err)
{
    *ret = NULL;
    if (!source->node)
        return json_item_node(source->item, member, source->arena, ret, err);
    *ret = node_get(source->node, member);
    return 0;
}

static int keep(NodeBuilder *b, const Source *source, const char *member, Error **err)
{
    const Node *value;
    if (!member || node_builder_find(b, member))
        return 0;
    if (get(source, member, &value, err) < 0)
        return -1;
    if (value)
        node_builder_add(b, member, (Mark){0}, value);
    return 0;
}

static int by_text(const void *a, const void *b)
{
    const Node *const *x = a, *const *y = b;
    return strcmp((*x)->text, (*y)->text);
}

/* A list into the map that a set is: sorted, as servers give them in any order. */
static int keep_set(NodeBuilder *b, const Source *source, const char *member, Error **err)
{
    const Node *list;
    if (get(source, member, &list, err) < 0)
        return -1;
    if (!is_list_of_texts(list))
        return error_set(err, ERROR_PROTOCOL, "%s is not a list of texts", member);
    uint32_t n = list && list->type == NODE_LIST ? list->n : 0;
    CLEANUP(freep) const Node **items = xcalloc(n, sizeof(*items));
    for (uint32_t i = 0; i < n; i++)
        items[i] = list->items[i];
    qsort(items, n, sizeof(*items), by_text);
    NodeBuilder *set = node_builder_new(source->arena, NODE_MAP, (Mark){0});
    for (uint32_t i = 0; i < n; i++)
        if (i == 0 || !streq(items[i - 1]->text, items[i]->text))
            node_builder_add(set, items[i]->text, (Mark){0}, items[i]);
    node_builder_add(b, member, (Mark){0}, node_builder_end(set));
    return 0;
}

static int keep_attribute(NodeBuilder *b, const Source *source, const Field *f, const LiveReader *reader, Error **err)
{
    if (f->type == FIELD_TEXT_SET)
        return keep_set(b, source, field_wire(f), err);
    if (f->type != FIELD_FREE)
        return keep(b, source, field_wire(f), err);
    for (const char *const *name = reader->free_names; name && *name; name++)
        if (keep(b, source, *name, err) < 0)
            return -1;
    return 0;
}

static int keep_all(const LiveReader *reader, const Source *source, const char *etag, Live **ret, Error **err)
{
    const Kind *kind = reader->kind;
    NodeBuilder *b = node_builder_new(source->arena, NODE_MAP, (Mark){0});
    int r = keep(b, source, kind->id, err);
    r = r < 0 ? r : keep(b, source, kind->container, err);
    r = r < 0 ? r : keep(b, source, kind->state, err);
    r = r < 0 ? r : keep(b, source, kind->source, err);
    for (const Field *f = kind->fields; f->name && r == 0; f++)
        if (f->flags & FIELD_ATTRIBUTE)
            r = keep_attribute(b, source, f, reader, err);
    const Node *object = node_builder_end(b);
    return r < 0 ? r : finish(reader, object, source, etag, ret, err);
}

/* Most kinds have none, and an item of a list must not cost a map for that. */
static bool has_free_attributes(const Kind *kind)
{
    for (const Field *f = kind->fields; f->name; f++)
        if (f->type == FIELD_FREE)
            return true;
    return false;
}

const char *const *live_free_names(const Spec *const *specs, size_t n, Arena *arena)
{
    if (n == 0 || !has_free_attributes(specs[0]->kind))
        return NULL;
    VEC(const char *) names = {0};
    CLEANUP(map_freep) Map *seen = map_new();
    for (size_t i = 0; i < n; i++)
        for (const Field *f = specs[i]->kind->fields; f->name; f++) {
            const Node *want = f->type == FIELD_FREE ? node_get(specs[i]->want, f->name) : NULL;
            for (uint32_t k = 0; want && k < want->n; k++)
                if (!map_put(seen, want->entries[k].key, seen))
                    *VEC_ADD(&names) = want->entries[k].key;
        }
    const char **copy = names.n ? arena_calloc(arena, names.n + 1, sizeof(*copy)) : NULL;
    for (size_t i = 0; i < names.n; i++)
        copy[i] = names.items[i];
    VEC_DONE(&names);
    return copy;
}

int live_from_item(const LiveReader *reader, const JsonItem *item, Arena *arena, Live **ret, Error **err)
{
    return keep_all(reader, &(Source){.item = item, .arena = arena}, NULL, ret, err);
}

int live_from_node(const LiveReader *reader, const Node *object, const char *etag, Arena *arena, Live **ret,
                   Error **err)
{
    return keep_all(reader, &(Source){.node = object, .arena = arena}, etag, ret, err);
}

int live_answer(const LiveReader *reader, const char *text, size_t size, Arena *arena, const Node **ret, Error **err)
{
    const Node *object = NULL;
    if (json_read(arena, text, size, &object, err) < 0)
        return -1;
    if (reader->page_member) {
        const Node *list = node_get(object, reader->page_member);
        if (!list || list->type != NODE_LIST || list->n > 1)
            return error_set(err, ERROR_PROTOCOL, "the answer is no list of one %s", reader->kind->noun);
        if (list->n == 0)
            return error_set(err, ERROR_NOT_FOUND, "the cloud shows no %s of this id", reader->kind->noun);
        object = list->items[0];
    }
    if (object->type != NODE_MAP)
        return error_set(err, ERROR_PROTOCOL, "the answer is %s, not %s", node_type_name(object), reader->kind->noun);
    *ret = object;
    return 0;
}

int live_from_text(const LiveReader *reader, const char *text, size_t size, const char *etag, Arena *arena, Live **ret,
                   Error **err)
{
    const Node *object = NULL;
    if (live_answer(reader, text, size, arena, &object, err) < 0)
        return -1;
    return live_from_node(reader, object, etag, arena, ret, err);
}

static bool is_one_of(const char *const *names, const char *name)
{
    for (; name && *names; names++)
        if (strcasecmp(*names, name) == 0)
            return true;
    return false;
}

bool live_is_writable(const Live *live)
{
    return is_one_of(live->kind->writable_states, live->state);
}

bool live_is_gone(const Live *live)
{
    return is_one_of(live->kind->gone_states, live->state);
}

BackupState backup_state(const Kind *kind, const char *state)
{
    if (is_one_of(kind->writable_states, state))
        return BACKUP_GOOD;
    if (is_one_of(kind->gone_states, state))
        return BACKUP_GONE;
    return kind->failed_state && strcasecmp(kind->failed_state, state) == 0 ? BACKUP_FAULTY : BACKUP_UNFINISHED;
}

/* Numbers and booleans are compared as their text. */
static bool value_meets(const Node *value, const char *condition)
{
    if (!value || value->type == NODE_NULL)
        return false;
    if (value->type == NODE_STRING || value->type >= NODE_LIST || streq(condition, SELECTOR_ANY))
        return streq(condition, SELECTOR_ANY) || (value->type == NODE_STRING && streq(value->text, condition));
    CLEANUP(str_done) Str text = {0};
    json_write_node(&text, value);
    return streq(str_get(&text), condition);
}

static bool list_holds(const Node *list, const char *text)
{
    for (uint32_t i = 0; list && list->type == NODE_LIST && i < list->n; i++)
        if (list->items[i]->type == NODE_STRING && streq(list->items[i]->text, text))
            return true;
    return false;
}

static bool set_meets(const Node *list, const Node *conditions)
{
    for (uint32_t i = 0; i < conditions->n; i++)
        if (!list_holds(list, conditions->entries[i].key))
            return false;
    return true;
}

static bool tags_meet(const Node *tags, const Node *conditions, bool fold)
{
    for (uint32_t i = 0; i < conditions->n; i++) {
        const NodeEntry *c = &conditions->entries[i];
        const NodeEntry *tag = node_entry_fold(tags, c->key, fold);
        const Node *value = tag ? tag->value : NULL;
        bool good = c->value->type == NODE_MAP ? tags_meet(value, c->value, fold) : value_meets(value, c->value->text);
        if (!good)
            return false;
    }
    return true;
}

static bool condition_holds(const Field *f, const Node *condition, const Node *value)
{
    if (f->type == FIELD_TAGS || f->type == FIELD_TAG_NAMESPACES || f->type == FIELD_FREE)
        return tags_meet(value, condition, f->type == FIELD_TAG_NAMESPACES);
    if (f->type == FIELD_TEXT_SET)
        return set_meets(value, condition);
    if (condition->type != NODE_STRING)
        return node_equal(value, condition);
    if (!value || value->type != NODE_STRING)
        return false;
    if (f->flags & FIELD_STATE && streq(condition->text, SELECTOR_ANY))
        return true;
    if (f->flags & FIELD_GLOB)
        return glob_match(condition->text, value->text, false, false);
    return f->flags & FIELD_FOLD ? strcasecmp(condition->text, value->text) == 0 : streq(condition->text, value->text);
}

bool selector_matches(const Kind *kind, const Node *selector, const char *home, const Node *object)
{
    if (home && !selector_container(kind, selector) && !streq_null(node_get_text(object, kind->container), home))
        return false;
    for (const Field *f = kind_selector(kind)->members; f->name; f++) {
        const Node *condition = node_get(selector, f->name);
        if (!condition && !(f->flags & FIELD_STATE))
            continue;
        const Node *value = f->type == FIELD_FREE ? object : node_get(object, field_wire(f));
        if (condition && !condition_holds(f, condition, value))
            return false;
        if (!condition && f->flags & FIELD_STATE &&
            !(value && value->type == NODE_STRING && is_one_of(kind->writable_states, value->text)))
            return false;
    }
    return true;
}

const char *selector_container(const Kind *kind, const Node *selector)
{
    for (const Field *f = kind_selector(kind)->members; f->name; f++)
        if (f->flags & FIELD_CONTAINER)
            return node_get_text(selector, f->name);
    return NULL;
}
