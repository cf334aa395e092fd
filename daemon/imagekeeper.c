/* The command's main: one table of options, one of commands. */
#include "config.h"

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

static const Command *const commands[] = {&command_validate, &command_plan,     &command_apply,
                                          &command_status,   &command_calendar, &command_sync};

static const struct {
    int letter; /* in Command.accepts */
    const char *name, *value, *help;
} option_rows[] = {
    {'c', "config", "FILE", "the configuration (default " CONFIG_FILE_DEFAULT ")"},
    {'s', "specs", "PATH", "the specs, instead of what the configuration says"},
    {'o', "output", "text|json", "the form of the results (-o)"},
    {'i', "show-ignored", NULL, "also list each difference that was passed over, with the rule"},
    {'p', "plan", "FILE", "do exactly this saved plan"},
    {'n', "iterations", "N", "so many of the next slots (default 5)"},
    {'b', "base-time", "TIME", "as if it were that time (RFC 3339), instead of now"},
    {'f', "offline", NULL, "ask no cloud: the next slots alone"},
    {'F', "failed", NULL, "only what is not in sync (text)"},
    {'w', "watch", NULL, "show it anew whenever it is told anew"},
    {'I', "instance", "NAME", "of imagekeeperd@NAME"},
    {'h', "help", NULL, "this text"},
    {'v', "version", NULL, "the version"},
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
        str_add(&text, "Usage: imagekeeper COMMAND [options]\nKeeps cloud images as the specs say.\n\n");
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
            str_addf(&text, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
        str_addc(&text, '\n');
    }
    for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++)
        if (accepts(command, option_rows[i].letter))
            str_addf(&text, "  --%s%s%-*s %s\n", option_rows[i].name, option_rows[i].value ? " " : "",
                     (int)(22 - strlen(option_rows[i].name)), option_rows[i].value ? option_rows[i].value : "",
                     option_rows[i].help);
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

static int take_iterations(const char *text, CommandOptions *options)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n > ITERATIONS_MAX) {
        command_error("--iterations must be 0 to %d, not \"%s\"", ITERATIONS_MAX, text);
        return EXIT_ERROR;
    }
    options->iterations = (unsigned)n;
    return -1;
}

static int take_base_time(const char *text, CommandOptions *options)
{
    if (parse_rfc3339(text, &options->base_time) == 0 && options->base_time)
        return -1;
    command_error("--base-time must be a time such as 2026-12-01T00:00:00Z, not \"%s\"", text);
    return EXIT_ERROR;
}

/* -1: go on; else the exit status. */
static int take_option(const Command *command, int letter, CommandOptions *options)
{
    if (letter == '?')
        return EXIT_ERROR;
    if (letter == 'h')
        return print_help(command);
    if (letter == 'v')
        return print_version();
    if (letter == 'c')
        options->config_file = optarg;
    else if (letter == 's')
        options->specs = optarg;
    else if (letter == 'i')
        options->show_ignored = true;
    else if (letter == 'f')
        options->offline = true;
    else if (letter == 'F')
        options->failed = true;
    else if (letter == 'w')
        options->watch = true;
    else if (letter == 'I')
        options->instance = optarg;
    else if (letter == 'n')
        return take_iterations(optarg, options);
    else if (letter == 'b')
        return take_base_time(optarg, options);
    else if (letter == 'p')
        options->saved_plan = optarg;
    else if (letter == 'o' && (streq(optarg, "json") || streq(optarg, "text")))
        options->json = streq(optarg, "json");
    else if (letter == 'o') {
        command_error("--output must be text or json, not \"%s\"", optarg);
        return EXIT_ERROR;
    }
    return -1;
}

static int read_options(const Command *command, int argc, char **argv, CommandOptions *options)
{
    struct option table[ARRAY_SIZE(option_rows) + 1] = {0};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(option_rows); i++)
        if (accepts(command, option_rows[i].letter))
            table[n++] = (struct option){option_rows[i].name, option_rows[i].value ? required_argument : no_argument,
                                         NULL, option_rows[i].letter};
    const char *letters = accepts(command, 'o') ? "o:h" : "h";
    for (int c; (c = getopt_long(argc, argv, letters, table, NULL)) != -1;) {
        int status = take_option(command, c, options);
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
    char program[64];
    snprintf(program, sizeof(program), "imagekeeper %s", command->name);
    argv[1] = program; /* what getopt puts before its messages */
    int status = read_options(command, argc - 1, argv + 1, &options);
    return status >= 0 ? status : command->run(&options);
}
