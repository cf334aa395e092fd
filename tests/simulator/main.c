/* oci-simulator: a stand-in for the images, volumes and backups of the OCI Core Services API, and on the same port for
 * the images and tokens of Huawei Cloud. Options and start-up. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "generate.h"
#include "json.h"
#include "server.h"

#define DEFAULT_KEY_ID                                                                                                 \
    "ocid1.tenancy.oc1..aaaaaaaaexampletenancy/ocid1.user.oc1..aaaaaaaaexampleuser/"                                   \
    "90:d2:64:b2:3a:be:26:49:80:18:89:9e:6e:39:b8:c8"

struct options {
    const char *directory, *public_key, *key_id, *compartment;
    long images;
    bool plain_http;
};

static const struct option long_options[] = {
    {"directory", required_argument, NULL, 'd'},
    {"public-key", required_argument, NULL, 'p'},
    {"key-id", required_argument, NULL, 'k'},
    {"images", required_argument, NULL, 'i'},
    {"compartment", required_argument, NULL, 'c'},
    {"http", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool parse_options(int argc, char **argv, struct options *options)
{
    int option;

    options->key_id = DEFAULT_KEY_ID;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'd':
            options->directory = optarg;
            break;
        case 'p':
            options->public_key = optarg;
            break;
        case 'k':
            options->key_id = optarg;
            break;
        case 'i':
            options->images = strtol(optarg, NULL, 10);
            break;
        case 'c':
            options->compartment = optarg;
            break;
        case 'h':
            options->plain_http = true;
            break;
        default:
            return false;
        }
    }
    return optind == argc && options->directory != NULL && options->public_key != NULL && options->images >= 0 &&
           (options->images == 0 || options->compartment != NULL);
}

/* Writes DIR/NAME by way of a temporary file. */
static bool write_file(const char *directory, const char *name, const char *text)
{
    char *path = xprintf("%s/%s", directory, name), *temporary = xprintf("%s/.%s.new", directory, name);
    FILE *file = fopen(temporary, "we");
    bool good = file != NULL && fputs(text, file) >= 0;

    if (file != NULL) {
        good = fclose(file) == 0 && good;
    }
    good = good && rename(temporary, path) == 0;
    if (!good) {
        fprintf(stderr, "oci-simulator: %s: %s\n", path, strerror(errno));
    }
    free(path);
    free(temporary);
    return good;
}

static bool write_ready(const struct options *options, unsigned api_port, unsigned control_port)
{
    char *text = xprintf("{\"endpoint\":\"%s://127.0.0.1:%u\",\"control\":\"http://127.0.0.1:%u\",\"pid\":%ld}\n",
                         options->plain_http ? "http" : "https", api_port, control_port, (long)getpid());
    bool good = write_file(options->directory, "ready", text);

    free(text);
    return good;
}

static bool prepare(struct simulator *simulator, const struct options *options)
{
    char *log = xprintf("%s/requests.jsonl", options->directory);
    bool opened = reqlog_open(&simulator->log, log);
    const char *clock_file = getenv("SIM_CLOCK_FILE");

    if (!opened) {
        fprintf(stderr, "oci-simulator: %s: %s\n", log, strerror(errno));
    }
    free(log);
    pthread_mutex_init(&simulator->lock, NULL);
    if (clock_file != NULL && !clock_use_file(clock_file)) {
        fprintf(stderr, "oci-simulator: %s: %s\n", clock_file, strerror(errno));
        return false;
    }
    simulator->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    simulator->verifier.key_id = xstrdup(options->key_id);
    if (!verify_load_key(&simulator->verifier, options->public_key)) {
        fprintf(stderr, "oci-simulator: %s: no RSA public key in PEM\n", options->public_key);
        return false;
    }
    return opened && simulator->stop_fd >= 0 && page_token_start();
}

static void fill(struct simulator *simulator, const struct options *options)
{
    cJSON *rule = cJSON_CreateObject();

    cJSON_AddNumberToObject(rule, "count", (double)options->images);
    if (options->compartment != NULL) {
        cJSON_AddStringToObject(rule, "compartmentId", options->compartment);
    }
    generate(simulator, rule);
    cJSON_Delete(rule);
}

static void wait_for_signal(const sigset_t *signals)
{
    int received;

    while (sigwait(signals, &received) != 0) {}
}

/* Serves until a signal comes. */
static bool run(struct simulator *simulator, const struct options *options, const struct tls *tls,
                const sigset_t *signals)
{
    struct MHD_Daemon *api = server_start(simulator, options->plain_http ? NULL : tls);
    struct MHD_Daemon *control = control_start(simulator);
    bool good = api != NULL && control != NULL;

    if (good) {
        pthread_mutex_lock(&simulator->lock);
        simulator->verifier.port = server_port(api);
        simulator->base = xprintf("%s://127.0.0.1:%u", options->plain_http ? "http" : "https", server_port(api));
        pthread_mutex_unlock(&simulator->lock);
        good = write_file(options->directory, "ca.pem", tls->authority) &&
               write_ready(options, server_port(api), server_port(control));
    } else {
        fprintf(stderr, "oci-simulator: cannot listen: %s\n", strerror(errno));
    }
    if (good) {
        wait_for_signal(signals);
    }
    eventfd_write(simulator->stop_fd, 1);
    if (api != NULL) {
        MHD_stop_daemon(api);
    }
    if (control != NULL) {
        MHD_stop_daemon(control);
    }
    return good;
}

int main(int argc, char **argv)
{
    static struct simulator simulator = {.log.fd = -1, .stop_fd = -1};
    struct options options = {0};
    struct tls tls = {0};
    sigset_t signals;
    pid_t parent = getppid();

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
        return EXIT_FAILURE;
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (!parse_options(argc, argv, &options)) {
        fprintf(stderr, "usage: oci-simulator --directory DIR --public-key FILE [--key-id KEYID] "
                        "[--images N --compartment OCID] [--http]\n");
        return 2;
    }
    bool good = prepare(&simulator, &options) && tls_make(&tls);
    if (good) {
        simulator_reset(&simulator);
        fill(&simulator, &options);
        good = run(&simulator, &options, &tls, &signals);
    }
    tls_free(&tls);
    simulator_free(&simulator);
    if (simulator.stop_fd >= 0) {
        close(simulator.stop_fd);
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
