/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include "analyzers/diff.h"
#include "analyzers/leave_out.h"

static struct ruleset *ruleset;

/* A small healthy console, synthetic, with one more line in it. */
static void boot_init(struct record *record, const char *more, bool came_up)
{
    record_init(record);
    record->source = mem_strdup("boot");
    record->end = came_up ? RECORD_END_READY : RECORD_END_DEADLINE;
    /* Mapped, as a loaded one is: a record unmaps what it holds. */
    char dir[] = "/tmp/bootdiag-test-XXXXXX";
    assert_non_null(mkdtemp(dir));
    auto_free char *text =
        mem_printf("[    0.000000] Linux version 6.1.0\n"
                   "[    1.500000] systemd[1]: systemd 252 running in system mode\n%s"
                   "[    3.500000] systemd[1]: Started vm-browser-agent.service - VM Browser.\n"
                   "[    5.000000] start-all.sh[120]: {\"msg\":\"VM Browser Agent started\","
                   "\"port\":8080,\"vmIP\":\"10.0.2.15\"}\n",
                   more);
    auto_free char *path = put_text(dir, "console.log", text);
    assert_int_equal(bytes_load(&record->console, (const char *[]){path, NULL}, 1 << 20, NULL), 0);
    assert_int_equal(path_remove_tree(dir, NULL), 0);
}

static int add(struct leave_out *check, const char *more, bool came_up, struct err *err)
{
    struct record record;
    boot_init(&record, more, came_up);
    int result = leave_out_add(check, &record, ruleset, err);
    assert_null(record.source); /* taken in any case */
    return result;
}

static void each_is_compared_with_all_the_others(void **state)
{
    static const struct {
        const char *more[5];
        size_t n, novel[5], missing[5];
    } rows[] = {
        {{"", "", "", "", ""}, 5, {0}, {0}},
        {{"", "moon is cheese\n", "", "", ""}, 5, {0, 1}, {0}},
        /* what two print is known to each of them */
        {{"", "moon is cheese\n", "moon is cheese\n", "", ""}, 5, {0}, {0}},
        {{"a b c\n", "a b c\n", "", "a b c\n", "a b c\n"}, 5, {0}, {0, 0, 1}},
        {{"one two\n", "three four\n"}, 2, {1, 1}, {1, 1}},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_leave_out struct leave_out check = {0};
        for (size_t k = 0; k < rows[i].n; k++)
            assert_int_equal(add(&check, rows[i].more[k], true, NULL), 0);
        assert_int_equal(check.n, rows[i].n);
        assert_int_equal(baseline_len(check.whole), rows[i].n);
        for (size_t k = 0; k < rows[i].n; k++) {
            struct diff diff;
            leave_out_compare(&check, k, ruleset, &diff);
            assert_true(diff.present);
            assert_int_equal(diff.runs, rows[i].n - 1);
            assert_int_equal(diff.n_novel, rows[i].novel[k]);
            assert_int_equal(diff.n_missing, rows[i].missing[k]);
            diff_release(&diff);
        }
    }
}

static void one_boot_is_compared_with_nothing(void **state)
{
    auto_leave_out struct leave_out check = {0};
    struct diff diff;
    (void)state;
    assert_int_equal(add(&check, "", true, NULL), 0);
    leave_out_compare(&check, 0, ruleset, &diff);
    assert_false(diff.present);
    diff_release(&diff);
}

static void bad_boots_are_refused(void **state)
{
    auto_leave_out struct leave_out check = {0};
    struct err err = {0};
    (void)state;
    assert_int_equal(add(&check, "", false, &err), -1);
    assert_holds(err.message, "did not come up");
    assert_int_equal(add(&check,
                         "[    6.000000] Kernel panic - not syncing: softlockup: hung tasks\n",
                         true, &err),
                     -1);
    assert_holds(err.message, "although it came up");
    assert_int_equal(check.n, 0);
    leave_out_release(&check);
}

static int setup(void **state)
{
    struct service service;
    (void)state;
    service_init(&service);
    ruleset = ruleset_new(&service, NULL);
    service_release(&service);
    return ruleset != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ruleset_free(ruleset);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_compared_with_all_the_others),
        cmocka_unit_test(one_boot_is_compared_with_nothing),
        cmocka_unit_test(bad_boots_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
