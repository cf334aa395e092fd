/* The system's git, run on one bare repository of our own: nothing of the user's, the machine's or the fetched
 * repository's configuration has a say. */
#pragma once

#include "desired/sync-config.h"
#include "sync/child.h"

typedef struct Git Git;

/* Where an earlier run left it, or a new one, in <directory>/repository.git. `directory` is whole; what is wrong with
 * files that the configuration names is said here. */
int git_new(const SyncConfig *config, const char *directory, Git **ret, Error **err);
void git_free(Git *git);
DEFINE_CLEANUP(Git, git_free)

const SyncConfig *git_config(const Git *git);
/* What the repository is called in commands of the network. */
#define GIT_REMOTE "origin"

/* `words` end with NULL. Commands that do not name the network cannot reach it, and have less time. */
typedef struct GitCommand {
    const char *const *words;
    bool network;
    int input; /* its standard input; 0: nothing to read */
} GitCommand;

int git_start(const Git *git, const GitCommand *command, Child **ret, Error **err);
/* Runs it to its end. `out` may be NULL, when what it prints does not matter. *ret_status is its exit status; without
 * `ret_status` any but 0 is an error that shows what git said. */
int git_run(const Git *git, const GitCommand *command, Str *out, int *ret_status, Error **err);
/* ERROR_LOCAL with what the child said, no secrets in it. */
int git_failed(const Git *git, const char *what, const Child *child, int status, Error **err);
