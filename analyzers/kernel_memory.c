/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_memory: a guest without enough memory, as its kernel says it. Whom the OOM killer chose
 * decides whose fault it is: see lifetime.c.
 *
 * Sources of the wording: Linux 4.14 to 6.12 (mm/oom_kill.c, mm/page_alloc.c, mm/memblock.c,
 * arch/x86/kernel/setup.c, kernel/dma/swiotlb.c, init/initramfs.c).
 */
#include "analyzers/analyzer.h"

static const struct rule rules[] = {
    {
        .id = "kernel.oom-panic",
        .cause = "kernel.out-of-memory",
        .severity = SEVERITY_FATAL,
        .speaker = SPEAKER_KERNEL,
        .confidence = 0.98,
        .pattern = "^Kernel panic - not syncing: (System is deadlocked on memory|Out of memory.*)",
        .literal = "Kernel panic - not syncing: ",
        .summary = "The kernel panicked because it had no memory left: $1",
        .sample = "[    1.241547] Kernel panic - not syncing: System is deadlocked on memory",
        .near_miss = "[    5.646061] Kernel panic - not syncing: sysrq triggered crash",
    },
    {
        .id = "kernel.early-allocation-panic",
        .cause = "kernel.out-of-memory",
        .severity = SEVERITY_FATAL,
        .speaker = SPEAKER_KERNEL,
        .confidence = 0.95,
        .pattern =
            "^Kernel panic - not syncing: (?:\\S+: )?(?:Failed to allocate \\d+ bytes|Cannot find "
            "place for new (?:RAMDISK|INITRAMFS)|initrd too large to handle|(?:Can not|Cannot) "
            "allocate SWIOTLB|can not alloc(?:ate)? memory|[Oo]ut of memory)",
        .literal = "Kernel panic - not syncing: ",
        .summary = "The kernel has too little memory to start with",
        .sample = "[    0.000000] Kernel panic - not syncing: Cannot find place for new RAMDISK "
                  "of size 63258624",
        .near_miss = "[    0.000000] Kernel panic - not syncing: Failed to register clocksource",
    },
    {
        .id = "kernel.oom-no-victim",
        .cause = "kernel.out-of-memory",
        .severity = SEVERITY_FATAL,
        .speaker = SPEAKER_KERNEL,
        .confidence = 0.95,
        .pattern = "^Out of memory and no killable processes",
        .literal = "Out of memory and no killable",
        .summary = "The kernel ran out of memory and found nothing to kill",
        .sample = "[    1.241286] Out of memory and no killable processes...",
        .near_miss = "[    9.241286] Out of memory: Killed process 126 (node) total-vm:1kB",
    },
    {
        .id = "kernel.oom-kill",
        .severity = SEVERITY_ERROR,
        .speaker = SPEAKER_KERNEL,
        .pattern = "^(?:Out of memory|Memory cgroup out of memory|Out of memory "
                   "\\(oom_kill_allocating_task\\)): Kill(?:ed)? process \\d+ \\(([^)]+)\\)",
        .literal = "emory",
        .summary = "The kernel ran out of memory and killed $1",
        .sample = "[   19.100000] Out of memory: Killed process 126 (node) total-vm:604508kB, "
                  "anon-rss:38436kB",
        .near_miss = "[    1.241286] Out of memory and no killable processes...",
    },
    {
        .id = "kernel.page-allocation-failure",
        .cause = "kernel.out-of-memory",
        .severity = SEVERITY_ERROR,
        .speaker = SPEAKER_KERNEL,
        .confidence = 0.4,
        .pattern = "^\\S+: page allocation failure: order:\\d",
        .literal = "page allocation failure",
        .summary = "The kernel could not allocate memory",
        .sample = "[    1.100000] swapper/0: page allocation failure: order:0, mode:0x400dc0",
        .near_miss = "[    1.100000] page_alloc: shuffle page allocation failures: 0",
    },
    {
        /* The unpacker's file system is the guest's memory. */
        .id = "kernel.initramfs-no-room",
        .cause = "kernel.out-of-memory",
        .severity = SEVERITY_ERROR,
        .confidence = 0.8,
        .pattern = "^Initramfs unpacking failed: write error",
        .literal = "Initramfs unpacking failed: write error",
        .summary = "The initramfs does not fit into the guest's memory",
        .sample = "[    1.1] Initramfs unpacking failed: write error",
        .near_miss = "[    1.1] Initramfs unpacking failed: Decoding failed",
    },
};

const struct analyzer analyzer_kernel_memory = {
    .name = "kernel-memory",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
};
