/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmm: how the VMM's process ended, as its last lines and its exit status say it.
 *
 * Exit 0 is what a guest's reset, its power-off and (with panic=) its panic look like from outside,
 * so that anything the console says beats it.
 *
 * Sources: QEMU 5.2 to 9.2, Firecracker 0.22 to 1.14 (src/vmm/src/lib.rs FcExitCode,
 * src/vmm/src/signal_handler.rs, src/vmm/src/vstate/vcpu), glibc, GLib.
 */
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/causes.h"
#include "analyzers/progress.h"
#include "analyzers/reason.h"
#include "analyzers/stage.h"

static const struct rule rules[] = {
    {
        .id = "vmm.assertion",
        .file = RULE_VMM_LOG,
        .cause = "vmm.crashed",
        .severity = SEVERITY_FATAL,
        .confidence = 0.87,
        .pattern =
            "Assertion `.*' failed|^(?:Bail out! )?ERROR:\\S+:\\d+:.*(?:assertion failed|should "
            "not be reached)|^thread '[^']*' panicked at|Firecracker panicked at|Received "
            "KVM_EXIT_INTERNAL_ERROR|KVM_EXIT_FAIL_ENTRY|KVM_EXIT_UNKNOWN|Unexpected exit reason "
            "on vcpu run|error: kvm run failed|KVM internal error|KVM: entry failed|\\bbad syscall"
            "\\b|^qemu(?:-system-\\w+)?: fatal: |\\*\\*\\* stack smashing detected|^(?:free\\(\\)|"
            "malloc\\(\\)|double free)|(?:Aborted|Segmentation fault|Illegal instruction|Bus error)"
            " +\\(core dumped\\)|Firecracker exiting with error\\. "
            "exit_code=(?:2|14[89]|15[014-7])$",
        .summary = "The VMM itself crashed",
        .sample = "qemu-system-x86_64: ../target/i386/kvm/kvm.c:2952: kvm_buf_set_msrs: Assertion "
                  "`ret == cpu->kvm_msr_buf->nmsrs' failed.",
        .near_miss = "qemu-system-x86_64: terminating on signal 15 from pid 24190 (python3)",
    },
    {
        /* FcExitCode: a generic error, bad configuration, bad arguments. What it was stands above.
         */
        .id = "vmm.gave-up",
        .file = RULE_VMM_LOG,
        .cause = "vmm.config-invalid",
        .severity = SEVERITY_ERROR,
        .confidence = 0.45,
        .pattern = "Firecracker exiting with error\\. exit_code=(1|15[23])$",
        .summary = "Firecracker gave up with exit status $1",
        .sample = "2026-02-12T17:18:27.185731205 [anonymous-instance:main] Firecracker exiting "
                  "with error. exit_code=1",
        .near_miss = "2023-06-16T07:45:41.767987318 [anonymous-instance:main:ERROR] Firecracker "
                     "exiting with error. exit_code=148",
    },
    {
        .id = "vmm.signalled",
        .file = RULE_VMM_LOG,
        .severity = SEVERITY_NOTE,
        .pattern = "terminating on signal (\\d+)(?: from pid (\\d+)(?: \\(([^)]*)\\))?)?|Shutting "
                   "down VM after intercepting signal (\\d+)",
        .summary = "Somebody ended the VMM by signal $1$4",
        .sample = "qemu-system-x86_64: terminating on signal 15 from pid 24190 (python3)",
        .near_miss = "Shutting down VM after intercepting a bad syscall (41).",
    },
    {
        .id = "vmm.ended-well",
        .file = RULE_VMM_LOG,
        .severity = SEVERITY_NOTE,
        .pattern = "Firecracker exiting successfully\\. exit_code=0|Received KVM_EXIT_SHUTDOWN",
        .summary = "The VMM ended because its guest did",
        .sample = "2023-06-16T07:45:41.767987318 [anonymous-instance:main:INFO:src/firecracker/src"
                  "/main.rs:127] Firecracker exiting successfully. exit_code=0",
        .near_miss = "2023-06-16T07:45:41.767987318 [anonymous-instance:main:ERROR] Firecracker "
                     "exiting with error. exit_code=148",
    },
};

