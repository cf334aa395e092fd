/*
 * A cloud, as the rest of the program sees it: how its requests are authenticated, how its lists are paged, what its
 * errors mean, and how an update is written. Knows kinds and live objects, and no specs.
 */
#pragma once

#include "attr/kind.h"
#include "base/error.h"
#include "data/json-read.h"
#include "data/node.h"
#include "http/client.h"

typedef struct Provider Provider;

/* A credential that has been read and checked. */
typedef struct Credential {
    const Provider *provider;
    char *endpoint;
    void *secret; /* the provider's own */
} Credential;

void credential_free(Credential *credential);
DEFINE_CLEANUP(Credential, credential_free)

/* One conditional update of one object. All borrowed. */
typedef struct Update {
    const Kind *kind;
    const char *id, *etag, *token; /* token NULL where the operation takes none */
    const char *body;
} Update;

/* One conditional deletion of one object. All borrowed. */
typedef struct Deletion {
    const Kind *kind;
    const char *id, *etag;
} Deletion;

/* One creation, which takes a retry token. All borrowed. */
typedef struct Creation {
    const Kind *kind;
    const char *token, *body;
} Creation;

struct Provider {
    const char *type;
    const char *request_id_header;
    unsigned page_size_auto;     /* what pageSize: auto asks for first, */
    unsigned page_size_contract; /* and what it falls back to when that is refused */

    /* Reads the account's credential. `settings` is typed by the account's rows. */
    int (*open)(const Node *settings, Credential **ret, Error **err);
    void (*free_secret)(void *secret);
    int (*sign)(void *credential, const HttpSpec *spec, const char *endpoint, usec_t now, HttpHeaders *out,
                Error **err);
    Error *(*read_error)(void *credential, const HttpAnswer *answer);

    /* Adds the path and query of one page. `page` is NULL for the first; `source`, unless it is NULL, that only its
     * copies are wanted. */
    void (*add_list_target)(const Kind *kind, const char *container, const char *source, unsigned page_size,
                            const char *page, Str *out);
    const char *list_member; /* the member of a page that holds its items; NULL: the page is the list */
    /* The token of the page after this one, or NULL. Borrowed from the answer. */
    const char *(*next_page)(const HttpAnswer *answer);
    /* Does this error say that the page size was too large? */
    bool (*refused_page_size)(const Error *error);
    void (*add_object_target)(const Kind *kind, const char *id, Str *out);
    const char *(*etag)(const HttpAnswer *answer);

    /* The body of a write that sets `values`: a map of wire names to whole new values. */
    void (*add_body)(const Kind *kind, const Node *values, Str *out);
    /* Fills `spec` for it; strings are borrowed from `update` and `target`, to which the path is added. */
    void (*fill_update)(const Update *update, Str *target, HttpSpec *spec);
    void (*fill_create)(const Creation *creation, Str *target, HttpSpec *spec);
    void (*fill_delete)(const Deletion *deletion, Str *target, HttpSpec *spec);
};

extern const Provider oci_provider;
/* By the type of an account, or NULL. */
const Provider *provider_find(const char *type);
