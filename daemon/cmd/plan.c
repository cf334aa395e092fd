/* imagekeeper plan: what would change; nothing is written. */
#include "config.h"

#include "cmd/once.h"

static int run(const CommandOptions *options)
{
    return once_run(options, true, NULL);
}

const Command command_plan = {
    .name = "plan",
    .summary = "what would change; nothing is written",
    .help =
        "Reads the specs, looks at what is live, and shows each difference with the place in the spec that wants it.\n"
        "Exit status: 0 in sync, 1 an error, 2 differences exist.\n",
    .accepts = "csoi",
    .run = run,
};
