#include "config.h"

#include "sync/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "sync/dir.h"
#include "sync/export.h"
#include "sync/keep-exports.h"
#include "sync/repository.h"

#define DIRECTORY_DEFAULT "/var/lib/imagekeeper-sync"
#define LOCK_WAIT (90 * USEC_PER_SEC) /* what a killed run has left behind gives up sooner: http.lowSpeedTime */
#define LOCK_STEP_USEC 50000

typedef struct Sync {
    const SyncConfig *config;
    Arena *arena;
    const char *directory, *exports, *current;
    const char *last; /* the commit that `current` names, or NULL */
    bool last_whole;  /* and its export is there */
    bool denied;      /* who we are may not fetch there */
    Git *git;
    int lock;
} Sync;

static void sync_done(Sync *s)
{
    git_free(s->git);
    closep(&s->lock);
}

#define BY_UNIT "fetch through the unit: systemctl start imagekeeper-sync (of an instance: imagekeeper-sync@NAME)"

static const char *user_name(const Sync *s, uid_t uid)
{
    const struct passwd *user = getpwuid(uid);
    return arena_strdup(s->arena, user ? user->pw_name : arena_printf(s->arena, "%ju", (uintmax_t)uid));
}

/* Its owner alone fetches there: others may not write, and what root made, the owner could neither write nor take away
 * the next time. */
static int check_owner(Sync *s, const char *path, Error **err)
{
    struct stat st;
    uid_t self = geteuid();
    if (stat(path, &st) < 0 || st.st_uid == self || (self != 0 && access(path, W_OK) == 0))
        return 0;
    s->denied = true;
    return error_set(err, ERROR_LOCAL, "%s belongs to user %s, not to %s: " BY_UNIT ", or run this as that user", path,
                     user_name(s, st.st_uid), user_name(s, self));
}

static int cannot_reach(Sync *s, int number, const char *what, Error **err)
{
    s->denied = number == EACCES;
    return error_set(err, ERROR_LOCAL, "%s: %s%s", what, strerror(number),
                     s->denied ? "; " BY_UNIT ", or set another sync.directory" : "");
}

static int find_directory(Sync *s, Error **err)
{
    const char *state = getenv("STATE_DIRECTORY"), *path = s->config->directory;
    if (!path)
        path = state && *state ? arena_strndup(s->arena, state, strcspn(state, ":")) : DIRECTORY_DEFAULT;
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return cannot_reach(s, errno, arena_printf(s->arena, "the directory %s cannot be made (sync.directory)", path),
                            err);
    CLEANUP(freep) char *real = realpath(path, NULL);
    if (!real)
        return cannot_reach(s, errno, arena_printf(s->arena, "sync.directory: %s", path), err);
    if (check_owner(s, real, err) < 0)
        return -1;
    s->directory = arena_strdup(s->arena, real);
    s->exports = arena_printf(s->arena, "%s/exports", real);
    s->current = arena_printf(s->arena, "%s/current", real);
    return 0;
}

/* Programs that are started inherit it: as long as one of a run that was killed is about, it is held. */
static int take_lock(Sync *s, Error **err)
{
    const char *path = arena_printf(s->arena, "%s/lock", s->directory);
    usec_t end = clock_monotonic() + LOCK_WAIT;
    s->lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600); // NOLINT(android-cloexec-open)
    if (s->lock < 0)
        return cannot_reach(s, errno, arena_printf(s->arena, "%s cannot be opened", path), err);
    while (flock(s->lock, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be locked", path);
        if (clock_monotonic() > end)
            return error_set(err, ERROR_LOCAL, "another imagekeeper sync is at work in %s: try again later",
                             s->directory);
        usleep(LOCK_STEP_USEC);
    }
    return 0;
}

/* What `current` says: the commit in its link's text. */
static int read_last(Sync *s, Error **err)
{
    char target[PATH_MAX];
    ssize_t n = readlink(s->current, target, sizeof(target) - 1);
    if (n < 0 && errno == ENOENT)
        return 0;
    if (n < 0)
        return error_set(err, ERROR_LOCAL, "%s is not a link of ours: take it away", s->current);
    target[n] = 0;
    if (!starts_with(target, "exports/") || !is_commit_id(target + strlen("exports/")))
        return error_set(err, ERROR_LOCAL, "%s leads to %s, which is not an export: take it away", s->current, target);
    s->last = arena_strdup(s->arena, target + strlen("exports/"));
    CLEANUP(freep) char *path = xasprintf("%s/.revision", s->current), *text = NULL;
    size_t size;
    s->last_whole = file_read(path, 4096, &text, &size, NULL) == 0 && streq(str_strip(text), s->last);
    return 0;
}

static int refuse_rewind(const Sync *s, const char *commit, Error **err)
{
    const SyncConfig *c = s->config;
    return error_set(err, ERROR_REJECTED,
                     "commit %s of %s %s is refused: it does not descend from %s, which is current, so that changes "
                     "would be taken back unseen. If that is wanted, set sync.allowRewind: true until it is done",
                     commit, c->repository, c->ref, s->last);
}

