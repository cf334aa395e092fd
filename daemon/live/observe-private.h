/* What the two halves of a look share: observe.c (what is wanted, and where it is looked for) and listing.c (one list,
 * page by page). */
#pragma once

#include "base/map.h"
#include "live/observe.h"
#include "live/selectors.h"

/* All documents that name one id. */
typedef struct Wanted {
    const char *id;
    VEC(const Spec *) specs;
    Live *live;
    const struct Listing *seen_in; /* the list that showed it */
    bool reading;                  /* a single read is under way */
    bool settled;                  /* found, or known to be an error */
} Wanted;

/* The ids that one page showed. */
typedef struct Shown {
    Arena *arena;
    Map *ids;
} Shown;

/* The list of one container, or of the copies of one source in it. */
typedef struct Listing {
    Observer *observer;
    const char *container;
    const char *source; /* NULL: whatever lies there */
    Selectors *selectors;
    SpecList asked; /* of them, about the item at hand */
    bool for_harvest;
    /* Where there are selectors: the ids on the newest page and the one before it, between which an item moves when
     * others come or go; and all that a selector took. What nobody claims is not remembered any longer. */
    Shown shown[2];
    Map *taken_ids;
    Map *tokens;           /* of all pages but the first */
    HttpRequest *pages[2]; /* the page being received, and the one asked for before that one is parsed */
    struct Page *page_of[2];
    unsigned taken;     /* pages */
    unsigned fruitless; /* of those, how many in a row settled nothing */
    bool begun, ended;
} Listing;

struct Observer {
    Account *account;
    const Kind *kind;
    LiveReader reader; /* of items that selectors take */
    Snapshot *snapshot;
    sd_event_source *wake;
    observe_done_fn done;
    void *userdata;
    Map *by_id;           /* id → Wanted */
    VEC(Wanted *) wanted; /* in the order of the specs */
    size_t first_open;    /* all before it are settled */
    size_t n_open;
    Harvest *harvest;
    Map *demands;      /* container → Demand */
    Map *by_container; /* container, or container and source → Listing */
    VEC(Listing *) listings;
    VEC(struct Single *) singles;
    unsigned window; /* single reads at a time */
};

/* The document cannot be looked at. */
void observer_fail(Observer *observer, const Spec *spec, const Error *error);
/* The id is found, or known to be an error. */
void observer_settle(Observer *observer, Wanted *wanted, const Error *error);
/* Something has ended: what comes next is begun from the loop. */
void observer_wake(Observer *observer);
/* The conditions on the objects of a document; NULL for one that names one object, or whose objects cannot be looked
 * for. */
const Node *observer_selector(const Observer *observer, const Spec *spec);

Listing *listing_new(Observer *observer, const char *container, const char *source) __attribute__((returns_nonnull));
void listing_free(Listing *listing);
/* Asks for the first page. The rest follows by itself. */
void listing_begin(Listing *listing);
/* Must the list be read to its end, whatever it shows? */
bool listing_is_whole(const Listing *listing);
