#include "config.h"

#include "sync/export.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/vec.h"
#include "data/yaml-read.h"
#include "sync/dir.h"
#include "sync/tree.h"

#define TOTAL_MAX ((size_t)256 * 1024 * 1024)
#define LISTING_MAX ((size_t)256 * 1024 * 1024)

typedef struct Export {
    const Git *git;
    const char *commit, *path, *before;
    Arena *arena;
    Tree tree;
    struct timespec now;
    Map *made; /* folders of it that are there */
    size_t total;
    /* Of `git cat-file --batch`: */
    Child *child;
    char buffer[65536];
    size_t at, n;
} Export;

static void export_done(Export *e)
{
    child_free(e->child);
    tree_done(&e->tree);
    map_free(e->made);
}

static int list(Export *e, Error **err)
{
    CLEANUP(child_freep) Child *child = NULL;
    CLEANUP(str_done) Str listing = {0};
    const char *const words[] = {"ls-tree", "-r", "-z", "--full-tree", e->commit, NULL};
    int status = 0;
    if (git_start(e->git, &(GitCommand){.words = words}, &child, err) < 0 ||
        child_read_all(child, LISTING_MAX, &listing, err) < 0 || child_wait(child, &status, err) < 0)
        return -1;
    if (status != 0)
        return git_failed(e->git, words[0], child, status, err);
    if (tree_parse(str_get(&listing), listing.len, e->arena, &e->tree, err) < 0)
        return -1;
    if (e->tree.n_files == 0)
        return error_set(err, ERROR_REJECTED, "it has no *.yaml and no *.yml file: nothing would be left");
    return 0;
}

/* Links come first: where they lead must be known before anything is written. */
static int write_ids(const Export *e, int fd, Error **err)
{
    CLEANUP(str_done) Str ids = {0};
    for (size_t i = 0; i < e->tree.n_links; i++)
        str_addf(&ids, "%s\n", e->tree.links[i].id);
    for (size_t i = 0; i < e->tree.n_files; i++)
        str_addf(&ids, "%s\n", e->tree.files[i].id);
    for (size_t done = 0; done < ids.len;) {
        ssize_t n = write(fd, ids.data + done, ids.len - done);
        if (n < 0)
            return error_set_errno(err, ERROR_LOCAL, errno, "the list of files cannot be written");
        done += (size_t)n;
    }
    return lseek(fd, 0, SEEK_SET) < 0 ? error_set_errno(err, ERROR_LOCAL, errno, "the list of files cannot be read")
                                      : 0;
}

static int start_reading(Export *e, Error **err)
{
    static const char *const words[] = {"cat-file", "--batch", NULL};
    CLEANUP(closep) int fd = memfd_create("objects", MFD_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "memory for the list of files cannot be had");
    if (write_ids(e, fd, err) < 0)
        return -1;
    return git_start(e->git, &(GitCommand){.words = words, .input = fd}, &e->child, err);
}

/* Up to `size` of the bytes that come next, at least one; *ret_n is 0 at the end. Good until the next call. */
static int next_bytes(Export *e, size_t size, const char **ret, size_t *ret_n, Error **err)
{
    if (e->at == e->n) {
        e->at = 0;
        if (child_read(e->child, e->buffer, sizeof(e->buffer), &e->n, err) < 0)
            return -1;
    }
    *ret = e->buffer + e->at;
    *ret_n = e->n - e->at < size ? e->n - e->at : size;
    e->at += *ret_n;
    return 0;
}

static int read_bytes(Export *e, size_t size, Str *out, Error **err)
{
    while (size > 0) {
        const char *bytes;
        size_t n;
        if (next_bytes(e, size, &bytes, &n, err) < 0)
            return -1;
        if (n == 0)
            return error_set(err, ERROR_LOCAL, "it cannot be read");
        str_addn(out, bytes, n);
        size -= n;
    }
    return 0;
}

/* "id blob size"; -1 for *ret_size: it is not there. */
static int read_header(Export *e, const TreeEntry *entry, size_t *ret_size, bool *ret_there, Error **err)
{
    char line[128], *end;
    size_t length = 0, n = 1;
    for (const char *byte; n > 0 && length < sizeof(line) - 1; length++) {
        if (next_bytes(e, 1, &byte, &n, err) < 0)
            return -1;
        if (n == 0 || *byte == '\n')
            break;
        line[length] = *byte;
    }
    line[length] = 0;
    CLEANUP(freep) char *good = xasprintf("%s blob ", entry->id);
    *ret_there = n > 0 && starts_with(line, good);
    *ret_size = *ret_there ? strtoull(line + strlen(good), &end, 10) : 0;
    return 0;
}

static int read_blob(Export *e, const TreeEntry *entry, size_t limit, Str *out, Error **err)
{
    size_t size;
    bool there;
    if (read_header(e, entry, &size, &there, err) < 0)
        return error_wrap(err, "%s", entry->path);
    if (!there || size > limit) /* too large ones may not even have been fetched */
        return error_set(err, ERROR_REJECTED, "%s has more than %zu bytes, or was not fetched whole", entry->path,
                         limit);
    e->total += size;
    if (e->total > TOTAL_MAX)
        return error_set(err, ERROR_REJECTED, "its specs have more than %zu bytes in all", TOTAL_MAX);
    str_clear(out);
    CLEANUP(str_done) Str newline = {0};
    if (read_bytes(e, size, out, err) < 0 || read_bytes(e, 1, &newline, err) < 0)
        return error_wrap(err, "%s", entry->path);
    return 0;
}

