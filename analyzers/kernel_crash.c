/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_crash: panics, oopses and lockups.
 *
 * A panic ends the boot. An oops or a lockup may be survived (a starved guest complains of lockups
 * and comes up), so its weight depends on whether anything came after it.
 *
 * Sources of the wording: Linux 4.14 to 6.12 (kernel/panic.c, arch/x86/kernel/dumpstack.c,
 * arch/x86/mm/fault.c, arch/arm64/mm/fault.c, kernel/watchdog.c, kernel/hung_task.c,
 * kernel/rcu/tree_stall.h, kernel/workqueue.c).
 */
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/progress.h"
#include "analyzers/stage.h"

#define STALL_TAILS                                                                                \
    "(?:softlockup: hung tasks|hung_task: blocked tasks|RCU Stall|Hard LOCKUP|Softlockup)"

static const struct rule rules[] = {
    {
        .id = "kernel.panic",
        .cause = "kernel.panic",
        .severity = SEVERITY_FATAL,
        .speaker = SPEAKER_KERNEL,
        .confidence = 0.9,
        .pattern = "^Kernel panic - not syncing: (?!" STALL_TAILS ")(.*)",
        .literal = "Kernel panic - not syncing: ",
        .summary = "The kernel panicked: $1",
        .sample = "[    5.646061] Kernel panic - not syncing: sysrq triggered crash",
        .near_miss = "[    5.645368] sysrq: Trigger a crash",
    },
    {
        /* The last line of a panic, where the first was lost. */
        .id = "kernel.panic-end",
        .severity = SEVERITY_FATAL,
        .speaker = SPEAKER_KERNEL,
        .pattern = "^---\\[ end Kernel panic - not syncing: (.*?)(?: \\]---)?$",
        .literal = "---[ end Kernel panic - not syncing: ",
        .summary = "The kernel panicked: $1",
        .sample = "[    5.7] ---[ end Kernel panic - not syncing: sysrq triggered crash ]---",
        .near_miss = "[    5.7] ---[ end trace 0000000000000000 ]---",
    },
    {
        .id = "kernel.stall-panic",
        .cause = "kernel.hung",
        .severity = SEVERITY_FATAL,
        .speaker = SPEAKER_KERNEL,
        .confidence = 0.93,
        .pattern = "^Kernel panic - not syncing: (" STALL_TAILS ".*)",
        .literal = "Kernel panic - not syncing: ",
        .summary = "The kernel panicked because it made no progress: $1",
        .sample = "[   48.1] Kernel panic - not syncing: softlockup: hung tasks",
        .near_miss = "[   48.1] Kernel panic - not syncing: Fatal exception",
    },
    {
        .id = "kernel.oops",
        .cause = "kernel.oops",
        .severity = SEVERITY_ERROR,
        .speaker = SPEAKER_KERNEL,
        .confidence = 0.7,
        .pattern =
            "^(?:BUG: (?:kernel NULL pointer|unable to handle|Bad |scheduling while|KASAN|KFENCE|"
            "stack guard page|sleeping function called|spinlock |corrupted|TASK stack guard)|Oops:"
            " |kernel BUG at |general protection fault,? |KASAN: |divide error: |invalid opcode: |"
            "stack segment: |double fault: |traps: PANIC: double fault|Unable to handle kernel "
            "|Internal error: |Unhandled fault: |Kernel BUG at |list_(?:add|del) corruption)(.*)",
        .summary = "The kernel met an error of its own",
        .sample = "[    4.2] BUG: kernel NULL pointer dereference, address: 0000000000000008",
        .near_miss = "[    4.2] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [swapper/0:1]",
    },
    {
        .id = "kernel.oops-module",
        .severity = SEVERITY_NOTE,
        .speaker = SPEAKER_KERNEL,
        .pattern =
            "^(?:RIP: [0-9a-f]+:\\S+ \\[([\\w-]+)\\]|pc : \\S+ \\[([\\w-]+)\\]|Modules linked "
            "in:.* (virtio_net|e1000e?|vmxnet3|net_failover)\\([A-Z]*\\+[A-Z]*\\))",
        .summary = "The kernel stumbled in the module $1$2$3",
        .sample = "[    4.2] RIP: 0010:virtnet_probe+0x1f/0x9f0 [virtio_net]",
        .near_miss = "[    4.2] RIP: 0010:do_one_initcall+0x5c/0x320",
    },
    {
        .id = "kernel.lockup",
        .cause = "kernel.hung",
        .severity = SEVERITY_ERROR,
        .speaker = SPEAKER_KERNEL,
        .confidence = 0.45,
        .pattern =
            "^(?:(?:NMI )?(?:watchdog: )?BUG: (?:soft lockup - CPU#\\d+ stuck for |workqueue lockup"
            " - ).*|(?:NMI )?[wW]atchdog: (?:CPU\\d+: )?Watchdog detected hard LOCKUP.*|INFO: task "
            "\\S.*? blocked (?:for|in I/O wait for) more than \\d+ seconds.*|(?:rcu: )?INFO: rcu_"
            "\\w+ (?:self-)?detected (?:expedited )?stalls?.*|rcu: rcu_\\w+ kthread starved for "
            ".*)",
        .summary = "The kernel says that it makes no progress",
        .sample = "[   48.1] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [swapper/0:1]",
        .near_miss = "[    0.6] NMI watchdog: Perf NMI watchdog permanently disabled",
    },
};

