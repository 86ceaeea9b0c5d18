/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule of the program by its own sample and near miss, and what holds for all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzers/causes.h"
#include "analyzers/line.h"
#include "analyzers/rules.h"
#include "analyzers/stage.h"
#include "harness/base/mem.h"
#include "harness/service.h"

struct trial {
    struct ruleset *rules;
    const struct rule *rule;
    bool prefilter;
    unsigned hits;  /* of `rule` */
    unsigned total; /* of any rule */
};

static struct ruleset *ruleset;

static void on_match(void *ctx, const struct rule_match *match, const struct line *line)
{
    struct trial *trial = ctx;
    (void)line;
    trial->total++;
    trial->hits += ruleset_rule(trial->rules, match->index) == trial->rule;
}

static void on_line(void *ctx, const struct line *line)
{
    struct trial *trial = ctx;
    struct rule_visitor visitor = {on_match, NULL, trial};
    ruleset_match(trial->rules, trial->rule->file, line, trial->prefilter, &visitor);
}

static struct trial try_text(const struct rule *rule, const char *text, bool prefilter)
{
    struct trial trial = {.rules = ruleset, .rule = rule, .prefilter = prefilter};
    struct line_reader *reader = line_reader_new(on_line, &trial);
    line_reader_feed(reader, text, strlen(text));
    line_reader_feed(reader, "\r\n", 2);
    line_reader_free(reader);
    return trial;
}

static void test_rule(void **state)
{
    const struct rule *rule = *state;
    assert_non_null(rule->summary);
    assert_non_null(rule->sample);
    assert_non_null(rule->near_miss);
    assert_true(rule->confidence >= 0 && rule->confidence <= 1);
    if (rule->cause != NULL) {
        assert_non_null(cause_find(rule->cause));
        assert_true(rule->confidence > 0);
        assert_true(rule->severity > SEVERITY_MARK);
    }
    if (rule->milestone != NULL)
        assert_true(stage_rank(rule->milestone) >= 0);
    if (try_text(rule, rule->sample, true).hits != 1)
        fail_msg("%s does not match its sample: %s", rule->id, rule->sample);
    if (try_text(rule, rule->near_miss, true).hits != 0)
        fail_msg("%s matches its near miss: %s", rule->id, rule->near_miss);
    for (size_t i = 0; i < 2; i++) {
        const char *text = i == 0 ? rule->sample : rule->near_miss;
        assert_int_equal(try_text(rule, text, true).total, try_text(rule, text, false).total);
    }
}

static void test_ids_are_unique(void **state)
{
    (void)state;
    assert_true(ruleset_len(ruleset) > 100);
    for (size_t i = 0; i < ruleset_len(ruleset); i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(ruleset_rule(ruleset, i)->id, ruleset_rule(ruleset, k)->id);
}

/* A literal with a macro stands for the service's own text, which the sample shows. */
static void test_literals_occur_in_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < ruleset_len(ruleset); i++) {
        const struct rule *rule = ruleset_rule(ruleset, i);
        if (rule->literal != NULL && strstr(rule->literal, "%{") == NULL &&
            strstr(rule->sample, rule->literal) == NULL)
            fail_msg("%s: its literal is not in its sample", rule->id);
    }
}

/* Other services, other names: nothing of production's may be built in. */
static void test_other_service(void **state)
{
    static const struct {
        const char *rule, *text;
        unsigned hits;
    } cases[] = {
        {"init.unit-started", "[  OK  ] Started api.service - Payments API.", 1},
        {"init.unit-started", "[  OK  ] Started Payments API.", 1},
        {"init.unit-started", "[  OK  ] Started vm-browser-agent.service - VM Browser.", 0},
        {"supervisor.unbound-variable",
         "[ 1.000000] run.sh[9]: ./run.sh: line 3: X: unbound variable", 1},
        {"supervisor.unbound-variable", "[ 1.000000] run.sh[9]: run.sh: 3: X: parameter not set",
         1},
        {"agent.entry-not-found", "Error: Cannot find module '/srv/api.js'", 1},
        {"agent.ready", "api ready", 1},
        {"agent.ready", "{\"msg\":\"VM Browser Agent started\",\"port\":8080}", 0},
        {"agent.port-taken", "Error: listen EADDRINUSE: address already in use :::9090", 1},
        {"agent.port-taken", "Error: listen EADDRINUSE: address already in use :::8080", 0},
    };
    (void)state;
    struct err err = {0};
    struct service service = {
        .unit = mem_strdup("api.service"),
        .description = mem_strdup("Payments API"),
        .supervisor = mem_strdup("run.sh"),
        .entry = mem_strdup("api.js"),
        .ready_pattern = mem_strdup("^api ready$"),
        .port = 9090,
        .health_path = mem_strdup("/h"),
        .expected_status = 204,
    };
    struct ruleset *production = ruleset;
    ruleset = ruleset_new(&service, &err);
    assert_non_null(ruleset);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t k = 0; k < ruleset_len(ruleset); k++) {
            const struct rule *rule = ruleset_rule(ruleset, k);
            if (strcmp(rule->id, cases[i].rule) == 0 &&
                try_text(rule, cases[i].text, true).hits != cases[i].hits)
                fail_msg("%s on: %s", cases[i].rule, cases[i].text);
        }
    ruleset_free(ruleset);
    ruleset = production;
    service_release(&service);
}

int main(void)
{
    struct err err = {0};
    struct service service;
    service_init(&service);
    ruleset = ruleset_new(&service, &err);
    if (ruleset == NULL) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    size_t n_rules = ruleset_len(ruleset), n = 0;
    struct CMUnitTest *tests = mem_calloc(n_rules + 3, sizeof(*tests));
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_ids_are_unique);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_literals_occur_in_samples);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_other_service);
    for (size_t i = 0; i < n_rules; i++)
        tests[n++] =
            (struct CMUnitTest){.name = ruleset_rule(ruleset, i)->id,
                                .test_func = test_rule,
                                .initial_state = (void *)(uintptr_t)ruleset_rule(ruleset, i)};
    int failed = _cmocka_run_group_tests("rules", tests, n, NULL, NULL);
    free(tests);
    ruleset_free(ruleset);
    service_release(&service);
    return failed != 0;
}
