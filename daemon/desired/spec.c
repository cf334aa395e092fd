#include "config.h"

#include "desired/spec.h"

#include "base/str.h"
#include "desired/timetable.h"

Specs *specs_ref(Specs *specs)
{
    specs->refs++;
    return specs;
}

void specs_free(Specs *specs)
{
    if (!specs || --specs->refs > 0)
        return;
    for (size_t i = 0; i < specs->n; i++)
        timetable_done(specs->items[i].timetable);
    for (size_t i = 0; i < specs->zones.n; i++)
        zone_free(specs->zones.items[i]);
    VEC_DONE(&specs->zones);
    arena_free(specs->arena);
    free(specs);
}

static bool pattern_covers(const char *pattern, const char *path, bool fold)
{
    if (glob_match(pattern, path, true, fold))
        return true;
    for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
        CLEANUP(freep) char *above = xstrndup(path, (size_t)(dot - path));
        if (glob_match(pattern, above, true, fold))
            return true;
    }
    return false;
}

const char *spec_ignores(const Spec *spec, const Field *field, const char *path)
{
    for (uint32_t i = 0; spec->ignore && i < spec->ignore->n; i++)
        if (pattern_covers(spec->ignore->items[i]->text, path, field->type == FIELD_TAG_NAMESPACES))
            return spec->ignore->items[i]->text;
    return NULL;
}
