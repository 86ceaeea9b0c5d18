/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue is one table in the contract's order. `by_*` lists what the cause of that name
 * explains; causes that explain the same share one list.
 *
 * Explaining is transitive and must have no cycle: a test proves that. What holds only in a context
 * ("a network cause explains a waiting job only if that job waits for the network") is listed here
 * as possible, and decided in verdict.c.
 */
#include "analyzers/causes.h"

#include <string.h>

static const char *const by_host_kvm_unavailable[] = {
    "vmm.config-invalid",       "vmm.crashed", "vmm.guest-reset", "vmm.start-timeout",
    "kernel.no-console-output", "kernel.hung", "probe.*",         NULL};
static const char *const by_host_disk_full[] = {"vmm.*", "controller.error",
                                                "controller.vm-creation-failed", "probe.*", NULL};
static const char *const by_host_memory_exhausted[] = {
    "vmm.config-invalid", "vmm.crashed", "vmm.guest-reset", "vmm.start-timeout", "probe.*", NULL};
static const char *const by_host_tap_unavailable[] = {
    "vmm.config-invalid", "vmm.crashed", "vmm.start-timeout", "network.*", "probe.*", NULL};
static const char *const by_host_bridge_misconfigured[] = {"host.dhcp-server-silent",
                                                           "network.no-lease",
                                                           "network.filtered",
                                                           "init.job-waiting",
                                                           "init.unit-start-timeout",
                                                           "init.dependency-failed",
                                                           "init.not-reached",
                                                           "probe.*",
                                                           NULL};
static const char *const by_host_dhcp_server_silent[] = {
    "network.no-lease",        "network.not-configured",   "init.job-waiting",
    "init.unit-start-timeout", "init.dependency-failed",   "init.not-reached",
    "agent.bind-denied",       "probe.deadline-too-short", NULL};
static const char *const by_host_address_conflict[] = {"vmm.config-invalid",
                                                       "vmm.crashed",
                                                       "vmm.start-timeout",
                                                       "probe.stale-responder",
                                                       "agent.unhealthy",
                                                       "probe.deadline-too-short",
                                                       NULL};
static const char *const by_host_overloaded[] = {"init.job-waiting",
                                                 "init.unit-start-timeout",
                                                 "init.dependency-failed",
                                                 "init.not-reached",
                                                 "kernel.hung",
                                                 "agent.hung",
                                                 "supervisor.stuck",
                                                 "probe.deadline-too-short",
                                                 NULL};
static const char *const by_controller_unreachable[] = {"controller.vm-creation-failed", "probe.*",
                                                        NULL};
static const char *const by_controller_rejected[] = {
    "controller.error", "controller.vm-creation-failed", "probe.*", NULL};
static const char *const by_controller_rate_limited[] = {
    "controller.error", "controller.rejected", "controller.vm-creation-failed", "probe.*", NULL};
static const char *const by_controller_vm_creation_failed[] = {"probe.*", NULL};
static const char *const by_controller_premature_cleanup[] = {"vmm.crashed", "vmm.guest-reset",
                                                              "probe.deadline-too-short", NULL};
static const char *const by_vmm_binary_missing[] = {"vmm.config-invalid",
                                                    "vmm.crashed",
                                                    "vmm.guest-reset",
                                                    "vmm.start-timeout",
                                                    "controller.vm-creation-failed",
                                                    "kernel.*",
                                                    "rootfs.*",
                                                    "init.*",
                                                    "network.*",
                                                    "supervisor.*",
                                                    "agent.*",
                                                    "probe.*",
                                                    NULL};
static const char *const by_vmm_config_invalid[] = {"vmm.crashed",
                                                    "vmm.guest-reset",
                                                    "vmm.start-timeout",
                                                    "controller.vm-creation-failed",
                                                    "kernel.*",
                                                    "rootfs.*",
                                                    "init.*",
                                                    "network.*",
                                                    "supervisor.*",
                                                    "agent.*",
                                                    "probe.*",
                                                    NULL};
static const char *const by_vmm_crashed[] = {
    "vmm.start-timeout", "kernel.no-console-output", "kernel.hung", "init.not-reached",
    "agent.hung",        "supervisor.stuck",         "probe.*",     NULL};
static const char *const by_vmm_guest_reset[] = {"kernel.no-console-output",
                                                 "kernel.hung",
                                                 "init.not-reached",
                                                 "agent.hung",
                                                 "supervisor.stuck",
                                                 "probe.*",
                                                 NULL};
static const char *const by_vmm_start_timeout[] = {"kernel.no-console-output", "kernel.hung",
                                                   "probe.*", NULL};
static const char *const by_kernel_no_console_output[] = {"kernel.hung", "init.not-reached",
                                                          "probe.deadline-too-short", NULL};
/* What cannot come where the kernel finds no init to run. */
#define USER_SPACE "init.*", "network.*", "supervisor.*", "agent.*", "probe.*"
#define WITHOUT_INIT                                                                               \
    "vmm.guest-reset", "kernel.panic", "kernel.hung", "rootfs.read-only", "rootfs.full",           \
        "rootfs.agent-not-installed", USER_SPACE

