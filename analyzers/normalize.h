/* SPDX-License-Identifier: Apache-2.0 */
/*
 * normalize: a cleaned line -> the 64-bit hash of its template, in which everything that differs
 * between two healthy boots is masked (times, pids, addresses, UUIDs, MACs, sizes, counters ...).
 *
 * Never masked: status words, exit codes, signal and errno names, unit and interface names. So
 * "link is ready" and "link is not ready" differ, as do "status=203/EXEC" and "status=1/FAILURE".
 */
#ifndef BOOTDIAG_NORMALIZE_H
#define BOOTDIAG_NORMALIZE_H

#include <stddef.h>
#include <stdint.h>

#include "analyzers/line.h"
#include "harness/base/buf.h"

/* Hash of the line's template (prefix left out, source kept). `host_name` may be NULL: not learned
 * yet. */
uint64_t normalize_hash(const struct line *line, const char *host_name);

/* The template itself, for people and tests: appended to `ret_text`. */
void normalize_text(const struct line *line, const char *host_name, struct buf *ret_text);

#endif
