/* What must hold of every row of every table: of those that are there, and of those that will be added. */
#include "config.h"

#include "../../tests/unit/helper.h"

#include "attr/account.h"
#include "attr/kind.h"
#include "data/yaml-read.h"

#define TEXT_MAX 10000

typedef void RowTest(const Field *row, const char *table);

static void for_each_in(const Field *fields, const char *table, RowTest *test)
{
    for (const Field *f = fields; f->name; f++) {
        CLEANUP(freep) char *name = xasprintf("%s.%s", table, f->name);
        test(f, name);
        if (f->members)
            for_each_in(f->members, name, test);
    }
}

static void for_each_row(RowTest *test)
{
    for (const Kind *const *k = kinds; *k; k++)
        for_each_in((*k)->fields, (*k)->name, test);
    for (const AccountType *t = account_types; t->name; t++)
        for_each_in(t->fields, t->name, test);
    for_each_in(document_fields, "document", test);
    for_each_in(config_fields, "configuration", test);
}

#define CHECK(condition, name)                                                                                         \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fail_msg("%s: not so: %s", name, #condition);                                                              \
    } while (0)

static void check_doc(const Field *f, const char *name)
{
    CHECK(f->doc && strlen(f->doc) >= 8 && strlen(f->doc) <= 110, name);
    CHECK(!strchr(f->doc, '\n'), name);
    CHECK(f->doc[strlen(f->doc) - 1] != '.', name); /* it goes into the middle of messages */
}

static void every_row_has_one_line_of_help(void **state)
{
    (void)state;
    for_each_row(check_doc);
}

static void check_limits(const Field *f, const char *name)
{
    CHECK(f->type < FIELD_TYPE_MAX, name);
    CHECK(f->min >= 0, name);
    CHECK(!f->max || f->min <= f->max, name);
    if (f->type == FIELD_TEXT || f->type == FIELD_TEXT_LIST)
        CHECK(f->min >= 1 && f->max >= 1 && f->max <= TEXT_MAX, name);
    else if (f->type == FIELD_INT || f->type == FIELD_DURATION || f->type == FIELD_TEXT_SET || f->type == FIELD_FREE)
        CHECK(f->max > 0, name);
    else
        CHECK(f->min == 0 && f->max == 0, name);
    if (f->prefix)
        CHECK(f->type == FIELD_TEXT && (int64_t)strlen(f->prefix) < f->max, name);
}

static void every_row_has_sane_limits(void **state)
{
    (void)state;
    for_each_row(check_limits);
}

static void check_values(const Field *f, const char *name)
{
    CHECK((f->type == FIELD_ENUM) == (f->values != NULL), name);
    for (size_t i = 0; f->values && f->values[i]; i++)
        for (size_t k = 0; k < i; k++)
            CHECK(!streq(f->values[i], f->values[k]), name);
    if (f->values)
        CHECK(f->values[0], name);
}

static void enums_and_no_others_have_values(void **state)
{
    (void)state;
    for_each_row(check_values);
}

static void check_members(const Field *f, const char *name)
{
    if (f->members)
        CHECK(f->type == FIELD_MAP || f->type == FIELD_MAP_LIST, name);
    /* The rows of these two are put in when it is known which. */
    bool later = streq(name, "document.spec") || streq(name, "configuration.accounts");
    if (f->type == FIELD_MAP || f->type == FIELD_MAP_LIST)
        CHECK(!f->members == later, name);
    for (const Field *m = f->members; m && m->name; m++)
        CHECK(field_find(f->members, m->name) == m, name);
}

static void maps_have_members_with_names_of_their_own(void **state)
{
    (void)state;
    for_each_row(check_members);
    for (const Kind *const *k = kinds; *k; k++)
        for (const Field *f = (*k)->fields; f->name; f++)
            assert_ptr_equal(field_find((*k)->fields, f->name), f);
}

static bool accepts(const Field *f, const char *value);

