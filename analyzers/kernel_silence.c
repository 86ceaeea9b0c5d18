/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_silence: what it means that nothing more, or nothing at all, came from the guest.
 *
 * Three things decide: whether any byte was the kernel's (firmware prints, too), whether the guest
 * used CPU time, and whether it answered on the network.
 */
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/stage.h"
#include "harness/base/buf.h"

static const struct rule rules[] = {
    {
        /* SeaBIOS 1.13 to 1.16, qboot, iPXE 1.20 and 1.21, EDK II, GRUB 2.04 to 2.12. */
        .id = "kernel.firmware",
        .pattern = "^(?:SeaBIOS \\(version|iPXE (?:\\(|\\d|initialising)|Booting from (?:ROM|Hard "
                   "Disk|DVD/CD|Floppy)|Boot failed: |No bootable device|Machine UUID |BdsDxe: |"
                   "UEFI Interactive Shell|GNU GRUB |Press (?:Ctrl-B|F12|ESC) |Trying to load: )",
        .summary = "The firmware runs",
        .sample = "SeaBIOS (version 1.16.2-debian-1.16.2-1)",
        .near_miss = "Booting Linux on physical CPU 0x0000000000",
    },
};

/* `quiet` moves the kernel's first line behind seconds of healthy silence. */
enum { QUIET_FACTOR = 3 };

