/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stow: a finished copy becomes files of the archive, under the production's names.
 *
 * Each file is written under a hidden temporary name, synced, and renamed: there is all of it or
 * nothing. The console comes last: who sees it finds the others beside it. The names follow from
 * the VM and from when it ended, so that doing it again after a crash leaves the same files.
 */
#ifndef BOOTDIAG_STOW_H
#define BOOTDIAG_STOW_H

#include <stdbool.h>

#include "harness/base/err.h"
#include "harness/spool.h"

/* "2025-11-06T20:49:08.451Z" as the production writes it: "2025-11-06T20-49-08-451Z". */
void stow_stamp(const char *at, char ret_stamp[static CLOCK_TEXT_SIZE]);

/* "<vmId>-<kind>-<stamp><suffix>"; owned by the caller. */
char *stow_name(const char *vm_id, const char *kind, const char *at, const char *suffix);

/*
 * Writes console, error log and facts of a spool whose `ended_at` is set into `dir`. On failure no
 * file is half there, some may be missing, and calling it again completes them.
 */
int stow(const struct spool *spool, const char *dir, bool compress, struct err *err);

/* Removes temporary files that a dead writer left in `dir`. Only while nobody else writes there. */
void stow_clean(const char *dir);

#endif
