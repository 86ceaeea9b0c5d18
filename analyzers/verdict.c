/* SPDX-License-Identifier: Apache-2.0 */
/* The chosen candidate is primary; what else stands for itself is broken besides, or a weaker
 * guess. */
#include "analyzers/verdict.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/candidates.h"
#include "analyzers/causes.h"
#include "analyzers/doubt.h"
#include "analyzers/stage.h"
#include "harness/base/mem.h"

enum { MAX_ALTERNATIVES = 5 };

/* Confidences: what a bare console needs to be called failed, and once the boot got as far as the
 * service; what is broken besides rather than guessed. */
static const double DECISIVE = 0.8, DECISIVE_LATE = 0.7, BROKEN_TOO = 0.6;

static bool quoted(const struct verdict *verdict, const struct quote *quote)
{
    for (size_t i = 0; i < verdict->n_quotes; i++) {
        const struct quote *have = &verdict->quotes[i];
        if (strcmp(have->text, quote->text) == 0 ||
            (quote->line > 0 && have->line == quote->line && strcmp(have->file, quote->file) == 0))
            return true;
    }
    return false;
}

static void add_quotes(struct verdict *verdict, const struct finding *finding, size_t max)
{
    for (size_t i = 0; i < finding->n_quotes && max > 0; i++) {
        if (verdict->n_quotes >= ANALYSIS_MAX_QUOTES || quoted(verdict, &finding->quotes[i]))
            continue;
        verdict->quotes[verdict->n_quotes++] = finding->quotes[i];
        max--;
    }
}

static const char *layer_of(const char *id)
{
    const struct cause *cause = cause_find(id);
    return cause != NULL ? cause->layer : "x";
}

static enum fate fate_of(const struct candidate *candidate, const struct candidate *chosen)
{
    if (candidate == chosen)
        return FATE_PRIMARY;
    if (candidate->explained_by != NULL)
        return FATE_CONSEQUENCE;
    if (candidate->doubt != NULL)
        return FATE_DOUBTED;
    return chosen != NULL && candidate->confidence >= BROKEN_TOO ? FATE_CONTRIBUTING : FATE_WEAKER;
}

static bool shares_a_line(const struct finding *a, const struct finding *b)
{
    for (size_t i = 0; i < a->n_quotes; i++)
        for (size_t j = 0; j < b->n_quotes; j++)
            if (a->quotes[i].line > 0 && a->quotes[i].line == b->quotes[j].line)
                return true;
    return false;
}

/* A consequence whose lines belong to something that is broken besides is quoted there. */
static bool shows_another(const struct candidates *candidates, const struct candidate *chosen,
                          const struct finding *finding)
{
    for (size_t i = 0; i < candidates->len; i++) {
        const struct candidate *other = &candidates->items[i];
        if (other->best != NULL && fate_of(other, chosen) == FATE_CONTRIBUTING &&
            shares_a_line(other->best, finding))
            return true;
    }
    return false;
}

static void set_verdict(struct analysis *analysis, const struct candidates *candidates,
                        const struct candidate *chosen)
{
    struct verdict *verdict = &analysis->verdict;
    const struct cause *cause = cause_find(chosen->cause);
    const struct finding *best = chosen->best;
    assert(best != NULL); /* a candidate is made from a finding */
    verdict->cause = chosen->cause;
    verdict->layer = layer_of(chosen->cause);
    verdict->confidence = chosen->confidence;
    if (best->count > 1)
        verdict->summary = mem_printf("%s (%u times)", best->summary, best->count);
    else
        verdict->summary = mem_strdup(best->summary != NULL ? best->summary
                                      : cause != NULL       ? cause->title
                                                            : "");
    verdict->remedy = mem_strdup(best->remedy != NULL ? best->remedy
                                 : cause != NULL      ? cause->remedy
                                                      : "");
    add_quotes(verdict, best, ANALYSIS_MAX_QUOTES);
    for (size_t i = 0; i < candidates->len; i++)
        if (candidates->items[i].explained_by == chosen && candidates->items[i].best != NULL &&
            !shows_another(candidates, chosen, candidates->items[i].best))
            add_quotes(verdict, candidates->items[i].best, 1);
}

