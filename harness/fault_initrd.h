/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault_initrd: what a fault does to the initrd, as its "initrd" says:
 *
 *   keep_kib     only so much of its beginning is left
 *   garble_kib   the 4 KiB there are overwritten with a pattern
 *   changes      "write" and "symlink", see fault_change.h
 *
 * The kernel unpacks archives that stand one behind the other, compressed or not, and a later one
 * replaces files of an earlier one (Linux, Documentation/driver-api/early-userspace/
 * buffer-format.rst): changed files are in an archive of their own at the end.
 */
#ifndef BOOTDIAG_FAULT_INITRD_H
#define BOOTDIAG_FAULT_INITRD_H

#include <jansson.h>

#include "harness/base/err.h"
#include "harness/fault.h"

/* Checks the member "initrd"; `name` is the file, for messages. */
int fault_initrd_check(const json_t *initrd, const char *name, struct err *err);

/* Makes the new file `to` out of `from`, which stays as it is; `from` NULL is an error. The fault
 * has an "initrd". */
int fault_make_initrd(const struct fault *fault, const char *from, const char *to, struct err *err);

#endif
