#include "config.h"

#include "../../tests/unit/helper.h"

#include "record/fold.h"

static void add_subject(void *userdata, const Subject *subject)
{
    str_addf(userdata, "%s;", subject->text);
}

static void assert_passed(Fold *fold, const char *prefix, const char *expected)
{
    CLEANUP(str_done) Str passed = {0};
    fold_end_round(fold, prefix, add_subject, &passed);
    assert_string_equal(str_get(&passed), expected);
}

static void a_lasting_condition_is_said_once(void **state)
{
    (void)state;
    CLEANUP(fold_freep) Fold *fold = fold_new();
    for (usec_t now = 1; now < 1 + USEC_PER_HOUR; now += USEC_PER_MINUTE) {
        assert_int_equal(fold_meet(fold, "k", &(Subject){.text = "s"}, now), now == 1);
        assert_passed(fold, "", "");
    }
}

static void it_is_said_again_each_hour_with_a_count(void **state)
{
    (void)state;
    CLEANUP(fold_freep) Fold *fold = fold_new();
    unsigned said[3] = {0}, n = 0;
    for (unsigned minute = 0; minute <= 120; minute++) {
        unsigned met = fold_meet(fold, "k", &(Subject){.text = "s"}, 1 + minute * USEC_PER_MINUTE);
        if (met)
            said[n++] = met;
        assert_passed(fold, "", "");
    }
    assert_int_equal(n, 3);
    assert_int_equal(said[0], 1);
    assert_int_equal(said[1], 60);
    assert_int_equal(said[2], 60);
}

static void within_a_round_it_counts_once(void **state)
{
    (void)state;
    CLEANUP(fold_freep) Fold *fold = fold_new();
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 5; k++)
            fold_meet(fold, "k", &(Subject){.text = "s"}, 1);
        assert_passed(fold, "", "");
    }
    assert_int_equal(fold_meet(fold, "k", &(Subject){.text = "s"}, 1 + USEC_PER_HOUR), 3);
}

static void what_has_passed_is_said_once_and_forgotten(void **state)
{
    (void)state;
    CLEANUP(fold_freep) Fold *fold = fold_new();
    fold_meet(fold, "k", &(Subject){.text = "s"}, 1);
    fold_meet(fold, "quiet", NULL, 1);
    assert_passed(fold, "", "");
    assert_passed(fold, "", "s;");
    assert_passed(fold, "", "");
    assert_int_equal(fold_meet(fold, "k", &(Subject){.text = "s"}, 2), 1);
}

static void add_whole_subject(void *userdata, const Subject *s)
{
    str_addf(userdata, "%s %s %s %s %s;", s->text, s->kind, s->name, s->account, s->target ? s->target : "-");
}

static void what_it_is_about_is_kept_and_told_at_the_end(void **state)
{
    (void)state;
    CLEANUP(fold_freep) Fold *fold = fold_new();
    CLEANUP(str_done) Str passed = {0};
    char name[] = "ol9";
    fold_meet(fold, "k", &(Subject){"s", "OciImage", name, "prod", NULL}, 1);
    memset(name, 'x', 3); /* it was copied */
    fold_end_round(fold, "", add_whole_subject, &passed);
    fold_end_round(fold, "", add_whole_subject, &passed);
    assert_string_equal(str_get(&passed), "s OciImage ol9 prod -;");
}

static void what_could_not_be_looked_at_stays(void **state)
{
    (void)state;
    CLEANUP(fold_freep) Fold *fold = fold_new();
    fold_meet(fold, "prod/a", &(Subject){.text = "a"}, 1);
    fold_meet(fold, "prod/b", &(Subject){.text = "b"}, 1);
    assert_passed(fold, "", "");
    fold_keep(fold, "prod/a");
    assert_passed(fold, "", "b;");
    assert_int_equal(fold_meet(fold, "prod/a", &(Subject){.text = "a"}, 2), 0);
    assert_passed(fold, "", "");
    assert_passed(fold, "", "a;");
}

static void a_round_ends_for_its_own_conditions_alone(void **state)
{
    (void)state;
    CLEANUP(fold_freep) Fold *fold = fold_new();
    fold_meet(fold, "prod/a", &(Subject){.text = "a"}, 1);
    fold_meet(fold, "lab/b", &(Subject){.text = "b"}, 1);
    assert_passed(fold, "prod/", "");
    assert_passed(fold, "prod/", "a;");
    assert_passed(fold, "lab/", "");
    assert_passed(fold, "lab/", "b;");
}

static void conditions_are_told_apart_by_their_keys(void **state)
{
    (void)state;
    CLEANUP(fold_freep) Fold *fold = fold_new();
    assert_int_equal(fold_meet(fold, "a", &(Subject){.text = "s"}, 1), 1);
    assert_int_equal(fold_meet(fold, "b", &(Subject){.text = "s"}, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lasting_condition_is_said_once),
        cmocka_unit_test(it_is_said_again_each_hour_with_a_count),
        cmocka_unit_test(within_a_round_it_counts_once),
        cmocka_unit_test(what_has_passed_is_said_once_and_forgotten),
        cmocka_unit_test(what_it_is_about_is_kept_and_told_at_the_end),
        cmocka_unit_test(what_could_not_be_looked_at_stays),
        cmocka_unit_test(a_round_ends_for_its_own_conditions_alone),
        cmocka_unit_test(conditions_are_told_apart_by_their_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
