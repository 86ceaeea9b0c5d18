/* SPDX-License-Identifier: Apache-2.0 */
/* script: follows the unit's script from its start to its end: ended without a word, by a command,
 * with its children, or never. */
#ifndef BOOTDIAG_SCRIPT_H
#define BOOTDIAG_SCRIPT_H

#include "analyzers/evidence.h"
#include "analyzers/finding.h"

/* Adds findings about the script's life; reads hits of the rules of supervisor.c and unit_fate.c.
 */
void script_judge(const struct evidence *evidence, struct findings *findings);

#endif
