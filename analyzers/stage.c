/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/stage.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/baseline.h"
#include "analyzers/jobs.h"
#include "harness/base/auto.h"
#include "harness/base/mem.h"

static const char *const ids[STAGE_N] = {
    [STAGE_VMM_STARTED] = "vmm-started",
    [STAGE_KERNEL_STARTED] = "kernel-started",
    [STAGE_ROOT_DEVICE_FOUND] = "root-device-found",
    [STAGE_ROOT_MOUNTED] = "root-mounted",
    [STAGE_INIT_STARTED] = "init-started",
    [STAGE_NIC_FOUND] = "nic-found",
    [STAGE_LINK_UP] = "link-up",
    [STAGE_ADDRESS_ACQUIRED] = "address-acquired",
    [STAGE_NETWORK_TARGET] = "network-target",
    [STAGE_UNIT_STARTED] = "unit-started",
    [STAGE_SUPERVISOR_STARTED] = "supervisor-started",
    [STAGE_AGENT_STARTED] = "agent-started",
    [STAGE_AGENT_LISTENING] = "agent-listening",
    [STAGE_PORT_ANSWERS] = "port-answers",
};

const char *stage_id(enum stage stage)
{
    return ids[stage];
}

int stage_rank(const char *id)
{
    for (int i = 0; i < STAGE_N; i++)
        if (id != NULL && strcmp(ids[i], id) == 0)
            return i;
    return -1;
}

/*
 * What a milestone logically needs. Deliberately absent: a listening agent says nothing of the
 * network, the network target nothing of any interface, and an address given by hand nothing of a
 * link.
 */
static const struct {
    enum stage later, earlier;
} implies[] = {
    {STAGE_PORT_ANSWERS, STAGE_AGENT_LISTENING},
    {STAGE_PORT_ANSWERS, STAGE_ADDRESS_ACQUIRED},
    {STAGE_PORT_ANSWERS, STAGE_LINK_UP},
    {STAGE_AGENT_LISTENING, STAGE_AGENT_STARTED},
    {STAGE_AGENT_STARTED, STAGE_UNIT_STARTED},
    {STAGE_SUPERVISOR_STARTED, STAGE_UNIT_STARTED},
    {STAGE_UNIT_STARTED, STAGE_ROOT_MOUNTED},
    {STAGE_UNIT_STARTED, STAGE_INIT_STARTED},
    {STAGE_ADDRESS_ACQUIRED, STAGE_NIC_FOUND},
    {STAGE_LINK_UP, STAGE_NIC_FOUND},
    {STAGE_NETWORK_TARGET, STAGE_INIT_STARTED},
    {STAGE_NIC_FOUND, STAGE_KERNEL_STARTED},
    {STAGE_INIT_STARTED, STAGE_KERNEL_STARTED},
    {STAGE_ROOT_MOUNTED, STAGE_ROOT_DEVICE_FOUND},
    {STAGE_ROOT_DEVICE_FOUND, STAGE_KERNEL_STARTED},
    {STAGE_KERNEL_STARTED, STAGE_VMM_STARTED},
};

static void reach(struct milestone *milestone, const struct quote *quote)
{
    if (milestone->reached)
        return;
    milestone->reached = true;
    milestone->at_ms = quote->at_ms;
    milestone->quote = *quote;
}

/* systemd says "Starting X" of its own job. */
static const struct hit *launch_hit(const struct evidence *evidence)
{
    for (const struct hit *hit = evidence_first(evidence, "supervisor.agent-launch"); hit != NULL;
         hit = evidence_next(evidence, "supervisor.agent-launch", hit))
        if (hit->source != LINE_STATUS && strcmp(hit->ident, "systemd") != 0)
            return hit;
    return NULL;
}

static void reach_by_rules(const struct evidence *evidence, struct milestone *milestones)
{
    for (size_t i = 0; i < evidence->n_hits; i++) {
        const struct rule *rule = evidence_rule(evidence, &evidence->hits[i]);
        int rank = stage_rank(rule->milestone);
        struct quote quote;
        if (rank < 0 || milestones[rank].reached)
            continue;
        hit_quote(&evidence->hits[i], &quote);
        reach(&milestones[rank], &quote);
    }
    const struct hit *started = jobs_service_started(evidence);
    if (started != NULL) {
        struct quote quote;
        hit_quote(started, &quote);
        reach(&milestones[STAGE_UNIT_STARTED], &quote);
    }
    const struct hit *launch = launch_hit(evidence);
    if (launch != NULL) {
        struct quote quote;
        hit_quote(launch, &quote);
        reach(&milestones[STAGE_AGENT_STARTED], &quote);
    }
    if (evidence->supervisor_first.line > 0)
        reach(&milestones[STAGE_SUPERVISOR_STARTED], &evidence->supervisor_first);
}

