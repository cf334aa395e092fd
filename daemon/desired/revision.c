#include "config.h"

#include "desired/revision.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/str.h"

#define SMALL_FILE ((size_t)4096)
#define PACKED_REFS_MAX ((size_t)16 * 1024 * 1024)
#define SYMBOLIC_DEPTH 5

/* The file's text without white space at its ends, or NULL. */
static char *read_small(const char *folder, const char *name, size_t limit)
{
    CLEANUP(freep) char *path = xasprintf("%s/%s", folder, name);
    CLEANUP(freep) char *text = NULL;
    size_t size;
    return file_read(path, limit, &text, &size, NULL) < 0 ? NULL : xstrdup(str_strip(text));
}

static bool is_commit(const char *text)
{
    size_t n = strspn(text, "0123456789abcdef");
    return (n == 40 || n == 64) && !text[n];
}

static char *find_packed(const char *git, const char *ref)
{
    CLEANUP(freep) char *packed = read_small(git, "packed-refs", PACKED_REFS_MAX);
    char *rest = packed;
    for (char *line = packed ? strsep(&rest, "\n") : NULL; line; line = strsep(&rest, "\n")) {
        char *space = strchr(line, ' ');
        if (!space || !streq(str_strip(space + 1), ref))
            continue;
        *space = 0;
        return is_commit(line) ? xstrdup(line) : NULL;
    }
    return NULL;
}

/* A work tree made by `git worktree` keeps HEAD in its own folder and the refs in the common one. */
static char *resolve(const char *git, const char *common, const char *name, unsigned depth)
{
    CLEANUP(freep) char *text = read_small(git, name, SMALL_FILE);
    if (!text && common)
        text = read_small(common, name, SMALL_FILE);
    if (!text)
        return find_packed(common ? common : git, name);
    if (is_commit(text))
        return TAKE(text);
    if (!starts_with(text, "ref: refs/") || strstr(text, "..") || depth == 0)
        return NULL;
    return resolve(git, common, str_strip(text + 5), depth - 1);
}

static char *join(const char *folder, const char *path)
{
    return *path == '/' ? xstrdup(path) : xasprintf("%s/%s", folder, path);
}

/* `.git` is a folder, or a file that names one. */
static char *head_of(const char *folder)
{
    CLEANUP(freep) char *git = xasprintf("%s/.git", folder);
    CLEANUP(freep) char *pointer = read_small(folder, ".git", SMALL_FILE);
    if (pointer && starts_with(pointer, "gitdir: ")) {
        free(git);
        git = join(folder, pointer + strlen("gitdir: "));
    }
    CLEANUP(freep) char *common_name = read_small(git, "commondir", SMALL_FILE);
    CLEANUP(freep) char *common = common_name ? join(git, common_name) : NULL;
    return resolve(git, common, "HEAD", SYMBOLIC_DEPTH);
}

const char *revision_find(Arena *arena, const char *specs_path)
{
    char folder[PATH_MAX];
    if (!realpath(specs_path, folder))
        return NULL;
    /* Upwards from the specs: an exported tree says its revision in a file, a work tree in its HEAD. */
    for (char *slash = folder + strlen(folder); slash; slash = strrchr(folder, '/')) {
        *slash = 0;
        CLEANUP(freep) char *exported = read_small(*folder ? folder : "/", ".revision", SMALL_FILE);
        if (exported && is_commit(exported))
            return arena_strdup(arena, exported);
        CLEANUP(freep) char *head = head_of(*folder ? folder : "/");
        if (head)
            return arena_strdup(arena, head);
    }
    return NULL;
}
