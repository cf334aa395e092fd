/* Zones for unit tests, made of what a TZif file would say of them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "schedule/zone.h"

/* An instant from its text. */
__attribute__((unused)) static usec_t at(const char *time)
{
    usec_t t;
    assert_int_equal(parse_rfc3339(time, &t), 0);
    return t;
}

/* An offset and its abbreviation of three letters; a change to types[type]. */
typedef struct TestType {
    int32_t offset;
    const char *abbreviation;
} TestType;

typedef struct TestChange {
    int64_t at;
    unsigned char type;
} TestChange;

typedef struct TestZone {
    const TestType *types;
    size_t n_types;
    const TestChange *changes;
    size_t n_changes;
    const char *rule;
} TestZone;

__attribute__((unused)) static void add_big(Str *s, int64_t value, int size)
{
    while (size-- > 0)
        str_addc(s, (char)((uint64_t)value >> 8 * size));
}

__attribute__((unused)) static void add_block(Str *s, char version, const TestZone *z, int time_size)
{
    str_add(s, "TZif");
    str_addc(s, version);
    str_addn(s, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15 + 12);
    add_big(s, (int64_t)z->n_changes, 4);
    add_big(s, (int64_t)z->n_types, 4);
    add_big(s, (int64_t)z->n_types * 4, 4);
    for (size_t i = 0; i < z->n_changes; i++)
        add_big(s, z->changes[i].at, time_size);
    for (size_t i = 0; i < z->n_changes; i++)
        str_addc(s, (char)z->changes[i].type);
    for (size_t i = 0; i < z->n_types; i++) {
        add_big(s, z->types[i].offset, 4);
        add_big(s, (int64_t)i * 4, 2);
    }
    for (size_t i = 0; i < z->n_types; i++)
        str_addn(s, z->types[i].abbreviation, 4);
}

/* The file of version 2, whose first block says something else. */
__attribute__((unused)) static void zone_file(Str *s, const TestZone *z)
{
    static const TestType wrong = {1234, "BAD"};
    add_block(s, '2', &(TestZone){.types = &wrong, .n_types = 1}, 4);
    add_block(s, '2', z, 8);
    str_addf(s, "\n%s\n", z->rule ? z->rule : "");
}

__attribute__((unused)) static Zone *zone_make(const TestZone *z)
{
    CLEANUP(str_done) Str file = {0};
    CLEANUP(error_freep) Error *err = NULL;
    Zone *zone = NULL;
    zone_file(&file, z);
    if (zone_parse("Test/Zone", str_get(&file), file.len, &zone, &err) < 0)
        fail_msg("%s", err->message);
    return zone;
}

/* A zone that nothing but its rule makes. */
__attribute__((unused)) static Zone *zone_of_rule(int32_t offset, const char *rule)
{
    TestType type = {offset, "STD"};
    return zone_make(&(TestZone){.types = &type, .n_types = 1, .rule = rule});
}

#define BERLIN 3600, "CET-1CEST,M3.5.0,M10.5.0/3"
#define NEW_YORK (-18000), "EST5EDT,M3.2.0,M11.1.0"
#define LORD_HOWE 37800, "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"
