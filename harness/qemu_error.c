/* SPDX-License-Identifier: Apache-2.0 */
/* The texts are those of QEMU 7.2; only their stable parts are matched, without regard to case. */
#include "harness/qemu_error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "harness/base/text.h"

enum { LONGEST_ERROR = 400 };

/* In the order of precedence: a later line of the log wins if its row stands earlier. */
static const struct {
    const char *text;
    const char *cause;
} TEXTS[] = {
    {"could not access kvm kernel module", "host.kvm-unavailable"},
    {"failed to initialize kvm", "host.kvm-unavailable"},
    {"kvm version too old", "host.kvm-unavailable"},
    {"invalid accelerator kvm", "host.kvm-unavailable"},
    {"error: failed to set msr", "host.kvm-unavailable"},
    {"no space left on device", "host.disk-full"},
    {"cannot set up guest memory", "host.memory-exhausted"},
    {"cannot allocate memory", "host.memory-exhausted"},
    {"could not configure /dev/net/tun", "host.tap-unavailable"},
    {"could not open kernel file", "vmm.kernel-missing"},
    {"invalid kernel header", "vmm.kernel-invalid"},
    {"could not load kernel", "vmm.kernel-invalid"},
    {"linux kernel too old", "vmm.kernel-invalid"},
    {"without pvh elf note", "vmm.kernel-invalid"},
    {"error reading initrd", "vmm.initrd-missing"},
    {"could not open '", "vmm.rootfs-missing"},
    {"failed to get \"write\" lock", "vmm.rootfs-missing"},
    {"is another process using the image", "vmm.rootfs-missing"},
    {"unsupported machine type", "vmm.config-invalid"},
    {"is not a valid device model name", "vmm.config-invalid"},
    {"unable to find cpu model", "vmm.config-invalid"},
    {"invalid option", "vmm.config-invalid"},
    {"invalid parameter", "vmm.config-invalid"},
    {"could not set up host forwarding rule", "vmm.config-invalid"},
    {"assertion", "vmm.crashed"},
};
enum { N_TEXTS = sizeof(TEXTS) / sizeof(TEXTS[0]) };

static size_t row_of(const char *line)
{
    size_t row = 0;
    while (row < N_TEXTS && strcasestr(line, TEXTS[row].text) == NULL)
        row++;
    return row;
}

char *qemu_error_find(const char *log, const char **ret_cause)
{
    auto_free char *copy = mem_strdup(log);
    char *rest = copy, *line;
    const char *best = NULL;
    size_t best_row = N_TEXTS;
    while ((line = strsep(&rest, "\r\n")) != NULL) {
        size_t row = row_of(line);
        bool noise = line[0] == '\0' || (row == N_TEXTS && strstr(line, "warning:") != NULL);
        if (noise || row > best_row || (row == best_row && row < N_TEXTS))
            continue;
        best = line; /* the first of a known row, the last of unknown lines */
        best_row = row;
    }
    *ret_cause = best_row < N_TEXTS ? TEXTS[best_row].cause : NULL;
    if (best == NULL)
        return NULL;
    char text[LONGEST_ERROR];
    (void)text_printable(text, sizeof(text), best, strlen(best));
    return mem_strdup(text);
}
