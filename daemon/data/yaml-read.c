#include "config.h"

#include "data/yaml-read.h"

#include <string.h>

#include <yaml.h>

#include "base/map.h"
#include "base/str.h"
#include "base/utf8.h"

#define KEY_BYTES_MAX 1024
#define DIRECTIVES_MAX 64 /* libyaml compares each %TAG with all before it */
#define TAG_PREFIX "tag:yaml.org,2002:"

/* What an anchor names, and what an alias of it costs. */
typedef struct Anchor {
    const Node *node; /* NULL while it is still being read */
    size_t weight;    /* its nodes, with what aliases in it stand for */
    size_t height;    /* lists and maps in one another: 0 for a scalar */
} Anchor;

/* A node on its way into the list or map around it. */
typedef struct Value {
    const Node *node;
    Mark mark; /* of the alias, if it came from one */
    size_t weight, height;
} Value;

/* A list or map that has begun and not ended. */
typedef struct Frame {
    NodeBuilder *builder;
    NodeType type;
    Mark mark;
    Anchor *anchor; /* NULL: it has none */
    size_t weight, height;

    /* In a map, between a key and its value. */
    bool has_key;
    const char *key; /* NULL: a wrong key, whose value is dropped */
    bool key_merges; /* it is `<<` */
    Mark key_mark;

    Mark merge_mark;    /* of `<<`, line 0 while there is none */
    const Node *merged; /* the value of `<<` */
} Frame;

typedef struct Reader {
    yaml_parser_t parser;
    Arena *arena;
    const char *file, *text;
    size_t size;
    Problems *problems;
    NodeBuilder *documents;

    /* Of the document that is being read. */
    Map *anchors; /* names to Anchor; NULL while there is none */
    const Node *root;
    bool broken;

    size_t aliased; /* nodes that aliases stood for so far */
    size_t depth;
    Frame frames[YAML_DEPTH_MAX];
} Reader;

#define PROBLEM(r, mark, ...)                                                                                          \
    do {                                                                                                               \
        (r)->broken = true;                                                                                            \
        problem_add((r)->problems, PROBLEM_ERROR, (r)->file, (mark), __VA_ARGS__);                                     \
    } while (0)

