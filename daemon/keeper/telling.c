#include "config.h"

#include "keeper/telling.h"

#include "base/file.h"
#include "base/str.h"
#include "control/notify.h"
#include "control/runtime.h"

/* A daemon without a folder to write to does without: everything else goes on. */
static void find_folder(Telling *t)
{
    CLEANUP(freep) char *folder = runtime_folder(NULL);
    CLEANUP(error_freep) Error *err = NULL;
    if (access(folder, F_OK) < 0)
        return;
    if (runtime_claim(folder, &t->claim, &err) == 0) {
        t->folder = TAKE(folder);
        return;
    }
    CLEANUP(freep) char *text = xasprintf("%s; `imagekeeper status` will not tell of this one", err->message);
    log_send(t->log, LOG_WARNING, text, NULL, 0);
}

void telling_begin(Telling *t, const Log *log)
{
    *t = (Telling){.log = log, .status = status_new(), .claim = -1};
    find_folder(t);
}

void telling_done(Telling *t)
{
    static const char *const files[] = {STATUS_FILE, METRICS_FILE};
    for (size_t i = 0; i < ARRAY_SIZE(files) && t->folder; i++) {
        CLEANUP(freep) char *path = xasprintf("%s/%s", t->folder, files[i]);
        unlink(path);
    }
    status_free(TAKE(t->status));
    free(TAKE(t->folder));
    free(TAKE(t->refusal));
    closep(&t->claim);
}

void telling_round(Telling *t, usec_t took, size_t requests)
{
    t->newest.round_took = took;
    t->newest.round_started = clock_wall() - took;
    t->newest.round_requests = requests;
}

static int put_file(const Telling *t, const char *name, const Str *text, Error **err)
{
    CLEANUP(freep) char *path = xasprintf("%s/%s", t->folder, name);
    return file_replace(path, 0644, str_get(text), text->len, err);
}

/* That it cannot be told is said once, and so is that it can be again. */
static void say_untold(Telling *t, const Error *error)
{
    if (error && !t->untold) {
        CLEANUP(freep)
        char *text = xasprintf("%s; make room in %s, or let it be written to: until then `imagekeeper status` and the "
                               "metrics tell what was, and all else goes on",
                               error->message, t->folder);
        log_send(t->log, LOG_WARNING, text, NULL, 0);
    } else if (!error && t->untold) {
        CLEANUP(freep) char *text = xasprintf("%s: the status is written again", t->folder);
        log_send(t->log, LOG_NOTICE, text, NULL, 0);
    }
    t->untold = error != NULL;
}

void telling_write(Telling *t, const Config *config, const SpecsInForce *specs)
{
    CLEANUP(str_done) Str json = {0}, metrics = {0};
    CLEANUP(error_freep) Error *err = NULL;
    StatusHead head = t->newest;
    head.now = clock_wall();
    head.interval = config->interval;
    head.revision = specs->specs ? specs->specs->revision : NULL;
    head.problem = specs->problem;
    head.in_force = specs->specs != NULL;
    head.refusal = t->refusal;
    head.observe = config->observe;
    if (!t->folder)
        return;
    status_json(t->status, &head, &json);
    status_metrics(t->status, &head, &metrics);
    if (put_file(t, STATUS_FILE, &json, &err) == 0)
        put_file(t, METRICS_FILE, &metrics, &err);
    say_untold(t, err);
}

char *telling_idle(const SpecsInForce *specs)
{
    if (specs->specs)
        return xstrdup("Specs are loaded, looking");
    return xasprintf("Nothing is enforced: %s", specs->problem ? specs->problem : "no specs yet");
}

void telling_notify(const Telling *t, const SpecsInForce *specs)
{
    CLEANUP(str_done) Str text = {0};
    CLEANUP(freep) char *idle = specs->specs ? NULL : telling_idle(specs);
    if (idle)
        str_add(&text, idle);
    else
        status_summary(t->status, &text);
    if (specs->specs && specs->problem)
        str_addf(&text, "; the last good specs are in force: %s", specs->problem);
    if (t->refusal)
        str_addf(&text, "; the configuration on disk was refused: %s", t->refusal);
    notify_status(str_get(&text));
}

void telling_reloaded(Telling *t, const char *refusal)
{
    free(t->refusal);
    t->refusal = xstrdup(refusal);
}
