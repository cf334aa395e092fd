#include "config.h"

#include "schedule/slot.h"

#include <stdio.h>
#include <time.h>

#include "base/utf8.h"

/* ".25" of a slot that is no whole second: the shortest form, so that there is one alone. */
static void add_fraction(Str *out, usec_t slot)
{
    unsigned fraction = (unsigned)(slot % USEC_PER_SEC), digits = 6;
    if (!fraction)
        return;
    for (; fraction % 10 == 0; digits--)
        fraction /= 10;
    str_addf(out, ".%0*u", (int)digits, fraction);
}

char *slot_format(usec_t slot, char buffer[static RFC3339_SIZE])
{
    CLEANUP(str_done) Str text = {0};
    format_rfc3339(slot, buffer);
    str_addf(&text, "%.*s", (int)strlen(buffer) - 1, buffer);
    add_fraction(&text, slot);
    snprintf(buffer, RFC3339_SIZE, "%sZ", str_get(&text));
    return buffer;
}

void slot_add_tag(Str *out, const char *schedule, usec_t slot)
{
    char text[RFC3339_SIZE];
    str_addf(out, "%s@%s", schedule, slot_format(slot, text));
}

bool slot_read_tag(const char *tag, size_t *ret_size, usec_t *ret_slot)
{
    CLEANUP(str_done) Str again = {0};
    const char *at = strrchr(tag, '@'); /* no time has one in it */
    usec_t slot;
    if (!at || at == tag || parse_rfc3339(at + 1, &slot) < 0)
        return false;
    slot_add_tag(&again, "", slot);
    if (!streq(str_get(&again), at)) /* another way of writing it: some other hand's */
        return false;
    *ret_size = (size_t)(at - tag);
    *ret_slot = slot;
    return true;
}

/* FNV-1a over the bytes of the text and its NUL. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    do {
        hash ^= (unsigned char)*text;
        hash *= UINT64_C(0x100000001b3);
    } while (*text++);
    return hash;
}

/* FNV-1a leaves the trace of the last bytes, in which ids differ, in few bits; splitmix64's finish spreads it. */
static uint64_t mix(uint64_t hash)
{
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
    return hash ^ (hash >> 31);
}

/* Never to be changed: the moment of each backup that is still to be made hangs on it, on every machine. */
usec_t slot_delay(const char *schedule, const char *volume_id, usec_t max)
{
    if (max == 0)
        return 0;
    uint64_t hash = hash_text(hash_text(UINT64_C(0xcbf29ce484222325), schedule), volume_id);
    usec_t delay = mix(hash) % max; /* favours none by more than max / 2^64 */
    return max < USEC_PER_SEC ? delay : delay / USEC_PER_SEC * USEC_PER_SEC;
}

typedef enum Name {
    NAME_VOLUME,
    NAME_VOLUME_ID,
    NAME_SCHEDULE,
    NAME_SLOT,
    NAME_UNKNOWN,
} Name;

static const char *const all_names[] = {"volume", "volumeId", "schedule", "slot", NULL}; /* as in Name */
static const char *const one_off_names[] = {"volume", "volumeId", NULL};

/* What POSIX has, without the E and O modifiers, which change nothing in the C locale. %s is left out: it would ask for
 * this machine's zone. */
static const char strftime_letters[] = "aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ%";

typedef enum PartType {
    PART_END,
    PART_TEXT,
    PART_NAME,     /* {text} or {text:format} */
    PART_UNCLOSED, /* { without } */
    PART_STRAY,    /* } without { */
} PartType;

typedef struct Part {
    PartType type;
    const char *text, *format; /* format: NULL without a colon */
    size_t size, format_size;
} Part;

static Part take_name(const char **p)
{
    const char *text = *p + 1;
    size_t size = strcspn(text, "{}");
    Part part = {.type = PART_NAME, .text = text, .size = size};
    if (text[size] != '}')
        return (Part){.type = PART_UNCLOSED, .text = *p, .size = size + 1};
    const char *colon = memchr(text, ':', size);
    if (colon) {
        part.size = (size_t)(colon - text);
        part.format = colon + 1;
        part.format_size = size - part.size - 1;
    }
    *p = text + size + 1;
    return part;
}

/* The next part of a template; *p moves behind it. */
static Part take_part(const char **p)
{
    const char *text = *p;
    size_t size = strcspn(text, "{}");
    if (!*text)
        return (Part){.type = PART_END};
    if (size > 0) {
        *p += size;
        return (Part){.type = PART_TEXT, .text = text, .size = size};
    }
    if (text[0] == text[1]) {
        *p += 2;
        return (Part){.type = PART_TEXT, .text = text, .size = 1};
    }
    if (*text == '}')
        return (Part){.type = PART_STRAY, .text = text, .size = 1};
    return take_name(p);
}

static Name find_name(const Part *part)
{
    for (Name name = 0; all_names[name]; name++)
        if (strlen(all_names[name]) == part->size && strncmp(all_names[name], part->text, part->size) == 0)
            return name;
    return NAME_UNKNOWN;
}

#define SHOWN_MAX 64 /* bytes of a wrong part */

static char *show(const char *text, size_t size)
{
    CLEANUP(freep) char *copy = xstrndup(text, size);
    return str_printable(copy, SHOWN_MAX);
}

