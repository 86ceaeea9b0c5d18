/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: what the host met at the port, over time, and whether the boot was merely cut short.
 *
 * On a TAP, refused means: guest up, nothing listens. In user-mode networking a forwarder stands in
 * front, so that reset means what refused means on a TAP, refused means that the VMM does not
 * listen (any more), and no-answer is normal until the guest has an address.
 */
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/baseline.h"
#include "analyzers/stage.h"

enum {
    MUTE_MS = 3 * 1000, /* longer than an agent that listens may take for a health answer */
};

static bool on_tap(const struct record *record)
{
    return record->probe.network != NULL && strcmp(record->probe.network, "tap") == 0;
}

static const struct probe_run *last_run(const struct record *record)
{
    return record->probe.n_runs > 0 ? &record->probe.runs[record->probe.n_runs - 1] : NULL;
}

static void say_run(struct finding *finding, const struct probe_run *run)
{
    finding_fact(finding, run->from_ms, "probe: %s, %d times from %.1f s to %.1f s%s%s",
                 probe_class_name(run->class), run->count, (double)run->from_ms / 1000,
                 (double)run->to_ms / 1000, run->neighbour != NULL ? ", neighbour " : "",
                 run->neighbour != NULL ? run->neighbour : "");
}

static void judge_lost(const struct record *record, struct findings *findings)
{
    const struct probe_run *last = last_run(record);
    for (size_t i = 0; i + 1 < record->probe.n_runs; i++) {
        const struct probe_run *run = &record->probe.runs[i];
        if (run->class != PROBE_READY || last->class == PROBE_READY)
            continue;
        struct finding *finding =
            findings_add(findings, "probe.lost", "probe.lost-after-ready", SEVERITY_ERROR, 0.8);
        finding_say(finding, "It answered at %.1f s and then stopped: %s",
                    (double)run->from_ms / 1000, probe_class_name(last->class));
        say_run(finding, run);
        say_run(finding, last);
        return;
    }
}

static void judge_answer(const struct evidence *evidence, struct findings *findings)
{
    const struct probe_run *last = last_run(evidence->record);
    if (last->class != PROBE_HTTP_ERROR && last->class != PROBE_WRONG_BODY &&
        last->class != PROBE_NOT_HTTP)
        return;
    struct finding *finding =
        findings_add(findings, "probe.unhealthy", "agent.unhealthy", SEVERITY_ERROR, 0.88);
    if (last->http_status > 0)
        finding_say(finding, "Port %d answers, but not with health: HTTP status %d",
                    evidence->record->service.port, last->http_status);
    else
        finding_say(finding, "Port %d answers, but not with health: %s",
                    evidence->record->service.port, probe_class_name(last->class));
    say_run(finding, last);
}

static void judge_no_answer(const struct evidence *evidence, struct findings *findings)
{
    const struct probe_run *last = last_run(evidence->record);
    bool listening = stage_reached(evidence, STAGE_AGENT_LISTENING) &&
                     stage_reached(evidence, STAGE_ADDRESS_ACQUIRED);
    const struct hit *ready = evidence_last(evidence, "agent.ready");
    int64_t since_ms = last->from_ms;
    if (ready != NULL && ready->near_ms > since_ms)
        since_ms = ready->near_ms;
    if (last->class != PROBE_NO_ANSWER || last->to_ms - since_ms < MUTE_MS ||
        (!listening && !on_tap(evidence->record)))
        return;
    struct finding *finding = findings_add(findings, "probe.no-answer", "agent.unresponsive",
                                           SEVERITY_ERROR, listening ? 0.82 : 0.7);
    finding_say(finding, "Port %d accepts connections and never answers",
                evidence->record->service.port);
    say_run(finding, last);
    if (ready != NULL)
        finding_hit(finding, ready);
}

