/* SPDX-License-Identifier: Apache-2.0 */
/* What a VMM's stderr, its exit status, the host and the controller say, on synthetic records. */
#include "tests/scene.h"

#define BOOT                                                                                       \
    "[    0.000000] Linux version 6.1.0 (debian)\r\n"                                              \
    "[    2.261833] virtio_blk virtio0: [vda] 718848 512-byte logical blocks\r\n"                  \
    "[    2.957194] systemd[1]: systemd 252 running in system mode (+PAM)\r\n"
#define PANIC "[    5.646061] Kernel panic - not syncing: sysrq triggered crash\r\n"
#define QEMU  "qemu-system-x86_64: "
#define FC(text)                                                                                   \
    "2023-06-16T07:45:41.767987318 [anonymous-instance:main:ERROR:src/x.rs:87] " text "\n"

#define REFUSED_START(code) .end = RECORD_END_START_FAILED, .ended_ms = 50, .exit_code = (code)
#define EXITED(code)        .end = RECORD_END_VMM_EXIT, .ended_ms = 8000, .exit_code = (code)

static const struct scene scenes[] = {
    /* QEMU */
    {"kvm_rights", NULL,
     .vmm_log = "Could not access KVM kernel module: Permission denied\n" QEMU
                "failed to initialize kvm: Permission denied\n",
     REFUSED_START(1), .cause = "host.kvm-unavailable", .above = 0.9},
    {"kvm_rights_9", NULL,
     .vmm_log = QEMU "-accel kvm: Could not access KVM kernel module: No such file or directory\n",
     REFUSED_START(1), .cause = "host.kvm-unavailable", .above = 0.9},
    {"kvm_msr", BOOT,
     .vmm_log = QEMU "error: failed to set MSR 0x10a to 0x69\n" QEMU
                     "../target/i386/kvm/kvm.c:2952: kvm_buf_set_msrs: Assertion `ret == "
                     "cpu->kvm_msr_buf->nmsrs' failed.\n",
     EXITED(134), .cause = "host.kvm-unavailable", .above = 0.9},
    {"kernel", NULL,
     .vmm_log = "qemu: could not open kernel file '/x/vmlinuz': No such file or directory\n",
     REFUSED_START(1), .cause = "vmm.kernel-missing", .above = 0.9},
    {"initrd", NULL,
     .vmm_log =
         "qemu: error reading initrd /x: Failed to open file \"/x\": No such file or directory\n",
     REFUSED_START(1), .cause = "vmm.initrd-missing", .above = 0.9},
    {"kernel_format", NULL, .vmm_log = "qemu: invalid kernel header\n", REFUSED_START(1),
     .cause = "vmm.kernel-invalid", .above = 0.9},
    {"drive", NULL,
     .vmm_log =
         QEMU "-drive if=none,id=root,file=/x.ext4: Could not open '/x.ext4': No such file or "
              "directory\n",
     REFUSED_START(1), .cause = "vmm.rootfs-missing", .above = 0.9},
    {"lock", NULL,
     .vmm_log = QEMU "-device virtio-blk-pci,drive=root: Failed to get \"write\" lock\n"
                     "Is another process using the image [/x]?\n",
     REFUSED_START(1), .cause = "vmm.rootfs-missing", .above = 0.9},
    {"forward", NULL,
     .vmm_log = QEMU
     "-netdev user,id=net: Could not set up host forwarding rule 'tcp:127.0.0.1:8080-:8080'\n",
     REFUSED_START(1), .cause = "vmm.config-invalid", .says = "8080"},
    {"tap", NULL,
     .vmm_log =
         QEMU "-netdev tap,id=n0,ifname=tap0: could not configure /dev/net/tun (tap0): Device or "
              "resource busy\n",
     REFUSED_START(1), .cause = "host.tap-unavailable", .above = 0.9, .says = "tap0"},
    {"bridge_helper", NULL,
     .vmm_log = "failed to get mtu of bridge `br0': No such device\n" QEMU
                "-netdev bridge,id=n0: bridge helper failed\n",
     REFUSED_START(1), .cause = "host.tap-unavailable", .above = 0.9},
    {"memory", NULL,
     .vmm_log = QEMU "cannot set up guest memory 'pc.ram': Cannot allocate memory\n",
     REFUSED_START(1), .cause = "host.memory-exhausted", .above = 0.9},
    {"space", NULL,
     .vmm_log = QEMU "-drive file=/x,snapshot=on: Could not create temporary overlay '/tmp/vl': "
                     "No space left on device\n",
     REFUSED_START(1), .cause = "host.disk-full", .above = 0.9},
    {"machine", NULL,
     .vmm_log = QEMU "unsupported machine type\nUse -machine help to list supported machines\n",
     REFUSED_START(1), .cause = "vmm.config-invalid", .above = 0.8},
    {"machine_9", NULL, .vmm_log = QEMU "-machine x: unsupported machine type: \"x\"\n",
     REFUSED_START(1), .cause = "vmm.config-invalid", .above = 0.8},
    {"any_option", NULL,
     .vmm_log = QEMU "-smp 300: Invalid SMP CPUs 300. The max CPUs supported by machine "
                     "'pc-q35-9.2' is 255\n",
     REFUSED_START(1), .cause = "vmm.config-invalid"},
    {"program", NULL,
     .vmm_log = "bash: line 1: /usr/bin/qemu-system-x86_64: No such file or directory\n",
     REFUSED_START(127), .cause = "vmm.binary-missing", .above = 0.9},
    {"stale_socket", NULL,
     .vmm_log = QEMU
     "-qmp unix:/x.sock,server=on: Failed to bind socket to /x.sock: Address already in use\n",
     REFUSED_START(1), .cause = "vmm.api-socket-stale", .above = 0.9},
    {"harmless", BOOT,
     .vmm_log =
         QEMU "warning: TCG doesn't support requested feature: CPUID.01H:ECX.pcid [bit 17]\n" QEMU
              "terminating on signal 15 from pid 24190 (bootdiag)\n",
     .cause = NULL},

    /* Firecracker */
    {"fc_kvm", NULL,
     .vmm_log =
         "Error: RunWithoutApiError(BuildMicroVMFromJson(StartMicroVM(Kvm(Kvm(Error(19))))))\n",
     REFUSED_START(1), .backend = "firecracker", .cause = "host.kvm-unavailable", .above = 0.9},
    {"fc_kvm_old", NULL,
     .vmm_log = FC("Firecracker panicked at 'Error creating the Kvm object: Error(13)', "
                   "src/vmm/src/vstate/system.rs:53:30"),
     EXITED(134), .backend = "firecracker", .cause = "host.kvm-unavailable", .above = 0.9},
    {"fc_kernel", NULL,
     .vmm_log = FC(
         "Received Error. Status code: 400 Bad Request. Message: The kernel file cannot be opened: "
         "No such file or directory (os error 2)"),
     REFUSED_START(1), .backend = "firecracker", .cause = "vmm.kernel-missing", .above = 0.9},
    {"fc_kernel_format", NULL,
     .vmm_log = FC(
         "Start microvm error: Cannot load kernel due to invalid memory configuration or invalid "
         "kernel image: Kernel Loader: failed to load ELF kernel image"),
     REFUSED_START(1), .backend = "firecracker", .cause = "vmm.kernel-invalid", .above = 0.9},
    {"fc_drive", NULL,
     .vmm_log = FC(
         "Unable to create the virtio block device: Virtio backend error: Error manipulating the "
         "backing file: No such file or directory (os error 2) /x.ext4"),
     REFUSED_START(1), .backend = "firecracker", .cause = "vmm.rootfs-missing", .above = 0.9},
    {"fc_drive_on_a_full_disk", NULL,
     .vmm_log = FC(
         "Virtio backend error: Error manipulating the backing file: No space left on device (os "
         "error 28)"),
     REFUSED_START(1), .backend = "firecracker", .cause = "host.disk-full", .above = 0.9},
    {"fc_tap", NULL,
     .vmm_log = FC(
         "Network config error: Could not create the network device: Open tap device failed: Error "
         "while creating ifreq structure: Resource busy (os error 16). Invalid TUN/TAP Backend "
         "provided by tap0. Check our documentation on setting up the network devices."),
     REFUSED_START(1), .backend = "firecracker", .cause = "host.tap-unavailable", .above = 0.9},
    {"fc_tap_old", NULL,
     .vmm_log =
         "Could not create Network Device: TapOpen(IoctlError(Os { code: 16, kind: Other, message: "
         "\"Resource busy\" }))\n",
     REFUSED_START(1), .backend = "firecracker", .cause = "host.tap-unavailable", .above = 0.9},
    {"fc_socket", NULL,
     .vmm_log = FC(
         "RunWithApiError error: Failed to bind and run the HTTP server: IO error: Address in use "
         "(os error 98)"),
     REFUSED_START(1), .backend = "firecracker", .cause = "vmm.api-socket-stale", .above = 0.9},
    {"fc_arguments", NULL,
     .vmm_log = FC(
         "Arguments parsing error: Found argument 'foo' which wasn't expected, or isn't valid in "
         "this context."),
     REFUSED_START(153), .backend = "firecracker", .cause = "vmm.config-invalid", .above = 0.8},
    {"fc_json", NULL,
     .vmm_log =
         "RunWithoutApiError error: Failed to build MicroVM from Json: Invalid JSON: missing field "
         "`drives` at line 10 column 1\n",
     REFUSED_START(1), .backend = "firecracker", .cause = "vmm.config-invalid", .above = 0.8},
    {"fc_logger", NULL,
     .vmm_log =
         FC("LoggerInitialization(File(Os { code: 2, kind: NotFound, message: \"No such file or "
            "directory\" }))"),
     REFUSED_START(1), .backend = "firecracker", .cause = "vmm.logger-missing", .above = 0.9},
    {"fc_seccomp", BOOT, .vmm_log = FC("Shutting down VM after intercepting a bad syscall (41)."),
     EXITED(148), .backend = "firecracker", .cause = "vmm.crashed", .above = 0.85},
    {"fc_status_alone", BOOT, EXITED(150), .backend = "firecracker", .cause = "vmm.crashed",
     .above = 0.85, .says = "SIGSEGV"},
    {"fc_no_status_of_its_own", BOOT, EXITED(152), .backend = "firecracker",
     .cause = "vmm.config-invalid"},
    {"fc_log_in_the_console",
     "2023-06-16T07:45:41.767987318 [anonymous-instance:main] Running Firecracker v1.9.1\r\n"
     "2023-06-16T07:45:41.867987318 [anonymous-instance:fc_api:ERROR] Error creating KVM object: "
     "Permission denied (os error 13) Make sure the user launching the firecracker process is "
     "configured on the /dev/kvm file's ACL.\r\n",
     .cause = "host.kvm-unavailable", .above = 0.9},
    {"fc_gives_up_without_a_crash",
     "2026-02-12T17:18:27.185606081 [anonymous-instance:main] Running Firecracker v1.14.1\r\n"
     "2026-02-12T17:18:27.185710038 [anonymous-instance:main] RunWithApiError error: Failed to "
     "bind "
     "and run the HTTP server: IO error: Permission denied (os error 13)\r\n"
     "2026-02-12T17:18:27.185731205 [anonymous-instance:main] Firecracker exiting with error. "
     "exit_code=1\r\n",
     .cause = NULL},
    {"fc_crash_in_the_console",
     "2026-02-12T17:18:27.185731205 [anonymous-instance:main] Firecracker exiting with error. "
     "exit_code=150\r\n",
     .cause = "vmm.crashed", .above = 0.85},
    {"fc_logger_in_the_console",
     "Error: LoggerInitialization(LoggerUpdateError(Os { code: 2, kind: NotFound, message: \"No "
     "such "
     "file or directory\" }))\r\n",
     .cause = "vmm.logger-missing", .above = 0.9},
    {"guest_that_talks_of_the_vmm",
     BOOT "[    9.000000] start-all.sh[139]: Error creating KVM object: Permission denied\r\n",
     .cause = NULL},

    /* ends */
    {"reset_without_a_word", BOOT, EXITED(0), .cause = "vmm.guest-reset", .below = 0.8},
    {"reset_with_a_reason", BOOT PANIC, EXITED(0), .cause = "kernel.panic", .above = 0.9},
    {"power_off", BOOT "[    9.100000] reboot: Power down\r\n", EXITED(0),
     .cause = "vmm.guest-reset", .above = 0.8},
    {"power_off_bare", BOOT "[    9.100000] reboot: Power down\r\n", .cause = "vmm.guest-reset",
     .above = 0.8},
    {"rebooted_by_hand_after_an_emergency",
     BOOT "You are in emergency mode. After logging in, type \"journalctl -xb\" to view\r\n"
          "[   99.100000] reboot: Restarting system\r\n",
     .cause = "init.emergency-mode", .above = 0.8},
    {"second_banner", BOOT BOOT, .end = RECORD_END_DEADLINE, .ended_ms = 9000,
     .cause = "vmm.guest-reset", .below = 0.8},
    {"killed_by_somebody", BOOT, .vmm_log = QEMU "terminating on signal 15 from pid 77 (timeout)\n",
     EXITED(0), .cause = "vmm.crashed", .above = 0.8, .says = "timeout"},
    {"killed", BOOT, .end = RECORD_END_VMM_EXIT, .ended_ms = 8000, .signal = 9,
     .cause = "vmm.crashed", .says = "signal 9"},
    {"killed_for_memory", BOOT,
     .vmm_log =
         "Nov 23 15:28:20 host kernel: Out of memory: Killed process 24190 (qemu-system-x86) "
         "total-vm:1204508kB\n",
     .end = RECORD_END_VMM_EXIT, .ended_ms = 8000, .signal = 9, .cause = "host.memory-exhausted",
     .above = 0.9},
    {"killed_through_a_shell", BOOT, EXITED(139), .cause = "vmm.crashed", .says = "signal 11"},

    /* the host */
    {"starved", BOOT, .end = RECORD_END_DEADLINE, .ended_ms = 60000, .cpu_ms = 5000,
     .line_ms = 18000, .cause = "host.overloaded", .below = 0.8},
    {"busy_and_got_its_time", BOOT, .end = RECORD_END_DEADLINE, .ended_ms = 60000, .cpu_ms = 45000,
     .line_ms = 18000, .cause = "probe.deadline-too-short"},
    {"stolen_time_alone_is_no_cause", BOOT, .end = RECORD_END_DEADLINE, .ended_ms = 6000,
     .steal_pct = 60, .cause = "probe.deadline-too-short"},

    /* the controller */
    {"pool", NULL, .end = RECORD_END_START_FAILED, .exit_code = -1,
     .error = "HTTP 500: IP pool exhausted", .cause = "controller.ip-pool-exhausted", .above = 0.8},
    {"limited", NULL, .end = RECORD_END_START_FAILED, .exit_code = -1,
     .error = "HTTP 429: Too many requests, please try again later",
     .cause = "controller.rate-limited", .above = 0.8},
    {"rejected", NULL, .end = RECORD_END_START_FAILED, .exit_code = -1,
     .error = "HTTP 400: userId and provider are required", .cause = "controller.rejected",
     .above = 0.8},
    {"unknown_user", NULL, .end = RECORD_END_START_FAILED, .exit_code = -1,
     .error = "HTTP 500: insert or update on table \"sessions\" violates foreign key constraint",
     .cause = "controller.rejected", .above = 0.8},
    {"refused", NULL, .end = RECORD_END_START_FAILED, .exit_code = -1,
     .error = "connect to 127.0.0.1 port 4000: Connection refused",
     .cause = "controller.unreachable", .above = 0.8},
    {"its_own_database_refused", NULL, .end = RECORD_END_START_FAILED, .exit_code = -1,
     .error = "HTTP 500: connect ECONNREFUSED 127.0.0.1:5432", .cause = "controller.error",
     .above = 0.8},
    {"clone", NULL, .end = RECORD_END_START_FAILED, .exit_code = -1,
     .error = "HTTP 500: rootfs clone timed out", .cause = "controller.vm-creation-failed",
     .above = 0.8},
    {"its_disk", NULL, .end = RECORD_END_START_FAILED, .exit_code = -1,
     .error = "HTTP 500: ENOSPC: no space left on device, copyfile", .cause = "host.disk-full",
     .above = 0.8},
    {"never_a_vm", NULL, .end = RECORD_END_DEADLINE, .ended_ms = 120000, .backend = "controller",
     .status = "initializing", .cause = "controller.vm-creation-failed", .above = 0.8},
    {"destroyed", BOOT, .end = RECORD_END_DEADLINE, .ended_ms = 9000, .vm_id = "vm-5f0c",
     .status = "cancelled", .cause = "controller.premature-cleanup", .above = 0.8},
    {"destroyed_and_the_console_says_why", BOOT PANIC, .end = RECORD_END_DEADLINE,
     .ended_ms = 60000, .vm_id = "vm-5f0c", .error = "410: VM no longer exists",
     .cause = "kernel.panic", .above = 0.9, .also = "controller.premature-cleanup"},
    {"vm_created_proves_nothing", BOOT PANIC, .end = RECORD_END_DEADLINE, .ended_ms = 60000,
     .vm_id = "vm-5f0c", .status = "vm_created", .cause = "kernel.panic", .above = 0.9},
};

int main(void)
{
    return scenes_run("vmm", scenes, sizeof(scenes) / sizeof(scenes[0]));
}
