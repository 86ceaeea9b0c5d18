/* SPDX-License-Identifier: Apache-2.0 */
/* replay: what a boot that plays a kept record takes over from it at its end. */
#ifndef BOOTDIAG_REPLAY_H
#define BOOTDIAG_REPLAY_H

#include "harness/base/err.h"
#include "harness/record.h"

/* How and when it ended, and what its probe met. `record` has nothing of that yet but runs. */
void replay_take_end(struct record *record, const struct record *kept);

/* The raw files that no VM writes in a replay, as far as they were kept; `err` tells of one that
 * could not be copied. */
void replay_copy_files(const char *kept_dir, const char *dir, struct err *err);

#endif
