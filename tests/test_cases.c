/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every folder of fixtures/cases is a test by itself: a kept record whose true cause stands in its
 * case.json. It is analysed whole, beside the boots that came up, and as a bare console: that must
 * show the cause where case.json says that it can, and may else say less, but nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>

#include "analyzers/analysis.h"
#include "analyzers/baseline.h"
#include "analyzers/rules.h"
#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "harness/record.h"

#define CASES_DIR "fixtures/cases"

static char **paths; /* of all cases */
static size_t n_paths;

static bool is_accepted(const json_t *truth, const char *cause)
{
    const char *expected = json_string_value(json_object_get(truth, "cause"));
    size_t i;
    const json_t *item;
    if (expected == NULL || cause == NULL)
        return expected == cause;
    if (strcmp(expected, cause) == 0)
        return true;
    json_array_foreach (json_object_get(truth, "accept"), i, item)
        if (json_is_string(item) && strcmp(json_string_value(item), cause) == 0)
            return true;
    return false;
}

static void check_sums(const struct analysis *analysis)
{
    double sum = analysis->verdict.confidence;
    for (size_t i = 0; i < analysis->n_alternatives; i++)
        sum += analysis->alternatives[i].confidence;
    assert_true(sum <= 1.0 + 1e-9);
}

static void load(const char *path, struct record *record)
{
    struct err err = {0};
    record_init(record);
    if (record_load(record, path, &err) < 0)
        fail_msg("%s", err.message);
}

static void load_console(const char *path, struct record *record)
{
    struct err err = {0};
    auto_free char *plain = mem_printf("%s/console.log", path);
    auto_free char *packed = mem_printf("%s/console.log.zst", path);
    record_init(record);
    if (record_load_console(record, plain, &err) < 0 &&
        record_load_console(record, packed, &err) < 0)
        fail_msg("%s", err.message);
}

static struct ruleset *rules_for(const struct record *record)
{
    struct err err = {0};
    struct ruleset *rules = ruleset_new(&record->service, &err);
    if (rules == NULL)
        fail_msg("%s", err.message);
    return rules;
}

static void check_verdict(const char *path, const char *how, const json_t *truth,
                          const struct analysis *analysis)
{
    bool came_up = json_is_null(json_object_get(truth, "cause"));
    if (!is_accepted(truth, analysis->verdict.cause))
        fail_msg("%s, %s: said %s", path, how,
                 analysis->verdict.cause != NULL ? analysis->verdict.cause : "nothing");
    if (analysis->outcome != (came_up ? OUTCOME_READY : OUTCOME_FAILED))
        fail_msg("%s, %s: outcome %d", path, how, (int)analysis->outcome);
    check_sums(analysis);
}

static void check_record(const char *path, const json_t *truth)
{
    auto_record struct record record;
    auto_analysis struct analysis analysis = {0};
    load(path, &record);
    struct ruleset *rules = rules_for(&record);
    analysis_init(&analysis, &record, rules, NULL);
    check_verdict(path, "record", truth, &analysis);
    ruleset_free(rules);
}

static void check_console(const char *path, const json_t *truth)
{
    auto_record struct record record;
    auto_analysis struct analysis analysis = {0};
    load_console(path, &record);
    struct ruleset *rules = rules_for(&record);
    analysis_init(&analysis, &record, rules, NULL);
    if (json_is_true(json_object_get(truth, "visible_in_console")))
        check_verdict(path, "bare console", truth, &analysis);
    else if (analysis.verdict.cause != NULL && !is_accepted(truth, analysis.verdict.cause))
        fail_msg("%s, bare console: said %s", path, analysis.verdict.cause);
    check_sums(&analysis);
    ruleset_free(rules);
}

static void add_good(struct baseline *baseline, const char *path, struct ruleset *rules)
{
    struct err err = {0};
    auto_free char *truth_path = mem_printf("%s/case.json", path);
    json_auto_t *truth = json_load_file(truth_path, 0, NULL);
    if (!json_is_null(json_object_get(truth, "cause")))
        return;
    auto_record struct record good;
    load(path, &good);
    if (baseline_add(baseline, &good, rules, &err) < 0)
        fail_msg("%s", err.message);
}

static struct baseline *good_cases(struct ruleset *rules)
{
    struct baseline *baseline = baseline_new(CASES_DIR);
    for (size_t i = 0; i < n_paths; i++)
        add_good(baseline, paths[i], rules);
    assert_true(baseline_len(baseline) >= 2);
    return baseline;
}

/* Compared with the boots that came up the verdict is the same, and the place where this one went
 * another way is named. */
static void check_against_good(const char *path, const json_t *truth)
{
    auto_record struct record record;
    auto_analysis struct analysis analysis = {0};
    load(path, &record);
    struct ruleset *rules = rules_for(&record);
    struct baseline *baseline = good_cases(rules);
    analysis_init(&analysis, &record, rules, baseline);
    check_verdict(path, "with a baseline", truth, &analysis);
    assert_true(analysis.diff.present);
    if (!analysis.diff.diverged)
        fail_msg("%s: no first divergence from the boots that came up", path);
    assert_true(analysis.diff.expected != NULL || analysis.diff.seen != NULL);
    baseline_free(baseline);
    ruleset_free(rules);
}

static void test_case(void **state)
{
    const char *path = *state;
    auto_free char *truth_path = mem_printf("%s/case.json", path);
    json_error_t error;
    json_auto_t *truth = json_load_file(truth_path, 0, &error);
    if (truth == NULL)
        fail_msg("%s: %s", truth_path, error.text);
    assert_non_null(json_object_get(truth, "cause"));
    check_record(path, truth);
    check_console(path, truth);
    if (!json_is_null(json_object_get(truth, "cause")))
        check_against_good(path, truth);
}

static int is_folder(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && entry->d_type == DT_DIR;
}

int main(void)
{
    struct dirent **entries = NULL;
    int n = scandir(CASES_DIR, &entries, is_folder, alphasort);
    if (n <= 0) {
        fprintf(stderr, "%s: no cases\n", CASES_DIR);
        return 1;
    }
    struct CMUnitTest *tests = mem_calloc((size_t)n, sizeof(*tests));
    paths = mem_calloc((size_t)n, sizeof(*paths));
    n_paths = (size_t)n;
    for (int i = 0; i < n; i++) {
        paths[i] = mem_printf("%s/%s", CASES_DIR, entries[i]->d_name);
        tests[i] = (struct CMUnitTest){
            .name = entries[i]->d_name, .test_func = test_case, .initial_state = paths[i]};
    }
    int failed = _cmocka_run_group_tests("cases", tests, (size_t)n, NULL, NULL);
    for (int i = 0; i < n; i++) {
        free(paths[i]);
        free(entries[i]);
    }
    free(paths);
    free(entries);
    free(tests);
    return failed != 0;
}
