/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmm_start: why QEMU or Firecracker refused to start, as their stderr or log says it. Their texts
 * are matched by the stable part: outer layers of a message differ between versions. What the host
 * lacked stands in host.c, how the process ended in vmm.c.
 *
 * Sources of the wording: QEMU 5.2 to 9.2 (hw/i386/x86.c, hw/core/loader.c, block.c,
 * block/file-posix.c, util/qemu-sockets.c, system/vl.c, qom/object.c), Firecracker 0.22 to 1.14
 * (src/firecracker/src/main.rs, src/vmm/src/builder.rs, src/vmm/src/vmm_config).
 */
#include "analyzers/analyzer.h"

static const struct rule rules[] = {
    {
        .id = "vmm.program-missing",
        .file = RULE_VMM_LOG,
        .cause = "vmm.binary-missing",
        .severity = SEVERITY_FATAL,
        .confidence = 0.95,
        .pattern =
            "(?:^|[\\s/'\"])((?:qemu-system-\\w+|qemu-kvm|firecracker|jailer)[\\w.-]*)['\"]?: "
            "(?:command not found|not found|No such file or directory|Permission denied|cannot "
            "execute|Exec format error|error while loading shared libraries|/\\S+: version "
            "`GLIBC\\S*' not found)|\\bspawn \\S*(?:firecracker|jailer|qemu)\\S* (?:ENOENT|EACCES)",
        .summary = "The VMM $1 cannot be executed",
        .sample = "bash: line 1: /usr/local/bin/firecracker: No such file or directory",
        .near_miss = "qemu-system-x86_64: could not open kernel file '/x': No such file or "
                     "directory",
    },
    {
        .id = "vmm.kernel-not-opened",
        .file = RULE_VMM_LOG,
        .cause = "vmm.kernel-missing",
        .severity = SEVERITY_FATAL,
        .confidence = 0.97,
        .pattern =
            "could not open kernel file '?([^']*)|The kernel file cannot be opened|[cC]ould not "
            "load kernel '([^']*)': (?:No such file|Permission)|\\bInvalidKernelPath\\b",
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
        .pattern =
            "invalid kernel header|InvalidElfMagicNumber|Invalid Elf magic number|Cannot load "
            "kernel due to invalid (?:memory configuration or invalid )?kernel image|Error loading "
            "uncompressed kernel without PVH ELF Note|kernel too old|\\bKernelLoader\\((?!.*(?:"
            "NotFound|No such file))|[kK]ernel [lL]oader: |[fF]ailed to load ELF kernel image|"
            "[cC]ould not load kernel '[^']*'(?!: (?:No such file|Permission))",
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
        .pattern =
            "error reading initrd ([^:]*)|could not load (?:initrd|ramdisk) '?([^':]*)|The initrd "
            "file cannot be opened|\\bInvalidInitrdPath\\b|could not open initrd",
        .summary = "The VMM cannot open the initrd $1$2",
        .sample = "qemu: error reading initrd /images/initrd: Failed to open file: No such file or "
                  "directory",
        .near_miss = "qemu: initrd is too large, cannot support.(max: 12, need 63258624)",
    },
    {
        .id = "vmm.drive-not-opened",
        .file = RULE_VMM_LOG,
        .cause = "vmm.rootfs-missing",
        .severity = SEVERITY_FATAL,
        .confidence = 0.95,
        .pattern =
            "Could not open '([^']*)': (?:No such file|Permission denied|Is a directory|Read-only "
            "file system|Not a directory|The device is not writable)|(?:Error manipulating the "
            "backing file|Unable to create the (?:virtio )?block device|\\bCannotOpenBlockDevice|"
            "Cannot open block device|Invalid block device path|InvalidBlockDevicePath|\\b"
            "BackingFile\\()(?!.*(?:os error 28|No space|code: 28))",
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
        .confidence = 0.93,
        .pattern = "Failed to get (?:shared )?\"(?:write|consistent read)\" lock|Is another "
                   "process using the image",
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
        .pattern =
            "\\bFailedToBindSocket\\b|Failed to open the API socket|(?:FailedToBindAndRunHttpServer"
            "|Failed to bind and run the HTTP server).*(?:[iI]n ?[uU]se|code: 98|os error 98)|"
            "Failed to bind socket to \\S+: Address already in use|Failed to (?:find an available "
            "port|listen on socket).*: Address already in use",
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
        .remedy = "Find who listens on that port of the host (`ss -ltnp`), stop it, or let the VMM "
                  "forward another one.",
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
        .pattern =
            "LoggerUpdateError|LoggerInitialization|MetricsInitialization|Could not initialize "
            "(?:logger|metrics)|Failed to open target file|Failed to initialize (?:the )?(?:logger|"
            "metrics)|(?:logger|metrics|log[ -]file).*No such file",
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
        .confidence = 0.85,
        .pattern =
            "(?:fault_message|deserializ|[uU]nknown field|missing field|Invalid JSON|Configuration "
            "for VMM from one single json failed|Failed to build MicroVM from Json: (?!.*[kK][vV]"
            "[mM] )|BuildMicroVMFromJson\\((?!StartMicroVM)|Unable to open or read from the "
            "configuration file|Argument(?:s)? parsing error|wasn't expected, or isn't valid in "
            "this context|InvalidKernelCommandLine|The vCPU number is invalid|The memory size "
            "\\(MiB\\) is invalid|API Resource IDs can only contain|Cannot start microvm without "
            "kernel|MissingKernelConfig|A root block device already exists|The MAC address is "
            "already in use|host device name \\S+ is already in use|Cannot load initrd due to|"
            "is not a valid device model name|unsupported machine type|\\binvalid option\\b|"
            "Property '[^']*' not found|(?:Parameter|Invalid parameter) '[^']*'|UNIX socket path "
            "'[^']*' is too long|unable to find CPU model|CPU model '[^']*' requires|invalid "
            "accelerator (?!kvm)|not compiled in(?:to)? this binary|Image is not in \\w+ format|"
            "Unknown driver '|Duplicate ID '|Bus '[^']*' not found|failed to find romfile|could "
            "not load PC BIOS|initrd is too large|[iI]nvalid RAM size|Invalid SMP CPUs)",
        .summary = "The VMM does not accept its configuration",
        .sample = "qemu-system-x86_64: -device virtio-nett-pci: 'virtio-nett-pci' is not a valid "
                  "device model name",
        .near_miss =
            "qemu-system-x86_64: warning: TCG doesn't support requested feature: CPUID.01H:ECX",
    },
    {
        /* QEMU names the option that it complains of, whatever the complaint. */
        .id = "vmm.option-refused",
        .file = RULE_VMM_LOG,
        .cause = "vmm.config-invalid",
        .severity = SEVERITY_ERROR,
        .confidence = 0.7,
        .pattern = "^(?:\\S*/)?qemu-system-\\w+: (-[a-z][\\w-]*)(?: [^:]*(?::[^: ][^:]*)*)?: "
                   "(?!warning|info)",
        .literal = "qemu-system-",
        .summary = "QEMU does not accept its option $1",
        .sample = "qemu-system-x86_64: -smp 300: number of SMP CPUs exceeds the maximum",
        .near_miss = "qemu-system-x86_64: -cpu max: warning: TCG doesn't support requested feature",
    },
};

const struct analyzer analyzer_vmm_start = {
    .name = "vmm-start",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
};
