/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support.h"

#include "harness/probe_runs.h"

static void equal_results_are_one_run(void **state)
{
    (void)state;
    auto_record struct record record;
    record_init(&record);
    probe_runs_note(&record, PROBE_REFUSED, 0, 0, NULL);
    probe_runs_note(&record, PROBE_REFUSED, 10, 0, NULL);
    probe_runs_note(&record, PROBE_HTTP_ERROR, 20, 503, NULL);
    probe_runs_note(&record, PROBE_HTTP_ERROR, 30, 500, NULL);
    probe_runs_note(&record, PROBE_REFUSED, 40, 0, NULL);
    static const struct probe_run want[] = {
        {PROBE_REFUSED, 0, 10, 2, 0, NULL},
        {PROBE_HTTP_ERROR, 20, 20, 1, 503, NULL},
        {PROBE_HTTP_ERROR, 30, 30, 1, 500, NULL},
        {PROBE_REFUSED, 40, 40, 1, 0, NULL},
    };
    assert_int_equal(record.probe.n_runs, N_ROWS(want));
    for (size_t i = 0; i < N_ROWS(want); i++) {
        const struct probe_run *got = &record.probe.runs[i];
        assert_int_equal(got->class, want[i].class);
        assert_int_equal(got->from_ms, want[i].from_ms);
        assert_int_equal(got->to_ms, want[i].to_ms);
        assert_int_equal(got->count, want[i].count);
        assert_int_equal(got->http_status, want[i].http_status);
    }
    assert_false(record.probe.merged);
    record.probe.runs[3].count = INT32_MAX;
    probe_runs_note(&record, PROBE_REFUSED, 50, 0, NULL);
    assert_int_equal(record.probe.runs[3].count, INT32_MAX);
}

/* Never more than there may be, no attempt forgotten, in order, the longest and the newest
 * recognisable. */
static void many_runs_are_merged(void **state)
{
    (void)state;
    enum { N = 3000, LONG = 500 };
    auto_record struct record record;
    record_init(&record);
    int64_t at_ms = 0;
    for (int i = 0; i < LONG; i++)
        probe_runs_note(&record, PROBE_HOST_UNREACHABLE, at_ms++, 0, NULL);
    for (int i = 0; i < N; i++) {
        probe_runs_note(&record,
                        i % 3 == 0   ? PROBE_REFUSED
                        : i % 3 == 1 ? PROBE_RESET
                                     : PROBE_NO_ANSWER,
                        at_ms++, 0, NULL);
        assert_true(record.probe.n_runs <= PROBE_RUNS_MAX);
        assert_int_equal(record.probe.merged, i >= PROBE_RUNS_MAX - 1);
    }
    probe_runs_note(&record, PROBE_READY, at_ms, 200, NULL);
    probe_runs_note(&record, PROBE_REFUSED, at_ms + 1, 0, NULL);

    const struct probe_run *runs = record.probe.runs;
    size_t n = record.probe.n_runs;
    int64_t total = 0;
    for (size_t i = 0; i < n; i++) {
        total += runs[i].count;
        assert_true(runs[i].from_ms <= runs[i].to_ms);
        assert_true(i == 0 || runs[i - 1].to_ms < runs[i].from_ms);
        assert_true(i == 0 || runs[i - 1].class != runs[i].class);
    }
    assert_int_equal(total, LONG + N + 2);
    assert_int_equal(runs[0].class, PROBE_HOST_UNREACHABLE);
    assert_true(runs[0].count >= LONG);
    assert_int_equal(runs[n - 1].class, PROBE_REFUSED);
    assert_int_equal(runs[n - 2].class, PROBE_READY);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_results_are_one_run),
        cmocka_unit_test(many_runs_are_merged),
    };
    return cmocka_run_group_tests_name("probe_runs", tests, NULL, NULL);
}
