/* The command's main: one table of options, one of commands. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/file.h"
#include "base/str.h"
#include "cmd/command.h"
#include "sync/helper.h"

#define ITERATIONS_MAX 1000
#define LINES_MAX 1000000

static const Command *const commands[] = {&command_validate, &command_plan,     &command_apply, &command_status,
                                          &command_history,  &command_calendar, &command_sync};

/* What is done with an option: its text or a flag is put into a member of CommandOptions, or more than that. */
typedef enum OptionUse {
    OPTION_TEXT,
    OPTION_FLAG,
    OPTION_OUTPUT,
    OPTION_ITERATIONS,
    OPTION_BASE_TIME,
    OPTION_LINES,
    OPTION_HELP,
    OPTION_VERSION,
} OptionUse;

#define TEXT(member) OPTION_TEXT, offsetof(CommandOptions, member)
#define FLAG(member) OPTION_FLAG, offsetof(CommandOptions, member)

typedef struct OptionRow {
    int letter; /* in Command.accepts */
    int brief;  /* -x; 0: there is none */
    const char *name, *value, *help;
    OptionUse use;
    size_t offset;
} OptionRow;

static const OptionRow option_rows[] = {
    {'c', 0, "config", "FILE", "the configuration (default " CONFIG_FILE_DEFAULT ")", TEXT(config_file)},
    {'s', 0, "specs", "PATH", "the specs, instead of what the configuration says", TEXT(specs)},
    {'o', 'o', "output", "text|json", "the form of the results (-o)", OPTION_OUTPUT, 0},
    {'i', 0, "show-ignored", NULL, "also list each difference that was passed over, with the rule", FLAG(show_ignored)},
    {'p', 0, "plan", "FILE", "do exactly this saved plan", TEXT(saved_plan)},
    {'n', 0, "iterations", "N", "so many of the next slots (default 5)", OPTION_ITERATIONS, 0},
    {'b', 0, "base-time", "TIME", "as if it were that time (RFC 3339), instead of now", OPTION_BASE_TIME, 0},
    {'f', 0, "offline", NULL, "ask no cloud: the next slots alone", FLAG(offline)},
    {'F', 0, "failed", NULL, "only what is not in sync (text)", FLAG(failed)},
    {'w', 0, "watch", NULL, "show it anew whenever it is told anew", FLAG(watch)},
    {'S', 'S', "since", "TIME", "only from then on (-S)", TEXT(since)},
    {'U', 'U', "until", "TIME", "only up to then (-U)", TEXT(until)},
    {'k', 0, "kind", "KIND", "only of this kind", TEXT(kind)},
    {'a', 0, "action", "ACTION", "only update, create or delete", TEXT(action)},
    {'A', 0, "account", "NAME", "only in this account", TEXT(account)},
    {'t', 0, "target", "ID", "only of this object", TEXT(target)},
    {'e', 0, "event", "NAMES", "only these events, with commas between them; \"list\" tells what there is",
     TEXT(event)},
    {'E', 0, "all", NULL, "also starts, reloads, loaded specs and what else is no change", FLAG(all)},
    {'W', 0, "any-writer", NULL, "also what other programs wrote under our name", FLAG(any_writer)},
    {'l', 'n', "lines", "N", "only the last N (-n)", OPTION_LINES, 0},
    {'r', 'r', "reverse", NULL, "the newest first (-r)", FLAG(reverse)},
    {'L', 'f', "follow", NULL, "the last 10 (or those of --since), then each new one as it comes (-f)", FLAG(follow)},
    {'d', 'D', "directory", "DIR", "the journal files there, instead of this machine's journal (-D)", TEXT(directory)},
    {'I', 0, "instance", "NAME", "of imagekeeperd@NAME", TEXT(instance)},
    {'h', 'h', "help", NULL, "this text", OPTION_HELP, 0},
    {'v', 0, "version", NULL, "the version", OPTION_VERSION, 0},
};

