/* SPDX-License-Identifier: Apache-2.0 */
/* lifetime: follows the agent's process over a boot: died again and again, killed for its memory,
 * or alive and silent. */
#ifndef BOOTDIAG_LIFETIME_H
#define BOOTDIAG_LIFETIME_H

#include "analyzers/evidence.h"
#include "analyzers/finding.h"

/* Adds findings about the agent's life and death; reads hits of the rules of supervisor.c, init.c
 * and kernel.c. */
void lifetime_judge(const struct evidence *evidence, struct findings *findings);

#endif
