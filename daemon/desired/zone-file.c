#include "config.h"

#include "desired/zone-file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "base/vec.h"

#define FOLDER "/usr/share/zoneinfo"
#define FILE_MAX ((size_t)256 * 1024)
#define NAME_MAX_BYTES 128
#define SHOWN_MAX 80
#define NO_ZONE "no time zone \"%s\": "
#define EXPECTED "a name of the tz database such as Europe/Berlin, or UTC, is expected"

/* Parts of letters, digits, +, - and _ with slashes between them. */
static bool is_name(const char *name)
{
    char before = '/';
    for (const char *p = name; *p; before = *p++)
        if (!isalnum((unsigned char)*p) && !strchr("+-_", *p) && (*p != '/' || before == '/'))
            return false;
    return before != '/' && strlen(name) <= NAME_MAX_BYTES;
}

/* What is below folder/part, each as part/entry. */
static void list_names(const char *folder, const char *part, Arena *arena, const char ***ret)
{
    VEC(const char *) names = {0};
    CLEANUP(freep) char *path = xasprintf("%s/%s", folder, part);
    DIR *d = opendir(path);
    for (struct dirent *entry = d ? readdir(d) : NULL; entry; entry = readdir(d))
        *VEC_ADD(&names) = arena_printf(arena, "%s%s%s", part, *part ? "/" : "", entry->d_name);
    if (d)
        closedir(d);
    *VEC_ADD(&names) = NULL;
    *ret = names.items;
}

/* The zone or the region that was probably meant, or NULL. */
static const char *find_near(const char *folder, const char *name, Arena *arena)
{
    const char *slash = strrchr(name, '/');
    CLEANUP(freep) const char **names = NULL;
    list_names(folder, slash ? arena_strndup(arena, name, (size_t)(slash - name)) : "", arena, &names);
    return nearest_name(name, names);
}

static int no_zone(const char *folder, const char *name, Error **err)
{
    struct stat st;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    if (stat(folder, &st) < 0)
        return error_set(err, ERROR_LOCAL, "no time zones can be looked up, %s is missing: install tzdata", folder);
    const char *near = find_near(folder, name, arena);
    if (near)
        return error_set(err, ERROR_SPEC, NO_ZONE "did you mean \"%s\"?", name, near);
    return error_set(err, ERROR_SPEC, NO_ZONE EXPECTED, name);
}

static int load_utc(Zone **ret, Error **err)
{
    /* One type and four characters, and nothing else. */
    static const unsigned char utc[54] = {'T', 'Z', 'i', 'f', [39] = 1, [43] = 4, [50] = 'U', 'T', 'C'};
    return zone_parse("UTC", utc, sizeof(utc), ret, err);
}

static int load_file(const char *folder, const char *name, Zone **ret, Error **err)
{
    CLEANUP(freep) char *path = xasprintf("%s/%s", folder, name), *bytes = NULL;
    struct stat st;
    size_t size;
    if (stat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return no_zone(folder, name, err);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return error_set(err, ERROR_SPEC, NO_ZONE "it is a region; a place in it is expected, as in Europe/Berlin",
                         name);
    if (file_read(path, FILE_MAX, &bytes, &size, err) < 0)
        return error_wrap(err, "time zone \"%s\"", name);
    return zone_parse(name, bytes, size, ret, err);
}

int zone_load(const char *name, Zone **ret, Error **err)
{
    const char *folder = getenv("TZDIR");
    if (streq(name, "UTC"))
        return load_utc(ret, err);
    if (!is_name(name)) {
        CLEANUP(freep) char *shown = str_printable(name, SHOWN_MAX);
        return error_set(err, ERROR_SPEC, NO_ZONE EXPECTED, shown);
    }
    return load_file(folder && *folder ? folder : FOLDER, name, ret, err);
}