static bool has_word(const char *cmdline, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = cmdline; at != NULL && (at = strstr(at, word)) != NULL; at += len)
        if ((at == cmdline || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

/* A serial console of any kind; without console= the kernel writes to a screen that is not there.
 */
static bool has_serial_console(const char *cmdline)
{
    static const char *const names[] = {"console=ttyS", "console=ttyAMA", "console=hvc",
                                        "console=uart", "earlyprintk=",   "earlycon"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strstr(cmdline, names[i]) != NULL)
            return true;
    return false;
}

/* Anything that is not firmware's: a stamped line, or one that a rule knows. */
static bool guest_spoke(const struct evidence *evidence)
{
    if (evidence->guest_lines > 0)
        return true;
    for (size_t i = 0; i < evidence->n_hits; i++) {
        const struct rule *rule = evidence_rule(evidence, &evidence->hits[i]);
        if (rule->file == RULE_CONSOLE && strcmp(rule->id, "kernel.firmware") != 0)
            return true;
    }
    return false;
}

/* True if the guest's own IP stack answered. A user-mode forwarder accepts and resets only once the
 * guest answers, or when its VMM ends. */
static bool guest_answered(const struct record *record)
{
    const char *network = record->probe.network;
    bool user = network == NULL || strcmp(network, "user") == 0;
    for (size_t i = 0; i < record->probe.n_runs; i++) {
        const struct probe_run *run = &record->probe.runs[i];
        enum probe_class class = run->class;
        bool reset = class == PROBE_RESET && run->count > 2;
        bool refused = class == PROBE_REFUSED && !user;
        if (class >= PROBE_NOT_HTTP || reset || refused)
            return true;
    }
    return false;
}

/* More CPU time than what was printed can have cost: the guest runs in a circle. */
static bool spins(const struct evidence *evidence, int64_t silent_ms)
{
    int64_t cpu_ms = evidence->record->vmm.cpu_ms;
    return cpu_ms >= 0 && cpu_ms > evidence->last_output_ms + silent_ms / 2;
}

static void judge_silence(const struct evidence *evidence, struct findings *findings)
{
    const struct record *record = evidence->record;
    int64_t silent_ms = evidence_silence_ms(evidence);
    int64_t patience_ms = stage_patience_ms(evidence, STAGE_KERNEL_STARTED, STAGE_INIT_STARTED);
    if (has_word(record->guest.cmdline, "quiet"))
        patience_ms *= QUIET_FACTOR;
    if (record->end != RECORD_END_DEADLINE || stage_reached(evidence, STAGE_INIT_STARTED) ||
        silent_ms < patience_ms || !guest_spoke(evidence) || guest_answered(record))
        return;
    bool sure = spins(evidence, silent_ms);
    struct finding *finding =
        findings_add(findings, "kernel.silent", "kernel.hung", SEVERITY_ERROR, sure ? 0.86 : 0.65);
    finding_say(finding,
                "The kernel fell silent %.0f s before the boot was given up, before init ran",
                (double)silent_ms / 1000);
    finding_quote(finding, &evidence->last_line);
    if (record->vmm.cpu_ms >= 0)
        finding_fact(finding, record->ended_ms, "CPU time of the VMM: %lld ms in %lld ms",
                     (long long)record->vmm.cpu_ms, (long long)record->ended_ms);
}

static void add_empty(const struct evidence *evidence, struct findings *findings, const char *id,
                      const char *cause, double confidence, const char *says)
{
    const struct record *record = evidence->record;
    struct finding *finding = findings_add(findings, id, cause, SEVERITY_ERROR, confidence);
    finding_say(finding, "%s", says);
    finding_fact(finding, record->ended_ms,
                 "console: %llu lines; CPU time of the VMM: %lld ms in %lld ms",
                 (unsigned long long)evidence->console_lines, (long long)record->vmm.cpu_ms,
                 (long long)record->ended_ms);
    if (record->guest.cmdline != NULL)
        finding_fact(finding, -1, "kernel command line: %s", record->guest.cmdline);
}

/* A VMM's own start costs less; a guest that boots and idles costs more. */
static bool is_idle(const struct record *record)
{
    enum { START_MS = 1000 };
    return record->vmm.cpu_ms >= 0 && record->vmm.cpu_ms < START_MS &&
           record->vmm.cpu_ms * 20 < record->ended_ms;
}

static bool on_kvm(const struct record *record)
{
    return record->host.accelerator != NULL && strcmp(record->host.accelerator, "kvm") == 0;
}

/* What a kernel and its initramfs need at least before they can print: room for both, packed and
 * unpacked. */
static bool has_little_memory(const struct record *record)
{
    enum { LEAST_MIB = 64, MIB = 1024 * 1024 };
    int64_t images = (record->kernel.size > 0 ? record->kernel.size : 0) +
                     (record->initrd.size > 0 ? record->initrd.size : 0);
    int64_t need_mib = 2 * (images / MIB);
    return record->guest.memory_mib > 0 &&
           record->guest.memory_mib < (need_mib > LEAST_MIB ? need_mib : LEAST_MIB);
}

/* Old records, and those of boots that happened elsewhere, do not say it. */
static void add_size(struct buf *fact, const char *what, const struct record_image *image)
{
    if (image->size >= 0)
        buf_addf(fact, "; %s: %lld bytes", what, (long long)image->size);
}

static void add_no_room(const struct evidence *evidence, struct findings *findings,
                        const char *what)
{
    const struct record *record = evidence->record;
    struct finding *finding =
        findings_add(findings, "kernel.no-room", "kernel.out-of-memory", SEVERITY_ERROR, 0.75);
    finding_say(finding,
                "The guest %s before its kernel could print: %d MiB of memory are too little for "
                "it to start",
                what, record->guest.memory_mib);
    auto_buf struct buf fact;
    buf_init(&fact, 256);
    buf_addf(&fact, "memory: %d MiB", record->guest.memory_mib);
    add_size(&fact, "kernel", &record->kernel);
    add_size(&fact, "initrd", &record->initrd);
    finding_fact(finding, record->ended_ms, "%s; watched for %lld ms", buf_text(&fact),
                 (long long)record->ended_ms);
}

static void judge_empty_console(const struct evidence *evidence, struct findings *findings)
{
    const struct record *record = evidence->record;
    const char *cmdline = record->guest.cmdline;
    bool answered = guest_answered(record);
    bool no_serial = cmdline != NULL && *cmdline != '\0' && !has_serial_console(cmdline);
    bool firmware = evidence_count(evidence, "kernel.firmware") > 0;
    if (record->end != RECORD_END_DEADLINE || guest_spoke(evidence) ||
        (record->ended_ms < STAGE_STUCK_MS && !no_serial))
        return;
    if (!answered && is_idle(record) && has_little_memory(record)) {
        add_no_room(evidence, findings, "stopped");
        return;
    }
    if (!answered && !firmware && is_idle(record)) {
        add_empty(evidence, findings, "vmm.idle", "vmm.start-timeout", 0.82,
                  "The guest never ran: no console output and no CPU time used");
        return;
    }
    if (on_kvm(record) && !answered && !firmware && !no_serial && cmdline != NULL)
        add_empty(evidence, findings, "kernel.kvm-stuck", "host.kvm-unavailable", 0.75,
                  "KVM accepts the guest and runs it, and no instruction of it ever shows");
    double confidence = no_serial || answered ? 0.94 : record->vmm.cpu_ms >= 0 ? 0.82 : 0.6;
    add_empty(evidence, findings, "kernel.mute", "kernel.no-console-output", confidence,
              answered ? "The guest answers on the network, and its kernel never wrote to the "
                         "console"
                       : "The kernel never wrote to the console, although the guest used CPU time");
}

static void judge_early_reset(const struct evidence *evidence, struct findings *findings)
{
    const struct record *record = evidence->record;
    if (record->end != RECORD_END_VMM_EXIT || record->vmm.exit_code != 0 || guest_spoke(evidence) ||
        !has_little_memory(record))
        return;
    add_no_room(evidence, findings, "reset");
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_silence(evidence, findings);
    judge_empty_console(evidence, findings);
    judge_early_reset(evidence, findings);
}

const struct analyzer analyzer_kernel_silence = {
    .name = "kernel-silence",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
