/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress: whether a boot went on behind a line, so that a kernel's complaint stays a complaint.
 */
#ifndef BOOTDIAG_PROGRESS_H
#define BOOTDIAG_PROGRESS_H

#include <stdbool.h>

#include "analyzers/evidence.h"

/* True if a milestone, or anything that systemd or the service says, came behind the hit. */
bool progress_since(const struct evidence *evidence, const struct hit *hit);

#endif
