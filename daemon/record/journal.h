/* What a round found and did, for the journal: each change as it is made, lasting conditions folded. */
#pragma once

#include "record/event.h"
#include "record/fold.h"
#include "round.h"

/* One change has just ended. */
void journal_change(const Log *log, const Op *op, const char *revision);

/* The round is over for one account: what failed, is held or only observed, and what has passed. `fold` remembers what
 * was said before; `now` is monotonic. When we `stopped` in the middle of it, only what failed is said. */
void journal_account(const Log *log, Fold *fold, const AccountResult *result, bool stopped, usec_t now);
