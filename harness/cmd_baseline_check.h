/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_baseline_check: `baseline check DIR...`: how far a baseline is to be trusted. */
#ifndef BOOTDIAG_CMD_BASELINE_CHECK_H
#define BOOTDIAG_CMD_BASELINE_CHECK_H

#include "harness/command.h"

/* Prints what it found; the exit status. The operands are "check" and the directories. */
int baseline_check(const struct command_line *line);

#endif
