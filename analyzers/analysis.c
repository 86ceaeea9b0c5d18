/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence, milestones, findings of rules, findings of machines, verdict, questions, difference: in
 * this order, each from those before it. */
#include "analyzers/analysis.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/diff.h"
#include "analyzers/evidence.h"
#include "analyzers/questions.h"
#include "analyzers/rule_findings.h"
#include "analyzers/stage.h"
#include "analyzers/verdict.h"
#include "harness/base/mem.h"

static void run_analyzers(const struct evidence *evidence, struct findings *findings)
{
    size_t n;
    const struct analyzer *const *analyzers = analyzers_all(&n);
    rule_findings_add(evidence, findings);
    for (size_t i = 0; i < n; i++)
        if (analyzers[i]->run != NULL)
            analyzers[i]->run(evidence, findings);
}

static uint32_t first_line(const struct finding *finding)
{
    return finding->n_quotes > 0 ? finding->quotes[0].line : 0;
}

/* By line, then by id: the same order whatever order the analyzers run in. */
static int compare_findings(const void *a, const void *b)
{
    const struct finding *left = a, *right = b;
    if (first_line(left) != first_line(right))
        return first_line(left) < first_line(right) ? -1 : 1;
    return strcmp(left->id, right->id);
}

static void add_limit(struct analysis *analysis, char *text)
{
    analysis->limits_hit = mem_realloc(analysis->limits_hit, analysis->n_limits_hit + 1,
                                       sizeof(*analysis->limits_hit));
    analysis->limits_hit[analysis->n_limits_hit++] = text;
}

static void list_limits(struct analysis *analysis, const struct evidence *evidence)
{
    const struct record *record = evidence->record;
    if (evidence->truncated_lines > 0)
        add_limit(analysis,
                  mem_printf("%u lines are longer than %d bytes: only their start was read",
                             evidence->truncated_lines, LINE_MAX_BYTES));
    if (evidence->hits_dropped)
        add_limit(analysis, mem_printf("a rule matched more than %d times: of those in the middle "
                                       "only the number is kept",
                                       EVIDENCE_HITS_PER_RULE));
    if (evidence->rule_limits > 0)
        add_limit(analysis, mem_printf("rule %s gave up on %u lines", evidence->limited_rule,
                                       evidence->rule_limits));
    if (record->console.cut)
        add_limit(analysis, mem_strdup("console.log is larger than is read: its end was left out"));
    if (record->vmm_log.cut)
        add_limit(analysis, mem_strdup("vmm.log is larger than is read: its end was left out"));
    if (record->console_facts.dropped_bytes > 0)
        add_limit(analysis, mem_printf("console.log: %llu bytes were not kept, at offset %lld",
                                       (unsigned long long)record->console_facts.dropped_bytes,
                                       (long long)record->console_facts.dropped_at));
    if (record->probe.merged)
        add_limit(analysis, mem_strdup("probe: the shortest runs were merged"));
    if (analysis->diff.dropped > 0)
        add_limit(analysis,
                  mem_printf("the comparison with good boots leaves out %llu lines: there "
                             "are too many different ones",
                             (unsigned long long)analysis->diff.dropped));
}

void analysis_init(struct analysis *analysis, const struct record *record, struct ruleset *rules,
                   const struct baseline *baseline)
{
    auto_evidence struct evidence evidence;
    *analysis = (struct analysis){
        .source = mem_strdup(record->source != NULL ? record->source : ""),
        .milestones = mem_calloc(STAGE_N, sizeof(*analysis->milestones)),
        .n_milestones = STAGE_N,
    };
    evidence_init(&evidence, record, rules, baseline);
    stage_milestones(&evidence, analysis->milestones);
    evidence.milestones = analysis->milestones;
    run_analyzers(&evidence, &analysis->findings);
    if (analysis->findings.len > 1)
        qsort(analysis->findings.items, analysis->findings.len, sizeof(*analysis->findings.items),
              compare_findings);
    verdict_decide(analysis, &evidence);
    questions_answer(analysis, &evidence);
    if (baseline != NULL)
        diff_init(&analysis->diff, baseline, record, rules, analysis->milestones);
    list_limits(analysis, &evidence);
}

void analysis_release(struct analysis *analysis)
{
    free(analysis->source);
    free(analysis->verdict.summary);
    free(analysis->verdict.remedy);
    for (size_t i = 0; i < analysis->n_alternatives; i++)
        free(analysis->alternatives[i].why_not);
    free(analysis->alternatives);
    free(analysis->contributing);
    for (size_t i = 0; i < analysis->n_considered; i++)
        free(analysis->considered[i].why);
    free(analysis->considered);
    for (size_t i = 0; i < ANALYSIS_N_QUESTIONS; i++)
        free(analysis->questions[i].text);
    free(analysis->milestones);
    diff_release(&analysis->diff);
    findings_release(&analysis->findings);
    for (size_t i = 0; i < analysis->n_limits_hit; i++)
        free(analysis->limits_hit[i]);
    free(analysis->limits_hit);
    *analysis = (struct analysis){0};
}

const char *analysis_stage(const struct analysis *analysis)
{
    int furthest = analysis->n_milestones == STAGE_N ? stage_furthest(analysis->milestones) : -1;
    return furthest >= 0 ? stage_id((enum stage)furthest) : NULL;
}
