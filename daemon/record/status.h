/*
 * What the daemon knows after its last rounds, object by object: what status.json holds (the format of design section
 * 6), and `imagekeeper status` shows. Of what was it remembers only since when a state holds.
 */
#pragma once

#include "base/str.h"
#include "round.h"

/* In the runtime folder. */
#define STATUS_FILE "status.json"
#define METRICS_FILE "metrics.prom"

/* From the best to the worst: of several the worst counts. */
typedef enum ObjectState {
    STATE_IN_SYNC,
    STATE_SUSPENDED,
    STATE_PENDING,          /* waits for the object or the cloud, and goes on by itself */
    STATE_DRIFTED,          /* a difference that is only reported */
    STATE_HELD,             /* waits for a person */
    STATE_NOT_CONVERGING,   /* the cloud makes something else of what is asked */
    STATE_ACCESS_UNCERTAIN, /* gone, or hidden from us */
    STATE_FAILED,
    STATE_MAX,
} ObjectState;

const char *object_state_name(ObjectState state);

typedef struct Status Status;

Status *status_new(void) __attribute__((returns_nonnull));
void status_free(Status *status);
DEFINE_CLEANUP(Status, status_free)

/* Takes in what became of one account in a round; all that was said of it before is replaced. */
void status_take(Status *status, const AccountResult *result, const Specs *specs, const Snapshot *snapshot, usec_t now);
/* Nothing more is said of accounts that no document names. */
void status_keep(Status *status, const Specs *specs);

/* What is not an account's. Times are of the wall clock. */
typedef struct StatusHead {
    usec_t now, interval;
    const char *revision; /* of the specs in force, or NULL */
    const char *problem;  /* why the specs on disk are not in force; NULL: they are */
    bool in_force;        /* is there a set of specs that is enforced? */
    const char *refusal;  /* why the configuration on disk was not taken by the last reload; NULL: it was */
    bool observe;
    usec_t round_started, round_took; /* of the newest round; 0: there was none */
    size_t round_requests;
} StatusHead;

/* How many objects are in each state. */
void status_count(const Status *status, size_t counts[static STATE_MAX]);
/* "1 of 3 objects in sync, 2 failed". */
void status_summary(const Status *status, Str *out);

void status_json(const Status *status, const StatusHead *head, Str *out);
/* The same for Prometheus, as its text format wants it (metrics.c). */
void status_metrics(const Status *status, const StatusHead *head, Str *out);
