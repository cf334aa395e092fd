#include "config.h"

#include "data/problem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/vec.h"

#define SHOWN_MAX 100
#define KEPT_MAX 1000     /* more are only counted: a hostile file may have a million */
#define COLUMN_MAX 20000  /* beyond it no excerpt is cut: a file may be one line of millions */
#define EXCERPT_MAX 100   /* characters; of longer lines the part around the column is shown */
#define EXCERPT_BEFORE 60 /* characters of such a line that stand before the column */

typedef struct Source {
    char *file;
    const char *text; /* lent */
    size_t size;
    VEC(size_t) lines; /* where each begins; empty until the first excerpt is asked for */
} Source;

typedef struct Problem {
    ProblemLevel level;
    char *file; /* fit to be shown, like all text here */
    Mark mark;
    size_t order;
    char *message;
    char *excerpt; /* NULL: the line is not known */
    char *indent;  /* what stands below the excerpt before the caret; NULL: no caret */
} Problem;

struct Problems {
    VEC(Problem) kept;
    VEC(Source) sources;
    size_t count, errors;
    char *first; /* what problems_first lent */
};

Problems *problems_new(void)
{
    return xcalloc(1, sizeof(Problems));
}

static void source_done(Source *source)
{
    free(source->file);
    VEC_DONE(&source->lines);
}

void problems_free(Problems *problems)
{
    if (!problems)
        return;
    for (size_t i = 0; i < problems->kept.n; i++) {
        Problem *p = &problems->kept.items[i];
        free(p->file);
        free(p->message);
        free(p->excerpt);
        free(p->indent);
    }
    for (size_t i = 0; i < problems->sources.n; i++)
        source_done(&problems->sources.items[i]);
    VEC_DONE(&problems->kept);
    VEC_DONE(&problems->sources);
    free(problems->first);
    free(problems);
}

static Source *find_source(const Problems *problems, const char *file)
{
    for (size_t i = problems->sources.n; i > 0; i--)
        if (streq(problems->sources.items[i - 1].file, file))
            return &problems->sources.items[i - 1];
    return NULL;
}

void problems_add_source(Problems *problems, const char *file, const char *text, size_t size)
{
    problems_forget_source(problems, file);
    *VEC_ADD(&problems->sources) = (Source){.file = xstrdup(file), .text = text, .size = size};
}

void problems_forget_source(Problems *problems, const char *file)
{
    Source *source = find_source(problems, file);
    if (!source)
        return;
    source_done(source);
    *source = problems->sources.items[--problems->sources.n];
}

static void add_character(Str *out, const char *p, size_t n)
{
    if (utf8_is_unfit(p, n))
        str_addc(out, '?');
    else
        str_addn(out, p, n);
}

static void find_lines(Source *s)
{
    *VEC_ADD(&s->lines) = utf8_bom(s->text, s->size);
    for (size_t at = 0; at < s->size;) {
        size_t n = utf8_line_break(s->text + at, s->size - at);
        at += n ? n : 1;
        if (n)
            *VEC_ADD(&s->lines) = at;
    }
}

/* The line without its end, or NULL. Of a very long line as much as an excerpt can need. */
static const char *find_line(Source *s, Mark mark, size_t *ret_size)
{
    if (!s->lines.n)
        find_lines(s);
    if (mark.line > s->lines.n || mark.column > COLUMN_MAX)
        return NULL;
    size_t from = s->lines.items[mark.line - 1], to = from;
    size_t most = ((size_t)mark.column + EXCERPT_MAX) * 4 + 1;
    while (to < s->size && to - from < most && !utf8_line_break(s->text + to, s->size - to))
        to++;
    *ret_size = to - from;
    return s->text + from;
}

static void cut_excerpt(Problem *p, const char *line, size_t size)
{
    CLEANUP(str_done) Str text = {0};
    CLEANUP(str_done) Str indent = {0};
    size_t column = p->mark.column, at = 0, character = 1;
    if (size > EXCERPT_MAX && column > EXCERPT_BEFORE) {
        for (; at < size && character + EXCERPT_BEFORE < column; character++)
            at += utf8_step(line + at, size - at);
        str_add(&text, "...");
        str_add(&indent, "   ");
    }
    for (size_t end = character + EXCERPT_MAX; at < size && character < end; character++) {
        size_t n = utf8_step(line + at, size - at);
        bool tab = line[at] == '\t';
        if (tab)
            str_addc(&text, '\t');
        else
            add_character(&text, line + at, n);
        if (character < column)
            str_addc(&indent, tab ? '\t' : ' ');
        at += n;
    }
    if (at < size)
        str_add(&text, "...");
    p->excerpt = str_take(&text);
    p->indent = column ? str_take(&indent) : NULL;
}

