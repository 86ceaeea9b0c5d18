/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_init: the initramfs and the first program of user space: whether they unpack, start and
 * live.
 *
 * An initramfs that could not be unpacked explains whatever is missing afterwards; its prompt
 * explains nothing, since any reason on the console stands before it.
 *
 * Sources of the wording: Linux 4.14 to 6.12 (init/main.c, init/initramfs.c, kernel/exit.c,
 * lib/decompress*.c), initramfs-tools 0.136 to 0.145, dracut 050 to 103, systemd 245 to 257
 * (systemctl switch-root), klibc 2.0.
 */
#include <stdlib.h>
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/progress.h"
#include "analyzers/stage.h"

static const struct rule rules[] = {
    {
        .id = "kernel.init-killed",
        .cause = "kernel.init-failed",
        .severity = SEVERITY_FATAL,
        .confidence = 0.93,
        .pattern = "^Kernel panic - not syncing: (Attempted to kill init!.*|No (?:working )?init "
                   "found.*|Requested init \\S+ failed.*)",
        .literal = "Kernel panic - not syncing: ",
        .summary = "The kernel has no init to run: $1",
        .sample = "[    2.9] Kernel panic - not syncing: Attempted to kill init! "
                  "exitcode=0x00007f00",
        .near_miss = "[    2.9] Kernel panic - not syncing: Attempted to kill the idle task!",
    },
    {
        .id = "kernel.init-exit",
        .severity = SEVERITY_NOTE,
        .pattern = "^Kernel panic - not syncing: Attempted to kill init! exitcode=0x([0-9a-f]{8})",
        .literal = "Attempted to kill init! exitcode=0x",
        .summary = "init ended with wait status 0x$1",
        .sample = "[    2.9] Kernel panic - not syncing: Attempted to kill init! "
                  "exitcode=0x0000000b",
        .near_miss = "[    2.9] Kernel panic - not syncing: Attempted to kill init!",
    },
    {
        .id = "kernel.init-not-executable",
        .cause = "kernel.init-failed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.87,
        .speaker = SPEAKER_SYSTEMD,
        .pattern =
            "^(?:Failed to execute /\\S+ \\(error -\\d+\\)|Starting init: \\S+ exists but couldn't "
            "execute it|Target filesystem doesn't have requested|No init found\\. Try passing "
            "init=|run-init: .*(?:No such file|can't execute|[Ee]xec format error|Permission "
            "denied)|switch_root: .*(?:can't execute|No such file|failed to execute|cannot access)|"
            "Run /bin/sh as init process|ERROR: Root device mounted successfully, but \\S+ does "
            "not exist|(?:dracut\\S*: )?(?:Warning: )?Cannot find init!)",
        .summary = "The root file system has no init that can be executed",
        .sample = "[    2.9] Starting init: /sbin/init exists but couldn't execute it (error -13)",
        .near_miss = "[    2.9] Run /sbin/init as init process",
    },
    {
        .id = "kernel.init-broken",
        .cause = "kernel.init-failed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.96,
        .pattern = "^(?:/sbin/init|/init|/(?:usr/)?lib/systemd/systemd): (?:error while loading "
                   "shared libraries: (.*)|/\\S+: version `\\S+' not found.*|(?:line )?\\d+: "
                   "(?:.*[Ss]yntax error.*))",
        .summary = "init itself cannot run: $1",
        .sample = "/sbin/init: error while loading shared libraries: libc.so.6: cannot open shared "
                  "object file: No such file or directory",
        .near_miss = "/init: line 49: can't open /root/dev/console: no such file",
    },
    {
        .id = "kernel.switch-root",
        .cause = "kernel.init-failed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.9,
        .speaker = SPEAKER_ANYONE,
        .pattern = "^(?:Failed to switch root|Not switching root): (.+)",
        .literal = "witch",
        .summary = "The initramfs did not hand over to the root file system: $1",
        .sample = "[    4.0] systemctl[207]: Failed to switch root: Specified switch root path "
                  "'/sysroot' does not seem to be an OS tree. os-release file is missing.",
        .near_miss = "[    4.0] systemd[1]: Starting initrd-switch-root.service - Switch Root...",
    },
    {
        .id = "kernel.initramfs-unpack",
        .severity = SEVERITY_NOTE,
        .pattern = "^(?:Initramfs unpacking failed: (?!write error)|rootfs image is not initramfs "
                   "\\(|RAMDISK: (?=Couldn't find valid RAM disk|(?i:incomplete write|error|crc))|"
                   "INITRD: (?=.*disabling initrd)|initrd (?=.*disabled|extends beyond end))(.*)",
        .summary = "The initramfs cannot be unpacked: $1",
        .sample = "[    1.1] Initramfs unpacking failed: invalid magic at start of compressed "
                  "archive",
        .near_miss = "[    1.1] Unpacking initramfs...",
    },
    {
        .id = "kernel.initramfs-panic",
        .cause = "kernel.initramfs-failed",
        .severity = SEVERITY_FATAL,
        .confidence = 0.93,
        .pattern = "^Kernel panic - not syncing: (.*(?:compressed archive|cpio magic|broken "
                   "padding|uncompression error|[Dd]ecompress\\w* failed).*)",
        .literal = "Kernel panic - not syncing: ",
        .summary = "The kernel's own initramfs is broken: $1",
        .sample = "[    0.4] Kernel panic - not syncing: junk in compressed archive",
        .near_miss = "[    0.4] Kernel panic - not syncing: stack-protector: Kernel stack is "
                     "corrupted in: start_kernel",
    },
    {
        .id = "kernel.initramfs-prompt",
        .cause = "kernel.initramfs-failed",
        .severity = SEVERITY_FATAL,
        .confidence = 0.82,
        .pattern = "^(?:\\(initramfs\\)|dracut:/#|initramfs emergency recovery shell launched|You "
                   "are now being dropped into an emergency shell|Rebooting automatically due to "
                   "panic= boot argument)",
        .summary = "The initramfs gave up and dropped to its shell",
        .sample = "Rebooting automatically due to panic= boot argument",
        .near_miss = "Unpacking (initramfs) done",
    },
    {
        /* Also what a login on a small guest begins with. */
        .id = "kernel.initramfs-shell",
        .severity = SEVERITY_NOTE,
        .pattern = "^BusyBox v\\S+ .*built-in shell \\((?:ash|hush|msh)\\)",
        .literal = "BusyBox v",
        .summary = "A shell of BusyBox runs on the console",
        .sample = "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) built-in shell (ash)",
        .near_miss = "BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.",
    },
};

