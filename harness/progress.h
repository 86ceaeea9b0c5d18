/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress: which boots run, how far they are, for how long: on standard error. On a terminal one
 * line per running boot that is drawn again; elsewhere a plain line when a boot reaches another
 * stage. Command layer.
 */
#ifndef BOOTDIAG_PROGRESS_H
#define BOOTDIAG_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/boot.h"

struct progress;

struct progress *progress_new(unsigned total, bool quiet);
/* Leaves the terminal clean. */
void progress_free(struct progress *progress);

void progress_show(struct progress *progress, const struct boot *const *boots, size_t n);

/* "boot 2 of 3: TEXT" stays on the screen; NULL: nothing is said. */
void progress_boot_done(struct progress *progress, const struct boot *boot, const char *text);

#endif
