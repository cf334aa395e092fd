#include "config.h"

#include "desired/load.h"

#include <dirent.h>
#include <errno.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "data/yaml-read.h"
#include "desired/claim.h"
#include "desired/revision.h"
#include "desired/timetable.h"
#include "schedule/slot.h"

#define API_VERSION "imagekeeper/v1"
#define FOLDER_DEPTH_MAX 32
#define FOLDER_FILES_MAX 100000

typedef struct Loader {
    const Config *config;
    Problems *problems;
    const char *given;
    const char *root; /* the same without a slash at its end: for messages */
    const char *real; /* where that leads, once for the whole load: a link that is flipped meanwhile must not give half
                         of two trees */
    bool is_folder;
    Specs *specs;
    Arena *scratch; /* of the file at hand: what is kept of a document is copied out of it */
    Map *texts;     /* of node_copy */
    VEC(Spec) items;
    VEC(char *) files;
    const char *shown; /* of the file at hand, in problems: as the user would type it */
    const char *file;  /* of the file at hand, in results: relative to the specs directory */
    usec_t written;    /* wall: when the file at hand was changed last */
} Loader;

static void complain(const Loader *l, const char *file, Mark mark, const char *format, ...) PRINTF(4, 5);
static void complain(const Loader *l, const char *file, Mark mark, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *text = xvasprintf(format, args);
    va_end(args);
    problem_add(l->problems, PROBLEM_ERROR, file, mark, "%s", text);
}