static Mark to_mark(yaml_mark_t mark)
{
    return (Mark){.line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

static void forget_anchors(Reader *r)
{
    map_free(r->anchors);
    r->anchors = NULL;
}

static Anchor *add_anchor(Reader *r, const yaml_char_t *name)
{
    if (!name)
        return NULL;
    if (!r->anchors)
        r->anchors = map_new();
    Anchor *anchor = arena_alloc(r->arena, sizeof(*anchor));
    map_put(r->anchors, arena_strdup(r->arena, (const char *)name), anchor);
    return anchor;
}

static void end_anchor(Anchor *anchor, Value value)
{
    if (anchor)
        *anchor = (Anchor){.node = value.node, .weight = value.weight, .height = value.height};
}

static void take_key(Reader *r, Frame *f, const char *key, bool plain, Mark mark)
{
    size_t size = strlen(key);
    f->has_key = true;
    f->key = NULL;
    f->key_merges = plain && streq(key, "<<");
    f->key_mark = mark;
    if (size == 0) {
        PROBLEM(r, mark, "a key must not be empty");
        return;
    }
    if (size > KEY_BYTES_MAX) {
        PROBLEM(r, mark, "a key must not be longer than %d bytes", KEY_BYTES_MAX);
        return;
    }
    const NodeEntry *before = f->key_merges ? NULL : node_builder_find(f->builder, key);
    Mark first = f->key_merges ? f->merge_mark : before ? before->mark : (Mark){0};
    if (first.line) {
        PROBLEM(r, mark, "duplicate key \"%.80s\" (first on line %u, column %u)", key, first.line, first.column);
        return;
    }
    f->key = key;
    if (f->key_merges)
        f->merge_mark = mark;
}

static bool can_merge(const Node *node)
{
    if (node->type == NODE_MAP)
        return true;
    if (node->type != NODE_LIST)
        return false;
    for (uint32_t i = 0; i < node->n; i++)
        if (node->items[i]->type != NODE_MAP)
            return false;
    return true;
}

static void take_member(Reader *r, Frame *f, Value value)
{
    f->has_key = false;
    if (!f->key)
        return;
    if (!f->key_merges)
        node_builder_add(f->builder, f->key, f->key_mark, value.node);
    else if (can_merge(value.node))
        f->merged = value.node;
    else
        PROBLEM(r, value.mark, "\"<<\" takes a map or a list of maps, not %s",
                value.node->type == NODE_LIST ? "a list of other things" : node_type_name(value.node));
}

static void deliver(Reader *r, Value value)
{
    if (!r->depth) {
        r->root = value.node;
        return;
    }
    Frame *f = &r->frames[r->depth - 1];
    f->weight += value.weight;
    if (f->height < value.height + 1)
        f->height = value.height + 1;
    if (f->type == NODE_LIST) {
        node_builder_add(f->builder, NULL, (Mark){0}, value.node);
    } else if (f->has_key) {
        take_member(r, f, value);
    } else if (value.node->type == NODE_STRING) {
        take_key(r, f, value.node->text, value.node->plain, value.mark);
    } else {
        if (value.node->type != NODE_NULL) /* else it is an alias, of which enough was said */
            PROBLEM(r, value.mark, "a key must be a string, not %s", node_type_name(value.node));
        f->has_key = true;
        f->key = NULL;
    }
}

static void add_tag_problem(Reader *r, Mark mark, const char *tag, NodeType type)
{
    static const struct {
        const char *what, *tags;
    } types[] = {
        [NODE_STRING] = {"a scalar", "!!str, !!int, !!float, !!bool, !!null"},
        [NODE_LIST] = {"a list", "!!seq"},
        [NODE_MAP] = {"a map", "!!map"},
    };
    CLEANUP(str_done) Str shown = {0};
    if (starts_with(tag, TAG_PREFIX))
        str_addf(&shown, "!!%.80s", tag + strlen(TAG_PREFIX));
    else
        str_addf(&shown, tag[0] == '!' ? "%.80s" : "!<%.80s>", tag);
    PROBLEM(r, mark, "the tag %s cannot be used on %s; only %s can", str_get(&shown), types[type].what,
            types[type].tags);
}

static void check_tag(Reader *r, const yaml_char_t *text, NodeType type, Mark mark)
{
    static const char *const scalars[] = {"str", "int", "float", "bool", "null"};
    const char *tag = (const char *)text;
    if (!tag || streq(tag, "!"))
        return;
    if (!starts_with(tag, TAG_PREFIX)) {
        add_tag_problem(r, mark, tag, type);
        return;
    }
    const char *name = tag + strlen(TAG_PREFIX);
    bool fits = (type == NODE_LIST && streq(name, "seq")) || (type == NODE_MAP && streq(name, "map"));
    for (size_t i = 0; type == NODE_STRING && i < ARRAY_SIZE(scalars); i++)
        fits = fits || streq(name, scalars[i]);
    if (!fits)
        add_tag_problem(r, mark, tag, type);
}

static bool expects_key(const Reader *r)
{
    const Frame *f = r->depth ? &r->frames[r->depth - 1] : NULL;
    return f && f->type == NODE_MAP && !f->has_key;
}

static void take_scalar(Reader *r, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value, *tag = (const char *)event->data.scalar.tag;
    size_t size = event->data.scalar.length;
    Mark mark = to_mark(event->start_mark);
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && (!tag || streq(tag, TAG_PREFIX "null"));
    bool anchored = event->data.scalar.anchor != NULL;
    if (!r->depth && !size && plain && !tag && !anchored)
        return; /* a document without content */
    if (strnlen(text, size) != size)
        PROBLEM(r, mark, "a NUL character must not stand in a text");
    check_tag(r, event->data.scalar.tag, NODE_STRING, mark);
    text = arena_strndup(r->arena, text, size);
    if (!anchored && expects_key(r)) { /* no need for a node */
        Frame *f = &r->frames[r->depth - 1];
        f->weight++;
        take_key(r, f, text, plain, mark);
        return;
    }
    Node *node = arena_alloc(r->arena, sizeof(*node));
    *node = (Node){.type = NODE_STRING, .plain = plain, .mark = mark, .text = text};
    Value value = {.node = node, .mark = mark, .weight = 1};
    end_anchor(add_anchor(r, event->data.scalar.anchor), value);
    deliver(r, value);
}

/* False when reading must end: a file with an alias bomb is not worth more work. */
static bool take_alias(Reader *r, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    Mark mark = to_mark(event->start_mark);
    const Anchor *anchor = r->anchors ? map_get(r->anchors, name) : NULL;
    Value value = {.node = node_null(), .mark = mark, .weight = 1};
    if (!anchor) {
        PROBLEM(r, mark, "the alias *%.80s has no anchor &%.80s before it in this document", name, name);
    } else if (!anchor->node) {
        PROBLEM(r, mark, "the alias *%.80s stands inside what its own anchor names", name);
    } else {
        value = (Value){.node = anchor->node, .mark = mark, .weight = anchor->weight, .height = anchor->height};
        r->aliased += anchor->weight;
    }
    if (r->aliased > YAML_ALIASED_NODES_MAX) {
        PROBLEM(r, mark, "the aliases of this file stand for more than %d values; the rest was not read",
                YAML_ALIASED_NODES_MAX);
        return false;
    }
    if (r->depth + value.height > YAML_DEPTH_MAX) {
        PROBLEM(r, mark, "the alias *%.80s nests lists and maps deeper than %d; the rest was not read", name,
                YAML_DEPTH_MAX);
        return false;
    }
    deliver(r, value);
    return true;
}

static bool begin(Reader *r, NodeType type, const yaml_event_t *event)
{
    bool list = type == NODE_LIST;
    Mark mark = to_mark(event->start_mark);
    if (r->depth == YAML_DEPTH_MAX) {
        PROBLEM(r, mark, "lists and maps are nested deeper than %d; the rest was not read", YAML_DEPTH_MAX);
        return false;
    }
    check_tag(r, list ? event->data.sequence_start.tag : event->data.mapping_start.tag, type, mark);
    r->frames[r->depth++] = (Frame){
        .builder = node_builder_new(r->arena, type, mark),
        .type = type,
        .mark = mark,
        .anchor = add_anchor(r, list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor),
        .weight = 1,
        .height = 1,
    };
    return true;
}

static void merge_map(NodeBuilder *builder, const Node *source)
{
    for (uint32_t i = 0; i < source->n; i++) {
        const NodeEntry *entry = &source->entries[i];
        if (!node_builder_find(builder, entry->key))
            node_builder_add(builder, entry->key, entry->mark, entry->value);
    }
}

/* At the end of the map, when all keys of its own are known. */
static void merge(Frame *f)
{
    if (!f->merged)
        return;
    if (f->merged->type == NODE_MAP)
        merge_map(f->builder, f->merged);
    else
        for (uint32_t i = 0; i < f->merged->n; i++)
            merge_map(f->builder, f->merged->items[i]);
}

static void end(Reader *r)
{
    Frame *f = &r->frames[--r->depth];
    merge(f);
    const Node *node = node_builder_end(TAKE(f->builder));
    Value value = {.node = node, .mark = f->mark, .weight = f->weight, .height = f->height};
    end_anchor(f->anchor, value);
    deliver(r, value);
}

static void begin_document(Reader *r)
{
    forget_anchors(r);
    r->root = NULL;
    r->broken = false;
}

/* False when reading must end. */
static bool take_event(Reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        begin_document(r);
        return true;
    case YAML_DOCUMENT_END_EVENT:
        if (r->root && !r->broken)
            node_builder_add(r->documents, NULL, (Mark){0}, r->root);
        return true;
    case YAML_SCALAR_EVENT:
        take_scalar(r, event);
        return true;
    case YAML_ALIAS_EVENT:
        return take_alias(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return begin(r, NODE_LIST, event);
    case YAML_MAPPING_START_EVENT:
        return begin(r, NODE_MAP, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        end(r);
        return true;
    case YAML_STREAM_END_EVENT:
        return false;
    default:
        return true;
    }
}

/* The place of a byte, counted as libyaml counts. */
static Mark mark_of_byte(const Reader *r, size_t offset)
{
    Mark mark = {1, 1};
    for (size_t at = 0; at < offset && at < r->size;) {
        size_t n = utf8_line_break(r->text + at, r->size - at);
        at += n ? n : utf8_step(r->text + at, r->size - at);
        mark = n ? (Mark){mark.line + 1, 1} : (Mark){mark.line, mark.column + 1};
    }
    return mark;
}

static bool is_tab(const Reader *r, size_t character)
{
    size_t at = 0;
    for (size_t i = 0; i < character && at < r->size; i++)
        at += utf8_step(r->text + at, r->size - at);
    return at < r->size && r->text[at] == '\t';
}

static const char *hint(const Reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (strstr(p->problem, "cannot start any token"))
        return is_tab(r, p->problem_mark.index) ? "; YAML is indented with spaces, never with tabs"
                                                : "; put quotes around a text that begins with it";
    if (strstr(p->problem, "mapping values are not allowed"))
        return "; is the indentation right, or does a text with \": \" in it need quotes?";
    return "";
}

static void add_syntax_problem(Reader *r)
{
    const yaml_parser_t *p = &r->parser;
    CLEANUP(str_done) Str where = {0};
    if (!p->problem) {
        PROBLEM(r, ((Mark){0}), "out of memory");
        return;
    }
    if (p->error == YAML_READER_ERROR) {
        bool utf8 = strstr(p->problem, "UTF-8") != NULL;
        PROBLEM(r, mark_of_byte(r, p->problem_offset), "%s; the rest was not read",
                utf8 ? "the text is not UTF-8" : p->problem);
        return;
    }
    if (p->context)
        str_addf(&where, ", %s", p->context);
    if (p->context && p->context_mark.line != p->problem_mark.line)
        str_addf(&where, " that began on line %zu", p->context_mark.line + 1);
    PROBLEM(r, to_mark(p->problem_mark), "%s%s%s", p->problem, str_get(&where), hint(r));
}

static void read_events(Reader *r)
{
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event)) {
            add_syntax_problem(r);
            return;
        }
        more = take_event(r, &event);
        yaml_event_delete(&event);
    }
}

