/* SPDX-License-Identifier: Apache-2.0 */
/* gather: the one pass that fills an evidence from its record. */
#ifndef BOOTDIAG_GATHER_H
#define BOOTDIAG_GATHER_H

#include "analyzers/evidence.h"
#include "analyzers/rules.h"

/*
 * Reads console and VMM log of `evidence->record` through the rules: fills hits and all that
 * evidence.h says of lines. `rules` is `evidence->rules`, writable because matching uses its
 * scratch space; `per_rule` has room for each of them.
 */
void gather_evidence(struct evidence *evidence, struct ruleset *rules);

#endif
