/* A small world for the tests of plan/: specs, what is live, and the plan between them. */
#pragma once

#include "../../tests/unit/helper.h"

#include "plan/plan.h"

typedef struct World {
    Specs *specs;
    Snapshot *snapshot;
    Plan *plan;
} World;

HELPER void world_done(World *w)
{
    plan_free(w->plan);
    snapshot_free(w->snapshot);
    specs_free(w->specs);
}

/* One document with a selector, and `n` images that differ from it. */
HELPER World drifted(size_t n)
{
    CLEANUP(freep) char *text =
        document("a", "account: prod, selector: {compartmentId: ocid1.compartment.a}, displayName: new, freeformTags: {t: 1}", "");
    World w = {.specs = specs_of(text)};
    w.snapshot = snapshot_new(1);
    for (size_t i = 0; i < n; i++) {
        CLEANUP(freep) char *members = xasprintf("\"id\":\"ocid1.image.%zu\",\"displayName\":\"old\"", i);
        *VEC_ADD(&w.snapshot->of[0].objects) = live_of(w.snapshot->arena, members);
    }
    w.plan = plan_make(w.specs, w.snapshot, &(PlanOptions){.now = 1});
    assert_int_equal(plan_count(w.plan, OUTCOME_PLANNED), n);
    return w;
}
