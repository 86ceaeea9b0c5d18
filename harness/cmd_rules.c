/* SPDX-License-Identifier: Apache-2.0 */
/* rules: tries rules of a user's own before they are let loose on boots. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/own_rules.h"
#include "analyzers/rule_lint.h"
#include "harness/archive.h"
#include "harness/base/auto.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"
#include "harness/base/say.h"
#include "harness/base/text.h"
#include "harness/command.h"
#include "harness/eyes.h"
#include "harness/target.h"

struct testing {
    struct eyes_rules rules;
    struct ruleset *all; /* borrowed from `rules` */
    struct service service;
    struct rule_problems *problems; /* owned: one for each rule of `all` */
    size_t first;                   /* of the own ones */
};

static void testing_release(struct testing *testing)
{
    size_t n = testing->all != NULL ? ruleset_len(testing->all) : 0;
    for (size_t i = 0; testing->problems != NULL && i < n; i++)
        rule_problems_release(&testing->problems[i]);
    free(testing->problems);
    eyes_rules_release(&testing->rules);
    service_release(&testing->service);
}

static int take_service(struct testing *testing, const struct command_line *line, struct err *err)
{
    const char *path = command_value(line, "target", NULL);
    service_init(&testing->service);
    if (path == NULL)
        return 0;
    auto_target struct target target;
    target_init(&target);
    if (target_load(&target, path, err) != 0)
        return err_prefix(err, "target");
    service_release(&testing->service);
    service_copy(&testing->service, &target.service);
    return 0;
}

static int load(struct testing *testing, const struct command_line *line, struct err *err)
{
    const char *path = line->operands[1];
    json_auto_t *list = json_read_array(path, err);
    if (list == NULL || own_rules_parse(&testing->rules.own, list, path, err) != 0 ||
        take_service(testing, line, err) != 0)
        return -1;
    testing->all = eyes_rules_for(&testing->rules, &testing->service, err);
    if (testing->all == NULL)
        return err_prefix(err, "%s", path);
    testing->first = ruleset_len(testing->all) - testing->rules.own.n;
    testing->problems = mem_calloc(ruleset_len(testing->all) + 1, sizeof(*testing->problems));
    return 0;
}

/* What is shown as good must be: a rule that is right about a failed boot would be called wrong. */
static int test_good(struct testing *testing, const char *path, struct err *err)
{
    struct archive archive;
    if (archive_find(&archive, path, err) != 0)
        return err_prefix(err, "good boots");
    int result = 0;
    for (size_t i = 0; i < archive.len && result == 0; i++) {
        auto_record struct record record;
        record_init(&record);
        result = archive_load(&archive, i, &record, err);
        if (result == 0 && record.end != RECORD_END_UNKNOWN && !record_came_up(&record))
            result = err_set(err, "good boots: %s did not come up", record.source);
        if (result == 0)
            rule_lint_good(testing->problems, testing->all, testing->first, &record);
    }
    archive_release(&archive);
    return result;
}

static int test_all(struct testing *testing, const struct command_line *line, struct err *err)
{
    for (size_t i = testing->first; i < ruleset_len(testing->all); i++)
        rule_lint(&testing->problems[i], ruleset_rule(testing->all, i), testing->all,
                  &testing->service);
    for (size_t i = 0; i < line->n_values; i++)
        if (strcmp(line->values[i].option->name, "good") == 0 &&
            test_good(testing, line->values[i].value, err) != 0)
            return -1;
    return 0;
}

static void print_problem(const struct rule_problem *problem)
{
    size_t len = strlen(problem->text);
    auto_free char *clean = mem_calloc(len + 1, 4); /* \xHH for each byte at worst */
    (void)text_printable(clean, 4 * (len + 1), problem->text, len);
    printf("      %s%s\n", problem->warning ? "warning: " : "", clean);
}

/* The number of rules that failed. */
static size_t print_text(const struct testing *testing)
{
    size_t n_failed = 0;
    for (size_t i = testing->first; i < ruleset_len(testing->all); i++) {
        const struct rule_problems *problems = &testing->problems[i];
        printf("%s  %s\n", problems->failed ? "FAIL" : "ok  ", ruleset_rule(testing->all, i)->id);
        for (size_t k = 0; k < problems->n; k++)
            print_problem(&problems->items[k]);
        n_failed += problems->failed;
    }
    printf("%zu rule%s, %zu failed\n", testing->rules.own.n, testing->rules.own.n == 1 ? "" : "s",
           n_failed);
    return n_failed;
}

static int test(const struct command_line *line)
{
    struct testing testing __attribute__((cleanup(testing_release))) = {0};
    struct err err = {0};
    if (load(&testing, line, &err) != 0 || test_all(&testing, line, &err) != 0)
        return say_error(&err);
    return print_text(&testing) > 0 ? EXIT_SOME_FAILED : EXIT_ALL_READY;
}

static int cmd_rules_main(const struct command_line *line)
{
    if (line->n_operands == 2 && strcmp(line->operands[0], "test") == 0)
        return test(line);
    struct err err;
    err_set(&err, "rules: expected `%s rules test FILE`", line->program);
    return say_error(&err);
}

static const struct command_option OPTIONS[] = {
    {'g', "good", "PATH", "boots that came up, in which no rule may see an error; may be repeated"},
    {'t', "target", "FILE", "the service that macros such as %{UNIT} stand for"},
    {0},
};

const struct command cmd_rules = {
    .name = "rules",
    .synopsis = "test [OPTION]... FILE",
    .summary = "Tests rules of your own, which --rules takes",
    .details =
        "FILE is a JSON array of rules; `bootdiag list rules --json` shows the built-in ones in "
        "the\n"
        "same form, and reports/schema/rules.json describes it. An id begins with \"x.\"; a cause "
        "is\n"
        "one of `bootdiag list causes`, or one of your own that begins with \"x.\" and has its "
        "place\n"
        "on the way from host to port from \"layer\".\n"
        "Each rule's sample must match and its near miss must not; every match must contain its\n"
        "literal; no line may make it slow; no other rule may say the same of its sample.\n"
        "Exit status: 0 all rules passed, 1 some did not, 2 the file could not be read.",
    .options = OPTIONS,
    .run = cmd_rules_main,
};
