#include "config.h"

#include "plan/saved.h"

#include "base/map.h"
#include "base/str.h"
#include "data/json-read.h"
#include "schedule/slot.h"

typedef struct SavedChange {
    const Node *change;
    bool met;
} SavedChange;

struct SavedPlan {
    Arena *arena;
    SavedChange *changes;
    size_t n;
    Map *by_key;
};

void saved_plan_free(SavedPlan *saved)
{
    if (!saved)
        return;
    map_free(saved->by_key);
    arena_free(saved->arena);
    free(saved);
}

static const char *key_of(Arena *arena, const char *kind, const char *name, const char *account, const char *target)
{
    return arena_printf(arena, "%s\n%s\n%s\n%s", kind, name, account, target);
}

static int add_change(SavedPlan *s, const Node *change, const char *file, Error **err)
{
    const char *kind = node_get_text(change, "kind"), *name = node_get_text(change, "name");
    const char *account = node_get_text(change, "account"), *target = node_get_text(change, "target");
    const char *outcome = node_get_text(change, "outcome");
    const Node *attributes = node_get(change, "attributes");
    if (!kind || !name || !account || !target || !outcome || !attributes || attributes->type != NODE_LIST)
        return error_set(err, ERROR_SPEC, "%s: a change lacks kind, name, account, target, outcome or attributes",
                         file);
    if (!kind_find(kind))
        return error_set(err, ERROR_SPEC, "%s: kind \"%s\" is not known", file, kind);
    if (!streq(outcome, outcome_name(OUTCOME_PLANNED)))
        return 0;
    SavedChange *saved = &s->changes[s->n++];
    saved->change = change;
    map_put(s->by_key, key_of(s->arena, kind, name, account, target), saved);
    return 0;
}

int saved_plan_parse(const char *text, size_t size, const char *file, SavedPlan **ret, Error **err)
{
    CLEANUP(saved_plan_freep) SavedPlan *s = xcalloc(1, sizeof(*s));
    const Node *top = NULL;
    s->arena = arena_new();
    s->by_key = map_new();
    if (json_read(s->arena, text, size, &top, err) < 0) {
        if (err && *err)
            (*err)->kind = ERROR_SPEC;
        return error_wrap(err, "%s is no saved plan", file);
    }
    const Node *changes = node_get(top, "changes");
    if (!changes || changes->type != NODE_LIST)
        return error_set(err, ERROR_SPEC, "%s is no saved plan: make one with `imagekeeper plan -o json`", file);
    s->changes = arena_calloc(s->arena, changes->n + 1, sizeof(SavedChange));
    for (uint32_t i = 0; i < changes->n; i++)
        if (add_change(s, changes->items[i], file, err) < 0)
            return -1;
    *ret = TAKE(s);
    return 0;
}

static const Node *find_attribute(const Node *attributes, const char *path)
{
    for (uint32_t i = 0; i < attributes->n; i++) {
        const char *text = node_get_text(attributes->items[i], "path");
        if (text && streq(text, path))
            return attributes->items[i];
    }
    return NULL;
}

/* A mark counts its grace from when it is set, so that its time is another one in each plan. */
static bool same_to(const Change *change, const Node *saved, const Node *to)
{
    return node_equal(saved, to) ||
           (change->series && change->action == ACTION_UPDATE && to && saved && saved->type == to->type);
}

static bool same_slot(const Node *saved, const Change *change)
{
    char slot[RFC3339_SIZE];
    const Node *attempt = node_get(saved, "attempt");
    if (!change->series || change->action != ACTION_CREATE)
        return true;
    return streq_null(node_get_text(saved, "slot"), slot_format(change->slot, slot)) && attempt &&
           attempt->type == NODE_INT && attempt->integer == change->attempt;
}

static bool same_change(const Node *saved, const Change *change)
{
    const Node *attributes = node_get(saved, "attributes");
    const char *action = node_get_text(saved, "action");
    if (!action || !streq(action, action_name(change->action)) || attributes->n != change->deltas.n ||
        !same_slot(saved, change))
        return false;
    for (size_t i = 0; i < change->deltas.n; i++) {
        const Delta *d = &change->deltas.items[i];
        const Node *a = find_attribute(attributes, d->path);
        if (!a || !node_equal(node_get(a, "from"), d->from) || !same_to(change, node_get(a, "to"), d->to))
            return false;
    }
    return true;
}

/* What stands for a document or an object that is there no longer. */
static void add_refused(Plan *plan, const Node *saved)
{
    const Kind *kind = kind_find(node_get_text(saved, "kind"));
    const Node *line = node_get(saved, "line");
    Spec *spec = arena_alloc(plan->arena, sizeof(*spec));
    Live *live = arena_alloc(plan->arena, sizeof(*live));
    const char *file = node_get_text(saved, "file");
    *spec = (Spec){
        .kind = kind,
        .name = arena_strdup(plan->arena, node_get_text(saved, "name")),
        .account = arena_strdup(plan->arena, node_get_text(saved, "account")),
        .file = arena_strdup(plan->arena, file ? file : ""),
        .mark = {line && line->type == NODE_INT ? (uint32_t)line->integer : 0, 1},
    };
    *live = (Live){.kind = kind};
    Change change = {.spec = spec, .target = arena_strdup(plan->arena, node_get_text(saved, "target")), .live = live};
    for (Action action = 0; action < ACTION_MAX; action++)
        if (streq_null(node_get_text(saved, "action"), action_name(action)))
            change.action = action;
    change_hold(plan, &change, HOLD_SAVED,
                "refused: since the plan was saved, the object or its document has become such that there "
                "is nothing to change");
    *VEC_ADD(&plan->changes) = change;
}

const char *saved_plan_account(const SavedPlan *saved, size_t i)
{
    return i < saved->n ? node_get_text(saved->changes[i].change, "account") : NULL;
}

bool saved_plan_names(const SavedPlan *saved, const char *account)
{
    for (size_t i = 0; i < saved->n; i++)
        if (streq(saved_plan_account(saved, i), account))
            return true;
    return false;
}

void saved_plan_hold(const SavedPlan *saved, Plan *plan, const char *account)
{
    for (size_t i = 0; i < saved->n; i++)
        saved->changes[i].met = false;
    for (size_t i = 0; i < plan->changes.n; i++) {
        Change *c = &plan->changes.items[i];
        const char *key = key_of(plan->arena, c->spec->kind->name, c->spec->name, c->spec->account, c->target);
        SavedChange *in_plan = map_get(saved->by_key, key);
        if (in_plan)
            in_plan->met = true;
        if (c->outcome != OUTCOME_PLANNED)
            continue;
        if (!in_plan)
            change_hold(plan, c, HOLD_SAVED, "not in the saved plan");
        else if (!same_change(in_plan->change, c))
            change_hold(plan, c, HOLD_SAVED,
                        "refused: the object or its document has changed since the plan was saved");
    }
    for (size_t i = 0; i < saved->n; i++)
        if (!saved->changes[i].met && streq(node_get_text(saved->changes[i].change, "account"), account))
            add_refused(plan, saved->changes[i].change);
}