static void set_unknown(struct analysis *analysis, const struct evidence *evidence)
{
    struct verdict *verdict = &analysis->verdict;
    const struct cause *cause = cause_find("unknown");
    int furthest = stage_furthest(analysis->milestones);
    verdict->cause = cause->id;
    verdict->layer = cause->layer;
    verdict->confidence = 0.5;
    if (furthest < 0)
        verdict->summary = mem_strdup("No cause could be named: nothing shows that the VM ran");
    else if (furthest + 1 < STAGE_N)
        verdict->summary =
            mem_printf("No cause could be named: the boot got as far as %s, and %s "
                       "never came",
                       stage_id((enum stage)furthest), stage_id((enum stage)(furthest + 1)));
    else
        verdict->summary = mem_strdup("No cause could be named: every stage was reached");
    verdict->remedy = mem_strdup(cause->remedy);
    if (furthest >= 0 && analysis->milestones[furthest].quote.line > 0)
        verdict->quotes[verdict->n_quotes++] = analysis->milestones[furthest].quote;
    if (evidence->last_line.line > 0 && !quoted(verdict, &evidence->last_line))
        verdict->quotes[verdict->n_quotes++] = evidence->last_line;
}

static void add_contributing(struct analysis *analysis, const struct candidate *candidate)
{
    struct contributing *item = &analysis->contributing[analysis->n_contributing++];
    *item = (struct contributing){.cause = candidate->cause, .n_quotes = candidate->best->n_quotes};
    memcpy(item->quotes, candidate->best->quotes, sizeof(item->quotes));
}

static char *why(const struct candidate *candidate, const struct candidate *chosen)
{
    switch (fate_of(candidate, chosen)) {
    case FATE_PRIMARY:
        return mem_strdup("nothing else that was found explains it, and it comes first on the way "
                          "to the port");
    case FATE_CONSEQUENCE:
        return mem_printf("it follows from %s", candidate->explained_by->cause);
    case FATE_DOUBTED:
        return mem_strdup(candidate->doubt);
    case FATE_CONTRIBUTING:
        return mem_printf("it is broken besides: %s does not explain it", chosen->cause);
    case FATE_WEAKER:
        break;
    }
    if (chosen == NULL)
        return mem_strdup("its evidence is too weak");
    if (candidate->rank < chosen->rank)
        return mem_printf("its evidence is weaker than that of %s", chosen->cause);
    return mem_printf("%s comes earlier on the way to the port", chosen->cause);
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *left = *(const struct candidate *const *)a;
    const struct candidate *right = *(const struct candidate *const *)b;
    if (left->confidence > right->confidence || left->confidence < right->confidence)
        return left->confidence > right->confidence ? -1 : 1;
    return left->rank < right->rank ? -1 : left->rank > right->rank;
}

/* What is left of the certainty is shared by the alternatives in proportion to their own evidence;
 * consequences get little of it. */
static void share_confidence(struct analysis *analysis)
{
    double sum = 0, rest = 1 - analysis->verdict.confidence;
    for (size_t i = 0; i < analysis->n_alternatives; i++)
        sum += analysis->alternatives[i].confidence;
    for (size_t i = 0; i < analysis->n_alternatives && sum > rest; i++)
        analysis->alternatives[i].confidence *= rest / sum;
}

static void add_alternative(struct analysis *analysis, const struct candidate *candidate,
                            const struct candidate *chosen)
{
    bool follows = candidate->explained_by != NULL;
    if (analysis->n_alternatives == MAX_ALTERNATIVES)
        return;
    analysis->alternatives[analysis->n_alternatives++] = (struct alternative){
        .cause = candidate->cause,
        .confidence = follows ? candidate->confidence / 10 : candidate->confidence,
        .why_not = why(candidate, chosen),
    };
}

/* All candidates in the order of their weight, the chosen one first; owned by the caller. */
static const struct candidate **in_order(const struct candidates *candidates,
                                         const struct candidate *chosen)
{
    const struct candidate **list =
        mem_calloc(candidates->len + 1, sizeof(const struct candidate *));
    size_t n = chosen != NULL;
    if (chosen != NULL)
        list[0] = chosen;
    for (size_t i = 0; i < candidates->len; i++)
        if (&candidates->items[i] != chosen && candidates->items[i].best != NULL)
            list[n++] = &candidates->items[i];
    size_t behind = chosen != NULL;
    qsort(list + behind, n - behind, sizeof(list[0]), compare_candidates);
    return list;
}

