#include "config.h"

#include "cloud/oci-region.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "data/json-read.h"

#define METADATA_FILE_MAX ((size_t)1024 * 1024)
#define DEFAULT_DOMAIN "oraclecloud.com"
#define HOST_NAME_MAX_BYTES 253
#define HOST_LABEL_MAX_BYTES 63

typedef struct Realm {
    const char *key, *domain;
} Realm;

static const Realm realms[] = {
    {"oc1", "oraclecloud.com"},    {"oc2", "oraclegovcloud.com"}, {"oc3", "oraclegovcloud.com"},
    {"oc4", "oraclegovcloud.uk"},  {"oc8", "oraclecloud8.com"},   {"oc9", "oraclecloud9.com"},
    {"oc10", "oraclecloud10.com"}, {"oc14", "oraclecloud14.com"}, {"oc15", "oraclecloud15.com"},
    {"oc19", "oraclecloud.eu"},    {"oc20", "oraclecloud20.com"}, {"oc21", "oraclecloud21.com"},
    {"oc23", "oraclecloud23.com"}, {"oc24", "oraclecloud24.com"}, {"oc26", "oraclecloud26.com"},
    {"oc29", "oraclecloud29.com"}, {"oc35", "oraclecloud35.com"}, {"oc42", "oraclecloud42.com"},
    {"oc51", "oraclecloud51.com"}, {"oc52", "oraclecloud52.com"},
};

typedef struct Region {
    const char *name, *code, *realm;
} Region;

/* The realm cannot be read off the name: eu-madrid-1 and -3 are oc1, eu-madrid-2 is oc19. */
static const Region regions[] = {
    {"af-casablanca-1", "lej", "oc1"},    {"af-johannesburg-1", "jnb", "oc1"}, {"ap-batam-1", "hsg", "oc1"},
    {"ap-chuncheon-1", "yny", "oc1"},     {"ap-delhi-1", "onm", "oc1"},        {"ap-hyderabad-1", "hyd", "oc1"},
    {"ap-kulai-2", "jbp", "oc1"},         {"ap-melbourne-1", "mel", "oc1"},    {"ap-mumbai-1", "bom", "oc1"},
    {"ap-osaka-1", "kix", "oc1"},         {"ap-seoul-1", "icn", "oc1"},        {"ap-singapore-1", "sin", "oc1"},
    {"ap-singapore-2", "xsp", "oc1"},     {"ap-sydney-1", "syd", "oc1"},       {"ap-tokyo-1", "nrt", "oc1"},
    {"ca-montreal-1", "yul", "oc1"},      {"ca-toronto-1", "yyz", "oc1"},      {"eu-amsterdam-1", "ams", "oc1"},
    {"eu-frankfurt-1", "fra", "oc1"},     {"eu-madrid-1", "mad", "oc1"},       {"eu-madrid-3", "orf", "oc1"},
    {"eu-marseille-1", "mrs", "oc1"},     {"eu-milan-1", "lin", "oc1"},        {"eu-paris-1", "cdg", "oc1"},
    {"eu-stockholm-1", "arn", "oc1"},     {"eu-turin-1", "nrq", "oc1"},        {"eu-zurich-1", "zrh", "oc1"},
    {"il-jerusalem-1", "mtz", "oc1"},     {"me-abudhabi-1", "auh", "oc1"},     {"me-dubai-1", "dxb", "oc1"},
    {"me-jeddah-1", "jed", "oc1"},        {"me-riyadh-1", "ruh", "oc1"},       {"mx-monterrey-1", "mty", "oc1"},
    {"mx-queretaro-1", "qro", "oc1"},     {"sa-bogota-1", "bog", "oc1"},       {"sa-santiago-1", "scl", "oc1"},
    {"sa-saopaulo-1", "gru", "oc1"},      {"sa-valparaiso-1", "vap", "oc1"},   {"sa-vinhedo-1", "vcp", "oc1"},
    {"uk-cardiff-1", "cwl", "oc1"},       {"uk-london-1", "lhr", "oc1"},       {"us-ashburn-1", "iad", "oc1"},
    {"us-chicago-1", "ord", "oc1"},       {"us-phoenix-1", "phx", "oc1"},      {"us-saltlake-2", "aga", "oc1"},
    {"us-sanjose-1", "sjc", "oc1"},       {"us-langley-1", "lfi", "oc2"},      {"us-luke-1", "luf", "oc2"},
    {"us-gov-ashburn-1", "ric", "oc3"},   {"us-gov-chicago-1", "pia", "oc3"},  {"us-gov-phoenix-1", "tus", "oc3"},
    {"uk-gov-cardiff-1", "brs", "oc4"},   {"uk-gov-london-1", "ltn", "oc4"},   {"ap-chiyoda-1", "nja", "oc8"},
    {"ap-ibaraki-1", "ukb", "oc8"},       {"me-dcc-muscat-1", "mct", "oc9"},   {"me-ibri-1", "ibr", "oc9"},
    {"ap-dcc-canberra-1", "wga", "oc10"}, {"eu-dcc-dublin-1", "ork", "oc14"},  {"eu-dcc-dublin-2", "snn", "oc14"},
    {"eu-dcc-milan-1", "bgy", "oc14"},    {"eu-dcc-milan-2", "mxp", "oc14"},   {"eu-dcc-rating-1", "dus", "oc14"},
    {"eu-dcc-rating-2", "dtm", "oc14"},   {"ap-dcc-gazipur-1", "dac", "oc15"}, {"eu-frankfurt-2", "str", "oc19"},
    {"eu-madrid-2", "vll", "oc19"},       {"eu-jovanovac-1", "beg", "oc20"},   {"me-alrayyan-1", "vve", "oc21"},
    {"me-dcc-doha-1", "doh", "oc21"},     {"us-somerset-1", "ebb", "oc23"},    {"us-thames-1", "ebl", "oc23"},
    {"eu-crissier-1", "avf", "oc24"},     {"eu-dcc-zurich-1", "avz", "oc24"},  {"me-abudhabi-3", "ahu", "oc26"},
    {"me-alain-1", "rba", "oc26"},        {"me-abudhabi-2", "rkt", "oc29"},    {"me-abudhabi-4", "shj", "oc29"},
    {"ap-chuncheon-2", "bno", "oc35"},    {"ap-seoul-2", "dtz", "oc35"},       {"ap-suwon-1", "dln", "oc35"},
    {"us-ashburn-2", "yxj", "oc42"},      {"us-newark-1", "pgc", "oc42"},      {"eu-budapest-1", "jsk", "oc51"},
    {"sa-riodejaneiro-1", "hnw", "oc52"},
};

