#include "config.h"

#include "live/observe-private.h"

#include "base/str.h"

#define LIST_PAGES_MAX 20000

/* One page on its way. */
typedef struct Page {
    Listing *listing;
    unsigned slot;
    char *token;   /* NULL: the first */
    unsigned size; /* asked for */
    JsonPage *json;
    char *next; /* token of the page after it; NULL: it is the last */
    bool next_asked;
} Page;

bool listing_is_whole(const Listing *l)
{
    return selectors_all(l->selectors)->n > 0 || l->for_harvest;
}

Listing *listing_new(Observer *o, const char *container, const char *source)
{
    Listing *l = xcalloc(1, sizeof(*l));
    l->observer = o;
    l->container = arena_strdup(o->snapshot->arena, container);
    l->source = arena_strdup(o->snapshot->arena, source);
    l->taken_ids = map_new();
    l->tokens = map_new();
    l->selectors = selectors_new();
    return l;
}

static void page_free(Page *page)
{
    if (!page)
        return;
    json_page_free(page->json);
    free(page->next);
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
    observer_wake(l->observer);
}

/* A refusal on the first page says that this list is not for us. Anything else is a list that broke off. */
static bool is_refusal(const Listing *l, const Error *error)
{
    return l->taken == 0 &&
           (error->kind == ERROR_NOT_FOUND || error->kind == ERROR_FORBIDDEN || error->kind == ERROR_REJECTED);
}

/* What a broken list showed so far is as good as nothing: no write is decided on half a list. That holds too for an id
 * that it may still have shown; an id that is known to lie elsewhere goes on. */
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
        observer_fail(o, selectors->items[i], e);
    if (l->for_harvest)
        harvest_fail(o->harvest, l->container, l->source, e);
    for (size_t i = 0; i < o->wanted.n; i++)
        if (depends_on(l, o->wanted.items[i], refused))
            observer_settle(o, o->wanted.items[i], e);
    listing_stop(l);
}

static void page_request(Listing *l, unsigned slot, const char *token);

static void page_headers(void *userdata, const HttpAnswer *answer)
{
    Page *page = userdata;
    Listing *l = page->listing;
    CLEANUP(freep) char *token = NULL;
    l->observer->account->provider->next_page(answer, NULL, page->size, page->token, &token, NULL);
    /* Where the headers tell the next page and it will be needed in any case, it is asked for while this one's body is
     * still to come. */
    bool needed = listing_is_whole(l) || l->observer->n_open > page->size;
    if (token && needed && !page->next_asked && !l->pages[!page->slot]) {
        page->next_asked = true;
        page_request(l, !page->slot, token);
    }
}

static int page_check(void *userdata, const HttpAnswer *answer, Error **err)
{
    Page *page = userdata;
    const Observer *o = page->listing->observer;
    const Provider *provider = o->account->provider;
    json_page_free(TAKE(page->json));
    free(TAKE(page->next));
    if (json_page_parse(str_get(&answer->body), answer->body.len, provider->list_member, &page->json, err) < 0)
        return -1;
    /* Found out here, so that the page is asked for again. */
    for (const JsonItem *item = json_page_next(page->json, NULL); item; item = json_page_next(page->json, item))
        if (!json_item_text(item, o->kind->id))
            return error_set(err, ERROR_PROTOCOL, "a list item has no %s", o->kind->id);
    return provider->next_page(answer, page->json, page->size, page->token, &page->next, err);
}

static int take_wanted(Listing *l, Wanted *w, const JsonItem *item, Error **err)
{
    Observer *o = l->observer;
    Live *live;
    if (live_from_item(&o->reader, item, o->snapshot->arena, &live, err) < 0)
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
    observer_settle(o, w, NULL);
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

/* The same object may be shown by two pages when something came or went between them. What they show differently, or
 * what only one of them shows as matching, is not to be relied upon. */
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
        bool matches = selector_matches(o->kind, observer_selector(o, spec), o->reader.home, whole);
        if (matches && !live && live_from_item(&o->reader, item, o->snapshot->arena, &live, err) < 0)
            return -1;
        if (matches && live->foreign)
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
    return listing_is_whole(l) || (l->observer->n_open > 1 && l->fruitless < l->observer->n_open);
}

/* An unusual page size is refused on the first page if at all. */
static bool fall_back(Listing *l, const Page *page, const Error *error)
{
    Account *a = l->observer->account;
    if (page->token || !a->page_size_auto || page->size == a->provider->page_size_contract ||
        !a->provider->refused_page_size || !a->provider->refused_page_size(error))
        return false;
    a->page_size = a->provider->page_size_contract;
    return true;
}

/* A list that leads back to a page that it has shown would never end. */
static int check_next(Listing *l, const char *next, Error **err)
{
    if (next && map_put(l->tokens, arena_strdup(l->observer->snapshot->arena, next), l))
        return error_set(err, ERROR_PROTOCOL, "the pages of the list lead back to one that it has shown");
    return 0;
}

static void page_done(void *userdata, HttpAnswer *answer, const Error *error)
{
    (void)answer;
    Page *page = userdata;
    Listing *l = page->listing;
    CLEANUP(error_freep) Error *bad = NULL;
    http_request_free(TAKE(l->pages[page->slot]));
    l->page_of[page->slot] = NULL;
    if (error && fall_back(l, page, error)) {
        page_request(l, page->slot, NULL);
    } else if (error) {
        listing_fail(l, error);
    } else if (take_page(l, page->json, &bad) < 0 || check_next(l, page->next, &bad) < 0) {
        listing_fail(l, bad);
    } else {
        bool more = worth_more(l);
        if (more && page->next && !page->next_asked)
            page_request(l, page->slot, page->next);
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

void listing_begin(Listing *l)
{
    l->begun = true;
    page_request(l, 0, NULL);
}

void listing_free(Listing *l)
{
    listing_stop(l);
    selectors_free(l->selectors);
    VEC_DONE(&l->asked);
    shown_done(&l->shown[0]);
    shown_done(&l->shown[1]);
    map_free(l->taken_ids);
    map_free(l->tokens);
    free(l);
}