static bool accepts(const Command *command, int letter)
{
    return letter == 'h' || letter == 'v' || (command && strchr(command->accepts, letter));
}

static int print_help(const Command *command)
{
    CLEANUP(str_done) Str text = {0};
    if (command) {
        str_addf(&text, "Usage: imagekeeper %s [options]%s%s%s\n\n%s\n", command->name, command->argument ? " [" : "",
                 command->argument ? command->argument : "", command->argument ? "]" : "", command->help);
    } else {
        str_add(&text, "Usage: imagekeeper COMMAND [options]\nKeeps cloud images and backups as the specs say.\n\n");
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
            str_addf(&text, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
        str_addc(&text, '\n');
    }
    for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++)
        if (accepts(command, option_rows[i].letter))
            str_addf(&text, "  --%s %-*s %s\n", option_rows[i].name, (int)(22 - strlen(option_rows[i].name)),
                     option_rows[i].value ? option_rows[i].value : "", option_rows[i].help);
    return command_print(&text) < 0 ? EXIT_ERROR : 0;
}

static int print_version(void)
{
    CLEANUP(str_done) Str text = {0};
    str_add(&text, "imagekeeper " PACKAGE_VERSION "\n");
    return command_print(&text) < 0 ? EXIT_ERROR : 0;
}

static const Command *find_command(const char *name)
{
    const char *names[ARRAY_SIZE(commands) + 1] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (streq(commands[i]->name, name))
            return commands[i];
        names[i] = commands[i]->name;
    }
    const char *nearest = nearest_name(name, names);
    if (nearest)
        command_error("unknown command \"%s\"; did you mean \"%s\"?", name, nearest);
    else
        command_error("unknown command \"%s\"; imagekeeper --help lists them", name);
    return NULL;
}

static int take_number(const OptionRow *row, const char *text, unsigned max, unsigned *number)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || n > max) {
        command_error("--%s must be 0 to %u, not \"%s\"", row->name, max, text);
        return EXIT_ERROR;
    }
    *number = (unsigned)n;
    return -1;
}

static int take_base_time(const char *text, CommandOptions *options)
{
    if (parse_rfc3339(text, &options->base_time) == 0 && options->base_time)
        return -1;
    command_error("--base-time must be a time such as 2026-12-01T00:00:00Z, not \"%s\"", text);
    return EXIT_ERROR;
}

static int take_output(const char *text, CommandOptions *options)
{
    options->json = streq(text, "json");
    if (options->json || streq(text, "text"))
        return -1;
    command_error("--output must be text or json, not \"%s\"", text);
    return EXIT_ERROR;
}

/* -1: go on; else the exit status. */
static int take_option(const Command *command, const OptionRow *row, CommandOptions *options)
{
    char *member = (char *)options + row->offset;
    switch (row->use) { /* no default: a use that is forgotten here does not compile */
    case OPTION_TEXT:
        *(const char **)(void *)member = optarg;
        return -1;
    case OPTION_FLAG:
        *(bool *)(void *)member = true;
        return -1;
    case OPTION_OUTPUT:
        return take_output(optarg, options);
    case OPTION_ITERATIONS:
        return take_number(row, optarg, ITERATIONS_MAX, &options->iterations);
    case OPTION_BASE_TIME:
        return take_base_time(optarg, options);
    case OPTION_LINES:
        options->has_lines = true;
        return take_number(row, optarg, LINES_MAX, &options->lines);
    case OPTION_HELP:
        return print_help(command);
    case OPTION_VERSION:
        return print_version();
    }
    abort();
}

#define LONG_OPTION 256 /* what getopt gives for a row, beyond all letters */

static const OptionRow *find_row(const Command *command, int c)
{
    if (c >= LONG_OPTION)
        return &option_rows[c - LONG_OPTION];
    for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++)
        if (option_rows[i].brief == c && accepts(command, option_rows[i].letter))
            return &option_rows[i];
    return NULL;
}

