/* What `status` and `status --watch` share: status.json as it was read. */
#pragma once

#include "cmd/command.h"
#include "data/node.h"

typedef struct StatusFile {
    Arena *arena;
    char *folder, *text;
    size_t size;
    const Node *top;
} StatusFile;

/* Where it is, of the instance that the options name. The caller frees it. */
char *status_file_path(const CommandOptions *options) __attribute__((returns_nonnull));
/* ERROR_LOCAL when there is none or it cannot be read. */
int status_file_read(const CommandOptions *options, StatusFile *ret, Error **err);
void status_file_done(StatusFile *f);
/* Why it may not be so any more, or NULL. The caller frees it. */
char *status_file_doubt(const StatusFile *f);
/* The exit status for what it tells. */
int status_file_judge(const StatusFile *f);

/* Shows it anew whenever it is told anew, until SIGINT or SIGTERM; then the exit status for what was told last. */
int status_watch(const CommandOptions *options);
