/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host: what the host lacked, as its VMM says it or as the record measured it.
 *
 * Sources of the wording: QEMU 5.2 to 9.2 (accel/kvm/kvm-all.c, system/physmem.c, net/tap-linux.c,
 * net/tap.c, qemu-bridge-helper.c), Firecracker 0.22 to 1.14 (src/vmm/src/vstate,
 * src/vmm/src/devices/virtio/net/tap.rs), Linux (mm/oom_kill.c).
 */
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/baseline.h"
#include "analyzers/progress.h"
#include "analyzers/stage.h"

static const struct rule rules[] = {
    {
        .id = "host.kvm",
        .file = RULE_VMM_LOG,
        .cause = "host.kvm-unavailable",
        .severity = SEVERITY_FATAL,
        .confidence = 0.97,
        .pattern =
            "Could not access KVM kernel module|failed to initialize kvm|kvm version too old|Error "
            "creating (?:the )?K[vV][mM] object|\\bKvm\\(Kvm\\(|\\bKvmContext\\(|Missing KVM "
            "capabilities|invalid KVM API version|/dev/kvm.*(?:No such file|Permission denied|ACL)|"
            "KVM_CREATE_VM.* failed|kvm_init_vcpu(?: failed|: kvm_get_vcpu failed)|failed to set "
            "MSR 0x|invalid accelerator kvm|KVM (?:is )?not (?:supported|available)",
        .summary = "The VMM cannot use KVM on this host",
        .sample = "Could not access KVM kernel module: Permission denied",
        .near_miss = "qemu-system-x86_64: falling back to tcg",
    },
    {
        .id = "host.no-space",
        .file = RULE_VMM_LOG,
        .cause = "host.disk-full",
        .severity = SEVERITY_FATAL,
        .confidence = 0.95,
        .pattern = "No space left on device|\\bENOSPC\\b|os error 28\\b|Os \\{ code: 28\\b|Disk "
                   "quota exceeded",
        .summary = "The host's disk is full",
        .sample = "qemu-system-x86_64: could not write to image: No space left on device",
        .near_miss = "qemu-system-x86_64: no space in PCI window",
    },
    {
        .id = "host.no-memory",
        .file = RULE_VMM_LOG,
        .cause = "host.memory-exhausted",
        .severity = SEVERITY_FATAL,
        .confidence = 0.93,
        .pattern =
            "cannot set up guest memory|Cannot allocate memory|Failed to (?:allocate|mmap|create) "
            "guest memory|Cannot create guest memory|[oO]s error 12\\b|Os \\{ code: 12\\b|"
            "Insufficient free host memory|preallocating memory failed|GLib-ERROR.*failed to "
            "allocate|Out of memory \\(os error",
        .summary = "The host has not enough memory for the guest",
        .sample = "qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot "
                  "allocate memory",
        .near_miss = "qemu-system-x86_64: warning: memory backend is not locked",
    },
    {
        .id = "host.oom-killed",
        .file = RULE_VMM_LOG,
        .cause = "host.memory-exhausted",
        .severity = SEVERITY_FATAL,
        .confidence = 0.97,
        .pattern = "(?:Out of memory|Memory cgroup out of memory): Kill(?:ed)? process \\d+ "
                   "\\(((?:qemu|firecracker|fc_vcpu|jailer|CPU )[^)]*)\\)|A process of this unit "
                   "has been killed by the OOM killer",
        .summary = "The host's OOM killer ended the VMM $1",
        .sample = "Nov 23 15:28:20 host kernel: Out of memory: Killed process 24190 "
                  "(qemu-system-x86) total-vm:1204508kB",
        .near_miss = "Nov 23 15:28:20 host kernel: Out of memory: Killed process 24190 (node)",
    },
    {
        .id = "host.tap",
        .file = RULE_VMM_LOG,
        .cause = "host.tap-unavailable",
        .severity = SEVERITY_FATAL,
        .confidence = 0.95,
        .pattern =
            "could not configure /dev/net/tun(?: \\(([^)]*)\\))?|could not open /dev/net/tun|Open "
            "tap device failed|\\bTapOpen\\b|Invalid TUN/TAP Backend|(?:failed to launch )?bridge "
            "helper(?: failed)?|failed to (?:create tun device|get mtu of bridge|add interface "
            "`[^']*' to bridge)|access denied by acl file|network script \\S+ failed|could not "
            "launch network script|vhost-net requested but could not be initialized|open vhost "
            "char device failed",
        .summary = "The VMM cannot use the TAP device $1",
        .sample = "qemu-system-x86_64: -netdev tap,id=n0: could not configure /dev/net/tun "
                  "(tap0): Operation not permitted",
        .near_miss = "qemu-system-x86_64: warning: tap queue limits",
    },
};

/* Above these a boot is slow whatever its guest does: a quarter of the CPU time stolen, or four
 * runnable tasks for each boot beside our own. */
