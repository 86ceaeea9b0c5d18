/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every folder of fixtures/cases is a test by itself: a kept record, analysed whole and as a bare
 * console, obeys the laws that hold for any. How often the cause is named right is counted over all
 * of them, by tests/accuracy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>

#include "analyzers/analysis.h"
#include "analyzers/rules.h"
#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "harness/record.h"

#define CASES_DIR "fixtures/cases"

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
    if (access(plain, F_OK) != 0 && access(packed, F_OK) != 0)
        return; /* there never was a VM */
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

/* A boot that came up is never called failed, one that did not always gets some answer; a lasting
 * defect of a boot that came up stands beside. */
static void check_verdict(const char *path, bool good, const struct analysis *analysis)
{
    const char *cause = analysis->verdict.cause;
    if (good && (cause != NULL || analysis->outcome != OUTCOME_READY))
        fail_msg("%s: said %s of a good boot, outcome %d", path, cause != NULL ? cause : "nothing",
                 (int)analysis->outcome);
    bool said = analysis->outcome == OUTCOME_FAILED ? cause != NULL : analysis->n_contributing > 0;
    if (!good && !said)
        fail_msg("%s: said nothing, outcome %d", path, (int)analysis->outcome);
}

static void check_record(const char *path, bool good)
{
    auto_record struct record record;
    auto_analysis struct analysis analysis = {0};
    load(path, &record);
    struct ruleset *rules = rules_for(&record);
    analysis_init(&analysis, &record, rules, NULL);
    check_verdict(path, good, &analysis);
    check_sums(&analysis);
    ruleset_free(rules);
}

static void check_console(const char *path, bool good)
{
    auto_record struct record record;
    auto_analysis struct analysis analysis = {0};
    load_console(path, &record);
    struct ruleset *rules = rules_for(&record);
    analysis_init(&analysis, &record, rules, NULL);
    if (good && analysis.verdict.cause != NULL)
        fail_msg("%s, bare console: said %s of a good boot", path, analysis.verdict.cause);
    check_sums(&analysis);
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
    bool good = json_is_null(json_object_get(truth, "cause"));
    check_record(path, good);
    check_console(path, good);
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
