/* imagekeeper validate: the specs and the configuration, without any network. */
#include "config.h"

#include "base/str.h"
#include "cmd/command.h"

static int run(const CommandOptions *options)
{
    CLEANUP(config_freep) Config *config = NULL;
    CLEANUP(specs_freep) Specs *specs = NULL;
    CLEANUP(str_done) Str text = {0};
    if (command_load(options, &config, &specs) < 0)
        return EXIT_ERROR;
    str_addf(&text, "%zu %s in %s and %zu %s in %s are valid\n", specs->n, specs->n == 1 ? "document" : "documents",
             command_specs_path(options, config), config->n_accounts, config->n_accounts == 1 ? "account" : "accounts",
             config->file);
    return command_print(&text) < 0 ? EXIT_ERROR : EXIT_IN_SYNC;
}

const Command command_validate = {
    .name = "validate",
    .summary = "check specs and configuration, no network",
    .help = "Reads the configuration and every spec, and shows every problem at once with its place.\n",
    .accepts = "cs",
    .run = run,
};