static const char *const by_kernel_out_of_memory[] = {"vmm.crashed",
                                                      "kernel.root-device-missing",
                                                      "kernel.root-mount-failed",
                                                      "kernel.init-failed",
                                                      "kernel.initramfs-failed",
                                                      "kernel.oops",
                                                      WITHOUT_INIT,
                                                      NULL};
static const char *const by_kernel_root_device_missing[] = {
    "kernel.root-mount-failed", "kernel.init-failed", "kernel.initramfs-failed", WITHOUT_INIT,
    NULL};
static const char *const by_kernel_root_mount_failed[] = {
    "kernel.init-failed", "kernel.initramfs-failed", WITHOUT_INIT, NULL};
static const char *const by_kernel_init_failed[] = {"kernel.initramfs-failed", WITHOUT_INIT, NULL};
static const char *const by_kernel_initramfs_failed[] = {WITHOUT_INIT, NULL};
static const char *const by_kernel_oops[] = {"network.driver-missing",
                                             "init.job-waiting",
                                             "init.unit-start-timeout",
                                             "init.dependency-failed",
                                             "vmm.guest-reset",
                                             "kernel.panic",
                                             "kernel.hung",
                                             "agent.hung",
                                             "init.not-reached",
                                             "supervisor.stuck",
                                             "probe.deadline-too-short",
                                             NULL};
static const char *const by_kernel_hung[] = {"init.job-waiting",         "init.unit-start-timeout",
                                             "init.dependency-failed",   "init.not-reached",
                                             "supervisor.stuck",         "agent.hung",
                                             "probe.deadline-too-short", NULL};
static const char *const by_rootfs_corrupt[] = {"vmm.guest-reset",
                                                "kernel.init-failed",
                                                "kernel.initramfs-failed",
                                                "kernel.panic",
                                                "rootfs.read-only",
                                                "rootfs.agent-not-installed",
                                                USER_SPACE,
                                                NULL};
static const char *const by_rootfs_read_only[] = {
    "init.emergency-mode", "init.unit-start-timeout",   "init.dependency-failed",
    "init.job-waiting",    "init.not-reached",          "network.not-configured",
    "network.no-lease",    "supervisor.command-failed", "supervisor.silent-exit",
    "supervisor.stuck",    "agent.exception",           "agent.crash-loop",
    "agent.hung",          "probe.deadline-too-short",  NULL};
static const char *const by_rootfs_agent_not_installed[] = {"probe.deadline-too-short", NULL};
static const char *const by_rootfs_stale_image[] = {"agent.unhealthy", "probe.deadline-too-short",
                                                    NULL};
static const char *const by_init_emergency_mode[] = {
    "rootfs.agent-not-installed", "init.dependency-failed",
    "init.job-waiting",           "init.unit-start-timeout",
    "init.not-reached",           "network.not-configured",
    "network.no-lease",           "network.link-down",
    "probe.deadline-too-short",   NULL};
static const char *const by_init_dependency_failed[] = {
    "rootfs.agent-not-installed", "init.job-waiting",         "init.not-reached",
    "agent.crash-loop",           "probe.deadline-too-short", NULL};
static const char *const by_init_job_waiting[] = {"rootfs.agent-not-installed", "init.not-reached",
                                                  "probe.deadline-too-short", NULL};
static const char *const by_init_unit_masked[] = {"rootfs.agent-not-installed",
                                                  "init.dependency-failed", "init.not-reached",
                                                  "probe.deadline-too-short", NULL};
static const char *const by_init_unit_invalid[] = {"rootfs.agent-not-installed",
                                                   "init.dependency-failed",
                                                   "init.not-reached",
                                                   "supervisor.silent-exit",
                                                   "agent.crash-loop",
                                                   "probe.deadline-too-short",
                                                   NULL};
static const char *const by_init_unit_start_timeout[] = {
    "rootfs.agent-not-installed", "init.dependency-failed",   "init.job-waiting",
    "init.not-reached",           "probe.deadline-too-short", NULL};
static const char *const by_init_not_reached[] = {"rootfs.agent-not-installed",
                                                  "probe.deadline-too-short", NULL};
/* What comes of a guest without an address. */
#define WITHOUT_ADDRESS                                                                            \
    "init.job-waiting", "init.unit-start-timeout", "init.dependency-failed", "init.not-reached",   \
        "rootfs.agent-not-installed", "agent.bind-denied", "agent.bind-loopback",                  \
        "probe.deadline-too-short"

static const char *const by_network_driver_missing[] = {
    "network.interface-renamed", "network.link-down", "network.no-lease",
    "network.not-configured",    WITHOUT_ADDRESS,     NULL};
static const char *const by_network_device_missing[] = {"network.driver-missing",
                                                        "network.interface-renamed",
                                                        "network.link-down",
                                                        "network.no-lease",
                                                        "network.not-configured",
                                                        WITHOUT_ADDRESS,
                                                        NULL};
