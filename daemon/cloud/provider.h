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
    char *endpoint;       /* where requests go; a login may name another one */
    char *home;           /* the container of what is the account's own; NULL: none, or known after the login */
    char *ca_file;        /* certificates to trust that it names itself; NULL: none */
    char *login_endpoint; /* where a token is to be had, which all requests bear; NULL: each is signed by itself */
    char *login_with;     /* what the login proves itself with: for messages */
    char *token;          /* the newest one; NULL: none, or it was refused */
    void *secret;         /* the provider's own */
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
    /* Of credentials with a login: asks for a token, and takes what its answer tells besides the token itself. */
    void (*fill_login)(const Credential *credential, Str *target, Str *body);
    int (*take_login)(Credential *credential, const Node *answer, Error **err);
    const char *(*login_secret)(const Credential *credential); /* what must not be shown of it */
    int (*sign)(void *credential, const HttpSpec *spec, const char *endpoint, usec_t now, HttpHeaders *out,
                Error **err);
    Error *(*read_error)(void *credential, const HttpAnswer *answer);

    /* Adds the path and query of one page. `page` is NULL for the first; `source`, unless it is NULL, that only its
     * copies are wanted. */
    void (*add_list_target)(const Kind *kind, const char *container, const char *source, unsigned page_size,
                            const char *page, Str *out);
    const char *list_member; /* the member of a page that holds its items; NULL: the page is the list */
    /* What `page` of the page after this one is, or NULL at the end; the caller frees it. `json` is NULL while only the
     * headers have come: then NULL also says that they do not tell. */
    int (*next_page)(const HttpAnswer *answer, const JsonPage *json, unsigned page_size, const char *page, char **ret,
                     Error **err);
    /* Does this error say that the page size was too large? NULL: none does. */
    bool (*refused_page_size)(const Error *error);
    bool single_is_page; /* an object is read by itself as a page that holds it alone */
    void (*add_object_target)(const Kind *kind, const char *id, Str *out);

    /* The body of a write that sets `values`, a map of wire names to whole new values (null: it goes), on an object
     * that is `live` (NULL: it is to be made). `doubt`: an empty text in it may be an attribute that is absent. */
    void (*add_body)(const Node *live, const Node *values, bool doubt, Str *out);
    /* Fills `spec` for it; strings are borrowed from `update` and `target`, to which the path is added. */
    void (*fill_update)(const Update *update, Str *target, HttpSpec *spec);
    void (*fill_create)(const Creation *creation, Str *target, HttpSpec *spec);
    void (*fill_delete)(const Deletion *deletion, Str *target, HttpSpec *spec);
};

/* Of the state that an answer shows, where the kind has such a thing; else NULL. */
static inline const char *answer_etag(const Kind *kind, const HttpAnswer *answer)
{
    return kind->flags & KIND_IF_MATCH ? http_answer_header(answer, "etag") : NULL;
}

/* What several providers do alike: an object's path is its collection's and its id; and an update that is a PATCH of
 * it, with no condition. For add_object_target and fill_update. */
void provider_add_object(const Kind *kind, const char *id, Str *out);
void provider_fill_patch(const Update *update, Str *target, HttpSpec *spec);

extern const Provider oci_provider, ims_provider, openstack_provider;
/* By the type of an account, or NULL. */
const Provider *provider_find(const char *type);
