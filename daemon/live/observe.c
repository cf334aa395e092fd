#include "config.h"

#include "live/observe.h"

#include "base/map.h"
#include "base/str.h"
#include "live/selectors.h"

#define LIST_PAGES_MAX 20000

/* With more sources than these in one container its whole list is read. */
#define SOURCES_MAX 4

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
    /* Where there are selectors: the ids on the newest page and the one before it, between which an item moves when others come or
     * go; and all that a selector took. What nobody claims is not remembered any longer. */
    Shown shown[2];
    Map *taken_ids;
    HttpRequest *pages[2]; /* the page being received, and the one asked for before that one is parsed */
    struct Page *page_of[2];
    unsigned taken;        /* pages */
    unsigned fruitless;    /* of those, how many in a row settled nothing */
    bool begun, ended;
} Listing;

/* Which lists of one container are wanted: few sources have a list each, as the container may hold far more. */
typedef struct Demand {
    bool whole;
    unsigned n;
    const char *sources[SOURCES_MAX];
} Demand;

/* One page on its way. */
typedef struct Page {
    Listing *listing;
    unsigned slot;
    char *token;   /* NULL: the first */
    unsigned size; /* asked for */
    JsonPage *json;
    bool next_asked;
} Page;

/* A single read on its way. */
typedef struct Single {
    Observer *observer;
    Wanted *wanted;
    HttpRequest *request;
    Live *live;
} Single;

struct Observer {
    Account *account;
    const Kind *kind;
    Snapshot *snapshot;
    sd_event_source *wake;
    observe_done_fn done;
    void *userdata;
    Map *by_id;               /* id → Wanted */
    VEC(Wanted *) wanted;     /* in the order of the specs */
    size_t first_open;        /* all before it are settled */
    size_t n_open;
    Harvest *harvest;
    Map *demands;             /* container → Demand */
    Map *by_container;        /* container, or container and source → Listing */
    VEC(Listing *) listings;
    VEC(Single *) singles;
    unsigned window;          /* single reads at a time */
};

static void fail_spec(Observer *o, const Spec *spec, const Error *error)
{
    Observed *observed = &o->snapshot->of[spec->index];
    VEC_DONE(&observed->objects);
    if (!observed->error)
        observed->error = error_copy(error);
}

static void settle(Observer *o, Wanted *w, const Error *error)
{
    if (!w->settled)
        o->n_open--;
    w->settled = true;
    for (size_t i = 0; i < w->specs.n; i++)
        if (error)
            fail_spec(o, w->specs.items[i], error);
}

static Listing *get_listing(Observer *o, const char *container, const char *source)
{
    CLEANUP(freep) char *key = source ? xasprintf("%s\n%s", container, source) : xstrdup(container);
    Listing *l = map_get(o->by_container, key);
    if (!l) {
        l = xcalloc(1, sizeof(*l));
        l->observer = o;
        l->container = arena_strdup(o->snapshot->arena, container);
        l->source = arena_strdup(o->snapshot->arena, source);
        l->taken_ids = map_new();
        l->selectors = selectors_new();
        map_put(o->by_container, arena_strdup(o->snapshot->arena, key), l);
        *VEC_ADD(&o->listings) = l;
    }
    return l;
}

static void wake(Observer *o)
{
    sd_event_source_set_enabled(o->wake, SD_EVENT_ONESHOT);
}

/* --- which lists --- */

static void demand(void *userdata, const char *container, const char *source)
{
    Observer *o = userdata;
    Demand *d = map_get(o->demands, container);
    if (!d) {
        d = arena_calloc(o->snapshot->arena, 1, sizeof(*d));
        map_put(o->demands, arena_strdup(o->snapshot->arena, container), d);
    }
    for (unsigned i = 0; i < d->n && source; i++)
        if (streq(d->sources[i], source))
            return;
    if (source && d->n < SOURCES_MAX)
        d->sources[d->n++] = source;
    else
        d->whole = true;
}

/* After all demands. */
static Listing *listing_for(Observer *o, const char *container, const char *source)
{
    const Demand *d = map_get(o->demands, container);
    return get_listing(o, container, d->whole ? NULL : source);
}

static void harvest_from(void *userdata, const char *container, const char *source)
{
    Observer *o = userdata;
    listing_for(o, container, source)->for_harvest = true;
}

/* Must the list be read to its end, whatever it shows? */
static bool is_whole(const Listing *l)
{
    return selectors_all(l->selectors)->n > 0 || l->for_harvest;
}

/* --- lists --- */

