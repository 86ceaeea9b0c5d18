/* SPDX-License-Identifier: Apache-2.0 */
/* waits: what keeps systemd from starting the service's unit: a unit that it requires, a job that
 * it waits for, or nothing that can be seen. */
#ifndef BOOTDIAG_WAITS_H
#define BOOTDIAG_WAITS_H

#include "analyzers/evidence.h"
#include "analyzers/finding.h"

/* Adds findings about failed requirements, timeouts, open jobs and silence; reads hits of init.c's
 * and unit_fate.c's rules. */
void waits_judge(const struct evidence *evidence, struct findings *findings);

#endif
