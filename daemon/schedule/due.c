#include "config.h"

#include "schedule/due.h"

#include "base/str.h"

/* After the first, second … failed attempt: the least pause before the next one. Each is also twice as long as the one
 * before it. */
static const usec_t pauses[ATTEMPTS_MAX - 1] = {5 * USEC_PER_MINUTE, 30 * USEC_PER_MINUTE};

/* What became of one slot so far. */
typedef struct Story {
    bool live; /* a backup is there, or on its way */
    unsigned dead;
    const Made *last;   /* the newest of the dead */
    const Made *before; /* and the one before it */
} Story;

/* Ids decide where times are equal or not known, so that the order of the input never does. */
static bool is_later(const Made *a, const Made *b)
{
    if (!b || a->born != b->born)
        return !b || a->born > b->born;
    return strcmp(a->id, b->id) > 0;
}

static Story tell(usec_t slot, const Made *made, size_t n)
{
    Story s = {0};
    for (size_t i = 0; i < n; i++) {
        const Made *m = &made[i];
        if (m->slot != slot)
            continue;
        if (backup_counts((BackupState)m->state)) {
            s.live = true;
            continue;
        }
        s.dead++;
        if (is_later(m, s.last)) {
            s.before = s.last;
            s.last = m;
        } else if (is_later(m, s.before)) {
            s.before = m;
        }
    }
    return s;
}

/* When the attempt after `s->last` may be made. */
static usec_t next_attempt(const Story *s, usec_t due)
{
    size_t attempt = s->dead < ATTEMPTS_MAX ? s->dead : ATTEMPTS_MAX - 1;
    usec_t failed = s->last->born ? s->last->born : due, pause = pauses[attempt - 1];
    if (s->before && s->before->born && failed > s->before->born && 2 * (failed - s->before->born) > pause)
        pause = 2 * (failed - s->before->born);
    return failed + pause;
}

usec_t due_retry(const Made *made, size_t n, const char **ret_failed)
{
    Story s = tell(n ? made[0].slot : 0, made, n);
    bool failed = s.last && s.last->state == BACKUP_FAULTY;
    *ret_failed = failed ? s.last->id : NULL;
    return failed ? next_attempt(&s, 0) : 0;
}

/* The newest slot has come due at `due`; sets state, attempt and retry. */
static void judge(const DueRule *rule, usec_t now, usec_t due, const Story *s, Due *ret)
{
    usec_t end = due + rule->catch_up;
    if (s->live)
        return;
    ret->attempt = s->dead;
    ret->failed = s->last && s->last->state == BACKUP_FAULTY ? s->last->id : NULL;
    if (s->last && !ret->failed) {
        ret->state = DUE_DELETED;
        return;
    }
    usec_t from = s->last && s->dead < ATTEMPTS_MAX ? next_attempt(s, due) : due;
    bool in_time = from <= end && now <= end && (!s->last || !ret->next || from < ret->next);
    if (s->dead >= ATTEMPTS_MAX || !in_time) {
        ret->state = s->last ? DUE_GIVEN_UP : DUE_NOTHING;
    } else if (now < from) {
        ret->state = DUE_RESTS;
        ret->retry = from;
    } else {
        ret->state = DUE_NOW;
        ret->attempt = s->dead + 1;
    }
}

static usec_t newest_made(usec_t until, const Made *made, size_t n)
{
    usec_t newest = 0;
    for (size_t i = 0; i < n; i++)
        if (made[i].slot <= until && made[i].slot > newest)
            newest = made[i].slot;
    return newest;
}

/* From `slot` back to the newest backup; `slot` itself is among them if nothing of it is there and nothing will be. */
static void count_missed(const DueRule *rule, usec_t slot, const Made *made, size_t n, Due *ret)
{
    usec_t newest = newest_made(slot, made, n);
    usec_t since = rule->since;
    /* Of a volume without any it is not known since when it is among the schedule's; one by this calendar shows that
     * itself. */
    if (!newest && rule->written > since)
        since = rule->written;
    else if (newest && calendar_has(rule->calendar, rule->zone, newest))
        since = rule->resumed;
    bool found = true;
    if (newest == slot)
        return;
    if (ret->state == DUE_NOW)
        found = calendar_previous(rule->calendar, rule->zone, slot, &slot);
    while (found && slot > newest && slot >= since && ret->missed < MISSED_MAX) {
        if (ret->missed++ == 0)
            ret->missed_last = slot;
        ret->missed_first = slot;
        found = calendar_previous(rule->calendar, rule->zone, slot, &slot);
    }
}

Due due_decide(const DueRule *rule, usec_t now, const Made *made, size_t n)
{
    Due due = {0};
    usec_t slot, local = now > rule->delay ? now - rule->delay : 0;
    usec_t after = rule->since > local + 1 ? rule->since - 1 : local;
    if (calendar_next(rule->calendar, rule->zone, after, &slot))
        due.next = slot + rule->delay;
    if (!calendar_previous(rule->calendar, rule->zone, local + 1, &slot) || slot < rule->since)
        return due;
    due.slot = slot;
    Story story = tell(slot, made, n);
    judge(rule, now, slot + rule->delay, &story, &due);
    count_missed(rule, slot, made, n, &due);
    return due;
}
