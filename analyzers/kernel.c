/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel: what the kernel and its initramfs say, and what their silence says.
 *
 * Sources of the wording: Linux 4.14 to 6.12 (init/do_mounts.c, init/main.c, mm/oom_kill.c,
 * kernel/panic.c, kernel/watchdog.c, kernel/hung_task.c), initramfs-tools 0.140, dracut 059.
 */
#include "analyzers/analyzer.h"
#include "analyzers/stage.h"

static const struct rule rules[] = {
    {
        .id = "kernel.banner",
        .milestone = "kernel-started",
        .pattern = "^Linux version \\d",
        .literal = "Linux version ",
        .summary = "The kernel runs",
        .sample =
            "[    0.000000] Linux version 6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org)",
        .near_miss = "Linux version unknown",
    },
    {
        .id = "kernel.virtio-disk",
        .milestone = "root-device-found",
        .pattern = "^virtio_blk \\S+: \\[vd[a-z]+\\]",
        .literal = "virtio_blk ",
        .summary = "The kernel found its virtio disk",
        .sample = "[    2.261833] virtio_blk virtio0: [vda] 718848 512-byte logical blocks",
        .near_miss = "[    2.251093] virtio_blk virtio0: 1/0/0 default/read/poll queues",
    },
    {
        .id = "kernel.other-disk",
        .milestone = "root-device-found",
        .pattern =
            "^(?:sd [\\d:]+: \\[sd[a-z]+\\] Attached SCSI|nvme\\d+n\\d+: p1|\\s*nvme\\d+n\\d+:)",
        .summary = "The kernel found a disk",
        .sample = "[    2.261833] sd 0:0:0:0: [sda] Attached SCSI disk",
        .near_miss = "[    2.261833] sd 0:0:0:0: [sda] Write Protect is off",
    },
    {
        .id = "kernel.root-mounted",
        .milestone = "root-mounted",
        .pattern = "^(?:EXT[234]-fs \\([^)]+\\): mounted filesystem|VFS: Mounted root \\(|XFS "
                   "\\([^)]+\\): Ending clean mount|BTRFS info \\([^)]+\\): (?:disk space caching|"
                   "using free space tree))",
        .summary = "The root file system is mounted",
        .sample = "[    2.342415] EXT4-fs (vda): mounted filesystem with ordered data mode.",
        .near_miss = "[    2.342415] EXT4-fs (vda): re-mounted. Quota mode: none.",
    },
    {
        .id = "kernel.command-line",
        .pattern = "^Kernel command line: (.*)",
        .literal = "Kernel command line: ",
        .summary = "The kernel was booted with: $1",
        .sample = "[    0.000000] Kernel command line: console=ttyS0 root=/dev/vda rw",
        .near_miss = "[    0.000000] Unknown kernel command line parameters \"ip=dhcp\"",
    },
    {
        .id = "kernel.oom-panic",
        .cause = "kernel.out-of-memory",
        .severity = SEVERITY_FATAL,
        .confidence = 0.98,
        .pattern = "^Kernel panic - not syncing: (?:System is deadlocked on memory|Out of memory)",
        .literal = "Kernel panic - not syncing: ",
        .summary = "The kernel panicked because it had no memory left",
        .sample = "[    1.241547] Kernel panic - not syncing: System is deadlocked on memory",
        .near_miss = "[    5.646061] Kernel panic - not syncing: sysrq triggered crash",
    },
    {
        .id = "kernel.oom-no-victim",
        .cause = "kernel.out-of-memory",
        .severity = SEVERITY_FATAL,
        .confidence = 0.95,
        .pattern = "^Out of memory and no killable processes",
        .literal = "Out of memory and no killable",
        .summary = "The kernel ran out of memory and found nothing to kill",
        .sample = "[    1.241286] Out of memory and no killable processes...",
        .near_miss = "[    9.241286] Out of memory: Killed process 126 (node) total-vm:1kB",
    },
    {
        .id = "kernel.oom-kill",
        .severity = SEVERITY_ERROR,
        .pattern = "(?:Out of memory|Memory cgroup out of memory): Kill(?:ed)? process \\d+ "
                   "\\(([^)]+)\\)",
        .literal = "emory: Kill",
        .summary = "The kernel ran out of memory and killed $1",
        .sample = "[   19.100000] Out of memory: Killed process 126 (node) total-vm:604508kB, "
                  "anon-rss:38436kB",
        .near_miss = "[    1.241286] Out of memory and no killable processes...",
    },
    {
        .id = "kernel.page-allocation-failure",
        .cause = "kernel.out-of-memory",
        .severity = SEVERITY_ERROR,
        .confidence = 0.4,
        .pattern = "^\\S+: page allocation failure: order:\\d",
        .literal = "page allocation failure: order:",
        .summary = "The kernel could not allocate memory",
        .sample = "[    1.100000] swapper/0: page allocation failure: order:0, mode:0x400dc0",
        .near_miss = "[    1.100000] page_alloc: shuffle page allocation failures: 0",
    },
    {
        .id = "kernel.root-device-unknown",
        .cause = "kernel.root-device-missing",
        .severity = SEVERITY_FATAL,
        .confidence = 0.97,
        .pattern = "^(?:VFS: Cannot open root device \"([^\"]*)\" or unknown-block\\(0,0\\)|Kernel "
                   "panic - not syncing: VFS: Unable to mount root fs on "
                   "(?:\"[^\"]*\" or )?unknown-block\\(0,0\\))",
        .literal = "unknown-block(0,0)",
        .summary = "The kernel found no root device",
        .sample = "[    1.5] VFS: Cannot open root device \"vdb\" or unknown-block(0,0): error -6",
        .near_miss = "[    1.5] VFS: Cannot open root device \"vda\" or unknown-block(254,0): "
                     "error -19",
    },
    {
        .id = "kernel.root-device-alert",
        .cause = "kernel.root-device-missing",
        .severity = SEVERITY_FATAL,
        .confidence = 0.96,
        .pattern = "^\\s*ALERT!\\s+(\\S+) does not exist",
        .literal = "ALERT!",
        .summary = "The initramfs waited for $1, which never appeared",
        .sample = "ALERT!  /dev/vda does not exist.  Dropping to a shell!",
        .near_miss = "ALERT! Configuration was restored.",
    },
    {
        .id = "kernel.root-device-gave-up",
        .cause = "kernel.root-device-missing",
        .severity = SEVERITY_FATAL,
        .confidence = 0.9,
        .pattern = "Gave up waiting for root (?:file system )?device|dracut-initqueue\\S*: "
                   "(?:Warning: )?.*(?:Could not boot|/dev/\\S+ does not exist)|^Warning: "
                   "/dev/\\S+ does not exist",
        .summary = "The initramfs gave up waiting for the root device",
        .sample = "Gave up waiting for root file system device.  Common problems:",
        .near_miss = "Gave up waiting for resume device",
    },
    {
        .id = "kernel.root-device-waiting",
        .cause = "kernel.root-device-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.6,
        .pattern = "^Waiting for root (?:device|file system) ?(\\S*?)\\.\\.\\.",
        .literal = "Waiting for root ",
        .summary = "The boot waits for its root device",
        .sample = "[    1.500000] Waiting for root device /dev/vdb...",
        .near_miss = "Waiting for rootless daemon...",
    },
    {
        .id = "kernel.root-mount-panic",
        .cause = "kernel.root-mount-failed",
        .severity = SEVERITY_FATAL,
        .confidence = 0.95,
        .pattern = "(?:VFS: Cannot open root device \"[^\"]*\" or|VFS: Unable to mount root fs on "
                   "(?:\"[^\"]*\" or )?)\\s?unknown-block\\((?!0,0\\))",
        .literal = "unknown-block(",
        .summary = "The kernel sees the root device and cannot mount it",
        .sample = "[    1.5] Kernel panic - not syncing: VFS: Unable to mount root fs on "
                  "unknown-block(254,0)",
        .near_miss = "[    1.5] Kernel panic - not syncing: VFS: Unable to mount root fs on "
                     "unknown-block(0,0)",
    },
    {
        .id = "kernel.root-mount-error",
        .cause = "kernel.root-mount-failed",
        .severity = SEVERITY_FATAL,
        .confidence = 0.9,
        .pattern =
            "^mount: (?:mounting \\S+ on /(?:root|sysroot|mnt\\S*) failed|/(?:root|sysroot): .*"
            "(?:wrong fs type|bad superblock|unknown filesystem type|can't read superblock))",
        .literal = "mount: ",
        .summary = "The initramfs could not mount the root file system",
        .sample = "mount: mounting /dev/vda on /root failed: Invalid argument",
        .near_miss = "mount: mounting proc on /proc failed: Device or resource busy",
    },
    {
        .id = "kernel.superblock",
        .cause = "kernel.root-mount-failed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern =
            "^(?:EXT[234]-fs \\([^)]+\\): (?:bad geometry|unable to read superblock|VFS: Can't "
            "find ext\\d? ?filesystem|couldn't mount because of unsupported)|XFS \\([^)]+\\): "
            "Invalid superblock magic number)",
        .summary = "The root device does not hold a file system that the kernel can read",
        .sample = "[    2.3] EXT4-fs (vda): VFS: Can't find ext4 filesystem",
        .near_miss = "[    2.3] EXT4-fs (vda): mounted filesystem with ordered data mode.",
    },
    {
        .id = "kernel.init-killed",
        .cause = "kernel.init-failed",
        .severity = SEVERITY_FATAL,
        .confidence = 0.93,
        .pattern = "^Kernel panic - not syncing: (Attempted to kill init!.*|No working init "
                   "found.*|Requested init \\S+ failed.*)",
        .literal = "Kernel panic - not syncing: ",
        .summary = "The kernel has no init to run: $1",
        .sample = "[    2.9] Kernel panic - not syncing: Attempted to kill init! "
                  "exitcode=0x00007f00",
        .near_miss = "[    2.9] Kernel panic - not syncing: Fatal exception in interrupt",
    },
    {
        .id = "kernel.init-not-executable",
        .cause = "kernel.init-failed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern =
            "^(?:Failed to execute /(?:init|sbin/init)\\b|Starting init: \\S+ exists but couldn't "
            "execute it|Target filesystem doesn't have requested|No init found\\. Try passing "
            "init=|run-init: .*(?:No such file|can't execute)|switch_root: .*(?:can't execute|"
            "No such file|failed to execute)).*",
        .summary = "The root file system has no init that can be executed",
        .sample = "[    2.9] Starting init: /sbin/init exists but couldn't execute it (error -13)",
        .near_miss = "[    2.9] Run /sbin/init as init process",
    },
    {
        .id = "kernel.initramfs-unpack",
        .cause = "kernel.initramfs-failed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.8,
        .pattern = "^Initramfs unpacking failed: (.*)",
        .literal = "Initramfs unpacking failed: ",
        .summary = "The initramfs cannot be unpacked: $1",
        .sample = "[    1.1] Initramfs unpacking failed: invalid magic at start of compressed "
                  "archive",
        .near_miss = "[    1.1] Unpacking initramfs...",
    },
    {
        .id = "kernel.initramfs-prompt",
        .cause = "kernel.initramfs-failed",
        .severity = SEVERITY_FATAL,
        .confidence = 0.7,
        .pattern = "^(?:\\(initramfs\\)|dracut:/#|Rebooting automatically due to panic= boot "
                   "argument)",
        .summary = "The initramfs gave up and dropped to its shell",
        .sample = "Rebooting automatically due to panic= boot argument",
        .near_miss = "Unpacking (initramfs) done",
    },
    {
        .id = "kernel.panic",
        .cause = "kernel.panic",
        .severity = SEVERITY_FATAL,
        .confidence = 0.9,
        .pattern = "^Kernel panic - not syncing: (.*)",
        .literal = "Kernel panic - not syncing: ",
        .summary = "The kernel panicked: $1",
        .sample = "[    5.646061] Kernel panic - not syncing: sysrq triggered crash",
        .near_miss = "[    5.645368] sysrq: Trigger a crash",
    },
    {
        .id = "kernel.oops",
        .cause = "kernel.oops",
        .severity = SEVERITY_ERROR,
        .confidence = 0.7,
        .pattern =
            "^(?:BUG: (?:kernel NULL pointer|unable to handle|Bad |scheduling while|KASAN|"
            "KFENCE)|Oops: |kernel BUG at |general protection fault,? |KASAN: |divide error: |"
            "invalid opcode: )(.*)",
        .summary = "The kernel met an error of its own",
        .sample = "[    4.2] BUG: kernel NULL pointer dereference, address: 0000000000000008",
        .near_miss = "[    4.2] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [swapper/0:1]",
    },
    {
        .id = "kernel.lockup",
        .cause = "kernel.hung",
        .severity = SEVERITY_ERROR,
        .confidence = 0.45,
        .pattern = "^(?:watchdog: BUG: soft lockup - CPU#\\d+ stuck for .*|(?:NMI )?[wW]atchdog: "
                   "Watchdog detected hard LOCKUP.*|INFO: task \\S+ blocked for more than \\d+ "
                   "seconds.*|rcu: INFO: rcu_\\w+ (?:self-)?detected (?:expedited )?stalls?.*)",
        .summary = "The kernel says that it makes no progress",
        .sample = "[   48.1] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [swapper/0:1]",
        .near_miss = "[    0.6] NMI watchdog: Perf NMI watchdog permanently disabled",
    },
    {
        .id = "kernel.reboot",
        .severity = SEVERITY_NOTE,
        .pattern = "^reboot: (Restarting system|Power down|System halted|machine restart)",
        .literal = "reboot: ",
        .summary = "The guest ended by itself: $1",
        .sample = "[    9.1] reboot: Power down",
        .near_miss = "[    9.1] reboot: Will not power off",
    },
};

