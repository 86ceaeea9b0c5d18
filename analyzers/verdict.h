/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict: findings -> one cause, what else was considered and why not, and what else is broken
 * besides (fixtures/contract/precedence.md).
 */
#ifndef BOOTDIAG_VERDICT_H
#define BOOTDIAG_VERDICT_H

#include "analyzers/analysis.h"
#include "analyzers/evidence.h"

/*
 * Sets outcome, verdict, alternatives and contributing of `analysis`, whose findings and milestones
 * stand already. The confidences of verdict and alternatives add up to at most 1.
 */
void verdict_decide(struct analysis *analysis, const struct evidence *evidence);

#endif