/* The names that a command's long options have, and how many of them begin with `word`, which are listed. */
static size_t find_names(const Command *command, const char *word, const char **names, Str *alike)
{
    size_t n = 0, n_alike = 0;
    for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++) {
        if (!accepts(command, option_rows[i].letter))
            continue;
        names[n++] = option_rows[i].name;
        if (starts_with(option_rows[i].name, word))
            str_addf(alike, "%s--%s", n_alike++ ? ", " : "", option_rows[i].name);
    }
    names[n] = NULL;
    return n_alike;
}

/* "--watc=x" */
static void complain_of_word(const Command *command, const char *word)
{
    const char *names[ARRAY_SIZE(option_rows) + 1];
    CLEANUP(str_done) Str alike = {0};
    CLEANUP(freep) char *name = xstrndup(word + 2, strcspn(word + 2, "="));
    if (find_names(command, name, names, &alike) > 1) {
        command_error("the option \"--%s\" may be %s; see imagekeeper %s --help", name, str_get(&alike), command->name);
        return;
    }
    const char *nearest = nearest_name(name, names);
    if (nearest)
        command_error("unknown option \"--%s\"; did you mean \"--%s\"? See imagekeeper %s --help", name, nearest,
                      command->name);
    else
        command_error("unknown option \"--%s\"; see imagekeeper %s --help", name, command->name);
}

/* What getopt did not take; `word` is where it met that. */
static void complain(const Command *command, int c, const char *word)
{
    const OptionRow *row = optopt ? find_row(command, optopt) : NULL;
    if (row && c == ':')
        command_error("--%s needs a value, %s; see imagekeeper %s --help", row->name, row->value, command->name);
    else if (row)
        command_error("--%s takes no value; see imagekeeper %s --help", row->name, command->name);
    else if (optopt)
        command_error("unknown option \"-%c\"; see imagekeeper %s --help", optopt, command->name);
    else
        complain_of_word(command, word);
}

static int read_options(const Command *command, int argc, char **argv, CommandOptions *options)
{
    struct option table[ARRAY_SIZE(option_rows) + 1] = {0};
    CLEANUP(str_done) Str letters = {0};
    size_t n = 0;
    str_addc(&letters, ':'); /* what lacks a value is told apart */
    opterr = 0;
    for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++) {
        const OptionRow *row = &option_rows[i];
        if (!accepts(command, row->letter))
            continue;
        table[n++] =
            (struct option){row->name, row->value ? required_argument : no_argument, NULL, LONG_OPTION + (int)i};
        if (row->brief)
            str_addf(&letters, "%c%s", row->brief, row->value ? ":" : "");
    }
    for (int c; (c = getopt_long(argc, argv, str_get(&letters), table, NULL)) != -1;) {
        const OptionRow *row = find_row(command, c);
        if (!row)
            complain(command, c, argv[optind - 1]);
        int status = row ? take_option(command, row, options) : EXIT_ERROR;
        if (status >= 0)
            return status;
    }
    if (optind < argc && command->argument)
        options->name = argv[optind++];
    if (optind < argc) {
        command_error("unexpected argument \"%s\"; see imagekeeper %s --help", argv[optind], command->name);
        return EXIT_ERROR;
    }
    return -1;
}

int main(int argc, char **argv)
{
    file_occupy_standard_streams();
    prctl(PR_SET_DUMPABLE, 0); /* keys are in memory: no core dumps, no ptrace by others */
    int helper = helper_main(argc, argv);
    if (helper >= 0)
        return helper;
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        command_error("which command? see imagekeeper --help");
        return EXIT_ERROR;
    }
    if (streq(argv[1], "--help") || streq(argv[1], "-h") || streq(argv[1], "help"))
        return print_help(NULL);
    if (streq(argv[1], "--version"))
        return print_version();
    const Command *command = find_command(argv[1]);
    if (!command)
        return EXIT_ERROR;
    CommandOptions options = {.config_file = CONFIG_FILE_DEFAULT, .iterations = 5};
    int status = read_options(command, argc - 1, argv + 1, &options);
    return status >= 0 ? status : command->run(&options);
}
