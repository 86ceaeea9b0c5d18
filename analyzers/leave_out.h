/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leave_out: a baseline checked against itself: each good boot is compared with all the others.
 * What is reported then is false, and as much must be expected for a good boot never seen before.
 */
#ifndef BOOTDIAG_LEAVE_OUT_H
#define BOOTDIAG_LEAVE_OUT_H

#include <stddef.h>

#include "analyzers/analysis.h"
#include "analyzers/baseline.h"
#include "analyzers/boot_lines.h"
#include "analyzers/rules.h"
#include "harness/base/err.h"
#include "harness/record.h"

/* One good boot with what a comparison needs of it. */
struct leave_out_boot {
    struct record record; /* owned */
    struct boot_lines lines;
    struct milestone milestones[STAGE_N];
};

/* Zeroed: no boots. */
struct leave_out {
    struct leave_out_boot *boots; /* owned */
    size_t n, cap;
    struct baseline *whole; /* owned: of all boots; NULL: there are none */
};

/*
 * Adds a boot; `record` is taken and empty afterwards, in any case. Refused as by baseline_add: one
 * that did not come up, or in which something serious is found.
 */
int leave_out_add(struct leave_out *check, struct record *record, struct ruleset *rules,
                  struct err *err);
void leave_out_release(struct leave_out *check);

/* How one boot differs from all the others; `rules` are for its service. With fewer than two boots
 * nothing is compared: `present` is false. Release with diff_release. */
void leave_out_compare(const struct leave_out *check, size_t index, struct ruleset *rules,
                       struct diff *ret_diff);

#define auto_leave_out __attribute__((cleanup(leave_out_release)))

#endif
