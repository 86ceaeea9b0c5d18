/* SPDX-License-Identifier: Apache-2.0 */
/* fault_damage: the changes that come last: they fill or damage the file system of the image. */
#ifndef BOOTDIAG_FAULT_DAMAGE_H
#define BOOTDIAG_FAULT_DAMAGE_H

#include "harness/base/err.h"
#include "harness/fault_change.h"

/*
 * Applies one CHANGE_FILL or CHANGE_DAMAGE in place; `dir` is private and for temporary files.
 * Filling an image that has less room than is to be left, and damaging what is not there, are
 * errors.
 */
int fault_damage_apply(const struct fault_change *change, const char *image, const char *dir,
                       struct err *err);

#endif
