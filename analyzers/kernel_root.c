/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_root: from the disk to a mounted root file system, in the kernel and in the initramfs.
 *
 * What a line means can depend on what came before it: an errno of mount(8) on whether the disk was
 * seen, a superblock message on whether something else was mounted after it.
 *
 * Sources of the wording: Linux 4.14 to 6.12 (init/do_mounts.c, fs/ext4, fs/xfs, fs/btrfs),
 * initramfs-tools 0.136 to 0.145, dracut 050 to 103, mkinitcpio 31 to 39, systemd 245 to 257,
 * util-linux 2.34 to 2.40, busybox 1.30 to 1.37.
 */
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/stage.h"

static const struct rule rules[] = {
    {
        .id = "kernel.root-device-unknown",
        .cause = "kernel.root-device-missing",
        .severity = SEVERITY_FATAL,
        .confidence = 0.97,
        .pattern =
            "^(?:VFS: Cannot open root device \"([^\"]*)\" or unknown-block\\([02],0\\)|VFS: Cannot"
            " open root device \"([^\"]*)\" or unknown-block\\(\\d+,\\d+\\): error -6\\b|Kernel "
            "panic - not syncing: VFS: Unable to mount root fs on (?:\"([^\"]*)\" or )?"
            "unknown-block\\([02],0\\))",
        .literal = "unknown-block(",
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
        .confidence = 0.93,
        .speaker = SPEAKER_SYSTEMD,
        .pattern =
            "^(?:dracut-initqueue\\S*: )?(?:Gave up waiting for root (?:file system )?device|"
            "Warning: /dev/\\S+ does not exist|Warning: Could not boot|ERROR: Unable to find "
            "root device '[^']*'|ERROR: device '[^']*' not found\\. Skipping fsck|No root device "
            "specified"
            "\\. Boot arguments must include|dracut: FATAL: No or empty root= argument|Disabling "
            "rootwait; root= is invalid)",
        .summary = "The initramfs gave up waiting for the root device",
        .sample = "Gave up waiting for root file system device.  Common problems:",
        .near_miss = "Gave up waiting for resume device",
    },
    {
        .id = "kernel.root-device-dependency",
        .cause = "kernel.root-device-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .speaker = SPEAKER_SYSTEMD,
        .pattern = "^Dependency failed for (?:sysroot\\.mount|/sysroot|initrd-root-device\\.target|"
                   "Initrd Root (?:Device|File System))",
        .literal = "Dependency failed for ",
        .summary = "The systemd of the initramfs never saw the root device",
        .sample = "[DEPEND] Dependency failed for sysroot.mount - /sysroot.",
        .near_miss = "[DEPEND] Dependency failed for srv.mount - /srv.",
    },
    {
        .id = "kernel.root-device-waiting",
        .severity = SEVERITY_NOTE,
        .pattern = "^(?:Begin: )?Waiting for root (?:device|file system) ?(\\S*?)\\s?\\.\\.\\.",
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
        .pattern =
            "^(?:VFS: Cannot open root device \"[^\"]*\" or unknown-block\\((?![02],0\\))\\d+,\\d+"
            "\\): error -(?!6\\b)|Kernel panic - not syncing: VFS: Unable to mount root fs (?:on "
            "(?:\"[^\"]*\" or )?(?:unknown-block\\((?![02],0\\))|[a-z]+\\d*(?:$|\\())|via ))",
        .literal = "root ",
        .summary = "The kernel sees the root device and cannot mount it",
        .sample = "[    1.5] Kernel panic - not syncing: VFS: Unable to mount root fs on "
                  "\"/dev/vda\" or unknown-block(254,0)",
        .near_miss = "[    1.5] Kernel panic - not syncing: VFS: Unable to mount root fs on "
                     "unknown-block(0,0)",
    },
    {
        /* Which of both it is, the machine says: by errno and by what was seen of the disk. */
        .id = "kernel.initramfs-mount",
        .severity = SEVERITY_ERROR,
        .pattern = "^mount: mounting (\\S+) on /(?:root|sysroot|new_root|newroot|mnt/root) failed: "
                   "(.+)",
        .literal = "mount: mounting ",
        .summary = "The initramfs could not mount the root file system $1: $2",
        .sample = "mount: mounting /dev/vda on /root failed: Invalid argument",
        .near_miss = "mount: mounting /dev on /root/dev failed: No such file or directory",
    },
    {
        .id = "kernel.root-mount-error",
        .cause = "kernel.root-mount-failed",
        .severity = SEVERITY_ERROR,
        .confidence = 0.92,
        .speaker = SPEAKER_SYSTEMD,
        .pattern =
            "^(?:mount: /(?:root|sysroot|new_root)?: (?:wrong fs type|unknown filesystem type|"
            "can't read superblock|cannot mount|mount\\(2\\) system call failed|no filesystem type "
            "specified|.*bad superblock).*|Failed to mount (?:sysroot\\.mount|/sysroot\\b|\\S+ as "
            "root file system).*|(?:dracut\\S*: )?(?:Warning: )?Can't mount root filesystem.*|"
            "ERROR: Failed to mount '[^']*' on real root.*|Mounting root: failed.*)",
        .summary = "The initramfs could not mount the root file system",
        .sample = "mount: /sysroot: wrong fs type, bad option, bad superblock on /dev/vda, missing "
                  "codepage or helper program, or other error.",
        .near_miss = "mount: /srv: wrong fs type, bad option, bad superblock on /dev/vdb, missing "
                     "codepage or helper program, or other error.",
    },
    {
        .id = "kernel.superblock",
        .severity = SEVERITY_NOTE,
        .pattern =
            "^(?:EXT[234]-fs \\([^)]+\\): (?:bad geometry|unable to read superblock|VFS: Can't "
            "find ext\\d? ?filesystem|(?:couldn't|cannot) mount|unsupported inode size|bad block "
            "size|blocksize too small|Unsupported (?:blocksize|filesystem blocksize)|group "
            "descriptors corrupted|get root inode failed|corrupt root inode|no journal found|"
            "journal inode is deleted|VFS: Found ext4 filesystem with (?:invalid superblock "
            "checksum|unknown checksum)|failed to parse options)|XFS \\([^)]+\\): (?:Invalid "
            "superblock magic number|SB validate failed|bad magic number|Superblock has unknown)|"
            "BTRFS (?:error|critical) \\(device [^)]+\\): (?:open_ctree failed|failed to read chunk"
            " (?:root|tree)|superblock checksum mismatch)|SQUASHFS error: (?:Can't find a SQUASHFS "
            "superblock|unable to read squashfs_super_block)|JBD2: (?:no valid journal superblock "
            "found|unrecognised features on journal))(.*)",
        .summary = "The disk does not hold a file system that the kernel can read",
        .sample = "[    2.3] EXT4-fs (vda): VFS: Can't find ext4 filesystem",
        .near_miss = "[    2.3] EXT4-fs (vda): mounted filesystem with ordered data mode.",
    },
};