static bool is_spec_file(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot != name && (streq(dot, ".yaml") || streq(dot, ".yml"));
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int find_files(Loader *l, const char *folder, unsigned depth, Error **err);

static int find_in(Loader *l, char *path, bool named, unsigned depth, Error **err)
{
    struct stat st;
    CLEANUP(freep) char *owned = path;
    if (stat(path, &st) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s", path);
    if (S_ISDIR(st.st_mode))
        return find_files(l, path, depth + 1, err);
    if (!named)
        return 0;
    if (l->files.n >= FOLDER_FILES_MAX)
        return error_set(err, ERROR_LOCAL, "%s: more than %d files of specs", path, FOLDER_FILES_MAX);
    *VEC_ADD(&l->files) = TAKE(owned);
    return 0;
}

/* Sorted by name, so that the order of everything that follows is always the same. Hidden names are passed over. */
static int find_files(Loader *l, const char *folder, unsigned depth, Error **err)
{
    if (depth > FOLDER_DEPTH_MAX)
        return error_set(err, ERROR_LOCAL, "%s: folders are nested more than %d deep; is there a loop of links?",
                         folder, FOLDER_DEPTH_MAX);
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, visible, alphasort);
    if (n < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s", folder);
    int r = 0;
    for (int i = 0; i < n; i++) {
        bool named = is_spec_file(entries[i]->d_name);
        if (r == 0 && (named || entries[i]->d_type != DT_REG))
            r = find_in(l, xasprintf("%s/%s", folder, entries[i]->d_name), named, depth, err);
        free(entries[i]);
    }
    free(entries);
    return r;
}

/* Are they the ones that `sync` of the configuration brings? */
static bool is_fetched(const Loader *l)
{
    return l->config->sync && l->config->specs && streq(l->given, l->config->specs);
}

static int find_all(Loader *l, Error **err)
{
    struct stat st;
    if (stat(l->real, &st) < 0 && errno == ENOENT && is_fetched(l))
        return error_set(err, ERROR_LOCAL,
                         "specs: %s does not exist: fetch the specs with: systemctl start imagekeeper-sync (of an "
                         "instance: imagekeeper-sync@NAME; without systemd: imagekeeper sync)",
                         l->root);
    if (stat(l->real, &st) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "specs: %s", l->root);
    l->is_folder = S_ISDIR(st.st_mode);
    if (l->is_folder)
        return find_files(l, l->real, 0, err);
    *VEC_ADD(&l->files) = xstrdup(l->real);
    return 0;
}

/* A file's name as the user would type it, from its name in results. */
static const char *shown_file(const Loader *l, const char *file)
{
    return l->is_folder ? arena_printf(l->specs->arena, "%s/%s", l->root, file) : l->root;
}

/* NULL when it is not said or not known: a missing one is the document's table to complain about. */
static const Kind *read_kind(const Loader *l, const Node *doc)
{
    const Node *version = node_get(doc, "apiVersion"), *name = node_get(doc, "kind");
    if (version && version->type == NODE_STRING && *version->text && !scalar_is_null(version) &&
        !streq(version->text, API_VERSION))
        complain(l, l->shown, version->mark, "apiVersion must be \"" API_VERSION "\", not \"%s\"", version->text);
    if (!name || name->type != NODE_STRING || !*name->text || scalar_is_null(name))
        return NULL;
    const Kind *kind = kind_find(name->text);
    if (kind)
        return kind;
    VEC(const char *) names = {0};
    for (const Kind *const *k = kinds; *k; k++)
        *VEC_ADD(&names) = (*k)->name;
    *VEC_ADD(&names) = NULL;
    CLEANUP(freep) char *hint = names_hint(name->text, names.items);
    complain(l, l->shown, name->mark, "unknown kind \"%s\"%s", name->text, hint);
    VEC_DONE(&names);
    return NULL;
}

/* The document's table, with the rows of its kind put in at `spec`; without a kind the rest is checked all the same. */
static const Node *read_document(const Loader *l, const Kind *kind, const Node *doc)
{
    Field fields[8] = {0};
    for (size_t i = 0; document_fields[i].name; i++) {
        fields[i] = document_fields[i];
        if (streq(fields[i].name, "spec"))
            fields[i].members = kind ? kind->fields : NULL;
    }
    FieldReader reader = {l->scratch, l->shown, l->problems};
    return fields_read(&reader, fields, doc, "the document");
}

static void check_account(const Loader *l, const Kind *kind, const Node *want)
{
    const Node *name = node_get(want, "account");
    if (!name || name->type != NODE_STRING || !*name->text || scalar_is_null(name))
        return;
    const AccountConfig *account = config_account(l->config, name->text);
    if (account && streq(account->type, kind->account_type))
        return;
    if (account) {
        complain(l, l->shown, name->mark, "account \"%s\" is of type %s; %s needs one of type %s", name->text,
                 account->type, kind->name, kind->account_type);
        return;
    }
    VEC(const char *) names = {0};
    for (size_t i = 0; i < l->config->n_accounts; i++)
        *VEC_ADD(&names) = l->config->accounts[i].name;
    *VEC_ADD(&names) = NULL;
    CLEANUP(freep) char *hint = names_hint(name->text, names.items);
    complain(l, l->shown, name->mark, "no account \"%s\" in %s%s", name->text, l->config->file, hint);
    VEC_DONE(&names);
}

static void check_target(const Loader *l, const Kind *kind, const Node *want)
{
    const Field *source = kind_source(kind);
    const char *ways[] = {kind_target(kind)->name, kind_selector(kind)->name, source ? source->name : NULL};
    const NodeEntry *first = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(ways) && ways[i]; i++) {
        const NodeEntry *e = node_entry(want, ways[i]);
        if (e && first)
            complain(l, l->shown, e->mark, "%s and %s cannot stand together: keep one of them", first->key, e->key);
        first = first ? first : e;
    }
    const Node *selector = node_get(want, ways[1]);
    if (selector && selector->type == NODE_MAP && selector->n == 0)
        complain(l, l->shown, selector->mark,
                 "%s must have a condition: which objects it takes (name: \"*\" takes whatever has a name)", ways[1]);
    if (!first)
        complain(l, l->shown, want->mark, "%s needs %s, or a %s%s%s: which objects it is about", kind->name, ways[0],
                 ways[1], source ? ", or " : "", source ? source->name : "");
    for (const Field *f = kind->fields; f->name && source && !node_entry(want, source->name); f++)
        if (f->flags & FIELD_CREATE && node_entry(want, f->name))
            complain(l, l->shown, node_entry(want, f->name)->mark,
                     "%s is said when something is made, and cannot be changed: it needs %s", f->name, source->name);
}

/* What is made bears the document's name as a tag, as a schedule's backups bear theirs with their slots. */
static void check_identity(const Loader *l, const Kind *kind, const Node *doc)
{
    const Node *name = node_get(node_get(doc, "metadata"), "name");
    size_t size;
    usec_t slot;
    if (!kind_source(kind) || !name || name->type != NODE_STRING)
        return;
    if (streq(name->text, SELECTOR_ANY))
        complain(l, l->shown, name->mark, "the name \"%s\" would stand for any name: choose another one", name->text);
    if (slot_read_tag(name->text, &size, &slot))
        complain(l, l->shown, name->mark,
                 "the name \"%s\" reads like a slot of the schedule \"%.*s\": choose another one", name->text,
                 (int)size, name->text);
}

static void check_declares_something(const Loader *l, const Kind *kind, const Node *want)
{
    for (const Field *f = kind->fields; f->name; f++)
        if (f->flags & FIELD_ATTRIBUTE && node_get(want, f->name))
            return;
    problem_add(l->problems, PROBLEM_WARNING, l->shown, want->mark,
                "nothing is declared here, so nothing will be kept");
}

/* A pattern that can fit nothing is a slip of the pen that would let writes through. */
static void check_ignore(const Loader *l, const Kind *kind, const Node *ignore)
{
    for (uint32_t i = 0; ignore && ignore->type == NODE_LIST && i < ignore->n; i++) {
        const Node *pattern = ignore->items[i];
        if (pattern->type != NODE_STRING || !*pattern->text)
            continue;
        CLEANUP(freep) char *first = xstrndup(pattern->text, strcspn(pattern->text, "."));
        VEC(const char *) names = {0};
        bool fits = false;
        for (const Field *f = kind->fields; f->name; f++)
            if (f->flags & FIELD_ATTRIBUTE) {
                fits = fits || glob_match(first, f->name, true, false);
                *VEC_ADD(&names) = f->name;
            }
        *VEC_ADD(&names) = NULL;
        CLEANUP(freep) char *hint = names_hint(first, names.items);
        if (!fits)
            complain(l, l->shown, pattern->mark, "ignore: \"%s\" fits no attribute of %s%s", pattern->text, kind->name,
                     hint);
        VEC_DONE(&names);
    }
}

static const NodeEntry *declared(const Node *want, const char *name)
{
    const NodeEntry *e = node_entry(want, name);
    return e && !scalar_is_null(e->value) ? e : NULL;
}

static void check_exclusive(const Loader *l, const Kind *kind, const Node *want)
{
    for (size_t i = 0; kind->exclusive && kind->exclusive[i][0]; i++) {
        const NodeEntry *a = declared(want, kind->exclusive[i][0]), *b = declared(want, kind->exclusive[i][1]);
        if (a && b)
            complain(l, l->shown, a->mark, "%s and %s cannot stand together on one %s: keep one of them", a->key,
                     b->key, kind->noun);
    }
}

static void check_tag_rule(const Loader *l, const Kind *kind, const Node *reconcile)
{
    const Node *tags = node_get(reconcile, "tags");
    for (const Field *f = kind->fields; f->name; f++)
        if (f->flags & FIELD_ATTRIBUTE && field_holds_tags(f))
            return;
    if (tags)
        complain(l, l->shown, tags->mark, "%s keeps no tags: leave this out", kind->name);
}

/* What no single row can tell. `doc` is as it was written, with whatever is wrong in it, so that all problems are told
 * at once. */
static void check_whole(const Loader *l, const Kind *kind, const Node *doc)
{
    const Node *want = node_get(doc, "spec");
    if (want && want->type == NODE_MAP) {
        check_account(l, kind, want);
        check_target(l, kind, want);
        check_exclusive(l, kind, want);
        if (kind->makes)
            timetable_check(want, l->shown, &l->specs->zones, l->problems);
    }
    check_identity(l, kind, doc);
    check_tag_rule(l, kind, node_get(doc, "reconcile"));
    check_ignore(l, kind, node_get(node_get(doc, "reconcile"), "ignore"));
}

static void add_spec(Loader *l, const Kind *kind, const Node *doc)
{
    Arena *arena = l->specs->arena;
    const Node *want = node_copy(arena, l->texts, node_get(doc, "spec")), *reconcile = node_get(doc, "reconcile");
    const Node *suspend = node_get(reconcile, "suspend"), *until = node_get(suspend, "until");
    const char *mode = node_get_text(reconcile, "mode"), *tags = node_get_text(reconcile, "tags");
    const Field *source = kind_source(kind);
    const char *source_id = source ? node_get_text(want, source->name) : NULL;
    if (!source_id && !kind->makes)
        check_declares_something(l, kind, want);
    Spec *spec = VEC_ADD(&l->items);
    *spec = (Spec){
        .index = l->items.n - 1,
        .kind = kind,
        .name = node_copy_text(arena, l->texts, node_get_text(node_get(doc, "metadata"), "name")),
        .file = l->file,
        .mark = doc->n ? doc->entries[0].mark : doc->mark,
        .account = node_get_text(want, "account"),
        .target = node_get_text(want, kind_target(kind)->name),
        .selector = node_get(want, kind_selector(kind)->name),
        .source = source_id,
        .timetable = kind->makes ? timetable_new(want, l->written, &l->specs->zones, arena) : NULL,
        .want = want,
        .observe = mode && streq(mode, "observe"),
        .exact_tags = tags && streq(tags, "exact"),
        .ignore = node_copy(arena, l->texts, node_get(reconcile, "ignore")),
        .suspended_until = until ? (usec_t)until->integer : 0,
        .suspend_reason = node_copy_text(arena, l->texts, node_get_text(suspend, "reason")),
    };
}

static int read_file(Loader *l, const char *path, Error **err)
{
    CLEANUP(freep) char *text = NULL;
    CLEANUP(arena_freep) Arena *scratch = arena_new();
    size_t size;
    struct stat st;
    if (file_read_plain(path, YAML_SIZE_MAX, &text, &size, err) < 0)
        return -1;
    l->written = stat(path, &st) < 0 ? clock_wall()
                                     : (usec_t)st.st_mtim.tv_sec * USEC_PER_SEC + (usec_t)st.st_mtim.tv_nsec / 1000;
    const char *slash = l->is_folder ? path + strlen(l->real) : strrchr(l->root, '/');
    l->file = arena_strdup(l->specs->arena, slash ? slash + 1 : l->root);
    l->shown = shown_file(l, l->file);
    l->scratch = scratch;
    problems_add_source(l->problems, l->shown, text, size);
    const Node *documents = yaml_read(scratch, l->shown, text, size, l->problems);
    for (uint32_t i = 0; i < documents->n; i++) {
        const Node *written = documents->items[i];
        const Kind *kind = read_kind(l, written);
        const Node *doc = read_document(l, kind, written);
        if (kind)
            check_whole(l, kind, written);
        if (kind && doc)
            add_spec(l, kind, doc);
    }
    problems_forget_source(l->problems, l->shown);
    return 0;
}

static void check_names(const Loader *l)
{
    CLEANUP(map_freep) Map *seen = map_new();
    CLEANUP(arena_freep) Arena *scratch = arena_new();
    for (size_t i = 0; i < l->items.n; i++) {
        const Spec *s = &l->items.items[i];
        const char *key = arena_printf(scratch, "%s/%s", s->kind->name, s->name);
        const Spec *other = map_get(seen, key);
        if (!other) {
            map_put(seen, key, &l->items.items[i]);
            continue;
        }
        const char *file = shown_file(l, s->file), *other_file = shown_file(l, other->file);
        complain(l, file, s->mark, "%s \"%s\" is already declared at %s:%u: give one of them another name",
                 s->kind->name, s->name, other_file, other->mark.line);
    }
}

/* What the object that a document names is known by, as far as that can be told without its cloud. */
static const char *target_key(const Spec *spec, Arena *scratch)
{
    bool local = spec->kind->flags & KIND_LOCAL_IDS;
    return local ? arena_printf(scratch, "%s\n%s", spec->account, spec->target) : spec->target;
}

/* Two documents that name the same object: what both claim is known before any cloud is asked. */
static void check_claims(const Loader *l)
{
    CLEANUP(map_freep) Map *last = map_new();
    CLEANUP(arena_freep) Arena *scratch = arena_new();
    size_t *before = arena_calloc(scratch, l->items.n, sizeof(size_t)); /* index + 1 of the one before with that id */
    for (size_t i = 0; i < l->items.n; i++) {
        Spec *s = &l->items.items[i];
        if (!s->target)
            continue;
        const Spec *other = map_put(last, target_key(s, scratch), s);
        before[i] = other ? other->index + 1 : 0;
        for (size_t k = before[i]; k; k = before[k - 1]) {
            Mark here, there;
            other = &l->items.items[k - 1];
            const char *path = claim_overlap(scratch, s, other, &here, &there);
            const char *file = shown_file(l, s->file), *other_file = shown_file(l, other->file);
            if (path)
                complain(l, file, here, "%s of %s is also claimed by %s \"%s\" at %s:%u:%u: leave it to one of them",
                         path, s->target, other->kind->name, other->name, other_file, there.line, there.column);
        }
    }
}

static int load_all(Loader *l, Error **err)
{
    if (find_all(l, err) < 0)
        return -1;
    if (l->files.n == 0)
        return error_set(err, ERROR_SPEC, "specs: %s holds no *.yaml file", l->root);
    for (size_t i = 0; i < l->files.n; i++)
        if (read_file(l, l->files.items[i], err) < 0)
            return -1;
    check_names(l);
    check_claims(l);
    if (problems_errors(l->problems) > 0)
        return error_set(err, ERROR_SPEC, "%s", problems_first(l->problems));
    return 0;
}

static void loader_done(Loader *l)
{
    for (size_t i = 0; i < l->files.n; i++)
        free(l->files.items[i]);
    VEC_DONE(&l->files);
    for (size_t i = 0; l->specs && i < l->items.n; i++)
        timetable_done(l->items.items[i].timetable); /* the set is not to be */
    VEC_DONE(&l->items);
    map_free(l->texts);
    specs_free(l->specs);
}

int specs_load(const char *path, const Config *config, Problems *problems, Specs **ret, Error **err)
{
    CLEANUP(freep) char *root = xstrdup(path), *real = realpath(path, NULL);
    while (strlen(root) > 1 && root[strlen(root) - 1] == '/')
        root[strlen(root) - 1] = 0;
    CLEANUP(loader_done)
    Loader loader = {.config = config, .problems = problems, .given = path, .root = root, .real = real ? real : root};
    Specs *specs = loader.specs = xcalloc(1, sizeof(*specs));
    specs->refs = 1;
    specs->arena = arena_new();
    loader.texts = map_new();
    if (load_all(&loader, err) < 0)
        return -1;
    Spec *items = arena_calloc(specs->arena, loader.items.n, sizeof(Spec));
    if (loader.items.n)
        memcpy(items, loader.items.items, loader.items.n * sizeof(Spec));
    specs->items = items;
    specs->n = loader.items.n;
    specs->revision = revision_find(specs->arena, loader.real);
    *ret = TAKE(loader.specs);
    return 0;
}
