#include "config.h"

#include "sync/repository.h"

#include <dirent.h>
#include <stdlib.h>

#include "data/yaml-read.h"

#define PACKS_MAX 40
#define FETCHED "refs/imagekeeper/fetched"
#define FETCHED_COMMIT "refs/imagekeeper/fetched^{commit}"
#define EXPORTED "refs/imagekeeper/exported"
/* Larger ones would be refused anyway: where the server can, it leaves them out. */
#define FILTER "--filter=blob:limit=4194305"
_Static_assert(YAML_SIZE_MAX == 4194304, "FILTER leaves out what is larger than a spec may be");

static bool take_id(const char *line, const char *tab, char id[static 65])
{
    size_t n = (size_t)(tab - line);
    if (n > 64)
        return false;
    memcpy(id, line, n);
    id[n] = 0;
    return is_commit_id(id);
}

/* The id of one ref in the answer of ls-remote, that of the commit where it is an annotated tag. */
static bool find_ref(const char *answer, const char *ref, char id[static 65])
{
    CLEANUP(freep) char *peeled = xasprintf("%s^{}", ref), *text = xstrdup(answer);
    bool found = false;
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        char *tab = strchr(line, '\t');
        if (!tab)
            continue;
        bool is_peeled = streq(tab + 1, peeled);
        if ((is_peeled || (!found && streq(tab + 1, ref))) && take_id(line, tab, id))
            found = true;
        if (is_peeled && found)
            return true;
    }
    return found;
}

static int choose_ref(const Git *git, const char *answer, Arena *arena, Wanted *wanted, Error **err)
{
    const SyncConfig *c = git_config(git);
    char branch_id[65] = "", tag_id[65] = "";
    const char *branch = starts_with(c->ref, "refs/") ? c->ref : arena_printf(arena, "refs/heads/%s", c->ref);
    const char *tag = arena_printf(arena, "refs/tags/%s", c->ref);
    bool is_branch = find_ref(answer, branch, branch_id), is_tag = find_ref(answer, tag, tag_id);
    if (!is_branch && !is_tag)
        return error_set(err, ERROR_LOCAL, "%s has no branch or tag \"%s\": see sync.ref", c->repository, c->ref);
    if (is_branch && is_tag)
        return error_set(err, ERROR_LOCAL, "%s has a branch and a tag \"%s\": write %s or %s in sync.ref",
                         c->repository, c->ref, branch, tag);
    wanted->source = is_branch ? branch : tag;
    memcpy(wanted->commit, is_branch ? branch_id : tag_id, sizeof(wanted->commit));
    return 0;
}

int repository_find(const Git *git, Arena *arena, Wanted *ret, Error **err)
{
    const SyncConfig *c = git_config(git);
    CLEANUP(str_done) Str answer = {0};
    Wanted wanted = {.by_id = is_commit_id(c->ref), .source = c->ref};
    const char *whole = starts_with(c->ref, "refs/") ? c->ref : NULL;
    const char *branch = wanted.by_id ? "HEAD" : whole ? whole : arena_printf(arena, "refs/heads/%s", c->ref);
    const char *peeled = arena_printf(arena, "%s^{}", branch);
    const char *tag = wanted.by_id ? branch : arena_printf(arena, "refs/tags/%s", c->ref);
    const char *peeled_tag = arena_printf(arena, "%s^{}", tag);
    const char *const words[] = {"ls-remote", "--quiet", "--", GIT_REMOTE, branch, peeled, tag, peeled_tag, NULL};
    if (git_run(git, &(GitCommand){.words = words, .network = true}, &answer, NULL, err) < 0)
        return error_wrap(err, "%s cannot be read", c->repository);
    if (!wanted.by_id && choose_ref(git, str_get(&answer), arena, &wanted, err) < 0)
        return -1;
    if (wanted.by_id)
        memcpy(wanted.commit, c->ref, strlen(c->ref) + 1);
    *ret = wanted;
    return 0;
}

/* One try; `more` is another option, or NULL. */
static int fetch(const Git *git, const char *more, const char *refspec, int *ret_status, Error **err)
{
    const char *words[12] = {
        "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance",
        FILTER};
    size_t n = 7;
    if (more)
        words[n++] = more;
    words[n++] = "--";
    words[n++] = GIT_REMOTE;
    words[n] = refspec;
    return git_run(git, &(GitCommand){.words = words, .network = true}, NULL, ret_status, err);
}

/* Not every server gives a commit by its id, or a history that is cut off. */
static int fetch_some_way(const Git *git, const Wanted *wanted, bool shallow, Error **err)
{
    CLEANUP(freep) char *refspec = xasprintf("+%s:" FETCHED, wanted->source);
    int status = 1;
    if ((shallow || wanted->by_id) && fetch(git, shallow ? "--depth=1" : NULL, refspec, &status, err) < 0)
        return -1;
    if (status == 0)
        return 0;
    if (!wanted->by_id)
        return fetch(git, NULL, refspec, NULL, err);
    if (fetch(git, NULL, "+refs/heads/*:refs/imagekeeper/heads/*", NULL, err) < 0)
        return -1;
    const char *const words[] = {"update-ref", FETCHED, wanted->source, NULL};
    if (git_run(git, &(GitCommand){.words = words}, NULL, &status, err) < 0)
        return -1;
    if (status != 0)
        return error_set(err, ERROR_LOCAL, "no branch of %s has the commit %s (sync.ref)", git_config(git)->repository,
                         wanted->source);
    return 0;
}

