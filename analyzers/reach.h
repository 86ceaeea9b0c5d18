/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach: the guest is up with the planned address, and the host does not get through to its
 * service: what lies between them, the bridge, the TAP or the guest's own firewall.
 */
#ifndef BOOTDIAG_REACH_H
#define BOOTDIAG_REACH_H

#include "analyzers/evidence.h"
#include "analyzers/finding.h"
#include "analyzers/frames.h"
#include "analyzers/host_view.h"

/* Longer than an agent that listens may take for a health answer. */
enum { REACH_MUTE_MS = 3 * 1000 };

/* The agent had time to answer before the probe gave up; without the line's time nobody knows. */
bool reach_ready_long_before(const struct hit *ready, const struct probe_run *last);

/* True if the capture shows connections to the service that the guest neither took nor refused,
 * although it answered ARP all the while. */
bool reach_unanswered(const struct frames *frames);

void reach_judge(const struct evidence *evidence, const struct frames *frames,
                 const struct host_view *view, struct findings *findings);

#endif
