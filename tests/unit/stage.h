/* A schedule for the tests of plan/: its volumes, the backups that it has of them, and the plan. */
#pragma once

#include "../../tests/unit/world.h"
#include "../../tests/unit/zone.h"

#include "attr/oci-backup.h"
#include "desired/timetable.h"
#include "schedule/slot.h"

#define STAGE_VOLUME "ocid1.bootvolume.v"
#define STAGE_NOW "2026-11-20T12:00:00Z"
#define NIGHTLY "onCalendar: \"*-*-* 02:00:00\""

/* The schedule `nightly`, whose spec is `want` in flow style, in force since `since` by its file's time. No volumes yet. */
HELPER World stage_since(const char *want, const char *reconcile, const char *since)
{
    CLEANUP(freep) char *yaml = xasprintf("apiVersion: imagekeeper/v1\nkind: OciBootVolumeBackupSchedule\nmetadata: {name: nightly}\n"
                                          "spec: {account: prod, selector: {compartmentId: ocid1.c}, %s}\nreconcile: {%s}\n", want, reconcile);
    World w = {.specs = specs_of(yaml), .snapshot = snapshot_new(1)};
    ((Timetable *)w.specs->items[0].timetable)->written = at(since);
    return w;
}

HELPER World stage(const char *want)
{
    return stage_since(want, "", "2026-11-01T00:00:00Z");
}

/* `more` are members, each after a comma. */
HELPER Series *volume_add(World *w, const char *id, const char *state, const char *more)
{
    CLEANUP(freep) char *text = xasprintf("{\"id\":\"%s\",\"compartmentId\":\"ocid1.c\",\"lifecycleState\":\"%s\"%s}", id, state, more);
    Arena *arena = w->snapshot->arena;
    Live *volume = NULL;
    assert_int_equal(live_from_text(&(LiveReader){.kind = &oci_boot_volume}, text, strlen(text), NULL, arena, &volume, NULL), 0);
    Series *series = arena_alloc(arena, sizeof(*series));
    *series = (Series){.spec = &w->specs->items[0], .volume = volume};
    *VEC_ADD(&w->snapshot->of[0].objects) = volume;
    *VEC_ADD(&w->snapshot->of[0].series) = series;
    return series;
}

/* The stage with one volume, called db. */
HELPER World stage_with(const char *want, Series **ret)
{
    World w = stage(want);
    *ret = volume_add(&w, STAGE_VOLUME, "AVAILABLE", ",\"displayName\":\"db\"");
    return w;
}

/* A backup that was made at its slot; its id ends with how many were there before. */
HELPER Made *made_add(World *w, Series *series, const char *slot, BackupState state)
{
    const char *id = arena_printf(w->snapshot->arena, "ocid1.b%zu", series->made.n);
    Made *made = VEC_ADD(&series->made);
    *made = (Made){.id = id, .slot = at(slot), .born = at(slot), .state = (uint8_t)state};
    return made;
}

HELPER Made *marked_add(World *w, Series *series, const char *slot, BackupState state, const char *prune_after)
{
    Made *made = made_add(w, series, slot, state);
    made->mark = PRUNE_MARK_AT;
    made->prune_after = at(prune_after);
    return made;
}

/* What the harvest does at its end. */
HELPER void find_unfinished(const Observed *observed)
{
    for (size_t i = 0; i < observed->series.n; i++) {
        Series *series = observed->series.items[i];
        series->unfinished = NULL;
        for (size_t k = 0; k < series->made.n && !series->unfinished; k++)
            if (series->made.items[k].state == BACKUP_UNFINISHED)
                series->unfinished = &series->made.items[k];
    }
}

/* The plan of that time, made anew. */
HELPER void plan_in(World *w, usec_t now, PlanOptions options)
{
    plan_free(w->plan);
    for (size_t i = 0; i < w->snapshot->n; i++)
        find_unfinished(&w->snapshot->of[i]);
    options.now = now;
    w->plan = plan_make(w->specs, w->snapshot, &options);
}

HELPER void plan_with(World *w, const char *now, PlanOptions options)
{
    plan_in(w, at(now), options);
}

HELPER void plan_at(World *w, const char *now)
{
    plan_with(w, now, (PlanOptions){0});
}

/* "update planned ocid1.b0 (slot 2026-11-19T02:00:00Z, expired) freeformTags.x: null > \"y\"; reason": a line for each change. */
HELPER const char *changes_of(const World *w)
{
    CLEANUP(str_done) Str out = {0};
    for (size_t i = 0; i < w->plan->changes.n; i++) {
        const Change *c = &w->plan->changes.items[i];
        str_addf(&out, "%s %s %s", action_name(c->action), outcome_name(c->outcome), c->target);
        if (c->why)
            str_addf(&out, " (%s)", c->why);
        for (size_t k = 0; k < c->deltas.n; k++) {
            str_addf(&out, " %s: ", c->deltas.items[k].path);
            json_write_node(&out, c->deltas.items[k].from ? c->deltas.items[k].from : node_null());
            str_add(&out, " > ");
            json_write_node(&out, c->deltas.items[k].to ? c->deltas.items[k].to : node_null());
        }
        if (c->reason)
            str_addf(&out, "; %s", c->reason);
        str_addc(&out, '\n');
    }
    return arena_strndup(w->plan->arena, str_get(&out), out.len);
}

#define assert_changes(w, expected) assert_string_equal(changes_of(w), expected)

/* "missed ocid1.v: slot … was missed": a line for each note. */
HELPER const char *notes_of(const World *w)
{
    CLEANUP(str_done) Str out = {0};
    for (size_t i = 0; i < w->plan->notes.n; i++) {
        const Note *note = &w->plan->notes.items[i];
        str_addf(&out, "%s %s: %s\n", note_name(note->kind), note->target, note->text);
    }
    return arena_strndup(w->plan->arena, str_get(&out), out.len);
}

#define assert_notes(w, expected) assert_string_equal(notes_of(w), expected)
