/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage: the milestones of a boot, in order: how far it got and where the silence began.
 *
 * A milestone is reached if a rule that proves it matched, if boot.json says so, or if a later one
 * can logically not be without it (see `implies` in stage.c).
 */
#ifndef BOOTDIAG_STAGE_H
#define BOOTDIAG_STAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "analyzers/analysis.h"
#include "analyzers/evidence.h"

enum stage {
    STAGE_VMM_STARTED,
    STAGE_KERNEL_STARTED,
    STAGE_ROOT_DEVICE_FOUND,
    STAGE_ROOT_MOUNTED,
    STAGE_INIT_STARTED,
    STAGE_NIC_FOUND,
    STAGE_LINK_UP,
    STAGE_ADDRESS_ACQUIRED,
    STAGE_NETWORK_TARGET,
    STAGE_UNIT_STARTED,
    STAGE_SUPERVISOR_STARTED,
    STAGE_AGENT_STARTED,
    STAGE_AGENT_LISTENING,
    STAGE_PORT_ANSWERS,
    STAGE_N,
};

/* The contract's ids, in its order; static. */
const char *stage_id(enum stage stage);

/* Position of a milestone's id in that order; -1 if there is no such milestone. */
int stage_rank(const char *id);

/*
 * Fills all STAGE_N milestones. `at_ms` is that of the first line that proves it; a milestone that
 * is only implied by later ones has at_ms -1 and the quote of nothing (line 0).
 */
void stage_milestones(const struct evidence *evidence,
                      struct milestone ret_milestones[static STAGE_N]);

/*
 * The furthest milestone that was reached, as a position; -1: none. Earlier ones may be missing: an
 * agent listens without an address, too.
 */
int stage_furthest(const struct milestone milestones[static STAGE_N]);

/* True if the milestone was reached; false also while the evidence has no milestones yet. */
bool stage_reached(const struct evidence *evidence, enum stage stage);

/* Nothing counts as stuck that was silent for less (precedence.md). */
enum { STAGE_STUCK_MS = 10 * 1000 };

/*
 * How long a boot may stay between two milestones before it counts as stuck: three times what half
 * of the good boots took at this boot's pace, a quarter more than the slowest of them, a third of
 * the time that it needed to get there, and at least STAGE_STUCK_MS. A bare console does not say
 * how long it was watched, so there it takes three times as long.
 */
int64_t stage_patience_ms(const struct evidence *evidence, enum stage from, enum stage to);

/*
 * How sure it is that what was silent for so long, beyond the patience, is stuck: a bare console
 * may end while it is merely slow.
 */
double stage_silence_confidence(const struct evidence *evidence, int64_t silent_ms);

#endif
