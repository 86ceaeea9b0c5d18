/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine: a VM with what is its own while it runs: the captures of its console and of the VMM's
 * log, and a scratch directory.
 */
#ifndef BOOTDIAG_MACHINE_H
#define BOOTDIAG_MACHINE_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/capture.h"
#include "harness/vm.h"

struct machine {
    struct vm vm;  /* the caller sets what vm.h says, but for its scratch, before machine_start */
    char *scratch; /* owned; removed with what is in it */
    struct capture console, vmm_log;
};

/* `on_bytes` is called with what the console says, as it comes. */
void machine_init(struct machine *machine,
                  void (*on_bytes)(void *ctx, const char *bytes, size_t len), void *ctx);

/*
 * Makes `scratch`, starts the VM and captures what it says in its record's directory; times are
 * counted from `start_ms` (clock_ms()). -1 with the cause where it is known; machine_stop and
 * machine_release are complete then, too.
 */
int machine_start(struct machine *machine, const char *scratch, int64_t start_ms, struct err *err);

/* Ends the VM, and takes what it wrote last: the panic is in the last read. What was captured can
 * be asked for until machine_release. */
void machine_stop(struct machine *machine);

/* Ends what still runs, and forgets what was not read; complete at any point after the init. */
void machine_release(struct machine *machine);

/* The first thing that a raw file could not take (no space, say), borrowed; NULL: none. */
const struct err *machine_failure(const struct machine *machine);

#endif