/* What a wait status of init means; the shell's 126 and 127 are about what it was to execute. */
static void describe_exit(struct finding *finding, unsigned long status)
{
    unsigned signal = status & 0x7f, code = (status >> 8) & 0xff;
    if (signal != 0)
        finding_say(finding, "init was killed by signal %u (%s), and the kernel panicked", signal,
                    strsignal((int)signal));
    else if (code == 127)
        finding_say(finding, "init ended with status 127: a program or a library that it needs was "
                             "not found, and the kernel panicked");
    else if (code == 126)
        finding_say(finding, "init ended with status 126: something could not be executed, and the "
                             "kernel panicked");
    else
        finding_say(finding, "init ended with status %u, and the kernel panicked", code);
}

static void judge_init_exit(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *hit = evidence_last(evidence, "kernel.init-exit");
    struct finding *why = findings_find(findings, "kernel.init-not-executable");
    if (hit == NULL || hit->captures[0] == NULL)
        return;
    if (why != NULL)
        why->confidence = 0.95; /* it says more than a status */
    struct finding *finding =
        findings_add(findings, "kernel.init-ended", "kernel.init-failed", SEVERITY_FATAL, 0.94);
    describe_exit(finding, strtoul(hit->captures[0], NULL, 16));
    finding_hit(finding, hit);
}

/* What a kernel without its initramfs runs into. */
static const char *const consequences[] = {
    "kernel.root-device-unknown", "kernel.root-mount-panic", "kernel.init-killed",
    "kernel.init-not-executable", "kernel.init-ended",       "kernel.panic"};

/*
 * Some kernels complain of a good initramfs, too (its padding, its second archive), so that only
 * what follows tells whether anything was lost.
 */
static void judge_unpack(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *unpack = evidence_first(evidence, "kernel.initramfs-unpack");
    const struct finding *result = NULL;
    if (unpack == NULL || stage_reached(evidence, STAGE_INIT_STARTED))
        return;
    for (size_t i = 0; i < sizeof(consequences) / sizeof(consequences[0]); i++) {
        struct finding *finding = findings_find(findings, consequences[i]);
        if (finding == NULL)
            continue;
        finding->confidence *= 0.4;
        result = result != NULL ? result : finding;
    }
    struct quote quote = result != NULL ? result->quotes[0] : (struct quote){0};
    struct finding *finding =
        findings_add(findings, "kernel.initramfs-broken", "kernel.initramfs-failed", SEVERITY_ERROR,
                     result != NULL ? 0.93 : 0.6);
    finding_say(finding, "The initramfs cannot be unpacked: %s",
                unpack->captures[0] != NULL ? unpack->captures[0] : "");
    finding_hit(finding, unpack);
    if (result != NULL)
        finding_quote(finding, &quote);
}

static void judge_shell(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *shell = evidence_last(evidence, "kernel.initramfs-shell");
    if (shell == NULL || stage_reached(evidence, STAGE_INIT_STARTED) ||
        evidence_count(evidence, "kernel.initramfs-prompt") > 0 || progress_since(evidence, shell))
        return;
    struct finding *finding = findings_add(findings, "kernel.initramfs-stays",
                                           "kernel.initramfs-failed", SEVERITY_ERROR, 0.82);
    finding_say(finding, "The initramfs gave its console to a shell and never started an init");
    finding_hit(finding, shell);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_init_exit(evidence, findings);
    judge_unpack(evidence, findings);
    judge_shell(evidence, findings);
}

const struct analyzer analyzer_kernel_init = {
    .name = "kernel-init",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
