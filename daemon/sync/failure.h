/*
 * What the last runs failed of, kept in the folder of `sync` as the file `failure`: each run is a program of its own,
 * and what lasts is to be said once, then hourly.
 */
#pragma once

#include <stdbool.h>

#include "base/clock.h"

/* This run failed of `message`: is that to be said now? Numbers in it do not matter. What cannot be remembered is
 * always said. `now` is wall. */
bool failure_is_news(const char *directory, const char *message, usec_t now);
/* One went well: the next failure is news. */
void failure_is_over(const char *directory);
