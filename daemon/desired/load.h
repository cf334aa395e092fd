/* Spec files → one set of Specs. All or nothing: one problem anywhere and there is no set, but every problem is told.
 */
#pragma once

#include "base/error.h"
#include "data/problem.h"
#include "desired/config.h"
#include "desired/spec.h"

/* Reads every *.yaml and *.yml below `path` (or the one file `path`), in the order of their names. `config` gives the
 * accounts that documents may name. `err` is for what cannot be read; what is wrong in the files goes to `problems`. */
int specs_load(const char *path, const Config *config, Problems *problems, Specs **ret, Error **err);