/* May it become current? */
static int judge(Sync *s, const Wanted *wanted, const char *commit, Error **err)
{
    bool descends = true;
    if (repository_verify(s->git, commit, err) < 0)
        return -1;
    if (s->last && !s->config->allow_rewind && repository_descends(s->git, wanted, s->last, commit, &descends, err) < 0)
        return -1;
    return descends ? 0 : refuse_rewind(s, commit, err);
}

/* One system call flips it. */
static int flip(const Sync *s, const char *commit, Error **err)
{
    CLEANUP(freep) char *text = xasprintf("exports/%s", commit), *new = xasprintf("%s.new", s->current);
    if (symlink(text, new) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "the link %s cannot be made", new);
    if (rename(new, s->current) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be flipped", s->current);
    return dir_flush(s->directory, err);
}

/* An export of the commit from earlier on has its files' old times: it is made anew, beside it. */
static int put_in_place(const Sync *s, const char *new, const char *final, Error **err)
{
    CLEANUP(freep) char *old = xasprintf("%s.old", final);
    if (rename(final, old) < 0 && errno != ENOENT)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be moved away", final);
    if (rename(new, final) < 0)
        return error_set_errno(err, ERROR_LOCAL, errno, "%s cannot be renamed", new);
    return dir_flush(s->exports, err) < 0 ? -1 : dir_remove(old, err);
}

static int export_it(const Sync *s, const char *commit, Exported *ret, Error **err)
{
    CLEANUP(freep) char *final = xasprintf("%s/%s", s->exports, commit), *new = xasprintf("%s.new", final);
    if (export_commit(s->git, commit, new, s->last_whole ? s->current : NULL, s->arena, ret, err) < 0) {
        dir_remove(new, NULL);
        return -1;
    }
    return put_in_place(s, new, final, err) < 0 ? -1 : flip(s, commit, err);
}

static int say_current(const Sync *s, SyncResult *ret, Error **err)
{
    return exports_count_files(s->exports, s->last, &ret->n_files, err);
}

static int take(Sync *s, const char *commit, SyncResult *ret, Error **err)
{
    Exported exported = {0};
    CLEANUP(error_freep) Error *trouble = NULL;
    if (export_it(s, commit, &exported, err) < 0)
        return -1;
    ret->n_files = exported.n_files;
    ret->news = true;
    ret->n_submodules = exported.n_submodules;
    ret->submodule = exported.submodule;
    if (exports_prune(s->exports, commit, s->config->keep, &trouble) < 0 ||
        repository_tidy(s->git, s->directory, &trouble) < 0)
        ret->warning = arena_strdup(s->arena, trouble->message);
    return 0;
}

/* Is there nothing to fetch? The signature is looked at all the same: who may sign can have changed. */
static int check_current(Sync *s, const Wanted *wanted, bool *ret, Error **err)
{
    *ret = false;
    if (!s->last_whole || !streq(s->last, wanted->commit))
        return 0;
    *ret = true;
    if (s->config->verify == VERIFY_NONE)
        return 0;
    if (repository_has(s->git, s->last, ret, err) < 0)
        return -1;
    return *ret ? repository_verify(s->git, s->last, err) : 0;
}

static int run(Sync *s, SyncResult *ret, Error **err)
{
    Wanted wanted;
    bool is_current;
    const char *commit = NULL;
    if (git_new(s->config, s->directory, &s->git, err) < 0 || repository_find(s->git, s->arena, &wanted, err) < 0)
        return -1;
    memcpy(ret->commit, wanted.commit, sizeof(ret->commit));
    if (check_current(s, &wanted, &is_current, err) < 0)
        return -1;
    if (is_current)
        return say_current(s, ret, err);
    if (repository_fetch(s->git, &wanted, s->last, &commit, s->arena, err) < 0)
        return -1;
    memcpy(ret->commit, commit, strlen(commit) + 1);
    if (judge(s, &wanted, commit, err) < 0)
        return -1;
    return s->last_whole && streq(commit, s->last) ? say_current(s, ret, err) : take(s, commit, ret, err);
}

int sync_run(const SyncConfig *config, Arena *arena, SyncResult *ret, Error **err)
{
    CLEANUP(sync_done)
    Sync s = {.config = config, .arena = arena, .directory = "", .exports = "", .current = "", .lock = -1};
    *ret = (SyncResult){0};
    int r = find_directory(&s, err) < 0 || take_lock(&s, err) < 0 ? -1 : 0;
    ret->denied = s.denied;
    if (r < 0)
        return -1;
    ret->directory = s.directory;
    if (exports_clean(s.directory, err) < 0 || dir_make(s.exports, 0755, err) < 0 || read_last(&s, err) < 0)
        return -1;
    return run(&s, ret, err);
}
