/* SPDX-License-Identifier: Apache-2.0 */
/* deadline: was a healthy boot merely cut short? */
#ifndef BOOTDIAG_DEADLINE_H
#define BOOTDIAG_DEADLINE_H

#include "analyzers/evidence.h"
#include "analyzers/finding.h"

/* Only a boot that was still advancing, and of which nothing says that it is broken. */
void deadline_judge(const struct evidence *evidence, struct findings *findings);

#endif
