/*
 * What is to be made: the backup that a document with a source wants and that is not there, as which attempt, and what
 * the request says. Pure. The request's name, from which its retry token is derived, depends on the document, the
 * volume and the attempt and on nothing else, so that it is the same on every try, for every daemon, and after every
 * crash.
 */
#pragma once

#include "plan/plan.h"
#include "schedule/due.h"

/* Is it one that counts: not deleted, not FAULTY? */
bool backup_is_live(const Live *backup);
/* The number of the attempt that the document's next creation is: the dead ones that bear its tag, and one. */
unsigned creation_attempt(const Observed *observed);
/* Of the dead ones, those that became FAULTY. */
unsigned creation_faults(const Observed *observed);

/* The text that the creation's retry token is the hash of. */
void creation_name(const Change *change, Str *out);
/* The members of the request, by wire name. */
const Node *creation_values(const Change *change, Arena *arena);
/* Is this the backup that was asked for? */
bool creation_is_met(const Change *change, const Live *answer);
