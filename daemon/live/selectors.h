/*
 * The selectors that are held against each item of a list: a thousand schedules with a tag of their own each must not
 * all be asked about each of ten thousand volumes.
 */
#pragma once

#include "live/live.h"

typedef VEC(const Spec *) SpecList;
typedef struct Selectors Selectors;

Selectors *selectors_new(void) __attribute__((returns_nonnull));
void selectors_free(Selectors *selectors);
DEFINE_CLEANUP(Selectors, selectors_free)

/* Both must outlive it. */
void selectors_add(Selectors *selectors, const Spec *spec, const Node *selector);
const SpecList *selectors_all(const Selectors *selectors) __attribute__((returns_nonnull));
/* Those that may take the object, each once; any other one does not. Added to `out`. */
void selectors_for(const Selectors *selectors, const Node *object, SpecList *out);
