/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/candidates.h"

#include <string.h>

#include "analyzers/causes.h"
#include "analyzers/doubt.h"
#include "analyzers/host_view.h"
#include "analyzers/stage.h"
#include "analyzers/unit.h"

/* What counts as about as strong; what is too weak to be named. */
static const double ABOUT_EQUAL = 0.2, TOO_WEAK = 0.3;

/* A cause of a user's own has its place from the rule that found it. */
static const char *key_of(const struct finding *finding, const struct ruleset *rules)
{
    for (size_t i = 0; cause_in_layer(finding->cause, "x") && i < ruleset_len(rules); i++) {
        const struct rule *rule = ruleset_rule(rules, i);
        if (rule->layer != NULL && strcmp(rule->id, finding->id) == 0)
            return cause_own_key(rule->layer);
    }
    return finding->cause;
}

static struct candidate *find_or_add(struct candidates *candidates, const struct finding *finding,
                                     const struct ruleset *rules)
{
    for (size_t i = 0; i < candidates->len; i++)
        if (strcmp(candidates->items[i].cause, finding->cause) == 0)
            return &candidates->items[i];
    if (candidates->len == CANDIDATES_MAX)
        return NULL;
    const char *key = key_of(finding, rules);
    candidates->items[candidates->len] =
        (struct candidate){.cause = finding->cause, .key = key, .rank = cause_rank(key)};
    return &candidates->items[candidates->len++];
}

static void collect(struct candidates *candidates, const struct findings *findings,
                    const struct evidence *evidence)
{
    for (size_t i = 0; i < findings->len; i++) {
        const struct finding *finding = &findings->items[i];
        struct candidate *candidate =
            finding->cause != NULL ? find_or_add(candidates, finding, evidence->rules) : NULL;
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
            if (k != i && strong_enough(cause, other) && cause_explains(cause->key, other->key) &&
                holds(evidence, cause, other))
                other->explained_by = cause;
        }
    }
}

void candidates_gather(struct candidates *candidates, const struct findings *findings,
                       const struct evidence *evidence)
{
    struct host_view view;
    host_view_take(evidence->record, &view);
    candidates->unreached = view.last != NULL && (view.tap || view.user) && !view.ever_reached;
    collect(candidates, findings, evidence);
    fold(evidence, candidates);
}

/* What keeps the agent from starting leaves the guest itself able to answer. */
static bool only_stops_agent(const char *cause)
{
    static const char *const causes[] = {
        "init.dependency-failed",
        "init.job-waiting",
        "init.unit-masked",
        "init.unit-invalid",
        "init.ordering-cycle",
        "init.unit-start-timeout",
        "rootfs.full",
        "rootfs.stale-image",
        "rootfs.agent-not-installed",
    };
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
        if (strcmp(cause, causes[i]) == 0)
            return true;
    return false;
}

/* Its place on the way from host to port, as far as the host's symptom tells. */
static size_t place(const struct candidates *candidates, const struct candidate *candidate)
{
    size_t n = 0;
    (void)causes_all(&n);
    bool late = candidates->unreached && only_stops_agent(candidate->cause);
    return candidate->rank + (late ? n : 0);
}

const struct candidate *candidates_choose(const struct candidates *candidates)
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
            (chosen == NULL || place(candidates, candidate) < place(candidates, chosen)))
            chosen = candidate;
    }
    return chosen;
}
