/* SPDX-License-Identifier: Apache-2.0 */
/* qemu_check: can a target be booted in QEMU on this host, and on which accelerator? */
#ifndef BOOTDIAG_QEMU_CHECK_H
#define BOOTDIAG_QEMU_CHECK_H

#include "harness/base/err.h"
#include "harness/target.h"

/* "kvm" or "tcg": what the target says, or where it leaves the choice, what works. Static, or
 * borrowed from the target. */
const char *qemu_accelerator(const struct target *target);

/* The pre-flight of struct vm_ops: the binary, KVM, the images and the bridge, as far as the target
 * names them. -1 with message, remedy and cause. */
int qemu_check(const struct target *target, struct err *err);

/* "7.2.22", as QMP's greeting says it: what the binary said when it was checked last, or where that
 * was another, is asked now, which takes 10 s at most. NULL: it does not say. Owned by the
 * caller. */
char *qemu_version(const struct target *target);

/* The accelerator, and where KVM was left aside, why: "tcg: /dev/kvm ...". Owned by the caller. */
char *qemu_describe(const struct target *target);

#endif