static int read_links(Export *e, Error **err)
{
    CLEANUP(str_done) Str text = {0};
    for (size_t i = 0; i < e->tree.n_links; i++) {
        TreeEntry *link = &e->tree.links[i];
        if (read_blob(e, link, TREE_LINK_MAX, &text, err) < 0)
            return -1;
        if (memchr(str_get(&text), 0, text.len))
            return error_set(err, ERROR_REJECTED, "the link %s has a NUL byte in its text", link->path);
        link->text = arena_strndup(e->arena, str_get(&text), text.len);
    }
    return tree_resolve_links(&e->tree, e->arena, err);
}

/* The folders that lead to `path`. */
static int make_folders(Export *e, const char *path, Error **err)
{
    CLEANUP(freep) char *folder = xstrdup(path);
    for (char *slash = strchr(folder, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (!map_get(e->made, folder)) {
            const char *whole = arena_printf(e->arena, "%s/%s", e->path, folder);
            if (dir_make(whole, 0755, err) < 0)
                return -1;
            map_put(e->made, arena_strdup(e->arena, folder), (void *)whole);
        }
        *slash = '/';
    }
    return 0;
}

/* When a file with these very bytes was exported there before. */
static bool was_same(const Export *e, const char *path, const Str *bytes, struct timespec *ret)
{
    CLEANUP(freep) char *old = e->before ? xasprintf("%s/%s", e->before, path) : NULL, *text = NULL;
    struct stat st;
    size_t size;
    if (!old || lstat(old, &st) < 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size != bytes->len)
        return false;
    if (file_read(old, YAML_SIZE_MAX, &text, &size, NULL) < 0 || size != bytes->len ||
        memcmp(text, str_get(bytes), size) != 0)
        return false;
    *ret = st.st_mtim;
    return true;
}

static int write_files(Export *e, Error **err)
{
    CLEANUP(str_done) Str bytes = {0};
    for (size_t i = 0; i < e->tree.n_files; i++) {
        const TreeEntry *file = &e->tree.files[i];
        CLEANUP(freep) char *path = xasprintf("%s/%s", e->path, file->path);
        struct timespec modified = e->now;
        if (read_blob(e, file, YAML_SIZE_MAX, &bytes, err) < 0 || make_folders(e, file->path, err) < 0)
            return -1;
        was_same(e, file->path, &bytes, &modified);
        if (dir_write(path, str_get(&bytes), bytes.len, &modified, err) < 0)
            return -1;
    }
    return 0;
}

static int write_links(Export *e, size_t *n_files, Error **err)
{
    for (size_t i = 0; i < e->tree.n_links; i++) {
        const TreeEntry *link = &e->tree.links[i];
        CLEANUP(freep) char *path = xasprintf("%s/%s", e->path, link->path);
        if (!link->target)
            continue;
        if (make_folders(e, link->path, err) < 0)
            return -1;
        if (symlink(link->target, path) < 0)
            return error_set_errno(err, ERROR_LOCAL, errno, "the link %s cannot be made", path);
        (*n_files)++;
    }
    return 0;
}

static int finish(const Export *e, Error **err)
{
    CLEANUP(freep) char *revision = xasprintf("%s/.revision", e->path), *line = xasprintf("%s\n", e->commit);
    size_t position = 0;
    int status = 0;
    if (child_wait(e->child, &status, err) < 0)
        return -1;
    if (status != 0)
        return git_failed(e->git, "cat-file", e->child, status, err);
    if (dir_write(revision, line, strlen(line), NULL, err) < 0)
        return -1;
    for (const char *folder = map_next(e->made, &position, NULL); folder; folder = map_next(e->made, &position, NULL))
        if (dir_flush(folder, err) < 0)
            return -1;
    return dir_flush(e->path, err);
}

static int run(Export *e, Exported *ret, Error **err)
{
    size_t n_files = 0;
    if (list(e, err) < 0 || start_reading(e, err) < 0 || read_links(e, err) < 0 || dir_make(e->path, 0755, err) < 0 ||
        write_files(e, err) < 0 || write_links(e, &n_files, err) < 0 || finish(e, err) < 0)
        return error_wrap(err, "commit %s cannot be exported", e->commit);
    *ret = (Exported){n_files + e->tree.n_files, e->tree.n_submodules, e->tree.submodule};
    return 0;
}

int export_commit(const Git *git, const char *commit, const char *path, const char *before, Arena *arena, Exported *ret,
                  Error **err)
{
    CLEANUP(export_done)
    Export e = {.git = git, .commit = commit, .path = path, .before = before, .arena = arena, .made = map_new()};
    usec_t now = clock_wall();
    e.now = (struct timespec){(time_t)(now / USEC_PER_SEC), (long)(now % USEC_PER_SEC) * 1000};
    return run(&e, ret, err);
}
