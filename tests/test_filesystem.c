/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged, full and read-only file systems, and images without the agent, on synthetic consoles. */
#include "tests/scene.h"

#define BOOT                                                                                       \
    "[    0.000000] Linux version 6.1.0 (debian)\r\n"                                              \
    "[    2.261833] virtio_blk virtio0: [vda] 718848 512-byte logical blocks\r\n"                  \
    "[    2.342415] EXT4-fs (vda): mounted filesystem with ordered data mode.\r\n"                 \
    "[    2.957194] systemd[1]: systemd 252 running in system mode (+PAM)\r\n"
#define SERVICES                                                                                   \
    "[  OK  ] Started Journal Service.\r\n"                                                        \
    "[  OK  ] Finished Create Volatile Files and Directories.\r\n"                                 \
    "[  OK  ] Started D-Bus System Message Bus.\r\n"                                               \
    "[  OK  ] Started Network Configuration.\r\n"                                                  \
    "[  OK  ] Reached target Network.\r\n"                                                         \
    "[  OK  ] Started Serial Getty on ttyS0.\r\n"
#define MULTI_USER   "[  OK  ] Reached target Multi-User System.\r\n"
#define LOGIN        "\r\nDebian GNU/Linux 11 vm ttyS0\r\n\r\nvm login: "
#define SCRIPT(text) "[   12.451392] start-all.sh[139]: " text "\r\n"

#define GIVEN_UP(ms) .end = RECORD_END_DEADLINE, .ended_ms = (ms)
#define REFUSED      .network = "tap", .probed = true, .met = PROBE_REFUSED

