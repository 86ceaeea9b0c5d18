/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doubt: what speaks against a finding's being the cause: the agent came up after it, or the probe
 * met what could not be if it were so.
 */
#ifndef BOOTDIAG_DOUBT_H
#define BOOTDIAG_DOUBT_H

#include <stdbool.h>

#include "analyzers/evidence.h"
#include "analyzers/finding.h"

/*
 * Why a finding that has a cause is doubted, in words (static); NULL: nothing speaks against it.
 * `*ret_factor` is what its confidence is to be multiplied by: 1 without a doubt.
 */
const char *doubt_of(const struct evidence *evidence, const struct finding *finding,
                     double *ret_factor);

/*
 * True if the console alone shows that the agent is up: it said that it listens, with an address,
 * and nothing says that it died later.
 */
bool doubt_console_ready(const struct evidence *evidence);

#endif
