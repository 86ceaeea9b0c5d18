/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reports/stats.h"

/* Published to the digits that `slack` says. */
static void wilson_agrees_with_published_values(void **state)
{
    (void)state;
    static const struct {
        unsigned successes, trials;
        double low, high, slack;
    } rows[] = {
        /* Newcombe, Statistics in Medicine 17 (1998), table I, method 3 */
        {81, 263, 0.2553, 0.3662, 0.00005},
        {15, 148, 0.0624, 0.1605, 0.00005},
        {0, 20, 0.0000, 0.1611, 0.00005},
        {1, 29, 0.0061, 0.1718, 0.00005},
        /* failures in series of boots */
        {1, 100, 0.0018, 0.0545, 0.00005},
        {3, 100, 0.010, 0.085, 0.0005},
        {5, 14, 0.16, 0.61, 0.005},
        {7, 30, 0.118, 0.409, 0.0005},
        {10, 1000, 0.0054, 0.0183, 0.00005},
        {0, 50, 0, 0.071, 0.0005},
        {0, 100, 0, 0.037, 0.0005},
        {0, 300, 0, 0.0126, 0.00005},
        {0, 1000, 0, 0.0038, 0.00005},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct interval got = stats_wilson(rows[i].successes, rows[i].trials);
        assert_true(fabs(got.low - rows[i].low) <= rows[i].slack);
        assert_true(fabs(got.high - rows[i].high) <= rows[i].slack);
    }
}

static void wilson_is_symmetric_and_exact_at_the_ends(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 60; n++) {
        for (unsigned k = 0; k <= n; k++) {
            struct interval of = stats_wilson(k, n), other = stats_wilson(n - k, n);
            assert_true(fabs(of.low - (1 - other.high)) < 1e-12);
            assert_true(of.low >= 0 && of.low <= (double)k / n && (double)k / n <= of.high &&
                        of.high <= 1);
        }
        assert_true(stats_wilson(0, n).low == 0 && stats_wilson(n, n).high == 1);
    }
    assert_true(stats_wilson(0, 0).low == 0 && stats_wilson(0, 0).high == 1);
}

static void quantile_is_a_measured_value(void **state)
{
    (void)state;
    static const int64_t five[] = {15, 20, 35, 40, 50};
    static const int64_t ten[] = {3, 6, 7, 8, 8, 10, 13, 15, 16, 20};
    static const int64_t one[] = {9800};
    int64_t hundred[100];
    for (int i = 0; i < 100; i++)
        hundred[i] = i + 1;
    static const double all[] = {0, 0.5, 0.95, 1};
    const struct {
        const int64_t *values;
        size_t n;
        double p;
        int64_t want;
    } rows[] = {
        {five, 5, 0.05, 15}, {five, 5, 0.30, 20},      {five, 5, 0.40, 20},
        {five, 5, 0.50, 35}, {five, 5, 1.00, 50},      {ten, 10, 0.25, 7},
        {ten, 10, 0.50, 8},  {ten, 10, 0.75, 15},      {ten, 10, 1.00, 20},
        {ten, 10, 0.00, 3},  {hundred, 100, 0.07, 7},  {hundred, 100, 0.95, 95},
        {ten, 10, 0.95, 20}, {hundred, 100, 0.29, 29}, {hundred, 100, 0.5, 50},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(stats_quantile(rows[i].values, rows[i].n, rows[i].p), rows[i].want);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(stats_quantile(one, 1, all[i]), 9800);
}

static void sort_is_ascending_and_does_not_overflow(void **state)
{
    (void)state;
    int64_t values[] = {5, INT64_MIN, 0, INT64_MAX, -1, 5};
    static const int64_t want[] = {INT64_MIN, -1, 0, 5, 5, INT64_MAX};
    stats_sort(values, 6);
    assert_memory_equal(values, want, sizeof(want));
    stats_sort(NULL, 0);
}

static void the_rule_of_three(void **state)
{
    static const struct {
        unsigned trials;
        double below;
    } rows[] = {{0, 1}, {1, 1}, {3, 1}, {4, 0.75}, {5, 0.6}, {30, 0.1}, {300, 0.01}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double got = stats_unseen_below(rows[i].trials);
        assert_true(got > rows[i].below - 1e-9 && got < rows[i].below + 1e-9);
        /* what it stands for: so frequent a thing stays unseen in at most 5 % of such series */
        double unseen = 1;
        for (unsigned k = 0; k < rows[i].trials; k++)
            unseen *= 1 - got;
        assert_true(rows[i].trials == 0 || unseen <= 0.05);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wilson_agrees_with_published_values),
        cmocka_unit_test(wilson_is_symmetric_and_exact_at_the_ends),
        cmocka_unit_test(quantile_is_a_measured_value),
        cmocka_unit_test(sort_is_ascending_and_does_not_overflow),
        cmocka_unit_test(the_rule_of_three),
    };
    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
