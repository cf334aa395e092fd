/*
 * The volumes behind backups, looked at by their ids: where a backup is to be made, and what a backup bears copies of.
 * A Kind says what its objects are made of.
 */
#pragma once

#include "live/observe.h"

typedef struct Sources Sources;

Sources *sources_new(void) __attribute__((returns_nonnull));
void sources_free(Sources *sources);
DEFINE_CLEANUP(Sources, sources_free)

/* Before the start: wants this one, once however often it is said. `id` must outlive it. */
void sources_want(Sources *sources, const char *id);
/* Likewise: those that a schedule is about. */
void sources_want_of(Sources *sources, const Spec *schedule);
bool sources_is_empty(const Sources *sources);

/* Looks at all that are wanted: of `kind`'s source_kind. `done` runs once, from the loop. */
void sources_start(Sources *sources, Account *account, const Kind *kind, sd_event *loop, observe_done_fn done,
                   void *userdata);

/* After `done`: the object, or NULL with the reason in *ret_error (borrowed; may be NULL). */
const Live *sources_find(const Sources *sources, const char *id, const Error **ret_error);
/* What was found of a schedule's. */
const Observed *sources_of(const Sources *sources, const Spec *schedule);