static void page_free(Page *page)
{
    if (!page)
        return;
    json_page_free(page->json);
    free(page->token);
    free(page);
}

static void listing_stop(Listing *l)
{
    l->ended = true;
    for (unsigned i = 0; i < 2; i++) {
        http_request_free(TAKE(l->pages[i]));
        page_free(TAKE(l->page_of[i]));
    }
    wake(l->observer);
}

/* A refusal on the first page says that this list is not for us. Anything else is a list that broke off. */
static bool is_refusal(const Listing *l, const Error *error)
{
    return l->taken == 0 &&
           (error->kind == ERROR_NOT_FOUND || error->kind == ERROR_FORBIDDEN || error->kind == ERROR_REJECTED);
}

/* What a broken list showed so far is as good as nothing: no write is decided on half a list. That holds too for an id that
 * it may still have shown; an id that is known to lie elsewhere goes on. */
static bool depends_on(const Listing *l, const Wanted *w, bool refused)
{
    const char *container = account_container(l->observer->account, w->id);
    if (w->seen_in == l)
        return true;
    return !w->settled && !w->reading && !refused && (!container || streq(container, l->container));
}

static void listing_fail(Listing *l, const Error *error)
{
    Observer *o = l->observer;
    bool refused = is_refusal(l, error);
    CLEANUP(error_freep) Error *e = error_copy(error);
    error_wrap(&e, "%ss of %s could not be listed", o->kind->noun, l->container);
    const SpecList *selectors = selectors_all(l->selectors);
    for (size_t i = 0; i < selectors->n; i++)
        fail_spec(o, selectors->items[i], e);
    if (l->for_harvest)
        harvest_fail(o->harvest, l->container, l->source, e);
    for (size_t i = 0; i < o->wanted.n; i++)
        if (depends_on(l, o->wanted.items[i], refused))
            settle(o, o->wanted.items[i], e);
    listing_stop(l);
}

static void page_request(Listing *l, unsigned slot, const char *token);

static void page_headers(void *userdata, const HttpAnswer *answer)
{
    Page *page = userdata;
    Listing *l = page->listing;
    const char *token = l->observer->account->provider->next_page(answer);
    /* The token of the next page is in the headers: where it will be needed in any case, it is asked for while this one's
     * body is still to come. */
    bool needed = is_whole(l) || l->observer->n_open > page->size;
    if (token && needed && !page->next_asked && !l->pages[!page->slot]) {
        page->next_asked = true;
        page_request(l, !page->slot, token);
    }
}

static int page_check(void *userdata, const HttpAnswer *answer, Error **err)
{
    Page *page = userdata;
    const Observer *o = page->listing->observer;
    json_page_free(TAKE(page->json));
    if (json_page_parse(str_get(&answer->body), answer->body.len, o->account->provider->list_member, &page->json, err) < 0)
        return -1;
    /* Found out here, so that the page is asked for again. */
    for (const JsonItem *item = json_page_next(page->json, NULL); item; item = json_page_next(page->json, item))
        if (!json_item_text(item, o->kind->id))
            return error_set(err, ERROR_PROTOCOL, "a list item has no %s", o->kind->id);
    return 0;
}

static int take_wanted(Listing *l, Wanted *w, const JsonItem *item, Error **err)
{
    Observer *o = l->observer;
    Live *live;
    if (live_from_item(o->kind, item, o->snapshot->arena, &live, err) < 0)
        return -1;
    if (w->seen_in == l && !node_equal(w->live->object, live->object)) {
        w->live->unsure = true;
        return 0;
    }
    if (w->settled)
        return 0;
    w->live = live;
    w->seen_in = l;
    account_remember(o->account, w->id, l->container);
    for (size_t i = 0; i < w->specs.n; i++)
        *VEC_ADD(&o->snapshot->of[w->specs.items[i]->index].objects) = live;
    settle(o, w, NULL);
    l->fruitless = 0;
    return 0;
}

static void shown_done(Shown *s)
{
    map_free(s->ids);
    arena_free(s->arena);
    *s = (Shown){0};
}

static void shown_turn_page(Listing *l)
{
    shown_done(&l->shown[1]);
    l->shown[1] = l->shown[0];
    l->shown[0] = (Shown){arena_new(), map_new()};
}

/* Has the list shown that item before? */
static bool shown_again(Listing *l, const char *id)
{
    bool here = map_put(l->shown[0].ids, arena_strdup(l->shown[0].arena, id), l);
    return here || (l->shown[1].ids && map_get(l->shown[1].ids, id)) || map_get(l->taken_ids, id);
}

