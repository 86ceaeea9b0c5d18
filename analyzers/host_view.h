/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_view: what the host met at the guest's port, by what it says of the guest's network.
 *
 * On a TAP (and through a controller, which has TAPs) whatever is not a timeout or an unreachable
 * host comes from the guest's own IP stack. In user-mode networking a forwarder stands in front: it
 * accepts for a guest that is not there, so that no-answer says nothing of the guest, a reset is
 * the guest's own refusal, and refused means that the VMM does not listen.
 */
#ifndef BOOTDIAG_HOST_VIEW_H
#define BOOTDIAG_HOST_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzers/finding.h"
#include "harness/record.h"

struct host_view {
    bool tap, user;               /* neither: nobody probed, or it is not known through what */
    const struct probe_run *last; /* the last run that is more than a single attempt after a long
                                   * one; NULL: nobody probed */
    bool ever_reached; /* the guest's IP stack answered at least once, more than by chance */
    bool reached;      /* and it was what answered at the end */
    int64_t deaf_ms;   /* how long nothing of the guest had answered at the end */
};

void host_view_take(const struct record *record, struct host_view *ret_view);

/* True if that class can only come from the guest's own IP stack. */
bool host_view_is_guest(const struct host_view *view, enum probe_class class);

/* One fact of boot.json that shows the finding: a run of the probe, in words. */
void host_view_quote(struct finding *finding, const struct probe_run *run);

#endif
