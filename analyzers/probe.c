/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: what the host met at the port, over time. The sequence says more than the last answer: one
 * good answer and then none, a port that takes connections and is mute, one that nobody holds
 * although the agent says that it listens.
 */
#include "analyzers/analyzer.h"
#include "analyzers/deadline.h"
#include "analyzers/host_view.h"
#include "analyzers/reach.h"
#include "analyzers/stage.h"
#include "analyzers/whereabouts.h"

static void judge_lost(const struct record *record, struct findings *findings)
{
    const struct probe_run *last = &record->probe.runs[record->probe.n_runs - 1];
    const struct probe_run *ready = NULL;
    for (size_t i = 0; i < record->probe.n_runs; i++)
        if (record->probe.runs[i].class == PROBE_READY)
            ready = &record->probe.runs[i];
    if (ready == NULL || ready == last || record->end == RECORD_END_READY)
        return;
    bool for_long = last->to_ms - ready->to_ms >= REACH_MUTE_MS;
    struct finding *finding = findings_add(findings, "probe.lost", "probe.lost-after-ready",
                                           SEVERITY_ERROR, for_long ? 0.9 : 0.75);
    finding_say(finding, "It answered at %.1f s and then stopped: %s",
                (double)ready->from_ms / 1000, probe_class_name(last->class));
    host_view_quote(finding, ready);
    host_view_quote(finding, last);
}

/* How long ago an answer may be that still tells what answers there. */
enum { FRESH_MS = 15 * 1000 };

static bool is_answer(enum probe_class class)
{
    return class == PROBE_HTTP_ERROR || class == PROBE_WRONG_BODY || class == PROBE_NOT_HTTP;
}

/* The last wrong answer, unless it has been silence for long since; NULL: none. A slow guest lets
 * attempts time out between its answers, and a single attempt may end otherwise. */
static const struct probe_run *last_answer(const struct record *record)
{
    const struct probe_run *runs = record->probe.runs;
    size_t n = record->probe.n_runs;
    for (size_t i = n; i-- > 0;) {
        if (is_answer(runs[i].class))
            return runs[n - 1].to_ms - runs[i].to_ms < FRESH_MS ? &runs[i] : NULL;
        bool stray = runs[i].from_ms == runs[i].to_ms;
        if (!stray && runs[i].class != PROBE_NO_ANSWER && runs[i].class != PROBE_CONNECT_TIMEOUT)
            return NULL;
    }
    return NULL;
}

static void judge_answer(const struct evidence *evidence, struct findings *findings)
{
    const struct probe_run *last = last_answer(evidence->record);
    int port = evidence->record->service.port;
    if (last == NULL)
        return;
    struct finding *finding =
        findings_add(findings, "probe.unhealthy", "agent.unhealthy", SEVERITY_ERROR, 0.88);
    if (last->class == PROBE_NOT_HTTP)
        finding_say(finding, "Something that does not speak HTTP answers on port %d", port);
    else if (last->http_status > 0)
        finding_say(finding, "Port %d answers, but not with health: HTTP status %d", port,
                    last->http_status);
    else
        finding_say(finding, "Port %d answers, but not with health: %s", port,
                    probe_class_name(last->class));
    host_view_quote(finding, last);
}

/* Behind a forwarder no-answer means something only once the guest is known to take connections. */
static void judge_mute(const struct evidence *evidence, const struct frames *frames,
                       const struct host_view *view, struct findings *findings)
{
    const struct probe_run *last = view->last;
    const struct hit *ready = evidence_last(evidence, "agent.ready");
    bool accepts = frames->seen[FRAME_GUEST_ACCEPTS].count > 0;
    bool listening = stage_reached(evidence, STAGE_AGENT_LISTENING) &&
                     stage_reached(evidence, STAGE_ADDRESS_ACQUIRED);
    int64_t since_ms = last->from_ms;
    if (ready != NULL && ready->near_ms > since_ms)
        since_ms = ready->near_ms;
    if (last->class != PROBE_NO_ANSWER || last->to_ms - since_ms < REACH_MUTE_MS ||
        last_answer(evidence->record) != NULL || (!listening && !accepts && !view->tap) ||
        reach_unanswered(frames))
        return;
    struct finding *finding =
        findings_add(findings, "probe.no-answer", "agent.unresponsive", SEVERITY_ERROR,
                     accepts     ? 0.9
                     : listening ? 0.82
                                 : 0.72);
    finding_say(finding, "Port %d accepts connections and never answers",
                evidence->record->service.port);
    host_view_quote(finding, last);
    if (ready != NULL)
        finding_hit(finding, ready);
    if (accepts)
        finding_fact(finding, -1, "net.pcap: the guest accepted %u connections",
                     frames->seen[FRAME_GUEST_ACCEPTS].count);
}

/* The agent says that it listens, and a host that reaches the guest finds nobody there. */
static void judge_loopback(const struct evidence *evidence, const struct host_view *view,
                           struct findings *findings)
{
    const struct hit *ready = evidence_last(evidence, "agent.ready");
    enum probe_class nobody = view->user ? PROBE_RESET : PROBE_REFUSED;
    if (view->last->class != nobody || !reach_ready_long_before(ready, view->last) ||
        evidence->record->end != RECORD_END_DEADLINE)
        return;
    struct finding *finding = findings_add(findings, "probe.refused-although-listening",
                                           "agent.bind-loopback", SEVERITY_ERROR, 0.6);
    finding_say(finding, "The agent says that it listens, but from outside nobody does: it may be "
                         "bound to loopback");
    finding_hit(finding, ready);
    host_view_quote(finding, view->last);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    struct host_view view;
    struct frames frames;
    host_view_take(evidence->record, &view);
    frames_read(evidence->record, &frames);
    bool elsewhere = whereabouts_judge(evidence, &frames, &view, findings);
    if (view.last != NULL && !elsewhere) {
        judge_lost(evidence->record, findings);
        judge_answer(evidence, findings);
        judge_mute(evidence, &frames, &view, findings);
        judge_loopback(evidence, &view, findings);
        reach_judge(evidence, &frames, &view, findings);
    }
    deadline_judge(evidence, findings);
}

const struct analyzer analyzer_probe = {
    .name = "probe",
    .run = run,
};
