/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_command: the target's "exec" with its placeholders -> the argument vector of one boot.
 *
 * A placeholder is a name in braces, "{port}"; "{{" stands for one brace. Other braces stay as they
 * are. The program itself, the first word, has none.
 */
#ifndef BOOTDIAG_EXEC_COMMAND_H
#define BOOTDIAG_EXEC_COMMAND_H

#include <stdbool.h>

#include "harness/base/err.h"
#include "harness/target.h"

enum exec_place {
    EXEC_DIR, /* a private directory of the boot */
    EXEC_ID,
    EXEC_PORT, /* what is probed, with EXEC_ADDRESS */
    EXEC_TAP,
    EXEC_MAC,
    EXEC_ADDRESS,
    EXEC_KERNEL,
    EXEC_INITRD,
    EXEC_ROOTFS,
    EXEC_CMDLINE,
    EXEC_MEMORY_MIB,
    EXEC_VCPUS,
    EXEC_N_PLACES,
};

/* Refuses a placeholder that nobody knows, naming those there are, and one for which the target has
 * no value. The target has an "exec". */
int exec_command_check(const struct target *target, struct err *err);

/* Does some argument of the target's "exec" hold the placeholder? */
bool exec_command_uses(const struct target *target, enum exec_place place);

/* The arguments of a target that was checked, with `values` (one for each place, NULL where there
 * is none) in place of the names. Owned by the caller (words_free). */
char **exec_command_argv(const struct target *target, const char *const values[EXEC_N_PLACES]);

#endif