/* True if systemd or a mounted root file system came behind the hit. */
static bool went_on(const struct evidence *evidence, const struct hit *hit)
{
    static const char *const steps[] = {"kernel.root-mounted", "init.systemd-banner",
                                        "init.welcome"};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const struct hit *step = evidence_last(evidence, steps[i]);
        if (step != NULL && step->seq > hit->seq)
            return true;
    }
    return false;
}

/* ENOENT and ENXIO are the device's; ENODEV is the file system's where the disk was seen. */
static bool device_is_missing(const struct evidence *evidence, const char *reason)
{
    if (strstr(reason, "No such file") != NULL ||
        strstr(reason, "No such device or address") != NULL)
        return true;
    return strstr(reason, "No such device") != NULL &&
           evidence_count(evidence, "kernel.virtio-disk") == 0 &&
           evidence_count(evidence, "kernel.other-disk") == 0;
}

static void judge_initramfs_mount(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *hit = evidence_last(evidence, "kernel.initramfs-mount");
    if (hit == NULL || hit->captures[1] == NULL || went_on(evidence, hit))
        return;
    bool missing = device_is_missing(evidence, hit->captures[1]);
    struct finding *finding = findings_add(
        findings, "kernel.initramfs-cannot-mount",
        missing ? "kernel.root-device-missing" : "kernel.root-mount-failed", SEVERITY_ERROR, 0.92);
    finding_say(finding, "The initramfs could not mount %s: %s", hit->captures[0],
                hit->captures[1]);
    finding_hit(finding, hit);
}

