#include "config.h"

#include "cmd/command.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/str.h"

void command_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *text = xvasprintf(format, args);
    va_end(args);
    fprintf(stderr, "imagekeeper: error: %s\n", text);
}

bool command_wants_colour(int fd)
{
    return log_wants_colour(fd);
}

int command_unwritten(void)
{
    command_error("the results could not be written to standard output: %s", strerror(errno));
    return -1;
}

int command_print(const Str *text)
{
    errno = 0;
    if (fwrite(str_get(text), 1, text->len, stdout) == text->len && fflush(stdout) == 0)
        return 0;
    return command_unwritten();
}

const char *command_specs_path(const CommandOptions *options, const Config *config)
{
    return options->specs ? options->specs : config->specs;
}

static int load(const CommandOptions *options, Problems *problems, Config **ret_config, Specs **ret_specs, Error **err)
{
    CLEANUP(config_freep) Config *config = NULL;
    if (config_load(options->config_file, problems, &config, err) < 0)
        return -1;
    const char *path = command_specs_path(options, config);
    if (!path && ret_specs)
        return error_set(err, ERROR_SPEC, "%s does not say where the specs are: set `specs`, or give --specs",
                         config->file);
    if (ret_specs && specs_load(path, config, problems, ret_specs, err) < 0)
        return -1;
    *ret_config = TAKE(config);
    return 0;
}

int command_load(const CommandOptions *options, Config **ret_config, Specs **ret_specs)
{
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(error_freep) Error *err = NULL;
    CLEANUP(str_done) Str text = {0};
    int r = load(options, problems, ret_config, ret_specs, &err);
    problems_format(problems, command_wants_colour(STDERR_FILENO), &text);
    fputs(str_get(&text), stderr);
    if (r < 0 && (problems_errors(problems) == 0 || err->kind != ERROR_SPEC))
        command_error("%s", err->message);
    if (r < 0 && problems_errors(problems) > 0)
        command_error("%zu %s found, nothing was done", problems_errors(problems),
                      problems_errors(problems) == 1 ? "problem was" : "problems were");
    return r;
}
