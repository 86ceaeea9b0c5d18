/* SPDX-License-Identifier: Apache-2.0 */
/* questions: the six that every analysis answers: yes, no or unknown, in one sentence, with its
 * lines. */
#ifndef BOOTDIAG_QUESTIONS_H
#define BOOTDIAG_QUESTIONS_H

#include "analyzers/analysis.h"
#include "analyzers/evidence.h"

/* Fills `analysis->questions`; findings, milestones and verdict stand already. */
void questions_answer(struct analysis *analysis, const struct evidence *evidence);

#endif
