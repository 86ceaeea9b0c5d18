/* SPDX-License-Identifier: Apache-2.0 */
/* list: what bootdiag knows: backends, causes, rules, faults. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/causes.h"
#include "analyzers/own_rules.h"
#include "harness/base/say.h"
#include "harness/command.h"
#include "harness/eyes.h"
#include "harness/fault.h"
#include "harness/vm.h"

static int list_backends(const struct command_line *line, struct err *err)
{
    (void)line, (void)err;
    size_t n;
    const struct vm_ops *const *all = vm_all(&n);
    for (size_t i = 0; i < n; i++)
        printf("%-12s %s\n", all[i]->name, all[i]->summary);
    return 0;
}

static int list_causes(const struct command_line *line, struct err *err)
{
    (void)line, (void)err;
    size_t n;
    const struct cause *all = causes_all(&n);
    for (size_t i = 0; i < n; i++)
        printf("%-32s %s\n", all[i].id, all[i].title);
    return 0;
}

static int print_rules_json(const struct ruleset *rules, struct err *err)
{
    json_auto_t *list = json_array();
    for (size_t i = 0; i < ruleset_len(rules); i++)
        json_array_append_new(list, own_rules_json(ruleset_rule(rules, i)));
    if (json_dumpf(list, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) != 0)
        return err_set(err, "cannot write to standard output");
    putchar('\n');
    return 0;
}

static int print_rules(const struct ruleset *rules)
{
    for (size_t i = 0; i < ruleset_len(rules); i++) {
        const struct rule *rule = ruleset_rule(rules, i);
        printf("%-40s %s\n", rule->id, rule->cause != NULL ? rule->cause : "-");
    }
    return 0;
}

static int list_rules(const struct command_line *line, struct err *err)
{
    auto_eyes_rules struct eyes_rules cache = {0};
    auto_service struct service service;
    service_init(&service);
    if (eyes_rules_own(&cache, line, err) != 0)
        return -1;
    const struct ruleset *rules = eyes_rules_for(&cache, &service, err);
    if (rules == NULL)
        return -1;
    return command_has(line, "json") ? print_rules_json(rules, err) : print_rules(rules);
}

static int list_faults(const struct command_line *line, struct err *err)
{
    const char *dir = command_value(line, "faults", "fixtures/faults");
    char **names = fault_list(dir, err);
    if (names == NULL)
        return -1;
    int result = 0;
    for (char **name = names; *name != NULL && result == 0; name++) {
        struct fault fault = {0};
        result = fault_load(&fault, dir, *name, err);
        if (result == 0)
            printf("%-28s %s\n", fault.name, fault.summary);
        fault_release(&fault);
    }
    fault_list_free(names);
    return result;
}

static int cmd_list_main(const struct command_line *line)
{
    static const struct {
        const char *name;
        int (*print)(const struct command_line *line, struct err *err);
    } lists[] = {{"backends", list_backends},
                 {"causes", list_causes},
                 {"rules", list_rules},
                 {"faults", list_faults}};
    const char *name = line->n_operands > 0 ? line->operands[0] : "nothing";
    struct err err = {0};
    if (line->n_operands > 1) {
        err_set(&err, "list: unexpected argument \"%s\"", line->operands[1]);
        return say_error(&err);
    }
    if (command_has(line, "json") && strcmp(name, "rules") != 0) {
        err_set(&err, "list: --json is there for rules only");
        return say_error(&err);
    }
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (strcmp(lists[i].name, name) == 0)
            return lists[i].print(line, &err) == 0 ? EXIT_SUCCESS : say_error(&err);
    err_set(&err, "list: expected backends, causes, rules or faults, got %s", name);
    return say_error(&err);
}

static const struct command_option OPTIONS[] = {
    {0, "json", NULL, "rules only: whole, as --rules takes them"},
    OPTION_RULES,
    OPTION_FAULTS,
    {0},
};

const struct command cmd_list = {
    .name = "list",
    .synopsis = "backends|causes|rules|faults [OPTION]...",
    .summary = "Lists what bootdiag knows",
    .options = OPTIONS,
    .run = cmd_list_main,
};