static void judge_lost_panic(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *end = evidence_last(evidence, "kernel.panic-end");
    static const char *const beginnings[] = {"kernel.panic", "kernel.stall-panic"};
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
        if (evidence_count(evidence, beginnings[i]) > 0)
            return;
    if (end == NULL)
        return;
    struct finding *finding =
        findings_add(findings, "kernel.panicked", "kernel.panic", SEVERITY_FATAL, 0.88);
    finding_say(finding, "The kernel panicked: %s",
                end->captures[0] != NULL ? end->captures[0] : "");
    finding_hit(finding, end);
}

static bool behind(const struct hit *later, const struct hit *hit)
{
    return later != NULL && later->seq > hit->seq;
}

/* A boot that was watched until it was given up, silent for long enough to mean something. */
static bool fell_silent(const struct evidence *evidence)
{
    return evidence->record->end == RECORD_END_DEADLINE &&
           evidence_silence_ms(evidence) >= STAGE_STUCK_MS;
}

/* A driver that stumbles while it is loaded leaves a guest without its device, and nothing else. */
static bool in_network_driver(const struct evidence *evidence)
{
    static const char *const drivers[] = {"virtio_net", "net_failover", "e1000", "vmxnet3",
                                          "failover"};
    for (const struct hit *hit = evidence_next(evidence, "kernel.oops-module", NULL); hit != NULL;
         hit = evidence_next(evidence, "kernel.oops-module", hit))
        for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
            if (strstr(hit->text, drivers[i]) != NULL)
                return true;
    return false;
}

static void judge_oops(const struct evidence *evidence, struct findings *findings)
{
    struct finding *finding = findings_find(findings, "kernel.oops");
    const struct hit *first = evidence_first(evidence, "kernel.oops");
    if (finding == NULL || first == NULL)
        return;
    bool ended_it = behind(evidence_last(evidence, "kernel.panic"), first) ||
                    behind(evidence_last(evidence, "kernel.panic-end"), first);
    bool stalled = behind(evidence_last(evidence, "kernel.lockup"), first) || fell_silent(evidence);
    if (ended_it)
        finding->confidence = 0.94;
    else if (in_network_driver(evidence) && !stage_reached(evidence, STAGE_NIC_FOUND))
        finding->confidence = 0.9;
    else if (progress_since(evidence, evidence_last(evidence, "kernel.oops")))
        finding->confidence = 0.5;
    else
        finding->confidence = stalled ? 0.88 : 0.75;
}

/*
 * A starved guest complains and goes on. One that hangs was silent before, for as long as the
 * complaint says, and goes on complaining.
 */
static void judge_lockup(const struct evidence *evidence, struct findings *findings)
{
    enum { LASTING_MS = 15 * 1000 };
    struct finding *finding = findings_find(findings, "kernel.lockup");
    const struct hit *last = evidence_last(evidence, "kernel.lockup");
    if (finding == NULL || last == NULL)
        return;
    if (progress_since(evidence, last)) {
        finding->confidence = 0.25;
        return;
    }
    const struct hit *step = progress_before(evidence, last);
    int64_t since_ms = step != NULL ? step->near_ms : 0;
    int64_t end_ms =
        evidence->record->end == RECORD_END_DEADLINE ? evidence_end_ms(evidence) : last->near_ms;
    bool lasting = since_ms >= 0 && end_ms - since_ms >= LASTING_MS;
    finding->confidence = lasting ? 0.86 : 0.6;
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_lost_panic(evidence, findings);
    judge_oops(evidence, findings);
    judge_lockup(evidence, findings);
}

const struct analyzer analyzer_kernel_crash = {
    .name = "kernel-crash",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
