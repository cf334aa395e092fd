/* What is there: live objects as the API shows them, of which only the members that a table names are kept. */
#pragma once

#include <stdbool.h>

#include "attr/kind.h"
#include "base/error.h"
#include "base/vec.h"
#include "data/json-read.h"
#include "data/node.h"
#include "desired/spec.h"
#include "schedule/due.h"

typedef struct Live {
    const Kind *kind;
    const char *id;
    const char *cloud;     /* where that id counts; NULL: everywhere */
    const char *container; /* NULL for what belongs to none of ours */
    const char *state;
    const char *etag;          /* NULL when it was read from a list */
    const Node *object;        /* wire name → value */
    const char *source_id;     /* of what it is a copy of; NULL: of nothing, or not known */
    const struct Live *source; /* that, where it was needed and could be read */
    usec_t born;               /* wall; 0: not known */
    usec_t updated;            /* wall, in whole seconds: by the kind's member; 0: it has none, or not known */
    bool unsure;               /* two pages of one list showed it differently */
    bool foreign;              /* belongs to the cloud itself or to others: never to be written */
} Live;

/* What a look has to know to make live objects of the answers. */
typedef struct LiveReader {
    const Kind *kind;
    const char *home;        /* the account's own container; NULL: it has none */
    const char *cloud;       /* its endpoint; NULL: not needed */
    const char *page_member; /* of an answer to a single read that is a list: the member that holds it; NULL: the answer
                                is the object */
    const char *const *free_names; /* members without a row that documents declare; ends with NULL; NULL: none */
} LiveReader;

/* The backups that one schedule has of one volume. */
typedef struct Series {
    const struct Spec *spec;
    const Live *volume;
    VEC(Made) made;         /* each once; in no order */
    const Made *unfinished; /* one of this volume, of whichever schedule; NULL: none */
    struct Series *next;    /* of the same volume */
} Series;

/* Backups of a schedule whose volume is not (any more) among those that it is about. */
typedef struct Stray {
    const char *volume;
    size_t n;
    usec_t newest; /* slot */
} Stray;

/* A backup that bears the tag of a schedule that nobody declares. */
typedef struct Orphan {
    const char *schedule, *id;
} Orphan;

/* What one document's look gave. After an error the objects are not to be relied upon, and there are none. */
typedef struct Observed {
    VEC(const Live *) objects;
    Error *error;
    /* Where the document says what its object is to be made of: that, and what shows which objects were. */
    const struct Live *volume;
    const Node *selector;
    /* Of a schedule: its volumes are the objects, and each has a series. */
    VEC(Series *) series;
    VEC(Stray *) strays;
} Observed;

/* One look at everything that a set of specs is about. Observed by the index of the Spec. */
typedef struct Snapshot {
    Arena *arena;
    Observed *of;
    size_t n;
    bool wants_orphans; /* set before the look: they are remembered only for who asks for them */
    VEC(Orphan) orphans;
} Snapshot;

Snapshot *snapshot_new(size_t n_specs) __attribute__((returns_nonnull));
void snapshot_free(Snapshot *snapshot);
DEFINE_CLEANUP(Snapshot, snapshot_free)

/* The names of attributes without rows that these documents, all of one kind, declare, each once; as LiveReader has
 * them. */
const char *const *live_free_names(const Spec *const *specs, size_t n, Arena *arena);

/* An item of a list, or the object of an answer, into a Live in `arena`. ERROR_PROTOCOL when it is not such an object.
 */
int live_from_item(const LiveReader *reader, const JsonItem *item, Arena *arena, Live **ret, Error **err);
int live_from_node(const LiveReader *reader, const Node *object, const char *etag, Arena *arena, Live **ret,
                   Error **err);
/* The answer to a single read into the object's Node; ERROR_NOT_FOUND when it is a list without any. */
int live_answer(const LiveReader *reader, const char *text, size_t size, Arena *arena, const Node **ret, Error **err);
/* Both together. */
int live_from_text(const LiveReader *reader, const char *text, size_t size, const char *etag, Arena *arena, Live **ret,
                   Error **err);

/* May it be an id: printable, without spaces? It goes into paths, logs and terminals. */
bool id_is_sane(const char *id);
/* When the object that an item shows came into being (wall); 0: not known. */
usec_t item_born(const Kind *kind, const JsonItem *item);

/* Can the object be written in its state, or is it already gone? */
bool live_is_writable(const Live *live);
bool live_is_gone(const Live *live);
/* What the state of a backup means. */
BackupState backup_state(const Kind *kind, const char *state);

/* Does a live object, given as the Node of all its members, meet all conditions of a selector? One that names no
 * container is about `home`, which is NULL where all name one. */
bool selector_matches(const Kind *kind, const Node *selector, const char *home, const Node *object);
/* The container that a selector is about, or NULL. */
const char *selector_container(const Kind *kind, const Node *selector);