/* What is worth saying of a boot that came up all the same (contract, "Analysis"). */
static bool matters_when_ready(const struct candidate *candidate)
{
    static const char *const causes[] = {"rootfs.stale-image", "agent.companion-down"};
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
        if (strcmp(candidate->cause, causes[i]) == 0)
            return candidate->confidence >= BROKEN_TOO;
    return false;
}

static void set_others_of_ready(struct analysis *analysis, const struct candidate *const *list)
{
    for (; *list != NULL; list++)
        if (matters_when_ready(*list))
            add_contributing(analysis, *list);
}

static void set_others(struct analysis *analysis, const struct candidate *const *list,
                       const struct candidate *chosen)
{
    for (; *list != NULL; list++) {
        if (*list == chosen)
            continue;
        if (fate_of(*list, chosen) == FATE_CONTRIBUTING)
            add_contributing(analysis, *list);
        else
            add_alternative(analysis, *list, chosen);
    }
    share_confidence(analysis);
}

static void set_considered(struct analysis *analysis, const struct candidate *const *list,
                           const struct candidate *chosen)
{
    for (; *list != NULL; list++)
        analysis->considered[analysis->n_considered++] = (struct considered){
            .cause = (*list)->cause,
            .finding = (*list)->best->id,
            .alone = (*list)->best->confidence,
            .confidence = (*list)->confidence,
            .fate = fate_of(*list, chosen),
            .why = why(*list, chosen),
        };
}

static bool has_cause(const struct analysis *analysis, const char *cause)
{
    for (size_t i = 0; i < analysis->findings.len; i++)
        if (analysis->findings.items[i].cause != NULL &&
            strcmp(analysis->findings.items[i].cause, cause) == 0)
            return true;
    return false;
}

static bool is_decisive(const struct candidate *chosen)
{
    bool late =
        cause_in_layer(chosen->cause, "agent") || cause_in_layer(chosen->cause, "supervisor");
    return chosen->confidence >= (late ? DECISIVE_LATE : DECISIVE) && chosen->best != NULL &&
           chosen->best->severity >= SEVERITY_ERROR;
}

static enum outcome outcome_of(const struct analysis *analysis, const struct evidence *evidence,
                               const struct candidate *chosen)
{
    switch (evidence->record->end) {
    case RECORD_END_READY:
        return has_cause(analysis, "probe.lost-after-ready") ||
                       has_cause(analysis, "probe.stale-responder")
                   ? OUTCOME_FAILED
                   : OUTCOME_READY;
    case RECORD_END_INTERRUPTED:
        return OUTCOME_UNDETERMINED;
    case RECORD_END_UNKNOWN:
        break;
    default:
        return OUTCOME_FAILED;
    }
    if (chosen != NULL && is_decisive(chosen))
        return OUTCOME_FAILED;
    return doubt_console_ready(evidence) ? OUTCOME_READY : OUTCOME_UNDETERMINED;
}

void verdict_decide(struct analysis *analysis, const struct evidence *evidence)
{
    struct candidates *candidates = mem_calloc(1, sizeof(*candidates));
    candidates_gather(candidates, &analysis->findings, evidence);
    const struct candidate *chosen = candidates_choose(candidates);
    const struct candidate **list = in_order(candidates, chosen);
    analysis->outcome = outcome_of(analysis, evidence, chosen);
    analysis->considered = mem_calloc(candidates->len + 1, sizeof(*analysis->considered));
    analysis->contributing = mem_calloc(candidates->len + 1, sizeof(*analysis->contributing));
    analysis->alternatives = mem_calloc(MAX_ALTERNATIVES, sizeof(*analysis->alternatives));
    set_considered(analysis, list, chosen);
    if (analysis->outcome == OUTCOME_FAILED) {
        if (chosen != NULL)
            set_verdict(analysis, candidates, chosen);
        else
            set_unknown(analysis, evidence);
        set_others(analysis, list, chosen);
    } else if (analysis->outcome == OUTCOME_READY) {
        set_others_of_ready(analysis, list);
    }
    free(list);
    free(candidates);
}