/* Probing for the right type of file system may print such a line on the way to a good mount. */
static void judge_superblock(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *hit = evidence_first(evidence, "kernel.superblock");
    if (hit == NULL || stage_reached(evidence, STAGE_INIT_STARTED) || went_on(evidence, hit))
        return;
    struct finding *finding = findings_add(findings, "kernel.no-superblock",
                                           "kernel.root-mount-failed", SEVERITY_ERROR, 0.8);
    finding_say(finding, "The root device does not hold a file system that the kernel can read");
    finding_hit(finding, hit);
}

/* Good boots wait, too, but not for long: what counts is that the wait did not end while somebody
 * watched, or that other lines came and no disk. */
static double confidence_of_wait(const struct evidence *evidence, const struct hit *wait)
{
    enum { DISKS_ARE_FOUND_MS = 400 };
    int64_t end_ms = evidence_end_ms(evidence);
    int64_t waited_ms = wait->near_ms >= 0 && end_ms > wait->near_ms ? end_ms - wait->near_ms : 0;
    bool no_disk = evidence_count(evidence, "kernel.virtio-disk") == 0 &&
                   evidence_count(evidence, "kernel.other-disk") == 0;
    if (evidence->record->end == RECORD_END_DEADLINE && waited_ms >= STAGE_STUCK_MS)
        return 0.92;
    return evidence_is_bare(evidence) && no_disk && waited_ms >= DISKS_ARE_FOUND_MS ? 0.82 : 0.6;
}

static void judge_waiting(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *hit = evidence_first(evidence, "kernel.root-device-waiting");
    if (hit == NULL || stage_reached(evidence, STAGE_INIT_STARTED) ||
        stage_reached(evidence, STAGE_ROOT_MOUNTED) || went_on(evidence, hit))
        return;
    struct finding *finding =
        findings_add(findings, "kernel.root-device-never-came", "kernel.root-device-missing",
                     SEVERITY_ERROR, confidence_of_wait(evidence, hit));
    finding_say(finding, "The boot waits for its root device %s, which never appeared",
                hit->captures[0] != NULL ? hit->captures[0] : "");
    finding_hit(finding, hit);
}

/* The systemd of an initramfs waits for the device that root= names. */
static void judge_initrd_timeout(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *initrd = evidence_last(evidence, "init.in-initrd");
    const struct hit *timeout = evidence_first(evidence, "init.job-timeout");
    if (initrd == NULL || timeout == NULL || timeout->seq < initrd->seq ||
        strstr(timeout->text, "device") == NULL ||
        evidence_count(evidence, "kernel.root-mounted") > 0)
        return;
    struct finding *finding = findings_add(findings, "kernel.root-device-timeout",
                                           "kernel.root-device-missing", SEVERITY_ERROR, 0.93);
    finding_say(finding, "The initramfs gave up waiting for %s",
                timeout->captures[0] != NULL ? timeout->captures[0] : "its root device");
    finding_hit(finding, timeout);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_initramfs_mount(evidence, findings);
    judge_superblock(evidence, findings);
    judge_waiting(evidence, findings);
    judge_initrd_timeout(evidence, findings);
}

const struct analyzer analyzer_kernel_root = {
    .name = "kernel-root",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
