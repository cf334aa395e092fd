/* The commands of `imagekeeper`: one row each, and what they share. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "desired/config.h"
#include "desired/load.h"

/* What was typed, read by one table of options. */
typedef struct CommandOptions {
    const char *config_file;
    const char *specs;
    bool json;
    bool show_ignored;
    const char *saved_plan; /* --plan, or NULL */
    const char *name;       /* the one argument, or NULL */
    unsigned iterations;    /* --iterations */
    usec_t base_time;       /* --base-time, wall; 0: now */
    bool offline;
    bool failed;          /* --failed */
    bool watch;           /* --watch */
    const char *instance; /* --instance, or NULL */
    /* Of history; NULL: not said. */
    const char *since, *until, *kind, *action, *account, *target, *event, *directory;
    bool all, any_writer, reverse, follow;
    bool has_lines; /* --lines */
    unsigned lines;
} CommandOptions;

/* Exit status, everywhere. */
enum {
    EXIT_IN_SYNC = 0,
    EXIT_ERROR = 1,
    EXIT_DIFFERENCES = 2,
};

typedef struct Command {
    const char *name;
    const char *summary; /* one line */
    const char *help;
    const char *argument; /* what its one argument is called; NULL: it takes none */
    const char *accepts;  /* the letters of its options in the table of imagekeeper.c */
    int (*run)(const CommandOptions *options);
} Command;

extern const Command command_validate, command_plan, command_apply, command_calendar, command_status, command_history,
    command_sync;

/* Loads the configuration and, with `ret_specs`, the specs it (or --specs) points to; prints every problem to stderr. 0
 * or -1. */
int command_load(const CommandOptions *options, Config **ret_config, Specs **ret_specs);
/* "where the specs are", for messages. */
const char *command_specs_path(const CommandOptions *options, const Config *config);

/* One error line to stderr. */
void command_error(const char *format, ...) PRINTF(1, 2);
/* Results to stdout, whole or with an error message (a full disk, a closed pipe). 0 or -1. */
int command_print(const Str *text);
/* Says that results could not be written, and why, which errno knows. -1. */
int command_unwritten(void);
bool command_wants_colour(int fd);