/* The backend knows best what failed: it saw the errno. */
static void judge_error(const struct record *record, struct findings *findings)
{
    if (record->vmm.error == NULL)
        return;
    const struct cause *cause =
        record->vmm.error_cause != NULL ? cause_find(record->vmm.error_cause) : NULL;
    struct finding *finding =
        findings_add(findings, "vmm.error", cause != NULL ? cause->id : "vmm.config-invalid",
                     SEVERITY_FATAL, cause != NULL ? 0.97 : 0.4);
    finding_say(finding,
                record->end == RECORD_END_START_FAILED ? "The VM could not be started: %s"
                                                       : "The VMM or its console failed: %s",
                record->vmm.error);
    finding_fact(finding, 0, "vmm.error: %s", record->vmm.error);
}

/* Firecracker's own exit statuses (FcExitCode), and what the shell makes of a signal. */
static const struct {
    int status;
    const char *cause, *meaning;
    double confidence;
} firecracker_exits[] = {
    {12, "host.memory-exhausted", "the host had no memory for the guest", 0.6},
    {148, "vmm.crashed", "a system call that its seccomp filter forbids", 0.9},
    {149, "vmm.crashed", "SIGBUS", 0.9},
    {150, "vmm.crashed", "SIGSEGV", 0.9},
    {151, "vmm.crashed", "SIGXFSZ: a file grew beyond its limit", 0.9},
    {152, "vmm.config-invalid", "bad configuration", 0.85},
    {153, "vmm.config-invalid", "bad arguments", 0.85},
    {154, "vmm.crashed", "SIGXCPU: its CPU time was used up", 0.9},
    {156, "vmm.crashed", "SIGHUP", 0.85},
    {157, "vmm.crashed", "SIGILL", 0.9},
};

static bool is_firecracker(const struct record *record)
{
    return (record->backend != NULL && strcmp(record->backend, "firecracker") == 0) ||
           (record->vmm.argv != NULL && record->vmm.argv[0] != NULL &&
            strstr(record->vmm.argv[0], "firecracker") != NULL);
}

static void judge_firecracker_status(const struct record *record, struct findings *findings)
{
    for (size_t i = 0; i < sizeof(firecracker_exits) / sizeof(firecracker_exits[0]); i++) {
        if (!is_firecracker(record) || record->vmm.exit_code != firecracker_exits[i].status)
            continue;
        struct finding *finding =
            findings_add(findings, "vmm.firecracker-status", firecracker_exits[i].cause,
                         SEVERITY_ERROR, firecracker_exits[i].confidence);
        finding_say(finding, "Firecracker ended with exit status %d: %s", record->vmm.exit_code,
                    firecracker_exits[i].meaning);
        finding_fact(finding, record->ended_ms, "vmm: exit status %d after %lld ms",
                     record->vmm.exit_code, (long long)record->ended_ms);
    }
}

/* The signal that ended the process, also where a shell made a status of it; 0: none. */
static int end_signal(const struct record *record)
{
    enum { SHELL_BASE = 128, LAST_SIGNAL = 31 };
    int code = record->vmm.exit_code;
    if (record->vmm.signal != 0)
        return record->vmm.signal;
    return code > SHELL_BASE && code <= SHELL_BASE + LAST_SIGNAL && !is_firecracker(record)
               ? code - SHELL_BASE
               : 0;
}

static void say_death(struct finding *finding, const struct record *record,
                      const struct hit *killer)
{
    int signal = end_signal(record);
    if (killer != NULL && killer->captures[2] != NULL)
        finding_say(finding, "Process %s (%s) ended the VMM by signal %s", killer->captures[1],
                    killer->captures[2], killer->captures[0]);
    else if (killer != NULL)
        finding_say(finding, "Somebody ended the VMM by a signal");
    else if (signal != 0)
        finding_say(finding, "The VMM was killed by signal %d (%s)", signal, strsignal(signal));
    else
        finding_say(finding, "The VMM ended with exit status %d", record->vmm.exit_code);
}

static void quote_end(struct finding *finding, const struct evidence *evidence)
{
    const struct record *record = evidence->record;
    finding_fact(finding, record->ended_ms, "vmm: exit status %d, signal %d after %lld ms",
                 record->vmm.exit_code, record->vmm.signal, (long long)record->ended_ms);
}

