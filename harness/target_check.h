/* SPDX-License-Identifier: Apache-2.0 */
/* target_check: do a target's members make sense, each by itself and together? */
#ifndef BOOTDIAG_TARGET_CHECK_H
#define BOOTDIAG_TARGET_CHECK_H

#include "harness/base/err.h"
#include "harness/target.h"

/* What needs no look at the host; a backend's `check` does that. `name` is the file, for messages.
 */
int target_check(const struct target *target, const char *name, struct err *err);

#endif
