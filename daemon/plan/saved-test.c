#include "config.h"

#include "../../tests/unit/world.h"

#include "plan/saved.h"

#define CHANGE(name, target, outcome, from)                                                                              \
    "{\"kind\":\"OciImage\",\"name\":\"" name "\",\"account\":\"prod\",\"target\":\"" target "\",\"outcome\":\"" outcome \
    "\",\"action\":\"update\",\"file\":\"a.yaml\",\"line\":3,\"attributes\":[{\"path\":\"freeformTags.t\",\"from\":null,\"to\":\"1\"},"        \
    "{\"path\":\"displayName\",\"from\":\"" from "\",\"to\":\"new\"}]}"

static SavedPlan *parse(const char *changes)
{
    CLEANUP(freep) char *text = xasprintf("{\"changes\":[%s]}", changes);
    SavedPlan *saved = NULL;
    assert_int_equal(saved_plan_parse(text, strlen(text), "p.json", &saved, NULL), 0);
    return saved;
}

static void what_is_as_it_was_saved_passes(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(1);
    CLEANUP(saved_plan_freep) SavedPlan *saved = parse(CHANGE("a", "ocid1.image.0", "planned", "old"));
    saved_plan_hold(saved, w.plan, "prod");
    assert_int_equal(w.plan->changes.n, 1);
    assert_int_equal(plan_count(w.plan, OUTCOME_PLANNED), 1);
}

static void what_has_changed_since_is_held(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(1);
    CLEANUP(saved_plan_freep) SavedPlan *saved = parse(CHANGE("a", "ocid1.image.0", "planned", "older"));
    saved_plan_hold(saved, w.plan, "prod");
    assert_string_equal(w.plan->changes.items[0].reason, "refused: the object or its document has changed since the plan was saved");
    assert_int_equal(w.plan->changes.items[0].outcome, OUTCOME_HELD);
}

static void what_is_not_in_the_saved_plan_is_held(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(2);
    CLEANUP(saved_plan_freep) SavedPlan *saved = parse(CHANGE("a", "ocid1.image.1", "planned", "old"));
    saved_plan_hold(saved, w.plan, "prod");
    assert_string_equal(w.plan->changes.items[0].reason, "not in the saved plan");
    assert_int_equal(w.plan->changes.items[1].outcome, OUTCOME_PLANNED);
}

static void only_what_was_planned_counts_as_saved(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(1);
    CLEANUP(saved_plan_freep) SavedPlan *saved = parse(CHANGE("a", "ocid1.image.0", "observed", "old"));
    saved_plan_hold(saved, w.plan, "prod");
    assert_int_equal(w.plan->changes.n, 1);
    assert_int_equal(w.plan->changes.items[0].outcome, OUTCOME_HELD);
}

static void what_there_is_nothing_to_change_about_is_told(void **state)
{
    (void)state;
    CLEANUP(world_done) World w = drifted(0), other = drifted(0);
    CLEANUP(saved_plan_freep) SavedPlan *saved = parse(CHANGE("gone", "ocid1.image.7", "planned", "old"));
    saved_plan_hold(saved, w.plan, "prod");
    assert_int_equal(w.plan->changes.n, 1);
    assert_int_equal(w.plan->changes.items[0].outcome, OUTCOME_HELD);
    assert_string_equal(w.plan->changes.items[0].spec->name, "gone");
    assert_string_equal(w.plan->changes.items[0].target, "ocid1.image.7");
    saved_plan_hold(saved, other.plan, "lab");
    assert_int_equal(other.plan->changes.n, 0);
}

static void what_is_no_saved_plan_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "[", "[]", "7", "{}", "{\"changes\":{}}", "{\"changes\":[7]}", "{\"changes\":[{}]}",
                                      "{\"changes\":[{\"kind\":\"OciImage\",\"name\":\"a\",\"account\":\"p\",\"target\":\"t\",\"outcome\":\"planned\",\"attributes\":{}}]}"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(error_freep) Error *err = NULL;
        SavedPlan *saved = NULL;
        if (saved_plan_parse(bad[i], strlen(bad[i]), "p.json", &saved, &err) == 0)
            fail_msg("%s was accepted", bad[i]);
        assert_int_equal(err->kind, ERROR_SPEC);
        assert_non_null(strstr(err->message, "p.json"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_as_it_was_saved_passes),
        cmocka_unit_test(what_has_changed_since_is_held),
        cmocka_unit_test(what_is_not_in_the_saved_plan_is_held),
        cmocka_unit_test(only_what_was_planned_counts_as_saved),
        cmocka_unit_test(what_there_is_nothing_to_change_about_is_told),
        cmocka_unit_test(what_is_no_saved_plan_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
