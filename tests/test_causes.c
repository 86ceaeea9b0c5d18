/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue in the program is the contract's, and what explains what makes sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "analyzers/causes.h"

static const char *text_of(const json_t *cause, const char *member)
{
    return json_string_value(json_object_get(cause, member));
}

static void test_table_is_the_contract(void **state)
{
    (void)state;
    json_error_t error;
    json_auto_t *contract = json_load_file("fixtures/contract/causes.json", 0, &error);
    assert_non_null(contract);
    const json_t *list = json_object_get(contract, "causes");
    size_t n, i;
    const json_t *item;
    const struct cause *causes = causes_all(&n);
    assert_int_equal(json_array_size(list), n);
    json_array_foreach (list, i, item) {
        assert_string_equal(causes[i].id, text_of(item, "id"));
        assert_string_equal(causes[i].layer, text_of(item, "layer"));
        assert_string_equal(causes[i].title, text_of(item, "title"));
        assert_ptr_equal(cause_find(causes[i].id), &causes[i]);
        assert_int_equal(cause_rank(causes[i].id), i);
    }
}

static void test_layers_and_remedies(void **state)
{
    (void)state;
    size_t n;
    const struct cause *causes = causes_all(&n);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(causes[i].layer);
        assert_memory_equal(causes[i].id, causes[i].layer, len);
        assert_true(causes[i].id[len] == '.' || causes[i].id[len] == '\0');
        size_t remedy = strlen(causes[i].remedy);
        if (remedy < 40 || remedy > 300 || causes[i].remedy[remedy - 1] != '.')
            fail_msg("remedy of %s: %s", causes[i].id, causes[i].remedy);
    }
}

/* "layer.*" must have at least one cause behind it; a plain id must exist. */
static bool names_something(const char *pattern)
{
    size_t n, len = strlen(pattern);
    const struct cause *causes = causes_all(&n);
    if (pattern[len - 1] != '*')
        return cause_find(pattern) != NULL;
    for (size_t i = 0; i < n; i++)
        if (strncmp(causes[i].id, pattern, len - 1) == 0)
            return true;
    return false;
}

static void test_explained_causes_exist(void **state)
{
    (void)state;
    size_t n;
    const struct cause *causes = causes_all(&n);
    for (size_t i = 0; i < n; i++)
        for (const char *const *name = causes[i].explains; name != NULL && *name != NULL; name++)
            if (!names_something(*name))
                fail_msg("%s explains %s, which does not exist", causes[i].id, *name);
}

/* Explaining is transitive, so two causes that explain each other are a cycle of any length. */
static void test_no_cycle(void **state)
{
    (void)state;
    size_t n;
    const struct cause *causes = causes_all(&n);
    for (size_t i = 0; i < n; i++) {
        assert_false(cause_explains(causes[i].id, causes[i].id));
        for (size_t k = 0; k < i; k++)
            if (cause_explains(causes[i].id, causes[k].id) &&
                cause_explains(causes[k].id, causes[i].id))
                fail_msg("%s and %s explain each other", causes[i].id, causes[k].id);
    }
}

static void test_precedence(void **state)
{
    static const struct {
        const char *cause, *other;
        bool explains;
    } cases[] = {
        {"kernel.panic", "init.job-waiting", true},
        {"kernel.panic", "agent.crash-loop", true},
        {"kernel.panic", "vmm.guest-reset", true},
        {"kernel.panic", "rootfs.corrupt", false},
        {"rootfs.corrupt", "init.emergency-mode", true},
        {"kernel.out-of-memory", "kernel.panic", true},
        {"kernel.root-device-missing", "kernel.root-mount-failed", true},
        {"kernel.init-failed", "kernel.panic", true},
        {"kernel.oops", "kernel.panic", true},
        {"init.emergency-mode", "init.dependency-failed", true},
        {"init.unit-start-timeout", "init.dependency-failed", true},
        {"network.driver-missing", "init.job-waiting", true},
        {"network.driver-missing", "network.not-configured", true},
        {"supervisor.unbound-variable", "agent.crash-loop", true},
        {"supervisor.bad-interpreter", "supervisor.missing", true},
        {"agent.module-missing", "agent.exception", true},
        {"agent.module-missing", "supervisor.command-failed", true},
        {"agent.script-missing", "agent.module-missing", true},
        {"agent.port-in-use", "agent.hung", true},
        {"agent.hung", "probe.deadline-too-short", true},
        {"agent.exception", "supervisor.unbound-variable", false},
        {"probe.deadline-too-short", "agent.hung", false},
        {"x.mine", "agent.hung", false},
        {"agent.hung", "x.mine", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (cause_explains(cases[i].cause, cases[i].other) != cases[i].explains)
            fail_msg("%s explains %s: expected %d", cases[i].cause, cases[i].other,
                     cases[i].explains);
}

/* A cause of a user's own stands first in its layer; nothing explains it that it explains. */
static void test_own_keys(void **state)
{
    (void)state;
    size_t n;
    const struct cause *causes = causes_all(&n);
    for (size_t i = 0; i < n; i++) {
        const char *key = cause_own_key(causes[i].layer);
        if (strcmp(causes[i].id, "unknown") == 0 ||
            (i > 0 && strcmp(causes[i].layer, causes[i - 1].layer) == 0))
            continue;
        assert_non_null(key);
        assert_true(cause_is_layer(causes[i].layer));
        assert_null(cause_find(key));
        assert_int_equal(cause_rank(key), i);
        assert_true(cause_in_layer(key, causes[i].layer));
        for (size_t k = 0; k < n; k++)
            if (cause_explains(key, causes[k].id) && cause_explains(causes[k].id, key))
                fail_msg("%s and %s explain each other", key, causes[k].id);
    }
    assert_null(cause_own_key("nowhere"));
    assert_false(cause_is_layer("x"));
    assert_true(cause_explains(cause_own_key("agent"), "agent.crash-loop"));
    assert_true(cause_explains(cause_own_key("agent"), "agent.exception"));
    assert_false(cause_explains(cause_own_key("agent"), "kernel.panic"));
    assert_false(cause_explains(cause_own_key("agent"), cause_own_key("agent")));
    assert_true(cause_explains("kernel.panic", cause_own_key("agent")));
    assert_false(cause_explains("agent.module-missing", cause_own_key("agent")));
}

static void test_unknown_ids(void **state)
{
    (void)state;
    size_t n;
    (void)causes_all(&n);
    assert_null(cause_find("x.mine"));
    assert_null(cause_find(""));
    assert_int_equal(cause_rank("x.mine"), n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_the_contract),
        cmocka_unit_test(test_layers_and_remedies),
        cmocka_unit_test(test_explained_causes_exist),
        cmocka_unit_test(test_no_cycle),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_own_keys),
        cmocka_unit_test(test_unknown_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
