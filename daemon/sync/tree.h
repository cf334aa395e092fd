/* What of a commit's tree is exported: files of specs, and links to them. Pure: names and texts alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/map.h"

#define TREE_LINK_MAX ((size_t)4096) /* bytes that a link's text may have */

typedef struct TreeEntry {
    const char *path;   /* from the top, without "." and ".." */
    const char *id;     /* of its blob */
    const char *text;   /* a link's, once it is read; files have none */
    const char *target; /* what the link is written as: always within the tree. NULL: it is left out */
} TreeEntry;

typedef struct Tree {
    TreeEntry *files, *links; /* files are *.yaml and *.yml; links all that there are */
    size_t n_files, n_links;
    size_t n_submodules;
    const char *submodule; /* the first one, or NULL */
    Map *by_path;          /* of files and links */
    Map *folders;          /* those that have files */
} Tree;

/* Reads what `git ls-tree -r -z` prints. Every name in it is checked, also of what is not exported: "..", ".git" and
 * their like are refused. All but the maps lives in `arena`. */
int tree_parse(const char *listing, size_t size, Arena *arena, Tree *ret, Error **err);
void tree_done(Tree *tree);

/* Sets `target` of every link, all texts being there. A link that is absolute or leaves the tree is refused, and so is
 * one with the name of a spec that leads to nothing that is exported. */
int tree_resolve_links(Tree *tree, Arena *arena, Error **err);
