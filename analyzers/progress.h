/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress: whether a boot went on, so that a kernel's complaint stays a complaint. A step is a
 * milestone, or anything that systemd or the service says.
 */
#ifndef BOOTDIAG_PROGRESS_H
#define BOOTDIAG_PROGRESS_H

#include <stdbool.h>

#include "analyzers/evidence.h"

/* The last step before the hit (NULL: of all); NULL: there is none. */
const struct hit *progress_before(const struct evidence *evidence, const struct hit *hit);

/* True if a step came behind the hit. */
bool progress_since(const struct evidence *evidence, const struct hit *hit);

#endif
