/*
 * One time through: observe → plan → guard → execute, each account by itself, so that a slow or broken one holds up
 * nobody; but accounts at the same endpoint see the same objects, so those wait for each other's looks, that two claims
 * on one attribute are found before anything is written. `plan`, `apply` and the daemon all go this way; `plan` stops
 * before the guard.
 */
#pragma once

#include "accounts.h"
#include "execute/run.h"
#include "plan/guard.h"
#include "plan/news.h"

typedef struct Round Round;

/* What came of one account. The plan's changes bear their outcomes. */
typedef struct AccountResult {
    const AccountSlot *slot;
    const Plan *plan;
    unsigned requests;
} AccountResult;

typedef struct RoundOptions {
    const Config *config;
    const Specs *specs;
    AccountSlot *const *slots; /* the accounts that take part; those that documents name are opened */
    size_t n_slots;
    Http *http;
    bool plan_only;
    const SavedPlan *saved;
    bool wants_orphans; /* also remember backups of schedules that nobody declares */
    News *news;         /* what of earlier rounds is worth telling; or NULL */
    Memory *memory;     /* of earlier rounds, which learns from this one; or NULL */
} RoundOptions;

typedef struct RoundHandlers {
    void (*changed)(void *userdata, const Op *op); /* one change has ended; may be NULL */
    void (*done)(void *userdata);                  /* once, from the loop */
    void *userdata;
} RoundHandlers;

/* Everything in `options` must outlive the round. */
Round *round_start(sd_event *loop, const RoundOptions *options, const RoundHandlers *handlers);
/* Ends it at once, whatever is under way. */
void round_free(Round *round);
DEFINE_CLEANUP(Round, round_free)

/* Looks are given up, writes that are on their way go to their end, nothing new begins; `done` runs when that is so. */
void round_stop(Round *round);

/* After `done`: what was seen. Borrowed. */
const Snapshot *round_snapshot(const Round *round);
/* After `done`: one for each of the accounts that documents (or the saved plan) name. Borrowed from the round. */
const AccountResult *round_results(const Round *round, size_t *ret_n);
