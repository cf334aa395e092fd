/*
 * YAML (libyaml's events) into nodes. Bytes are not trusted: files over 4 MiB, nesting over 64, alias bombs, cycles,
 * duplicate keys, NULs, keys that are no scalars, and tags other than YAML's own are errors with their place.
 * Anchors, aliases and `<<` merges work (explicit keys win over merged ones, the first of several merged maps wins);
 * documents without content are skipped.
 */
#pragma once

#include <stddef.h>

#include "base/alloc.h"
#include "data/node.h"
#include "data/problem.h"

#define YAML_SIZE_MAX ((size_t)4 * 1024 * 1024)
#define YAML_DEPTH_MAX 64
#define YAML_ALIASED_NODES_MAX 100000 /* nodes that aliases stand for, in one file */

/* Reads all documents of a file into a list node, in `arena`; what is wrong is added to `problems`, and as much as can
 * be understood is read all the same: a document with an error is left out, and after a syntax error or an alias bomb
 * the rest of the file is. `file` names it in problems. Never NULL. */
const Node *yaml_read(Arena *arena, const char *file, const char *text, size_t size, Problems *problems);
