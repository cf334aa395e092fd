/* What a round found and did, for the journal: each change as it is made, lasting conditions folded. */
#pragma once

#include "record/event.h"
#include "record/fold.h"
#include "round.h"

/* One change has just ended. */
void journal_change(const Log *log, const Op *op, const char *revision);

/* The round is over: what failed, is held or only observed, and what has passed. `fold` remembers what was said before. */
void journal_round(const Log *log, Fold *fold, const Specs *specs, const AccountResult *results, size_t n, usec_t now);
