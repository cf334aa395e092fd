#include "config.h"

#include "sync/keep-exports.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "attr/sync.h"
#include "base/str.h"
#include "base/vec.h"
#include "sync/child.h"
#include "sync/dir.h"

#define WALK_DESCRIPTORS 32
#define REPOSITORY_MAX (2 * (uintmax_t)CHILD_FILE_MAX)

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && streq(text + n - m, end);
}

/* Locks of a git that was killed would stop every later one. */
static int remove_leftover(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st, (void)type;
    const char *name = path + walk->base;
    bool leftover = ends_with(name, ".lock") || ends_with(name, ".keep") || starts_with(name, "tmp_") ||
                    strstr(path, "/tmp_objdir-");
    return leftover && remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

static int clean_repository(const char *path, Error **err)
{
    if (nftw(path, remove_leftover, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return 0;
    return error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be tidied up", path);
}

static int is_file_of_a_pack(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Commits that were refused are never packed away: a copy that has grown out of hand is fetched anew, and small. */
static int drop_large_repository(const char *path, Error **err)
{
    CLEANUP(freep) char *packs = xasprintf("%s/objects/pack", path);
    struct dirent **entries = NULL;
    int n = scandir(packs, &entries, is_file_of_a_pack, NULL);
    uintmax_t total = 0;
    for (int i = 0; i < n; i++) {
        CLEANUP(freep) char *pack = xasprintf("%s/%s", packs, entries[i]->d_name);
        struct stat st;
        total += lstat(pack, &st) == 0 ? (uintmax_t)st.st_size : 0;
        free(entries[i]);
    }
    free(entries);
    return total > REPOSITORY_MAX ? dir_remove(path, err) : 0;
}

int exports_clean(const char *directory, Error **err)
{
    CLEANUP(freep) char *home = xasprintf("%s/home", directory), *link = xasprintf("%s/current.new", directory);
    CLEANUP(freep) char *exports = xasprintf("%s/exports", directory);
    CLEANUP(freep) char *repository = xasprintf("%s/repository.git", directory);
    struct dirent **entries = NULL;
    if (dir_remove(home, err) < 0 || dir_remove(link, err) < 0 || clean_repository(repository, err) < 0 ||
        drop_large_repository(repository, err) < 0)
        return -1;
    int n = scandir(exports, &entries, NULL, NULL), r = 0;
    for (int i = 0; i < n; i++) {
        CLEANUP(freep) char *path = xasprintf("%s/%s", exports, entries[i]->d_name);
        if (r == 0 && (ends_with(path, ".new") || ends_with(path, ".old")))
            r = dir_remove(path, err);
        free(entries[i]);
    }
    free(entries);
    return r;
}

typedef struct Export {
    const char *name;
    struct timespec made;
} Export;

static int newer_first(const void *a, const void *b)
{
    const struct timespec *x = &((const Export *)a)->made, *y = &((const Export *)b)->made;
    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? 1 : -1;
    return (x->tv_nsec < y->tv_nsec) - (x->tv_nsec > y->tv_nsec);
}

static int only_commits(const struct dirent *entry)
{
    return is_commit_id(entry->d_name);
}

int exports_prune(const char *exports, const char *current, size_t keep, Error **err)
{
    struct dirent **entries = NULL;
    VEC(Export) others = {0};
    int n = scandir(exports, &entries, only_commits, NULL), r = 0;
    for (int i = 0; i < n; i++) {
        CLEANUP(freep) char *path = xasprintf("%s/%s/.revision", exports, entries[i]->d_name);
        struct stat st;
        if (!streq(entries[i]->d_name, current))
            *VEC_ADD(&others) = (Export){entries[i]->d_name, stat(path, &st) == 0 ? st.st_mtim : (struct timespec){0}};
    }
    if (others.n)
        qsort(others.items, others.n, sizeof(Export), newer_first);
    for (size_t i = keep - 1; r == 0 && i < others.n; i++) {
        CLEANUP(freep) char *path = xasprintf("%s/%s", exports, others.items[i].name);
        r = dir_remove(path, err);
    }
    VEC_DONE(&others);
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return r;
}

static size_t counted; /* nftw takes no argument for its function */

static int count_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    counted += (type == FTW_F || type == FTW_SL) && !streq(path + walk->base, ".revision");
    return 0;
}

int exports_count_files(const char *exports, const char *commit, size_t *ret, Error **err)
{
    CLEANUP(freep) char *path = xasprintf("%s/%s", exports, commit);
    counted = 0;
    if (nftw(path, count_one, WALK_DESCRIPTORS, FTW_PHYS) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be read", path);
    *ret = counted;
    return 0;
}