/* The same object may be shown by two pages when something came or went between them. What they show differently, or what
 * only one of them shows as matching, is not to be relied upon. */
static void take_again(Listing *l, const Spec *spec, const char *id, Live *live)
{
    Observed *observed = &l->observer->snapshot->of[spec->index];
    for (size_t i = 0; i < observed->objects.n; i++) {
        Live *other = (Live *)observed->objects.items[i];
        if (!streq(other->id, id))
            continue;
        other->unsure = other->unsure || !live || !node_equal(other->object, live->object);
        return;
    }
    if (!live)
        return;
    live->unsure = true;
    *VEC_ADD(&observed->objects) = live;
}

/* NULL for a document that names one object, or whose objects cannot be looked for. */
static const Node *selector_of(const Observer *o, const Spec *spec)
{
    return spec->source ? o->snapshot->of[spec->index].selector : spec->selector;
}

/* The source whose copies alone the selector takes, or NULL. */
static const char *selector_source(const Observer *o, const Node *selector)
{
    return o->kind->source ? node_get_text(selector, o->kind->source) : NULL;
}

static int take_selected(Listing *l, const JsonItem *item, const Node *whole, Error **err)
{
    Observer *o = l->observer;
    const char *id = json_item_text(item, o->kind->id);
    bool again = shown_again(l, id);
    Live *live = NULL;
    l->asked.n = 0;
    if (!again)
        selectors_for(l->selectors, whole, &l->asked);
    /* Also one that does not take it any more is to know that it changed. */
    const SpecList *asked = again ? selectors_all(l->selectors) : &l->asked;
    for (size_t i = 0; i < asked->n; i++) {
        const Spec *spec = asked->items[i];
        bool matches = selector_matches(o->kind, selector_of(o, spec), whole);
        if (matches && !live && live_from_item(o->kind, item, o->snapshot->arena, &live, err) < 0)
            return -1;
        if (matches && live_is_foreign(live))
            continue;
        if (again)
            take_again(l, spec, id, matches ? live : NULL);
        else if (matches)
            *VEC_ADD(&o->snapshot->of[spec->index].objects) = live;
    }
    if (live)
        map_put(l->taken_ids, live->id, l);
    return 0;
}

static int take_item(Listing *l, const JsonItem *item, Arena *scratch, Error **err)
{
    Observer *o = l->observer;
    const char *id = json_item_text(item, o->kind->id);
    Wanted *w = map_get(o->by_id, id);
    if (w && take_wanted(l, w, item, err) < 0)
        return -1;
    if (l->for_harvest && harvest_take(o->harvest, item, err) < 0)
        return -1;
    if (selectors_all(l->selectors)->n == 0)
        return 0;
    const Node *whole = NULL;
    if (json_item_whole(item, scratch, &whole, err) < 0)
        return -1;
    return take_selected(l, item, whole, err);
}

static int take_page(Listing *l, const JsonPage *json, Error **err)
{
    CLEANUP(arena_freep) Arena *scratch = arena_new();
    l->fruitless++;
    shown_turn_page(l);
    if (++l->taken > LIST_PAGES_MAX)
        return error_set(err, ERROR_PROTOCOL, "the list goes on for more than %d pages", LIST_PAGES_MAX);
    for (const JsonItem *item = json_page_next(json, NULL); item; item = json_page_next(json, item))
        if (take_item(l, item, scratch, err) < 0)
            return -1;
    return 0;
}

/* Does another page still pay? For a selector always: only a whole list tells what it matches. */
static bool worth_more(const Listing *l)
{
    return is_whole(l) || (l->observer->n_open > 1 && l->fruitless < l->observer->n_open);
}

/* An unusual page size is refused on the first page if at all. */
static bool fall_back(Listing *l, const Page *page, const Error *error)
{
    Account *a = l->observer->account;
    if (page->token || !a->page_size_auto || page->size == a->provider->page_size_contract ||
        !a->provider->refused_page_size(error))
        return false;
    a->page_size = a->provider->page_size_contract;
    return true;
}

