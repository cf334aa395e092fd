/* imagekeeper history: what was done, from the journal. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>

#include "attr/kind.h"
#include "base/vec.h"
#include "cmd/command.h"
#include "plan/plan.h"
#include "record/reader.h"

#define LINES_FOLLOWED 10

typedef struct History {
    const CommandOptions *options;
    HistoryFilter filter;
    HistoryStyle style;
    Reader *reader;
    char *folder;
    size_t shown, left_out;
    size_t problems; /* that were told */
    int stop_fd;     /* of -f: SIGINT or SIGTERM has come; else -1 */
} History;

static void history_done(History *h)
{
    reader_free(h->reader);
    free(h->folder);
    if (h->stop_fd >= 0)
        close(h->stop_fd);
}

static int take_time(const char *option, const char *text, usec_t now, MomentChoice choice, usec_t *time)
{
    if (!text || parse_moment(text, now, choice, time) == 0)
        return 0;
    command_error("--%s must be a time such as " MOMENT_FORMS ", not \"%s\"", option, text);
    return -1;
}

/* Names with commas between them. */
static int take_events(const char *text, bool events[static EVENT_MAX])
{
    const char *names[EVENT_MAX + 1] = {0};
    for (Event event = 0; event < EVENT_MAX; event++)
        names[event] = event_name(event);
    CLEANUP(freep) char *copy = xstrdup(text);
    char *rest = copy;
    for (const char *name; (name = strsep(&rest, ","));) {
        Event event = event_by_name(name);
        const char *nearest = nearest_name(name, names);
        if (event == EVENT_MAX && nearest)
            command_error("there is no event \"%s\"; did you mean \"%s\"?", name, nearest);
        else if (event == EVENT_MAX)
            command_error("there is no event \"%s\"; --event list tells what there is", name);
        if (event == EVENT_MAX)
            return -1;
        events[event] = true;
    }
    return 0;
}

/* A value without wildcards that is no kind or action at all is a slip; another version's names are found with them. */
static int check_name(const char *option, const char *text, const char *const *names)
{
    if (!text || strpbrk(text, "*?"))
        return 0;
    CLEANUP(str_done) Str all = {0};
    for (size_t i = 0; names[i]; i++) {
        if (streq(names[i], text))
            return 0;
        str_addf(&all, "%s%s", i ? ", " : "", names[i]);
    }
    const char *nearest = nearest_name(text, names);
    if (nearest)
        command_error("there is no %s \"%s\"; did you mean \"%s\"?", option, text, nearest);
    else
        command_error("there is no %s \"%s\", only %s", option, text, str_get(&all));
    return -1;
}

static int check_names(const CommandOptions *o)
{
    VEC(const char *) names = {0};
    const char *actions[ACTION_MAX + 1] = {0};
    for (Action action = 0; action < ACTION_MAX; action++)
        actions[action] = action_name(action);
    for (const Kind *const *kind = kinds; *kind; kind++)
        *VEC_ADD(&names) = (*kind)->name;
    *VEC_ADD(&names) = NULL;
    int r = check_name("kind", o->kind, names.items);
    VEC_DONE(&names);
    return r < 0 ? -1 : check_name("action", o->action, actions);
}

static int list_events(void)
{
    CLEANUP(str_done) Str text = {0};
    for (Event event = 0; event < EVENT_MAX; event++)
        str_addf(&text, "%s%s\n", event_name(event), event_is_change(event) ? "" : "  (with --all)");
    return command_print(&text) < 0 ? EXIT_ERROR : EXIT_IN_SYNC;
}

static char *own_folder(void)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
    const char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
    return slash ? xstrndup(path, (size_t)(slash - path) + 1) : NULL;
}

static int check_options(const CommandOptions *o)
{
    if (o->follow && (o->reverse || o->until)) {
        command_error("--follow goes with neither --reverse nor --until");
        return -1;
    }
    if (o->all && o->event) {
        command_error("--all and --event cannot both be said");
        return -1;
    }
    return 0;
}

