#include "config.h"

#include "record/fold.h"

#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"

#define SAY_AGAIN (1 * USEC_PER_HOUR)

typedef struct Condition {
    char *key;
    Arena *arena;           /* of the subject */
    const Subject *subject; /* or NULL */
    usec_t said;
    unsigned met; /* since then */
    bool seen;    /* in this round */
} Condition;

struct Fold {
    Map *conditions;
};

Fold *fold_new(void)
{
    Fold *f = xcalloc(1, sizeof(*f));
    f->conditions = map_new();
    return f;
}

static void condition_free(Condition *c)
{
    free(c->key);
    arena_free(c->arena);
    free(c);
}

void fold_free(Fold *f)
{
    if (!f)
        return;
    size_t position = 0;
    for (Condition *c = map_next(f->conditions, &position, NULL); c; c = map_next(f->conditions, &position, NULL))
        condition_free(c);
    map_free(f->conditions);
    free(f);
}

static Condition *condition_new(const char *key, const Subject *subject)
{
    Condition *c = xcalloc(1, sizeof(*c));
    *c = (Condition){.key = xstrdup(key), .met = 1};
    if (!subject)
        return c;
    c->arena = arena_new();
    Subject *copy = arena_calloc(c->arena, 1, sizeof(*copy));
    *copy = (Subject){
        .text = arena_strdup(c->arena, subject->text),
        .kind = arena_strdup(c->arena, subject->kind),
        .name = arena_strdup(c->arena, subject->name),
        .account = arena_strdup(c->arena, subject->account),
        .target = arena_strdup(c->arena, subject->target),
    };
    c->subject = copy;
    return c;
}

unsigned fold_meet(Fold *f, const char *key, const Subject *subject, usec_t now)
{
    Condition *c = map_get(f->conditions, key);
    if (c) {
        c->met += !c->seen; /* once a round */
    } else {
        c = condition_new(key, subject);
        map_put(f->conditions, c->key, c);
    }
    c->seen = true;
    if (c->said && now < c->said + SAY_AGAIN)
        return 0;
    unsigned met = c->met;
    c->said = now;
    c->met = 0;
    return met;
}

void fold_keep(Fold *f, const char *prefix)
{
    size_t position = 0;
    for (Condition *c = map_next(f->conditions, &position, NULL); c; c = map_next(f->conditions, &position, NULL))
        c->seen = c->seen || starts_with(c->key, prefix);
}

void fold_end_round(Fold *f, const char *prefix, void (*passed)(void *userdata, const Subject *subject), void *userdata)
{
    VEC(Condition *) gone = {0};
    size_t position = 0;
    for (Condition *c = map_next(f->conditions, &position, NULL); c; c = map_next(f->conditions, &position, NULL)) {
        if (!starts_with(c->key, prefix))
            continue;
        if (!c->seen)
            *VEC_ADD(&gone) = c;
        c->seen = false;
    }
    for (size_t i = 0; i < gone.n; i++) {
        if (gone.items[i]->subject)
            passed(userdata, gone.items[i]->subject);
        map_remove(f->conditions, gone.items[i]->key);
        condition_free(gone.items[i]);
    }
    VEC_DONE(&gone);
}
