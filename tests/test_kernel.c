/* SPDX-License-Identifier: Apache-2.0 */
/* What kernels from 4.14 to 6.12, their initramfs and their silence mean, on synthetic consoles. */
#include "tests/scene.h"

#define BANNER     "[    0.000000] Linux version 6.1.0 (debian)\r\n"
#define OLD_BANNER "[    0.000000] Linux version 4.14.336 (root@build)\r\n"
#define DISK       "[    2.261833] virtio_blk virtio0: [vda] 718848 512-byte logical blocks\r\n"
#define MOUNTED    "[    2.342415] EXT4-fs (vda): mounted filesystem with ordered data mode.\r\n"
#define SYSTEMD    "[    2.957194] systemd[1]: systemd 252 running in system mode (+PAM)\r\n"
#define SERVICES                                                                                   \
    "[    7.490885] systemd[1]: Started systemd-journald.service - Journal Service.\r\n"           \
    "[    8.154182] systemd[1]: Reached target network.target - Network.\r\n"
#define PANIC(at, tail) "[    " at "] Kernel panic - not syncing: " tail "\r\n"
#define OOPS                                                                                       \
    "[    4.200000] BUG: kernel NULL pointer dereference, address: 0000000000000008\r\n"           \
    "[    4.200100] #PF: supervisor read access in kernel mode\r\n"                                \
    "[    4.200200] Oops: 0000 [#1] PREEMPT SMP NOPTI\r\n"                                         \
    "[    4.200300] RIP: 0010:crc32_probe+0x1f/0x9f0 [crc32_x]\r\n"                                \
    "[    4.200400] ---[ end trace 0000000000000000 ]---\r\n"
#define STALL(at)                                                                                  \
    "[   " at "] rcu: INFO: rcu_preempt self-detected stall on CPU\r\n"                            \
    "[   " at "] rcu: \t0-....: (5249 ticks this GP) idle=a4c4/1/0x4000000000000000\r\n"

#define EXITED_0     .end = RECORD_END_VMM_EXIT, .ended_ms = 6000
#define GIVEN_UP(ms) .end = RECORD_END_DEADLINE, .ended_ms = (ms)
#define SERIAL       .cmdline = "console=ttyS0 root=/dev/vda"
#define SPINNING(ms) GIVEN_UP(ms), .cpu_ms = (ms) - (ms) / 10
#define SEABIOS                                                                                    \
    "\x1b"                                                                                         \
    "c\x1b[?7l\x1b[2JSeaBIOS (version 1.16.2-debian-1.16.2-1)\r\n"                                 \
    "Booting from ROM..\r\n"

