/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence, milestones, findings of rules, findings of machines, verdict, questions, difference: in
 * this order, each from those before it. */
#include "analyzers/analysis.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/baseline.h"
#include "analyzers/evidence.h"
#include "analyzers/questions.h"
#include "analyzers/stage.h"
#include "analyzers/verdict.h"
#include "harness/base/buf.h"
#include "harness/base/mem.h"

enum { MAX_SUMMARY = 1024 };

/* "$1" in a rule's text is what its first group captured. */
static char *expand(const char *text, const struct hit *hit)
{
    struct buf out;
    buf_init(&out, MAX_SUMMARY);
    for (; *text; text++) {
        int group = text[0] == '$' && text[1] >= '1' && text[1] <= '9' ? text[1] - '0' : 0;
        if (group == 0) {
            buf_add_char(&out, *text);
            continue;
        }
        if (group <= EVIDENCE_MAX_CAPTURES && hit->captures[group - 1])
            buf_add_text(&out, hit->captures[group - 1]);
        text++;
    }
    while (out.len > 0 && strchr(" :,.", out.data[out.len - 1]))
        out.data[--out.len] = '\0';
    return buf_steal(&out);
}

/* Pids that the supervisor script gave to children that are not the agent. */
static bool is_companion(const struct evidence *evidence, int pid)
{
    for (const struct hit *hit = evidence_next(evidence, "supervisor.child-pid", NULL); hit;
         hit = evidence_next(evidence, "supervisor.child-pid", hit))
        if (pid > 0 && hit->captures[0] && hit->captures[1] && atoi(hit->captures[1]) == pid &&
            !strcasestr(hit->captures[0], "agent"))
            return true;
    return false;
}

/*
 * Errors of the agent and its script only count from their mouths: unnamed lines, the script's
 * stream, the runtime, systemd. Other units have exceptions, too.
 */
static bool speaks_for_service(const struct evidence *evidence, const struct hit *hit)
{
    static const char *const voices[] = {"systemd", "node", "nodejs", "env", "bash", "sh"};
    const struct service *service = &evidence->record->service;
    size_t unit_len = strcspn(service->unit, ".");
    if (is_companion(evidence, hit->pid))
        return false;
    if (hit->source == LINE_KERNEL)
        return strncmp(hit->text, "traps:", 6) == 0 || strstr(hit->text, "] traps:");
    if (!hit->ident[0] || hit->ident[0] == '(')
        return true;
    for (size_t i = 0; i < sizeof(voices) / sizeof(voices[0]); i++)
        if (strcmp(hit->ident, voices[i]) == 0)
            return true;
    return strncmp(hit->ident, service->supervisor, 15) == 0 ||
           strncmp(hit->ident, service->entry, 15) == 0 ||
           (strncmp(hit->ident, service->unit, unit_len) == 0 && strlen(hit->ident) == unit_len) ||
           (evidence->agent_ident[0] && strcmp(hit->ident, evidence->agent_ident) == 0);
}

static bool needs_voice(const struct rule *rule)
{
    return rule->cause &&
           (strncmp(rule->cause, "agent.", 6) == 0 || strncmp(rule->cause, "supervisor.", 11) == 0);
}

/* First and last hit that count are quoted; the first makes the summary. */
static void add_rule_finding(const struct evidence *evidence, size_t index,
                             struct findings *findings)
{
    const struct rule *rule = ruleset_rule(evidence->rules, index);
    const struct hit *first = NULL, *last = NULL;
    uint32_t others = 0;
    for (const struct hit *hit = evidence_next(evidence, rule->id, NULL); hit;
         hit = evidence_next(evidence, rule->id, hit)) {
        if (needs_voice(rule) && !speaks_for_service(evidence, hit)) {
            others++;
            continue;
        }
        first = first ? first : hit;
        last = hit;
    }
    if (!first)
        return;
    struct finding *finding =
        findings_add(findings, rule->id, rule->cause, rule->severity, rule->confidence);
    finding->count = evidence->per_rule[index].count - others;
    finding->summary = expand(rule->summary, first);
    finding->remedy = rule->remedy ? expand(rule->remedy, first) : NULL;
    finding_hit(finding, first);
    if (last != first)
        finding_hit(finding, last);
}

static void add_rule_findings(const struct evidence *evidence, struct findings *findings)
{
    for (size_t i = 0; i < ruleset_len(evidence->rules); i++) {
        const struct rule *rule = ruleset_rule(evidence->rules, i);
        if (evidence->per_rule[i].count > 0 && (rule->cause || rule->severity >= SEVERITY_ERROR))
            add_rule_finding(evidence, i, findings);
    }
}

static void run_analyzers(const struct evidence *evidence, struct findings *findings)
{
    size_t n;
    const struct analyzer *const *analyzers = analyzers_all(&n);
    add_rule_findings(evidence, findings);
    for (size_t i = 0; i < n; i++)
        if (analyzers[i]->run)
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
    if (record->console_facts.dropped_bytes > 0)
        add_limit(analysis, mem_printf("console.log: %llu bytes were not kept, at offset %lld",
                                       (unsigned long long)record->console_facts.dropped_bytes,
                                       (long long)record->console_facts.dropped_at));
    if (record->probe.merged)
        add_limit(analysis, mem_strdup("probe: the shortest runs were merged"));
}

void analysis_init(struct analysis *analysis, const struct record *record, struct ruleset *rules,
                   const struct baseline *baseline)
{
    auto_evidence struct evidence evidence;
    *analysis = (struct analysis){
        .source = mem_strdup(record->source ? record->source : ""),
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
    list_limits(analysis, &evidence);
    if (baseline)
        baseline_diff(baseline, record, rules, analysis->milestones, STAGE_N, &analysis->diff);
}

static void diff_release(struct diff *diff)
{
    for (size_t i = 0; i < diff->n_missing; i++)
        free(diff->missing[i].text);
    for (size_t i = 0; i < diff->n_novel; i++) {
        free(diff->novel[i].text);
        free(diff->novel[i].was);
    }
    free(diff->missing);
    free(diff->novel);
    free(diff->late);
    free(diff->baseline);
    free(diff->expected);
    free(diff->seen);
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
