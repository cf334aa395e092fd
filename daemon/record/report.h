/* What a round found and did, for people (text) and programs (JSON: the format of design section 6). */
#pragma once

#include "base/str.h"
#include "data/json-write.h"
#include "round.h"

typedef struct Report {
    const Specs *specs;
    const AccountResult *results;
    size_t n;
} Report;

typedef struct ReportTotals {
    size_t declared, objects, in_sync, held, observed, failed, errors, requests;
    size_t hints;       /* of `observed`, those that are no differences */
    size_t differences; /* planned, held or observed */
    size_t changes[ACTION_MAX][OUTCOME_MAX];
} ReportTotals;

ReportTotals report_totals(const Report *report);

typedef struct ReportStyle {
    bool colour;
    bool show_ignored;
    const char *specs_path; /* put before file names, so that a terminal can open them */
} ReportStyle;

/* Results go to `out`, errors (what could not be found out or done) to `errors`. */
void report_text(const Report *report, const ReportStyle *style, Str *out, Str *errors);
/* The errors alone; as the member "errors". */
void report_errors(const Report *report, const ReportStyle *style, Str *out);
void report_json_errors(const Report *report, JsonWriter *w);
/* What an attribute was and becomes: the members of an object that is being written. */
void report_delta(JsonWriter *w, const Delta *delta);
void report_json(const Report *report, bool show_ignored, Str *out);