static void reach_by_facts(const struct evidence *evidence, struct milestone *milestones)
{
    const struct record *record = evidence->record;
    struct quote quote;
    bool ran = record->end != RECORD_END_UNKNOWN && record->end != RECORD_END_START_FAILED;
    if (ran) {
        quote_fact(&quote, 0, "the VMM ran");
        reach(&milestones[STAGE_VMM_STARTED], &quote);
    }
    int64_t ready_ms = record->ready_ms;
    for (size_t i = 0; i < record->probe.n_runs && ready_ms < 0; i++)
        if (record->probe.runs[i].class == PROBE_READY)
            ready_ms = record->probe.runs[i].from_ms;
    if (ready_ms >= 0 || record->end == RECORD_END_READY) {
        quote_fact(&quote, ready_ms, "the probe got the expected answer");
        reach(&milestones[STAGE_PORT_ANSWERS], &quote);
    }
}

/* Once around is enough: the table names later milestones before those that they need. */
static void reach_by_logic(const struct evidence *evidence, struct milestone *milestones)
{
    static const struct quote nothing = {.file = "boot.json", .at_ms = -1};
    bool in_initrd = evidence_count(evidence, "init.in-initrd") > 0;
    for (size_t i = 0; i < sizeof(implies) / sizeof(implies[0]); i++)
        if (milestones[implies[i].later].reached)
            reach(&milestones[implies[i].earlier], &nothing);
    if (milestones[STAGE_INIT_STARTED].reached && !in_initrd) {
        reach(&milestones[STAGE_ROOT_MOUNTED], &nothing);
        reach(&milestones[STAGE_ROOT_DEVICE_FOUND], &nothing);
    }
}

void stage_milestones(const struct evidence *evidence,
                      struct milestone ret_milestones[static STAGE_N])
{
    for (int i = 0; i < STAGE_N; i++)
        ret_milestones[i] = (struct milestone){.id = ids[i], .at_ms = -1};
    reach_by_facts(evidence, ret_milestones);
    reach_by_rules(evidence, ret_milestones);
    reach_by_logic(evidence, ret_milestones);
}

int stage_furthest(const struct milestone milestones[static STAGE_N])
{
    for (int i = STAGE_N - 1; i >= 0; i--)
        if (milestones[i].reached)
            return i;
    return -1;
}

bool stage_reached(const struct evidence *evidence, enum stage stage)
{
    return evidence->milestones != NULL && evidence->milestones[stage].reached;
}

/* A boot that took long to get where it is needs long for the next step, too. */
enum { SLOW_SHARE = 3 };

/* What a good boot took from one stage to another, at the pace of this boot: a host may be slower
 * or faster tonight, by as much as its boots were until that stage. -1: not known. */
static int64_t paced_ms(const struct evidence *evidence, const int64_t at_ms[STAGE_N],
                        enum stage from, enum stage to)
{
    enum { FASTEST_PCT = 25, SLOWEST_PCT = 400 };
    int64_t so_far_ms = evidence->milestones[from].at_ms;
    if (at_ms[from] < 0 || at_ms[to] < at_ms[from])
        return -1;
    int64_t pct = so_far_ms > 0 && at_ms[from] > 0 ? 100 * so_far_ms / at_ms[from] : 100;
    if (pct < FASTEST_PCT || pct > SLOWEST_PCT)
        pct = pct < FASTEST_PCT ? FASTEST_PCT : SLOWEST_PCT;
    return (at_ms[to] - at_ms[from]) * pct / 100;
}

static int compare_ms(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

/* Three times what half of the good boots took, and a quarter more than the slowest; -1: no good
 * boot is known. */
static int64_t baseline_patience_ms(const struct evidence *evidence, enum stage from, enum stage to)
{
    const struct baseline *baseline = evidence->baseline;
    if (baseline == NULL || baseline->n_runs == 0)
        return -1;
    size_t n = 0;
    auto_free int64_t *spans = mem_calloc(baseline->n_runs, sizeof(*spans));
    for (size_t i = 0; i < baseline->n_runs; i++) {
        int64_t span_ms = paced_ms(evidence, baseline->runs[i].milestones_ms, from, to);
        if (span_ms >= 0)
            spans[n++] = span_ms;
    }
    if (n == 0)
        return -1;
    qsort(spans, n, sizeof(*spans), compare_ms);
    int64_t usual_ms = 3 * spans[n / 2], slowest_ms = spans[n - 1] + spans[n - 1] / 4;
    return usual_ms > slowest_ms ? usual_ms : slowest_ms;
}

int64_t stage_patience_ms(const struct evidence *evidence, enum stage from, enum stage to)
{
    int64_t patience_ms = evidence_is_bare(evidence) ? 3 * STAGE_STUCK_MS : STAGE_STUCK_MS;
    int64_t slow_ms = evidence->milestones[from].at_ms / SLOW_SHARE;
    int64_t usual_ms = baseline_patience_ms(evidence, from, to);
    if (slow_ms > patience_ms)
        patience_ms = slow_ms;
    return usual_ms > patience_ms ? usual_ms : patience_ms;
}

double stage_silence_confidence(const struct evidence *evidence, int64_t silent_ms)
{
    if (!evidence_is_bare(evidence))
        return 0.85;
    return silent_ms >= 6 * (int64_t)STAGE_STUCK_MS ? 0.82 : 0.7;
}
