/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules: rows of data that say what a console line means, matched by PCRE2 JIT behind a literal
 * prefilter.
 *
 * One Aho-Corasick pass over a line's bytes finds the literals that occur in it; only the rules
 * whose literals occurred (or that have none) are tried. A test proves that this changes no result.
 */
#ifndef BOOTDIAG_RULES_H
#define BOOTDIAG_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "analyzers/finding.h"
#include "analyzers/line.h"
#include "analyzers/speaker.h"
#include "harness/base/err.h"
#include "harness/service.h"

/* Which lines a rule looks at. */
enum rule_file { RULE_CONSOLE, RULE_VMM_LOG };

struct rule {
    const char *id;        /* a promise: never given another meaning */
    const char *cause;     /* NULL: a fact for the machines, not a cause */
    const char *layer;     /* of a user's own cause: see cause_own_key(); else NULL */
    const char *milestone; /* the milestone that this line proves, or NULL */
    enum severity severity;
    enum rule_file file;
    enum speaker speaker; /* who must say it; 0: by its layer */
    double confidence;    /* see struct finding */
    /*
     * PCRE2, bytes, matched against the cleaned line without its prefix. Macros: %{UNIT} (unit name
     * or description, possibly shortened by systemd), %{SUPERVISOR}, %{ENTRY}, %{READY}, %{PORT},
     * %{IFACE}, %{IP}.
     */
    const char *pattern;
    const char *literal;            /* bytes that every match contains; NULL: always tried */
    const char *summary;            /* one sentence; $1 to $4 stand for captures */
    const char *remedy;             /* NULL: the cause's own */
    const char *sample, *near_miss; /* a real line that matches, one like it that must not */
    /*
     * The service died once for each such line; watch.h counts them. At most one line of a death
     * may match a given rule with this flag. Never for what may die in a good boot (production's
     * WebRTC child).
     */
    bool death;
};

struct ruleset; /* compiled for one service */

/* Compiles all rules of all analyzers for `service`. NULL with the rule's id and column in `err`.
 */
struct ruleset *ruleset_new(const struct service *service, struct err *err);

/* The same for rules of one's own; the rules are borrowed and outlive the ruleset. */
struct rule_table {
    const struct rule *rules;
    size_t n;
};
struct ruleset *ruleset_new_from(const struct rule_table *tables, size_t n,
                                 const struct service *service, struct err *err);

void ruleset_free(struct ruleset *rules);

size_t ruleset_len(const struct ruleset *rules);
const struct rule *ruleset_rule(const struct ruleset *rules, size_t index);

/* One match. Captures are ranges in line->message; [0] is the whole match; a group that took no
 * part has start and end SIZE_MAX. */
enum { RULE_MAX_CAPTURES = 10 };
struct rule_match {
    size_t index; /* of the rule */
    size_t n_captures;
    size_t start[RULE_MAX_CAPTURES], end[RULE_MAX_CAPTURES];
};

/*
 * Calls `on_match` for every rule that matches, in the table's order. A rule that exceeds its match
 * limit is reported through `on_limit` (may be NULL). `prefilter` false tries every rule: for the
 * test. Room for matching is part of the ruleset: not for two threads at once, nor from within a
 * callback.
 */
struct rule_visitor {
    void (*on_match)(void *ctx, const struct rule_match *match, const struct line *line);
    void (*on_limit)(void *ctx, const struct rule *rule, const struct line *line);
    void *ctx;
};
void ruleset_match(struct ruleset *rules, enum rule_file file, const struct line *line,
                   bool prefilter, const struct rule_visitor *visitor);

#endif