/* A region as it was found: both parts are the finder's to free. */
typedef struct Place {
    char *name, *domain;
} Place;

static void place_done(Place *place)
{
    free(place->name);
    free(place->domain);
    *place = (Place){0};
}

static char *lower(const char *text)
{
    char *copy = xstrdup(text);
    for (char *p = copy; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return copy;
}

static bool env_is_true(const char *name)
{
    const char *value = getenv(name);
    return value && strcasecmp(value, "true") == 0;
}

static bool is_label(const char *text, size_t n)
{
    if (n == 0 || n > HOST_LABEL_MAX_BYTES || text[0] == '-' || text[n - 1] == '-')
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") >= n;
}

static bool is_host(const char *text)
{
    if (strlen(text) > HOST_NAME_MAX_BYTES)
        return false;
    for (;;) {
        size_t n = strcspn(text, ".");
        if (!is_label(text, n))
            return false;
        if (!text[n])
            return true;
        text += n + 1;
    }
}

static bool find_builtin(const char *region, Place *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
        if (!streq(region, regions[i].name) && !streq(region, regions[i].code))
            continue;
        const Realm *realm = realms;
        while (!streq(realm->key, regions[i].realm))
            realm++;
        *ret = (Place){.name = xstrdup(regions[i].name), .domain = xstrdup(realm->domain)};
        return true;
    }
    return false;
}

/* Without regard to case: the metadata service and its copies write these names in two ways. */
static const char *member(const Node *map, const char *key)
{
    if (map->type != NODE_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->n; i++)
        if (strcasecmp(map->entries[i].key, key) == 0)
            return map->entries[i].value->type == NODE_STRING ? map->entries[i].value->text : NULL;
    return NULL;
}

/* 1: it is the region; 0: it is another one; -1: it is, but is of no use. */
static int match(const Node *item, const char *region, const char *source, Place *ret, Error **err)
{
    const char *name = member(item, "regionIdentifier"), *code = member(item, "regionKey");
    if (!name || (strcasecmp(name, region) != 0 && (!code || strcasecmp(code, region) != 0)))
        return 0;
    const char *domain = member(item, "realmDomainComponent");
    CLEANUP(place_done) Place place = {.name = lower(name), .domain = lower(domain ? domain : "")};
    if (!is_label(place.name, strlen(place.name)) || !is_host(place.domain))
        return error_set(err, ERROR_SPEC,
                         "%s: region %s: its regionIdentifier or realmDomainComponent cannot be part of a host name",
                         source, region);
    ret->name = TAKE(place.name);
    ret->domain = TAKE(place.domain);
    return 1;
}

