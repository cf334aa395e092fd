/* What differs between one document and one live object: by the rows of the kind's table, without I/O. */
#pragma once

#include "base/clock.h"
#include "base/vec.h"
#include "desired/spec.h"
#include "live/live.h"

/* One attribute, or one key of a tag map. */
typedef struct Delta {
    const Field *field;
    const char *path;     /* "freeformTags.tier" */
    const char *steps[2]; /* the keys below the field's value, as the live object writes them; NULL: the value itself */
    const Node *from, *to; /* NULL: absent */
    Mark mark;             /* of the key in the spec that wants it */
    const char *rule;      /* what passed it over; NULL for a difference that counts */
} Delta;

typedef VEC(Delta) Deltas;

/* Adds the differences to `deltas` and those that were passed over to `ignored` (may be NULL). What they hold lives in
 * `arena` or as long as the spec and the live object. */
void diff_object(const Spec *spec, const Live *live, usec_t now, Arena *arena, Deltas *deltas, Deltas *ignored);

/* The whole new values, by wire name and as the API takes them, of the fields that `deltas` touch; null: it goes. A map
 * or set of tags is the live one with the differences merged in, since the API replaces it whole. */
const Node *diff_apply(const Live *live, const Deltas *deltas, Arena *arena);

/* The same attributes, from the same to the same? */
bool deltas_equal(const Deltas *a, const Deltas *b);
