/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filesystem: a damaged, read-only or full root file system, which speaks through the kernel and
 * through every program.
 *
 * Sources of the wording: Linux 4.14 to 6.12 (fs/ext4, fs/jbd2, fs/xfs, fs/btrfs, block/blk-core.c,
 * fs/buffer.c, drivers/md/dm-verity-target.c), e2fsprogs 1.45 to 1.47, systemd-fsck 245 to 257,
 * initramfs-tools 0.136 to 0.145, strerror(3), libuv 1.x.
 */
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/causes.h"

/* What the kernel makes up, and what is read-only by design; what lives in memory. */
#define NEVER_WRITABLE "/sys/|/proc/|/snap/|cgroup|squashfs|iso9660|sysfs"
#define IN_MEMORY      "/run/|/dev/shm"

static const struct rule rules[] = {
    {
        .id = "rootfs.ext4-error",
        .cause = "rootfs.corrupt",
        .severity = SEVERITY_ERROR,
        .confidence = 0.92,
        .speaker = SPEAKER_KERNEL,
        .pattern =
            "^(?:EXT[234]-fs error \\(device [^)]+\\): (.*)|EXT[234]-fs warning \\(device [^)]+\\):"
            " (.*(?:[cC]hecksum|e2fsck|[cC]orrupt|I/O error|error recorded from previous mount).*)|"
            "EXT[234]-fs \\([^)]+\\): (?:error loading journal|Remounting filesystem read-only|"
            "previous I/O error to superblock.*|ext4_check_descriptors: .*)|JBD2: "
            "(?:recovery failed|Invalid checksum|journal (?:checksum|transaction) .*corrupt|Error "
            "-\\d+ detected).*|Aborting journal on device .*)",
        .summary = "The kernel found the file system damaged",
        .sample =
            "[    3.9] EXT4-fs error (device vda): ext4_lookup:1854: inode #131: comm systemd: "
            "iget: checksum invalid",
        .near_miss = "[    2.3] EXT4-fs (vda): warning: mounting unchecked fs, running e2fsck is "
                     "recommended",
    },
    {
        /* What an earlier boot left behind; good boots carry it along. */
        .id = "rootfs.recorded-errors",
        .cause = "rootfs.corrupt",
        .severity = SEVERITY_NOTE,
        .confidence = 0.4,
        .speaker = SPEAKER_KERNEL,
        .pattern = "^EXT[234]-fs \\([^)]+\\): (?:warning: mounting fs with errors|(?:initial|last) "
                   "error at time|error count since last fsck)",
        .literal = "-fs (",
        .summary = "An earlier boot found the file system damaged",
        .sample = "[  303.9] EXT4-fs (vda): error count since last fsck: 4",
        .near_miss = "[    2.3] EXT4-fs (vda): mounted filesystem with ordered data mode.",
    },
    {
        .id = "rootfs.other-fs-error",
        .cause = "rootfs.corrupt",
        .severity = SEVERITY_ERROR,
        .confidence = 0.9,
        .speaker = SPEAKER_KERNEL,
        .pattern =
            "^(?:XFS \\([^)]+\\): (?:.*[cC]orrupt|Metadata CRC error|Unmount and run xfs_repair|"
            "Filesystem has been shut down|log mount/recovery failed)|BTRFS (?:error|critical|"
            "warning) \\(device [^)]+\\).*: (?:.*corrupt|.*csum failed|.*checksum verify failed|"
            "parent transid verify failed)|F2FS-fs \\([^)]+\\): (?:Inconsistent|invalid crc)|"
            "SQUASHFS error: (?:Unable to read|.*decompression failed)|overlayfs: .*(?:corrupt|"
            "failed to verify)|device-mapper: verity: .* is corrupted)(.*)",
        .summary = "The kernel found the file system damaged",
        .sample = "[    3.9] XFS (vda): Metadata corruption detected at xfs_inode_buf_verify+0x8f",
        .near_miss = "[    3.9] XFS (vda): Ending clean mount",
    },
    {
        .id = "rootfs.forced-panic",
        .cause = "rootfs.corrupt",
        .severity = SEVERITY_FATAL,
        .confidence = 0.95,
        .speaker = SPEAKER_KERNEL,
        .pattern = "^Kernel panic - not syncing: (?:EXT[234]-fs .*panic forced after error|"
                   "dm-verity device (?:corrupted|has I/O error)|BTRFS)",
        .literal = "Kernel panic - not syncing: ",
        .summary = "The kernel panicked because the file system is damaged",
        .sample = "[    3.9] Kernel panic - not syncing: EXT4-fs (device vda): panic forced after "
                  "error",
        .near_miss = "[    3.9] Kernel panic - not syncing: Fatal exception",
    },
    {
        .id = "rootfs.io-error",
        .cause = "rootfs.corrupt",
        .severity = SEVERITY_ERROR,
        .confidence = 0.7,
        .speaker = SPEAKER_KERNEL,
        .pattern =
            "^(?:(?:blk_update_request: |print_req_error: )?(?:critical \\w+ error|I/O "
            "error), dev (?:vd|sd|xvd|nvme)\\w+, sector \\d+|Buffer I/O error on dev(?:ice)? "
            "(?:vd|sd|xvd|nvme)\\w+, )",
        .literal = " error",
        .summary = "The guest's disk cannot be read or written",
        .sample = "[    3.9] blk_update_request: I/O error, dev vda, sector 2048 op 0x0:(READ) "
                  "flags 0x80700 phys_seg 1 prio class 0",
        .near_miss = "[    3.9] blk_update_request: I/O error, dev fd0, sector 0 op 0x0:(READ) "
                     "flags 0x0 phys_seg 1 prio class 0",
    },
    {
        .id = "rootfs.fsck",
        .cause = "rootfs.corrupt",
        .severity = SEVERITY_ERROR,
        .confidence = 0.87,
        .pattern =
            "UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY|fsck (?:exited with status code|failed "
            "with (?:error code|exit code|exit status)) (?:[4567]|1[2-5])\\b|^Failure: File system "
            "check of the root filesystem failed|^The root filesystem on \\S+ requires a manual "
            "fsck|fsck\\.ext[234]: (?:Bad magic number in super-block|Superblock invalid|The "
            "journal superblock is corrupt)|: \\*{3,} WARNING: Filesystem still has errors",
        .summary = "The file system check found damage that it could not repair",
        .sample =
            "[    4.1] systemd-fsck[88]: /dev/vda: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.",
        .near_miss = "[    4.1] systemd-fsck[88]: fsck failed with exit status 8.",
    },
    {
        .id = "rootfs.unreadable",
        .cause = "rootfs.corrupt",
        .severity = SEVERITY_ERROR,
        .confidence = 0.75,
        .pattern = ": (?:Structure needs cleaning|Bad message)\\.?$|\\b(?:EUCLEAN|EBADMSG: bad "
                   "message)\\b",
        .summary = "A file could not be read: the file system is damaged",
        .sample = "[    5.1] (node)[126]: x.service: Failed to execute /usr/bin/node: Bad message",
        .near_miss = "[    5.1] app[126]: Bad message received",
    },
    {
        .id = "rootfs.file-io-error",
        .cause = "rootfs.corrupt",
        .severity = SEVERITY_ERROR,
        .confidence = 0.6,
        .pattern = "^(?!.*(?:tty|/dev/(?:sr|fd)\\d)).*: Input/output error\\.?$|\\bEIO: i/o "
                   "error\\b(?!.*tty)",
        .summary = "A file could not be read: the disk or its file system is damaged",
        .sample = "[    5.1] start-all.sh[126]: /usr/bin/node: cannot execute: Input/output error",
        .near_miss = "[    5.1] agetty[126]: /dev/ttyS1: Input/output error",
    },
    {
        /* What it means depends on how often and from whom: see judge_read_only. */
        .id = "rootfs.read-only",
        .cause = "rootfs.read-only",
        .severity = SEVERITY_ERROR,
        .confidence = 0.7,
        .pattern = "^(?!.*(?:" NEVER_WRITABLE ")).*(?:[rR]ead-only file ?system|\\bEROFS\\b)",
        .summary = "Something could not be written: the file system is read-only",
        .sample = "[    5.1] start-all.sh[126]: mkdir: cannot create directory '/var/log/x': "
                  "Read-only file system",
        .near_miss = "[    5.1] EXT4-fs (vda): mounted filesystem ro",
    },
    {
        .id = "rootfs.write-protected",
        .cause = "rootfs.read-only",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern =
            "cannot remount \\S+ read-write, is write-protected|^mount: /: WARNING: source "
            "write-protected, mounted read-only|^EXT[234]-fs \\(\\w+\\): write access unavailable, "
            "|^Failed to start (?:systemd-remount-fs\\.service|Remount Root and Kernel)",
        .summary = "The root device is write-protected",
        .sample = "[    4.0] systemd-remount-fs[99]: mount: /: cannot remount /dev/vda read-write, "
                  "is write-protected.",
        .near_miss = "[    2.2] sd 0:0:0:0: [sda] Write Protect is off",
    },
    {
        /* Since Linux 6.3; a shutdown does it, too. */
        .id = "rootfs.remounted-read-only",
        .severity = SEVERITY_NOTE,
        .speaker = SPEAKER_KERNEL,
        .pattern = "^EXT[234]-fs \\((\\w+)\\): re-mounted \\S+ ro\\b",
        .literal = ": re-mounted ",
        .summary = "The file system on $1 was made read-only",
        .sample = "[   15.8] EXT4-fs (vda): re-mounted 7c0f3f5e-52c1-4d83-9e0b-1f0c6f1d2a3b ro. "
                  "Quota mode: none.",
        .near_miss = "[    2.9] EXT4-fs (vda): re-mounted 7c0f3f5e-52c1-4d83-9e0b-1f0c6f1d2a3b "
                     "r/w. Quota mode: none.",
    },
    {
        /* Which file system it was says the machine: judge_full. */
        .id = "rootfs.no-space",
        .severity = SEVERITY_ERROR,
        .pattern = "^(?!.*(?:inotify|[Ww]atch|" NEVER_WRITABLE "|" IN_MEMORY
                   "|sem(?:get|op)|bpf|iptables|nft)).*([nN]o space "
                   "left on device|\\bENOSPC\\b(?=.*[\"}])).*",
        .summary = "Something could not be written: there is no space left on its file system",
        .sample = "[    5.1] start-all.sh[126]: write error: No space left on device",
        .near_miss =
            "[    5.1] start-all.sh[126]: inotify_add_watch failed: No space left on device",
    },
    {
        .id = "rootfs.enospc",
        .cause = "rootfs.full",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .speaker = SPEAKER_KERNEL,
        .pattern = "^(?:EXT4-fs \\([^)]+\\): Delayed block allocation failed .* with error 28|EXT4-"
                   "fs (?:error|warning) .*(?:No space|ENOSPC)|XFS \\([^)]+\\): Per-AG reservation "
                   ".* failed|BTRFS .*(?:ENOSPC|No space left))",
        .summary = "The guest's disk is full",
        .sample = "[    9.1] EXT4-fs (vda): Delayed block allocation failed for inode 131 at "
                  "logical offset 0 with max blocks 2 with error 28",
        .near_miss = "[    9.1] EXT4-fs (vda): mounted filesystem with ordered data mode.",
    },
    {
        .id = "rootfs.tmp-in-memory",
        .pattern = "^Mounted (?:tmp\\.mount|Temporary Directory /tmp|/tmp)\\b",
        .literal = "Mounted ",
        .summary = "/tmp lives in memory",
        .sample = "[  OK  ] Mounted tmp.mount - Temporary Directory /tmp.",
        .near_miss = "[  OK  ] Mounted dev-mqueue.mount - POSIX Message Queue File System.",
    },
};