static const struct scene scenes[] = {
    /* memory */
    {"deadlocked", BANNER PANIC("1.241547", "System is deadlocked on memory"), EXITED_0,
     .cause = "kernel.out-of-memory", .above = 0.9},
    {"no_killable_process_panics_in_4_14",
     OLD_BANNER PANIC("1.241547", "Out of memory and no killable processes..."), EXITED_0,
     .cause = "kernel.out-of-memory", .above = 0.9},
    {"panic_on_oom",
     BANNER SYSTEMD PANIC("9.241547", "Out of memory: compulsory panic_on_oom is enabled"),
     EXITED_0, .cause = "kernel.out-of-memory", .above = 0.9},
    {"no_room_for_the_ramdisk",
     BANNER PANIC("0.000000", "Cannot find place for new RAMDISK of size 63258624"), EXITED_0,
     .cause = "kernel.out-of-memory", .above = 0.9},
    {"memblock",
     BANNER PANIC("0.000000", "memblock_alloc_try_nid: Failed to allocate 4096 bytes align=0x40 "
                              "nid=-1"),
     EXITED_0, .cause = "kernel.out-of-memory", .above = 0.9},
    {"initramfs_does_not_fit",
     BANNER "[    1.100000] Initramfs unpacking failed: write error\r\n" PANIC(
         "1.500000", "VFS: Unable to mount root fs on unknown-block(0,0)"),
     EXITED_0, .cause = "kernel.out-of-memory"},
    {"reset_before_the_first_byte", NULL, .end = RECORD_END_VMM_EXIT, .ended_ms = 350,
     .memory_mib = 44, SERIAL, .cause = "kernel.out-of-memory", .below = 0.8},
    {"reset_before_the_first_byte_with_enough", NULL, .end = RECORD_END_VMM_EXIT, .ended_ms = 350,
     .memory_mib = 512, SERIAL, .cause = "vmm.guest-reset"},

    {"reset_before_an_initrd_found_its_place", NULL, .end = RECORD_END_VMM_EXIT, .ended_ms = 350,
     .memory_mib = 100, .kernel_size = 8 << 20, .initrd_size = 60 << 20, SERIAL,
     .cause = "kernel.out-of-memory", .below = 0.8},
    {"reset_although_the_initrd_has_its_place", NULL, .end = RECORD_END_VMM_EXIT, .ended_ms = 350,
     .memory_mib = 100, .kernel_size = 8 << 20, .initrd_size = 20 << 20, SERIAL,
     .cause = "vmm.guest-reset"},

    /* root device */
    {"no_device_4_14",
     OLD_BANNER "[    1.500000] VFS: Cannot open root device \"vdb\" or unknown-block(0,0): error "
                "-6\r\n" PANIC("1.510000", "VFS: Unable to mount root fs on unknown-block(0,0)"),
     EXITED_0, .cause = "kernel.root-device-missing", .above = 0.9},
    {"no_device_6_12",
     BANNER "[    1.500000] VFS: Cannot open root device \"/dev/vdb\" or unknown-block(0,0): error "
            "-6\r\n" PANIC("1.510000",
                           "VFS: Unable to mount root fs on \"/dev/vdb\" or unknown-block(0,0)"),
     EXITED_0, .cause = "kernel.root-device-missing", .above = 0.9},
    {"no_root_argument",
     BANNER "[    1.500000] VFS: Cannot open root device \"(null)\" or unknown-block(2,0): error "
            "-6\r\n" PANIC("1.510000", "VFS: Unable to mount root fs on unknown-block(2,0)"),
     EXITED_0, .cause = "kernel.root-device-missing", .above = 0.9},
    {"initramfs_tools_gives_up",
     BANNER "Gave up waiting for root file system device.  Common problems:\r\n"
            "ALERT!  UUID=7c0f3f5e does not exist.  Dropping to a shell!\r\n\r\n(initramfs) ",
     .cause = "kernel.root-device-missing", .above = 0.9, .says = "UUID=7c0f3f5e"},
    {"dracut_gives_up",
     BANNER "[  190.500000] dracut-initqueue[299]: Warning: dracut-initqueue: timeout, still "
            "waiting for following initqueue hooks:\r\n"
            "[  190.600000] dracut-initqueue[299]: Warning: Could not boot.\r\n"
            "[  190.700000] dracut-initqueue[299]: Warning: /dev/vdb does not exist\r\n",
     .cause = "kernel.root-device-missing", .above = 0.9},
    {"mkinitcpio_gives_up", BANNER "ERROR: device '/dev/vdb' not found. Skipping fsck.\r\n",
     .cause = "kernel.root-device-missing", .above = 0.9},
    {"systemd_in_the_initramfs",
     BANNER "[    1.900000] systemd[1]: systemd 255 running in system mode (+PAM)\r\n"
            "[    1.900001] systemd[1]: Running in initrd.\r\n"
            "[ TIME ] Timed out waiting for device dev-vdb.device - /dev/vdb.\r\n"
            "[DEPEND] Dependency failed for sysroot.mount - /sysroot.\r\n"
            "[DEPEND] Dependency failed for initrd-root-fs.target - Initrd Root File System.\r\n"
            "You are in emergency mode. After logging in, type \"journalctl -xb\" to view\r\n",
     .cause = "kernel.root-device-missing", .above = 0.85},
    {"rootwait_without_end", BANNER "[    1.598261] Waiting for root device /dev/vdb...\r\n",
     SPINNING(30000), .cause = "kernel.root-device-missing", .above = 0.9, .says = "/dev/vdb"},
    {"rootwait_cut", BANNER "[    1.598261] Waiting for root device /dev/vdb...\r\n",
     .cause = NULL},
    {"rootwait_and_other_lines",
     BANNER "[    1.598261] Waiting for root device /dev/vdb...\r\n"
            "[    2.099839] clocksource: Switched to clocksource tsc\r\n",
     .cause = "kernel.root-device-missing", .above = 0.8, .below = 0.85},
    {"rootwait_that_ended",
     BANNER "[    1.598261] Waiting for root device /dev/vda...\r\n" DISK MOUNTED SYSTEMD, EXITED_0,
     .cause = "vmm.guest-reset"},

    /* mounting it */
    {"cannot_mount_5_15",
     BANNER DISK PANIC("1.510000", "VFS: Unable to mount root fs on unknown-block(254,0)"),
     EXITED_0, .cause = "kernel.root-mount-failed", .above = 0.9},
    {"cannot_mount_6_12",
     BANNER DISK "[    1.500000] VFS: Cannot open root device \"/dev/vda\" or unknown-block(254,0):"
                 " error -19\r\n" PANIC("1.510000", "VFS: Unable to mount root fs on \"/dev/vda\" "
                                                    "or unknown-block(254,0)"),
     EXITED_0, .cause = "kernel.root-mount-failed", .above = 0.9},
    {"wrong_type_is_not_a_missing_device",
     BANNER DISK "mount: mounting /dev/vda on /root failed: No such device\r\n"
                 "Failed to mount /dev/vda as root file system.\r\n(initramfs) ",
     .cause = "kernel.root-mount-failed", .above = 0.9},
    {"no_such_device_without_a_disk",
     BANNER "mount: mounting /dev/vda on /root failed: No such device\r\n",
     .cause = "kernel.root-device-missing", .above = 0.9},
    {"node_is_missing",
     BANNER DISK "mount: mounting /dev/vdb on /root failed: No such file or directory\r\n",
     .cause = "kernel.root-device-missing", .above = 0.9},
    {"mount_points_below_root_are_consequences",
     BANNER DISK "mount: mounting /dev/vda on /root failed: Invalid argument\r\n"
                 "mount: mounting /dev on /root/dev failed: No such file or directory\r\n"
                 "Target filesystem doesn't have requested /sbin/init.\r\n"
                 "No init found. Try passing init= bootarg.\r\n(initramfs) ",
     .cause = "kernel.root-mount-failed", .above = 0.9},
    {"sysroot", BANNER DISK "[FAILED] Failed to mount sysroot.mount - /sysroot.\r\n",
     .cause = "kernel.root-mount-failed", .above = 0.9},
    {"superblock_alone",
     BANNER DISK "[    2.300000] EXT4-fs (vda): VFS: Can't find ext4 filesystem\r\n",
     GIVEN_UP(30000), .cause = "kernel.root-mount-failed"},
    {"probing_for_the_type",
     BANNER DISK "[    2.300000] EXT4-fs (vda): VFS: Can't find ext4 filesystem\r\n"
                 "[    2.400000] XFS (vda): Ending clean mount\r\n" SYSTEMD,
     EXITED_0, .cause = "vmm.guest-reset"},

    /* initramfs and init */
    {"initramfs_broken",
     BANNER "[    1.100000] Initramfs unpacking failed: invalid magic at start of compressed "
            "archive\r\n" PANIC("1.510000", "VFS: Unable to mount root fs on unknown-block(0,0)"),
     EXITED_0, .cause = "kernel.initramfs-failed", .above = 0.85},
    {"initramfs_broken_with_ramdisks",
     BANNER
     "[    1.100000] rootfs image is not initramfs (no cpio magic); looks like an initrd\r\n" PANIC(
         "1.510000", "VFS: Unable to mount root fs on unknown-block(0,0)"),
     EXITED_0, .cause = "kernel.initramfs-failed", .above = 0.85},
    {"harmless_complaint_of_the_unpacker",
     BANNER "[    1.100000] Initramfs unpacking failed: Decoding failed\r\n" DISK MOUNTED SYSTEMD
         PANIC("9.000000", "sysrq triggered crash"),
     EXITED_0, .cause = "kernel.panic"},
    {"prompt_without_a_reason", BANNER DISK "\r\n(initramfs) ", .cause = "kernel.initramfs-failed",
     .above = 0.8},
    {"shell_without_a_prompt",
     BANNER "BusyBox v1.35.0 (Debian 1:1.35.0-4) built-in shell (ash)\r\n"
            "Enter 'help' for a list of built-in commands.\r\n\r\n/ # ",
     GIVEN_UP(25000), .cause = "kernel.initramfs-failed", .above = 0.8},
    {"shell_of_a_login",
     BANNER DISK MOUNTED SYSTEMD "BusyBox v1.35.0 (Debian 1:1.35.0-4) built-in shell (ash)\r\n",
     .cause = NULL},
    {"init_exit_127",
     BANNER DISK MOUNTED PANIC("2.900000", "Attempted to kill init! "
                                           "exitcode=0x00007f00"),
     EXITED_0, .cause = "kernel.init-failed", .above = 0.9, .says = "127"},
    {"init_signal",
     BANNER DISK MOUNTED PANIC("2.900000", "Attempted to kill init! "
                                           "exitcode=0x0000000b"),
     EXITED_0, .cause = "kernel.init-failed", .above = 0.9, .says = "signal 11"},
    {"no_working_init",
     BANNER DISK MOUNTED
     "[    2.800000] Starting init: /sbin/init exists but couldn't execute it "
     "(error -13)\r\n" PANIC(
         "2.900000", "No working init found.  Try passing init= option to kernel. See Linux "
                     "Documentation/admin-guide/init.rst for guidance."),
     EXITED_0, .cause = "kernel.init-failed", .above = 0.9},
    {"init_without_its_library",
     BANNER DISK MOUNTED "/sbin/init: error while loading shared libraries: libc.so.6: cannot open "
                         "shared object file: No such file or directory\r\n",
     .cause = "kernel.init-failed", .above = 0.9},
    {"init_of_the_initramfs_does_not_parse",
     BANNER "/init: line 10: syntax error: unexpected end of file (expecting \"fi\")\r\n",
     .cause = "kernel.init-failed", .above = 0.9},
    {"reason_before_status",
     BANNER "switch_root: can't execute '/sbin/init': Permission denied\r\n" PANIC(
         "2.900000", "Attempted to kill init! exitcode=0x00000100"),
     EXITED_0, .cause = "kernel.init-failed", .above = 0.9, .says = "executed"},
    {"requested_init",
     BANNER DISK MOUNTED PANIC("2.900000", "Requested init /sbin/x failed (error -2)."), EXITED_0,
     .cause = "kernel.init-failed", .above = 0.9},
    {"no_init_in_the_initramfs",
     BANNER "[    1.600000] Failed to execute /init (error -2)\r\n" PANIC(
         "1.700000", "No working init found.  Try passing init= option to kernel."),
     EXITED_0, .cause = "kernel.init-failed", .above = 0.9},
    {"switch_root",
     BANNER "[    3.000000] systemd[1]: systemd 255 running in system mode (+PAM)\r\n"
            "[    3.000001] systemd[1]: Running in initrd.\r\n"
            "[    4.000000] systemctl[207]: Failed to switch root: Specified switch root path "
            "'/sysroot' does not seem to be an OS tree. os-release file is missing.\r\n",
     .cause = "kernel.init-failed", .above = 0.8},

    /* panics, oopses, lockups */
    {"plain_panic", BANNER SYSTEMD PANIC("5.646061", "Fatal hardware error!"), EXITED_0,
     .cause = "kernel.panic", .above = 0.9, .says = "Fatal hardware error"},
    {"panic_in_a_log_is_no_panic",
     BANNER SYSTEMD "[    9.000000] node[130]: Kernel panic - not syncing: joke\r\n",
     .cause = NULL},
    {"panic_without_stamp_on_a_stamped_console",
     BANNER SYSTEMD "Kernel panic - not syncing: joke\r\n", .cause = NULL},
    {"first_line_lost",
     BANNER SYSTEMD "[    5.700000] ---[ end Kernel panic - not syncing: Fatal exception ]---\r\n",
     .cause = "kernel.panic", .above = 0.8},
    {"hung_tasks_panic", BANNER SYSTEMD PANIC("5.646061", "hung_task: blocked tasks"), EXITED_0,
     .cause = "kernel.hung", .above = 0.9},
    {"oops_panics", BANNER DISK OOPS PANIC("4.300000", "Fatal exception"), EXITED_0,
     .cause = "kernel.oops", .above = 0.9},
    {"oops_then_silence", BANNER DISK OOPS, GIVEN_UP(60000), .cause = "kernel.oops", .above = 0.8},
    {"oops_cut", BANNER DISK OOPS, .cause = NULL},
    {"oops_survived", BANNER DISK OOPS MOUNTED SYSTEMD SERVICES, .cause = NULL},
    {"oops_in_the_network_driver",
     BANNER "[    1.037361] pci 0000:00:02.0: [1af4:1000] type 00 class 0x020000\r\n" DISK SYSTEMD
            "[    4.200000] BUG: unable to handle page fault for address: ffffffffc03f1000\r\n"
            "[    4.200300] RIP: 0010:virtnet_probe+0x1f/0x9f0 [virtio_net]\r\n"
            "[    4.200400] ---[ end trace 0000000000000000 ]---\r\n" SERVICES
            "[    8.205463] systemd[1]: Starting systemd-networkd-wait-online.service - Wait for "
            "Network to be Configured...\r\n",
     GIVEN_UP(60000), .network = "user", .probed = true, .met = PROBE_NO_ANSWER,
     .cause = "kernel.oops"},
    {"stall_after_silence", BANNER DISK MOUNTED SYSTEMD STALL("27.312720"), .cause = "kernel.hung",
     .above = 0.8},
    {"stall_without_silence", BANNER DISK MOUNTED SYSTEMD STALL(" 8.312720"), .cause = NULL},
    {"stall_survived",
     BANNER DISK MOUNTED SYSTEMD STALL(
         "27.312720") "[   28.490885] systemd[1]: Started systemd-journald.service - Journal "
                      "Service.\r\n",
     .cause = NULL},
    {"soft_lockup_4_14",
     OLD_BANNER
     "[   28.000000] NMI watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [swapper]\r\n"
     "[   56.000000] NMI watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [swapper]\r\n",
     GIVEN_UP(60000), .cause = "kernel.hung", .above = 0.8},
    {"hung_task_explains_the_wait",
     BANNER DISK MOUNTED SYSTEMD SERVICES
     "[    8.205463] systemd[1]: Starting slow.service - Slow...\r\n"
     "[   38.000000] INFO: task systemd-journal:88 blocked for more than 15 seconds.\r\n"
     "[   68.000000] INFO: task systemd-journal:88 blocked for more than 45 seconds.\r\n",
     GIVEN_UP(75000), .cause = "kernel.hung", .above = 0.8},

    /* silence */
    {"spins", BANNER, SPINNING(60000), .cause = "kernel.hung", .above = 0.8},
    {"short_window", BANNER, SPINNING(8000), .cause = "probe.deadline-too-short"},
    {"quiet_takes_longer", BANNER, SPINNING(25000), .cmdline = "console=ttyS0 quiet",
     .cause = "unknown"},
    {"no_byte_and_work_done", NULL, SPINNING(45000), SERIAL, .cause = "kernel.no-console-output",
     .above = 0.8, .below = 0.9},
    {"no_console_argument", NULL, GIVEN_UP(6000), .cpu_ms = 5500, .cmdline = "console=tty0",
     .cause = "kernel.no-console-output", .above = 0.9},
    {"no_byte_and_it_answers", NULL, GIVEN_UP(45000), .cpu_ms = 900, SERIAL, .network = "tap",
     .probed = true, .met = PROBE_REFUSED, .cause = "kernel.no-console-output", .above = 0.9},
    {"firmware_is_not_the_kernel", SEABIOS, SPINNING(45000), SERIAL,
     .cause = "kernel.no-console-output", .above = 0.8},
    {"no_byte_and_no_work", NULL, GIVEN_UP(45000), .cpu_ms = 180, SERIAL,
     .cause = "vmm.start-timeout", .above = 0.8},
    {"no_byte_under_kvm", NULL, SPINNING(45000), SERIAL, .accelerator = "kvm",
     .cause = "host.kvm-unavailable", .below = 0.8},

    /* What good boots of Ubuntu and Debian print, too. */
    {"healthy_noise",
     "[    0.000000] Linux version 5.15.0-119-generic (buildd@lcy02) (gcc 11.4.0)\r\n"
     "[    0.000000] unchecked MSR access error: RDMSR from 0x1b0 at rIP: 0xffffffff81\r\n"
     "[    0.010000] WARNING: CPU: 0 PID: 0 at arch/x86/kernel/cpu/common.c:912 x+0x1/0x2\r\n"
     "[    0.020000] UBSAN: array-index-out-of-bounds in drivers/net/x.c:331:42\r\n"
     "[    0.300000] Initramfs unpacking failed: Decoding failed\r\n"
     "[    0.310000] blk_update_request: I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0\r\n"
     "[    0.320000] virtio-mmio virtio-mmio.0: Failed to enable 64-bit or 32-bit DMA.  Trying to "
     "continue, but this might not work.\r\n" DISK
     "mdadm: error opening /dev/md?*: No such file or directory\r\n"
     "[    2.340000] EXT4-fs (vda): INFO: recovery required on readonly filesystem\r\n"
     "[    2.341000] EXT4-fs (vda): recovery complete\r\n"
     "[    2.342415] EXT4-fs (vda): mounted filesystem with ordered data mode. Opts: (null)\r\n"
     "[    2.900000] systemd[1]: systemd 249.11-0ubuntu3.12 running in system mode (+PAM)\r\n"
     "[    3.000000] systemd[1]: Failed to look up module alias 'autofs4': Function not "
     "implemented\r\n"
     "[   22.000000] rcu: INFO: rcu_sched self-detected stall on CPU\r\n"
     "[   23.000000] EXT4-fs (vda): re-mounted. Opts: discard,errors=remount-ro. Quota mode: "
     "none.\r\n"
     "[  OK  ] Finished Remount Root and Kernel File Systems.\r\n"
     "[  303.900000] EXT4-fs (vda): error count since last fsck: 4\r\n",
     .cause = NULL},
};

int main(void)
{
    return scenes_run("kernel", scenes, sizeof(scenes) / sizeof(scenes[0]));
}
