/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings of one cause become one candidate. A candidate that another one explains is its
 * consequence and is folded; of those that stand for themselves the earliest on the way from host
 * to port is primary, if its evidence is about as strong as the best. What else stands is broken
 * besides, or a weaker guess.
 */
#include "analyzers/verdict.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/causes.h"
#include "analyzers/doubt.h"
#include "analyzers/stage.h"
#include "analyzers/unit.h"
#include "harness/base/mem.h"

enum { MAX_CANDIDATES = 64, MAX_ALTERNATIVES = 5 };

/* Confidences: what a bare console needs to be called failed; what counts as about as strong; what
 * is broken besides rather than guessed; what is too weak to be named. */
static const double DECISIVE = 0.8, ABOUT_EQUAL = 0.2, BROKEN_TOO = 0.6, TOO_WEAK = 0.3;

struct candidate {
    const char *cause;
    size_t rank;
    double confidence;
    const struct finding *best;
    const struct candidate *explained_by;
    const char *doubt; /* why the confidence was lowered; or NULL */
};

struct candidates {
    struct candidate items[MAX_CANDIDATES];
    size_t len;
};

static struct candidate *find_or_add(struct candidates *candidates, const char *cause)
{
    for (size_t i = 0; i < candidates->len; i++)
        if (strcmp(candidates->items[i].cause, cause) == 0)
            return &candidates->items[i];
    if (candidates->len == MAX_CANDIDATES)
        return NULL;
    candidates->items[candidates->len] =
        (struct candidate){.cause = cause, .rank = cause_rank(cause)};
    return &candidates->items[candidates->len++];
}

static void collect(const struct analysis *analysis, const struct evidence *evidence,
                    struct candidates *candidates)
{
    for (size_t i = 0; i < analysis->findings.len; i++) {
        const struct finding *finding = &analysis->findings.items[i];
        struct candidate *candidate =
            finding->cause != NULL ? find_or_add(candidates, finding->cause) : NULL;
        double factor;
        if (candidate == NULL)
            continue;
        const char *why = doubt_of(evidence, finding, &factor);
        if (finding->confidence * factor <= candidate->confidence)
            continue;
        candidate->confidence = finding->confidence * factor;
        candidate->best = finding;
        candidate->doubt = why;
    }
}

static bool quotes_network_unit(const struct finding *finding)
{
    for (size_t i = 0; i < finding->n_quotes; i++)
        if (unit_is_network(finding->quotes[i].text))
            return true;
    return false;
}

/* What causes.c lists as possible holds here: see precedence.md, the first row. */
static bool holds(const struct evidence *evidence, const struct candidate *cause,
                  const struct candidate *other)
{
    bool waits = strcmp(other->cause, "init.job-waiting") == 0 ||
                 strcmp(other->cause, "init.unit-start-timeout") == 0 ||
                 strcmp(other->cause, "init.dependency-failed") == 0;
    bool network = cause_in_layer(cause->cause, "network") ||
                   strcmp(cause->cause, "host.dhcp-server-silent") == 0;
    if (waits && network)
        return !stage_reached(evidence, STAGE_ADDRESS_ACQUIRED) && quotes_network_unit(other->best);
    return true;
}

/* A guess does not explain a fact away. */
static bool strong_enough(const struct candidate *cause, const struct candidate *other)
{
    return cause->confidence >= 0.5 && cause->confidence >= 0.65 * other->confidence;
}

static void fold(const struct evidence *evidence, struct candidates *candidates)
{
    for (size_t i = 0; i < candidates->len; i++) {
        struct candidate *other = &candidates->items[i];
        for (size_t k = 0; k < candidates->len && other->explained_by == NULL; k++) {
            const struct candidate *cause = &candidates->items[k];
            if (k != i && strong_enough(cause, other) &&
                cause_explains(cause->cause, other->cause) && holds(evidence, cause, other))
                other->explained_by = cause;
        }
    }
}

static const struct candidate *choose(const struct candidates *candidates)
{
    double best = 0;
    const struct candidate *chosen = NULL;
    for (size_t i = 0; i < candidates->len; i++)
        if (candidates->items[i].explained_by == NULL && candidates->items[i].confidence > best)
            best = candidates->items[i].confidence;
    for (size_t i = 0; i < candidates->len; i++) {
        const struct candidate *candidate = &candidates->items[i];
        if (candidate->explained_by == NULL && candidate->confidence >= TOO_WEAK &&
            candidate->confidence >= best - ABOUT_EQUAL &&
            (chosen == NULL || candidate->rank < chosen->rank))
            chosen = candidate;
    }
    return chosen;
}

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
        if (candidates->items[i].explained_by == chosen)
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

static char *why_not(const struct candidate *candidate, const struct candidate *chosen)
{
    if (candidate->explained_by != NULL)
        return mem_printf("it follows from %s", candidate->explained_by->cause);
    if (candidate->doubt != NULL)
        return mem_strdup(candidate->doubt);
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

static void set_others(struct analysis *analysis, const struct candidates *candidates,
                       const struct candidate *chosen)
{
    const struct candidate *others[MAX_CANDIDATES] = {0};
    size_t n = 0;
    for (size_t i = 0; i < candidates->len; i++)
        if (&candidates->items[i] != chosen && candidates->items[i].best != NULL)
            others[n++] = &candidates->items[i];
    qsort(others, n, sizeof(others[0]), compare_candidates);
    analysis->contributing = mem_calloc(n + 1, sizeof(*analysis->contributing));
    analysis->alternatives = mem_calloc(MAX_ALTERNATIVES, sizeof(*analysis->alternatives));
    for (size_t i = 0; i < n; i++) {
        const struct candidate *other = others[i];
        bool stands = other->explained_by == NULL && other->doubt == NULL;
        if (chosen != NULL && stands && other->confidence >= BROKEN_TOO) {
            add_contributing(analysis, other);
            continue;
        }
        if (analysis->n_alternatives == MAX_ALTERNATIVES)
            continue;
        analysis->alternatives[analysis->n_alternatives++] = (struct alternative){
            .cause = other->cause,
            .confidence = other->explained_by != NULL ? other->confidence / 10 : other->confidence,
            .why_not = why_not(other, chosen),
        };
    }
    share_confidence(analysis);
}

static bool has_cause(const struct analysis *analysis, const char *cause)
{
    for (size_t i = 0; i < analysis->findings.len; i++)
        if (analysis->findings.items[i].cause != NULL &&
            strcmp(analysis->findings.items[i].cause, cause) == 0)
            return true;
    return false;
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
    if (chosen != NULL && chosen->confidence >= DECISIVE && chosen->best != NULL &&
        chosen->best->severity >= SEVERITY_ERROR)
        return OUTCOME_FAILED;
    return doubt_console_ready(evidence) ? OUTCOME_READY : OUTCOME_UNDETERMINED;
}

void verdict_decide(struct analysis *analysis, const struct evidence *evidence)
{
    struct candidates *candidates = mem_calloc(1, sizeof(*candidates));
    collect(analysis, evidence, candidates);
    fold(evidence, candidates);
    const struct candidate *chosen = choose(candidates);
    analysis->outcome = outcome_of(analysis, evidence, chosen);
    if (analysis->outcome == OUTCOME_FAILED) {
        if (chosen != NULL)
            set_verdict(analysis, candidates, chosen);
        else
            set_unknown(analysis, evidence);
        set_others(analysis, candidates, chosen);
    }
    free(candidates);
}
