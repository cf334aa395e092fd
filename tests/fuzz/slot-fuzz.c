/* Any text as a tag and as a template: only the one form of a tag is read, what passed the check is filled the same each
 * time, and no message drives a terminal. */
#include "config.h"

#include "schedule/slot.h"

#include <assert.h>
#include <stdint.h>

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tag(const char *text)
{
    CLEANUP(str_done) Str again = {0};
    size_t size;
    usec_t slot;
    if (!slot_read_tag(text, &size, &slot))
        return;
    CLEANUP(freep) char *schedule = xstrndup(text, size);
    assert(size > 0 && text[size] == '@');
    slot_add_tag(&again, schedule, slot);
    assert(streq(str_get(&again), text));
}

static void check_error(const Error *err)
{
    assert(err && err->kind == ERROR_SPEC);
    for (const char *p = err->message, *end = p + strlen(p); p < end;) {
        size_t n = utf8_length(p, (size_t)(end - p));
        assert(n > 0 && !utf8_is_unfit(p, n));
        p += n;
    }
}

static void check_cut(Str *name)
{
    size_t before = name->len, characters = 0;
    slot_cut_name(name);
    for (size_t i = 0; i < name->len; characters++)
        i += utf8_step(name->data + i, name->len - i);
    assert(name->len <= before && strlen(str_get(name)) == name->len);
    assert(name->len == before ? characters <= DISPLAY_NAME_MAX : characters == DISPLAY_NAME_MAX);
}

static void check_fill(const char *text, const SlotName *name)
{
    CLEANUP(str_done) Str out = {0};
    CLEANUP(str_done) Str again = {0};
    template_fill(text, name, &out);
    template_fill(text, name, &again);
    assert(streq(str_get(&out), str_get(&again)));
    assert(strchr(text, '{') || strchr(text, '}') || streq(str_get(&out), text));
    check_cut(&out);
}

static void check_template(const char *text, usec_t slot)
{
    CLEANUP(error_freep) Error *err = NULL;
    CLEANUP(error_freep) Error *err_one_off = NULL;
    SlotName name = {.schedule = "a", .volume = text, .volume_id = "ocid1.volume", .slot = slot, .zone = zone_utc()};
    int r = template_check(text, false, &err), one_off = template_check(text, true, &err_one_off);
    if (one_off < 0)
        check_error(err_one_off);
    else
        check_fill(text, &(SlotName){.volume = text, .volume_id = "ocid1.volume"});
    assert(one_off < 0 || r == 0);
    if (r < 0)
        check_error(err);
    else
        check_fill(text, &name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(freep) char *text = xstrndup((const char *)data, size);
    usec_t slot = 0;
    for (size_t i = 0; i < size && i < 6; i++)
        slot = slot << 8 | data[i];
    check_tag(text);
    check_template(text, slot * 25);
    assert(slot_delay(text, "ocid1.volume", slot + 1) <= slot);
    return 0;
}
