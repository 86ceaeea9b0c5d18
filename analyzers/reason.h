/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reason: whether the guest itself says what went wrong, so that the end that an observer saw
 * explains nothing.
 */
#ifndef BOOTDIAG_REASON_H
#define BOOTDIAG_REASON_H

#include "analyzers/finding.h"

/*
 * The confidence for a cause that is only how it looked from outside (a reset, a destroyed VM),
 * `alone` where the guest gives no reason; else below the best of its reasons, so that it may stand
 * beside it and never before it.
 */
double reason_leaves(const struct findings *findings, double alone);

#endif
