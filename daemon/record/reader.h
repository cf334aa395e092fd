/* Walks the journal: that of this machine, or the files of a directory. */
#pragma once

#include "base/error.h"
#include "record/history.h"

typedef struct Reader Reader;

/* `directory` NULL: this machine's journal, of all users and namespaces. Both are borrowed. Files that cannot be
 * read are left out, which reader_problem tells; without any that can it is an error. */
int reader_open(const char *directory, const HistoryFilter *filter, bool backwards, Reader **ret, Error **err);
void reader_free(Reader *reader);
DEFINE_CLEANUP(Reader, reader_free)

/* The next wanted entry from the oldest on, or backwards from the newest, whoever wrote it. 1; 0 at the end, which new
 * entries may move, and when `stop_fd` can be read; -1. */
int reader_next(Reader *reader, HistoryRecord **ret, Error **err);

/* The i-th thing that went wrong so far and could be gone around, or NULL. */
const char *reader_problem(const Reader *reader, size_t i);
/* Entries that could not be read. */
size_t reader_broken(const Reader *reader);

/* To be called before the first entry is read by whoever will wait for more. `stop_fd` can be read when it is to end:
 * also a walk over what is not wanted looks at it. */
int reader_watch(Reader *reader, int stop_fd, Error **err);
bool reader_is_stopped(const Reader *reader);
/* Returns 1 when there may be more, 0 when it is stopped or the other end of stdout is gone, -1. */
int reader_wait(Reader *reader, Error **err);
