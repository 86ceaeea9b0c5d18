/* SPDX-License-Identifier: Apache-2.0 */
/* What gather.c brought together, and the questions that analyzers ask of it. */
#include "analyzers/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/gather.h"
#include "analyzers/unit.h"
#include "harness/base/mem.h"

static const struct rule_hits *find_rule(const struct evidence *evidence, const char *rule_id)
{
    size_t n = ruleset_len(evidence->rules);
    for (size_t i = 0; i < n; i++)
        if (strcmp(ruleset_rule(evidence->rules, i)->id, rule_id) == 0)
            return &evidence->per_rule[i];
    return NULL;
}

static bool is_about_service(const struct evidence *evidence, const struct hit *hit)
{
    return hit->captures[0] != NULL &&
           unit_is_service(hit->captures[0], &evidence->record->service);
}

uint32_t evidence_count(const struct evidence *evidence, const char *rule_id)
{
    const struct rule_hits *hits = find_rule(evidence, rule_id);
    return hits != NULL ? hits->count : 0;
}

const struct hit *evidence_first(const struct evidence *evidence, const char *rule_id)
{
    const struct rule_hits *hits = find_rule(evidence, rule_id);
    return hits != NULL && hits->count > 0 ? &evidence->hits[hits->first] : NULL;
}

const struct hit *evidence_last(const struct evidence *evidence, const char *rule_id)
{
    const struct rule_hits *hits = find_rule(evidence, rule_id);
    return hits != NULL && hits->count > 0 ? &evidence->hits[hits->last] : NULL;
}

const struct hit *evidence_next(const struct evidence *evidence, const char *rule_id,
                                const struct hit *after)
{
    if (after == NULL)
        return evidence_first(evidence, rule_id);
    for (const struct hit *hit = after + 1; hit < evidence->hits + evidence->n_hits; hit++)
        if (hit->rule == after->rule)
            return hit;
    return NULL;
}

const struct hit *evidence_next_of_service(const struct evidence *evidence, const char *rule_id,
                                           const struct hit *after)
{
    do {
        after = evidence_next(evidence, rule_id, after);
    } while (after != NULL && !is_about_service(evidence, after));
    return after;
}

static void hit_release(struct hit *hit)
{
    free(hit->text);
    for (size_t i = 0; i < EVIDENCE_MAX_CAPTURES; i++)
        free(hit->captures[i]);
}

/* A service may log under any name: whoever announces the agent speaks for it. */
static void learn_agent_ident(struct evidence *evidence)
{
    static const char *const announcements[] = {"supervisor.agent-pid", "agent.ready"};
    for (size_t i = 0; i < sizeof(announcements) / sizeof(announcements[0]); i++) {
        const struct hit *hit = evidence_last(evidence, announcements[i]);
        if (hit != NULL)
            memcpy(evidence->agent_ident, hit->ident, sizeof(evidence->agent_ident));
    }
}

void evidence_init(struct evidence *evidence, const struct record *record, struct ruleset *rules,
                   const struct baseline *baseline)
{
    *evidence = (struct evidence){
        .record = record,
        .rules = rules,
        .baseline = baseline,
        .per_rule = mem_calloc(ruleset_len(rules), sizeof(*evidence->per_rule)),
        .last_output_ms = -1,
        .arrival_times = record->n_times > 0,
    };
    gather_evidence(evidence, rules);
    learn_agent_ident(evidence);
}

void evidence_release(struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->n_hits; i++)
        hit_release(&evidence->hits[i]);
    free(evidence->hits);
    free(evidence->per_rule);
    *evidence = (struct evidence){0};
}

const struct rule *evidence_rule(const struct evidence *evidence, const struct hit *hit)
{
    return ruleset_rule(evidence->rules, hit->rule);
}

void hit_quote(const struct hit *hit, struct quote *ret_quote)
{
    *ret_quote = (struct quote){hit->file, hit->line, hit->offset, hit->at_ms, ""};
    snprintf(ret_quote->text, sizeof(ret_quote->text), "%s", hit->text);
}

int64_t evidence_silence_ms(const struct evidence *evidence)
{
    int64_t ended_ms = evidence->record->ended_ms;
    if (ended_ms < 0 || evidence->last_output_ms < 0 || ended_ms < evidence->last_output_ms)
        return 0;
    return ended_ms - evidence->last_output_ms;
}

bool evidence_is_bare(const struct evidence *evidence)
{
    return evidence->record->end == RECORD_END_UNKNOWN;
}

bool evidence_window_closed(const struct evidence *evidence)
{
    enum record_end end = evidence->record->end;
    return end == RECORD_END_UNKNOWN || end == RECORD_END_DEADLINE;
}

bool evidence_unit_mentioned(const struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->n_hits; i++) {
        const struct hit *hit = &evidence->hits[i];
        if (strncmp(evidence_rule(evidence, hit)->id, "init.", 5) == 0 &&
            is_about_service(evidence, hit))
            return true;
    }
    return false;
}

void finding_hit(struct finding *finding, const struct hit *hit)
{
    struct quote quote;
    hit_quote(hit, &quote);
    finding_quote(finding, &quote);
}

int64_t evidence_end_ms(const struct evidence *evidence)
{
    if (evidence->record->ended_ms >= 0)
        return evidence->record->ended_ms;
    return evidence->last_output_ms;
}
