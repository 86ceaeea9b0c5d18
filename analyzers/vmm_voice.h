/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmm_voice: lines of the VMM on the guest's console. Without a log file of its own Firecracker
 * logs to its standard output, which is the console; and who redirects stderr there gets QEMU's.
 */
#ifndef BOOTDIAG_VMM_VOICE_H
#define BOOTDIAG_VMM_VOICE_H

#include <stdbool.h>

#include "analyzers/line.h"

/* True if the line carries the prefix of a VMM's own message. */
bool vmm_voice(const struct line *line);

#endif
