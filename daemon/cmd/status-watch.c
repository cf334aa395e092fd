/* imagekeeper status --watch. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "cmd/status.h"
#include "control/runtime.h"
#include "control/watch.h"
#include "record/status-text.h"

#define CLEAR_SCREEN "\x1b[H\x1b[2J"
/* That a daemon is gone, or has told nothing for long, no file tells. */
#define DOUBT_AGAIN USEC_PER_SEC

typedef struct Viewer {
    const CommandOptions *options;
    sd_event *loop;
    Watch *watch;
    sd_event_source *timer;
    StatusFile shown; /* `top` NULL: there was nothing to show yet */
    char *trouble;    /* with what is shown, or why nothing is; NULL: there is none */
    bool unread;      /* the last time it could not be read */
    bool terminal;
} Viewer;

static void viewer_done(Viewer *v)
{
    watch_free(v->watch);
    sd_event_source_disable_unref(v->timer);
    status_file_done(&v->shown);
    free(v->trouble);
    sd_event_unref(v->loop);
}

static int judge(const Viewer *v)
{
    return v->trouble || !v->shown.top ? EXIT_ERROR : status_file_judge(&v->shown);
}

static void print(const Viewer *v, const Str *text)
{
    if (text->len && command_print(text) < 0)
        sd_event_exit(v->loop, EXIT_ERROR);
}

/* Nobody reads on, as after `| head`, which is no error. */
static int on_reader_gone(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)fd;
    (void)events;
    return sd_event_exit(sd_event_source_get_event(source), judge(userdata));
}

static void draw(const Viewer *v)
{
    struct winsize size = {0};
    CLEANUP(str_done) Str out = {0};
    bool sized = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0;
    size_t rows = !sized ? 23 : size.ws_row > 1 ? size.ws_row - 1U : 1, columns = sized ? size.ws_col : 80;
    str_add(&out, CLEAR_SCREEN);
    if (v->trouble) {
        str_addf(&out, "%s\n", v->trouble);
        rows -= 1 + strlen(v->trouble) / columns < rows ? 1 + strlen(v->trouble) / columns : rows - 1;
    }
    if (v->shown.top)
        status_show_screen(v->shown.top, v->options->failed, rows, columns, &out);
    print(v, &out);
}

/* Takes over `trouble`. */
static bool take_trouble(Viewer *v, char *trouble)
{
    bool same = streq_null(trouble, v->trouble);
    free(v->trouble);
    v->trouble = trouble;
    if (!same && trouble && !v->terminal)
        command_error("%s", trouble);
    return !same;
}

/* Takes over `next`. */
static void show(Viewer *v, StatusFile *next)
{
    CLEANUP(str_done) Str out = {0};
    if (v->options->json)
        str_addn(&out, next->text, next->size);
    else if (!v->terminal)
        status_show_changes(v->shown.top, next->top, v->options->failed, &out);
    status_file_done(&v->shown);
    v->shown = *next;
    *next = (StatusFile){0};
    print(v, &out);
}

/* Between the start of a daemon and the end of its first round there is nothing that a line could tell. */
static bool is_blank(const Viewer *v, const StatusFile *f)
{
    return !v->terminal && !v->options->json && !status_is_seen(f->top);
}

static void look(Viewer *v)
{
    CLEANUP(status_file_done) StatusFile next = {0};
    CLEANUP(error_freep) Error *err = NULL;
    bool changed = false;
    int r = status_file_read(v->options, &next, &err);
    v->unread = r < 0 || is_blank(v, &next);
    if (!v->unread && (!v->shown.text || !streq(v->shown.text, next.text))) {
        show(v, &next);
        changed = true;
    }
    changed |= take_trouble(v, r < 0 ? xstrdup(err->message) : v->unread ? NULL : status_file_doubt(&v->shown));
    if (v->terminal && changed)
        draw(v);
}

static void on_told(void *userdata)
{
    look(userdata);
}

static int on_time(sd_event_source *source, uint64_t now, void *userdata)
{
    Viewer *v = userdata;
    if (!v->watch || v->unread || !runtime_is_claimed(v->shown.folder))
        look(v); /* who ends takes the file away, which the watch has not told yet */
    else if (take_trouble(v, status_file_doubt(&v->shown)) && v->terminal)
        draw(v);
    sd_event_source_set_time(source, now + DOUBT_AGAIN);
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_resize(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    const Viewer *v = userdata;
    if (v->terminal)
        draw(v);
    return 0;
}

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)info;
    return sd_event_exit(sd_event_source_get_event(source), judge(userdata));
}

static int set_up(Viewer *v)
{
    int r = sd_event_default(&v->loop);
    const int mask = SD_EVENT_SIGNAL_PROCMASK;
    if (r < 0 || (r = sd_event_add_signal(v->loop, NULL, SIGINT | mask, on_end, v)) < 0 ||
        (r = sd_event_add_signal(v->loop, NULL, SIGTERM | mask, on_end, v)) < 0 ||
        (r = sd_event_add_signal(v->loop, NULL, SIGWINCH | mask, on_resize, v)) < 0)
        return r;
    return sd_event_add_time_relative(v->loop, &v->timer, CLOCK_MONOTONIC, DOUBT_AGAIN, 0, on_time, v);
}

int status_watch(const CommandOptions *options)
{
    CLEANUP(viewer_done) Viewer v = {.options = options, .terminal = !options->json && isatty(STDOUT_FILENO)};
    CLEANUP(freep) char *path = status_file_path(options);
    int r = set_up(&v), status;
    if (r < 0) {
        command_error("the event loop cannot be made: %s", strerror(-r));
        return EXIT_ERROR;
    }
    sd_event_add_io(v.loop, NULL, STDOUT_FILENO, 0, on_reader_gone, &v); /* a file has no reader, and cannot be added */
    watch_new(v.loop, path, on_told, &v, &v.watch, NULL);                /* without one it is looked at every second */
    look(&v);
    status = sd_event_loop(v.loop);
    return status < 0 ? EXIT_ERROR : status;
}
