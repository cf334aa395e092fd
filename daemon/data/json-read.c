#include "config.h"

#include "data/json-read.h"

#include <endian.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/map.h"
#include "base/str.h"
#include "base/utf8.h"

#define DEPTH_MAX 64
#define EXACT_MAX 9007199254740991.0 /* 2^53 - 1: 2^53 itself may be 2^53 + 1, rounded */
#define SHOWN_BEFORE 20
#define SHOWN_MAX 40

struct JsonPage {
    Arena *arena; /* of all that cJSON made */
    const cJSON *root;
    const cJSON *items;
};

/* Some of the text, fit to be shown. */
static char *shown_text(const char *text, size_t size)
{
    char *shown = xmalloc(size + 1);
    memset(shown, '?', size);
    for (size_t i = 0; i < size; i++)
        if (text[i] >= 0x20 && text[i] < 0x7f)
            shown[i] = text[i];
    shown[size] = 0;
    return shown;
}

static int refuse(Error **err, const char *text, size_t size, size_t offset, const char *what)
{
    size_t from = offset > SHOWN_BEFORE ? offset - SHOWN_BEFORE : 0;
    size_t n = size - from > SHOWN_MAX ? SHOWN_MAX : size - from;
    CLEANUP(freep) char *shown = shown_text(text + from, n);
    return error_set(err, ERROR_PROTOCOL, "invalid JSON at byte %zu: %s, near '%s'", offset, what, shown);
}

/*
 * What cJSON lets pass is refused before it sees the text: invalid UTF-8, control characters, \u0000 and \uZZZZ (both
 * of which end a string early), numbers like 007 and 1., and nesting that its recursion would follow.
 */
typedef struct Check {
    const char *text;
    size_t size, at;
    int depth;
    const char *what; /* is wrong at `at` */
} Check;

static bool wrong(Check *c, const char *what)
{
    c->what = what;
    return false;
}

#define ONES UINT64_C(0x0101010101010101)
#define HIGH UINT64_C(0x8080808080808080)

/* Eight bytes at once: the high bits of those that are no plain characters of a string, the first of them exactly. */
static uint64_t find_special(uint64_t word)
{
    uint64_t quote = word ^ (ONES * '"'), backslash = word ^ (ONES * '\\');
    return (word | (word - ONES * 0x20) | (quote - ONES) | (backslash - ONES)) & HIGH;
}

