/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every folder of fixtures/cases is a test by itself: a kept record whose true cause stands in its
 * case.json. Where the console alone can show the cause it is also analysed as a bare console: it
 * may then say less, but nothing else.
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
#include "analyzers/rules.h"
#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "harness/record.h"

#define CASES_DIR "fixtures/cases"

static bool is_accepted(const json_t *truth, const char *cause)
{
    const char *expected = json_string_value(json_object_get(truth, "cause"));
    size_t i;
    const json_t *item;
    if (!expected || !cause)
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

static void check_record(const char *path, const json_t *truth)
{
    struct err err = {0};
    auto_record struct record record;
    record_init(&record);
    if (record_load(&record, path, &err) < 0)
        fail_msg("%s", err.message);
    struct ruleset *rules = ruleset_new(&record.service, &err);
    assert_non_null(rules);
    struct analysis analysis;
    analysis_init(&analysis, &record, rules, NULL);
    if (!is_accepted(truth, analysis.verdict.cause))
        fail_msg("%s: said %s", path, analysis.verdict.cause ? analysis.verdict.cause : "nothing");
    check_sums(&analysis);
    analysis_release(&analysis);
    ruleset_free(rules);
}

static void check_console(const char *path, const json_t *truth)
{
    struct err err = {0};
    auto_record struct record record;
    auto_free char *plain = mem_printf("%s/console.log", path);
    auto_free char *packed = mem_printf("%s/console.log.zst", path);
    record_init(&record);
    if (record_load_console(&record, plain, &err) < 0 &&
        record_load_console(&record, packed, &err) < 0)
        fail_msg("%s", err.message);
    struct ruleset *rules = ruleset_new(&record.service, &err);
    assert_non_null(rules);
    struct analysis analysis;
    analysis_init(&analysis, &record, rules, NULL);
    bool silent = !analysis.verdict.cause;
    if (!silent && !is_accepted(truth, analysis.verdict.cause))
        fail_msg("%s, bare console: said %s", path, analysis.verdict.cause);
    check_sums(&analysis);
    analysis_release(&analysis);
    ruleset_free(rules);
}

static void test_case(void **state)
{
    const char *path = *state;
    auto_free char *truth_path = mem_printf("%s/case.json", path);
    json_error_t error;
    json_auto_t *truth = json_load_file(truth_path, 0, &error);
    if (!truth)
        fail_msg("%s: %s", truth_path, error.text);
    assert_non_null(json_object_get(truth, "cause"));
    check_record(path, truth);
    if (json_is_true(json_object_get(truth, "visible_in_console")))
        check_console(path, truth);
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
    char **paths = mem_calloc((size_t)n, sizeof(*paths));
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
