/* What several unit tests need: specs from YAML text, live objects from JSON text. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../tests/unit/folder.h"
#include "attr/glance-image.h"
#include "attr/ims-image.h"
#include "attr/oci-image.h"
#include "base/str.h"
#include "data/json-write.h"
#include "desired/load.h"
#include "live/live.h"

#define HELPER_ACCOUNTS                                                                                                \
    "accounts:\n  - {name: prod, type: oci}\n  - {name: lab, type: oci}\n"                                             \
    "  - {name: hw, type: ims, region: r, projectId: p, accessKeyFile: ak, secretKeyFile: sk}\n"                                  \
    "  - {name: os, type: openstack, cloud: lab}\n"

/* Loads folder/specs with the accounts prod and lab, hw and os. Names of files in `problems` begin with the folder. */
HELPER int folder_load(const char *folder, Problems *problems, Specs **ret, Error **err)
{
    CLEANUP(freep) char *config_file = xasprintf("%s/imagekeeper.yaml", folder), *specs = xasprintf("%s/specs", folder);
    CLEANUP(config_freep) Config *config = NULL;
    file_write(folder, "imagekeeper.yaml", HELPER_ACCOUNTS);
    assert_int_equal(config_load(config_file, problems, &config, NULL), 0);
    return specs_load(specs, config, problems, ret, err);
}

/* The Specs of one file, which must be good. */
HELPER Specs *specs_of(const char *yaml)
{
    CLEANUP(problems_freep) Problems *problems = problems_new();
    char *folder = folder_make();
    Specs *specs = NULL;
    file_write(folder, "specs/a.yaml", yaml);
    int r = folder_load(folder, problems, &specs, NULL);
    folder_remove(folder);
    if (r < 0)
        fail_msg("%s\n%s", problems_first(problems), yaml);
    return specs;
}

/* What a user is told about a file that is not good: "line:column: message" of the first problem. The caller frees it. */
HELPER char *first_problem_of(const char *yaml)
{
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(specs_freep) Specs *specs = NULL;
    CLEANUP(error_freep) Error *err = NULL;
    char *folder = folder_make();
    file_write(folder, "specs/a.yaml", yaml);
    assert_int_equal(folder_load(folder, problems, &specs, &err), -1);
    folder_remove(folder);
    assert_null(specs);
    assert_non_null(err);
    const char *first = problems_first(problems);
    assert_non_null(first);
    return xstrdup(strstr(first, "a.yaml:") + strlen("a.yaml:"));
}

HELPER void assert_first_problem(const char *yaml, const char *expected)
{
    CLEANUP(freep) char *first = first_problem_of(yaml);
    assert_string_equal(first, expected);
}

/* One OciImage document; `spec` is in flow style ("displayName: x, freeformTags: {}"), `more` stands after it. The caller
 * frees it. */
HELPER char *document(const char *name, const char *spec, const char *more)
{
    return xasprintf("---\napiVersion: imagekeeper/v1\nkind: OciImage\nmetadata: {name: %s}\nspec: {%s}\n%s", name, spec, more);
}

#define ON_IMAGE "account: prod, imageId: ocid1.image.a, "

/* The Specs of one document on ocid1.image.a. */
HELPER Specs *spec_of(const char *want, const char *reconcile)
{
    CLEANUP(freep) char *spec = xasprintf(ON_IMAGE "%s", want);
    CLEANUP(freep) char *more = *reconcile ? xasprintf("reconcile: {%s}\n", reconcile) : xstrdup("");
    CLEANUP(freep) char *text = document("a", spec, more);
    return specs_of(text);
}

/* An image from JSON; what it lacks of id, compartmentId and lifecycleState is put in. */
HELPER Live *live_of(Arena *arena, const char *members)
{
    CLEANUP(str_done) Str text = {0};
    CLEANUP(error_freep) Error *err = NULL;
    Live *live = NULL;
    str_addf(&text, "{%s", members);
    if (!strstr(members, "\"id\""))
        str_addf(&text, "%s\"id\":\"ocid1.image.a\"", *members ? "," : "");
    if (!strstr(members, "\"compartmentId\""))
        str_add(&text, ",\"compartmentId\":\"ocid1.compartment.a\"");
    if (!strstr(members, "\"lifecycleState\""))
        str_add(&text, ",\"lifecycleState\":\"AVAILABLE\"");
    str_add(&text, "}");
    if (live_from_text(&(LiveReader){.kind = &oci_image}, str_get(&text), text.len, "etag", arena, &live, &err) < 0)
        fail_msg("%s\n%s", err->message, str_get(&text));
    return live;
}

/* One document of an ImsImage (account hw) or a GlanceImage (account os); else as `document`. */
HELPER char *image_document(const Kind *kind, const char *name, const char *spec, const char *more)
{
    return xasprintf("---\napiVersion: imagekeeper/v1\nkind: %s\nmetadata: {name: %s}\nspec: {account: %s, %s}\n%s",
                     kind->name, name, streq(kind->account_type, "ims") ? "hw" : "os", spec, more);
}

#define IMAGE_UUID "33ad552d-1149-471c-8190-ff6776174a00"

/* The Specs of one such document on that image. */
HELPER Specs *image_spec_of(const Kind *kind, const char *want, const char *reconcile)
{
    CLEANUP(freep) char *spec = xasprintf("imageId: " IMAGE_UUID ", %s", want);
    CLEANUP(freep) char *more = *reconcile ? xasprintf("reconcile: {%s}\n", reconcile) : xstrdup("");
    CLEANUP(freep) char *text = image_document(kind, "a", spec, more);
    return specs_of(text);
}

/* Of all documents of the kind. */
HELPER const char *const *free_names_of(const Specs *specs, const Kind *kind, Arena *arena)
{
    VEC(const Spec *) ours = {0};
    for (size_t i = 0; i < specs->n; i++)
        if (specs->items[i].kind == kind)
            *VEC_ADD(&ours) = &specs->items[i];
    const char *const *names = live_free_names(ours.items, ours.n, arena);
    VEC_DONE(&ours);
    return names;
}

/* That image from JSON, with the attributes that the first of `specs` is about; id and status are put in. */
HELPER Live *image_of(const Specs *specs, Arena *arena, const char *members)
{
    CLEANUP(error_freep) Error *err = NULL;
    CLEANUP(freep)
    char *text = xasprintf("{%s%s\"id\":\"" IMAGE_UUID "\",\"status\":\"active\"}", members, *members ? "," : "");
    const Kind *kind = specs->items[0].kind;
    LiveReader reader = {.kind = kind, .free_names = free_names_of(specs, kind, arena)};
    Live *live = NULL;
    if (live_from_text(&reader, text, strlen(text), NULL, arena, &live, &err) < 0)
        fail_msg("%s\n%s", err->message, text);
    return live;
}

HELPER void assert_json(const Node *node, const char *expected)
{
    CLEANUP(str_done) Str text = {0};
    json_write_node(&text, node);
    assert_string_equal(str_get(&text), expected);
}

/* The same numbers on every run. */
HELPER unsigned random_below(uint64_t *state, unsigned n)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(*state >> 33) % n;
}
