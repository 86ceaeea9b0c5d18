/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel: the steps of a healthy kernel's boot. What goes wrong stands in kernel_memory.c,
 * kernel_root.c, kernel_crash.c and kernel_silence.c.
 *
 * Sources of the wording: Linux 4.14 to 6.12 (init/main.c, init/do_mounts.c,
 * drivers/block/virtio_blk.c, kernel/reboot.c, file systems).
 */
#include "analyzers/analyzer.h"

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
        .pattern = "^(?:sd [\\d:]+: \\[sd[a-z]+\\] Attached SCSI|\\s*nvme\\d+n\\d+:|\\s*vd[a-z]: "
                   "vd[a-z]\\d|pmem\\d+: detected capacity)",
        .summary = "The kernel found a disk",
        .sample = "[    2.261833] sd 0:0:0:0: [sda] Attached SCSI disk",
        .near_miss = "[    2.261833] sd 0:0:0:0: [sda] Write Protect is off",
    },
    {
        .id = "kernel.root-mounted",
        .milestone = "root-mounted",
        .pattern = "^(?:EXT[234]-fs \\([^)]+\\): mounted filesystem|VFS: Mounted root \\(|XFS "
                   "\\([^)]+\\): Ending (?:clean mount|recovery)|BTRFS info \\([^)]+\\): (?:disk "
                   "space caching|using free[ -]space[ -]tree)|F2FS-fs \\([^)]+\\): Mounted with|"
                   "erofs: \\([^)]+\\): mounted with root inode)",
        .summary = "The root file system is mounted",
        .sample = "[    2.342415] EXT4-fs (vda): mounted filesystem with ordered data mode.",
        .near_miss = "[    2.342415] EXT4-fs (vda): re-mounted. Quota mode: none.",
    },
    {
        .id = "kernel.reboot",
        .severity = SEVERITY_NOTE,
        .pattern =
            "^(?:reboot: (Restarting system|Power down|System halted|machine restart)|sysrq: "
            "(?:SysRq : )?(Resetting|Power Off))",
        .summary = "The guest ended by itself: $1",
        .sample = "[    9.1] reboot: Power down",
        .near_miss = "[    9.1] reboot: Will not power off",
    },
};

const struct analyzer analyzer_kernel = {
    .name = "kernel",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
};
