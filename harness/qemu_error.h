/* SPDX-License-Identifier: Apache-2.0 */
/* qemu_error: what QEMU says on stderr when it refuses to start -> the telling line and its cause.
 */
#ifndef BOOTDIAG_QEMU_ERROR_H
#define BOOTDIAG_QEMU_ERROR_H

/*
 * Finds the line that tells why QEMU ended before its guest ran. Returns it as printable text
 * (owned), or NULL if nothing was said. `ret_cause` becomes the id of the cause (static), NULL if
 * the line is not a known one. `log` is all of stderr so far.
 */
char *qemu_error_find(const char *log, const char **ret_cause);

#endif