void problem_add(Problems *problems, ProblemLevel level, const char *file, Mark mark, const char *format, ...)
{
    problems->errors += level == PROBLEM_ERROR;
    if (problems->count++ >= KEPT_MAX)
        return;
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *message = xvasprintf(format, args);
    va_end(args);
    Problem *p = VEC_ADD(&problems->kept);
    *p = (Problem){.level = level,
                   .file = str_printable(file, SIZE_MAX),
                   .mark = mark,
                   .order = problems->count,
                   .message = str_printable(message, SIZE_MAX)};
    Source *source = mark.line ? find_source(problems, file) : NULL;
    size_t size = 0;
    const char *line = source ? find_line(source, mark, &size) : NULL;
    if (line && size > 0)
        cut_excerpt(p, line, size);
}

size_t problems_errors(const Problems *problems)
{
    return problems->errors;
}

size_t problems_count(const Problems *problems)
{
    return problems->count;
}

static int compare_problems(const void *a, const void *b)
{
    const Problem *x = *(const Problem *const *)a, *y = *(const Problem *const *)b;
    int by_file = strcmp(x->file, y->file);
    if (by_file)
        return by_file;
    if (x->mark.line != y->mark.line)
        return x->mark.line < y->mark.line ? -1 : 1;
    if (x->mark.column != y->mark.column)
        return x->mark.column < y->mark.column ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static const Problem **sort_problems(const Problems *problems)
{
    size_t n = problems->kept.n;
    const Problem **sorted = xmalloc(n * sizeof(const Problem *));
    for (size_t i = 0; i < n; i++)
        sorted[i] = &problems->kept.items[i];
    qsort(sorted, n, sizeof(const Problem *), compare_problems);
    return sorted;
}

static void add_place(Str *out, const Problem *p)
{
    str_add(out, p->file);
    if (p->mark.line)
        str_addf(out, ":%u", p->mark.line);
    if (p->mark.line && p->mark.column)
        str_addf(out, ":%u", p->mark.column);
    str_addc(out, ':');
}

static void add_problem(Str *out, const Problem *p, bool colour)
{
    const char *reset = colour ? "\033[0m" : "";
    str_add(out, colour ? "\033[1m" : "");
    add_place(out, p);
    str_addf(out, "%s ", reset);
    if (p->level == PROBLEM_ERROR)
        str_addf(out, "%serror:%s", colour ? "\033[1;31m" : "", reset);
    else
        str_addf(out, "%swarning:%s", colour ? "\033[1;35m" : "", reset);
    str_addf(out, " %s\n", p->message);
    if (p->excerpt)
        str_addf(out, "%5u | %s\n", p->mark.line, p->excerpt);
    if (p->excerpt && p->indent)
        str_addf(out, "      | %s%s^%s\n", p->indent, colour ? "\033[1;32m" : "", reset);
}

void problems_format(const Problems *problems, bool colour, Str *out)
{
    CLEANUP(freep) const Problem **sorted = sort_problems(problems);
    size_t shown = problems->kept.n < SHOWN_MAX ? problems->kept.n : SHOWN_MAX;
    for (size_t i = 0; i < shown; i++)
        add_problem(out, sorted[i], colour);
    size_t rest = problems->count - shown;
    if (rest)
        str_addf(out, "... and %zu more problem%s\n", rest, rest == 1 ? "" : "s");
}

const char *problems_first(Problems *problems)
{
    CLEANUP(freep) const Problem **sorted = sort_problems(problems);
    for (size_t i = 0; i < problems->kept.n; i++) {
        if (sorted[i]->level != PROBLEM_ERROR)
            continue;
        CLEANUP(str_done) Str out = {0};
        add_place(&out, sorted[i]);
        str_addf(&out, " %s", sorted[i]->message);
        free(problems->first);
        problems->first = str_take(&out);
        return problems->first;
    }
    return NULL;
}