/* A list of regions, an object with such a list as "regions", or one region. */
static int find_in_json(const char *text, const char *region, const char *source, Place *ret, Error **err)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const Node *root = NULL;
    CLEANUP(error_freep) Error *why = NULL;
    if (json_read(arena, text, strlen(text), &root, &why) < 0) /* not the cloud's fault, as its kind says */
        return error_set(err, ERROR_SPEC, "%s: %s", source, why->message);
    const Node *list = node_get(root, "regions");
    if (!list)
        list = root;
    if (list->type != NODE_LIST)
        return match(list, region, source, ret, err);
    for (uint32_t i = 0; i < list->n; i++) {
        int found = match(list->items[i], region, source, ret, err);
        if (found != 0)
            return found;
    }
    return 0;
}

/* Most machines have no such file. */
static int find_in_file(const char *path, const char *region, Place *ret, Error **err)
{
    struct stat st;
    if (stat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    CLEANUP(freep) char *text = NULL;
    size_t size;
    if (file_read(path, METADATA_FILE_MAX, &text, &size, err) < 0)
        return -1;
    return find_in_json(text, region, path, ret, err);
}

static int find_in_named(const char *name, const char *region, Place *ret, Error **err)
{
    CLEANUP(freep) char *path = NULL;
    if (file_expand(name, &path, NULL) < 0) /* no HOME, so nothing under it */
        return 0;
    return find_in_file(path, region, ret, err);
}

static int find_in_tool_file(const char *region, Place *ret, Error **err)
{
    const char *path = getenv("OCI_DEVELOPER_TOOL_CONFIGURATION_FILE_PATH");
    return find_in_named(path && *path ? path : "~/.oci/developer-tool-configuration.json", region, ret, err);
}

static int find_in_environment(const char *region, Place *ret, Error **err)
{
    const char *text = getenv("OCI_REGION_METADATA");
    return text && *text ? find_in_json(text, region, "OCI_REGION_METADATA", ret, err) : 0;
}

/* 1: found; 0: unknown; -1: a place that was looked at is broken. */
static int find(const char *region, Place *ret, Error **err)
{
    if (env_is_true("OCI_ALLOW_ONLY_DEVELOPER_TOOL_CONFIGURATION_REGIONS"))
        return find_in_tool_file(region, ret, err);
    if (find_builtin(region, ret))
        return 1;
    int found = find_in_tool_file(region, ret, err);
    if (found == 0)
        found = find_in_named("~/.oci/regions-config.json", region, ret, err);
    if (found == 0)
        found = find_in_environment(region, ret, err);
    return found;
}

static int fall_back(const char *region, Place *ret, Error **err)
{
    const char *domain = getenv("OCI_DEFAULT_REALM");
    CLEANUP(freep) char *lowered = lower(domain && *domain ? domain : DEFAULT_DOMAIN);
    if (!is_host(lowered))
        return error_set(err, ERROR_SPEC, "OCI_DEFAULT_REALM: \"%s\" is no domain", domain);
    *ret = (Place){.name = xstrdup(region), .domain = TAKE(lowered)};
    return 0;
}

static int not_a_region(const char *region, Error **err)
{
    const char *names[ARRAY_SIZE(regions) + 1] = {NULL};
    for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
        names[i] = regions[i].name;
    const char *near = nearest_name(region, names);
    return error_set(err, ERROR_SPEC, "\"%s\" cannot be a region: write it as in us-phoenix-1%s%s%s", region,
                     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

int oci_endpoint(const char *service, const char *region, char **ret, Error **err)
{
    CLEANUP(freep) char *lowered = lower(region);
    if (!is_host(lowered))
        return not_a_region(region, err);
    if (strchr(lowered, '.')) {
        *ret = xasprintf("https://%s.%s", service, lowered);
        return 0;
    }
    CLEANUP(place_done) Place place = {0};
    int found = find(lowered, &place, err);
    if (found < 0 || (found == 0 && fall_back(lowered, &place, err) < 0))
        return -1;
    const char *dual_stack = env_is_true("OCI_DUAL_STACK_ENDPOINT_ENABLED") ? "ds.oci." : "";
    *ret = xasprintf("https://%s.%s.%s%s", service, place.name, dual_stack, place.domain);
    return 0;
}
