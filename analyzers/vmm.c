/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmm: what QEMU and Firecracker say on stderr, and how the process ended. Their texts are matched
 * by the stable part: outer layers of a message differ between versions.
 */
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/causes.h"

static const struct rule rules[] = {
    {
        .id = "vmm.kernel-not-opened",
        .file = RULE_VMM_LOG,
        .cause = "vmm.kernel-missing",
        .severity = SEVERITY_FATAL,
        .confidence = 0.97,
        .pattern = "could not open kernel file '?([^']*)|The kernel file cannot be "
                   "opened|could not load "
                   "kernel '([^']*)': (?:No such file|Permission)",
        .literal = "kernel",
        .summary = "The VMM cannot open the kernel image $1$2",
        .sample = "qemu-system-x86_64: could not open kernel file '/images/vmlinuz': No such file "
                  "or directory",
        .near_miss = "qemu-system-x86_64: linux kernel too old to load a ram disk",
    },
    {
        .id = "vmm.kernel-format",
        .file = RULE_VMM_LOG,
        .cause = "vmm.kernel-invalid",
        .severity = SEVERITY_FATAL,
        .confidence = 0.97,
        .pattern = "invalid kernel header|InvalidElfMagicNumber|Invalid Elf magic number|Cannot "
                   "load kernel "
                   "due to invalid (?:memory configuration or invalid )?kernel image|Error loading "
                   "uncompressed kernel without PVH ELF Note|kernel too old",
        .summary = "The kernel image has a format that this VMM cannot boot",
        .sample = "qemu: invalid kernel header",
        .near_miss =
            "qemu-system-x86_64: could not open kernel file '/images/vmlinuz': No such file",
    },
    {
        .id = "vmm.initrd-not-opened",
        .file = RULE_VMM_LOG,
        .cause = "vmm.initrd-missing",
        .severity = SEVERITY_FATAL,
        .confidence = 0.97,
        .pattern = "error reading initrd ([^:]*)|could not load (?:initrd|ramdisk) '?([^':]*)|The "
                   "initrd file "
                   "cannot be opened",
        .literal = NULL,
        .summary = "The VMM cannot open the initrd $1$2",
        .sample = "qemu: error reading initrd /images/initrd: Failed to open file: No such file or "
                  "directory",
        .near_miss = "qemu: initrd is too large",
    },
    {
        .id = "vmm.drive-not-opened",
        .file = RULE_VMM_LOG,
        .cause = "vmm.rootfs-missing",
        .severity = SEVERITY_FATAL,
        .confidence = 0.95,
        .pattern =
            "Could not open '([^']*)': (?:No such file|Permission denied|Is a directory)|Error "
            "manipulating the backing file|Unable to create the (?:virtio )?block device",
        .summary = "The VMM cannot open the drive $1",
        .sample = "qemu-system-x86_64: -drive if=none,id=root,file=/images/x.ext4: Could not open "
                  "'/images/x.ext4': No such file or directory",
        .near_miss = "qemu-system-x86_64: Could not open 'x': No space left on device",
    },
    {
        .id = "vmm.image-locked",
        .file = RULE_VMM_LOG,
        .cause = "vmm.rootfs-missing",
        .severity = SEVERITY_FATAL,
        .confidence = 0.85,
        .pattern = "Failed to get (?:shared )?\"(?:write|consistent read)\" lock|Is another "
                   "process using the "
                   "image",
        .summary = "Another process has the drive's image locked",
        .sample = "qemu-system-x86_64: -drive file=x: Failed to get \"write\" lock",
        .near_miss = "qemu-system-x86_64: lock released",
    },
    {
        .id = "vmm.socket-in-use",
        .file = RULE_VMM_LOG,
        .cause = "vmm.api-socket-stale",
        .severity = SEVERITY_FATAL,
        .confidence = 0.95,
        .pattern = "FailedToBindSocket|Failed to open the API socket|(?:Failed to bind "
                   "socket|bind).*: Address "
                   "already in use",
        .summary = "The VMM's API socket is still there from an earlier VM",
        .sample = "Error: RunWithApi(FailedToBindSocket(\"/run/vm.sock\"))",
        .near_miss = "qemu-system-x86_64: -netdev user: Could not set up host forwarding rule "
                     "'tcp::1-:2'",
    },
    {
        .id = "vmm.forward-refused",
        .file = RULE_VMM_LOG,
        .cause = "vmm.config-invalid",
        .severity = SEVERITY_FATAL,
        .confidence = 0.85,
        .pattern = "Could not set up host forwarding rule '([^']*)'",
        .literal = "Could not set up host forwarding rule",
        .summary = "The host port of the forwarding rule $1 is taken",
        .sample = "qemu-system-x86_64: -netdev user,id=n0: Could not set up host forwarding rule "
                  "'tcp:127.0.0.1:8080-:8080'",
        .near_miss = "qemu-system-x86_64: warning: netdev n0 has no peer",
    },
    {
        .id = "vmm.logger",
        .file = RULE_VMM_LOG,
        .cause = "vmm.logger-missing",
        .severity = SEVERITY_FATAL,
        .confidence = 0.93,
        .pattern = "LoggerUpdateError|Failed to open target file|(?:logger|metrics).*No such file",
        .summary = "The VMM cannot open its log or metrics file",
        .sample =
            "LoggerUpdateError(\"Failed to open target file: /x: No such file or directory\")",
        .near_miss = "Successfully started the logger",
    },
    {
        .id = "vmm.config-refused",
        .file = RULE_VMM_LOG,
        .cause = "vmm.config-invalid",
        .severity = SEVERITY_FATAL,
        .confidence = 0.8,
        .pattern =
            "(?:fault_message|deserializ|[uU]nknown field|Configuration for VMM from one "
            "single "
            "json "
            "failed|is not a valid device model name|unsupported machine type|invalid option|"
            "Property '[^']*' not found|(?:Parameter|Invalid parameter) '[^']*'|UNIX socket "
            "path "
            "'[^']*' is too long|unable to find CPU model|invalid accelerator|Cannot start "
            "microvm "
            "without kernel|A root block device already exists|The MAC address is already in "
            "use)",
        .summary = "The VMM does not accept its configuration",
        .sample = "qemu-system-x86_64: -device virtio-nett-pci: 'virtio-nett-pci' is not a valid "
                  "device model "
                  "name",
        .near_miss =
            "qemu-system-x86_64: warning: TCG doesn't support requested feature: CPUID.01H:ECX",
    },
    {
        .id = "vmm.assertion",
        .file = RULE_VMM_LOG,
        .cause = "vmm.crashed",
        .severity = SEVERITY_FATAL,
        .confidence = 0.85,
        .pattern = "Assertion `.*' failed|^thread '[^']*' panicked at|Received "
                   "KVM_EXIT_INTERNAL_ERROR|"
                   "KVM_EXIT_FAIL_ENTRY|error: kvm run failed|KVM internal error|\\bbad syscall\\b",
        .summary = "The VMM itself crashed",
        .sample = "qemu-system-x86_64: ../target/i386/kvm/kvm.c:2952: kvm_buf_set_msrs: Assertion "
                  "`ret == "
                  "cpu->kvm_msr_buf->nmsrs' failed.",
        .near_miss = "qemu-system-x86_64: terminating on signal 15 from pid 24190 (python3)",
    },
};