int repository_fetch(const Git *git, const Wanted *wanted, const char *last, const char **ret_commit, Arena *arena,
                     Error **err)
{
    if (last) { /* so that the server is told that it is here, and it stays here; whether it is will be seen */
        const char *const words[] = {"update-ref", EXPORTED, last, NULL};
        int ignored;
        if (git_run(git, &(GitCommand){.words = words}, NULL, &ignored, err) < 0)
            return -1;
    }
    if (fetch_some_way(git, wanted, !last, err) < 0)
        return error_wrap(err, "%s cannot be fetched from %s", git_config(git)->ref, git_config(git)->repository);
    CLEANUP(str_done) Str out = {0};
    const char *const words[] = {"rev-parse", "--verify", "--end-of-options", FETCHED_COMMIT, NULL};
    if (git_run(git, &(GitCommand){.words = words}, &out, NULL, err) < 0)
        return error_wrap(err, "%s is no commit", git_config(git)->ref);
    const char *commit = arena_strndup(arena, str_get(&out), strcspn(str_get(&out), "\n"));
    if (!is_commit_id(commit))
        return error_set(err, ERROR_LOCAL, "git rev-parse gives no commit id for %s", git_config(git)->ref);
    *ret_commit = commit;
    return 0;
}

int repository_has(const Git *git, const char *commit, bool *ret, Error **err)
{
    CLEANUP(freep) char *name = xasprintf("%s^{commit}", commit);
    const char *const words[] = {"cat-file", "-e", name, NULL};
    int status = 0;
    if (git_run(git, &(GitCommand){.words = words}, NULL, &status, err) < 0)
        return -1;
    *ret = status == 0;
    return 0;
}

static int refuse_signature(const Git *git, const char *commit, const char *verdict, Error **err)
{
    const SyncConfig *c = git_config(git);
    const char *key = c->verify == VERIFY_SSH ? "sync.allowedSigners" : "sync.publicKeys";
    if (*verdict == 'N')
        return error_set(err, ERROR_REJECTED, "commit %s is refused: it is not signed, and sync.verify asks for it",
                         commit);
    return error_set(
        err, ERROR_REJECTED,
        "commit %s is refused: its signature is not a good one by a key of %s that holds (git's verdict is "
        "\"%.1s\")",
        commit, key, verdict);
}

/* By the exit status and the one letter, and never by what is printed for people. */
int repository_verify(const Git *git, const char *commit, Error **err)
{
    if (git_config(git)->verify == VERIFY_NONE)
        return 0;
    CLEANUP(str_done) Str letter = {0};
    const char *const verify[] = {"verify-commit", commit, NULL};
    const char *const log[] = {"log", "-1", "--no-show-signature", "--format=%G?", commit, "--", NULL};
    int status = 0;
    if (git_run(git, &(GitCommand){.words = verify}, NULL, &status, err) < 0 ||
        git_run(git, &(GitCommand){.words = log}, &letter, NULL, err) < 0)
        return error_wrap(err, "the signature of commit %s cannot be checked", commit);
    const char *verdict = str_get(&letter);
    if (status == 0 && streq(verdict, "G\n"))
        return 0;
    return refuse_signature(git, commit, verdict[0] ? verdict : "?", err);
}

static int is_ancestor(const Git *git, const char *last, const char *commit, bool *ret, Error **err)
{
    const char *const words[] = {"merge-base", "--is-ancestor", last, commit, NULL};
    int status = 0;
    if (git_run(git, &(GitCommand){.words = words}, NULL, &status, err) < 0)
        return -1;
    *ret = status == 0;
    return 0;
}

static int is_cut_off(const Git *git, bool *ret, Error **err)
{
    CLEANUP(str_done) Str answer = {0};
    const char *const words[] = {"rev-parse", "--is-shallow-repository", NULL};
    if (git_run(git, &(GitCommand){.words = words}, &answer, NULL, err) < 0)
        return -1;
    *ret = streq(str_get(&answer), "true\n");
    return 0;
}

int repository_descends(const Git *git, const Wanted *wanted, const char *last, const char *commit, bool *ret,
                        Error **err)
{
    bool cut_off = false;
    int status = 0;
    if (is_ancestor(git, last, commit, ret, err) < 0)
        return -1;
    if (*ret)
        return 0;
    /* After a step back and forth the way may lead through what was never fetched. */
    if (is_cut_off(git, &cut_off, err) < 0 || !cut_off)
        return cut_off ? -1 : 0;
    CLEANUP(freep) char *refspec = xasprintf("+%s:refs/imagekeeper/history", wanted->source);
    if (fetch(git, "--unshallow", refspec, &status, err) < 0)
        return -1;
    return is_ancestor(git, last, commit, ret, err);
}

static int is_pack(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && streq(dot, ".pack");
}

int repository_tidy(const Git *git, const char *directory, Error **err)
{
    static const char *const words[] = {"repack", "-a", "-d", "-q", NULL};
    CLEANUP(freep) char *folder = xasprintf("%s/repository.git/objects/pack", directory);
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_pack, NULL);
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return n > PACKS_MAX ? git_run(git, &(GitCommand){.words = words}, NULL, NULL, err) : 0;
}
