/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_lint: what is wrong with a rule before it ever sees a boot: samples, literals, cost,
 * duplicates; and whether it cries wolf over a good one.
 */
#ifndef BOOTDIAG_RULE_LINT_H
#define BOOTDIAG_RULE_LINT_H

#include <stdbool.h>
#include <stddef.h>

#include "analyzers/rules.h"
#include "harness/record.h"
#include "harness/service.h"

enum { RULE_LINT_MAX_PROBLEMS = 32 }; /* of one rule; further ones are dropped */

struct rule_problem {
    bool warning; /* works, but could be better */
    char *text;   /* owned: one sentence, printable */
};

/* Zeroed: none. */
struct rule_problems {
    struct rule_problem items[RULE_LINT_MAX_PROBLEMS];
    size_t n;
    bool failed; /* one is no mere warning */
};

/*
 * Checks `rule` by itself and against `all`, which holds it among others and was compiled for
 * `service`: its sample must match and its near miss must not, every match must contain its
 * literal, no text may exceed the match limit, no other rule with the same cause may match its
 * sample. Whether all of a pattern's matches contain something is tried with texts that are made
 * from it, so a mistake may go unseen, and none is made up.
 */
void rule_lint(struct rule_problems *problems, const struct rule *rule, struct ruleset *all,
               const struct service *service);

/*
 * Of the rules that are errors or have a cause, those behind the first `skip` of `all` that match a
 * line of a boot that came up; `problems` has one entry for each rule of `all`.
 */
void rule_lint_good(struct rule_problems *problems, struct ruleset *all, size_t skip,
                    const struct record *good);

void rule_problems_release(struct rule_problems *problems);

#endif