static int set_filter(History *h)
{
    const CommandOptions *o = h->options;
    HistoryFilter *f = &h->filter;
    usec_t now = clock_wall();
    *f = (HistoryFilter){.until = UINT64_MAX, .instance = o->instance, .folder = h->folder = own_folder()};
    f->globs[ENTRY_NAME] = o->name;
    f->globs[ENTRY_KIND] = o->kind;
    f->globs[ENTRY_ACTION] = o->action;
    f->globs[ENTRY_ACCOUNT] = o->account;
    f->globs[ENTRY_TARGET] = o->target;
    for (Event event = 0; event < EVENT_MAX; event++)
        f->events[event] = o->all || (!o->event && event_is_change(event));
    if (check_options(o) < 0 || check_names(o) < 0 || take_time("since", o->since, now, MOMENT_FIRST, &f->since) < 0 ||
        take_time("until", o->until, now, MOMENT_LAST, &f->until) < 0 ||
        (o->event && take_events(o->event, f->events) < 0))
        return -1;
    if (f->since <= f->until)
        return 0;
    command_error("--since is later than --until");
    return -1;
}

/* Whether it is to be shown; those that are not are counted. */
static bool is_believed(History *h, const HistoryRecord *record)
{
    if (h->options->any_writer || history_is_ours(&h->filter, record))
        return true;
    h->left_out++;
    return false;
}

/* With `flush` all of it is on its way. 0; 1 when nobody reads on, as after `| head`, which is no error; -1. */
static int output(const char *text, bool flush)
{
    errno = 0;
    if (fputs(text, stdout) != EOF && (!flush || fflush(stdout) == 0))
        return 0;
    return errno == EPIPE ? 1 : command_unwritten();
}

static int print(History *h, const HistoryRecord *record)
{
    CLEANUP(str_done) Str text = {0};
    history_format(&h->filter, record, &h->style, &text);
    h->shown++;
    return output(str_get(&text), h->options->follow);
}

/* The last ones of a walk, in a ring. */
typedef struct Tail {
    HistoryRecord **records;
    size_t n, size;
} Tail;

static void tail_done(Tail *t)
{
    for (size_t i = 0; i < t->size; i++)
        history_record_free(t->records[i]);
    free(t->records);
}

static void tail_add(Tail *t, HistoryRecord *record)
{
    size_t at = t->size ? t->n++ % t->size : 0;
    history_record_free(t->size ? t->records[at] : record);
    if (t->size)
        t->records[at] = record;
}

static int tail_print(const Tail *t, History *h)
{
    int r = 0;
    for (size_t i = t->n > t->size ? t->n - t->size : 0; i < t->n && r == 0; i++)
        r = print(h, t->records[i % t->size]);
    return r;
}

/* What there is, to its end. With `tail` it is not printed but kept there. 0, 1 when it is to end, or -1. */
static int walk(History *h, Tail *tail)
{
    const CommandOptions *o = h->options;
    CLEANUP(error_freep) Error *err = NULL;
    int r = 0;
    while (r == 0 && !(o->reverse && o->has_lines && h->shown >= o->lines)) {
        CLEANUP(history_record_freep) HistoryRecord *record = NULL;
        int found = reader_next(h->reader, &record, &err);
        if (found < 0)
            command_error("%s", err->message);
        if (found <= 0)
            return found < 0 ? -1 : reader_is_stopped(h->reader);
        if (!is_believed(h, record))
            continue;
        if (tail)
            tail_add(tail, TAKE(record));
        else
            r = print(h, record);
    }
    return r;
}

static int walk_to_tail(History *h, size_t lines)
{
    CLEANUP(tail_done) Tail tail = {.records = xcalloc(lines + 1, sizeof(*tail.records)), .size = lines};
    int r = walk(h, &tail);
    return r ? r : tail_print(&tail, h);
}

static int follow(History *h)
{
    CLEANUP(error_freep) Error *err = NULL;
    int r = 1;
    while ((r = reader_wait(h->reader, &err)) > 0) {
        int walked = walk(h, NULL);
        if (walked)
            return walked;
    }
    if (r < 0)
        command_error("%s", err->message);
    return r;
}

static int show(History *h)
{
    const CommandOptions *o = h->options;
    bool is_short = o->has_lines || (o->follow && !o->since);
    int r = is_short && !o->reverse ? walk_to_tail(h, o->has_lines ? o->lines : LINES_FOLLOWED) : walk(h, NULL);
    if (r == 0 && o->follow)
        r = follow(h);
    return r ? r : output("", true);
}

