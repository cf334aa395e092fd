/*
 * What the benchmark compares with: the libraries at their barest, and a stopwatch.
 *
 * - floor sign KEY-FILE KEY-ID ENDPOINT CA-FILE OUTPUT TARGET...: prints a configuration for curl, signed now
 * - floor json FILE...: cJSON_Parse and cJSON_Delete of each
 * - floor yaml FILE...: yaml_parser_parse over each, event by event
 * - floor measure RESULT-FILE COMMAND [ARGUMENT]...: runs it; its exit status is the command's
 *
 * All but `sign` tell {"wall", "cpu"} in seconds; `measure` also {"rss"} in KiB, into RESULT-FILE.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <yaml.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "sign/oci-sign.h"

#define FILE_SIZE_MAX ((size_t)64 * 1024 * 1024)
#define FILES_MAX 1000

typedef struct Text {
    char *bytes;
    size_t size;
} Text;

static _Noreturn void die(const char *what, const Error *error)
{
    fprintf(stderr, "floor: %s: %s\n", what, error ? error->message : strerror(errno));
    exit(125);
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double cpu_seconds(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/* --- sign --- */

static void print_signed(const PrivateKey *key, const char *key_id, const char *endpoint, const char *ca_file,
                         const char *output, const char *target)
{
    CLEANUP(error_freep) Error *error = NULL;
    CLEANUP(freep) char *authorization = NULL;
    char date[HTTP_DATE_SIZE];
    OciRequest request = {
        .method = "GET",
        .target = target,
        .host = strstr(endpoint, "://") + 3,
        .date = format_http_date(clock_wall(), date),
    };
    if (oci_authorization(&request, key_id, key, &authorization, &error) < 0)
        die("sign", error);
    printf("silent\nfail\ncacert = \"%s\"\nurl = \"%s%s\"\noutput = \"%s\"\n", ca_file, endpoint, target, output);
    printf("header = \"date: %s\"\nheader = \"accept: application/json\"\nheader = \"authorization: ", date);
    for (const char *p = authorization; *p; p++)
        printf(*p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    printf("\"\n");
}

static int run_sign(int n, char **words)
{
    CLEANUP(error_freep) Error *error = NULL;
    CLEANUP(private_key_freep) PrivateKey *key = NULL;
    CLEANUP(freep) char *pem = NULL;
    size_t size;
    if (n < 6 || !strstr(words[2], "://"))
        return 125;
    if (file_read(words[0], FILE_SIZE_MAX, &pem, &size, &error) < 0 ||
        private_key_parse(pem, size, NULL, words[0], &key, &error) < 0)
        die("sign", error);
    for (int i = 5; i < n; i++) {
        printf("%s", i > 5 ? "next\n" : "");
        print_signed(key, words[1], words[2], words[3], words[4], words[i]);
    }
    return 0;
}

/* --- json, yaml --- */

static void parse_json(const char *name, const Text *text)
{
    cJSON *root = cJSON_ParseWithLength(text->bytes, text->size);
    if (!root)
        die(name, NULL);
    cJSON_Delete(root);
}

static void parse_yaml(const char *name, const Text *text)
{
    yaml_parser_t parser;
    bool ended = false;
    if (!yaml_parser_initialize(&parser))
        die(name, NULL);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text->bytes, text->size);
    while (!ended) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event))
            die(name, NULL);
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
}

/* The files are read beforehand: what is timed is the library alone. */
static int run_parser(void (*parse)(const char *name, const Text *text), int n, char **files)
{
    static Text texts[FILES_MAX];
    if (n > FILES_MAX)
        return 125;
    for (int i = 0; i < n; i++) {
        CLEANUP(error_freep) Error *error = NULL;
        if (file_read(files[i], FILE_SIZE_MAX, &texts[i].bytes, &texts[i].size, &error) < 0)
            die(files[i], error);
    }
    usec_t wall = clock_monotonic();
    double cpu = cpu_seconds(RUSAGE_SELF);
    for (int i = 0; i < n; i++)
        parse(files[i], &texts[i]);
    cpu = cpu_seconds(RUSAGE_SELF) - cpu;
    wall = clock_monotonic() - wall;
    printf("{\"wall\": %.6f, \"cpu\": %.6f}\n", (double)wall / USEC_PER_SEC, cpu);
    for (int i = 0; i < n; i++)
        free(texts[i].bytes);
    return 0;
}

/* --- measure --- */

/* From here and not from the script, because Linux counts what a process was before exec into its peak. */
static int run_measure(int n, char **words)
{
    if (n < 2)
        return 125;
    FILE *result = fopen(words[0], "we");
    if (!result)
        die(words[0], NULL);
    usec_t begin = clock_monotonic();
    pid_t child = fork();
    if (child == 0) {
        execvp(words[1], words + 1);
        die(words[1], NULL);
    }
    struct rusage usage;
    int status;
    if (child < 0 || wait4(child, &status, 0, &usage) < 0)
        die(words[1], NULL);
    usec_t wall = clock_monotonic() - begin;
    fprintf(result, "{\"wall\": %.6f, \"cpu\": %.6f, \"rss\": %ld}\n", (double)wall / USEC_PER_SEC,
            seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss);
    fclose(result);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    if (streq(what, "sign"))
        return run_sign(argc - 2, argv + 2);
    if (streq(what, "json"))
        return run_parser(parse_json, argc - 2, argv + 2);
    if (streq(what, "yaml"))
        return run_parser(parse_yaml, argc - 2, argv + 2);
    if (streq(what, "measure"))
        return run_measure(argc - 2, argv + 2);
    fprintf(stderr, "usage: floor sign|json|yaml|measure ARGUMENT...\n");
    return 125;
}