static bool has_many_directives(const char *text, size_t size)
{
    size_t n = 0;
    for (const char *p = text, *end = text + size; p && n <= DIRECTIVES_MAX; n++) {
        p = memmem(p, (size_t)(end - p), "%TAG", 4);
        p = p ? p + 4 : NULL;
    }
    return n > DIRECTIVES_MAX;
}

static bool start(Reader *r)
{
    if (r->size > YAML_SIZE_MAX) {
        PROBLEM(r, ((Mark){0}), "the file is larger than %zu MiB", YAML_SIZE_MAX / 1024 / 1024);
        return false;
    }
    if (r->size && has_many_directives(r->text, r->size)) {
        PROBLEM(r, ((Mark){0}), "the file has more than %d %%TAG directives", DIRECTIVES_MAX);
        return false;
    }
    if (!yaml_parser_initialize(&r->parser)) {
        PROBLEM(r, ((Mark){0}), "out of memory");
        return false;
    }
    /* Without this it would take UTF-16 as well, whose lines no excerpt could show. */
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->text, r->size);
    return true;
}

const Node *yaml_read(Arena *arena, const char *file, const char *text, size_t size, Problems *problems)
{
    size_t bom = size ? utf8_bom(text, size) : 0;
    Reader r = {
        .arena = arena,
        .file = file,
        .text = size ? text + bom : "",
        .size = size - bom,
        .problems = problems,
        .documents = node_builder_new(arena, NODE_LIST, (Mark){1, 1}),
    };
    if (start(&r)) {
        read_events(&r);
        yaml_parser_delete(&r.parser);
    }
    forget_anchors(&r);
    while (r.depth)
        node_builder_free(r.frames[--r.depth].builder);
    return node_builder_end(r.documents);
}