static void check_attribute(const Field *f, const char *name)
{
    if (!(f->flags & FIELD_ATTRIBUTE)) {
        CHECK(!f->cloud_writes, name);
        return;
    }
    bool differs = f->type == FIELD_TEXT || f->type == FIELD_ENUM || f->type == FIELD_BOOL || f->type == FIELD_INT ||
                   f->type == FIELD_TAGS || f->type == FIELD_TAG_NAMESPACES || f->type == FIELD_TEXT_SET ||
                   f->type == FIELD_FREE;
    CHECK(differs, name);
    CHECK(!(f->flags & FIELD_AS_TEXT) || f->type == FIELD_INT, name);
    CHECK(!f->absent || (f->type == FIELD_ENUM && accepts(f, f->absent)), name);
    CHECK(!(f->flags & (FIELD_TARGET | FIELD_CONTAINER | FIELD_GLOB | FIELD_STATE | FIELD_REQUIRED)), name);
    if (f->cloud_writes)
        CHECK(starts_with(f->cloud_writes, f->name), name);
}

static void attributes_have_types_that_can_be_compared(void **state)
{
    (void)state;
    for_each_row(check_attribute);
}

/* Reads `{name: value}` by that one row. */
static bool accepts(const Field *f, const char *value)
{
    CLEANUP(arena_freep) Arena *arena = arena_new();
    CLEANUP(problems_freep) Problems *problems = problems_new();
    CLEANUP(freep) char *yaml = xasprintf("{%s: %s}", f->name, value);
    const Field table[] = {*f, {0}};
    const Node *node = yaml_read(arena, "f", yaml, strlen(yaml), problems)->items[0];
    const Node *typed = fields_read(&(FieldReader){arena, "f", problems}, table, node, "it");
    assert_int_equal(!typed, problems_errors(problems) > 0);
    return typed;
}

/* A quoted text of that many characters. */
static char *text_of(const Field *f, int64_t length)
{
    Str text = {0};
    str_addc(&text, '"');
    for (int64_t i = 0; i < length; i++)
        if (f->prefix && i < (int64_t)strlen(f->prefix))
            str_addc(&text, f->prefix[i]);
        else
            str_add(&text, i % 2 ? "a" : "\xc3\xa4");
    str_addc(&text, '"');
    return str_take(&text);
}

static void check_text_limits(const Field *f, const char *name)
{
    if (f->type != FIELD_TEXT)
        return;
    int64_t least = f->prefix && (int64_t)strlen(f->prefix) > f->min ? (int64_t)strlen(f->prefix) : f->min;
    CLEANUP(freep) char *shortest = text_of(f, least), *too_short = text_of(f, f->min - 1);
    CLEANUP(freep) char *longest = text_of(f, f->max), *too_long = text_of(f, f->max + 1);
    /* What has a grammar of its own does not take just any text. */
    CHECK(f->check || accepts(f, shortest), name);
    CHECK(!accepts(f, too_short), name);
    CHECK(f->check || accepts(f, longest), name);
    CHECK(!accepts(f, too_long), name);
    CHECK(!accepts(f, "[a]") && !accepts(f, "{a: b}") && !accepts(f, ""), name);
    if (f->prefix)
        CHECK(!accepts(f, "other"), name);
}

static void texts_are_accepted_up_to_their_limits_and_no_further(void **state)
{
    (void)state;
    for_each_row(check_text_limits);
}

static void check_number_limits(const Field *f, const char *name)
{
    if (f->type != FIELD_INT)
        return;
    const int64_t good[] = {f->min, f->max}, bad[] = {f->min - 1, f->max + 1};
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(freep) char *in = xasprintf("%lld", (long long)good[i]), *out = xasprintf("%lld", (long long)bad[i]);
        CHECK(accepts(f, in), name);
        CHECK(!accepts(f, out), name);
    }
}

static void numbers_are_accepted_up_to_their_limits_and_no_further(void **state)
{
    (void)state;
    for_each_row(check_number_limits);
}