static void page_done(void *userdata, HttpAnswer *answer, const Error *error)
{
    Page *page = userdata;
    Listing *l = page->listing;
    CLEANUP(error_freep) Error *bad = NULL;
    http_request_free(TAKE(l->pages[page->slot]));
    l->page_of[page->slot] = NULL;
    if (error && fall_back(l, page, error)) {
        page_request(l, page->slot, NULL);
    } else if (error) {
        listing_fail(l, error);
    } else if (take_page(l, page->json, &bad) < 0) {
        listing_fail(l, bad);
    } else {
        const char *token = l->observer->account->provider->next_page(answer);
        bool more = worth_more(l);
        if (token && page->token && streq(token, page->token)) {
            error_set(&bad, ERROR_PROTOCOL, "a page of the list names itself as the next one");
            listing_fail(l, bad);
            page_free(page);
            return;
        }
        if (more && token && !page->next_asked)
            page_request(l, page->slot, token);
        if (!more || (!l->pages[0] && !l->pages[1]))
            listing_stop(l);
    }
    page_free(page);
}

static void page_request(Listing *l, unsigned slot, const char *token)
{
    Account *a = l->observer->account;
    Page *page = xcalloc(1, sizeof(*page));
    *page = (Page){.listing = l, .slot = slot, .token = xstrdup(token), .size = a->page_size};
    CLEANUP(str_done) Str target = {0};
    a->provider->add_list_target(l->observer->kind, l->container, l->source, a->page_size, token, &target);
    HttpSpec spec = {.method = "GET", .target = str_get(&target), .safe = true};
    HttpHandlers handlers = {.headers = page_headers, .check = page_check, .done = page_done, .userdata = page};
    l->page_of[slot] = page;
    l->pages[slot] = http_request_start(a->client, &spec, NULL, &handlers);
}

static void listing_begin(Listing *l)
{
    l->begun = true;
    page_request(l, 0, NULL);
}

/* --- single reads --- */

static int single_check(void *userdata, const HttpAnswer *answer, Error **err)
{
    Single *s = userdata;
    Observer *o = s->observer;
    const char *etag = o->account->provider->etag(answer);
    if (live_from_text(o->kind, str_get(&answer->body), answer->body.len, etag, o->snapshot->arena, &s->live, err) < 0)
        return -1;
    if (!streq(s->live->id, s->wanted->id))
        return error_set(err, ERROR_PROTOCOL, "asked for %s, got %s", s->wanted->id, s->live->id);
    return 0;
}

/* Some errors would be the same for every other object of the account. */
static bool is_of_account(ErrorKind kind)
{
    return kind == ERROR_CONNECT || kind == ERROR_TLS || kind == ERROR_AUTH || kind == ERROR_BREAKER ||
           kind == ERROR_CANCELLED;
}

static void fail_open(Observer *o, const Error *error)
{
    for (size_t i = 0; i < o->wanted.n; i++)
        if (!o->wanted.items[i]->settled && !o->wanted.items[i]->reading)
            settle(o, o->wanted.items[i], error);
}

static void single_done(void *userdata, HttpAnswer *answer, const Error *error)
{
    (void)answer;
    Single *s = userdata;
    Observer *o = s->observer;
    Wanted *w = s->wanted;
    http_request_free(TAKE(s->request));
    w->reading = false;
    if (!error && !w->settled) {
        w->live = s->live;
        for (size_t i = 0; i < w->specs.n; i++)
            *VEC_ADD(&o->snapshot->of[w->specs.items[i]->index].objects) = w->live;
        if (w->live->container)
            account_remember(o->account, w->id, w->live->container);
    }
    settle(o, w, error);
    if (error && is_of_account(error->kind))
        fail_open(o, error);
    /* Where one is, others will be. */
    if (!error && w->live->container && o->n_open > 1)
        get_listing(o, w->live->container, NULL);
    wake(o);
}

static void single_begin(Observer *o, Wanted *w)
{
    Single *s = xcalloc(1, sizeof(*s));
    *s = (Single){.observer = o, .wanted = w};
    *VEC_ADD(&o->singles) = s;
    w->reading = true;
    CLEANUP(str_done) Str target = {0};
    o->account->provider->add_object_target(o->kind, w->id, &target);
    HttpSpec spec = {.method = "GET", .target = str_get(&target), .safe = true};
    HttpHandlers handlers = {.check = single_check, .done = single_done, .userdata = s};
    s->request = http_request_start(o->account->client, &spec, NULL, &handlers);
}

static size_t count_reading(Observer *o)
{
    size_t n = 0;
    for (size_t i = 0; i < o->singles.n; i++)
        n += o->singles.items[i]->request != NULL;
    return n;
}

/* --- the look --- */

/* Lists first: each may settle many. Returns whether any is under way. */
static bool run_listings(Observer *o)
{
    bool running = false;
    for (size_t i = 0; i < o->listings.n; i++) {
        Listing *l = o->listings.items[i];
        if (!l->begun && (is_whole(l) || (o->n_open > 1 && !l->source)))
            listing_begin(l);
        running = running || (l->begun && !l->ended);
    }
    return running;
}