static int check_format(const Part *part, Error **err)
{
    const char *end = part->format + part->format_size;
    CLEANUP(freep) char *shown = show(part->format, part->format_size);
    if (part->format_size == 0)
        return error_set(err, ERROR_SPEC, "{slot:} has no format; {slot} alone is 20261122T010000Z");
    for (const char *p = part->format; p < end; p++) {
        if (*p != '%')
            continue;
        if (++p == end)
            return error_set(err, ERROR_SPEC, "{slot:%s} ends with a single %%; %%%% is a percent sign", shown);
        if (!strchr(strftime_letters, *p)) {
            CLEANUP(freep) char *letter = show(p, utf8_step(p, (size_t)(end - p)));
            return error_set(err, ERROR_SPEC, "%%%s in {slot:%s} is none of strftime's: known are %s", letter, shown,
                             strftime_letters);
        }
    }
    return 0;
}

static int refuse_name(const Part *part, bool one_off, Error **err)
{
    CLEANUP(freep) char *shown = show(part->text, part->size);
    CLEANUP(freep) char *word = xstrndup(part->text, part->size);
    if (find_name(part) != NAME_UNKNOWN)
        return error_set(err, ERROR_SPEC, "{%s} is for schedules: here are {volume} and {volumeId} alone", shown);
    const char *nearest = nearest_name(word, one_off ? one_off_names : all_names);
    if (nearest)
        return error_set(err, ERROR_SPEC, "unknown name {%s}; did you mean {%s}?", shown, nearest);
    return error_set(err, ERROR_SPEC, "unknown name {%s}: known are {volume}, {volumeId}%s; a brace is written {{",
                     shown, one_off ? "" : ", {schedule}, {slot} and {slot:%Y-%m-%d}");
}

static int check_name(const Part *part, bool one_off, Error **err)
{
    Name name = find_name(part);
    if (name > (one_off ? NAME_VOLUME_ID : NAME_SLOT))
        return refuse_name(part, one_off, err);
    if (!part->format)
        return 0;
    if (name != NAME_SLOT)
        return error_set(err, ERROR_SPEC, "{%s:…} has a format, which only {slot} takes", all_names[name]);
    return check_format(part, err);
}

int template_check(const char *text, bool one_off, Error **err)
{
    for (;;) {
        Part part = take_part(&text);
        switch (part.type) {
        case PART_END:
            return 0;
        case PART_TEXT:
            break;
        case PART_NAME:
            if (check_name(&part, one_off, err) < 0)
                return -1;
            break;
        case PART_UNCLOSED: {
            CLEANUP(freep) char *shown = show(part.text, part.size);
            return error_set(err, ERROR_SPEC, "no } closes \"%s\"; a brace is written {{", shown);
        }
        case PART_STRAY:
            return error_set(err, ERROR_SPEC, "a } that closes nothing; a brace is written }}");
        }
    }
}

static void add_compact(Str *out, usec_t slot)
{
    char time[RFC3339_SIZE];
    format_rfc3339(slot, time);
    for (const char *p = time; *p != 'Z'; p++)
        if (*p != '-' && *p != ':')
            str_addc(out, *p);
    add_fraction(out, slot);
    str_addc(out, 'Z');
}

static struct tm to_tm(const SlotName *name)
{
    LocalTime t;
    zone_local(name->zone, name->slot, &t);
    return (struct tm){
        .tm_year = t.year - 1900,
        .tm_mon = t.month - 1,
        .tm_mday = t.day,
        .tm_hour = t.hour,
        .tm_min = t.minute,
        .tm_sec = t.second,
        .tm_wday = t.weekday,
        .tm_yday = t.day_of_year,
        .tm_gmtoff = t.offset,
        .tm_zone = t.abbreviation,
    };
}

/* One letter at a time, so that no length of the whole has to be foreseen. The program never calls setlocale: this is
 * the C locale. */
static void add_letter(Str *out, const struct tm *tm, char letter)
{
    const char format[] = {'%', letter, 0};
    char text[128];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* template_check has seen the letter */
    size_t n = strftime(text, sizeof(text), format, tm);
#pragma GCC diagnostic pop
    str_addn(out, text, n);
}

static void add_format(Str *out, const Part *part, const SlotName *name)
{
    struct tm tm = to_tm(name);
    const char *end = part->format + part->format_size;
    for (const char *p = part->format; p < end; p++) {
        if (*p == '%' && p + 1 < end)
            add_letter(out, &tm, *++p);
        else
            str_addc(out, *p);
    }
}

static void add_name(Str *out, const Part *part, const SlotName *name)
{
    switch (find_name(part)) {
    case NAME_VOLUME:
        str_add(out, name->volume);
        break;
    case NAME_VOLUME_ID:
        str_add(out, name->volume_id);
        break;
    case NAME_SCHEDULE:
        str_add(out, name->schedule);
        break;
    case NAME_SLOT:
        if (part->format)
            add_format(out, part, name);
        else
            add_compact(out, name->slot);
        break;
    case NAME_UNKNOWN:
        break;
    }
}

void template_fill(const char *text, const SlotName *name, Str *out)
{
    for (;;) {
        Part part = take_part(&text);
        if (part.type == PART_TEXT)
            str_addn(out, part.text, part.size);
        else if (part.type == PART_NAME)
            add_name(out, &part, name);
        else
            return; /* the end, in a template that has been checked */
    }
}

void slot_cut_name(Str *name)
{
    size_t size = 0;
    for (unsigned n = 0; n < DISPLAY_NAME_MAX && size < name->len; n++)
        size += utf8_step(name->data + size, name->len - size);
    if (size < name->len) {
        name->len = size;
        name->data[size] = 0;
    }
}
