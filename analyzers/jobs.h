/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs: follows systemd's start jobs over a boot: what was begun and never ended, what failed and
 * took the service's unit with it.
 */
#ifndef BOOTDIAG_JOBS_H
#define BOOTDIAG_JOBS_H

#include "analyzers/evidence.h"
#include "analyzers/finding.h"

/* Adds findings about the service's own unit and about what it waits for; reads hits of init.c's
 * rules. */
void jobs_judge(const struct evidence *evidence, struct findings *findings);

#endif
