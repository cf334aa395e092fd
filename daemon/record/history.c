#include "config.h"

#include "record/history.h"

#include "base/vec.h"
#include "data/json-read.h"
#include "data/json-write.h"

#define TEXT_MAX ((size_t)64 * 1024)          /* of a field other than a change */
#define RECORD_MAX (8 * HISTORY_FIELD_MAX)    /* of all fields of an entry */
#define CHANGES_MAX 1000                      /* the journal takes fewer fields in an entry */
#define TIME_MAX ((usec_t)253402300799999999) /* the end of the year 9999 */
#define SHOWN_MAX 300                         /* of a value, to people */
#define MESSAGE_MAX 2000
#define REVISION_SHOWN 12

struct HistoryRecord {
    Arena *arena;
    usec_t time;
    const char *texts[ENTRY_FIELD_MAX];
    VEC(const Node *) changes; /* {"path":…,"from":…,"to":…} */
    size_t size;               /* of what was taken so far */
    size_t left_out;           /* changes that could not be taken */
    bool ambiguous;            /* says two things of its writer, which no journal does by itself */
};

HistoryRecord *history_record_new(usec_t time)
{
    HistoryRecord *record = xcalloc(1, sizeof(*record));
    record->arena = arena_new();
    record->time = time < TIME_MAX ? time : TIME_MAX;
    return record;
}

void history_record_free(HistoryRecord *record)
{
    if (!record)
        return;
    VEC_DONE(&record->changes);
    arena_free(record->arena);
    free(record);
}

/* Bytes that are not UTF-8 are left to whoever shows them; a NUL would end the text too early. */
static const char *value_text(Arena *arena, const char *value, size_t size)
{
    CLEANUP(str_done) Str text = {0};
    for (const char *nul; (nul = memchr(value, 0, size)); value = nul + 1) {
        str_addn(&text, value, (size_t)(nul - value));
        str_add(&text, "\xef\xbf\xbd"); /* U+FFFD */
        size -= (size_t)(nul - value) + 1;
    }
    str_addn(&text, value, size);
    return arena_strdup(arena, str_get(&text));
}

static void add_change(HistoryRecord *record, const char *value, size_t size)
{
    const Node *change;
    if (size <= HISTORY_FIELD_MAX && record->size + size <= RECORD_MAX && record->changes.n < CHANGES_MAX &&
        json_read(record->arena, value, size, &change, NULL) == 0 && node_get_text(change, "path")) {
        *VEC_ADD(&record->changes) = change;
        record->size += size;
    } else {
        record->left_out++;
    }
}

void history_record_add(HistoryRecord *record, const void *data, size_t size)
{
    const char *name = data, *equals = memchr(data, '=', size);
    EntryField field = equals ? entry_field_find(name, (size_t)(equals - name)) : ENTRY_FIELD_MAX;
    if (field == ENTRY_FIELD_MAX)
        return;
    const char *value = equals + 1;
    size -= (size_t)(value - name);
    if (field == ENTRY_CHANGE) {
        add_change(record, value, size);
        return;
    }
    size = size < TEXT_MAX ? size : TEXT_MAX;
    if (record->size + size > RECORD_MAX)
        return;
    record->size += size;
    const char *text = value_text(record->arena, value, size), *before = record->texts[field];
    if (!before)
        record->texts[field] = text;
    else if (field >= ENTRY_UNIT && !streq(before, text))
        record->ambiguous = true;
}

const char *history_record_get(const HistoryRecord *record, EntryField field)
{
    return record->texts[field];
}

/* EVENT_MAX: none of ours. */
static Event event_of(const HistoryRecord *record)
{
    const char *id = record->texts[ENTRY_MESSAGE_ID];
    return id ? event_by_message_id(id) : EVENT_MAX;
}

static bool matches(const char *glob, const char *text)
{
    return text && glob_match(glob, text, false, false);
}

/* "imagekeeperd@NAME.service", where `of` is imagekeeperd; of that name, or of any if `instance` is NULL */
static bool is_instance(const char *unit, const char *of, const char *instance)
{
    static const char after[] = ".service";
    if (!unit || !starts_with(unit, of) || unit[strlen(of)] != '@')
        return false;
    const char *name = unit + strlen(of) + 1;
    size_t n = strlen(name), end = strlen(after);
    if (n <= end || !streq(name + n - end, after))
        return false;
    return !instance || (strlen(instance) == n - end && memcmp(name, instance, n - end) == 0);
}