/* Then what no list has shown, more of it at a time as it becomes clear that there is no list to find it in. */
static bool run_singles(Observer *o)
{
    size_t reading = count_reading(o);
    if (reading)
        return true;
    while (o->first_open < o->wanted.n && o->wanted.items[o->first_open]->settled)
        o->first_open++;
    for (size_t i = o->first_open; i < o->wanted.n && reading < o->window; i++)
        if (!o->wanted.items[i]->settled) {
            single_begin(o, o->wanted.items[i]);
            reading++;
        }
    o->window = o->window < 64 ? o->window * 2 : o->window;
    return reading > 0;
}

static int step(sd_event_source *source, void *userdata)
{
    (void)source;
    Observer *o = userdata;
    if (!run_listings(o) && !run_singles(o))
        o->done(o->userdata);
    return 0;
}

static void want(Observer *o, const Spec *spec)
{
    const Node *selector = selector_of(o, spec);
    if (selector)
        selectors_add(listing_for(o, selector_container(o->kind, selector), selector_source(o, selector))->selectors, spec, selector);
    if (!spec->target)
        return;
    Wanted *w = map_get(o->by_id, spec->target);
    if (!w) {
        w = xcalloc(1, sizeof(*w));
        w->id = spec->target;
        map_put(o->by_id, w->id, w);
        *VEC_ADD(&o->wanted) = w;
        o->n_open++;
    }
    *VEC_ADD(&w->specs) = spec;
}

/* Containers that held at least two of the wanted ids when they were last seen. */
static void recall_containers(Observer *o)
{
    CLEANUP(map_freep) Map *once = map_new();
    for (size_t i = 0; i < o->wanted.n; i++) {
        const char *container = account_container(o->account, o->wanted.items[i]->id);
        if (container && map_put(once, container, o))
            get_listing(o, container, NULL);
    }
}

static bool is_ours(const Observer *o, const Spec *spec)
{
    return spec->kind == o->kind && streq(spec->account, o->account->name);
}

static void demand_lists(Observer *o, const Specs *specs)
{
    for (size_t i = 0; i < specs->n; i++) {
        const Node *selector = is_ours(o, &specs->items[i]) ? selector_of(o, &specs->items[i]) : NULL;
        if (selector)
            demand(o, selector_container(o->kind, selector), selector_source(o, selector));
    }
    if (!o->harvest)
        return;
    harvest_each_list(o->harvest, demand, o);
    harvest_each_list(o->harvest, harvest_from, o);
}

Observer *observe_start(Account *account, const Kind *kind, const Specs *specs, Snapshot *snapshot, Harvest *harvest, sd_event *loop,
                        observe_done_fn done, void *userdata)
{
    Observer *o = xcalloc(1, sizeof(*o));
    *o = (Observer){
        .account = account,
        .kind = kind,
        .snapshot = snapshot,
        .harvest = harvest,
        .done = done,
        .userdata = userdata,
        .by_id = map_new(),
        .demands = map_new(),
        .by_container = map_new(),
        .window = 1,
    };
    demand_lists(o, specs);
    for (size_t i = 0; i < specs->n; i++)
        if (is_ours(o, &specs->items[i]))
            want(o, &specs->items[i]);
    recall_containers(o);
    /* Deferred, so that `done` never runs in here. */
    sd_event_add_defer(loop, &o->wake, step, o);
    return o;
}

void observe_free(Observer *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->listings.n; i++) {
        listing_stop(o->listings.items[i]);
        selectors_free(o->listings.items[i]->selectors);
        VEC_DONE(&o->listings.items[i]->asked);
        shown_done(&o->listings.items[i]->shown[0]);
        shown_done(&o->listings.items[i]->shown[1]);
        map_free(o->listings.items[i]->taken_ids);
        free(o->listings.items[i]);
    }
    for (size_t i = 0; i < o->singles.n; i++) {
        http_request_free(o->singles.items[i]->request);
        free(o->singles.items[i]);
    }
    for (size_t i = 0; i < o->wanted.n; i++) {
        VEC_DONE(&o->wanted.items[i]->specs);
        free(o->wanted.items[i]);
    }
    VEC_DONE(&o->listings);
    VEC_DONE(&o->singles);
    VEC_DONE(&o->wanted);
    map_free(o->by_id);
    map_free(o->demands);
    map_free(o->by_container);
    sd_event_source_disable_unref(o->wake);
    free(o);
}
