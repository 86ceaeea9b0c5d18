/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err: one error, owned by the caller, of fixed size, never allocating.
 *
 * A function that can fail takes `struct err *err` last and returns -1 (or NULL). The message is
 * lower case, has no full stop and names the object: `targets/x.json: "port": expected 1-65535, got
 * 0`.
 */
#ifndef BOOTDIAG_BASE_ERR_H
#define BOOTDIAG_BASE_ERR_H

struct err {
    char message[512];
    const char
        *cause; /* borrowed, static: an id that the caller's layer gives meaning to; or NULL */
};

/* Sets the message; drops an earlier cause. `err` may be NULL. Always returns -1. */
int err_set(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As err_set, followed by ": " and the text of `errnum` (an errno value), for which a message that
 * is too long is cut before it. Always returns -1. */
int err_sys(struct err *err, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts context and ": " in front of the message; a message that no longer fits is cut at its end.
 * Always returns -1. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Names the cause of the error: a string with static storage. Always returns -1. */
int err_cause(struct err *err, const char *cause);

#endif