static bool is_plain(char c)
{
    return c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

static void skip_plain(Check *c)
{
    const char *p = c->text + c->at, *end = c->text + c->size;
    for (uint64_t word; end - p >= (ptrdiff_t)sizeof(word); p += sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        uint64_t special = find_special(le64toh(word));
        if (special) {
            p += __builtin_ctzll(special) / 8;
            break;
        }
    }
    while (p < end && is_plain(*p))
        p++;
    c->at = (size_t)(p - c->text);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool check_escape(Check *c)
{
    char kind = 0;
    if (c->size - c->at > 1)
        kind = c->text[c->at + 1];
    if (kind != 'u') {
        if (!kind || !strchr("\"\\/bfnrt", kind))
            return wrong(c, "unknown escape");
        c->at += 2;
        return true;
    }
    int value = 0;
    for (size_t i = 2; i < 6; i++) {
        int digit = c->size - c->at > i ? hex_digit(c->text[c->at + i]) : -1;
        if (digit < 0)
            return wrong(c, "\\u without four hexadecimal digits");
        value = value << 4 | digit;
    }
    if (!value)
        return wrong(c, "\\u0000 in a string");
    c->at += 6;
    return true;
}

static bool check_string(Check *c)
{
    c->at++;
    for (;;) {
        skip_plain(c);
        if (c->at == c->size)
            return wrong(c, "unended string");
        unsigned char byte = (unsigned char)c->text[c->at];
        if (byte == '"') {
            c->at++;
            return true;
        }
        if (byte == '\\') {
            if (!check_escape(c))
                return false;
            continue;
        }
        if (byte < 0x20)
            return wrong(c, "control character in a string");
        size_t n = utf8_length(c->text + c->at, c->size - c->at);
        if (!n)
            return wrong(c, "invalid UTF-8");
        c->at += n;
    }
}

static bool skip_digits(Check *c)
{
    size_t before = c->at;
    while (c->at < c->size && c->text[c->at] >= '0' && c->text[c->at] <= '9')
        c->at++;
    return c->at > before;
}

static bool skip_one(Check *c, const char *of)
{
    bool is = c->at < c->size && c->text[c->at] && strchr(of, c->text[c->at]);
    c->at += is;
    return is;
}

static bool check_number(Check *c)
{
    size_t begin = c->at;
    skip_one(c, "-");
    bool zero = skip_one(c, "0"), good = zero || skip_digits(c);
    if (good && skip_one(c, "."))
        good = skip_digits(c);
    if (good && skip_one(c, "eE")) {
        skip_one(c, "+-");
        good = skip_digits(c);
    }
    /* What goes on is no number of JSON: 007, 1.2.3, 1+1. */
    if (good && !(c->at < c->size && c->text[c->at] && strchr("0123456789+-.eE", c->text[c->at])))
        return true;
    c->at = begin;
    return wrong(c, "malformed number");
}

static bool check_token(Check *c)
{
    switch (c->text[c->at]) {
    case '"':
        return check_string(c);
    case '[':
    case '{':
        if (++c->depth > DEPTH_MAX)
            return wrong(c, "nesting deeper than 64");
        break;
    case ']':
    case '}':
        c->depth--;
        break;
    case '-':
    case '0' ... '9':
        return check_number(c);
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case ',':
    case ':':
    case 'a' ... 'z': /* literals, which cJSON compares whole */
        break;
    default:
        return wrong(c, "unexpected character");
    }
    c->at++;
    return true;
}

static int check(const char *text, size_t size, Error **err)
{
    Check c = {.text = text, .size = size};
    while (c.at < size)
        if (!check_token(&c))
            return refuse(err, text, size, c.at, c.what);
    return 0;
}

static size_t skip_space(const char *text, size_t size, size_t at)
{
    while (at < size && text[at] && strchr(" \t\n\r", text[at]))
        at++;
    return at;
}

/* cJSON's nodes go into an arena: a page has tens of thousands, and to give them back one by one costs half as much as
 * to parse it. The hooks hold for one parse alone; there are no threads. */
static Arena *hook_arena;

static void *hook_malloc(size_t size)
{
    return arena_alloc(hook_arena, size);
}

static void hook_free(void *p)
{
    (void)p;
}

static const cJSON *parse_into(Arena *arena, const char *text, size_t size, const char **ret_end)
{
    cJSON_Hooks hooks = {.malloc_fn = hook_malloc, .free_fn = hook_free};
    hook_arena = arena;
    cJSON_InitHooks(&hooks);
    const cJSON *root = cJSON_ParseWithLengthOpts(text, size, ret_end, false);
    cJSON_InitHooks(NULL);
    return root;
}

/* NULL with *err set when it is no JSON. */
static const cJSON *parse(Arena *arena, const char *text, size_t size, Error **err)
{
    if (!size) {
        error_set(err, ERROR_PROTOCOL, "invalid JSON: empty");
        return NULL;
    }
    if (check(text, size, err) < 0)
        return NULL;
    const char *end = text;
    const cJSON *root = parse_into(arena, text, size, &end);
    size_t offset = (size_t)(end - text);
    if (!root) {
        refuse(err, text, size, offset < size ? offset : size - 1, "syntax error");
        return NULL;
    }
    offset = skip_space(text, size, offset);
    if (offset < size) {
        refuse(err, text, size, offset, "bytes behind the end");
        return NULL;
    }
    return root;
}

/* "what 'key' in 'name of the item'" */
static int refuse_item(Error **err, const cJSON *item, const char *what, const char *key)
{
    const char *name = item->string ? item->string : "";
    size_t n_name = strlen(name), n_key = strlen(key);
    CLEANUP(freep) char *where = shown_text(name, n_name < SHOWN_MAX ? n_name : SHOWN_MAX);
    CLEANUP(freep) char *shown = shown_text(key, n_key < SHOWN_MAX ? n_key : SHOWN_MAX);
    return error_set(err, ERROR_PROTOCOL, "%s%s%s%s%s%s%s", what, *key ? " '" : "", shown, *key ? "'" : "",
                     *name ? " in '" : "", where, *name ? "'" : "");
}

static int convert(const cJSON *item, Arena *arena, const Node **ret, Error **err);

static int convert_number(const cJSON *item, Arena *arena, const Node **ret, Error **err)
{
    double value = item->valuedouble;
    if (!isfinite(value))
        return refuse_item(err, item, "number out of range", "");
    if (value == trunc(value)) {
        if (fabs(value) > EXACT_MAX)
            return refuse_item(err, item, "integer of 2^53 or more, which would be changed", "");
        *ret = node_int(arena, (int64_t)value);
        return 0;
    }
    Node *node = arena_alloc(arena, sizeof(*node));
    node->type = NODE_DOUBLE;
    node->number = value;
    *ret = node;
    return 0;
}

static int convert_members(const cJSON *item, Arena *arena, const Node **ret, Error **err)
{
    NodeType type = cJSON_IsArray(item) ? NODE_LIST : NODE_MAP;
    CLEANUP(node_builder_freep) NodeBuilder *builder = node_builder_new(arena, type, (Mark){0});
    for (const cJSON *member = item->child; member; member = member->next) {
        const Node *value = NULL;
        if (type == NODE_MAP && node_builder_find(builder, member->string))
            return refuse_item(err, item, "duplicate key", member->string);
        if (convert(member, arena, &value, err) < 0)
            return -1;
        node_builder_add(builder, type == NODE_MAP ? arena_strdup(arena, member->string) : NULL, (Mark){0}, value);
    }
    *ret = node_builder_end(TAKE(builder));
    return 0;
}

/* Recursion is bounded by the depth that was checked before. */
static int convert(const cJSON *item, Arena *arena, const Node **ret, Error **err)
{
    if (cJSON_IsString(item))
        *ret = node_string(arena, item->valuestring);
    else if (cJSON_IsNumber(item))
        return convert_number(item, arena, ret, err);
    else if (cJSON_IsBool(item))
        *ret = node_bool(cJSON_IsTrue(item));
    else if (cJSON_IsArray(item) || cJSON_IsObject(item))
        return convert_members(item, arena, ret, err);
    else
        *ret = node_null();
    return 0;
}

int json_read(Arena *arena, const char *text, size_t size, const Node **ret, Error **err)
{
    CLEANUP(arena_freep) Arena *scratch = arena_new();
    const cJSON *root = parse(scratch, text, size, err);
    return root ? convert(root, arena, ret, err) : -1;
}

/* The member, or NULL; *ret_again when it is there twice. */
static const cJSON *find_member(const cJSON *item, const char *key, bool *ret_again)
{
    const cJSON *found = NULL;
    if (!cJSON_IsObject(item))
        return NULL;
    for (const cJSON *member = item->child; member; member = member->next) {
        if (!streq(member->string, key))
            continue;
        if (!ret_again)
            return member;
        *ret_again = found != NULL;
        if (found)
            break;
        found = member;
    }
    return found;
}

static int check_duplicates(const cJSON *object, Error **err)
{
    CLEANUP(map_freep) Map *seen = map_new();
    for (cJSON *member = object->child; member; member = member->next)
        if (map_put(seen, member->string, member))
            return refuse_item(err, object, "duplicate key", member->string);
    return 0;
}

static int find_items(const cJSON *root, const char *member, const cJSON **ret, Error **err)
{
    const cJSON *items = root;
    if (member) {
        if (!cJSON_IsObject(root))
            return error_set(err, ERROR_PROTOCOL, "not an object with \"%s\"", member);
        if (check_duplicates(root, err) < 0)
            return -1;
        items = find_member(root, member, NULL);
        if (!items)
            return error_set(err, ERROR_PROTOCOL, "\"%s\" is missing", member);
    }
    if (!cJSON_IsArray(items))
        return error_set(err, ERROR_PROTOCOL, "%s is not a list", member ? member : "the answer");
    *ret = items;
    return 0;
}

int json_page_parse(const char *text, size_t size, const char *member, JsonPage **ret, Error **err)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const cJSON *root = parse(arena, text, size, err);
    const cJSON *items = NULL;
    if (!root || find_items(root, member, &items, err) < 0)
        return -1;
    JsonPage *page = xcalloc(1, sizeof(*page));
    *page = (JsonPage){.arena = TAKE(arena), .root = root, .items = items};
    *ret = page;
    return 0;
}

void json_page_free(JsonPage *page)
{
    if (!page)
        return;
    arena_free(page->arena);
    free(page);
}

static const cJSON *to_cjson(const JsonItem *item)
{
    return (const cJSON *)item;
}

const JsonItem *json_page_next(const JsonPage *page, const JsonItem *item)
{
    return (const JsonItem *)(item ? to_cjson(item)->next : page->items->child);
}

int json_page_text(const JsonPage *page, const char *key, const char **ret, Error **err)
{
    const cJSON *member = find_member(page->root, key, NULL);
    *ret = NULL;
    if (!member || cJSON_IsNull(member))
        return 0;
    if (!cJSON_IsString(member))
        return error_set(err, ERROR_PROTOCOL, "\"%s\" is no text", key);
    *ret = member->valuestring;
    return 0;
}

const char *json_item_text(const JsonItem *item, const char *key)
{
    return cJSON_GetStringValue(find_member(to_cjson(item), key, NULL));
}

const char *json_item_text_in(const JsonItem *item, const char *member, const char *key)
{
    const cJSON *inner = find_member(to_cjson(item), member, NULL);
    return cJSON_IsObject(inner) ? cJSON_GetStringValue(find_member(inner, key, NULL)) : NULL;
}

int json_item_node(const JsonItem *item, const char *key, Arena *arena, const Node **ret, Error **err)
{
    bool again = false;
    const cJSON *member = find_member(to_cjson(item), key, &again);
    if (again)
        return refuse_item(err, to_cjson(item), "duplicate key", key);
    if (member)
        return convert(member, arena, ret, err);
    *ret = NULL;
    return 0;
}

int json_item_whole(const JsonItem *item, Arena *arena, const Node **ret, Error **err)
{
    return convert(to_cjson(item), arena, ret, err);
}
