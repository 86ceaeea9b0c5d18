/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit_exit: what the statuses and results mean that systemd gives when a unit's process ends
 * (systemd.exec(5), "Process Exit Codes"; systemd.service(5), $SERVICE_RESULT; signal(7)).
 */
#ifndef BOOTDIAG_UNIT_EXIT_H
#define BOOTDIAG_UNIT_EXIT_H

#include <stdbool.h>

/*
 * True if an exit status such as "217/USER" or "217" is systemd's own: it never got as far as the
 * program. 200 to 245; not 203/EXEC, which is about the program itself.
 */
bool unit_exit_is_setup(const char *status);

/* True for "203/EXEC": the program could not be executed. */
bool unit_exit_is_exec(const char *status);

/* True if the status names a signal: "9/KILL". Whether it was one says systemd's `code=`. */
bool unit_exit_is_signal(const char *code);

/* What a status such as "203/EXEC", "127" or "9/KILL" means, in words; NULL: nothing special. */
const char *unit_exit_meaning(const char *status);

/* What a result such as "start-limit-hit" means, in words; NULL: not known. */
const char *unit_result_meaning(const char *result);

#endif
