/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_runs: what a probe met, in a record: equal results that follow each other are one run.
 *
 * Bounded: when there are PROBE_RUNS_MAX of them, the shortest one joins the one before it, and
 * `merged` is set. No attempt is forgotten; the newest run stays as it is.
 */
#ifndef BOOTDIAG_PROBE_RUNS_H
#define BOOTDIAG_PROBE_RUNS_H

#include <stdint.h>

#include "harness/record.h"

enum { PROBE_RUNS_MAX = 256 };

/*
 * Appends one result, which came `at_ms` after the start of the boot, to record->probe.runs.
 * `http_status` 0: there was no answer. `neighbour` is static, or NULL; a run keeps the last one
 * that was known.
 */
void probe_runs_note(struct record *record, enum probe_class class, int64_t at_ms, int http_status,
                     const char *neighbour);

#endif
