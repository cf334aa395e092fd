/* Steps through bytes that should be UTF-8. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

static inline bool utf8_follows(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Bytes of the character at `s`, of which `n` > 0 can be read: 1 to 4, or 0 when it is no valid UTF-8 (overlong forms,
 * surrogates and what lies beyond U+10FFFF included). */
static inline size_t utf8_length(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n < 2 || !utf8_follows(p[1]))
        return 0;
    if (p[0] < 0xe0)
        return 2;
    if (n < 3 || !utf8_follows(p[2]))
        return 0;
    if (p[0] < 0xf0)
        return (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ? 0 : 3;
    if (n < 4 || !utf8_follows(p[3]))
        return 0;
    return (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ? 0 : 4;
}

/* The same, but goes over a byte that is no UTF-8 as if it were a character. */
static inline size_t utf8_step(const char *s, size_t n)
{
    size_t length = utf8_length(s, n);
    return length ? length : 1;
}

/* Bytes of the line break at `s`, 0 when there is none. NEL, LS and PS count too, because libyaml counts them. */
static inline size_t utf8_line_break(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    switch (p[0]) {
    case '\n':
        return 1;
    case '\r':
        return n > 1 && p[1] == '\n' ? 2 : 1;
    case 0xc2:
        return n > 1 && p[1] == 0x85 ? 2 : 0;
    case 0xe2:
        return n > 2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9) ? 3 : 0;
    default:
        return 0;
    }
}

/* Bytes of a byte order mark at the beginning: 3 or 0. */
static inline size_t utf8_bom(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    return n >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf ? 3 : 0;
}

/* Is the character of `n` bytes at `s` not to be shown as it is? Control characters could drive the terminal, and
 * direction marks make a line look like another one. */
static inline bool utf8_is_unfit(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    switch (n) {
    case 1:
        return p[0] < 0x20 || p[0] >= 0x7f;
    case 2:
        return p[0] == 0xc2 && p[1] < 0xa0;
    case 3:
        if (p[0] == 0xe2 && p[1] == 0x80)
            return p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae);
        if (p[0] == 0xe2 && p[1] == 0x81)
            return p[2] >= 0xa6 && p[2] <= 0xa9;
        return p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf;
    default:
        return false;
    }
}
