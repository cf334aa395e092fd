/* imagekeeper calendar: when backups are made next, what became of the last ones, and what retention keeps and why. */
#include "config.h"

#include <stdio.h>

#include "cmd/once.h"
#include "record/agenda.h"

/* Only schedules, or the one that is named: the round looks at nothing else. */
static int select_schedules(const Specs *all, const char *name, Arena *arena, Specs *ret)
{
    Spec *items = arena_calloc(arena, all->n, sizeof(Spec));
    VEC(const char *) names = {0};
    *ret = (Specs){.refs = 1, .items = items, .revision = all->revision};
    for (size_t i = 0; i < all->n; i++) {
        if (!all->items[i].timetable)
            continue;
        *VEC_ADD(&names) = all->items[i].name;
        if (name && !streq(name, all->items[i].name))
            continue;
        items[ret->n] = all->items[i];
        items[ret->n].index = ret->n;
        ret->n++;
    }
    *VEC_ADD(&names) = NULL;
    const char *nearest = name && ret->n == 0 ? nearest_name(name, names.items) : NULL;
    if (nearest)
        command_error("no schedule \"%s\"; did you mean \"%s\"?", name, nearest);
    else if (name && ret->n == 0)
        command_error("no schedule \"%s\" in the specs", name);
    VEC_DONE(&names);
    return name && ret->n == 0 ? -1 : 0;
}

static int show(const CommandOptions *options, const Config *config, const Specs *schedules, const Once *once)
{
    CLEANUP(str_done) Str out = {0}, errors = {0};
    CLEANUP(freep) char *folder = NULL;
    ReportStyle style = once_style(options, config, &folder);
    AgendaReport agenda = {
        .specs = schedules,
        .snapshot = once ? round_snapshot(once_round(once)) : NULL,
        .now = options->base_time ? options->base_time : clock_wall(),
        .iterations = options->iterations,
    };
    Report report = {.specs = schedules};
    report.results = once ? round_results(once_round(once), &report.n) : NULL;
    if (options->json)
        agenda_json(&agenda, &report, &out);
    else
        agenda_text(&agenda, &style, &out);
    report_errors(&report, &style, &errors);
    int r = command_print_as(options, &out);
    if (!options->json)
        fputs(str_get(&errors), stderr);
    return r < 0 || errors.len ? EXIT_ERROR : EXIT_IN_SYNC;
}

static int run(const CommandOptions *options)
{
    CLEANUP(config_freep) Config *config = NULL;
    CLEANUP(specs_freep) Specs *specs = NULL;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(once_freep) Once *once = NULL;
    Specs schedules;
    if (command_load(options, &config, &specs) < 0 || select_schedules(specs, options->name, arena, &schedules) < 0)
        return EXIT_ERROR;
    /* With one schedule alone everybody else's backups would look like nobody's. */
    RoundOptions round = {.config = config, .specs = &schedules, .plan_only = true, .wants_orphans = !options->name};
    if (!options->offline && once_go(&round, &once) < 0)
        return EXIT_ERROR;
    return show(options, config, &schedules, once);
}

const Command command_calendar = {
    .name = "calendar",
    .summary = "the next slots of each schedule, and the last ones made",
    .help = "Shows for each schedule (or the one of that NAME) the next slots in its zone and in UTC, and for each of\n"
            "its volumes the last backups with their state, what is due or was missed, and what retention keeps\n"
            "and why. Nothing is written.\n"
            "Exit status: 0, or 1 when something failed or could not be found out.\n",
    .argument = "NAME",
    .accepts = "csonbf",
    .run = run,
};
