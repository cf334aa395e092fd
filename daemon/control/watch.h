/*
 * Watches what lies below a path by inotify (inotify(7)), also through the symbolic links on the way to it, and tells
 * when a change has settled. All watches are made anew after each change, so that new folders, flipped links, a queue
 * that ran over and folders that came back are no cases of their own.
 */
#pragma once

#include <systemd/sd-event.h>

#include "base/error.h"

typedef struct Watch Watch;

/* Something below the path has changed, or may have, and nothing has for a moment. From the loop. */
typedef void (*watch_changed_fn)(void *userdata);

/* `path` may be a folder or a file, and need not be there yet. Folders whose names begin with a dot are not looked
 * into. ERROR_LOCAL when nothing can be watched. */
int watch_new(sd_event *loop, const char *path, watch_changed_fn changed, void *userdata, Watch **ret, Error **err);
void watch_free(Watch *watch);
DEFINE_CLEANUP(Watch, watch_free)