static const char *const by_network_interface_renamed[] = {
    "network.link-down", "network.no-lease", "network.not-configured", WITHOUT_ADDRESS, NULL};
static const char *const by_probe_wrong_target[] = {"network.filtered", "agent.bind-loopback",
                                                    "agent.unresponsive",
                                                    "probe.deadline-too-short", NULL};
static const char *const by_network_link_down[] = {"network.no-lease", "network.not-configured",
                                                   "probe.lost-after-ready", WITHOUT_ADDRESS, NULL};
static const char *const by_network_no_lease[] = {WITHOUT_ADDRESS, NULL};
static const char *const by_network_static_invalid[] = {
    "network.no-lease", "network.not-configured", "network.address-mismatch",
    "network.filtered", WITHOUT_ADDRESS,          NULL};
static const char *const by_network_address_mismatch[] = {
    "probe.wrong-target", "probe.deadline-too-short", "init.job-waiting", NULL};
static const char *const by_supervisor_missing[] = {"supervisor.command-failed",
                                                    "supervisor.silent-exit",
                                                    "supervisor.stuck",
                                                    "agent.crash-loop",
                                                    "agent.hung",
                                                    "probe.deadline-too-short",
                                                    NULL};
static const char *const by_supervisor_not_executable[] = {
    "supervisor.missing",       "supervisor.command-failed",
    "supervisor.silent-exit",   "supervisor.stuck",
    "agent.crash-loop",         "agent.hung",
    "probe.deadline-too-short", NULL};
static const char *const by_supervisor_command_failed[] = {
    "supervisor.silent-exit",   "supervisor.stuck",
    "agent.crash-loop",         "agent.hung",
    "probe.deadline-too-short", NULL};
static const char *const by_supervisor_silent_exit[] = {"agent.crash-loop", "agent.hung",
                                                        "probe.deadline-too-short", NULL};
static const char *const by_supervisor_stuck[] = {"agent.hung", "probe.deadline-too-short", NULL};
static const char *const by_supervisor_kills_agent[] = {"agent.killed",
                                                        "agent.crash-loop",
                                                        "agent.hung",
                                                        "probe.deadline-too-short",
                                                        "probe.lost-after-ready",
                                                        NULL};
static const char *const by_agent_runtime_missing[] = {
    "agent.exception",           "agent.killed",
    "agent.crash-loop",          "agent.hung",
    "supervisor.command-failed", "supervisor.silent-exit",
    "supervisor.kills-agent",    "probe.deadline-too-short",
    "probe.lost-after-ready",    NULL};
static const char *const by_agent_script_missing[] = {"agent.module-missing",
                                                      "agent.exception",
                                                      "agent.killed",
                                                      "agent.crash-loop",
                                                      "agent.hung",
                                                      "supervisor.command-failed",
                                                      "supervisor.silent-exit",
                                                      "supervisor.kills-agent",
                                                      "probe.deadline-too-short",
                                                      "probe.lost-after-ready",
                                                      NULL};
static const char *const by_agent_wrong_port[] = {"probe.wrong-target", "probe.deadline-too-short",
                                                  NULL};
static const char *const by_agent_exception[] = {
    "agent.crash-loop",          "agent.hung",
    "supervisor.command-failed", "supervisor.silent-exit",
    "supervisor.kills-agent",    "probe.deadline-too-short",
    "probe.lost-after-ready",    NULL};
static const char *const by_agent_killed[] = {"agent.crash-loop",
                                              "agent.hung",
                                              "supervisor.command-failed",
                                              "supervisor.silent-exit",
                                              "probe.deadline-too-short",
                                              "probe.lost-after-ready",
                                              NULL};
static const char *const by_agent_crash_loop[] = {"agent.hung", "probe.deadline-too-short",
                                                  "probe.lost-after-ready", NULL};
static const char *const by_agent_hung[] = {"agent.unresponsive", "probe.deadline-too-short", NULL};
static const char *const by_agent_unresponsive[] = {"probe.deadline-too-short",
                                                    "probe.lost-after-ready", NULL};