/*
 * A healthy kernel under emulation is never mute for so long before init speaks: the longest
 * silence in good boots of the bundled guest is under 4 s on a loaded host (precedence.md asks for
 * 10 s at least).
 */
enum { SILENCE_MS = 10 * 1000 };

static void judge_silence(const struct evidence *evidence, struct findings *findings)
{
    int64_t silent_ms = evidence_silence_ms(evidence);
    if (!evidence_window_closed(evidence) || evidence_is_bare(evidence) ||
        stage_reached(evidence, STAGE_INIT_STARTED) || silent_ms < SILENCE_MS ||
        evidence->guest_lines == 0)
        return;
    struct finding *finding =
        findings_add(findings, "kernel.silent", "kernel.hung", SEVERITY_ERROR, 0.65);
    finding_say(finding,
                "The kernel fell silent %.0f s before the boot was given up, before init ran",
                (double)silent_ms / 1000);
    finding_quote(finding, &evidence->last_line);
}

static void judge_empty_console(const struct evidence *evidence, struct findings *findings)
{
    const struct record *record = evidence->record;
    bool observed = record->end == RECORD_END_DEADLINE && record->ended_ms >= SILENCE_MS;
    if (!observed || evidence->guest_lines > 0 || record->vmm.cpu_ms < 0)
        return;
    bool spins = record->vmm.cpu_ms * 20 > record->ended_ms;
    struct finding *finding =
        spins
            ? findings_add(findings, "kernel.mute", "kernel.no-console-output", SEVERITY_ERROR, 0.8)
            : findings_add(findings, "vmm.idle", "vmm.start-timeout", SEVERITY_ERROR, 0.75);
    finding_say(finding,
                spins ? "The kernel never wrote to the console, although the guest used CPU time"
                      : "The guest never ran: no console output and no CPU time used");
    finding_fact(finding, record->ended_ms,
                 "console: %llu lines; CPU time of the VMM: %lld ms in %lld ms",
                 (unsigned long long)evidence->console_lines, (long long)record->vmm.cpu_ms,
                 (long long)record->ended_ms);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_silence(evidence, findings);
    judge_empty_console(evidence, findings);
}

const struct analyzer analyzer_kernel = {
    .name = "kernel",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