static const double HIGH_STEAL_PCT = 25.0, HIGH_LOAD_PER_BOOT = 8.0;

static bool is_busy(const struct record *record)
{
    int boots = record->host.parallel_boots > 0 ? record->host.parallel_boots : 1;
    return record->host.steal_pct > HIGH_STEAL_PCT ||
           (record->host.load > HIGH_LOAD_PER_BOOT * boots && record->host.load > 16);
}

static void quote_load(struct finding *finding, const struct record *record)
{
    finding_fact(finding, -1, "host: load %.1f, steal %.1f %%, %d boots at once", record->host.load,
                 record->host.steal_pct, record->host.parallel_boots);
    if (record->vmm.cpu_ms >= 0)
        finding_fact(finding, record->ended_ms, "CPU time of the VMM: %lld ms in %lld ms",
                     (long long)record->vmm.cpu_ms, (long long)record->ended_ms);
}

/* How many times longer than in the slowest good boot; 0: not known. */
static double slowness(const struct evidence *evidence, enum stage from, enum stage to)
{
    const struct milestone *now = evidence->milestones;
    int64_t slowest_ms = 0;
    for (size_t i = 0; i < evidence->baseline->n_runs; i++) {
        const int64_t *at_ms = evidence->baseline->runs[i].milestones_ms;
        if (at_ms[from] >= 0 && at_ms[to] - at_ms[from] > slowest_ms)
            slowest_ms = at_ms[to] - at_ms[from];
    }
    bool known = now[from].at_ms >= 0 && now[to].at_ms > now[from].at_ms && slowest_ms > 0;
    return known ? (double)(now[to].at_ms - now[from].at_ms) / (double)slowest_ms : 0;
}

/* A busy host slows every segment; a fault of the guest slows one. */
static bool slow_as_a_whole(const struct evidence *evidence)
{
    static const enum stage steps[] = {STAGE_KERNEL_STARTED, STAGE_ROOT_MOUNTED,
                                       STAGE_INIT_STARTED,   STAGE_NETWORK_TARGET,
                                       STAGE_UNIT_STARTED,   STAGE_SUPERVISOR_STARTED};
    static const double MUCH = 2.0;
    size_t n = 0;
    if (evidence->baseline == NULL || evidence->milestones == NULL)
        return false;
    for (size_t i = 1; i < sizeof(steps) / sizeof(steps[0]); i++) {
        double factor = slowness(evidence, steps[i - 1], steps[i]);
        if (factor > 0 && factor < MUCH)
            return false;
        n += factor >= MUCH;
    }
    return n >= 2;
}

/*
 * From the kernel's first line to init a guest has work to do and waits for nothing but its root
 * device. Where that took much longer than all the CPU time that its VMM ever got, it was kept from
 * running.
 */
static bool is_starved(const struct evidence *evidence)
{
    enum { LONG_MS = 10 * 1000 };
    const struct milestone *milestones = evidence->milestones;
    int64_t cpu_ms = evidence->record->vmm.cpu_ms;
    if (milestones == NULL || cpu_ms < 0 || milestones[STAGE_KERNEL_STARTED].at_ms < 0 ||
        milestones[STAGE_INIT_STARTED].at_ms < 0 || !evidence->arrival_times ||
        evidence_count(evidence, "kernel.root-device-waiting") > 0)
        return false;
    int64_t took_ms = milestones[STAGE_INIT_STARTED].at_ms - milestones[STAGE_KERNEL_STARTED].at_ms;
    return took_ms >= LONG_MS && took_ms > 2 * cpu_ms;
}

/* Only a boot that still went on when it was given up can be blamed on the host's speed. */
static void judge_load(const struct evidence *evidence, struct findings *findings)
{
    const struct record *record = evidence->record;
    bool busy = is_busy(record);
    const struct hit *step = progress_before(evidence, NULL);
    bool unfinished = record->end == RECORD_END_DEADLINE && step != NULL && step->near_ms >= 0 &&
                      !stage_reached(evidence, STAGE_AGENT_LISTENING);
    int64_t silent_ms = unfinished ? record->ended_ms - step->near_ms : 0;
    bool slow = unfinished && silent_ms < STAGE_STUCK_MS && slow_as_a_whole(evidence);
    /* Who hardly runs is silent for long, too. */
    bool starved = unfinished && silent_ms < record->ended_ms / 4 && is_starved(evidence);
    if (!busy && !slow && !starved)
        return;
    double confidence = (slow || starved) && busy ? 0.86 : slow || starved ? 0.75 : 0.3;
    struct finding *finding =
        findings_add(findings, "host.busy", "host.overloaded",
                     confidence > 0.5 ? SEVERITY_ERROR : SEVERITY_NOTE, confidence);
    finding_say(finding, confidence > 0.5
                             ? "The host starved the guest, which was still booting at the end"
                             : "The host was busy while the guest booted");
    quote_load(finding, record);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_load(evidence, findings);
}

const struct analyzer analyzer_host = {
    .name = "host",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
