#include "config.h"

#include "live/observe.h"

#include "base/str.h"
#include "live/observe-private.h"

/* With more sources than these in one container its whole list is read. */
#define SOURCES_MAX 4

/* Which lists of one container are wanted: few sources have a list each, as the container may hold far more. */
typedef struct Demand {
    bool whole;
    unsigned n;
    const char *sources[SOURCES_MAX];
} Demand;

/* A single read on its way. */
typedef struct Single {
    Observer *observer;
    Wanted *wanted;
    HttpRequest *request;
    Live *live;
} Single;

void observer_fail(Observer *o, const Spec *spec, const Error *error)
{
    Observed *observed = &o->snapshot->of[spec->index];
    VEC_DONE(&observed->objects);
    if (!observed->error)
        observed->error = error_copy(error);
}

void observer_settle(Observer *o, Wanted *w, const Error *error)
{
    if (!w->settled)
        o->n_open--;
    w->settled = true;
    for (size_t i = 0; i < w->specs.n; i++)
        if (error)
            observer_fail(o, w->specs.items[i], error);
}

void observer_wake(Observer *o)
{
    sd_event_source_set_enabled(o->wake, SD_EVENT_ONESHOT);
}

const Node *observer_selector(const Observer *o, const Spec *spec)
{
    return spec->source ? o->snapshot->of[spec->index].selector : spec->selector;
}

static Listing *get_listing(Observer *o, const char *container, const char *source)
{
    CLEANUP(freep) char *key = source ? xasprintf("%s\n%s", container, source) : xstrdup(container);
    Listing *l = map_get(o->by_container, key);
    if (!l) {
        l = listing_new(o, container, source);
        map_put(o->by_container, arena_strdup(o->snapshot->arena, key), l);
        *VEC_ADD(&o->listings) = l;
    }
    return l;
}

/* Where the selector looks: in the account's own container unless it says so. */
static const char *container_of(const Observer *o, const Node *selector)
{
    const char *container = selector_container(o->kind, selector);
    return container ? container : o->account->credential->home;
}

/* The source whose copies alone the selector takes, or NULL. */
static const char *selector_source(const Observer *o, const Node *selector)
{
    return o->kind->source ? node_get_text(selector, o->kind->source) : NULL;
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

/* --- single reads --- */

static int single_check(void *userdata, const HttpAnswer *answer, Error **err)
{
    Single *s = userdata;
    Observer *o = s->observer;
    const Provider *provider = o->account->provider;
    LiveReader reader = o->reader;
    reader.page_member = provider->single_is_page ? provider->list_member : NULL;
    if (live_from_text(&reader, str_get(&answer->body), answer->body.len, answer_etag(o->kind, answer),
                       o->snapshot->arena, &s->live, err) < 0)
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
            observer_settle(o, o->wanted.items[i], error);
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
    observer_settle(o, w, error);
    if (error && is_of_account(error->kind))
        fail_open(o, error);
    /* Where one is, others will be. */
    if (!error && w->live->container && o->n_open > 1)
        get_listing(o, w->live->container, NULL);
    observer_wake(o);
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
        if (!l->begun && (listing_is_whole(l) || (o->n_open > 1 && !l->source)))
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
    const Node *selector = observer_selector(o, spec);
    if (selector)
        selectors_add(listing_for(o, container_of(o, selector), selector_source(o, selector))->selectors, spec,
                      selector);
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

/* Containers that held at least two of the wanted ids when they were last seen; and the account's own, where most of
 * them will lie. */
static void recall_containers(Observer *o)
{
    const char *home = o->account->credential->home;
    if (home && o->wanted.n > 1)
        get_listing(o, home, NULL);
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
        const Node *selector = is_ours(o, &specs->items[i]) ? observer_selector(o, &specs->items[i]) : NULL;
        if (selector)
            demand(o, container_of(o, selector), selector_source(o, selector));
    }
    if (!o->harvest)
        return;
    harvest_each_list(o->harvest, demand, o);
    harvest_each_list(o->harvest, harvest_from, o);
}

Observer *observe_start(Account *account, const Kind *kind, const Specs *specs, Snapshot *snapshot, Harvest *harvest,
                        sd_event *loop, observe_done_fn done, void *userdata)
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
    o->reader = (LiveReader){
        .kind = kind,
        .home = account->credential->home,
        .cloud = arena_strdup(snapshot->arena, account->credential->endpoint),
        .free_names = live_free_names(kind, account->name, specs->items, specs->n, snapshot->arena),
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
    for (size_t i = 0; i < o->listings.n; i++)
        listing_free(o->listings.items[i]);
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