/* True if the service gives a reason of its own, which is not that it could not write. */
static bool service_knows_better(const struct findings *findings)
{
    static const double SURE = 0.9;
    for (size_t i = 0; i < findings->len; i++) {
        const struct finding *finding = &findings->items[i];
        bool of_service = finding->cause != NULL && (cause_in_layer(finding->cause, "agent") ||
                                                     cause_in_layer(finding->cause, "supervisor"));
        if (of_service && finding->confidence >= SURE && finding->n_quotes > 0 &&
            strcasestr(finding->quotes[0].text, "read-only") == NULL)
            return true;
    }
    return false;
}

/* One program may try to write where it never could, and some images are read-only by design;
 * several that fail have nowhere to write. */
static void judge_read_only(const struct evidence *evidence, struct findings *findings)
{
    struct finding *finding = findings_find(findings, "rootfs.read-only");
    const struct hit *first = evidence_first(evidence, "rootfs.read-only");
    if (finding == NULL || first == NULL || service_knows_better(findings))
        return;
    for (const struct hit *hit = first; hit != NULL;
         hit = evidence_next(evidence, "rootfs.read-only", hit))
        if (strcmp(hit->ident, first->ident) != 0 || hit->pid != first->pid)
            finding->confidence = 0.86;
    if (evidence_count(evidence, "rootfs.write-protected") > 0 ||
        evidence_count(evidence, "rootfs.remounted-read-only") > 0)
        finding->confidence = 0.88;
}

static bool in_memory(const struct evidence *evidence, const struct hit *hit)
{
    return strstr(hit->text, "/tmp") != NULL && strstr(hit->text, "/var/tmp") == NULL &&
           evidence_count(evidence, "rootfs.tmp-in-memory") > 0;
}

static void judge_full(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *first = NULL, *last = NULL;
    uint32_t n = 0;
    for (const struct hit *hit = evidence_next(evidence, "rootfs.no-space", NULL); hit != NULL;
         hit = evidence_next(evidence, "rootfs.no-space", hit)) {
        if (in_memory(evidence, hit))
            continue;
        first = first != NULL ? first : hit;
        last = hit;
        n++;
    }
    if (first == NULL)
        return;
    struct finding *finding =
        findings_add(findings, "rootfs.disk-full", "rootfs.full", SEVERITY_ERROR, 0.84);
    finding_say(finding, "Something could not be written: the guest's disk is full");
    finding->count = n;
    finding_hit(finding, first);
    if (last != first)
        finding_hit(finding, last);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_read_only(evidence, findings);
    judge_full(evidence, findings);
}

const struct analyzer analyzer_filesystem = {
    .name = "filesystem",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
