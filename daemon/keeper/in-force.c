#include "config.h"

#include "keeper/in-force.h"

#include "base/str.h"
#include "desired/revision.h"
#include "record/event.h"

/* Specs that were read so shortly ago are not read again: rounds that begin together share one look. */
#define LOAD_AGAIN (USEC_PER_SEC / 2)

void in_force_done(SpecsInForce *f)
{
    specs_free(TAKE(f->specs));
    free(TAKE(f->problem));
}

void log_problems(const Log *log, const Problems *problems)
{
    CLEANUP(str_done) Str text = {0};
    problems_format(problems, log->colour && !log->under_journal, &text);
    if (text.len)
        log_send(log, problems_errors(problems) ? LOG_ERR : LOG_WARNING, str_strip(text.data), NULL, 0);
}

const char *in_force_path(const SpecsInForce *f, const Config *config)
{
    return f->path ? f->path : config->specs;
}

/* NULL: they cannot be used, and `err` says why. */
static Specs *read_specs(const SpecsInForce *f, const Config *config, Problems *problems, Error **err)
{
    const char *path = in_force_path(f, config);
    Specs *specs = NULL;
    if (!path)
        error_set(err, ERROR_SPEC, "%s does not say where the specs are", config->file);
    else
        specs_load(path, config, problems, &specs, err);
    return specs;
}

int in_force_check(const SpecsInForce *f, const Config *config, Error **err)
{
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(specs_freep) Specs *specs = read_specs(f, config, problems, err);
    if (!specs)
        log_problems(f->log, problems);
    return specs ? 0 : -1;
}

static bool take(SpecsInForce *f, Specs *specs, const char *path, const Problems *problems)
{
    bool changed = !f->specs || !specs_equal(f->specs, specs);
    if (changed || f->problem || !streq_null(f->specs->revision, specs->revision)) {
        const LogField revision = {entry_field_name(ENTRY_REVISION), specs->revision};
        log_problems(f->log, problems);
        event_log(f->log, EVENT_SPECS_LOADED, &revision, 1, "specs loaded: %zu documents from %s%s%s", specs->n, path,
                  specs->revision ? ", revision " : "", specs->revision ? specs->revision : "");
    }
    in_force_done(f);
    f->specs = specs;
    return changed;
}

static void refuse(SpecsInForce *f, const Error *error, const char *path, const Problems *problems)
{
    if (streq_null(f->problem, error->message))
        return;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const LogField revision = {entry_field_name(ENTRY_REVISION), path ? revision_find(arena, path) : NULL};
    log_problems(f->log, problems);
    event_log(f->log, EVENT_SPECS_REJECTED, &revision, 1, "specs rejected: %s; %s", error->message,
              f->specs ? "the last good set stays in force" : "nothing is enforced until they are mended");
    free(f->problem);
    f->problem = xstrdup(error->message);
}

bool in_force_load(SpecsInForce *f, const Config *config)
{
    usec_t now = clock_monotonic();
    if (f->read && now < f->read + LOAD_AGAIN)
        return false;
    f->read = now;
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(error_freep) Error *err = NULL;
    Specs *specs = read_specs(f, config, problems, &err);
    if (specs)
        return take(f, specs, in_force_path(f, config), problems);
    refuse(f, err, in_force_path(f, config), problems);
    return false;
}
