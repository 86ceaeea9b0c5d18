/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/reach.h"

#include <string.h>

#include "analyzers/stage.h"
#include "analyzers/whereabouts.h"

bool reach_ready_long_before(const struct hit *ready, const struct probe_run *last)
{
    return ready != NULL && ready->near_ms >= 0 && last->to_ms - ready->near_ms >= REACH_MUTE_MS;
}

bool reach_unanswered(const struct frames *frames)
{
    const struct frames_seen *syn = &frames->seen[FRAME_SYN];
    const struct frames_seen *accepts = &frames->seen[FRAME_GUEST_ACCEPTS];
    const struct frames_seen *resets = &frames->seen[FRAME_GUEST_RESETS];
    const struct frames_seen *alive = &frames->seen[FRAME_GUEST_IS_AT];
    int64_t answered_ms = resets->count > 0 ? resets->last_ms : alive->first_ms;
    return frames->knows_guest && syn->count > 2 && alive->count > 0 && accepts->count == 0 &&
           syn->last_ms - answered_ms >= REACH_MUTE_MS;
}

static void quote_syn(struct finding *finding, const struct frames *frames)
{
    if (frames->seen[FRAME_SYN].count > 0)
        finding_fact(
            finding, -1,
            "net.pcap: %u connections asked for, %u accepted, %u refused, %u rejected by ICMP",
            frames->seen[FRAME_SYN].count, frames->seen[FRAME_GUEST_ACCEPTS].count,
            frames->seen[FRAME_GUEST_RESETS].count, frames->seen[FRAME_REJECTED].count);
}

/* The guest's neighbour entry says that ARP works. */
static bool is_neighbour(const struct probe_run *run)
{
    static const char *const known[] = {"reachable", "stale", "delay", "probe", "permanent"};
    for (size_t i = 0; run->neighbour != NULL && i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(run->neighbour, known[i]) == 0)
            return true;
    return false;
}

/* ---- nobody answers ARP ---- */

static void judge_unreachable(const struct evidence *evidence, const struct frames *frames,
                              const struct host_view *view, const struct hit *named,
                              struct findings *findings)
{
    const struct hit *ready = evidence_last(evidence, "agent.ready");
    bool asked = frames->seen[FRAME_WHO_HAS_GUEST].count > 0;
    bool answered = frames->seen[FRAME_GUEST_IS_AT].count > 0;
    bool cut_off = frames->knows_guest && frames->seen[FRAME_OF_GUEST].count > 0 && !asked;
    double confidence = cut_off || (asked && answered) ? 0.9 : ready != NULL ? 0.78 : 0.6;
    struct finding *finding = findings_add(findings, "probe.unreachable-although-up",
                                           "host.bridge-misconfigured", SEVERITY_ERROR, confidence);
    finding_say(finding, "The guest is up with the address %s, but the host does not reach it",
                named->captures[0]);
    finding_hit(finding, named);
    if (ready != NULL && ready->seq != named->seq)
        finding_hit(finding, ready);
    if (cut_off)
        finding_fact(finding, -1,
                     "net.pcap: the guest sent %u frames, and nobody ever asked for it",
                     frames->seen[FRAME_OF_GUEST].count);
    host_view_quote(finding, view->last);
}

/* ---- ARP is answered, connections are not ---- */

static void judge_dropped(const struct evidence *evidence, const struct frames *frames,
                          const struct host_view *view, const struct hit *ready, double confidence,
                          struct findings *findings)
{
    const struct hit *firewall = evidence_last(evidence, "network.firewall");
    bool rejects = frames->seen[FRAME_REJECTED].count > 1;
    if (reach_unanswered(frames) || rejects)
        confidence = 0.92;
    else if (firewall != NULL)
        confidence += 0.05;
    struct finding *finding =
        findings_add(findings, "probe.dropped", "network.filtered", SEVERITY_ERROR, confidence);
    finding_say(finding,
                rejects ? "The guest rejects connections to port %d: a firewall in the guest"
                        : "The guest is reachable and drops connections to port %d",
                evidence->record->service.port);
    if (ready != NULL)
        finding_hit(finding, ready);
    if (firewall != NULL)
        finding_hit(finding, firewall);
    quote_syn(finding, frames);
    host_view_quote(finding, view->last);
}