static void check_enum(const Field *f, const char *name)
{
    for (size_t i = 0; f->values && f->values[i]; i++)
        CHECK(accepts(f, f->values[i]), name);
    if (f->values)
        CHECK(!accepts(f, "no-such-word") && !accepts(f, ""), name);
}

static void every_word_of_an_enum_is_accepted(void **state)
{
    (void)state;
    for_each_row(check_enum);
}

static void check_null(const Field *f, const char *name)
{
    bool is_map = field_is_map(f);
    bool nullable = f->flags & FIELD_NULLABLE;
    CHECK(accepts(f, "null") == (nullable && !is_map), name);
    CHECK(accepts(f, "~") == (nullable && !is_map), name);
    if (f->type == FIELD_TAGS)
        CHECK(accepts(f, "{a: null}") == nullable && accepts(f, "{a: \"null\"}"), name);
    if (f->type == FIELD_TAG_NAMESPACES)
        CHECK(accepts(f, "{A: {a: null}}") == nullable && accepts(f, "{A: {a: b}}"), name);
    if (f->type == FIELD_FREE)
        CHECK(accepts(f, "{a: null}") == nullable && accepts(f, "{a: \"null\"}"), name);
    if (nullable)
        CHECK(f->flags & FIELD_ATTRIBUTE, name);
}

static void check_names(const Field *f, const char *name)
{
    CHECK((f->type == FIELD_FREE) == (f->check_name != NULL), name);
    if (f->type != FIELD_FREE)
        return;
    CHECK(accepts(f, "{os_admin_user: root}") && !accepts(f, "{\"a b\": c}"), name);
    CHECK(!accepts(f, "[a]") && !accepts(f, "{a: [b]}") && !accepts(f, "{a: }"), name);
    if (f->flags & FIELD_ATTRIBUTE)
        CHECK(!accepts(f, "{id: a}") && !accepts(f, "{status: a}") && !accepts(f, "{name: a}"), name);
}

static void attributes_without_rows_have_names_that_are_nobody_elses(void **state)
{
    (void)state;
    for_each_row(check_names);
}

static void check_set(const Field *f, const char *name)
{
    if (f->type == FIELD_TEXT_SET)
        CHECK(accepts(f, "[a, b]") && accepts(f, "[]") && !accepts(f, "[a, a]") && !accepts(f, "a") &&
                  !accepts(f, "[\"\"]") && !accepts(f, "[null]"),
              name);
}

static void a_set_has_each_text_once(void **state)
{
    (void)state;
    for_each_row(check_set);
}

static void attributes_that_exclude_each_other_are_attributes(void **state)
{
    (void)state;
    for (const Kind *const *k = kinds; *k; k++)
        for (size_t i = 0; (*k)->exclusive && (*k)->exclusive[i][0]; i++)
            for (size_t side = 0; side < 2; side++)
                CHECK(field_find((*k)->fields, (*k)->exclusive[i][side])->flags & FIELD_ATTRIBUTE, (*k)->name);
}

static void null_is_accepted_only_where_something_can_be_absent(void **state)
{
    (void)state;
    for_each_row(check_null);
}

static size_t count(const Field *fields, unsigned flag)
{
    size_t n = 0;
    for (; fields->name; fields++)
        n += (fields->flags & flag) != 0;
    return n;
}

static void every_kind_has_one_target_and_one_selector(void **state)
{
    (void)state;
    for (const Kind *const *k = kinds; *k; k++) {
        const Field *selector = kind_selector(*k);
        CHECK(count((*k)->fields, FIELD_TARGET) == 1, (*k)->name);
        CHECK(kind_target(*k) && kind_target(*k)->type == FIELD_TEXT, (*k)->name);
        CHECK(streq(field_wire(kind_target(*k)), (*k)->id), (*k)->name);
        CHECK(selector && selector->type == FIELD_MAP && selector->members, (*k)->name);
        CHECK(count(selector->members, FIELD_CONTAINER) <= 1, (*k)->name);
        CHECK(count(selector->members, FIELD_STATE) == ((*k)->state != NULL), (*k)->name);
        CHECK(count(selector->members, FIELD_ATTRIBUTE | FIELD_TARGET | FIELD_NULLABLE) == 0, (*k)->name);
        CHECK(count((*k)->fields, FIELD_ATTRIBUTE) >= 1, (*k)->name);
    }
}

