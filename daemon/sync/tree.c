#include "config.h"

#include "sync/tree.h"

#include <strings.h>

#include "attr/sync.h"
#include "base/str.h"
#include "base/vec.h"

#define FILES_MAX 100000
#define LINKS_MAX 10000
#define LINK_DEPTH_MAX 8
#define NAME_MAX_BYTES 255
#define PATH_MAX_BYTES 1024

void tree_done(Tree *tree)
{
    map_free(tree->by_path);
    map_free(tree->folders);
}

static bool is_spec_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return dot && dot != name && (streq(dot, ".yaml") || streq(dot, ".yml"));
}

static bool is_good_name(const char *name, size_t n)
{
    if (n == 0 || n > NAME_MAX_BYTES || (n == 1 && *name == '.') || (n == 2 && strncmp(name, "..", 2) == 0) ||
        (n == 4 && strncasecmp(name, ".git", 4) == 0))
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f || name[i] == '\\')
            return false;
    return true;
}

static int check_path(const char *path, Error **err)
{
    bool good = strlen(path) <= PATH_MAX_BYTES;
    for (const char *name = path; good && name;) {
        size_t n = strcspn(name, "/");
        good = is_good_name(name, n);
        name = name[n] ? name + n + 1 : NULL;
    }
    if (good)
        return 0;
    CLEANUP(freep) char *shown = str_printable(path, PATH_MAX_BYTES);
    return error_set(err, ERROR_REJECTED, "the name \"%s\" in it is refused", shown);
}

typedef struct Parser {
    Arena *arena;
    Tree *tree;
    VEC(TreeEntry) files, links;
} Parser;

/* "mode type id\tpath" */
static int parse_entry(Parser *p, char *line, Error **err)
{
    char *tab = strchr(line, '\t'), *rest = line;
    if (tab)
        *tab = 0;
    const char *mode = strsep(&rest, " "), *type = rest ? strsep(&rest, " ") : NULL, *id = rest;
    if (!tab || !type || !id || !is_commit_id(id))
        return error_set(err, ERROR_LOCAL, "what git ls-tree prints cannot be understood");
    const char *path = tab + 1;
    if (check_path(path, err) < 0)
        return -1;
    TreeEntry entry = {.path = path, .id = id};
    if (streq(type, "commit")) {
        p->tree->submodule = p->tree->submodule ? p->tree->submodule : path;
        p->tree->n_submodules++;
    } else if (streq(mode, "120000")) {
        *VEC_ADD(&p->links) = entry;
    } else if (streq(type, "blob") && is_spec_name(path)) {
        *VEC_ADD(&p->files) = entry;
    }
    if (p->links.n > LINKS_MAX || p->files.n > FILES_MAX)
        return error_set(err, ERROR_REJECTED, "it has more than %d files of specs, or more than %d links", FILES_MAX,
                         LINKS_MAX);
    return 0;
}

static void add_folders(Tree *tree, const TreeEntry *file, Arena *arena)
{
    char *folder = arena_strdup(arena, file->path);
    for (char *slash = strrchr(folder, '/'); slash; slash = strrchr(folder, '/')) {
        *slash = 0;
        if (map_get(tree->folders, folder))
            return;
        map_put(tree->folders, arena_strdup(arena, folder), tree);
    }
}

static TreeEntry *keep(Arena *arena, const TreeEntry *items, size_t n)
{
    TreeEntry *kept = arena_calloc(arena, n + 1, sizeof(*kept));
    if (n)
        memcpy(kept, items, n * sizeof(*kept));
    return kept;
}

static int parse_all(Parser *p, char *text, size_t size, Error **err)
{
    for (char *line = text, *next; line < text + size; line = next) {
        next = line + strlen(line) + 1; /* the line is cut into its parts */
        if (parse_entry(p, line, err) < 0)
            return -1;
    }
    return 0;
}

