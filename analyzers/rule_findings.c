/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule with a cause, or one about an error, makes one finding of all its hits. Of the agent's and
 * the supervisor's rules only those hits count in which the service itself speaks.
 */
#include "analyzers/rule_findings.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/causes.h"
#include "analyzers/chars.h"
#include "analyzers/service_log.h"
#include "harness/base/buf.h"

enum { MAX_SUMMARY = 1024 };

/* "$1" in a rule's text is what its first group captured. */
static char *expand(const char *text, const struct hit *hit)
{
    struct buf out;
    buf_init(&out, MAX_SUMMARY);
    for (; *text != '\0'; text++) {
        int group = text[0] == '$' && is_digit(text[1]) ? text[1] - '0' : 0;
        if (group == 0) {
            buf_add_char(&out, *text);
            continue;
        }
        if (group <= EVIDENCE_MAX_CAPTURES && hit->captures[group - 1] != NULL)
            buf_add_text(&out, hit->captures[group - 1]);
        text++;
    }
    while (out.len > 0 && strchr(" :,.", out.data[out.len - 1]) != NULL)
        out.data[--out.len] = '\0';
    return buf_steal(&out);
}

/*
 * Errors of the agent and its script only count from their mouths: unnamed lines, the script's
 * stream, the runtime, systemd. Other units have exceptions, too.
 */
static bool speaks_for_service(const struct evidence *evidence, const struct hit *hit)
{
    if (hit->source == LINE_KERNEL)
        return strncmp(hit->text, "traps:", 6) == 0 || strstr(hit->text, "] traps:") != NULL;
    return service_log_is_voice(evidence, hit);
}

static bool needs_voice(const struct rule *rule)
{
    return rule->cause != NULL &&
           (cause_in_layer(rule->cause, "agent") || cause_in_layer(rule->cause, "supervisor"));
}

/* First and last hit that count are quoted; the first makes the summary. */
static void add_finding(const struct evidence *evidence, size_t index, struct findings *findings)
{
    const struct rule *rule = ruleset_rule(evidence->rules, index);
    const struct hit *first = NULL, *last = NULL;
    uint32_t others = 0;
    for (const struct hit *hit = evidence_next(evidence, rule->id, NULL); hit != NULL;
         hit = evidence_next(evidence, rule->id, hit)) {
        if (needs_voice(rule) && !speaks_for_service(evidence, hit)) {
            others++;
            continue;
        }
        first = first != NULL ? first : hit;
        last = hit;
    }
    if (first == NULL)
        return;
    struct finding *finding =
        findings_add(findings, rule->id, rule->cause, rule->severity, rule->confidence);
    finding->count = evidence->per_rule[index].count - others;
    finding->summary = expand(rule->summary, first);
    finding->remedy = rule->remedy != NULL ? expand(rule->remedy, first) : NULL;
    finding_hit(finding, first);
    if (last != first)
        finding_hit(finding, last);
}

void rule_findings_add(const struct evidence *evidence, struct findings *findings)
{
    for (size_t i = 0; i < ruleset_len(evidence->rules); i++) {
        const struct rule *rule = ruleset_rule(evidence->rules, i);
        if (evidence->per_rule[i].count > 0 &&
            (rule->cause != NULL || rule->severity >= SEVERITY_ERROR))
            add_finding(evidence, i, findings);
    }
}
