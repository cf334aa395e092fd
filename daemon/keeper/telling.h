/* What the daemon tells while it runs: status.json and metrics.prom in its runtime folder, and STATUS= for systemd. */
#pragma once

#include "keeper/in-force.h"
#include "record/status.h"

typedef struct Telling {
    const Log *log;
    Status *status;
    StatusHead newest; /* of which only the newest round is kept here */
    char *folder;      /* for the files, claimed; NULL: there is none */
    int claim;         /* of it; -1: none */
    char *refusal;     /* of the last reload; NULL: there was none, or it was taken */
    bool untold;       /* the last time they could not be written, which is said once */
} Telling;

/* A daemon without a folder to write to does without, and says so: everything else goes on. */
void telling_begin(Telling *t, const Log *log);
/* Takes the files away: nobody answers for them any more. */
void telling_done(Telling *t);

/* The round that ended just now. */
void telling_round(Telling *t, usec_t took, size_t requests);
void telling_write(Telling *t, const Config *config, const SpecsInForce *specs);
/* How things stand in a line, before the first round and without specs to go by. The caller frees it. */
char *telling_idle(const SpecsInForce *specs);
/* How things stand, for systemd. */
void telling_notify(const Telling *t, const SpecsInForce *specs);
/* `refusal`: why the configuration on disk was not taken; NULL: it was. */
void telling_reloaded(Telling *t, const char *refusal);
