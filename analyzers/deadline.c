/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/deadline.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/baseline.h"
#include "analyzers/reach.h"
#include "analyzers/stage.h"

/* When good boots were ready, at the latest; -1: not known. */
static int64_t usual_ready_ms(const struct baseline *baseline)
{
    int64_t latest_ms = -1;
    for (size_t i = 0; baseline != NULL && i < baseline->n_runs; i++)
        if (baseline->runs[i].milestones_ms[STAGE_PORT_ANSWERS] > latest_ms)
            latest_ms = baseline->runs[i].milestones_ms[STAGE_PORT_ANSWERS];
    return latest_ms;
}

/* The last milestone that a line or a fact dates. */
static const struct milestone *last_dated(const struct evidence *evidence)
{
    const struct milestone *found = NULL;
    for (int i = 0; i < STAGE_N; i++)
        if (evidence->milestones[i].reached && evidence->milestones[i].at_ms >= 0 &&
            (found == NULL || evidence->milestones[i].at_ms >= found->at_ms))
            found = &evidence->milestones[i];
    return found;
}

/* Something else is broken, so that more time would not have helped. What waits may only be slow.
 */
static bool is_broken(const struct findings *findings)
{
    enum { SURE_PCT = 70 };
    for (size_t i = 0; i < findings->len; i++) {
        const struct finding *finding = &findings->items[i];
        if (finding->cause != NULL && finding->severity >= SEVERITY_ERROR &&
            finding->confidence * 100 >= SURE_PCT &&
            strcmp(finding->cause, "init.job-waiting") != 0)
            return true;
    }
    return false;
}

/* The agent listened, and more time would have changed nothing. */
static bool was_up(const struct evidence *evidence)
{
    const struct hit *ready = evidence_last(evidence, "agent.ready");
    const struct record *record = evidence->record;
    return record->probe.n_runs > 0 &&
           reach_ready_long_before(ready, &record->probe.runs[record->probe.n_runs - 1]);
}

/* When the agent last counted up, to less than all; -1: it does not count. */
static int64_t counted_ms(const struct evidence *evidence)
{
    const struct hit *last = evidence_last(evidence, "agent.counts");
    if (last == NULL || !stage_reached(evidence, STAGE_AGENT_STARTED))
        return -1;
    const struct hit *first = evidence_first(evidence, "agent.counts");
    while (first != last && strcmp(first->captures[1], last->captures[1]) != 0)
        first = evidence_next(evidence, "agent.counts", first);
    long from = strtol(first->captures[0], NULL, 10), to = strtol(last->captures[0], NULL, 10);
    return from < to && to < strtol(last->captures[1], NULL, 10) ? last->near_ms : -1;
}

/* When it last got further: a milestone, a job that systemd finished on the way to the unit, or the
 * agent by its own count. */
static int64_t advanced_ms(const struct evidence *evidence, const struct milestone *last)
{
    const struct hit *job = evidence_last(evidence, "init.job-done");
    bool on_the_way = job != NULL && !stage_reached(evidence, STAGE_UNIT_STARTED);
    int64_t at_ms = counted_ms(evidence) > last->at_ms ? counted_ms(evidence) : last->at_ms;
    return on_the_way && job->near_ms > at_ms ? job->near_ms : at_ms;
}

/* Advancing until the end: the console spoke, or the boot got further, less than the patience ago.
 */
void deadline_judge(const struct evidence *evidence, struct findings *findings)
{
    const struct record *record = evidence->record;
    const struct milestone *last = last_dated(evidence);
    if (record->end != RECORD_END_DEADLINE || record->ended_ms < 0 || last == NULL ||
        evidence->guest_lines == 0 || was_up(evidence))
        return;
    int furthest = stage_furthest(evidence->milestones);
    enum stage next =
        furthest < STAGE_PORT_ANSWERS ? (enum stage)(furthest + 1) : STAGE_PORT_ANSWERS;
    int64_t patience_ms = stage_patience_ms(evidence, (enum stage)furthest, next);
    int64_t silent_ms = evidence_silence_ms(evidence);
    int64_t usual_ms = usual_ready_ms(evidence->baseline);
    bool early = usual_ms > 0 && record->ended_ms < usual_ms;
    if (silent_ms >= patience_ms ||
        record->ended_ms - advanced_ms(evidence, last) >= 2 * patience_ms)
        return;
    bool overdue = usual_ms > 0 && record->ended_ms > 2 * usual_ms;
    double confidence = early ? 0.9 : overdue || is_broken(findings) ? 0.4 : 0.75;
    struct finding *finding = findings_add(findings, "probe.deadline", "probe.deadline-too-short",
                                           SEVERITY_ERROR, confidence);
    if (early)
        finding_say(
            finding,
            "The boot was still advancing when the deadline of %.0f s came: it had reached %s, "
            "and good boots take up to %.0f s",
            (double)record->ended_ms / 1000, last->id, (double)usual_ms / 1000);
    else
        finding_say(
            finding,
            "The boot was still advancing when the deadline of %.0f s came: it had reached %s",
            (double)record->ended_ms / 1000, last->id);
    finding_fact(finding, record->ended_ms,
                 "deadline: %.1f s; the console's last byte came %.1f s before",
                 (double)record->ended_ms / 1000, (double)silent_ms / 1000);
    if (evidence->last_line.line > last->quote.line)
        finding_quote(finding, &evidence->last_line);
    finding_quote(finding, &last->quote);
}
