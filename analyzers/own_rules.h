/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own_rules: rules of a user's own, from a JSON array with the members of struct rule
 * (reports/schema/rules.json), and any rule as such an object.
 */
#ifndef BOOTDIAG_OWN_RULES_H
#define BOOTDIAG_OWN_RULES_H

#include <stddef.h>

#include <jansson.h>

#include "analyzers/rules.h"
#include "harness/base/err.h"

enum {
    OWN_RULES_MAX = 10 * 1000,
    OWN_RULES_MAX_TEXT = 8192, /* bytes of each member */
};

/* Zeroed: no rules. */
struct own_rules {
    struct rule *rules; /* owned, with their texts */
    size_t n;
};

/*
 * Strict: unknown members, ids that do not begin with "x." or stand there twice, causes that do not
 * exist and patterns that do not compile are errors, which name `name` (the file), the rule, and
 * the column of a pattern. `rules` is zeroed or not set before; released on failure.
 */
int own_rules_parse(struct own_rules *rules, const json_t *list, const char *name, struct err *err);
void own_rules_release(struct own_rules *rules);

/* A rule as a new object; absent members are left out. */
json_t *own_rules_json(const struct rule *rule);

#endif
