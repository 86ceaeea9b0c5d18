/* SPDX-License-Identifier: Apache-2.0 */
/* late: which parts of a boot took longer than in the good ones. */
#ifndef BOOTDIAG_LATE_H
#define BOOTDIAG_LATE_H

#include "analyzers/analysis.h"
#include "analyzers/baseline.h"

/*
 * Fills `late` of `ret_diff`: segments between neighbouring milestones that took longer than in the
 * good boots by more than 20 %, 250 ms and three deviations (MAD), after the host's slowness as a
 * whole (the Theil-Sen slope over the segments, if above 1) is taken out. Nothing is judged if the
 * number of parallel boots differs, or with fewer than three good boots.
 */
void late_find(const struct baseline *baseline, const struct record *record,
               const struct milestone milestones[static STAGE_N], struct diff *ret_diff);

#endif
