/* SPDX-License-Identifier: Apache-2.0 */
/*
 * whereabouts: which address the guest has, whether it is the planned one, and who else has that.
 *
 * Who deviates from the target is to blame: the guest, by a wrong lease or a wrong static address,
 * or the URL that is probed.
 */
#ifndef BOOTDIAG_WHEREABOUTS_H
#define BOOTDIAG_WHEREABOUTS_H

#include <stdbool.h>

#include "analyzers/evidence.h"
#include "analyzers/finding.h"
#include "analyzers/frames.h"
#include "analyzers/host_view.h"

/* Where the guest is to be found, as text; NULL: not known. Borrowed from the evidence, or from
 * `buffer`. */
enum { WHEREABOUTS_SIZE = 64 };
const char *whereabouts_planned(const struct evidence *evidence, const struct host_view *view,
                                char buffer[static WHEREABOUTS_SIZE]);

/* The last line in which the guest says that it has `address`; NULL: none. */
const struct hit *whereabouts_named(const struct evidence *evidence, const char *address);

/* True if the URL led elsewhere: then what the probe met says nothing of this guest. */
bool whereabouts_judge(const struct evidence *evidence, const struct frames *frames,
                       const struct host_view *view, struct findings *findings);

#endif
