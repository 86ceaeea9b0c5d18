/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefix: what stands in front of a console line's message, and where in a line another writer
 * begins.
 *
 * Known forms: printk (stamp, level, caller; Documentation/core-api/printk-basics.rst), journald's
 * forwarding to the console, syslog (RFC 3164 and RFC 5424 dates), systemd's status lines,
 * Firecracker's logger.
 */
#ifndef BOOTDIAG_PREFIX_H
#define BOOTDIAG_PREFIX_H

#include <stddef.h>

#include "analyzers/line.h"

/* Sets message, source, status, ident, pid and guest_ms of a line whose text stands. */
void prefix_parse(struct line *line);

/* Where in `text`, behind `from`, the prefix of another writer begins; `len` if nowhere. */
size_t prefix_find(const char *text, size_t len, size_t from);

#endif
