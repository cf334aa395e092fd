/*
 * The way to the journal, which never waits for long: sd_journal_sendv(3) blocks whoever writes while nobody reads, and
 * a daemon must not stand still because the journal does.
 */
#pragma once

#include <stdbool.h>
#include <sys/uio.h>

#include "base/alloc.h"

typedef struct JournalSocket JournalSocket;

JournalSocket *journal_socket_new(void) __attribute__((returns_nonnull));
void journal_socket_free(JournalSocket *socket);

/* Sends one entry: each part is NAME=value. While the journal's queue is full it waits a second, and not at all for the
 * entries after one that was lost; how many those were is told with the first one that can be written again. Without a
 * journal nothing happens. */
void journal_socket_send(JournalSocket *socket, const struct iovec *parts, size_t n);
/* Has any entry been sent? */
bool journal_socket_was_used(const JournalSocket *socket);