static void judge_vnet_hdr(const struct evidence *evidence, const struct host_view *view,
                           struct findings *findings)
{
    struct finding *finding =
        findings_add(findings, "host.no-vnet-hdr", "host.vnet-hdr-missing", SEVERITY_ERROR, 0.93);
    finding_say(finding, "ARP works and IP does not, and the TAP has no vnet_hdr");
    finding_fact(finding, -1, "net: %s without vnet_hdr",
                 evidence->record->net.tap != NULL ? evidence->record->net.tap : "the TAP");
    host_view_quote(finding, view->last);
}

static void judge_timeout(const struct evidence *evidence, const struct frames *frames,
                          const struct host_view *view, const struct hit *named,
                          struct findings *findings)
{
    const struct hit *ready = evidence_last(evidence, "agent.ready");
    bool arp = is_neighbour(view->last) || frames->seen[FRAME_GUEST_IS_AT].count > 0;
    bool long_ready = reach_ready_long_before(ready, view->last);
    if (evidence->record->net.vnet_hdr == 0 && arp && !view->ever_reached)
        judge_vnet_hdr(evidence, view, findings);
    else if (reach_unanswered(frames) || (long_ready && named != NULL))
        judge_dropped(evidence, frames, view, ready, arp ? 0.85 : 0.6, findings);
}

/* ---- through a forwarder ---- */

/*
 * The guest refused connections, and then, well before its agent listened, it stopped even that. Or
 * it never did, although it had its address long before.
 */
static bool fell_silent(const struct evidence *evidence, const struct host_view *view,
                        const struct hit *ready, const struct hit *named)
{
    enum { SETTLED_MS = 4 * 1000 };
    int64_t refused_ms = -1;
    for (size_t i = 0; i < evidence->record->probe.n_runs; i++)
        if (evidence->record->probe.runs[i].class == PROBE_RESET)
            refused_ms = evidence->record->probe.runs[i].to_ms;
    if (view->ever_reached)
        return ready->near_ms - refused_ms >= SETTLED_MS;
    return refused_ms < 0 && named->seq < ready->seq && named->near_ms >= 0 &&
           ready->near_ms - named->near_ms >= SETTLED_MS;
}

static void judge_forwarded(const struct evidence *evidence, const struct frames *frames,
                            const struct host_view *view, struct findings *findings)
{
    const struct hit *ready = evidence_last(evidence, "agent.ready");
    const char *planned = evidence->record->guest.expected_address;
    const struct hit *named = evidence_first(evidence, "network.dhcp-address");
    if (named == NULL && planned != NULL)
        named = whereabouts_named(evidence, planned);
    if (evidence_last(evidence, "agent.ready-without-address") != NULL)
        return; /* nothing is dropped where there is no address (ladder.c) */
    bool silent = reach_ready_long_before(ready, view->last) && named != NULL &&
                  evidence->arrival_times && fell_silent(evidence, view, ready, named);
    if (reach_unanswered(frames) || (silent && frames->seen[FRAME_GUEST_ACCEPTS].count == 0))
        judge_dropped(evidence, frames, view, ready, 0.84, findings);
}

void reach_judge(const struct evidence *evidence, const struct frames *frames,
                 const struct host_view *view, struct findings *findings)
{
    char buffer[WHEREABOUTS_SIZE];
    if (view->last == NULL || evidence->record->end == RECORD_END_READY)
        return;
    const char *planned = whereabouts_planned(evidence, view, buffer);
    const struct hit *named = planned != NULL ? whereabouts_named(evidence, planned) : NULL;
    bool long_named = reach_ready_long_before(named, view->last);
    enum probe_class class = view->last->class;
    if (view->user && class == PROBE_NO_ANSWER)
        judge_forwarded(evidence, frames, view, findings);
    else if (view->tap && frames->seen[FRAME_REJECTED].count > 1 &&
             frames->seen[FRAME_GUEST_ACCEPTS].count == 0)
        judge_dropped(evidence, frames, view, evidence_last(evidence, "agent.ready"), 0.9,
                      findings);
    else if (view->tap && class == PROBE_HOST_UNREACHABLE && long_named && !view->ever_reached)
        judge_unreachable(evidence, frames, view, named, findings);
    else if (view->tap && class == PROBE_CONNECT_TIMEOUT)
        judge_timeout(evidence, frames, view, named, findings);
}