static const struct cause table[] = {
    {"host.kvm-unavailable", "host", "Hardware virtualisation does not work on this host",
     "Check `ls -l /dev/kvm` and that your user is in group kvm; in the BIOS, or on the outer "
     "hypervisor, virtualisation must be on. Until then boot with `--set qemu_accelerator=tcg`.",
     by_host_kvm_unavailable},
    {"host.disk-full", "host", "No space left on the host for VM files or logs",
     "Run `df -h` on the directory of the run and of the images, and free space: delete old run "
     "directories or move the output elsewhere with --out.",
     by_host_disk_full},
    {"host.memory-exhausted", "host", "The host's OOM killer ended the VMM",
     "Run `dmesg -T | grep -i oom` and `free -m` on the host. Boot fewer VMs at once (-j), or give "
     "each less memory.",
     by_host_memory_exhausted},
    {"host.tap-unavailable", "host", "The TAP device is missing, busy or not permitted",
     "Run `ip tuntap show` and `fuser /dev/net/tun`: delete the left-over TAP or stop the VMM that "
     "still holds it, and check that the VMM may open it (CAP_NET_ADMIN, or the TAP's owner).",
     by_host_tap_unavailable},
    {"host.bridge-misconfigured", "host",
     "Bridge down, without its address, or in another subnet than the guest",
     "Run `ip addr show` and `bridge link` on the host: the bridge must be up, hold the gateway's "
     "address, be in the guest's subnet, and have the guest's TAP as a port.",
     by_host_bridge_misconfigured},
    {"host.vnet-hdr-missing", "host", "TAP without vnet_hdr: ARP works, IP does not",
     "Create the TAP with vnet_hdr: `ip tuntap add dev NAME mode tap vnet_hdr`. `ip -d link show "
     "NAME` tells whether it has it.",
     by_host_bridge_misconfigured},
    {"host.dhcp-server-silent", "host", "The guest asks for a lease and nobody answers",
     "Check that the DHCP server runs and listens on the guests' bridge (`ss -lunp | grep :67`), "
     "that its range has free leases, and that no firewall rule drops UDP 67.",
     by_host_dhcp_server_silent},
    {"host.address-conflict", "host", "Two machines answer for the guest's address",
     "Find the second owner with `arping -D -I BRIDGE ADDRESS` and `ip neigh`, and stop that VM, "
     "or release its address, before the next boot.",
     by_host_address_conflict},
    {"host.overloaded", "host", "The host was too busy: the boot was starved",
     "Look at load and steal in the record, boot fewer VMs at once (-j 1) and try again before you "
     "blame the guest.",
     by_host_overloaded},
    {"controller.unreachable", "controller", "Nothing answers on the controller's port",
     "Check that the controller runs and listens (`ss -ltnp`). While it makes a VM it can be mute "
     "for a minute: wait 90 s before you call it dead.",
     by_controller_unreachable},
    {"controller.error", "controller", "The controller answers with a server error",
     "Read the error text above, then the controller's own log at that time; it failed, not the "
     "guest.",
     by_controller_unreachable},
    {"controller.rejected", "controller", "The controller refused the request",
     "Read the reason in the answer: a wrong provider, a missing field, or a user that the "
     "controller does not know. Correct the request in the target.",
     by_controller_rejected},
    {"controller.rate-limited", "controller", "The controller limits our requests",
     "Wait for the limit's window to pass and boot fewer VMs per minute, or raise the controller's "
     "limit for this deployment.",
     by_controller_rate_limited},
    {"controller.vm-creation-failed", "controller", "The session exists, its VM never does",
     "Look in the controller's log for this session: cloning the root image or starting the VMM "
     "failed there. Check disk space and the time a clone takes.",
     by_controller_vm_creation_failed},
    {"controller.ip-pool-exhausted", "controller", "No free guest address",
     "List the controller's VMs and destroy those that are left over, so that their addresses are "
     "free again.",
     by_controller_rate_limited},
    {"controller.premature-cleanup", "controller", "The VM was destroyed before the deadline",
     "Compare the controller's readiness timeout with the deadline of the target: the controller "
     "gave up first. Raise its timeout, or lower the deadline.",
     by_controller_premature_cleanup},
    {"vmm.binary-missing", "vmm", "The VMM program was not found or cannot be executed",
     "Install the VMM, or correct its path in the target, and check that it is executable: "
     "`command -v qemu-system-x86_64`.",
     by_vmm_binary_missing},
    {"vmm.config-invalid", "vmm", "The VMM rejects its configuration",
     "Read the VMM's message above, correct the member of the target that it names, and run the "
     "record's command by hand to check.",
     by_vmm_config_invalid},
    {"vmm.api-socket-stale", "vmm", "A left-over API socket blocks the VMM",
     "Check that no VMM still uses the socket (`ss -xlp`), then delete the file and boot again.",
     by_vmm_binary_missing},
    {"vmm.kernel-missing", "vmm", "Kernel image not found or not readable",
     "Correct \"kernel\" in the target, or build the image again; `ls -l` the path that the VMM "
     "names.",
     by_vmm_binary_missing},
    {"vmm.kernel-invalid", "vmm", "The kernel image has the wrong format",
     "Check the image with `file`: Firecracker wants an uncompressed ELF vmlinux, QEMU a bzImage "
     "or a PVH vmlinux. Extract it with the kernel's scripts/extract-vmlinux.",
     by_vmm_binary_missing},
    {"vmm.initrd-missing", "vmm", "Initrd not found",
     "Correct \"initrd\" in the target, or build the image again; `ls -l` the path that the VMM "
     "names.",
     by_vmm_binary_missing},
    {"vmm.rootfs-missing", "vmm", "Root drive not found or not permitted",
     "Correct \"rootfs\" in the target, or build the image again; `ls -l` the path that the VMM "
     "names, and check that no other VM has it locked.",
     by_vmm_binary_missing},
    {"vmm.logger-missing", "vmm", "The VMM's log or metrics file cannot be opened",
     "Create the log and metrics files before the start (`touch`), in a directory that the VMM may "
     "write to.",
     by_vmm_binary_missing},
    {"vmm.crashed", "vmm", "The VMM died from a signal or exited non-zero after start",
     "Read the VMM's last lines and its exit status. Then run the record's command by hand; if it "
     "happens again it is a fault of the VMM or of its host, not of the guest.",
     by_vmm_crashed},
    {"vmm.guest-reset", "vmm",
     "The VMM ended normally because the guest reset or powered off during boot, console does not "
     "say why",
     "The guest switched itself off and did not say why: boot again without `quiet`, with "
     "`loglevel=7 panic=0` on the kernel command line, so that the reason stays on the console.",
     by_vmm_guest_reset},
    {"vmm.start-timeout", "vmm", "The VMM started but never began to run the guest",
     "Look at the VMM's own log. If it used no CPU time it waits for something: a socket, a lock "
     "on the image, or a debugger (-S) that nobody continues.",
     by_vmm_start_timeout},
    {"kernel.no-console-output", "kernel", "The console stayed empty although the guest runs",
     "Put `console=ttyS0` on the kernel command line and check that the kernel has a driver for "
     "that serial port (CONFIG_SERIAL_8250_CONSOLE=y).",
     by_kernel_no_console_output},
    {"kernel.out-of-memory", "kernel", "The kernel ran out of memory while booting",
     "Give the guest more memory (--set memory_mib=512 or more). If it had enough, look for a too "
     "large initrd or for a crashkernel= or hugepages reservation.",
     by_kernel_out_of_memory},
    {"kernel.root-device-missing", "kernel", "The kernel or initramfs never saw the root device",
     "Compare root= on the command line with the drive that the VMM attaches, and check that the "
     "kernel or the initramfs has virtio_blk (and virtio_pci or virtio_mmio).",
     by_kernel_root_device_missing},
    {"kernel.root-mount-failed", "kernel", "The root device is there, mounting failed",
     "Check the image with `e2fsck -fn` and `file`: the kernel sees the drive and cannot mount "
     "what is on it. Compare rootfstype= and the file systems that the kernel has.",
     by_kernel_root_mount_failed},
    {"kernel.init-failed", "kernel", "No init could be started, or init died",
     "Check that the image has an executable /sbin/init, with its interpreter and libraries, for "
     "the guest's architecture; an init= on the command line must name a file that exists.",
     by_kernel_init_failed},
    {"kernel.initramfs-failed", "kernel", "The initramfs is broken or dropped to its shell",
     "Build the initramfs again and check that it unpacks (`lsinitramfs FILE`, or `zcat FILE | "
     "cpio -t`). The lines just before its prompt name what it missed.",
     by_kernel_initramfs_failed},
    {"kernel.panic", "kernel", "Another kernel panic",
     "Read the panic line and the call trace below it. If only this image shows it, boot the last "
     "good kernel with this root image, and the reverse, to see which of them brings it.",
     by_kernel_initramfs_failed},
    {"kernel.oops", "kernel", "A kernel oops, BUG or GPF on the way",
     "Read the oops (RIP and call trace name the driver). Boot the last good kernel; if the oops "
     "is gone, it is the kernel or one of its modules.",
     by_kernel_oops},
    {"kernel.hung", "kernel", "The kernel stopped making progress",
     "Boot again with `loglevel=7` and look at the last line: it names the driver or the CPU that "
     "hangs. If the host was busy or KVM does not really work, fix that first.",
     by_kernel_hung},
    {"rootfs.corrupt", "rootfs", "The root file system is damaged",
     "Check the image with `e2fsck -fn`, and replace it by a good copy. If fresh copies are "
     "damaged too, they are made while the original is mounted or being written.",
     by_rootfs_corrupt},
    {"rootfs.read-only", "rootfs", "The root file system is mounted read-only",
     "Attach the drive writable and put `rw` on the kernel command line; check that the image file "
     "itself may be written by the VMM.",
     by_rootfs_read_only},
    {"rootfs.full", "rootfs", "The guest's disk is full",
     "Make the image's file system larger (`truncate -s +1G IMG; e2fsck -f IMG; resize2fs IMG`) or "
     "clear it up: `df -h`, also `df -i`.",
     by_rootfs_read_only},
    {"rootfs.agent-not-installed", "rootfs",
     "The agent or its unit is not in the image, or not enabled",
     "Mount the image and check that the unit file is in /etc/systemd/system and has a link in "
     "multi-user.target.wants (`systemctl --root=DIR is-enabled UNIT`).",
     by_rootfs_agent_not_installed},
    {"rootfs.stale-image", "rootfs", "Another image or agent build runs than the one under test",
     "Compare the image's hash and time stamp in the record with what you built; build it again, "
     "or correct \"rootfs\" in the target.",
     by_rootfs_stale_image},
    {"init.emergency-mode", "init", "systemd dropped to emergency or rescue mode",
     "The lines just before `emergency mode` name the mount or unit that failed: correct it in the "
     "image's /etc/fstab (or add nofail) and boot again.",
     by_init_emergency_mode},
    {"init.dependency-failed", "init",
     "The agent did not start because a unit that it requires failed",
     "Repair the failed unit that is named above, or weaken Requires= to Wants= in the agent's "
     "unit if the agent can do without it.",
     by_init_dependency_failed},
    {"init.job-waiting", "init", "The agent's start job is still queued behind another job",
     "Find out why the job that is still running does not end; if the agent does not need it, take "
     "it out of After=/Wants= (typical: network-online.target), or raise the deadline above that "
     "job's limit.",
     by_init_job_waiting},
    {"init.unit-masked", "init", "The agent's unit is masked",
     "Unmask it in the image: `systemctl --root=DIR unmask UNIT` (a link to /dev/null in "
     "/etc/systemd/system), then enable it.",
     by_init_unit_masked},
    {"init.unit-invalid", "init", "The agent's unit file has an error that keeps it from starting",
     "Check the unit with `systemd-analyze verify FILE`; the line above names the setting, the "
     "user, the directory or the file that does not exist.",
     by_init_unit_invalid},
    {"init.unit-start-timeout", "init", "A start job of the agent or its dependency timed out",
     "Look at what the unit was doing when it timed out. If it is only slow raise "
     "TimeoutStartSec=; if it waits for something that never comes, repair that.",
     by_init_unit_start_timeout},
    {"init.ordering-cycle", "init", "systemd broke an ordering cycle by deleting the agent's job",
     "Break the cycle: the lines above name its units; `systemd-analyze verify default.target` in "
     "the image shows it. Remove one After= or Before=.",
     by_init_unit_start_timeout},
    {"init.not-reached", "init",
     "systemd started and stopped making progress before the agent's target",
     "Look at the last job lines before the silence. Boot again with `systemd.log_level=debug "
     "systemd.log_target=console` to see what systemd waits for.",
     by_init_not_reached},
    {"network.driver-missing", "network", "The guest has no driver for its NIC",
     "Put virtio_net into the image: install the modules of exactly this kernel version under "
     "/lib/modules (compare `uname -r`), or add virtio_net to the initramfs.",
     by_network_driver_missing},
    {"network.device-missing", "network", "The VM has no NIC at all",
     "The VM has no network card: add one in the target (QEMU: -device virtio-net-pci, "
     "Firecracker: network-interfaces).",
     by_network_device_missing},
    {"network.interface-renamed", "network",
     "The NIC has another name than the configuration expects",
     "Put `net.ifnames=0` on the kernel command line, or make the network configuration match the "
     "name that the interface has now.",
     by_network_interface_renamed},
    {"network.link-down", "network", "The interface never got carrier",
     "Check that the host's side of the NIC is up and has carrier (`ip link`), and that something "
     "in the guest sets the interface up.",
     by_network_link_down},
    {"network.no-lease", "network", "The DHCP client got no lease (server's part unknown)",
     "Check that a DHCP server answers on that network: capture with `tcpdump -ni BRIDGE port 67`. "
     "DISCOVER without OFFER: the server; no DISCOVER: the guest.",
     by_network_no_lease},
    {"network.not-configured", "network", "Nobody configured the interface",
     "Check in the image that the network service is enabled and has a configuration that matches "
     "the interface (/etc/systemd/network/*.network with Name=, or /etc/network/interfaces).",
     by_network_no_lease},
    {"network.static-invalid", "network", "The static configuration is wrong",
     "Correct the address, mask or gateway on the line above (ip= on the command line, or the "
     ".network file): a placeholder was left in, or the subnet is another than the bridge's.",
     by_network_static_invalid},
    {"network.address-mismatch", "network", "The guest has an address, not the one that is probed",
     "Compare the address that the guest got with the one that is probed: correct the lease or "
     "reservation for its MAC, or the address in the target.",
     by_network_address_mismatch},
    {"network.filtered", "network", "The guest drops the connections",
     "Look at the guest's firewall (`nft list ruleset`, `iptables -S`) and allow the service's "
     "port.",
     by_rootfs_agent_not_installed},
    {"supervisor.missing", "supervisor", "start-all.sh is not there",
     "Put the script where ExecStart= of the unit says, and build the image again.",
     by_supervisor_missing},
    {"supervisor.not-executable", "supervisor", "start-all.sh may not be executed",
     "Make the script executable in the image (`chmod 755`), and check that its file system is not "
     "mounted noexec.",
     by_supervisor_not_executable},
    {"supervisor.bad-interpreter", "supervisor",
     "start-all.sh names an interpreter that does not exist",
     "Correct the script's first line: the interpreter that it names must exist in the guest. "
     "Check it for Windows line ends (`head -1 FILE | od -c`; `sed -i 's/\\r$//'` removes them).",
     by_supervisor_not_executable},
    {"supervisor.syntax-error", "supervisor", "start-all.sh does not parse",
     "Run `bash -n` on the script and correct the line that is named above.",
     by_supervisor_missing},
    {"supervisor.unbound-variable", "supervisor",
     "start-all.sh uses an unset variable under set -u",
     "Set the variable that is named above in the unit's environment (Environment=, or the file of "
     "EnvironmentFile=), or give it a default in the script: ${NAME:-value}.",
     by_supervisor_missing},
    {"supervisor.command-failed", "supervisor",
     "A command in start-all.sh failed and set -e ended it",
     "The line above names the command: install it, correct its path, or let the script go on "
     "without it (`|| true`).",
     by_supervisor_command_failed},
    {"supervisor.silent-exit", "supervisor", "start-all.sh ended before its first line of output",
     "Run the script by hand in the image (`bash -x`), or add `set -x` and look at `journalctl -u "
     "UNIT`: it ends before it says anything.",
     by_supervisor_silent_exit},
    {"supervisor.stuck", "supervisor", "start-all.sh waits for ever before it starts the agent",
     "The last line of the script names what it waits for: repair that, or give the wait a limit.",
     by_supervisor_stuck},
    {"supervisor.kills-agent", "supervisor",
     "start-all.sh stops the agent because another child ended",
     "Look at why the other child ended first (its own lines are above), and do not stop the agent "
     "for it.",
     by_supervisor_kills_agent},
    {"agent.runtime-missing", "agent", "The agent's runtime (node) is not there",
     "Install the runtime (node) in the image, or correct its path and PATH= in the unit.",
     by_agent_runtime_missing},
    {"agent.runtime-incompatible", "agent", "The agent's code needs another runtime version",
     "Install the runtime version that the agent's code needs (its package.json: engines); compare "
     "with `node --version` in the image.",
     by_agent_runtime_missing},
    {"agent.library-missing", "agent", "A shared library is missing",
     "Install the package that holds the library named above, for the same release as the image: "
     "`ldd` on the program shows all that are missing.",
     by_agent_runtime_missing},
    {"agent.module-missing", "agent", "A module of the agent is missing",
     "Install the module that is named above: run `npm ci` in the agent's directory when the image "
     "is built, and check that node_modules is copied into it.",
     by_agent_runtime_missing},
    {"agent.script-missing", "agent", "The agent's entry file is missing",
     "Put the agent's entry file where the supervisor script starts it, and build the image again.",
     by_agent_script_missing},
    {"agent.config-missing", "agent", "A required setting is absent",
     "Set the setting that is named above in the unit's environment (Environment=, or the file of "
     "EnvironmentFile=) when the image is made.",
     by_agent_runtime_missing},
    {"agent.port-in-use", "agent", "Port 8080 is taken in the guest",
     "Find what already listens on that port in the guest (`ss -ltnp`): most often a second copy "
     "of the agent, or another unit.",
     by_agent_runtime_missing},
    {"agent.bind-denied", "agent", "The agent may not bind its address",
     "Check the address and port that the agent binds: the address must be one of the guest's own "
     "(use 0.0.0.0), a port below 1024 needs CAP_NET_BIND_SERVICE.",
     by_agent_runtime_missing},
    {"agent.bind-loopback", "agent", "The agent listens on loopback only",
     "Let the agent listen on 0.0.0.0 (or on the guest's address) instead of 127.0.0.1.",
     by_rootfs_agent_not_installed},
    {"agent.wrong-port", "agent", "The agent listens on another port",
     "Make the agent's port and the target's \"service.port\" agree: see PORT in the unit's "
     "environment.",
     by_agent_wrong_port},
    {"agent.exception", "agent", "The agent died of an uncaught exception",
     "Read the error and the first line of the stack that is in the agent's own code; start the "
     "agent by hand in the image to see it again.",
     by_agent_exception},
    {"agent.out-of-memory", "agent", "The agent ran out of memory",
     "Give the guest more memory, or the agent less to do: compare memory_mib, the unit's "
     "MemoryMax= and node's --max-old-space-size.",
     by_agent_runtime_missing},
    {"agent.killed", "agent", "The agent died of a signal",
     "The signal is named above: for SEGV, ILL or ABRT reinstall the runtime and compare the CPU "
     "model with what it was built for; for KILL look for a memory limit.",
     by_agent_killed},
    {"agent.crash-loop", "agent", "The agent dies again and again, its output does not say why",
     "Its output is lost: let the unit write to the console (StandardOutput=journal+console), or "
     "run the agent by hand in the image.",
     by_agent_crash_loop},
    {"agent.hung", "agent", "The agent runs and never listens",
     "Look at what the agent waits for before it listens (an address, a lock, a server that does "
     "not answer): start it by hand with `strace -f`, or with `node --cpu-prof`.",
     by_agent_hung},
    {"agent.unhealthy", "agent", "Something answers on 8080, but not with health",
     "Ask it by hand (`curl -i`) and read the body; check that \"service.health_path\" is right "
     "and that nothing else took the port.",
     by_rootfs_agent_not_installed},
    {"agent.unresponsive", "agent", "8080 accepts and never answers",
     "It accepts and does not answer: its event loop is blocked. Look for synchronous work in the "
     "agent, or send SIGUSR1 and attach an inspector.",
     by_agent_unresponsive},
    {"agent.companion-down", "agent", "8080 answers, another required port of the target does not",
     "Look at the unit of the further port that is named above: `systemctl status` in the guest, "
     "or its lines on the console.",
     NULL},
    {"agent.clock-skew", "agent", "The guest's clock breaks the agent",
     "Set the guest's clock: give it an RTC or kvm-clock, and start time synchronisation before "
     "the agent.",
     by_agent_runtime_missing},
    {"probe.deadline-too-short", "probe", "The boot was healthy and slow; the deadline came first",
     "Nothing is broken: raise the deadline (--set deadline_ms=...) above the time that good boots "
     "need here, or make the host less busy.",
     NULL},
    {"probe.wrong-target", "probe", "The probe asked the wrong address or port",
     "Correct the address or the port in the target: the agent listens on the one that is quoted "
     "above.",
     by_probe_wrong_target},
    {"probe.stale-responder", "probe", "The answer came from something else than this boot",
     "Something else answers there: stop the old VM or program that holds the address or port, and "
     "boot again.",
     by_rootfs_agent_not_installed},
    {"probe.lost-after-ready", "probe", "It answered once, then stopped",
     "It came up and went away again: look at what the console says after the ready line, and "
     "raise settle_ms so that such boots do not count as ready.",
     NULL},
    {"unknown", "unknown", "No cause could be named",
     "Compare with good boots: the first missing milestone and the novel lines show where this "
     "boot went another way. Add a rule when you have found out.",
     NULL},
};

