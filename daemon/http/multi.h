/* libcurl's multi interface on an sd-event loop. Private to http/. */
#pragma once

#include <curl/curl.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef struct Multi Multi;

/* One transfer is over. Not from inside one of libcurl's callbacks: the handle may be removed and freed in it. */
typedef void (*multi_over_fn)(CURL *easy, CURLcode result);

int multi_new(sd_event *loop, multi_over_fn over, Multi **ret, Error **err);
/* All transfers must be removed before. */
void multi_free(Multi *multi);
DEFINE_CLEANUP(Multi, multi_free)

int multi_add(Multi *multi, CURL *easy, Error **err);
void multi_remove(Multi *multi, CURL *easy);
