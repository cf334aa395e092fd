/* What the makers of a plan share: plan.c (what is declared) and scheduled.c (what schedules want). */
#pragma once

#include "plan/plan.h"

#define VOLUME_BEARS_OWN_TAG                                                                                           \
    "the %s itself bears the tag %s, which its backups would copy and be mistaken by: take the tag away; until then "  \
    "nothing is made "                                                                                                 \
    "of it and nothing deleted"

/* Planned, observed or held: what the change's document and object allow, written into the change, which is added. */
void plan_change(Plan *plan, const PlanOptions *options, Change *change);
/* What a creation finds: an object of the kind, without members. */
const Live *plan_nothing(Plan *plan, const Kind *kind);
