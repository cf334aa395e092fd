/* The daemon's main: options, then the keeper. */
#include "config.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "base/file.h"
#include "base/log.h"
#include "control/reload.h"
#include "desired/config.h"
#include "keeper/keeper.h"

static const char help[] =
    "Usage: imagekeeperd [--config FILE] [--specs PATH]\n"
    "       imagekeeperd --reload PID\n"
    "Keeps cloud images and backups as the specs say, in the foreground.\n"
    "\n"
    "  --config FILE  the configuration (default " CONFIG_FILE_DEFAULT ")\n"
    "  --specs PATH   the specs, instead of what the configuration says\n"
    "  --reload PID   tells the daemon PID to reload, and waits until it has (for ExecReload=)\n"
    "  --help         this text\n"
    "  --version      the version\n"
    "\n"
    "Signals: SIGHUP reloads, SIGUSR1 looks at once, SIGTERM finishes running writes and ends.\n";

/* Ends with 1 when the new configuration was refused; its words are for `systemctl status` and the journal. */
static int reload(const char *pid)
{
    CLEANUP(error_freep) Error *err = NULL;
    char *end = NULL;
    long number = strtol(pid, &end, 10);
    if (*end || number <= 0 || number > INT_MAX)
        fprintf(stderr, "imagekeeperd: \"%s\" is no process id\n", pid);
    else if (reload_ask((pid_t)number, &err) == 0)
        return 0;
    else
        fprintf(stderr, "imagekeeperd: %s\n", err->message);
    return 1;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"specs", required_argument, NULL, 's'},
        {"reload", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    KeeperOptions keeper = {.config_file = CONFIG_FILE_DEFAULT};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            keeper.config_file = optarg;
            break;
        case 's':
            keeper.specs = optarg;
            break;
        case 'r':
            return reload(optarg);
        case 'h':
            return fputs(help, stdout) < 0;
        case 'v':
            return puts("imagekeeperd " PACKAGE_VERSION) < 0;
        default:
            return 1;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "imagekeeperd: unexpected argument \"%s\"; see --help\n", argv[optind]);
        return 1;
    }
    file_occupy_standard_streams();
    prctl(PR_SET_DUMPABLE, 0); /* keys are in memory: no core dumps, no ptrace by others */
    signal(SIGPIPE, SIG_IGN);
    CLEANUP(log_done) Log log = log_open(LOG_TARGET_AUTO);
    return keeper_run(&keeper, &log) < 0 ? 1 : 0;
}