enum { N_CAUSES = sizeof(table) / sizeof(table[0]) };

static const struct {
    const char *layer, *key;
} own_layers[] = {
    {"host", "host.own"},       {"controller", "controller.own"}, {"vmm", "vmm.own"},
    {"kernel", "kernel.own"},   {"rootfs", "rootfs.own"},         {"init", "init.own"},
    {"network", "network.own"}, {"supervisor", "supervisor.own"}, {"agent", "agent.own"},
    {"probe", "probe.own"},
};

const struct cause *causes_all(size_t *ret_n)
{
    *ret_n = N_CAUSES;
    return table;
}

static size_t position(const char *id)
{
    for (size_t i = 0; i < N_CAUSES; i++)
        if (strcmp(table[i].id, id) == 0)
            return i;
    return N_CAUSES;
}

const struct cause *cause_find(const char *id)
{
    size_t at = position(id);
    return at < N_CAUSES ? &table[at] : NULL;
}

/* A layer whose own key is that; -1: none. */
static int own_layer(const char *key)
{
    for (size_t i = 0; i < sizeof(own_layers) / sizeof(own_layers[0]); i++)
        if (strcmp(own_layers[i].key, key) == 0)
            return (int)i;
    return -1;
}

static size_t first_of(const char *layer)
{
    size_t first = 0;
    while (first < N_CAUSES && strcmp(table[first].layer, layer) != 0)
        first++;
    return first;
}

