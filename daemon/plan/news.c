#include "config.h"

#include "plan/news.h"

#include <inttypes.h>

#include "base/map.h"
#include "base/str.h"

/* A backup on its way. */
typedef struct Followed {
    char *id, *account;
    usec_t seen; /* wall: when a look showed it last, or it was made */
} Followed;

struct News {
    Map *followed; /* id → Followed */
    Map *missed;   /* document, volume → usec_t: the newest slot that was told */
    Arena *arena;  /* of `missed`: as many as there are volumes */
};

/* One that no list has shown for so long will not come. */
#define FORGET (24 * USEC_PER_HOUR)

News *news_new(void)
{
    News *n = xcalloc(1, sizeof(*n));
    n->followed = map_new();
    n->missed = map_new();
    n->arena = arena_new();
    return n;
}

static void followed_free(Followed *f)
{
    free(f->id);
    free(f->account);
    free(f);
}

void news_free(News *n)
{
    if (!n)
        return;
    size_t position = 0;
    for (Followed *f = map_next(n->followed, &position, NULL); f; f = map_next(n->followed, &position, NULL))
        followed_free(f);
    map_free(n->followed);
    map_free(n->missed);
    arena_free(n->arena);
    free(n);
}

/* --- following --- */

static void follow(News *n, const char *id, const char *account, usec_t now)
{
    Followed *f = map_get(n->followed, id);
    if (!f) {
        f = xcalloc(1, sizeof(*f));
        *f = (Followed){.id = xstrdup(id), .account = xstrdup(account)};
        map_put(n->followed, f->id, f);
    }
    f->seen = now;
}

static void stop_following(News *n, Followed *f)
{
    map_remove(n->followed, f->id);
    followed_free(f);
}

/* One backup as a look shows it. */
typedef struct Sight {
    const Spec *spec;
    const char *volume, *id;
    BackupState state;
    usec_t born, slot;
} Sight;

static void add_duration(Str *out, usec_t took)
{
    usec_t s = took / USEC_PER_SEC;
    if (s >= 3600)
        str_addf(out, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        str_addf(out, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
    else
        str_addf(out, "%" PRIu64 " s", s);
}

static void see(News *n, Plan *plan, const Map *told, const Sight *s)
{
    if (s->state == BACKUP_UNFINISHED) {
        follow(n, s->id, s->spec->account, plan->now);
        return;
    }
    Followed *f = map_get(n->followed, s->id);
    if (!f)
        return;
    if (s->state == BACKUP_UNSURE) {
        f->seen = plan->now;
        return;
    }
    CLEANUP(str_done) Str took = {0};
    if (s->born && s->born <= plan->now)
        add_duration(&took, plan->now - s->born);
    if (s->state == BACKUP_GOOD)
        plan_note(plan, NOTE_AVAILABLE, s->spec, s->volume, s->id, s->slot, "%s is AVAILABLE%s%s", s->id,
                  took.len ? ", after at most " : "", str_get(&took));
    else if (s->state == BACKUP_FAULTY && !map_get(told, s->id))
        plan_note(plan, NOTE_FAULTY, s->spec, s->volume, s->id, s->slot, "%s is FAULTY", s->id);
    stop_following(n, f);
}

static void see_all(News *n, Plan *plan, const Snapshot *snapshot, const char *account)
{
    CLEANUP(map_freep) Map *told = map_new(); /* backups that the plan has a note of */
    for (size_t i = 0; i < plan->notes.n; i++)
        if (plan->notes.items[i].object)
            map_put(told, plan->notes.items[i].object, n);
    for (size_t i = 0; i < snapshot->n; i++) {
        const Observed *observed = &snapshot->of[i];
        const Spec *spec = &plan->specs->items[i];
        if (!streq(spec->account, account) || observed->error)
            continue;
        for (size_t k = 0; k < observed->objects.n && spec->source; k++) {
            const Live *live = observed->objects.items[k];
            see(n, plan, told,
                &(Sight){spec, spec->source, live->id, backup_state(live->kind, live->state), live->born, 0});
        }
        for (size_t k = 0; k < observed->series.n; k++) {
            const Series *series = observed->series.items[k];
            for (size_t j = 0; j < series->made.n; j++) {
                const Made *m = &series->made.items[j];
                see(n, plan, told, &(Sight){spec, series->volume->id, m->id, (BackupState)m->state, m->born, m->slot});
            }
        }
    }
}

static void see_made(News *n, const Plan *plan)
{
    for (size_t i = 0; i < plan->changes.n; i++) {
        const Change *c = &plan->changes.items[i];
        if (c->action == ACTION_CREATE && c->outcome == OUTCOME_DONE && c->live->id)
            follow(n, c->live->id, c->spec->account, plan->now);
    }
}

static void forget_lost(News *n, const char *account, usec_t now)
{
    VEC(Followed *) lost = {0};
    size_t position = 0;
    for (Followed *f = map_next(n->followed, &position, NULL); f; f = map_next(n->followed, &position, NULL))
        if (streq(f->account, account) && f->seen + FORGET < now)
            *VEC_ADD(&lost) = f;
    for (size_t i = 0; i < lost.n; i++)
        stop_following(n, lost.items[i]);
    VEC_DONE(&lost);
}

/* --- missed slots --- */

/* Was more than that missed since it was told? */
static bool is_new(News *n, const Note *note)
{
    CLEANUP(freep) char *key = xasprintf("%s/%s/%s", note->spec->kind->name, note->spec->name, note->target);
    usec_t *told = map_get(n->missed, key);
    if (told && note->slot <= *told)
        return false;
    if (!told) {
        told = arena_alloc(n->arena, sizeof(*told));
        map_put(n->missed, arena_strdup(n->arena, key), told);
    }
    *told = note->slot;
    return true;
}

static void drop_told(News *n, Plan *plan)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->notes.n; i++)
        if (plan->notes.items[i].kind != NOTE_MISSED || is_new(n, &plan->notes.items[i]))
            plan->notes.items[kept++] = plan->notes.items[i];
    plan->notes.n = kept;
}

void news_tell(News *n, Plan *plan, const Snapshot *snapshot, const char *account)
{
    drop_told(n, plan);
    see_all(n, plan, snapshot, account);
    see_made(n, plan);
    forget_lost(n, account, plan->now);
}
