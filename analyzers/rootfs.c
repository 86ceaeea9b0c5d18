/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootfs: a damaged, read-only or full root file system, which speaks through the kernel and
 * through every program; and an image in which the agent is not installed, which shows only as an
 * absence.
 */
#include "analyzers/analyzer.h"
#include "analyzers/stage.h"

static const struct rule rules[] = {
    {
        .id = "rootfs.ext4-error",
        .cause = "rootfs.corrupt",
        .severity = SEVERITY_ERROR,
        .confidence = 0.92,
        .pattern =
            "^(?:EXT[234]-fs (?:error|warning) \\(device [^)]+\\): (?!\\S*: "
            "checktime)(.*)|EXT[234]-"
            "fs \\([^)]+\\): (?:error loading journal|Remounting filesystem read-only|warning: "
            "mounting fs with errors.*|initial error at time.*)|(?:XFS|BTRFS) .*(?:[cC]orrupt).*)",
        .summary = "The kernel found the file system damaged",
        .sample =
            "[    3.9] EXT4-fs error (device vda): ext4_lookup:1854: inode #131: comm systemd: "
            "iget: checksum invalid",
        .near_miss = "[    2.3] EXT4-fs (vda): mounted filesystem with ordered data mode.",
    },
    {
        .id = "rootfs.fsck",
        .cause = "rootfs.corrupt",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern =
            "UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY|fsck (?:exited with status code|failed "
            "with (?:error|exit) code) (?:[4-9]|[1-9]\\d)",
        .summary = "The file system check found damage that it could not repair",
        .sample =
            "[    4.1] systemd-fsck[88]: /dev/vda: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.",
        .near_miss = "[    4.1] systemd-fsck[88]: fsck exited with status code 1",
    },
    {
        .id = "rootfs.unreadable",
        .cause = "rootfs.corrupt",
        .severity = SEVERITY_ERROR,
        .confidence = 0.75,
        .pattern = ": (?:Structure needs cleaning|Bad message)\\.?$",
        .summary = "A file could not be read: the file system is damaged",
        .sample = "[    5.1] (node)[126]: x.service: Failed to execute /usr/bin/node: Bad message",
        .near_miss = "[    5.1] app[126]: Bad message received",
    },
    {
        .id = "rootfs.read-only",
        .cause = "rootfs.read-only",
        .severity = SEVERITY_ERROR,
        .confidence = 0.7,
        .pattern = "[rR]ead-only file system",
        .literal = "ead-only file system",
        .summary = "Something could not be written: the file system is read-only",
        .sample = "[    5.1] start-all.sh[126]: cannot create /var/run/x: Read-only file system",
        .near_miss = "[    5.1] EXT4-fs (vda): mounted filesystem ro",
    },
    {
        .id = "rootfs.no-space",
        .cause = "rootfs.full",
        .severity = SEVERITY_ERROR,
        .confidence = 0.8,
        .pattern = "^(?!.*(?:inotify|file watchers|/run/|/dev/shm)).*[nN]o space left on device",
        .literal = "o space left on device",
        .summary = "Something could not be written: the guest's disk is full",
        .sample = "[    5.1] start-all.sh[126]: write error: No space left on device",
        .near_miss =
            "[    5.1] start-all.sh[126]: inotify_add_watch failed: No space left on device",
    },
    {
        .id = "rootfs.enospc",
        .cause = "rootfs.full",
        .severity = SEVERITY_ERROR,
        .confidence = 0.7,
        .pattern = "\\bENOSPC\\b(?!.*(?:file watchers|inotify|no space left))",
        .literal = "ENOSPC",
        .summary = "Something could not be written: the guest's disk is full",
        .sample = "[    5.1] start-all.sh[126]: {\"msg\":\"write failed\",\"code\":\"ENOSPC\"}",
        .near_miss =
            "[    5.1] start-all.sh[126]: Error: ENOSPC: System limit for number of file watchers",
    },
};

/* All of: the boot completed, nothing ever mentions the agent's unit, the network is fine. */
static void judge_absence(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *done = evidence_first(evidence, "init.multi-user");
    const struct hit *login = evidence_first(evidence, "init.login-prompt");
    bool mentioned =
        stage_reached(evidence, STAGE_UNIT_STARTED) || evidence_unit_mentioned(evidence);
    if (done == NULL || mentioned || !stage_reached(evidence, STAGE_NETWORK_TARGET))
        return;
    struct finding *finding = findings_add(findings, "rootfs.unit-never-mentioned",
                                           "rootfs.agent-not-installed", SEVERITY_ERROR, 0.7);
    finding_say(finding, "The boot completed and nothing ever mentioned %s",
                evidence->record->service.unit);
    finding_hit(finding, done);
    if (login != NULL)
        finding_hit(finding, login);
}

const struct analyzer analyzer_rootfs = {
    .name = "rootfs",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = judge_absence,
};
