/* Any bytes as an answer of a cloud: an error that can be shown and holds no secret, a page of images and the one after
 * it, one image. */
#include "config.h"

#include "cloud/api-error.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "attr/glance-image.h"
#include "attr/ims-image.h"
#include "cloud/provider.h"
#include "live/live.h"

#define SECRET "hush-hush"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_error(const HttpAnswer *answer)
{
    static const ApiErrorRule rules[] = {{0, ERROR_AUTH, "IMG.0030"}, {0}};
    CLEANUP(error_freep) Error *error = api_error(answer, rules, &(ApiSecrets){{SECRET}});
    if (error->status != answer->status || strstr(error->message, SECRET))
        abort();
    for (const char *p = error->message; *p; p++)
        if (iscntrl((unsigned char)*p))
            abort();
}

static void read_page(const HttpAnswer *answer, const Provider *provider, const Kind *kind)
{
    CLEANUP(json_page_freep) JsonPage *page = NULL;
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(freep) char *next = NULL;
    const LiveReader reader = {.kind = kind, .home = "p", .free_names = (const char *const[]){"team", NULL}};
    if (json_page_parse(str_get(&answer->body), answer->body.len, provider->list_member, &page, NULL) < 0)
        return;
    for (const JsonItem *item = json_page_next(page, NULL); item; item = json_page_next(page, item)) {
        Live *live = NULL;
        if (!json_item_text(item, "id"))
            return; /* what the look finds out before it asks for the next page */
        live_from_item(&reader, item, arena, &live, NULL);
    }
    provider->next_page(answer, page, 1, NULL, &next, NULL);
}

static void read_image(const HttpAnswer *answer, const Provider *provider, const Kind *kind)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    Live *live = NULL;
    const LiveReader reader = {.kind = kind, .page_member = provider->single_is_page ? provider->list_member : NULL};
    live_from_text(&reader, str_get(&answer->body), answer->body.len, NULL, arena, &live, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HttpAnswer answer = {.status = 401};
    str_addn(&answer.body, (const char *)data, size);
    read_error(&answer);
    read_page(&answer, &ims_provider, &ims_image);
    read_page(&answer, &openstack_provider, &glance_image);
    read_image(&answer, &ims_provider, &ims_image);
    read_image(&answer, &openstack_provider, &glance_image);
    str_done(&answer.body);
    return 0;
}
