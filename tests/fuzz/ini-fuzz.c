/* Any bytes as an INI file: it is read whole or refused with a line. */
#include "config.h"

#include "base/ini.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ini_freep) Ini *ini = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    if (ini_parse((const char *)data, size, "fuzz", &ini, &err) < 0) {
        if (ini || !err || err->kind != ERROR_SPEC)
            abort();
        for (const char *p = err->message; *p; p++)
            if (iscntrl((unsigned char)*p))
                abort();
        return 0;
    }
    if (err)
        abort();
    for (const char *const *section = ini_sections(ini); *section; section++) {
        const IniEntry *entry = ini_get(ini, *section, "KEY");
        if (!ini_has_section(ini, *section) || (entry && strcmp(entry->section, *section) != 0))
            abort();
    }
    ini_holds(ini, "key");
    return 0;
}
