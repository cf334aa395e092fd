/*
 * What the daemon remembers so that it tells each thing once: backups that it follows until they are there, and slots
 * that it has called missed. Pure. Losing it costs a line in the journal, too many or too few.
 */
#pragma once

#include "plan/plan.h"

typedef struct News News;

News *news_new(void) __attribute__((returns_nonnull));
void news_free(News *news);
DEFINE_CLEANUP(News, news_free)

/* A round of one account is over: adds what has become AVAILABLE or FAULTY to the plan's notes, and takes out what was
 * told before. */
void news_tell(News *news, Plan *plan, const Snapshot *snapshot, const char *account);
