/* Any bytes as the fields of an entry of the journal: what is shown is whole lines that drive no terminal, and JSON. */
#include "config.h"

#include "record/history.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "data/json-read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *line, size_t size)
{
    for (size_t at = 0, n; at < size; at += n) {
        n = utf8_step(line + at, size - at);
        if (utf8_is_unfit(line + at, n))
            abort();
    }
}

static void check_lines(const Str *out, bool json)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    const char *line = str_get(out), *end;
    for (; (end = strchr(line, '\n')); line = end + 1) {
        const Node *node;
        check_line(line, (size_t)(end - line));
        if (json && (json_read(arena, line, (size_t)(end - line), &node, NULL) < 0 || !node_get_text(node, "event")))
            abort();
    }
    if (*line)
        abort();
}

static void check_record(const HistoryFilter *filter, const HistoryRecord *record)
{
    if (!history_is_wanted(filter, record))
        return;
    if (history_is_verified(filter, record) && !history_is_ours(filter, record))
        abort();
    for (int json = 0; json < 2; json++) {
        CLEANUP(str_done) Str out = {0};
        HistoryStyle style = {.json = json};
        history_format(filter, record, &style, &out);
        check_lines(&out, json);
    }
}

/* With an id, which the fuzzer need not guess. */
static HistoryRecord *new_record(uint8_t event)
{
    CLEANUP(freep)
    char *id = xasprintf("%s=%s", entry_field_name(ENTRY_MESSAGE_ID), event_message_id(event % EVENT_MAX));
    HistoryRecord *record = history_record_new((usec_t)event << 56);
    history_record_add(record, id, strlen(id));
    return record;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HistoryFilter filter = {.until = UINT64_MAX, .folder = "/x/"};
    if (size == 0)
        return 0;
    memset(filter.events, true, sizeof(filter.events));
    CLEANUP(history_record_freep) HistoryRecord *record = new_record(data[0]);
    const uint8_t *end = data + size;
    for (data++; data < end;) {
        /* Which field, how long it is, and its value: short and quick to vary. */
        EntryField field = *data++ % ENTRY_FIELD_MAX;
        size_t n = data < end ? *data++ : 0;
        n = n < (size_t)(end - data) ? n : (size_t)(end - data);
        CLEANUP(str_done) Str text = {0};
        str_addf(&text, "%s=", entry_field_name(field));
        str_addn(&text, (const char *)data, n);
        history_record_add(record, str_get(&text), text.len);
        history_record_add(record, data, n);
        data += n;
    }
    check_record(&filter, record);
    return 0;
}
