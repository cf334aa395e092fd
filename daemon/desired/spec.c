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

static bool spec_equal(const Spec *a, const Spec *b)
{
    return a->kind == b->kind && streq(a->name, b->name) && node_equal(a->want, b->want) && a->observe == b->observe &&
           a->exact_tags == b->exact_tags && node_equal(a->ignore, b->ignore) &&
           a->suspended_until == b->suspended_until && streq_null(a->suspend_reason, b->suspend_reason);
}

bool specs_equal(const Specs *a, const Specs *b)
{
    bool equal = a->n == b->n;
    for (size_t i = 0; i < a->n && equal; i++)
        equal = spec_equal(&a->items[i], &b->items[i]);
    return equal;
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

/* The names of free attributes and the texts of a set have dots of their own, which part nothing. */
static bool pattern_fits_entry(const char *pattern, const Field *field, const char *path)
{
    const char *entry = path[strlen(field->name)] == '.' ? path + strlen(field->name) + 1 : NULL;
    size_t head = strcspn(pattern, ".");
    CLEANUP(freep) char *name = xstrndup(pattern, head);
    if (streq(pattern, "**"))
        return true;
    if (!glob_match(name, field->name, true, false))
        return false;
    return !pattern[head] || (entry && glob_match(pattern + head + 1, entry, false, false));
}

const char *spec_ignores(const Spec *spec, const Field *field, const char *path)
{
    bool dots = field->type == FIELD_FREE || field->type == FIELD_TEXT_SET;
    for (uint32_t i = 0; spec->ignore && i < spec->ignore->n; i++) {
        const char *pattern = spec->ignore->items[i]->text;
        if (dots ? pattern_fits_entry(pattern, field, path)
                 : pattern_covers(pattern, path, field->type == FIELD_TAG_NAMESPACES))
            return pattern;
    }
    return NULL;
}