/* The backend knows best what failed: it saw the errno. */
static void judge_error(const struct record *record, struct findings *findings)
{
    if (record->vmm.error == NULL)
        return;
    const struct cause *cause =
        record->vmm.error_cause != NULL ? cause_find(record->vmm.error_cause) : NULL;
    struct finding *finding =
        findings_add(findings, "vmm.error", cause != NULL ? cause->id : "vmm.config-invalid",
                     SEVERITY_FATAL, cause != NULL ? 0.97 : 0.4);
    finding_say(finding,
                record->end == RECORD_END_START_FAILED ? "The VM could not be started: %s"
                                                       : "The VMM or its console failed: %s",
                record->vmm.error);
    finding_fact(finding, 0, "vmm.error: %s", record->vmm.error);
}

/* Exit 0 is what a guest's reset, its power-off and (with panic=) its panic look like from outside.
 */
static void judge_exit(const struct evidence *evidence, struct findings *findings)
{
    const struct record *record = evidence->record;
    bool exited = record->end == RECORD_END_VMM_EXIT || record->end == RECORD_END_START_FAILED;
    if (!exited || (record->vmm.exit_code < 0 && record->vmm.signal == 0))
        return;
    bool clean = record->vmm.signal == 0 && record->vmm.exit_code == 0;
    struct finding *finding =
        clean ? findings_add(findings, "vmm.ended", "vmm.guest-reset", SEVERITY_ERROR, 0.6)
              : findings_add(findings, "vmm.died", "vmm.crashed", SEVERITY_ERROR, 0.7);
    const struct hit *reboot = evidence_last(evidence, "kernel.reboot");
    if (clean)
        finding_say(finding, "The guest reset or switched itself off before it was ready, and the "
                             "console does not say why");
    else if (record->vmm.signal != 0)
        finding_say(finding, "The VMM was killed by signal %d (%s)", record->vmm.signal,
                    strsignal(record->vmm.signal));
    else
        finding_say(finding, "The VMM ended with exit status %d", record->vmm.exit_code);
    if (reboot != NULL)
        finding_hit(finding, reboot);
    else if (evidence->last_vmm_line.line > 0 && !clean)
        finding_quote(finding, &evidence->last_vmm_line);
    finding_fact(finding, record->ended_ms, "vmm: exit status %d, signal %d after %lld ms",
                 record->vmm.exit_code, record->vmm.signal, (long long)record->ended_ms);
    if (clean && evidence->last_line.line > 0)
        finding_quote(finding, &evidence->last_line);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_error(evidence->record, findings);
    judge_exit(evidence, findings);
}

const struct analyzer analyzer_vmm = {
    .name = "vmm",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
