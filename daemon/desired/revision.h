/* Which revision of the specs this is: the exported tree's `.revision` file, else the commit of the Git work tree
 * around them. */
#pragma once

#include "base/alloc.h"

/* NULL when there is none. In `arena`. Git's own files are read (no program is run on them). */
const char *revision_find(Arena *arena, const char *specs_path);
