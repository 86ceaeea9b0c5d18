/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit: names of systemd units as its messages show them: "x.service", "x.service - Description",
 * "Description", each perhaps shortened in the middle by an ellipsis, and what its exit statuses
 * mean.
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

/*
 * True if an exit status such as "217/USER" is systemd's own: it never got as far as the program.
 * systemd.exec(5) names them, 200 to 243; not 203/EXEC, which is about the program itself.
 */
bool unit_exit_is_setup(const char *status);

/* What an exit status such as "203/EXEC" or "9/KILL" means, in words; NULL: nothing special. */
const char *unit_exit_meaning(const char *status);

#endif