size_t cause_rank(const char *id)
{
    int own = own_layer(id);
    return own >= 0 ? first_of(own_layers[own].layer) : position(id);
}

const char *cause_own_key(const char *layer)
{
    for (size_t i = 0; i < sizeof(own_layers) / sizeof(own_layers[0]); i++)
        if (strcmp(own_layers[i].layer, layer) == 0)
            return own_layers[i].key;
    return NULL;
}

bool cause_is_layer(const char *layer)
{
    return cause_own_key(layer) != NULL;
}

bool cause_in_layer(const char *id, const char *layer)
{
    size_t n = strlen(layer);
    return strncmp(id, layer, n) == 0 && id[n] == '.';
}

static bool names(const char *pattern, const char *id)
{
    size_t len = strlen(pattern);
    if (len > 1 && pattern[len - 1] == '*')
        return strncmp(pattern, id, len - 1) == 0;
    return strcmp(pattern, id) == 0;
}

/* `seen` keeps the walk linear, and finite should the table ever have a cycle. */
static bool explains(size_t from, const char *other, bool seen[static N_CAUSES])
{
    const char *const *list = table[from].explains;
    seen[from] = true;
    for (; list != NULL && *list != NULL; list++) {
        if (names(*list, other))
            return true;
        for (size_t i = 0; i < N_CAUSES; i++)
            if (!seen[i] && names(*list, table[i].id) && explains(i, other, seen))
                return true;
    }
    return false;
}

static bool own_explains(const char *layer, const char *other)
{
    size_t first = first_of(layer);
    if (cause_rank(other) < first)
        return false;
    for (size_t i = first; i < N_CAUSES; i++) {
        bool seen[N_CAUSES] = {false};
        if (strcmp(table[i].layer, layer) == 0 && explains(i, other, seen))
            return true;
    }
    return false;
}

bool cause_explains(const char *cause, const char *other)
{
    bool seen[N_CAUSES] = {false};
    size_t at = position(cause);
    int own = own_layer(cause);
    if (strcmp(cause, other) == 0)
        return false;
    if (own >= 0)
        return own_explains(own_layers[own].layer, other);
    return at < N_CAUSES && explains(at, other, seen);
}
