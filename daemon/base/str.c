#include "config.h"

#include "base/str.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include "base/utf8.h"

void str_done(Str *s)
{
    free(s->data);
    *s = (Str){0};
}

static void reserve(Str *s, size_t more)
{
    size_t need = s->len + more + 1;
    if (need <= s->size)
        return;
    s->size = need > s->size * 2 ? need + 16 : s->size * 2;
    s->data = xrealloc(s->data, s->size);
}

void str_addn(Str *s, const char *bytes, size_t n)
{
    reserve(s, n);
    if (n)
        memcpy(s->data + s->len, bytes, n);
    s->len += n;
    s->data[s->len] = 0;
}

void str_add(Str *s, const char *text)
{
    str_addn(s, text, strlen(text));
}

void str_addc(Str *s, char c)
{
    str_addn(s, &c, 1);
}

void str_addf(Str *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *text = xvasprintf(format, args);
    va_end(args);
    str_add(s, text);
}

void str_add_percent(Str *s, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (isalnum(*p) || strchr("-._~", *p)) {
            str_addc(s, (char)*p);
        } else {
            char escaped[] = {'%', hex[*p >> 4], hex[*p & 15]};
            str_addn(s, escaped, sizeof(escaped));
        }
    }
}

void str_clear(Str *s)
{
    s->len = 0;
    if (s->data)
        s->data[0] = 0;
}

const char *str_get(const Str *s)
{
    return s->data ? s->data : "";
}

char *str_take(Str *s)
{
    char *data = s->data ? s->data : xstrdup("");
    *s = (Str){0};
    return data;
}

char *str_printable(const char *text, size_t max)
{
    if (!text)
        return NULL;
    Str out = {0};
    size_t size = strnlen(text, max);
    for (size_t at = 0, n; at < size; at += n) {
        n = utf8_step(text + at, size - at);
        if (utf8_is_unfit(text + at, n))
            str_addc(&out, '?');
        else
            str_addn(&out, text + at, n);
    }
    return str_take(&out);
}

char *str_drop_digits(char *text)
{
    char *to = text;
    for (const char *p = text; *p; p++)
        if (*p < '0' || *p > '9')
            *to++ = *p;
    *to = 0;
    return text;
}

char *str_strip(char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    char *end = s + strlen(s);
    while (end > s && isspace((unsigned char)end[-1]))
        *--end = 0;
    return s;
}

static bool same_char(char a, char b, bool fold)
{
    return fold ? tolower((unsigned char)a) == tolower((unsigned char)b) : a == b;
}

/* Iterative, with one point to come back to for each kind of star: time is bounded by pattern length × text length. */
bool glob_match(const char *pattern, const char *text, bool dots, bool fold)
{
    const char *star = NULL, *star_text = NULL, *deep = NULL, *deep_text = NULL;
    for (;;) {
        if (*pattern == '*') {
            bool crosses = !dots || pattern[1] == '*';
            while (*pattern == '*')
                pattern++;
            if (crosses) {
                deep = pattern;
                deep_text = text;
                star = NULL;
            } else {
                star = pattern;
                star_text = text;
            }
            continue;
        }
        if (!*text && !*pattern)
            return true;
        if (*text && *pattern && (same_char(*pattern, *text, fold) || (*pattern == '?' && !(dots && *text == '.')))) {
            /* `?` takes a whole character of UTF-8. */
            bool any = *pattern++ == '?';
            text++;
            while (any && ((unsigned char)*text & 0xC0) == 0x80)
                text++;
            continue;
        }
        if (star && *star_text && *star_text != '.') {
            pattern = star;
            text = ++star_text;
        } else if (deep && *deep_text) {
            pattern = deep;
            text = ++deep_text;
            star = NULL;
        } else {
            return false;
        }
    }
}

#define NEAREST_MAX 64

static size_t edit_distance(const char *a, const char *b)
{
    size_t n = strlen(b), row[NEAREST_MAX + 1];
    if (n > NEAREST_MAX || strlen(a) > NEAREST_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];
            size_t best = diagonal + !same_char(a[i - 1], b[j - 1], true);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[n];
}

const char *nearest_name(const char *word, const char *const *names)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 1;
    for (; *names; names++) {
        size_t d = edit_distance(word, *names);
        if (d < best_distance || (d == best_distance && !best)) {
            best = *names;
            best_distance = d;
        }
    }
    return best;
}
