/* The specs that are in force: the last good set, whatever became of the files since. */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "desired/load.h"

typedef struct SpecsInForce {
    const Log *log;
    const char *path; /* --specs, or NULL: where the configuration says */
    Specs *specs;     /* the last good set; NULL: there was none yet */
    char *problem;    /* why the files on disk are not it; NULL: they are */
    usec_t read;      /* when the files were last looked at, monotonic; 0: they are to be looked at whenever it was */
} SpecsInForce;

void in_force_done(SpecsInForce *f);

/* Where the specs of `config` are, or NULL. Borrowed. */
const char *in_force_path(const SpecsInForce *f, const Config *config);
/* Can they be used with that configuration? What is wrong is logged. 0; or -1 with ERROR_SPEC or ERROR_LOCAL. */
int in_force_check(const SpecsInForce *f, const Config *config, Error **err);
/* Reads the files, unless that was done a moment ago, and takes them whole or not at all: a broken set leaves the last
 * good one in force, and is said once. True: another set is in force now. */
bool in_force_load(SpecsInForce *f, const Config *config);

void log_problems(const Log *log, const Problems *problems);