static void judge_death(const struct evidence *evidence, const struct hit *killer,
                        struct findings *findings)
{
    struct finding *finding = findings_add(findings, "vmm.died", "vmm.crashed", SEVERITY_ERROR,
                                           killer != NULL                      ? 0.85
                                           : end_signal(evidence->record) != 0 ? 0.8
                                                                               : 0.7);
    say_death(finding, evidence->record, killer);
    if (killer != NULL)
        finding_hit(finding, killer);
    else if (evidence->last_vmm_line.line > 0)
        finding_quote(finding, &evidence->last_vmm_line);
    quote_end(finding, evidence);
}

/* True if a reboot is the last that the guest did before its service came up. */
static const struct hit *last_word(const struct evidence *evidence)
{
    const struct hit *reboot = evidence_last(evidence, "kernel.reboot");
    bool came_up = stage_reached(evidence, STAGE_AGENT_LISTENING);
    return reboot != NULL && !came_up && !progress_since(evidence, reboot) ? reboot : NULL;
}

static void judge_reset(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *reboot = last_word(evidence);
    double confidence = reason_leaves(findings, reboot != NULL ? 0.82 : 0.6);
    struct finding *finding =
        findings_add(findings, "vmm.ended", "vmm.guest-reset", SEVERITY_ERROR, confidence);
    finding_say(finding, "The guest reset or switched itself off before it was ready, and the "
                         "console does not say why");
    if (reboot != NULL)
        finding_hit(finding, reboot);
    quote_end(finding, evidence);
    if (evidence->last_line.line > 0)
        finding_quote(finding, &evidence->last_line);
}

static void judge_exit(const struct evidence *evidence, struct findings *findings)
{
    const struct record *record = evidence->record;
    const struct hit *killer = evidence_last(evidence, "vmm.signalled");
    bool exited = record->end == RECORD_END_VMM_EXIT || record->end == RECORD_END_START_FAILED;
    if (!exited || (record->vmm.exit_code < 0 && record->vmm.signal == 0))
        return;
    if (record->vmm.signal == 0 && record->vmm.exit_code == 0 && killer == NULL)
        judge_reset(evidence, findings);
    else
        judge_death(evidence, killer, findings);
    judge_firecracker_status(record, findings);
}

/* The banner again, behind later steps: the guest began once more. */
static bool restarted(const struct evidence *evidence)
{
    static const char *const steps[] = {"kernel.virtio-disk", "kernel.other-disk",
                                        "kernel.root-mounted", "init.systemd-banner"};
    const struct hit *first = evidence_first(evidence, "kernel.banner");
    const struct hit *last = evidence_last(evidence, "kernel.banner");
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && first != last; i++) {
        const struct hit *step = evidence_first(evidence, steps[i]);
        if (step != NULL && step->seq > first->seq && step->seq < last->seq)
            return true;
    }
    return false;
}

/* Where nobody says how the boot ended, the VMM's log or a second banner may. */
static void judge_logged_end(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *ended = evidence_last(evidence, "vmm.ended-well");
    const struct hit *reboot = last_word(evidence);
    struct finding *finding;
    if (restarted(evidence)) {
        finding = findings_add(findings, "vmm.restarted", "vmm.guest-reset", SEVERITY_ERROR,
                               reason_leaves(findings, 0.7));
        finding_say(finding, "The guest started %u times, and the console does not say why",
                    evidence_count(evidence, "kernel.banner"));
        finding_hit(finding, evidence_last(evidence, "kernel.banner"));
    } else if (evidence_is_bare(evidence) && (ended != NULL || reboot != NULL)) {
        finding = findings_add(findings, "vmm.logged-end", "vmm.guest-reset", SEVERITY_ERROR,
                               reason_leaves(findings, reboot != NULL ? 0.82 : 0.5));
        finding_say(finding, "The guest reset or switched itself off, and nothing says why");
        finding_hit(finding, reboot != NULL ? reboot : ended);
    }
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_error(evidence->record, findings);
    judge_exit(evidence, findings);
    judge_logged_end(evidence, findings);
}

const struct analyzer analyzer_vmm = {
    .name = "vmm",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