/* With -f those signals end it in good order. */
static int prepare_following(History *h)
{
    CLEANUP(error_freep) Error *err = NULL;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    h->stop_fd = sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -1 : signalfd(-1, &set, SFD_CLOEXEC);
    if (h->stop_fd < 0) {
        command_error("signals cannot be watched: %s", strerror(errno));
        return -1;
    }
    if (reader_watch(h->reader, h->stop_fd, &err) == 0)
        return 0;
    command_error("%s", err->message);
    return -1;
}

static const char *plural(size_t n)
{
    return n == 1 ? "y" : "ies";
}

static void tell_problems(History *h)
{
    for (const char *problem; (problem = reader_problem(h->reader, h->problems)); h->problems++)
        command_error("%s", problem);
}

/* What the results alone do not tell. */
static int judge(History *h)
{
    tell_problems(h);
    size_t broken = reader_broken(h->reader);
    if (h->left_out)
        fprintf(stderr,
                "imagekeeper: %zu entr%s left out, because another program wrote %s, or one that had ended before the "
                "journal could see which; --any-writer shows %s\n",
                h->left_out, h->left_out == 1 ? "y was" : "ies were", h->left_out == 1 ? "it" : "them",
                h->left_out == 1 ? "it" : "them");
    else if (!h->shown && !h->style.json && !h->options->follow)
        fputs("imagekeeper: the journal has no such entry\n", stderr);
    if (broken)
        command_error("%zu entr%s of the journal could not be read; journalctl --verify tells more", broken,
                      plural(broken));
    return broken || h->problems ? EXIT_ERROR : EXIT_IN_SYNC;
}

static int run(const CommandOptions *options)
{
    CLEANUP(history_done) History h = {.options = options, .stop_fd = -1};
    CLEANUP(error_freep) Error *err = NULL;
    h.style = (HistoryStyle){.json = options->json, .colour = command_wants_colour(STDOUT_FILENO)};
    if (options->event && streq(options->event, "list"))
        return list_events();
    if (set_filter(&h) < 0)
        return EXIT_ERROR;
    if (reader_open(options->directory, &h.filter, options->reverse, &h.reader, &err) < 0) {
        command_error("%s", err->message);
        return EXIT_ERROR;
    }
    tell_problems(&h);
    if ((options->follow && prepare_following(&h) < 0) || show(&h) < 0)
        return EXIT_ERROR;
    return judge(&h);
}

const Command command_history = {
    .name = "history",
    .summary = "what was done, from the journal",
    .help = "Shows what imagekeeperd and `imagekeeper apply` did, or tried to do, as the journal has it, oldest first: "
            "when,\n"
            "to which object of which document, what each attribute was and became, why, under which revision of the "
            "specs\n"
            "and which request id, and who did it. With NAME that of the documents of this name alone; NAME and the "
            "values\n"
            "of --kind, --action, --account and --target may have `*` and `?` in them.\n"
            "Times are " MOMENT_FORMS ".\n"
            "\n"
            "Anybody may write to the journal, under any name. Shown is what came from imagekeeperd.service or\n"
            "imagekeeper-sync.service, from an instance of one (imagekeeperd@NAME.service), or from a program "
            "imagekeeper or\n"
            "imagekeeperd in /usr/bin, /usr/sbin, /usr/local/bin or /usr/local/sbin, or where this one is, by what the "
            "journal\n"
            "itself notes about each writer. Those units and root vouch for what they wrote. Any other user may run "
            "such a\n"
            "program with clouds of his own, and may make it write what he wants: who he is, is shown, as not verified "
            "(in JSON\n"
            "\"verified\": false). --any-writer shows the rest too, as NOT VERIFIED.\n"
            "A journal taken from elsewhere is as good as the way that it came.\n"
            "\n"
            "It takes the right to read the journal: root's, or that of the group systemd-journal.\n"
            "Exit status: 0, also when nothing was found; 1 when something could not be read.\n",
    .argument = "NAME",
    .accepts = "coSUkaAteEWlrLdI",
    .run = run,
};
