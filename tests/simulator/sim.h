/* The whole state of the simulator. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "fault.h"
#include "iam.h"
#include "keystone.h"
#include "lifecycle.h"
#include "permit.h"
#include "reqlog.h"
#include "store.h"
#include "tags.h"
#include "token.h"
#include "verify.h"

/* What a create answers to a token that came with another request before. */
enum token_mismatch {
    MISMATCH_INVALIDATED, /* 409 InvalidatedRetryToken */
    MISMATCH_REPLAY,      /* the first request's resource */
    MISMATCH_PARAMETER,   /* 400 InvalidParameter */
};

struct config {
    unsigned long max_limit;
    unsigned long empty_pages; /* before every real page */
    unsigned long latency_ms;
    unsigned long backup_limit; /* of live backups of both kinds; 0: none */
    bool empty_last_page;
    bool token_first; /* is a retry token looked at before if-match? */
    bool any_host;
    bool on_busy_volume;     /* is a second backup of a volume refused while one is made? */
    bool void_when_deleted;  /* is a create's token void once the backup is being deleted, or only when it is gone? */
    bool add_replaces;       /* may an add of IMS name an attribute that is there? */
    bool patch_atomic;       /* does a wrong operation of a PATCH undo those before it? */
    bool remove_needs_value; /* as the documents have it */
    bool numbers_refused;    /* must the values of numbers be text, too? */
    bool empty_removes;      /* does an empty description vanish? */
    bool data_images_refuse; /* are images of data disks never updated? */
    unsigned long absent_status;   /* of a PATCH of an image that is not there, 404 or 400 */
    unsigned long glance_page;     /* of Glance's lists, unless the caller says how long */
    unsigned long glance_page_max; /* longer ones are cut to this */
    unsigned long token_bytes;     /* of IAM's and Keystone's tokens */
    int64_t token_span;            /* how long they are good */
    enum token_mismatch token_mismatch;
    struct spans spans;
};

struct simulator {
    pthread_mutex_t lock; /* over everything up to `log` */
    struct store store;
    struct tags tags;
    struct tokens tokens;
    struct faults faults;
    struct lifecycle lifecycle;
    struct permits permits;
    struct iam iam;
    struct keystone keystone;
    cJSON *members; /* of shared images of Glance: by the image's id, by project, "accepted" or another status */
    struct config config;
    cJSON *tag_defaults; /* defined tags that each created backup gets */
    struct reqlog log;   /* has a lock of its own */
    struct verifier verifier;
    char *base;                   /* of its URLs */
    int stop_fd;                  /* becomes readable, and stays so, when the program ends */
    atomic_ulong connections;     /* accepted so far; the last one's id */
    atomic_ulong connection_base; /* of them before the last reset */
};

/* Empty store, default configuration, no faults, statistics at nought. Takes the lock. */
void simulator_reset(struct simulator *simulator);
void simulator_free(struct simulator *simulator);