int tree_parse(const char *listing, size_t size, Arena *arena, Tree *ret, Error **err)
{
    Tree tree = {0};
    Parser p = {.arena = arena, .tree = &tree};
    char *text = arena_alloc(arena, size + 1);
    if (size)
        memcpy(text, listing, size);
    int r = parse_all(&p, text, size, err);
    tree.files = keep(arena, p.files.items, p.files.n);
    tree.links = keep(arena, p.links.items, p.links.n);
    tree.n_files = p.files.n;
    tree.n_links = p.links.n;
    VEC_DONE(&p.files);
    VEC_DONE(&p.links);
    if (r < 0)
        return -1;
    tree.by_path = map_new();
    tree.folders = map_new();
    for (size_t i = 0; i < tree.n_files; i++) {
        map_put(tree.by_path, tree.files[i].path, &tree.files[i]);
        add_folders(&tree, &tree.files[i], arena);
    }
    for (size_t i = 0; i < tree.n_links; i++)
        map_put(tree.by_path, tree.links[i].path, &tree.links[i]);
    *ret = tree;
    return 0;
}

static int refuse(const TreeEntry *link, const char *why, Error **err)
{
    CLEANUP(freep) char *text = str_printable(link->text, TREE_LINK_MAX);
    return error_set(err, ERROR_REJECTED, "the link %s to \"%s\" is refused: %s", link->path, text, why);
}

static void drop_last(Str *path)
{
    const char *slash = path->len ? strrchr(path->data, '/') : NULL;
    path->len = slash ? (size_t)(slash - path->data) : 0;
    if (path->data)
        path->data[path->len] = 0;
}

/* Where the link's text leads, from the top, by names alone. */
static int follow(const Tree *tree, const TreeEntry *link, Str *path, Error **err)
{
    if (!*link->text)
        return refuse(link, "it is empty", err);
    if (*link->text == '/')
        return refuse(link, "it is absolute", err);
    str_add(path, link->path);
    drop_last(path);
    for (const char *name = link->text; *name;) {
        size_t n = strcspn(name, "/");
        if (n == 2 && strncmp(name, "..", 2) == 0) {
            const TreeEntry *before = path->len ? map_get(tree->by_path, path->data) : NULL;
            if (path->len == 0)
                return refuse(link, "it leads out of the tree", err);
            if (before)
                return refuse(link, "it leads back out of another link", err);
            drop_last(path);
        } else if (n > 0 && !(n == 1 && *name == '.')) {
            if (path->len)
                str_addc(path, '/');
            str_addn(path, name, n);
        }
        name += n;
        name += *name == '/';
    }
    return 0;
}

/* The way from the link's folder: up to the top and down again. */
static const char *relative(const TreeEntry *link, const char *target, Arena *arena)
{
    CLEANUP(str_done) Str text = {0};
    for (const char *p = link->path; *p; p++)
        if (*p == '/')
            str_add(&text, "../");
    str_add(&text, target);
    return arena_strdup(arena, str_get(&text));
}

/* What is written leads straight to a real file or folder, however many links there are on the way to it. */
static int resolve(const Tree *tree, TreeEntry *link, Arena *arena, Error **err)
{
    const TreeEntry *at = link;
    for (unsigned depth = 0; depth < LINK_DEPTH_MAX; depth++) {
        CLEANUP(str_done) Str path = {0};
        if (follow(tree, at, &path, err) < 0)
            return -1;
        at = path.len ? map_get(tree->by_path, path.data) : NULL;
        bool found = at && !at->text, is_folder = path.len && map_get(tree->folders, path.data);
        if (found || is_folder)
            link->target = relative(link, path.data, arena);
        if (found || is_folder || (!at && !is_spec_name(link->path)))
            return 0;
        if (!at)
            return refuse(link, "nothing that is exported is there (*.yaml and *.yml are)", err);
    }
    return is_spec_name(link->path) ? refuse(link, "too many links, one after the other", err) : 0;
}

int tree_resolve_links(Tree *tree, Arena *arena, Error **err)
{
    for (size_t i = 0; i < tree->n_links; i++)
        if (resolve(tree, &tree->links[i], arena, err) < 0)
            return -1;
    return 0;
}
