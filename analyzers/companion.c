/* SPDX-License-Identifier: Apache-2.0 */
/*
 * companion: what should run beside the agent and does not, although the agent is fine. A script
 * that looks too early says the same of a healthy boot, so systemd must have seen the unit fail.
 */
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/unit.h"

static const struct rule rules[] = {
    {
        .id = "companion.absent",
        .severity = SEVERITY_NOTE,
        .pattern =
            "^(?:\\[[\\w-]+\\] )?(?:WARN\\w*: )?([a-z][\\w@:.-]{2,40}) is (?:NOT|not) running$",
        .summary = "$1 does not run",
        .sample = "[   12.49] start-all.sh[139]: [SUPERVISOR] tigervnc is NOT running",
        .near_miss = "[   12.49] start-all.sh[139]: [SUPERVISOR] tigervnc is running",
    },
};

/* The unit's failure that bears the name; NULL: there is none. */
static const struct hit *failure_of(const struct evidence *evidence, const char *name)
{
    static const char *const failures[] = {"init.job-failed", "init.unit-result", "init.unit-exit"};
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
        for (const struct hit *hit = evidence_next(evidence, failures[i], NULL); hit != NULL;
             hit = evidence_next(evidence, failures[i], hit))
            if (hit->captures[0] != NULL && strcasestr(hit->captures[0], name) != NULL &&
                !unit_is_service(hit->captures[0], &evidence->record->service))
                return hit;
    return NULL;
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *absent = evidence_last(evidence, "companion.absent");
    if (absent == NULL || evidence->record->end != RECORD_END_READY)
        return;
    const struct hit *failure = failure_of(evidence, absent->captures[0]);
    if (failure == NULL)
        return;
    struct finding *finding =
        findings_add(findings, "companion.down", "agent.companion-down", SEVERITY_ERROR, 0.8);
    finding_say(finding, "The agent answers, and %s beside it does not run", absent->captures[0]);
    finding_hit(finding, failure);
    finding_hit(finding, absent);
}

const struct analyzer analyzer_companion = {
    .name = "companion",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
