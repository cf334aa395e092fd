#include "config.h"

#include "base/ini.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"

struct Ini {
    char *text; /* all names and values point into it */
    size_t size;
    Map *index; /* "section" gives its name; "section\nkey", the key in lower case, gives the IniEntry */
    Arena *arena;
    VEC(const char *) sections; /* the last is NULL */
};

typedef struct Parser {
    Ini *ini;
    const char *name; /* of the file */
    const char *section;
    unsigned line;
} Parser;

void ini_free(Ini *ini)
{
    if (!ini)
        return;
    explicit_bzero(ini->text, ini->size);
    free(ini->text);
    map_free(ini->index);
    arena_free(ini->arena);
    VEC_DONE(&ini->sections);
    free(ini);
}

/* The caller frees it. */
static char *entry_key(const char *section, const char *key)
{
    char *joined = xasprintf("%s\n%s", section, key);
    for (char *p = strchr(joined, '\n'); *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return joined;
}

static int add_section(Parser *p, char *line, Error **err)
{
    char *end = strchr(line, ']');
    if (!end)
        return error_set(err, ERROR_SPEC, "%s:%u: the ] of the section is missing", p->name, p->line);
    char *rest = str_strip(end + 1);
    if (*rest && *rest != '#' && *rest != ';')
        return error_set(err, ERROR_SPEC, "%s:%u: text after the ] of the section", p->name, p->line);
    *end = 0;
    char *section = str_strip(line + 1);
    if (!*section)
        return error_set(err, ERROR_SPEC, "%s:%u: a section without a name", p->name, p->line);
    for (const char *c = section; *c; c++)
        if (iscntrl((unsigned char)*c)) /* section names are shown */
            return error_set(err, ERROR_SPEC, "%s:%u: a section name with a control character", p->name, p->line);
    if (map_put(p->ini->index, section, section))
        return error_set(err, ERROR_SPEC, "%s:%u: section [%s] is there a second time", p->name, p->line, section);
    p->section = section;
    *VEC_ADD(&p->ini->sections) = section;
    return 0;
}

/* Messages never show the line: it may be part of a secret. */
static int add_entry(Parser *p, char *line, Error **err)
{
    char *equals = strchr(line, '=');
    if (!equals)
        return error_set(err, ERROR_SPEC, "%s:%u: neither [section] nor key = value nor a comment", p->name, p->line);
    *equals = 0;
    char *key = str_strip(line);
    if (!*key || strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != strlen(key))
        return error_set(err, ERROR_SPEC, "%s:%u: what stands before = is no key", p->name, p->line);
    if (!p->section)
        return error_set(err, ERROR_SPEC, "%s:%u: %s stands before the first [section]", p->name, p->line, key);

    IniEntry *entry = arena_alloc(p->ini->arena, sizeof(*entry));
    *entry = (IniEntry){.section = p->section, .key = key, .value = str_strip(equals + 1), .line = p->line};
    CLEANUP(freep) char *name = entry_key(p->section, key);
    const IniEntry *before = map_put(p->ini->index, arena_strdup(p->ini->arena, name), entry);
    if (before)
        return error_set(err, ERROR_SPEC, "%s:%u: %s is already in line %u of the same section", p->name, p->line, key,
                         before->line);
    return 0;
}

static int parse_line(Parser *p, char *line, Error **err)
{
    line = str_strip(line);
    if (!*line || *line == '#' || *line == ';')
        return 0;
    return *line == '[' ? add_section(p, line, err) : add_entry(p, line, err);
}

int ini_parse(const char *text, size_t size, const char *name, Ini **ret, Error **err)
{
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    if (memchr(text, 0, size))
        return error_set(err, ERROR_SPEC, "%s: has a NUL byte, so it is no text file", name);
    CLEANUP(ini_freep) Ini *ini = xcalloc(1, sizeof(*ini));
    ini->text = xstrndup(text, size);
    ini->size = size;
    ini->index = map_new();
    ini->arena = arena_new();
    Parser parser = {.ini = ini, .name = name};
    char *rest = ini->text;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        parser.line++;
        if (parse_line(&parser, line, err) < 0)
            return -1;
    }
    *VEC_ADD(&ini->sections) = NULL;
    *ret = TAKE(ini);
    return 0;
}

const IniEntry *ini_get(const Ini *ini, const char *section, const char *key)
{
    CLEANUP(freep) char *name = entry_key(section, key);
    return map_get(ini->index, name);
}

bool ini_holds(const Ini *ini, const char *key)
{
    for (const char *const *section = ini->sections.items; *section; section++) {
        const IniEntry *entry = ini_get(ini, *section, key);
        if (entry && *entry->value)
            return true;
    }
    return false;
}

bool ini_has_section(const Ini *ini, const char *section)
{
    return map_get(ini->index, section) != NULL;
}

const char *const *ini_sections(const Ini *ini)
{
    return ini->sections.items;
}
