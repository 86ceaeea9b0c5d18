/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit: names of systemd units as its messages show them: "x.service", "x.service - Description",
 * "Description", each perhaps shortened in the middle by an ellipsis. Which of them a system shows
 * is its status_unit_format (systemd-system.conf(5)): the description alone, the name, or both.
 */
#ifndef BOOTDIAG_UNIT_H
#define BOOTDIAG_UNIT_H

#include <stdbool.h>

#include "harness/service.h"

/* True if `label` can only be the service's unit. */
bool unit_is_service(const char *label, const struct service *service);

/* True if two labels, perhaps shortened differently, can be the same unit. */
bool unit_same(const char *left, const char *right);

/* True if what the label names waits for, or makes, the network. */
bool unit_is_network(const char *label);

/* Length of the name in "x.service - Description"; of all of it, if it is only one of the two. */
int unit_name_len(const char *label);

#endif
