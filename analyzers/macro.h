/* SPDX-License-Identifier: Apache-2.0 */
/*
 * macro: what stands for the service under test in a rule's pattern.
 *
 *   %{UNIT}        the unit's name, its description, or "name - description", each also as systemd
 *                  shortens it: some eight or more characters, "...", the rest
 *   %{SUPERVISOR}  base name of the unit's script
 *   %{SCRIPT}      the same without its ending, as scripts call themselves
 *   %{ENTRY}       base name of the agent's program
 *   %{READY}       the service's own pattern; its groups capture nothing
 *   %{PORT}        its port, not as a part of a longer number
 *   %{IFACE}       a network interface's name, not the loopback's
 *   %{IP}          an IPv4 address
 */
#ifndef BOOTDIAG_MACRO_H
#define BOOTDIAG_MACRO_H

#include <stddef.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/service.h"

/* Appends `pattern` with its macros replaced by PCRE2. An unknown macro is an error. */
int macro_expand(const char *pattern, const struct service *service, struct buf *ret_text,
                 struct err *err);

/* Appends `literal` with %{SUPERVISOR}, %{ENTRY} and %{PORT} replaced by the plain text. */
int macro_literal(const char *literal, const struct service *service, struct buf *ret_text,
                  struct err *err);

/* Where in `pattern` the byte at `offset` of its expansion comes from. */
size_t macro_origin(const char *pattern, const struct service *service, size_t offset);

#endif