static void every_kind_is_whole(void **state)
{
    (void)state;
    for (const Kind *const *k = kinds; *k; k++) {
        assert_ptr_equal(kind_find((*k)->name), *k);
        CHECK((*k)->noun && (*k)->doc && (*k)->id && (*k)->collection[0] == '/', (*k)->name);
        CHECK(account_type_find((*k)->account_type), (*k)->name);
        const Field *account = field_find((*k)->fields, "account");
        CHECK(account && account->type == FIELD_TEXT && account->flags & FIELD_REQUIRED, (*k)->name);
        if ((*k)->state)
            CHECK((*k)->writable_states && (*k)->writable_states[0] && (*k)->gone_states, (*k)->name);
        for (const char *const *gone = (*k)->gone_states; gone && *gone; gone++)
            for (const char *const *good = (*k)->writable_states; *good; good++)
                CHECK(!streq(*gone, *good), (*k)->name);
    }
    assert_null(kind_find("NoSuchKind"));
}

static void the_states_of_a_kind_are_words_of_its_selector(void **state)
{
    (void)state;
    for (const Kind *const *k = kinds; *k; k++)
        for (const Field *f = kind_selector(*k)->members; f->name; f++)
            for (const char *const *s = f->flags & FIELD_STATE ? (*k)->writable_states : NULL; s && *s; s++)
                CHECK(f->type != FIELD_ENUM || accepts(f, *s), (*k)->name);
}

static void every_account_type_has_a_name_and_a_type(void **state)
{
    (void)state;
    for (const AccountType *t = account_types; t->name; t++) {
        const Field *name = field_find(t->fields, "name"), *type = field_find(t->fields, "type");
        CHECK(account_type_find(t->name) == t, t->name);
        CHECK(name && name->flags & FIELD_REQUIRED && name->type == FIELD_TEXT, t->name);
        CHECK(type && type->flags & FIELD_REQUIRED && accepts(type, t->name), t->name);
        CHECK(field_find(t->fields, "caFile"), t->name);
        for (const AuthKey *key = t->keys; key && key->auth; key++)
            CHECK(field_find(t->fields, key->key) && accepts(field_find(t->fields, "auth"), key->auth), t->name);
        CHECK(!t->keys == !t->auth && (!t->auth || accepts(field_find(t->fields, "auth"), t->auth)), t->name);
        CHECK(count(t->fields, FIELD_ATTRIBUTE | FIELD_TARGET | FIELD_NULLABLE) == 0, t->name);
    }
    assert_null(account_type_find("nocloud"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_one_line_of_help),
        cmocka_unit_test(every_row_has_sane_limits),
        cmocka_unit_test(enums_and_no_others_have_values),
        cmocka_unit_test(maps_have_members_with_names_of_their_own),
        cmocka_unit_test(attributes_have_types_that_can_be_compared),
        cmocka_unit_test(texts_are_accepted_up_to_their_limits_and_no_further),
        cmocka_unit_test(numbers_are_accepted_up_to_their_limits_and_no_further),
        cmocka_unit_test(every_word_of_an_enum_is_accepted),
        cmocka_unit_test(null_is_accepted_only_where_something_can_be_absent),
        cmocka_unit_test(attributes_without_rows_have_names_that_are_nobody_elses),
        cmocka_unit_test(a_set_has_each_text_once),
        cmocka_unit_test(attributes_that_exclude_each_other_are_attributes),
        cmocka_unit_test(every_kind_has_one_target_and_one_selector),
        cmocka_unit_test(every_kind_is_whole),
        cmocka_unit_test(the_states_of_a_kind_are_words_of_its_selector),
        cmocka_unit_test(every_account_type_has_a_name_and_a_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
