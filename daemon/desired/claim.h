/* Which attributes of its live objects a document claims, and whether two documents claim the same one. */
#pragma once

#include "desired/spec.h"

/* The first attribute that both claim, as a path in `arena` with the places where each says so; NULL when there is
 * none. */
const char *claim_overlap(Arena *arena, const Spec *a, const Spec *b, Mark *ret_a, Mark *ret_b);