bool history_is_wanted(const HistoryFilter *filter, const HistoryRecord *record)
{
    Event event = event_of(record);
    if (event == EVENT_MAX || !filter->events[event] || record->time < filter->since || record->time > filter->until)
        return false;
    for (EntryField field = 0; field < ENTRY_FIELD_MAX; field++) {
        const char *glob = filter->globs[field];
        /* What was made is a target too. */
        if (glob && !matches(glob, record->texts[field]) &&
            !(field == ENTRY_TARGET && matches(glob, record->texts[ENTRY_CREATED])))
            return false;
    }
    return !filter->instance || is_instance(record->texts[ENTRY_UNIT], "imagekeeperd", filter->instance);
}

static bool is_in(const char *exe, const char *folder)
{
    if (!folder || !starts_with(exe, folder))
        return false;
    const char *name = exe + strlen(folder);
    return streq(name, "imagekeeper") || streq(name, "imagekeeperd");
}

static bool is_our_unit(const char *unit)
{
    return unit && (streq(unit, "imagekeeperd.service") || streq(unit, "imagekeeper-sync.service") ||
                    is_instance(unit, "imagekeeperd", NULL) || is_instance(unit, "imagekeeper-sync", NULL));
}

static bool is_our_program(const HistoryFilter *filter, const char *exe)
{
    static const char *const folders[] = {"/usr/local/bin/", "/usr/local/sbin/", "/usr/bin/", "/usr/sbin/", "/bin/",
                                          "/sbin/"};
    for (size_t i = 0; exe && i < ARRAY_SIZE(folders); i++)
        if (is_in(exe, folders[i]))
            return true;
    return exe && is_in(exe, filter->folder);
}

bool history_is_ours(const HistoryFilter *filter, const HistoryRecord *record)
{
    return !record->ambiguous &&
           (is_our_unit(record->texts[ENTRY_UNIT]) || is_our_program(filter, record->texts[ENTRY_EXE]));
}

bool history_is_verified(const HistoryFilter *filter, const HistoryRecord *record)
{
    const char *uid = record->texts[ENTRY_UID];
    return history_is_ours(filter, record) && (is_our_unit(record->texts[ENTRY_UNIT]) || (uid && streq(uid, "0")));
}

static int by_path(const void *a, const void *b)
{
    return strcmp(node_get_text(*(const Node *const *)a, "path"), node_get_text(*(const Node *const *)b, "path"));
}

/* In order: the journal has none. The caller frees the array. */
static const Node **sorted_changes(const HistoryRecord *record)
{
    size_t n = record->changes.n;
    const Node **sorted = xcalloc(n + 1, sizeof(*sorted));
    for (size_t i = 0; i < n; i++)
        sorted[i] = record->changes.items[i];
    qsort(sorted, n, sizeof(*sorted), by_path);
    return sorted;
}

static void json_changes(JsonWriter *w, const char *member, const HistoryRecord *record)
{
    static const char *const members[] = {"path", "from", "to"};
    CLEANUP(freep) const Node **sorted = sorted_changes(record);
    json_begin_array(w, member);
    for (size_t i = 0; i < record->changes.n; i++) {
        json_begin_object(w, NULL);
        for (size_t m = 0; m < ARRAY_SIZE(members); m++)
            json_node(w, members[m], node_get(sorted[i], members[m]));
        json_end_object(w);
    }
    json_end_array(w);
}

static bool is_number(const char *text)
{
    size_t n = strspn(text, "0123456789");
    return n > 0 && n <= 15 && !text[n];
}

static void json_number(JsonWriter *w, const char *member, const char *text)
{
    if (text && is_number(text))
        json_integer(w, member, strtoll(text, NULL, 10));
    else
        json_text(w, member, NULL);
}

/* "golden.yaml:1" */
static void json_place(JsonWriter *w, const char *member, const char *text)
{
    const char *colon = text ? strrchr(text, ':') : NULL;
    bool has_line = colon && is_number(colon + 1);
    CLEANUP(freep) char *file = has_line ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
    json_text(w, member, file);
    json_number(w, "line", has_line ? colon + 1 : NULL);
}

/* Attributes that whoever wrote the entry left out, and those that could not be taken from it. */
static size_t left_out(const HistoryRecord *record)
{
    const char *told = record->texts[ENTRY_LEFT_OUT];
    return record->left_out + (told && is_number(told) ? strtoull(told, NULL, 10) : 0);
}

static void json_field(JsonWriter *w, const HistoryRecord *record, EntryField field)
{
    const char *member = entry_field_member(field), *text = record->texts[field];
    switch (entry_field_type(field)) {
    case ENTRY_AS_TEXT:
        json_text(w, member, text);
        break;
    case ENTRY_AS_NUMBER:
        json_number(w, member, text);
        break;
    case ENTRY_AS_COUNT:
        json_integer(w, member, (int64_t)left_out(record));
        break;
    case ENTRY_AS_PLACE:
        json_place(w, member, text);
        break;
    case ENTRY_AS_CHANGES:
        json_changes(w, member, record);
        break;
    case ENTRY_AS_NOTHING:
        break;
    }
}

