/*
 * One table for one kind of resource: which fields its documents have, and the few facts of its API that are not a
 * field's. A new kind is a new table, and a line in kind.c.
 */
#pragma once

#include "attr/field.h"

typedef enum KindFlags {
    KIND_IF_MATCH = 1 << 0,     /* updates take if-match, single reads answer with an etag */
    KIND_RETRY_TOKEN = 1 << 1,  /* updates take opc-retry-token */
    KIND_SHARED_ITEMS = 1 << 2, /* lists also hold what belongs to no container of ours, and cannot be written */
    KIND_LOCAL_IDS = 1 << 4,    /* ids are chosen by users: another cloud may have the same */
    KIND_OWN_ONLY = 1 << 3,     /* what lies in another container than the account's own cannot be written */
} KindFlags;

typedef struct Kind {
    const char *name;
    const char *noun;         /* "image": in messages */
    const char *account_type; /* "oci": name of an AccountType */
    const char *collection;   /* path of the list; an object is collection/id */
    unsigned flags;
    const Field *fields;                /* the rows of `spec` */
    const char *id, *container, *state; /* members of a live object */
    const char *times[2]; /* members that tell when it came into being: the first one that is there counts */
    const char *updated;  /* member that tells when it was last written, in whole seconds: of APIs without etags, where
                             it is all there is to notice others by; NULL: not needed */
    const char *const *writable_states; /* end with NULL */
    const char *const *gone_states;     /* still shown by the API, though deleted */
    const char *failed_state;           /* of one that was asked for and never became anything; NULL: none */
    const char *source; /* member that names what the object is a copy of, whose tags it bears too, and parameter of
                           the list that takes the copies of one; NULL: none */
    const struct Kind *source_kind;
    const struct Kind
        *makes; /* a schedule: its documents are about volumes, and have objects of this kind made; NULL: it is none */
    const char *const (*exclusive)[2]; /* attributes that cannot both be there; ends with a pair of NULLs; NULL: none */
    const char *doc;
} Kind;

/* Whose objects the documents of a kind are about: what a schedule makes, else the kind's own. */
static inline const Kind *kind_of_objects(const Kind *kind)
{
    return kind->makes ? kind->makes : kind;
}

/* The row that all kinds begin with. */
#define KIND_ACCOUNT                                                                                                   \
    {                                                                                                                  \
        "account", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .min = 1, .max = 64,                                   \
        .doc = "name of the account in the configuration"                                                              \
    }

/* The value of a selector's condition that every value meets. */
#define SELECTOR_ANY "*"

/* All of them; ends with NULL. */
extern const Kind *const kinds[];
const Kind *kind_find(const char *name);

/* The field that names the live object (imageId), and the one that selects several. */
const Field *kind_target(const Kind *kind);
const Field *kind_selector(const Kind *kind);
/* The one that says what the object is to be made of, or NULL. */
const Field *kind_source(const Kind *kind);

/* The envelope that all documents share. */
extern const Field document_fields[];
