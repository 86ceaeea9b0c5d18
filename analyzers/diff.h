/* SPDX-License-Identifier: Apache-2.0 */
/* diff: how a boot differs from the good ones of a baseline. */
#ifndef BOOTDIAG_DIFF_H
#define BOOTDIAG_DIFF_H

#include "analyzers/analysis.h"
#include "analyzers/baseline.h"

enum { DIFF_MAX_MISSING = 50, DIFF_MAX_NOVEL = 50 };

/*
 * Fills `diff` (zeroed or not set before): how `record`, whose milestones stand in `milestones`,
 * differs from the good boots. Without any good boot `present` stays false.
 *
 * The divergence is where the good path was left first: an error that no good boot prints (then
 * `expected` is NULL), or the absence of a line that all of them print and that was due before
 * observation ended. A single kernel line that is absent while those behind it came, and a line
 * that came damaged, are no divergence. A boot that merely ran out of time has none. Absent lines
 * that were not yet due are only listed as far as the next few. `followed_line` 0: not even the
 * first came. The texts in `diff` are its own.
 */
void diff_init(struct diff *diff, const struct baseline *baseline, const struct record *record,
               struct ruleset *rules, const struct milestone milestones[static STAGE_N]);
void diff_release(struct diff *diff);

#endif
