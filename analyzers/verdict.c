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
#include "analyzers/stage.h"
#include "analyzers/unit.h"
#include "harness/base/mem.h"

enum { MAX_CANDIDATES = 64, MAX_ALTERNATIVES = 5 };

/* Confidences: what a bare console needs to be called failed; what counts as about as strong; what
 * is broken besides rather than guessed; what is too weak to be named. */
static const double DECISIVE = 0.8, ABOUT_EQUAL = 0.2, BROKEN_TOO = 0.6, TOO_WEAK = 0.3;

/* Evidence that something later contradicts, but does not rule out. */
static const double RECOVERED = 0.15, UNLIKELY = 0.4, LOGGED_ONLY = 0.75;

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

static bool in_layer(const char *cause, const char *layer)
{
    size_t n = strlen(layer);
    return strncmp(cause, layer, n) == 0 && cause[n] == '.';
}

static bool in_guest_user_space(const char *cause)
{
    return in_layer(cause, "init") || in_layer(cause, "supervisor") || in_layer(cause, "agent") ||
           in_layer(cause, "rootfs");
}

/* The last line of the console that shows the finding; 0: none does. */
static uint32_t last_line(const struct evidence *evidence, const struct finding *finding)
{
    const struct hit *hit = evidence_last(evidence, finding->id);
    if (hit)
        return strcmp(hit->file, "console.log") == 0 ? hit->line : 0;
    uint32_t line = 0;
    for (size_t i = 0; i < finding->n_quotes; i++)
        if (strcmp(finding->quotes[i].file, "console.log") == 0 && finding->quotes[i].line > line)
            line = finding->quotes[i].line;
    return line;
}

static const struct hit *ready_hit(const struct evidence *evidence)
{
    const struct hit *ready = evidence_last(evidence, "agent.ready");
    return ready ? ready : evidence_last(evidence, "agent.listening");
}

static bool died_after(const struct evidence *evidence, const struct hit *ready)
{
    static const char *const deaths[] = {"supervisor.child-died", "init.unit-exit"};
    for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++)
        for (const struct hit *hit = evidence_next(evidence, deaths[i], NULL); hit;
             hit = evidence_next(evidence, deaths[i], hit))
            if (hit->seq > ready->seq && hit->captures[0] &&
                (strcasestr(hit->captures[0], "agent") ||
                 unit_is_service(hit->captures[0], &evidence->record->service)))
                return true;
    return false;
}

bool verdict_console_ready(const struct evidence *evidence)
{
    const struct hit *ready = ready_hit(evidence);
    const struct hit *without = evidence_last(evidence, "agent.ready-without-address");
    return ready && !(without && without->seq == ready->seq) && !died_after(evidence, ready) &&
           evidence_count(evidence, "agent.other-port") == 0 &&
           evidence_reached(evidence, stage_id(STAGE_ADDRESS_ACQUIRED));
}

/* An error that the agent's coming up later survived is not what ails this boot. */
static bool recovered(const struct evidence *evidence, const struct finding *finding)
{
    const struct hit *ready = ready_hit(evidence);
    uint32_t line = last_line(evidence, finding);
    bool about_it = in_guest_user_space(finding->cause) || in_layer(finding->cause, "network") ||
                    finding->severity < SEVERITY_FATAL;
    if (!ready || line == 0 || line >= ready->line || !about_it || died_after(evidence, ready))
        return false;
    return !in_layer(finding->cause, "network") || verdict_console_ready(evidence);
}

static bool only_unreachable(const struct record *record)
{
    for (size_t i = 0; i < record->probe.n_runs; i++)
        if (record->probe.runs[i].class != PROBE_HOST_UNREACHABLE &&
            record->probe.runs[i].class != PROBE_NET_UNREACHABLE)
            return false;
    return record->probe.n_runs > 0;
}

/* In user-mode networking a reset is the guest's own answer: its interface, link and address work.
 * One may also be the VMM's end. */
static bool guest_reset_connections(const struct record *record)
{
    const char *network = record->probe.network;
    for (size_t i = 0; i < record->probe.n_runs; i++) {
        const struct probe_run *run = &record->probe.runs[i];
        bool user = network && strcmp(network, "user") == 0;
        if (run->count > 2 && run->class == (user ? PROBE_RESET : PROBE_REFUSED))
            return !user || run->class == PROBE_RESET;
    }
    return false;
}

static bool anything_died(const struct evidence *evidence)
{
    return evidence_count(evidence, "agent.runtime-exit") > 0 ||
           evidence_count(evidence, "supervisor.child-died") > 0 ||
           evidence_count(evidence, "init.unit-exit") > 0;
}