static const struct scene scenes[] = {
    /* damage */
    {"ext4_after_mounting",
     BOOT "[    3.900000] EXT4-fs error (device vda): ext4_lookup:1854: inode #131: comm systemd: "
          "iget: checksum invalid\r\n"
          "[    3.950000] EXT4-fs (vda): Remounting filesystem read-only\r\n"
          "[    5.100000] start-all.sh[139]: mkdir: cannot create directory '/x': Read-only file "
          "system\r\n",
     GIVEN_UP(40000), .cause = "rootfs.corrupt", .above = 0.85},
    {"ext4_panic",
     BOOT "[    3.900000] EXT4-fs error (device vda): ext4_find_entry:1455: inode #2: comm init: "
          "reading directory lblock 0\r\n"
          "[    3.910000] Kernel panic - not syncing: EXT4-fs (device vda): panic forced after "
          "error\r\n",
     .cause = "rootfs.corrupt", .above = 0.9},
    {"xfs",
     BOOT "[    3.900000] XFS (vda): Metadata corruption detected at xfs_inode_buf_verify\r\n",
     .cause = "rootfs.corrupt", .above = 0.85},
    {"btrfs",
     BOOT "[    3.900000] BTRFS warning (device vda): csum failed root 5 ino 257 off 0 csum "
          "0x8941f998 expected csum 0x5bf2fe5b mirror 1\r\n",
     .cause = "rootfs.corrupt", .above = 0.85},
    {"verity", BOOT "[    3.900000] device-mapper: verity: 254:0: data block 88 is corrupted\r\n",
     .cause = "rootfs.corrupt", .above = 0.85},
    {"fsck_of_systemd",
     BOOT "[    4.100000] systemd-fsck[88]: /dev/vdb: UNEXPECTED INCONSISTENCY; RUN fsck "
          "MANUALLY.\r\n"
          "[    4.200000] systemd-fsck[88]: fsck failed with exit status 4.\r\n"
          "You are in emergency mode. After logging in, type \"journalctl -xb\" to view\r\n",
     .cause = "rootfs.corrupt", .above = 0.8},
    {"fsck_of_the_initramfs",
     "[    0.000000] Linux version 5.10.0 (debian)\r\nfsck exited with status code 4\r\n"
     "The root filesystem on /dev/vda requires a manual fsck\r\n\r\n(initramfs) ",
     .cause = "rootfs.corrupt", .above = 0.8},
    {"fsck_that_repaired",
     BOOT "[    4.100000] systemd-fsck[88]: fsck exited with status code 1\r\n", .cause = NULL},
    {"fsck_that_is_missing",
     BOOT "[    4.100000] systemd-fsck[88]: fsck failed with exit status 8.\r\n"
          "[    4.100001] systemd-fsck[88]: Ignoring error.\r\n",
     .cause = NULL},
    {"unchecked_is_not_damaged",
     BOOT "[    3.900000] EXT4-fs (vda): warning: mounting unchecked fs, running e2fsck is "
          "recommended\r\n",
     .cause = NULL},
    {"damage_before_mounting",
     "[    0.000000] Linux version 6.1.0 (debian)\r\n"
     "[    2.261833] virtio_blk virtio0: [vda] 718848 512-byte logical blocks\r\n"
     "[    2.300000] EXT4-fs (vda): ext4_check_descriptors: Checksum for group 0 failed "
     "(35729!=0)\r\n"
     "[    2.310000] EXT4-fs (vda): group descriptors corrupted!\r\n"
     "mount: mounting /dev/vda on /root failed: Structure needs cleaning\r\n",
     .cause = "kernel.root-mount-failed", .above = 0.85, .also = "rootfs.corrupt"},

    /* full */
    {"bash_cannot_write",
     BOOT SERVICES SCRIPT(
         "/opt/a/start-all.sh: line 9: echo: write error: No space left on device"),
     GIVEN_UP(40000), .cause = "rootfs.full", .above = 0.8},
    {"libuv", BOOT SERVICES SCRIPT("Error: ENOSPC: no space left on device, write"),
     GIVEN_UP(40000), .cause = "rootfs.full", .above = 0.8},
    {"ext4_delayed_allocation",
     BOOT "[    9.100000] EXT4-fs (vda): Delayed block allocation failed for inode 131 at logical "
          "offset 0 with max blocks 2 with error 28\r\n",
     .cause = "rootfs.full", .above = 0.8},
    {"inotify_is_not_full",
     BOOT SERVICES SCRIPT("Failed to add /run/systemd/ask-password to directory watch: No space "
                          "left on device"),
     .cause = NULL},
    {"file_watchers_are_not_full",
     BOOT SERVICES SCRIPT("Error: ENOSPC: System limit for number of file watchers reached")
         SCRIPT("  code: 'ENOSPC',"),
     .cause = NULL},
    {"memory_is_not_the_disk",
     BOOT SERVICES SCRIPT("dd: error writing '/dev/shm/x': No space left on device"),
     .cause = NULL},
    {"tmp_in_memory",
     BOOT "[  OK  ] Mounted tmp.mount - Temporary Directory /tmp.\r\n" SERVICES SCRIPT(
         "cp: error writing '/tmp/x': No space left on device"),
     .cause = NULL},
    {"tmp_on_the_disk", BOOT SERVICES SCRIPT("cp: error writing '/tmp/x': No space left on device"),
     .cause = "rootfs.full", .above = 0.8},

    /* read-only */
    {"several_cannot_write",
     BOOT SERVICES
     "[    5.100000] systemd-random-seed[99]: Failed to open random seed file for "
     "writing: Read-only file system\r\n" SCRIPT("tee: /var/log/agent.log: Read-only file system"),
     .cause = "rootfs.read-only", .above = 0.8},
    {"write_protected",
     BOOT "[    4.000000] systemd-remount-fs[99]: mount: /: cannot remount /dev/vda read-write, is "
          "write-protected.\r\n",
     .cause = "rootfs.read-only", .above = 0.8},
    {"remounted_6_12",
     BOOT SERVICES
     "[   15.826376] EXT4-fs (vda): re-mounted 7c0f3f5e ro. Quota mode: none.\r\n" SCRIPT(
         "touch: cannot touch '/x': Read-only file system"),
     .cause = "rootfs.read-only", .above = 0.8},
    {"one_program_is_no_proof",
     BOOT SERVICES SCRIPT("touch: cannot touch '/x': Read-only file "
                          "system"),
     .cause = NULL},
    {"read_only_by_design",
     BOOT SERVICES "[    5.100000] systemd-random-seed[99]: Failed to open random seed file for "
                   "writing: Read-only file system\r\n"
                   "[    5.200000] (agetty)[119]: Failed to write wtmp record, ignoring: Read-only "
                   "file system\r\n" SCRIPT("Error: Cannot find module 'session-store'"),
     GIVEN_UP(40000), .cause = "agent.module-missing", .above = 0.8},
    {"sysfs_is_always_so",
     BOOT SERVICES SCRIPT(
         "sh: can't create /sys/x: Read-only file system") "[    9.000000] app[9]: can't create "
                                                           "/proc/sys/x: Read-only file system\r\n",
     .cause = NULL},

    /* the image */
    {"never_mentioned", BOOT SERVICES MULTI_USER LOGIN, GIVEN_UP(60000), REFUSED,
     .cause = "rootfs.agent-not-installed", .above = 0.9},
    {"never_mentioned_bare", BOOT SERVICES MULTI_USER LOGIN, .cause = "rootfs.agent-not-installed",
     .above = 0.8},
    {"boot_stopped_before", BOOT SERVICES LOGIN, .cause = NULL},
    {"mentioned", BOOT SERVICES "[  OK  ] Started VM Browser OAuth Agent.\r\n" MULTI_USER LOGIN,
     .cause = NULL},
    {"systemd_says_not_found",
     BOOT SERVICES "[    3.100000] systemd[1]: multi-user.target: Cannot add dependency job, "
                   "ignoring: Unit vm-browser-agent.service not found.\r\n" MULTI_USER,
     GIVEN_UP(60000), REFUSED, .cause = "rootfs.agent-not-installed", .above = 0.9},
    {"without_status_lines_nothing_is_absent", BOOT MULTI_USER LOGIN, .cause = NULL},
    {"other_build",
     BOOT SERVICES
     "[  OK  ] Started vm-browser-agent.service - VM Browser OAuth Agent.\r\n" MULTI_USER LOGIN,
     GIVEN_UP(60000), REFUSED, .description = "VM Browser Services", .cause = "rootfs.stale-image",
     .below = 0.8, .says = "VM Browser OAuth Agent"},
    {"other_build_without_unit_names",
     BOOT SERVICES "[  OK  ] Started VM Browser OAuth Agent.\r\n" MULTI_USER LOGIN, GIVEN_UP(60000),
     REFUSED, .description = "VM Browser Services", .cause = "rootfs.stale-image", .below = 0.8},
};

int main(void)
{
    return scenes_run("filesystem", scenes, sizeof(scenes) / sizeof(scenes[0]));
}
