/* What is declared: one Spec a document, checked and typed; a set of them is loaded whole and never changes. */
#pragma once

#include <stdbool.h>

#include "attr/kind.h"
#include "base/clock.h"
#include "base/vec.h"
#include "data/node.h"
#include "schedule/zone.h"

typedef struct Spec {
    size_t index; /* in its set */
    const Kind *kind;
    const char *name;
    const char *file; /* relative to the specs directory */
    Mark mark;        /* of the document's first key */
    const char *account;
    const char *target;                /* id of the live object, or NULL: */
    const Node *selector;              /* the conditions, typed by their rows; or NULL: */
    const char *source;                /* id of what the object is to be made of */
    const struct Timetable *timetable; /* of a schedule; else NULL */
    const Node *want;                  /* the whole `spec` map, typed by the kind's rows */
    bool observe;                      /* report, change nothing */
    bool exact_tags;
    const Node *ignore;     /* list of patterns, or NULL */
    usec_t suspended_until; /* wall; 0: not suspended */
    const char *suspend_reason;
} Spec;

typedef VEC(Zone *) Zones; /* each once */

typedef struct Specs {
    unsigned refs; /* a round keeps the set that it began with */
    Arena *arena;
    const Spec *items;
    size_t n;
    Zones zones;          /* that its schedules name */
    const char *revision; /* of the tree they came from, or NULL */
} Specs;

Specs *specs_ref(Specs *specs);
/* Gives one reference back; the last one frees the set. A new set has one. */
void specs_free(Specs *specs);
DEFINE_CLEANUP(Specs, specs_free)

/* Do they declare the same, in the same order? In which file and line, and of which revision, does not matter. */
bool specs_equal(const Specs *a, const Specs *b);

static inline bool spec_is_suspended(const Spec *spec, usec_t now)
{
    return now < spec->suspended_until;
}

/* May a map of tags hold no others than those declared? */
static inline bool spec_is_exact(const Spec *spec, const Field *field)
{
    return spec->exact_tags && field_holds_tags(field);
}

/* The pattern of `ignore` that holds for the path of an attribute, or NULL. A pattern that fits a path also fits what
 * lies under it. */
const char *spec_ignores(const Spec *spec, const Field *field, const char *path);
