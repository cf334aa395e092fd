/*
 * metrics.prom: the daemon's last rounds in the text format of Prometheus, for node_exporter's textfile collector. Each
 * metric is one row here, with its help; names and labels are told in the README.
 */
#include "config.h"

#include "record/status-private.h"

#include <inttypes.h>

/* Adds the samples of one metric. */
typedef void (*samples_fn)(const Status *status, const StatusHead *head, const char *name, Str *out);

static void add_label(Str *out, const char *before, const char *label, const char *value)
{
    str_addf(out, "%s%s=\"", before, label);
    for (const char *p = value ? value : ""; *p; p++) {
        if (*p == '\\' || *p == '"')
            str_addc(out, '\\');
        if (*p == '\n')
            str_addc(out, ' ');
        else
            str_addc(out, *p);
    }
    str_addc(out, '"');
}

static void add_seconds(Str *out, usec_t time)
{
    str_addf(out, " %" PRIu64 ".%03" PRIu64 "\n", time / USEC_PER_SEC, time % USEC_PER_SEC / USEC_PER_MSEC);
}

static void of_account(Str *out, const char *name, const Told *t)
{
    str_add(out, name);
    add_label(out, "{", "account", t->name);
    str_addc(out, '}');
}

static void build_info(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)status;
    (void)head;
    str_addf(out, "%s{version=\"" PACKAGE_VERSION "\"} 1\n", name);
}

static void told_at(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)status;
    str_add(out, name);
    add_seconds(out, head->now);
}

static void interval(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)status;
    str_add(out, name);
    add_seconds(out, head->interval);
}

static void specs_valid(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)status;
    str_addf(out, "%s %d\n", name, !head->problem);
}

static void specs_in_force(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)status;
    str_addf(out, "%s %d\n", name, head->in_force);
}

static void config_valid(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)status;
    str_addf(out, "%s %d\n", name, !head->refusal);
}

static void account_ok(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)head;
    for (size_t i = 0; i < status->accounts.n; i++) {
        of_account(out, name, status->accounts.items[i]);
        str_addf(out, " %d\n", streq(status->accounts.items[i]->state, "ok"));
    }
}

/* An account that was never seen whole has been waited for since 1970. */
static void complete_look(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)head;
    for (size_t i = 0; i < status->accounts.n; i++) {
        of_account(out, name, status->accounts.items[i]);
        add_seconds(out, status->accounts.items[i]->complete_look);
    }
}

static void clock_difference(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)head;
    for (size_t i = 0; i < status->accounts.n; i++) {
        const Told *t = status->accounts.items[i];
        if (!t->has_difference)
            continue;
        of_account(out, name, t);
        str_addf(out, " %" PRId64 "\n", t->difference_usec / (int64_t)USEC_PER_SEC);
    }
}

static void objects(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)head;
    for (size_t i = 0; i < status->accounts.n; i++) {
        const Told *t = status->accounts.items[i];
        size_t n[STATE_MAX] = {0};
        for (size_t k = 0; k < t->entries.n; k++)
            n[t->entries.items[k]->state]++;
        for (ObjectState state = 0; state < STATE_MAX; state++) {
            str_add(out, name);
            add_label(out, "{", "account", t->name);
            add_label(out, ",", "state", object_state_name(state));
            str_addf(out, "} %zu\n", n[state]);
        }
    }
}

static void of_entry(Str *out, const char *name, const Told *t, const Entry *e)
{
    str_add(out, name);
    add_label(out, "{", "account", t->name);
    add_label(out, ",", "kind", e->kind);
    add_label(out, ",", "name", e->name);
    add_label(out, ",", "target", e->target);
}

static void object_state(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)head;
    for (size_t i = 0; i < status->accounts.n; i++)
        for (size_t k = 0; k < status->accounts.items[i]->entries.n; k++) {
            const Entry *e = status->accounts.items[i]->entries.items[k];
            of_entry(out, name, status->accounts.items[i], e);
            add_label(out, ",", "state", object_state_name(e->state));
            str_add(out, "} 1\n");
        }
}

static void suspension_end(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)head;
    for (size_t i = 0; i < status->accounts.n; i++)
        for (size_t k = 0; k < status->accounts.items[i]->entries.n; k++) {
            const Entry *e = status->accounts.items[i]->entries.items[k];
            if (!e->suspended_until)
                continue;
            of_entry(out, name, status->accounts.items[i], e);
            str_addc(out, '}');
            add_seconds(out, e->suspended_until);
        }
}

static void of_backups(Str *out, const char *name, const Told *t, const Backups *b, usec_t time)
{
    str_add(out, name);
    add_label(out, "{", "account", t->name);
    add_label(out, ",", "schedule", b->schedule);
    add_label(out, ",", "volume", b->volume);
    str_addc(out, '}');
    add_seconds(out, time);
}

static void last_good(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)head;
    for (size_t i = 0; i < status->accounts.n; i++)
        for (size_t k = 0; k < status->accounts.items[i]->backups.n; k++) {
            const Backups *b = &status->accounts.items[i]->backups.items[k];
            if (b->last_good)
                of_backups(out, name, status->accounts.items[i], b, b->last_good);
        }
}

static void expected_interval(const Status *status, const StatusHead *head, const char *name, Str *out)
{
    (void)head;
    for (size_t i = 0; i < status->accounts.n; i++)
        for (size_t k = 0; k < status->accounts.items[i]->backups.n; k++) {
            const Backups *b = &status->accounts.items[i]->backups.items[k];
            if (b->interval)
                of_backups(out, name, status->accounts.items[i], b, b->interval);
        }
}

static const struct {
    const char *name, *help;
    samples_fn samples;
} metrics[] = {
    {"imagekeeper_build_info", "The running daemon", build_info},
    {"imagekeeper_told_timestamp_seconds", "When the daemon told all this", told_at},
    {"imagekeeper_interval_seconds", "Time between full looks", interval},
    {"imagekeeper_specs_valid", "Are the specs on disk in force? 0: they are broken", specs_valid},
    {"imagekeeper_specs_in_force", "Are there specs in force at all? 0: nothing is enforced", specs_in_force},
    {"imagekeeper_config_valid", "Was the configuration taken by the last reload?", config_valid},
    {"imagekeeper_account_ok", "Does the account's credential work, and do its requests go out?", account_ok},
    {"imagekeeper_account_last_complete_look_timestamp_seconds", "When all that is declared was last seen",
     complete_look},
    {"imagekeeper_account_clock_difference_seconds", "The cloud's clock minus this machine's", clock_difference},
    {"imagekeeper_objects", "How many objects are in each state", objects},
    {"imagekeeper_object_state", "The state of each object; always 1", object_state},
    {"imagekeeper_suspension_end_timestamp_seconds", "When the suspension of an object ends", suspension_end},
    {"imagekeeper_backup_last_good_timestamp_seconds", "Slot of the newest good backup", last_good},
    {"imagekeeper_backup_expected_interval_seconds", "The longest time between the next slots", expected_interval},
};

void status_metrics(const Status *status, const StatusHead *head, Str *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
        str_addf(out, "# HELP %s %s\n# TYPE %s gauge\n", metrics[i].name, metrics[i].help, metrics[i].name);
        metrics[i].samples(status, head, metrics[i].name, out);
    }
}