static const char *doubt(const struct evidence *evidence, const struct finding *finding,
                         double *ret_factor)
{
    const char *cause = finding->cause;
    *ret_factor = RECOVERED;
    if (recovered(evidence, finding))
        return "the agent came up after it";
    *ret_factor = LOGGED_ONLY;
    if (strcmp(cause, "agent.exception") == 0 && !anything_died(evidence))
        return "nothing says that the agent died of it";
    *ret_factor = UNLIKELY;
    if (only_unreachable(evidence->record) &&
        (in_layer(cause, "agent") || in_layer(cause, "supervisor")))
        return "the host never reached the guest at all, so this cannot come first";
    if (in_layer(cause, "network") && guest_reset_connections(evidence->record))
        return "the guest itself reset the probe's connections, so its network works";
    *ret_factor = 1.0;
    return NULL;
}

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
            finding->cause ? find_or_add(candidates, finding->cause) : NULL;
        double factor;
        if (!candidate)
            continue;
        const char *why = doubt(evidence, finding, &factor);
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
    bool network =
        in_layer(cause->cause, "network") || strcmp(cause->cause, "host.dhcp-server-silent") == 0;
    if (waits && network)
        return !evidence_reached(evidence, stage_id(STAGE_ADDRESS_ACQUIRED)) &&
               quotes_network_unit(other->best);
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
        for (size_t k = 0; k < candidates->len && !other->explained_by; k++) {
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
        if (!candidates->items[i].explained_by && candidates->items[i].confidence > best)
            best = candidates->items[i].confidence;
    for (size_t i = 0; i < candidates->len; i++) {
        const struct candidate *candidate = &candidates->items[i];
        if (!candidate->explained_by && candidate->confidence >= TOO_WEAK &&
            candidate->confidence >= best - ABOUT_EQUAL &&
            (!chosen || candidate->rank < chosen->rank))
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
    return cause ? cause->layer : "x";
}

static void set_verdict(struct analysis *analysis, const struct candidates *candidates,
                        const struct candidate *chosen)
{
    struct verdict *verdict = &analysis->verdict;
    const struct cause *cause = cause_find(chosen->cause);
    const struct finding *best = chosen->best;
    assert(best); /* a candidate is made from a finding */
    verdict->cause = chosen->cause;
    verdict->layer = layer_of(chosen->cause);
    verdict->confidence = chosen->confidence;
    if (best->count > 1)
        verdict->summary = mem_printf("%s (%u times)", best->summary, best->count);
    else
        verdict->summary = mem_strdup(best->summary ? best->summary : cause ? cause->title : "");
    verdict->remedy = mem_strdup(best->remedy ? best->remedy : cause ? cause->remedy : "");
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
    if (candidate->explained_by)
        return mem_printf("it follows from %s", candidate->explained_by->cause);
    if (candidate->doubt)
        return mem_strdup(candidate->doubt);
    if (!chosen)
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
        if (&candidates->items[i] != chosen && candidates->items[i].best)
            others[n++] = &candidates->items[i];
    qsort(others, n, sizeof(others[0]), compare_candidates);
    analysis->contributing = mem_calloc(n + 1, sizeof(*analysis->contributing));
    analysis->alternatives = mem_calloc(MAX_ALTERNATIVES, sizeof(*analysis->alternatives));
    for (size_t i = 0; i < n; i++) {
        const struct candidate *other = others[i];
        bool stands = !other->explained_by && !other->doubt;
        if (chosen && stands && other->confidence >= BROKEN_TOO) {
            add_contributing(analysis, other);
            continue;
        }
        if (analysis->n_alternatives == MAX_ALTERNATIVES)
            continue;
        analysis->alternatives[analysis->n_alternatives++] = (struct alternative){
            .cause = other->cause,
            .confidence = other->explained_by ? other->confidence / 10 : other->confidence,
            .why_not = why_not(other, chosen),
        };
    }
    share_confidence(analysis);
}

static bool has_cause(const struct analysis *analysis, const char *cause)
{
    for (size_t i = 0; i < analysis->findings.len; i++)
        if (analysis->findings.items[i].cause &&
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
    if (chosen && chosen->confidence >= DECISIVE && chosen->best &&
        chosen->best->severity >= SEVERITY_ERROR)
        return OUTCOME_FAILED;
    return verdict_console_ready(evidence) ? OUTCOME_READY : OUTCOME_UNDETERMINED;
}

void verdict_decide(struct analysis *analysis, const struct evidence *evidence)
{
    struct candidates *candidates = mem_calloc(1, sizeof(*candidates));
    collect(analysis, evidence, candidates);
    fold(evidence, candidates);
    const struct candidate *chosen = choose(candidates);
    analysis->outcome = outcome_of(analysis, evidence, chosen);
    if (analysis->outcome == OUTCOME_FAILED) {
        if (chosen)
            set_verdict(analysis, candidates, chosen);
        else
            set_unknown(analysis, evidence);
        set_others(analysis, candidates, chosen);
    }
    free(candidates);
}