static void format_json(const HistoryFilter *filter, const HistoryRecord *record, Str *out)
{
    char time[RFC3339_SIZE];
    CLEANUP(str_done) Str text = {0};
    JsonWriter w = {.out = &text};
    json_begin_object(&w, NULL);
    json_text(&w, "time", format_rfc3339_usec(record->time, time));
    json_text(&w, "event", event_name(event_of(record)));
    for (EntryField field = 0; field < ENTRY_FIELD_MAX; field++)
        json_field(&w, record, field);
    json_boolean(&w, "verified", history_is_verified(filter, record));
    json_end_object(&w);
    CLEANUP(freep) char *line = json_for_terminal(str_get(&text));
    str_add(out, line);
    str_addc(out, '\n');
}

/* At most `max` bytes of it, between two texts. */
static void show(Str *out, const char *before, const char *text, size_t max, const char *after)
{
    CLEANUP(freep) char *printable = str_printable(text, max);
    if (printable)
        str_addf(out, "%s%s%s%s", before, printable, strlen(text) > max ? "…" : "", after);
}

static void show_field(Str *out, const char *before, const HistoryRecord *record, EntryField field, const char *after)
{
    show(out, before, record->texts[field], SHOWN_MAX, after);
}

static void show_value(Str *out, const char *before, const Node *value)
{
    CLEANUP(str_done) Str text = {0};
    json_show_node(&text, value && value->type == NODE_NULL ? NULL : value);
    show(out, before, str_get(&text), SHOWN_MAX, "");
}

static void show_what(const HistoryRecord *record, Str *out)
{
    CLEANUP(freep) const Node **sorted = sorted_changes(record);
    for (size_t i = 0; i < record->changes.n; i++) {
        show(out, "    ", node_get_text(sorted[i], "path"), SHOWN_MAX, "");
        show_value(out, ": ", node_get(sorted[i], "from"));
        show_value(out, " -> ", node_get(sorted[i], "to"));
        str_addc(out, '\n');
    }
    if (left_out(record))
        str_addf(out, "    (%zu more attribute%s)\n", left_out(record), left_out(record) == 1 ? "" : "s");
    /* The message has the attributes in it, too. */
    show(out, "    ", record->texts[record->changes.n ? ENTRY_REASON : ENTRY_MESSAGE], MESSAGE_MAX, "\n");
}

static void show_writer(const HistoryFilter *filter, const HistoryRecord *record, Str *out)
{
    const char *exe = record->texts[ENTRY_EXE];
    bool ours = history_is_ours(filter, record);
    str_add(out, "by ");
    if (ours && is_our_unit(record->texts[ENTRY_UNIT])) {
        show_field(out, "", record, ENTRY_UNIT, "\n");
        return;
    }
    show(out, "", exe ? exe : "an unknown program", SHOWN_MAX, "");
    show_field(out, " in ", record, ENTRY_UNIT, "");
    show_field(out, ", user ", record, ENTRY_UID, "");
    show_field(out, ", logged in as ", record, ENTRY_LOGIN_UID, "");
    show_field(out, ", pid ", record, ENTRY_PID, "");
    str_add(out, !ours ? ": NOT VERIFIED\n" : history_is_verified(filter, record) ? "\n" : ", not verified\n");
}

static void format_text(const HistoryFilter *filter, const HistoryRecord *record, bool colour, Str *out)
{
    char time[RFC3339_SIZE];
    Event event = event_of(record);
    const char *paint = event_level(event) <= LOG_ERR       ? "\033[31m"
                        : event_level(event) == LOG_WARNING ? "\033[33m"
                                                            : "";
    bool painted = colour && *paint;
    str_addf(out, "%s  %s%s%s", format_rfc3339_local(record->time, time), painted ? paint : "", event_name(event),
             painted ? "\033[0m" : "");
    show_field(out, "  ", record, ENTRY_KIND, "");
    show_field(out, " ", record, ENTRY_NAME, "");
    show_field(out, " (", record, ENTRY_ACCOUNT, ")");
    show_field(out, "  ", record, ENTRY_TARGET, "");
    show_field(out, "  slot ", record, ENTRY_SLOT, "");
    str_addc(out, '\n');
    show_what(record, out);
    str_add(out, "    ");
    show(out, "revision ", record->texts[ENTRY_REVISION], REVISION_SHOWN, ", ");
    show_field(out, "opc-request-id ", record, ENTRY_OPC_REQUEST_ID, ", ");
    show_field(out, "", record, ENTRY_SPEC, ", ");
    show_writer(filter, record, out);
}

void history_format(const HistoryFilter *filter, const HistoryRecord *record, const HistoryStyle *style, Str *out)
{
    if (style->json)
        format_json(filter, record, out);
    else
        format_text(filter, record, style->colour, out);
}