/* The agent had time to answer before the probe gave up; without the line's time nobody knows. */
static bool heard_long_before(const struct hit *ready, const struct probe_run *last)
{
    return ready != NULL && ready->near_ms >= 0 && last->to_ms - ready->near_ms >= MUTE_MS;
}

/* The agent says that it listens, and a host that reaches the guest finds nobody there. */
static void judge_loopback(const struct evidence *evidence, struct findings *findings)
{
    const struct probe_run *last = last_run(evidence->record);
    const struct hit *ready = evidence_last(evidence, "agent.ready");
    enum probe_class nobody = on_tap(evidence->record) ? PROBE_REFUSED : PROBE_RESET;
    if (last->class != nobody || !heard_long_before(ready, last) ||
        evidence->record->end != RECORD_END_DEADLINE)
        return;
    struct finding *finding = findings_add(findings, "probe.refused-although-listening",
                                           "agent.bind-loopback", SEVERITY_ERROR, 0.6);
    finding_say(finding, "The agent says that it listens, but from outside nobody does: it may be "
                         "bound to loopback");
    finding_hit(finding, ready);
    say_run(finding, last);
}

/* The agent is up with the right address and no packet comes through: the fault lies between. */
static void judge_path(const struct evidence *evidence, struct findings *findings)
{
    const struct record *record = evidence->record;
    const struct probe_run *last = last_run(record);
    const struct hit *ready = evidence_last(evidence, "agent.ready-with-address");
    if (!on_tap(record) || !heard_long_before(ready, last))
        return;
    bool planned = record->guest.expected_address != NULL && ready->captures[0] != NULL &&
                   strcmp(record->guest.expected_address, ready->captures[0]) == 0;
    struct finding *finding = NULL;
    if (last->class == PROBE_HOST_UNREACHABLE && planned)
        finding = findings_add(findings, "probe.unreachable-although-up",
                               "host.bridge-misconfigured", SEVERITY_ERROR, 0.75);
    else if (last->class == PROBE_CONNECT_TIMEOUT)
        finding = findings_add(findings, "probe.dropped", "network.filtered", SEVERITY_ERROR, 0.6);
    if (finding == NULL)
        return;
    finding_say(finding, "The agent listens on %s, but the host does not reach it: %s",
                ready->captures[0] != NULL ? ready->captures[0] : "its address",
                probe_class_name(last->class));
    finding_hit(finding, ready);
    say_run(finding, last);
}

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

/* Advancing until the end: the console spoke, or a milestone was reached, less than the patience
 * ago. */
static void judge_deadline(const struct evidence *evidence, struct findings *findings)
{
    const struct record *record = evidence->record;
    const struct milestone *last = last_dated(evidence);
    if (record->end != RECORD_END_DEADLINE || record->ended_ms < 0 || last == NULL ||
        evidence->guest_lines == 0)
        return;
    int furthest = stage_furthest(evidence->milestones);
    enum stage next =
        furthest < STAGE_PORT_ANSWERS ? (enum stage)(furthest + 1) : STAGE_PORT_ANSWERS;
    int64_t patience_ms = stage_patience_ms(evidence, (enum stage)furthest, next);
    int64_t silent_ms = evidence_silence_ms(evidence);
    int64_t usual_ms = usual_ready_ms(evidence->baseline);
    bool early = usual_ms > 0 && record->ended_ms < usual_ms;
    if (silent_ms >= patience_ms || record->ended_ms - last->at_ms >= 2 * patience_ms)
        return;
    double confidence = early ? 0.9 : usual_ms > 0 && record->ended_ms > 2 * usual_ms ? 0.4 : 0.75;
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

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_deadline(evidence, findings);
    if (last_run(evidence->record) == NULL)
        return;
    judge_lost(evidence->record, findings);
    judge_answer(evidence, findings);
    judge_no_answer(evidence, findings);
    judge_loopback(evidence, findings);
    judge_path(evidence, findings);
}

const struct analyzer analyzer_probe = {
    .name = "probe",
    .run = run,
};
